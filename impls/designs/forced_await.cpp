// Forced await: the stacked handle again, but its constructor is hidden in a macro that writes the await
// in the same expression: `scoped!(child)` = `unsafe { Task::new(child) }.in_scope().await`. No code can
// hold the handle, so none can forget it; so its authors declare the macro safe.
//
// idea:                    what is awaited on the spot is either completed or dropped
// leak vector:             stall: an async block that awaits is polled once, then forgotten with all it owns
// expected finding:        use-after-scope: the child's step
// smallest counterexample: cell c; async boxed b {spawn t borrow c {read c}, awaited}; poll b; forget b;
//                          the frame ends; run
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/pinned_executor.hpp"

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence forced_evidence[] = {
    {SCOPECHECK_CLIENT_FORGET,
     "https://doc.rust-lang.org/std/mem/fn.forget.html: of an async block that was polled once"},
    platform::may_box,
    platform::may_live_in_async_block,
    platform::may_keep_waker,
    platform::may_throw,
    platform::may_be_inside,
    {SCOPECHECK_CLIENT_SPAWN_NESTED, "scoped!(async { scoped!(other) }): the macro works in any async body"}};
constexpr scopecheck_expectation forced_expectations[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND,
     "a block that awaits can be polled once and forgotten (rmanoka/async-scoped b1ae6ce, "
     "tokio-rs/tokio#3162)"},
    {nullptr, SCOPECHECK_DISCIPLINE_DOCUMENTED, SCOPECHECK_EXPECT_UNSOUND,
     "nothing is documented: the macro was meant to make it safe"}};

struct ForcedAwait {
  static constexpr kit::Description description{
      .name = "forced_await",
      .summary = "child embedded in a handle that a macro awaits on the spot",
      .shape = SCOPECHECK_SHAPE_HANDLE,
      .carrier = SCOPECHECK_CARRIER_HANDLE,
      .progress = SCOPECHECK_PROGRESS_RUN,
      .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_JOIN_RETHROWS |
                  SCOPECHECK_PROMISE_WAKES | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_CANCELS,
      .handle_embeds_child = 1,
      .spawn_must_be_awaited = 1,
      .client_ops = platform::pinned_client_ops | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_BLOCK_ON,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_HANDLE_DESTROY | SCOPECHECK_OP_HANDLE_POLL,
      .flavours = platform::alone_or_with_workers,
      .evidence = forced_evidence,
      .expectations = forced_expectations};

  /// The future that the macro awaits; it starts the child when it is made.
  class Handle {
   public:
    Handle(platform::PinnedExecutor& executor, kit::Child child) : task_(executor, std::move(child)) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;

    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return task_.poll(waker); }

   private:
    platform::PinnedTask task_;
  };

  struct Runtime : platform::PinnedExecutor {
    using PinnedExecutor::PinnedExecutor;
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
  };
};
SCOPECHECK_REGISTER(ForcedAwait);

}  // namespace
}  // namespace scopecheck::designs
