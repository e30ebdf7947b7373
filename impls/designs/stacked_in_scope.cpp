// Stacked in_scope: `let h = pin!(Task::new(child)); h.in_scope(body)`. The child future lives inside the
// handle on the spawner's stack, is queued at once, and the handle's destructor unlinks and drops it.
// Nothing is allocated, and late wakes are harmless; the one hole is that the destructor must run.
//
// idea:                    the handle is the child's storage, its loan and its cancellation
// leak vector:             forget of a boxed handle (or of an async block that owns one)
// expected finding:        use-after-scope: the child's step
// smallest counterexample: cell c; spawn t borrow c {read c} as boxed h; forget h; the frame ends; run
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/pinned_executor.hpp"

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence stacked_evidence[] = {
    platform::may_forget,
    platform::may_box,
    platform::may_live_in_async_block,
    platform::may_keep_waker,
    platform::may_throw,
    platform::may_be_inside,
    {SCOPECHECK_CLIENT_SPAWN_NESTED,
     "https://docs.rs/glommio/latest/glommio/struct.ScopedTask.html: any task may spawn_scoped_local"}};
constexpr scopecheck_precondition stacked_preconditions[] = {
    {SCOPECHECK_PRE_NO_FORGET, 0,
     "https://docs.rs/glommio/latest/glommio/struct.ScopedTask.html#safety: safe so long as awaited or "
     "dropped"}};
constexpr scopecheck_expectation stacked_expectations[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND,
     "a boxed handle can be forgotten: the executor goes on polling a child whose borrow expired"}};

struct StackedInScope {
  static constexpr kit::Description description{
      .name = "stacked_in_scope",
      .summary = "child embedded in a pinned handle, queued at once, cancelled by the handle's destructor",
      .shape = SCOPECHECK_SHAPE_HANDLE,
      .carrier = SCOPECHECK_CARRIER_HANDLE,
      .progress = SCOPECHECK_PROGRESS_RUN,
      .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_JOIN_RETHROWS |
                  SCOPECHECK_PROMISE_WAKES | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_CANCELS,
      .handle_embeds_child = 1,
      .client_ops = platform::pinned_client_ops | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_BLOCK_ON,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_HANDLE_DESTROY | SCOPECHECK_OP_HANDLE_POLL,
      .flavours = platform::alone_or_with_workers,
      .evidence = stacked_evidence,
      .preconditions = stacked_preconditions,
      .expectations = stacked_expectations};

  class Handle {
   public:
    Handle(platform::PinnedExecutor& executor, kit::Child child) : task_(executor, std::move(child)) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;

    /// Awaits the child: its result, its Panic, or nothing yet.
    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return task_.poll(waker); }

   private:
    platform::PinnedTask task_;
  };

  struct Runtime : platform::PinnedExecutor {
    using PinnedExecutor::PinnedExecutor;
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
  };
};
SCOPECHECK_REGISTER(StackedInScope);

}  // namespace
}  // namespace scopecheck::designs
