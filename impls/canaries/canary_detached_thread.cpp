// The handle's destructor detaches a thread: the child's next step, or its destructor, comes late, on that
// thread.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/threads.hpp"

#include <utility>

namespace scopecheck::canaries {
namespace {

struct DetachedThread {
  static constexpr kit::Description description = platform::thread_canary(
      "canary_detached_thread", "dropping the handle detaches the thread", SCOPECHECK_DESTROY_DETACHES);

  class Handle {
   public:
    explicit Handle(kit::Child child)
        : thread_([body = std::move(child)]() mutable { static_cast<void>(body.block()); }) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() { thread_.detach(); }

   private:
    platform::Thread thread_;
  };

  struct Runtime {
    Handle spawn(kit::Child child) { return Handle(std::move(child)); }
  };
};
SCOPECHECK_REGISTER(DetachedThread);

}  // namespace
}  // namespace scopecheck::canaries
