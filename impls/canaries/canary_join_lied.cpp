// The first poll says ready whatever the child does, and the destructor believes it: the child runs on.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

namespace scopecheck::canaries {
namespace {

struct JoinLied {
  static constexpr kit::Description description = platform::handle_canary(
      "canary_join_lied", "awaiting says ready before the child is done", SCOPECHECK_PROGRESS_RUN);

  class Handle {
   public:
    Handle(platform::HeapExecutor& executor, kit::Child child) : task_(executor.start(std::move(child))) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      task_->forsake();
      if (!ready_) task_->cancel();
    }

    std::optional<kit::Result> poll(const kit::WakerRef& waker) {
      ready_ = true;
      if (!task_->completion().ended()) return kit::Result();
      return task_->completion().poll(waker);
    }

   private:
    bool ready_ = false;
    platform::TaskRef task_;
  };

  struct Runtime : platform::HeapExecutor {
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
  };
};
SCOPECHECK_REGISTER(JoinLied);

}  // namespace
}  // namespace scopecheck::canaries
