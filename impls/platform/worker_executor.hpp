// An executor with worker threads, for children that suspend: tasks are pinned where their owner put them,
// the run queue links them, wakers are tickets. Whoever destroys a task waits for the poll that is under way.
//
//          wake                a worker takes it                  ready
//   idle ---------> in the queue --------------> being polled ----------------------> ended
//    ^                   ^                            | pending
//    |                   +------ woken meanwhile -----+
//    +------------------------------ else ------------+
#pragma once

#include "impls/platform/completion.hpp"
#include "impls/platform/link.hpp"
#include "impls/platform/threads.hpp"
#include "impls/platform/tickets.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace scopecheck::platform {

class WorkerTask;

class WorkerExecutor {
 public:
  explicit inline WorkerExecutor(std::size_t workers);
  WorkerExecutor(const WorkerExecutor&) = delete;
  WorkerExecutor& operator=(const WorkerExecutor&) = delete;
  ~WorkerExecutor() { stop(); }

  /// Lets each worker end the poll that it is in; nothing is polled any more.
  void stop() {
    {
      const Lock lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    for (Thread& worker : workers_)
      if (worker.joinable()) worker.join();
  }
  /// Runs `root` on a worker and waits for it. Errors: throws root's Panic.
  inline std::optional<kit::Result> block_on(kit::Child root);

 private:
  friend class WorkerTask;
  inline void work();

  Mutex mutex_;
  Condition changed_;  ///< the queue, or what a task is doing
  List<WorkerTask, WorkerTask> queue_;
  bool stopped_ = false;
  std::vector<Thread> workers_;
};

/// A child. Its destructor cancels it: waits for its poll, drops the child in place, then what it returned.
/// Who wants it on the heap instead keeps it with a reference of its own, which goes when the child has
/// ended. Threads: any.
class WorkerTask : public Link<WorkerTask> {
 public:
  using OwnTickets = Tickets<WorkerTask, Mutex>;

  /// Errors: throws kit::Closed when no ticket is left.
  WorkerTask(WorkerExecutor& executor, kit::Child child)
      : executor_(executor), child_(std::move(child)), ticket_(OwnTickets::issue(*this)) {
    if (ticket_ == 0) throw kit::Closed{};
  }
  WorkerTask(const WorkerTask&) = delete;
  WorkerTask& operator=(const WorkerTask&) = delete;
  ~WorkerTask() noexcept(false) {
    OwnTickets::revoke(ticket_);
    wait_for_poll();
    child_.drop();
  }
  void start(std::shared_ptr<WorkerTask> kept = nullptr) {
    kept_ = std::move(kept);
    wake();
  }

  /// What a handle's `poll` answers. Errors: throws kit::Panic or Cancelled.
  [[nodiscard]] std::optional<kit::Result> poll(const kit::WakerRef& waker) {
    const Lock lock(executor_.mutex_);
    return completion_.poll(waker);
  }
  /// A worker drops the child instead of polling it again.
  void abort() {
    {
      const Lock lock(executor_.mutex_);
      abort_ = true;
    }
    wake();
  }
  /// Puts the task in the run queue, now or as soon as it may run.
  void wake() {
    {
      const Lock lock(executor_.mutex_);
      woken_ = true;
      if (running_ || linked() || completion_.ended()) return;
      executor_.queue_.push_back(*this);
    }
    executor_.changed_.notify_all();
  }
  /// Waits until the child has ended. Errors: throws its Panic, or Cancelled.
  [[nodiscard]] std::optional<kit::Result> wait() {
    Lock lock(executor_.mutex_);
    executor_.changed_.wait(lock, [&] { return completion_.ended() && !running_; });
    return completion_.take();
  }
  /// Nobody awaits the child any more: what it returned or will return is dropped unseen.
  void forsake() {
    kit::Object unseen;
    {
      const Lock lock(executor_.mutex_);
      awaited_ = false;
      static_cast<void>(completion_.take_awaiter());
      if (completion_.ended()) unseen = completion_.take_object();
    }
    discard(std::move(unseen));
  }
  /// Drops the child and leaves word that it was cancelled, unless it has ended. Requires: the executor
  /// stopped.
  void end() {
    if (completion_.ended()) return;
    OwnTickets::revoke(ticket_);
    unlink();
    child_.drop();
    completion_.cancel();
    completion_.take_awaiter().wake();
    kept_.reset();  // perhaps this is gone now
  }

 private:
  friend class WorkerExecutor;

  void wait_for_poll() {
    Lock lock(executor_.mutex_);
    if (running_ && runner_ == std::this_thread::get_id())
      fail_stop("a task was destroyed from within its own step");
    unlink();
    executor_.changed_.wait(lock, [&] { return !running_; });
    unlink();  // its poll may have woken it
  }
  /// By a worker, which holds `lock`. The task may be gone when it returns.
  void run(Lock& lock) {
    running_ = true;
    runner_ = std::this_thread::get_id();
    woken_ = false;
    const bool aborted = abort_;
    lock.unlock();
    Completion ending;
    if (aborted)
      ending.cancel();
    else
      ending.step(child_, kit::WakerRef(OwnTickets::waker(ticket_)));
    if (ending.ended()) {
      OwnTickets::revoke(ticket_);
      child_.drop();
    }
    lock.lock();
    kit::Waker awaiter;
    kit::Object unseen;
    std::shared_ptr<WorkerTask> kept;
    if (ending.ended()) {
      if (!awaited_) unseen = ending.take_object();
      awaiter = completion_.take_awaiter();
      completion_ = std::move(ending);
      kept = std::move(kept_);
    } else if (woken_ || abort_) {
      executor_.queue_.push_back(*this);
    }
    running_ = false;
    WorkerExecutor& executor = executor_;
    lock.unlock();
    executor.changed_.notify_all();
    discard(std::move(unseen));
    awaiter.wake();
    kept.reset();
    lock.lock();
  }

  WorkerExecutor& executor_;
  kit::Child child_;
  Completion completion_;
  bool running_ = false;
  bool woken_ = false;
  bool abort_ = false;
  bool awaited_ = true;
  std::thread::id runner_;
  std::shared_ptr<WorkerTask> kept_;
  Ticket ticket_;
};

inline WorkerExecutor::WorkerExecutor(std::size_t workers) {
  WorkerTask::OwnTickets::revoke_all();
  for (std::size_t i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
}

inline void WorkerExecutor::work() {
  Lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopped_ || !queue_.empty(); });
    if (stopped_) return;
    queue_.pop_front().run(lock);
  }
}

inline std::optional<kit::Result> WorkerExecutor::block_on(kit::Child root) {
  WorkerTask task(*this, std::move(root));
  task.start();
  return task.wait();
}

}  // namespace scopecheck::platform
