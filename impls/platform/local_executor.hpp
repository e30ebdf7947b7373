// A single-threaded executor that allocates nothing: tasks are pinned where their owner put them (in a
// handle, in a scope, on the stack of block_on), the run queue links them, wakers are tickets. Its
// tasks vanish soundly when destroyed; it cannot help when one is never destroyed.
//
//          wake                    popped                      ready
//   idle ---------> in the queue ----------> running ----------------------> ended
//    ^                   ^                      | pending
//    |                   +--- woken meanwhile --+
//    +------------------------ else ------------+
#pragma once

#include "impls/platform/completion.hpp"
#include "impls/platform/link.hpp"
#include "impls/platform/tickets.hpp"

#include <cstddef>
#include <optional>
#include <utility>

namespace scopecheck::platform {

class LocalTask;

class LocalExecutor {
 public:
  /// Requires: no other executor of this thread is in use.
  inline LocalExecutor();
  LocalExecutor(const LocalExecutor&) = delete;
  LocalExecutor& operator=(const LocalExecutor&) = delete;

  /// Makes at most `budget` task polls and says how many. May be called from within a task.
  inline std::size_t run(std::size_t budget);
  /// Runs `root` on the caller's stack, and all other tasks meanwhile. Errors: throws root's Panic.
  inline std::optional<kit::Result> block_on(kit::Child root);
  /// The task being polled now, or null.
  [[nodiscard]] LocalTask* current() const { return current_; }

 private:
  friend class LocalTask;
  List<LocalTask, LocalTask> queue_;
  LocalTask* current_ = nullptr;
};

/// A child, started at once, in pinned storage. Its destructor cancels it: unlinks it, drops the child
/// in place, then what it returned.
class LocalTask : public Link<LocalTask> {
 public:
  /// Errors: throws kit::Closed when the executor has no ticket left.
  LocalTask(LocalExecutor& executor, kit::Child child)
      : executor_(executor), ticket_(Tickets<LocalTask>::issue(*this)), child_(std::move(child)) {
    if (ticket_ == 0) throw kit::Closed{};
    wake();
  }
  LocalTask(const LocalTask&) = delete;
  LocalTask& operator=(const LocalTask&) = delete;
  virtual ~LocalTask() noexcept(false) {
    if (running_) fail_stop("a task was destroyed from within its own step");
    unlink();
    Tickets<LocalTask>::revoke(ticket_);
    child_.drop();
  }

  [[nodiscard]] Completion& completion() { return completion_; }
  [[nodiscard]] Ticket ticket() const { return ticket_; }

  /// Puts the task in the run queue, now or as soon as it may run.
  void wake() {
    if (completion_.ended() || linked()) return;
    woken_ = true;
    enqueue_if_runnable();
  }
  /// Keeps the task from being polled until `release`; counted.
  void hold() {
    ++holds_;
    unlink();
  }
  void release() {
    --holds_;
    enqueue_if_runnable();
  }
  [[nodiscard]] bool held() const { return holds_ != 0; }

  /// One poll by the executor. The task may be gone when whoever awaits it was woken.
  void poll() {
    LocalTask* const outer = std::exchange(executor_.current_, this);
    running_ = true;
    woken_ = false;
    completion_.step(child_, kit::WakerRef(Tickets<LocalTask>::waker(ticket_)));
    if (completion_.ended()) {
      child_.drop();
      on_end();
    }
    running_ = false;
    executor_.current_ = outer;
    if (completion_.ended())
      completion_.take_awaiter().wake();
    else
      enqueue_if_runnable();
  }

 protected:
  /// The child is gone; its result or payload is still there.
  virtual void on_end() {}

 private:
  void enqueue_if_runnable() {
    if (woken_ && !running_ && holds_ == 0 && !completion_.ended()) executor_.queue_.push_back(*this);
  }

  LocalExecutor& executor_;
  Ticket ticket_;
  kit::Child child_;
  Completion completion_;
  std::size_t holds_ = 0;
  bool running_ = false;
  bool woken_ = false;
};

inline LocalExecutor::LocalExecutor() { Tickets<LocalTask>::revoke_all(); }

inline std::size_t LocalExecutor::run(std::size_t budget) {
  std::size_t polls = 0;
  for (; polls < budget && !queue_.empty(); ++polls) queue_.pop_front().poll();
  return polls;
}

inline std::optional<kit::Result> LocalExecutor::block_on(kit::Child root) {
  LocalTask task(*this, std::move(root));
  while (!task.completion().ended() || task.held())
    if (run(1) == 0) kit::host().idle();
  return task.completion().take();
}

}  // namespace scopecheck::platform
