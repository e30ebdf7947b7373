// The handle's destructor cancels, but leaves a result that nobody took to the next run: the result's
// destructor comes late.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

#include <vector>

namespace scopecheck::canaries {
namespace {

struct LateResult {
  static constexpr kit::Description description = platform::handle_canary(
      "canary_late_result", "an unclaimed result is destroyed by the executor, after its handle",
      SCOPECHECK_PROGRESS_RUN);

  struct Executor : platform::HeapExecutor {
    std::vector<kit::Object> graves;
    ~Executor() { bury(); }
    void bury() {
      for (kit::Object& object : graves) platform::discard(std::move(object));
      graves.clear();
    }
    std::size_t run(std::size_t budget) {
      bury();
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
      executor_.graves.push_back(task_->completion().take_object());
      task_->forsake();
      task_->cancel();
    }

    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return task_->completion().poll(waker); }

   private:
    Executor& executor_;
    platform::TaskRef task_;
  };

  struct Runtime : Executor {
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
  };
};
SCOPECHECK_REGISTER(LateResult);

}  // namespace
}  // namespace scopecheck::canaries
