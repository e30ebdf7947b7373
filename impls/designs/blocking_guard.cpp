// Blocking guard: a scope over a pool of workers, whose destructor blocks the thread until the children
// ended. A panic of a child ends that child and is swallowed.
//
// idea:                    the frame cannot end before the scope's destructor has returned
// leak vector:             forget of a boxed scope
// expected finding:        use-after-scope: the child's step
// smallest counterexample: cell c; scope boxed s; spawn t in s borrow c {read c}; forget s; the frame ends;
// step
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/blocking.hpp"
#include "impls/platform/latch.hpp"
#include "impls/platform/pool.hpp"

#include <memory>
#include <utility>

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence guard_evidence[] = {platform::may_forget,
                                                  platform::may_box,
                                                  platform::may_throw,
                                                  platform::may_run_on_worker,
                                                  {SCOPECHECK_CLIENT_SPAWN_NESTED, platform::token_by_value}};
constexpr scopecheck_precondition guard_preconditions[] = {
    {SCOPECHECK_PRE_NO_FORGET, 0,
     "https://docs.rs/async-scoped/latest/async_scoped/struct.Scope.html#method.create: unsafe, its drop "
     "must run"}};
constexpr scopecheck_expectation guard_expectations[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND,
     "only the destructor waits, and a boxed scope can be forgotten"}};

struct BlockingGuard {
  static constexpr kit::Description description{
      .name = "blocking_guard",
      .summary = "a scope over a pool whose destructor blocks until its children ended",
      .shape = SCOPECHECK_SHAPE_GUARD,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .child_kind = SCOPECHECK_CHILD_BLOCKS,
      .progress = SCOPECHECK_PROGRESS_THREADS,
      .promises = SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
      .client_ops = SCOPECHECK_CLIENT_FORGET | SCOPECHECK_CLIENT_BOX | SCOPECHECK_CLIENT_THROW |
                    SCOPECHECK_CLIENT_SPAWN_NESTED | SCOPECHECK_CLIENT_INSIDE,
      .may_block = SCOPECHECK_OP_SCOPE_DESTROY | SCOPECHECK_OP_BLOCK_ON,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_SCOPE_INIT | SCOPECHECK_OP_SCOPE_DESTROY,
      .flavours = platform::worker_flavours,
      .evidence = guard_evidence,
      .preconditions = guard_preconditions,
      .expectations = guard_expectations};

  struct Runtime : platform::ClientPool {
    explicit Runtime(std::uint32_t flavour) : ClientPool(platform::workers_of(flavour)) {}
  };

  class Scope {
   public:
    explicit Scope(Runtime& runtime) : runtime_(runtime) {}
    Scope(Scope&&) = delete;
    Scope& operator=(Scope&&) = delete;
    ~Scope() { running_.wait(); }

    void spawn(kit::Child child) {
      running_.add();
      runtime_.submit(std::make_unique<platform::PoolTask>(running_, std::move(child)));
    }

   private:
    Runtime& runtime_;
    platform::Latch running_;
  };
};
SCOPECHECK_REGISTER(BlockingGuard);

}  // namespace
}  // namespace scopecheck::designs
