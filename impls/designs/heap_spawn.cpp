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
#include "impls/platform/worker_executor.hpp"

#include <memory>
#include <utility>
#include <variant>
#include <vector>

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

constexpr scopecheck_flavour heap_spawn_flavours[] = {
    {"current-thread", "one thread: the client's; children run when the client lets them", 0, 0, 0},
    {"two-workers", "two threads of the runtime poll the children", SCOPECHECK_PROGRESS_THREADS, 0,
     SCOPECHECK_OP_SHUTDOWN}};

/// Tasks on the heap, polled by workers.
class HeapWorkers : public platform::WorkerExecutor {
 public:
  using Task = std::shared_ptr<platform::WorkerTask>;
  using WorkerExecutor::WorkerExecutor;
  ~HeapWorkers() { shutdown(); }

  /// Errors: throws kit::Closed after a shutdown.
  Task start(kit::Child child) {
    const platform::Lock lock(mutex_);
    if (closed_) throw kit::Closed{};
    auto task = std::make_shared<platform::WorkerTask>(*this, std::move(child));
    tasks_.push_back(task);
    task->start(task);
    return task;
  }
  /// Drops every child; their handles say cancelled. Nothing starts any more.
  void shutdown() {
    {
      const platform::Lock lock(mutex_);
      closed_ = true;
    }
    stop();
    for (const std::weak_ptr<platform::WorkerTask>& weak : std::exchange(tasks_, {}))
      if (const Task task = weak.lock()) task->end();
  }

 private:
  platform::Mutex mutex_;
  bool closed_ = false;
  std::vector<std::weak_ptr<platform::WorkerTask>> tasks_;
};

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
      .flavours = heap_spawn_flavours,
      .evidence = heap_spawn_evidence};

  class Handle {
   public:
    template <class Task>
    explicit Handle(Task task) : task_(std::move(task)) {}
    Handle(Handle&&) = default;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      std::visit(
          [](auto& task) {
            if (task) task->forsake();
          },
          task_);
    }

    /// Errors: throws the child's Panic, or platform::Cancelled.
    std::optional<kit::Result> poll(const kit::WakerRef& waker) {
      if (auto* local = std::get_if<platform::TaskRef>(&task_)) return (*local)->completion().poll(waker);
      return std::get<HeapWorkers::Task>(task_)->poll(waker);
    }
    /// The executor drops the child when it comes to it, as tokio's abort does.
    void cancel() {
      std::visit([](auto& task) { task->abort(); }, task_);
    }
    void detach() && {}

   private:
    std::variant<platform::TaskRef, HeapWorkers::Task> task_;
  };

  class Runtime {
   public:
    explicit Runtime(std::uint32_t flavour) {
      if (flavour == 0)
        executor_.emplace<platform::HeapExecutor>();
      else
        executor_.emplace<HeapWorkers>(2);
    }
    /// Errors: throws kit::Closed after a shutdown.
    Handle spawn(kit::Child child) {
      if (auto* local = alone()) return Handle(local->start(std::move(child)));
      return Handle(workers().start(std::move(child)));
    }
    std::size_t run(std::size_t budget) { return alone()->run(budget); }
    std::optional<kit::Result> block_on(kit::Child root) {
      if (auto* local = alone()) return local->block_on(std::move(root));
      return workers().block_on(std::move(root));
    }
    void shutdown() {
      if (auto* local = alone())
        local->shutdown();
      else
        workers().shutdown();
    }

   private:
    platform::HeapExecutor* alone() { return std::get_if<platform::HeapExecutor>(&executor_); }
    HeapWorkers& workers() { return std::get<HeapWorkers>(executor_); }

    std::variant<std::monostate, platform::HeapExecutor, HeapWorkers> executor_;
  };
};
SCOPECHECK_REGISTER(HeapSpawn);

}  // namespace
}  // namespace scopecheck::designs
