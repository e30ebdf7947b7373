// Suspendable stack: async blocks are stackful coroutines, so that any call in them can be suspended
// half-way, and the closure scope of draining_closure, which is sound, is used on top of them as it is. Its
// guarantee is that the call returns only when the children ended; a stack that can be suspended and
// forgotten takes away that it returns.
//
// idea:        a coroutine with a stack of its own, on which all code that blocks can be used unchanged
// leak vector: forget the coroutine while it is suspended inside of a call that has borrowed something to
// children finding:     use-after-scope: the call never returns, nobody waits for its child smallest:    cell
// x; async b0 boxed { enter s0 { spawn t0 in s0 borrow mut x { write x }; suspend } }; poll b0; forget b0
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/draining_scope.hpp"
#include "impls/platform/stackful.hpp"

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence suspendable_evidence[] = {
    platform::may_forget,
    platform::may_box,
    {SCOPECHECK_CLIENT_ASYNC,
     "coroutine(|| { scope(|s| { s.spawn(other); suspend(); }) }): a call like any other"},
    platform::may_keep_waker,
    platform::may_throw,
    platform::may_be_inside,
    {SCOPECHECK_CLIENT_SPAWN_NESTED, platform::scope_by_reference}};

constexpr scopecheck_expectation suspendable_expectations[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND,
     "a coroutine that is suspended inside of the scope's call can be forgotten, and then the call never "
     "returns"}};

struct SuspendableStack {
  static constexpr kit::Description description{
      .name = "suspendable_stack",
      .summary = "stackful coroutines that can be suspended, and forgotten, inside of a sound closure scope",
      .shape = SCOPECHECK_SHAPE_CLOSURE,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .progress = SCOPECHECK_PROGRESS_RUN,
      .promises = SCOPECHECK_PROMISE_WAKES | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
      .client_ops = platform::pinned_client_ops | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_BLOCK_ON | SCOPECHECK_OP_SCOPE_ENTER,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_SCOPE_ENTER,
      .flavours = platform::current_thread,
      .evidence = suspendable_evidence,
      .expectations = suspendable_expectations};

  struct Runtime : platform::HeapExecutor {
    platform::Stacks stacks;
  };
  struct Scope : platform::DrainingScope {
    explicit Scope(Runtime& runtime) : DrainingScope(runtime) {}
  };
  struct Stack : platform::Coroutine {
    Stack(Runtime& runtime, kit::Body body) : Coroutine(runtime.stacks, body) {}
  };
};
SCOPECHECK_REGISTER(SuspendableStack);

}  // namespace
}  // namespace scopecheck::designs
