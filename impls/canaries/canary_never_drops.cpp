// A future inside a pinned handle that polls it; the handle's destructor gives the storage back without
// dropping it.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"

namespace scopecheck::canaries {
namespace {

struct NeverDrops {
  static constexpr kit::Description description = [] {
    kit::Description d = platform::handle_canary(
        "canary_never_drops", "the embedded child's destructor is skipped", SCOPECHECK_PROGRESS_POLL);
    d.handle_embeds_child = 1;
    return d;
  }();

  class Handle {
   public:
    explicit Handle(kit::Child child) : child_(std::move(child)) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() { static_cast<void>(child_.release()); }

    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return child_.poll(waker); }

   private:
    kit::Child child_;
  };

  struct Runtime {
    Handle spawn(kit::Child child) { return Handle(std::move(child)); }
  };
};
SCOPECHECK_REGISTER(NeverDrops);

}  // namespace
}  // namespace scopecheck::canaries
