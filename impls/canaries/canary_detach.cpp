// The handle's destructor detaches: the child's next step comes late.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

namespace scopecheck::canaries {
namespace {

struct Detach {
  static constexpr kit::Description description = platform::handle_canary(
      "canary_detach", "dropping the handle detaches the child", SCOPECHECK_PROGRESS_RUN);

  class Handle {
   public:
    Handle(platform::HeapExecutor& executor, kit::Child child) : task_(executor.start(std::move(child))) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() { task_->forsake(); }

    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return task_->completion().poll(waker); }

   private:
    platform::TaskRef task_;
  };

  struct Runtime : platform::HeapExecutor {
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
  };
};
SCOPECHECK_REGISTER(Detach);

}  // namespace
}  // namespace scopecheck::canaries
