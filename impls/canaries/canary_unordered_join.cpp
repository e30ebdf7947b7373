// The handle's destructor waits for its thread, but does not order itself behind what the thread did: the
// flag between them is relaxed. The child is never late; only TSan can see that its touches are not over.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/threads.hpp"

#include <utility>

namespace scopecheck::canaries {
namespace {

using Flag = platform::Atomic<int>;

struct UnorderedJoin {
  static constexpr kit::Description description = platform::thread_canary(
      "canary_unordered_join", "waits for its threads and does not synchronise with them",
      SCOPECHECK_DESTROY_BLOCKS);

  class Handle {
   public:
    Handle(Flag& over, kit::Child child) : over_(over) {
      platform::Thread([&over, body = std::move(child)]() mutable {
        static_cast<void>(body.block());
        body.drop();
        over.store(1, std::memory_order_relaxed);
        over.notify_one();
      }).detach();
    }
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() { over_.wait(0, std::memory_order_relaxed); }

   private:
    Flag& over_;
  };

  struct Runtime {
    /// A flag is never freed: its thread notifies after its handle has gone.
    Handle spawn(kit::Child child) { return Handle(*new Flag(0), std::move(child)); }
  };
};
SCOPECHECK_REGISTER(UnorderedJoin);

}  // namespace
}  // namespace scopecheck::canaries
