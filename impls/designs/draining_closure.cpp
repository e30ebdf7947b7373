// Draining closure: the closure shape as an answer to "can a task be blocked without blocking the thread?".
// A call runs the client's block, then the executor, on top of whatever is being polled, until the children
// ended. A panic of a child ends that child and is swallowed.
//
// idea:        reentrant_drain, and nobody owns the scope, so nobody can forget it
// leak vector: none; a panic of the block drains, too
// price:       it blocks what is below it on the stack: a child that waits for its spawner hangs
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/draining_scope.hpp"

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence draining_evidence[] = {
    platform::may_forget,
    platform::may_box,
    platform::may_live_in_async_block,
    platform::may_keep_waker,
    platform::may_throw,
    platform::may_be_inside,
    {SCOPECHECK_CLIENT_SPAWN_NESTED, platform::scope_by_reference}};

struct DrainingClosure {
  static constexpr kit::Description description{
      .name = "draining_closure",
      .summary = "a call that runs the client's block, then the executor until the children ended",
      .shape = SCOPECHECK_SHAPE_CLOSURE,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .progress = SCOPECHECK_PROGRESS_RUN,
      .promises = SCOPECHECK_PROMISE_WAKES | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
      .client_ops = platform::pinned_client_ops | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_BLOCK_ON | SCOPECHECK_OP_SCOPE_ENTER,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_SCOPE_ENTER,
      .flavours = platform::current_thread,
      .evidence = draining_evidence};

  struct Runtime : platform::HeapExecutor {};
  struct Scope : platform::DrainingScope {
    explicit Scope(Runtime& runtime) : DrainingScope(runtime) {}
  };
};
SCOPECHECK_REGISTER(DrainingClosure);

}  // namespace
}  // namespace scopecheck::designs
