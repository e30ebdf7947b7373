// The scope's destructor cancels its children; the next run counts that in the dead scope. Nothing of the
// children is late: the runtime's own bookkeeping is.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

#include <vector>

namespace scopecheck::canaries {
namespace {

struct LateBookkeeping {
  static constexpr kit::Description description = [] {
    kit::Description d = platform::handle_canary(
        "canary_late_bookkeeping", "the executor writes into a scope after its end", SCOPECHECK_PROGRESS_RUN);
    d.shape = SCOPECHECK_SHAPE_GUARD;
    d.carrier = SCOPECHECK_CARRIER_SCOPE;
    return d;
  }();

  struct Runtime : platform::HeapExecutor {
    std::vector<std::size_t*> ended;
    std::size_t run(std::size_t budget) {
      for (std::size_t* runs : ended) ++*runs;
      ended.clear();
      return platform::HeapExecutor::run(budget);
    }
  };

  class Scope {
   public:
    explicit Scope(Runtime& runtime) : runtime_(runtime) {}
    Scope(Scope&&) = delete;
    Scope& operator=(Scope&&) = delete;
    ~Scope() {
      for (const platform::TaskRef& task : tasks_) task->cancel();
      runtime_.ended.push_back(&runs_);
    }
    void spawn(kit::Child child) {
      tasks_.push_back(runtime_.start(std::move(child)));
      tasks_.back()->forsake();
    }

   private:
    Runtime& runtime_;
    std::size_t runs_ = 0;
    std::vector<platform::TaskRef> tasks_;
  };
};
SCOPECHECK_REGISTER(LateBookkeeping);

}  // namespace
}  // namespace scopecheck::canaries
