// A future inside a handle that polls it and points into itself, as futures do once they started; yet the
// handle is declared movable at any time. The child moves after its start, and a pointer stays behind.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"

namespace scopecheck::canaries {
namespace {

struct Moved {
  static constexpr kit::Description description = [] {
    kit::Description d = platform::handle_canary(
        "canary_moved", "an embedded child may be moved after its start", SCOPECHECK_PROGRESS_POLL);
    d.handle_embeds_child = 1;
    d.move_handle = SCOPECHECK_MOVE_ALWAYS;
    d.client_ops |= SCOPECHECK_CLIENT_MOVE;
    return d;
  }();

  class Handle {
   public:
    explicit Handle(kit::Child child) : child_(std::move(child)) {}
    Handle(Handle&& other) noexcept
        : child_(std::move(other.child_)), self_(other.self_), polls_(other.polls_) {}
    Handle& operator=(Handle&&) = delete;

    std::optional<kit::Result> poll(const kit::WakerRef& waker) {
      if (self_ == nullptr) self_ = this;
      ++self_->polls_;
      return child_.poll(waker);
    }

   private:
    kit::Child child_;
    Handle* self_ = nullptr;
    std::size_t polls_ = 0;
  };

  struct Runtime {
    Handle spawn(kit::Child child) { return Handle(std::move(child)); }
  };
};
SCOPECHECK_REGISTER(Moved);

}  // namespace
}  // namespace scopecheck::canaries
