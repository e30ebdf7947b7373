// Destroy while notify: the last child unlocks, the waiter returns and its scope is gone, the child notifies
// it. Needs two threads in one moment, or a schedule that stops the child at its yield point.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/notify.hpp"

namespace scopecheck::canaries {
namespace {

struct CanaryNotifyAfterUnlock {
  static constexpr kit::Description description = platform::notify_canary(
      "canary_notify_after_unlock",
      "planted: a child lowers the count, unlocks, and notifies a waiter that may be gone",
      platform::planted);
  using Runtime = platform::Threads;
  using Scope = platform::NotifyingScope<platform::Notify::after_unlock>;
};
SCOPECHECK_REGISTER(CanaryNotifyAfterUnlock);

}  // namespace
}  // namespace scopecheck::canaries
