// Heap spawn: tokio's and async-std's `spawn`. The child owns all that it uses ('static), lives in a
// reference-counted heap task, and outlives its handle: dropping or forgetting one merely detaches.
// Sound, at the price of borrowing: what the trilemma calls concurrency without it.
//
// The end of a child reaches the handle: its result; its Panic, rethrown by `poll`; Cancelled, thrown by
// `poll` after `cancel` or a shutdown. What nobody awaits is dropped, and a panic in that drop is swallowed.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/heap_executor.hpp"

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence heap_spawn_evidence[] = {
    platform::may_forget,
    platform::may_box,
    platform::may_move,
    platform::may_live_in_async_block,
    platform::may_keep_waker,
    platform::may_throw,
    {SCOPECHECK_CLIENT_INSIDE,
     "https://docs.rs/tokio/latest/tokio/runtime/struct.Runtime.html#method.block_on"},
    {SCOPECHECK_CLIENT_SPAWN_NESTED,
     "https://docs.rs/tokio/latest/tokio/task/fn.spawn.html: from within any task"},
    {SCOPECHECK_CLIENT_SHUTDOWN,
     "https://docs.rs/tokio/latest/tokio/runtime/index.html#shutdown: drop(runtime) while handles live"}};

struct HeapSpawn {
  static constexpr kit::Description description{
      .name = "heap_spawn",
      .summary = "children own everything and live in counted heap tasks; dropping a handle detaches",
      .shape = SCOPECHECK_SHAPE_PROCESS_WIDE,
      .carrier = SCOPECHECK_CARRIER_NONE,
      .progress = SCOPECHECK_PROGRESS_RUN,
      .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_JOIN_RETHROWS |
                  SCOPECHECK_PROMISE_WAKES | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_DETACHES,
      .move_handle = SCOPECHECK_MOVE_ALWAYS,
      .client_ops =
          platform::movable_client_ops | SCOPECHECK_CLIENT_SPAWN_NESTED | SCOPECHECK_CLIENT_SHUTDOWN,
      .may_block = SCOPECHECK_OP_BLOCK_ON,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_HANDLE_DESTROY | SCOPECHECK_OP_HANDLE_POLL |
                   SCOPECHECK_OP_HANDLE_CANCEL,
      .flavours = platform::current_thread,
      .evidence = heap_spawn_evidence};

  class Handle {
   public:
    explicit Handle(platform::TaskRef task) : task_(std::move(task)) {}
    Handle(Handle&&) = default;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      if (task_) task_->forsake();
    }

    /// Errors: throws the child's Panic, or platform::Cancelled.
    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return task_->completion().poll(waker); }
    /// The executor drops the child when it comes to it, as tokio's abort does.
    void cancel() { task_->abort(); }
    void detach() && {}

   private:
    platform::TaskRef task_;
  };

  struct Runtime : platform::HeapExecutor {
    /// Errors: throws kit::Closed after a shutdown.
    Handle spawn(kit::Child child) { return Handle(start(std::move(child))); }
  };
};
SCOPECHECK_REGISTER(HeapSpawn);

}  // namespace
}  // namespace scopecheck::designs
