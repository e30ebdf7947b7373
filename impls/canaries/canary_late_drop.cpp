// The handle's destructor only asks for an end: the child is never stepped again, but what it captured is
// destroyed when the executor comes to it. The child's destructor comes late.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

namespace scopecheck::canaries {
namespace {

struct LateDrop {
  static constexpr kit::Description description =
      platform::handle_canary("canary_late_drop", "the child is destroyed by the executor, after its handle",
                              SCOPECHECK_PROGRESS_RUN);

  class Handle {
   public:
    Handle(platform::HeapExecutor& executor, kit::Child child) : task_(executor.start(std::move(child))) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      task_->forsake();
      task_->abort();
    }

    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return task_->completion().poll(waker); }

   private:
    platform::TaskRef task_;
  };

  struct Runtime : platform::HeapExecutor {
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
  };
};
SCOPECHECK_REGISTER(LateDrop);

}  // namespace
}  // namespace scopecheck::canaries
