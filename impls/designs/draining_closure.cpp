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
#include "impls/platform/heap_executor.hpp"

#include <utility>
#include <vector>

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

  class Scope {
   public:
    explicit Scope(Runtime& runtime) : runtime_(runtime) {}

    void enter(kit::Body body) {
      const Drain drain{*this};
      body();
    }
    void spawn(kit::Child child) {
      children_.push_back(runtime_.start(std::move(child)));
      children_.back()->forsake();
    }

   private:
    struct Drain {
      Scope& scope;
      ~Drain() { scope.drain(); }
    };
    /// Children may come meanwhile: from children.
    void drain() {
      for (std::size_t i = 0; i < children_.size(); ++i)
        while (!children_[i]->completion().ended())
          if (runtime_.run(1) == 0) kit::host().idle();
    }

    Runtime& runtime_;
    std::vector<platform::TaskRef> children_;
  };
};
SCOPECHECK_REGISTER(DrainingClosure);

}  // namespace
}  // namespace scopecheck::designs
