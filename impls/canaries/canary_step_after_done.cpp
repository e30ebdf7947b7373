// A future that its handle polls, and polls once more when it was ready.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"

namespace scopecheck::canaries {
namespace {

struct StepAfterDone {
  static constexpr kit::Description description = platform::handle_canary(
      "canary_step_after_done", "a child that is done is stepped again", SCOPECHECK_PROGRESS_POLL);

  class Handle {
   public:
    explicit Handle(kit::Child child) : child_(std::move(child)) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;

    std::optional<kit::Result> poll(const kit::WakerRef& waker) {
      std::optional<kit::Result> result = child_.poll(waker);
      if (result) static_cast<void>(child_.poll(waker));
      return result;
    }

   private:
    kit::Child child_;
  };

  struct Runtime {
    Handle spawn(kit::Child child) { return Handle(std::move(child)); }
  };
};
SCOPECHECK_REGISTER(StepAfterDone);

}  // namespace
}  // namespace scopecheck::canaries
