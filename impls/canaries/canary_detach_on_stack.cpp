// The handle's destructor detaches, and async blocks run on suspendable stacks: the child's next step comes
// late, to a frame on such a stack.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"
#include "impls/platform/stackful.hpp"

namespace scopecheck::canaries {
namespace {

struct DetachOnStack {
  static constexpr kit::Description description = platform::handle_canary(
      "canary_detach_on_stack", "dropping the handle detaches the child; async blocks run on stacks",
      SCOPECHECK_PROGRESS_RUN);

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
    platform::Stacks stacks;
  };
  struct Stack : platform::Coroutine {
    Stack(Runtime& runtime, kit::Body body) : Coroutine(runtime.stacks, body) {}
  };
};
SCOPECHECK_REGISTER(DetachOnStack);

}  // namespace
}  // namespace scopecheck::canaries
