// A single-threaded executor of reference-counted heap tasks, as tokio's current-thread runtime: a task
// is held by the executor until it ended, by its handle, and by every clone of its waker.
#pragma once

#include "impls/platform/completion.hpp"
#include "impls/platform/link.hpp"

#include <cstddef>
#include <optional>
#include <utility>

namespace scopecheck::platform {

class HeapExecutor;
class HeapTask;

/// A counted reference to a task.
class TaskRef {
 public:
  TaskRef() = default;
  explicit inline TaskRef(HeapTask& task);
  TaskRef(TaskRef&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
  TaskRef& operator=(TaskRef&& other) noexcept {
    TaskRef moved(std::move(other));
    std::swap(task_, moved.task_);
    return *this;
  }
  TaskRef(const TaskRef&) = delete;
  TaskRef& operator=(const TaskRef&) = delete;
  inline ~TaskRef();
  [[nodiscard]] explicit operator bool() const { return task_ != nullptr; }
  HeapTask* operator->() const { return task_; }

 private:
  HeapTask* task_ = nullptr;
};

struct ReadyTag {};
struct AllTag {};

class HeapTask : public Link<ReadyTag>, public Link<AllTag> {
 public:
  HeapTask(HeapExecutor& executor, kit::Child child) : executor_(&executor), child_(std::move(child)) {}

  [[nodiscard]] Completion& completion() { return completion_; }
  /// The child was polled at least once.
  [[nodiscard]] bool begun() const { return begun_; }
  /// Nobody awaits the task any more: what it returned or will return is dropped unseen.
  void forsake() {
    awaited_ = false;
    static_cast<void>(completion_.take_awaiter());
    if (completion_.ended()) discard(completion_.take_object());
  }
  /// Asks the executor to drop the child instead of polling it again.
  void abort() {
    abort_ = true;
    wake();
  }
  /// Drops the child now; when it is being polled, after that poll.
  void cancel() {
    abort_ = true;
    if (!running_) poll();
  }
  inline void wake();
  /// One poll by the executor, after which the task may be gone.
  inline void poll();

 private:
  friend class TaskRef;
  friend class HeapExecutor;
  static inline scopecheck_waker clone_waker(const void* data);
  static inline void wake_waker(const void* data);
  static inline void drop_waker(const void* data);
  static constexpr scopecheck_waker_vtable vtable_{&clone_waker, &wake_waker, &drop_waker};
  void unref() {
    if (--references_ == 0) delete this;
  }

  HeapExecutor* executor_;  // null once ended
  std::size_t references_ = 1;
  kit::Child child_;
  Completion completion_;
  bool awaited_ = true;
  bool begun_ = false;
  bool running_ = false;
  bool woken_ = false;
  bool abort_ = false;
};

class HeapExecutor {
 public:
  HeapExecutor() = default;
  HeapExecutor(const HeapExecutor&) = delete;
  HeapExecutor& operator=(const HeapExecutor&) = delete;
  ~HeapExecutor() { shutdown(); }

  /// Errors: throws kit::Closed after a shutdown.
  [[nodiscard]] TaskRef start(kit::Child child) {
    if (closed_) throw kit::Closed{};
    HeapTask& task = *new HeapTask(*this, std::move(child));
    all_.push_back(task);
    ready_.push_back(task);
    return TaskRef(task);
  }
  std::size_t run(std::size_t budget) {
    std::size_t polls = 0;
    for (; polls < budget && !ready_.empty(); ++polls) ready_.pop_front().poll();
    return polls;
  }
  std::optional<kit::Result> block_on(kit::Child root) {
    const TaskRef task = start(std::move(root));
    while (!task->completion().ended())
      if (run(1) == 0) kit::host().idle();
    return task->completion().take();
  }
  /// Drops every child; their handles say cancelled. Nothing starts any more.
  void shutdown() {
    closed_ = true;
    while (!all_.empty()) all_.pop_front().cancel();
  }

 private:
  friend class HeapTask;
  List<HeapTask, AllTag> all_;
  List<HeapTask, ReadyTag> ready_;
  bool closed_ = false;
};

inline TaskRef::TaskRef(HeapTask& task) : task_(&task) { ++task.references_; }
inline TaskRef::~TaskRef() {
  if (task_ != nullptr) task_->unref();
}

inline void HeapTask::wake() {
  woken_ = true;
  if (executor_ != nullptr && !running_ && !Link<ReadyTag>::linked()) executor_->ready_.push_back(*this);
}

inline void HeapTask::poll() {
  if (executor_ == nullptr) return;
  const TaskRef keep(*this);
  if (!abort_) {
    begun_ = running_ = true;
    woken_ = false;
    completion_.step(child_, kit::WakerRef({&vtable_, this}));
    running_ = false;
  }
  if (abort_) completion_.cancel();
  if (!completion_.ended()) {
    if (woken_) wake();
    return;
  }
  executor_ = nullptr;
  Link<ReadyTag>::unlink();
  Link<AllTag>::unlink();
  child_.drop();
  if (!awaited_) discard(completion_.take_object());
  completion_.take_awaiter().wake();
  unref();
}

inline scopecheck_waker HeapTask::clone_waker(const void* data) {
  ++static_cast<HeapTask*>(const_cast<void*>(data))->references_;
  return {&vtable_, data};
}
inline void HeapTask::wake_waker(const void* data) {
  static_cast<HeapTask*>(const_cast<void*>(data))->wake();
}
inline void HeapTask::drop_waker(const void* data) {
  static_cast<HeapTask*>(const_cast<void*>(data))->unref();
}

}  // namespace scopecheck::platform
