// No defect: the same machine as the other canaries, with a destructor that cancels. Must not be reported.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

namespace scopecheck::canaries {
namespace {

struct Sound {
  static constexpr kit::Description description = platform::handle_canary(
      "canary_sound", "heap tasks that their handles cancel: nothing to report", SCOPECHECK_PROGRESS_RUN, {});

  class Handle {
   public:
    Handle(platform::HeapExecutor& executor, kit::Child child) : task_(executor.start(std::move(child))) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      task_->forsake();
      task_->cancel();
    }

    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return task_->completion().poll(waker); }

   private:
    platform::TaskRef task_;
  };

  struct Runtime : platform::HeapExecutor {
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
  };
};
SCOPECHECK_REGISTER(Sound);

}  // namespace
}  // namespace scopecheck::canaries
