// The sound twin of canary_notify_after_unlock: nothing of the scope is touched after the unlock that lets
// the waiter go.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/notify.hpp"

namespace scopecheck::canaries {
namespace {

struct CanaryNotifyUnderLock {
  static constexpr kit::Description description = platform::notify_canary(
      "canary_notify_under_lock", "the sound twin: a child notifies while it holds the lock", {});
  using Runtime = platform::Threads;
  using Scope = platform::NotifyingScope<platform::Notify::under_lock>;
};
SCOPECHECK_REGISTER(CanaryNotifyUnderLock);

}  // namespace
}  // namespace scopecheck::canaries
