// A future that its handle polls; the handle's destructor drops it twice.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"

namespace scopecheck::canaries {
namespace {

struct DoubleDrop {
  static constexpr kit::Description description =
      platform::handle_canary("canary_double_drop", "the child is dropped twice", SCOPECHECK_PROGRESS_POLL);

  class Handle {
   public:
    explicit Handle(kit::Child child) : child_(std::move(child)) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      scopecheck_child* const child = child_.release();
      kit::host().child_drop(child);
      kit::host().child_drop(child);
    }

    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return child_.poll(waker); }

   private:
    kit::Child child_;
  };

  struct Runtime {
    Handle spawn(kit::Child child) { return Handle(std::move(child)); }
  };
};
SCOPECHECK_REGISTER(DoubleDrop);

}  // namespace
}  // namespace scopecheck::canaries
