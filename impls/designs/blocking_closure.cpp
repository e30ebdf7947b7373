// Blocking closure: the scope is a call, which runs the client's block and returns only after the children
// that were spawned in it ended. A pool of workers runs them; a panic of a child ends that child and is
// swallowed.
//
// idea:        nobody owns the scope, so nobody can forget it: the call returns when the children ended
// leak vector: none; a panic of the block waits, too
// price:       it blocks a thread. On the only worker that is the one that would run the children: a hang
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/blocking.hpp"
#include "impls/platform/latch.hpp"
#include "impls/platform/pool.hpp"

#include <memory>
#include <utility>

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence closure_evidence[] = {
    platform::may_throw,
    platform::may_run_on_worker,
    {SCOPECHECK_CLIENT_SPAWN_NESTED, platform::scope_by_reference}};

struct BlockingClosure {
  static constexpr kit::Description description{
      .name = "blocking_closure",
      .summary = "a call that runs the client's block and returns when the children, on a pool, ended",
      .shape = SCOPECHECK_SHAPE_CLOSURE,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .child_kind = SCOPECHECK_CHILD_BLOCKS,
      .progress = SCOPECHECK_PROGRESS_THREADS,
      .promises = SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
      .client_ops = SCOPECHECK_CLIENT_THROW | SCOPECHECK_CLIENT_SPAWN_NESTED | SCOPECHECK_CLIENT_INSIDE,
      .may_block = SCOPECHECK_OP_SCOPE_ENTER | SCOPECHECK_OP_BLOCK_ON,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_SCOPE_ENTER,
      .flavours = platform::worker_flavours,
      .evidence = closure_evidence};

  struct Runtime : platform::ClientPool {
    explicit Runtime(std::uint32_t flavour) : ClientPool(platform::workers_of(flavour)) {}
  };

  class Scope {
   public:
    explicit Scope(Runtime& runtime) : runtime_(runtime) {}

    void enter(kit::Body body) {
      const platform::WaitOnExit wait(running_);
      body();
    }
    void spawn(kit::Child child) {
      running_.add();
      runtime_.submit(std::make_unique<platform::PoolTask>(running_, std::move(child)));
    }

   private:
    Runtime& runtime_;
    platform::Latch running_;
  };
};
SCOPECHECK_REGISTER(BlockingClosure);

}  // namespace
}  // namespace scopecheck::designs
