// Of three handles that are live at once, the first to be dropped detaches its child. Out of reach of the
// exhaustive search, whose clients have two tasks.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

namespace scopecheck::canaries {
namespace {

struct DeepThird {
  static constexpr kit::Description description = platform::handle_canary(
      "canary_deep_third", "the first drop among three live handles detaches", SCOPECHECK_PROGRESS_RUN);

  struct Runtime;
  class Handle {
   public:
    Handle(Runtime& runtime, kit::Child child);
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle();
    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return task_->completion().poll(waker); }

   private:
    Runtime& runtime_;
    platform::TaskRef task_;
  };

  struct Runtime : platform::HeapExecutor {
    int handles = 0;
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
  };
};

DeepThird::Handle::Handle(Runtime& runtime, kit::Child child)
    : runtime_(runtime), task_(runtime.start(std::move(child))) {
  ++runtime.handles;
}
DeepThird::Handle::~Handle() {
  task_->forsake();
  if (runtime_.handles-- < 3) task_->cancel();
}
SCOPECHECK_REGISTER(DeepThird);

}  // namespace
}  // namespace scopecheck::canaries
