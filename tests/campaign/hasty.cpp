// Closures whose call does not wait for its children: what blocking_closure and scoped_threads must not be
// taken for. So their caller goes on while they run, and they have all three letters.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"
#include "impls/platform/threads.hpp"

#include <utility>

namespace scopecheck::tests {
namespace {

constexpr kit::Description hasty(const char* name, kit::Description like) {
  like.name = name;
  like.summary = "the call returns at once";
  like.shape = SCOPECHECK_SHAPE_CLOSURE;
  like.carrier = SCOPECHECK_CARRIER_SCOPE;
  like.promises = SCOPECHECK_PROMISE_INSTRUMENTED;
  like.on_destroy = SCOPECHECK_DESTROY_DETACHES;
  like.client_ops = SCOPECHECK_CLIENT_THROW;
  like.may_block = SCOPECHECK_OP_SCOPE_ENTER;
  like.reentrant = SCOPECHECK_OP_SPAWN;
  return like;
}

struct HastyClosure {
  static constexpr kit::Description description =
      hasty("hasty_closure", platform::handle_canary("", "", SCOPECHECK_PROGRESS_RUN));

  struct Runtime : platform::HeapExecutor {};

  class Scope {
   public:
    explicit Scope(Runtime& runtime) : runtime_(runtime) {}
    void enter(kit::Body body) { body(); }
    void spawn(kit::Child child) { runtime_.start(std::move(child))->forsake(); }

   private:
    Runtime& runtime_;
  };
};
SCOPECHECK_REGISTER(HastyClosure);

struct HastyThreads {
  static constexpr kit::Description description =
      hasty("hasty_threads", platform::thread_canary("", "", SCOPECHECK_DESTROY_DETACHES));

  struct Runtime {};

  class Scope {
   public:
    explicit Scope(Runtime& /*runtime*/) {}
    void enter(kit::Body body) { body(); }
    void spawn(kit::Child child) {
      platform::Thread([owned = std::move(child)]() mutable { static_cast<void>(owned.block()); }).detach();
    }
  };
};
SCOPECHECK_REGISTER(HastyThreads);

}  // namespace
}  // namespace scopecheck::tests
