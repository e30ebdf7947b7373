// Implementations whose runs are not all alike: whether a dropped handle cancels its child or detaches it
// depends on how many runs their process has seen.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

namespace scopecheck::tests {
namespace {

enum class Detaches { every_other_run, in_all_runs_but_the_first };

template <Detaches When>
struct Fickle {
  static constexpr kit::Description description = platform::handle_canary(
      When == Detaches::every_other_run ? "fickle_every_other_run" : "fickle_but_for_the_first_run",
      "dropping the handle detaches the child in some runs", SCOPECHECK_PROGRESS_RUN);

  static inline int runs_before = 0;

  struct Runtime;

  class Handle {
   public:
    Handle(Runtime& runtime, kit::Child child)
        : detaches_(runtime.detaches), task_(runtime.start(std::move(child))) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      task_->forsake();
      if (!detaches_) task_->cancel();
    }
    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return task_->completion().poll(waker); }

   private:
    bool detaches_;
    platform::TaskRef task_;
  };

  struct Runtime : platform::HeapExecutor {
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
    ~Runtime() { ++runs_before; }
    const bool detaches = When == Detaches::every_other_run ? runs_before % 2 != 0 : runs_before != 0;
  };
};

using EveryOtherRun = Fickle<Detaches::every_other_run>;
using ButForTheFirstRun = Fickle<Detaches::in_all_runs_but_the_first>;
SCOPECHECK_REGISTER(EveryOtherRun);
SCOPECHECK_REGISTER(ButForTheFirstRun);

}  // namespace
}  // namespace scopecheck::tests
