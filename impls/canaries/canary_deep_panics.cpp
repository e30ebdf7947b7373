// After two children have panicked, the handle of a third detaches it. Out of reach of the exhaustive search,
// whose clients have two tasks.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

namespace scopecheck::canaries {
namespace {

struct DeepPanics {
  static constexpr kit::Description description =
      platform::handle_canary("canary_deep_panics", "after two children panicked, dropping a handle detaches",
                              SCOPECHECK_PROGRESS_RUN);

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
    int panicked = 0;
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
  };
};

DeepPanics::Handle::Handle(Runtime& runtime, kit::Child child)
    : runtime_(runtime), task_(runtime.start(std::move(child))) {}
DeepPanics::Handle::~Handle() {
  if (task_->completion().panicked()) ++runtime_.panicked;
  task_->forsake();
  if (runtime_.panicked < 2) task_->cancel();
}
SCOPECHECK_REGISTER(DeepPanics);

}  // namespace
}  // namespace scopecheck::canaries
