// The handle's destructor cancels; the next run counts that in the dead handle. Nothing of the child is late:
// the runtime's own bookkeeping is.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

#include <vector>

namespace scopecheck::canaries {
namespace {

struct LateHandleBookkeeping {
  static constexpr kit::Description description =
      platform::handle_canary("canary_late_handle_bookkeeping",
                              "the executor writes into a handle after its end", SCOPECHECK_PROGRESS_RUN);

  struct Executor : platform::HeapExecutor {
    std::vector<std::size_t*> ended;
    std::size_t run(std::size_t budget) {
      for (std::size_t* runs : ended) ++*runs;
      ended.clear();
      return platform::HeapExecutor::run(budget);
    }
  };

  class Handle {
   public:
    Handle(Executor& executor, kit::Child child)
        : executor_(executor), task_(executor.start(std::move(child))) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      task_->forsake();
      task_->cancel();
      executor_.ended.push_back(&runs_);
    }

    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return task_->completion().poll(waker); }

   private:
    Executor& executor_;
    std::size_t runs_ = 0;
    platform::TaskRef task_;
  };

  struct Runtime : Executor {
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
  };
};
SCOPECHECK_REGISTER(LateHandleBookkeeping);

}  // namespace
}  // namespace scopecheck::canaries
