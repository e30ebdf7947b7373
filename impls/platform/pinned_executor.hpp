// The runtime of designs that pin a child where their client put its handle, in two flavours: run by the
// client's thread, or by workers.
#pragma once

#include "impls/platform/local_executor.hpp"
#include "impls/platform/worker_executor.hpp"

#include <cstdint>
#include <new>
#include <optional>
#include <utility>
#include <variant>

namespace scopecheck::platform {

inline constexpr std::size_t workers_of_crew = 2;
inline constexpr scopecheck_flavour alone_or_with_workers[] = {
    {"current-thread", "one thread: the client's; children run when the client lets them", 0, 0, 0},
    {"two-workers", "two threads of the runtime poll the children", SCOPECHECK_PROGRESS_THREADS, 0,
     SCOPECHECK_OP_HANDLE_DESTROY}};

class PinnedExecutor {
 public:
  explicit PinnedExecutor(std::uint32_t flavour) {
    if (flavour == 0)
      executor_.emplace<LocalExecutor>();
    else
      executor_.emplace<WorkerExecutor>(workers_of_crew);
  }

  std::size_t run(std::size_t budget) { return std::get<LocalExecutor>(executor_).run(budget); }
  /// Errors: throws root's Panic.
  std::optional<kit::Result> block_on(kit::Child root) {
    if (auto* local = std::get_if<LocalExecutor>(&executor_)) return local->block_on(std::move(root));
    return std::get<WorkerExecutor>(executor_).block_on(std::move(root));
  }

 private:
  friend class PinnedTask;
  std::variant<std::monostate, LocalExecutor, WorkerExecutor> executor_;
};

/// A child, started at once, in pinned storage; its destructor cancels it. No std::variant: what the
/// destructor of a result throws would end the process in there.
class PinnedTask {
 public:
  PinnedTask(PinnedExecutor& executor, kit::Child child) {
    auto* const local = std::get_if<LocalExecutor>(&executor.executor_);
    alone_ = local != nullptr;
    if (alone_)
      ::new (&local_) LocalTask(*local, std::move(child));
    else
      (::new (&worker_) WorkerTask(std::get<WorkerExecutor>(executor.executor_), std::move(child)))->start();
  }
  PinnedTask(const PinnedTask&) = delete;
  PinnedTask& operator=(const PinnedTask&) = delete;
  ~PinnedTask() noexcept(false) {
    if (alone_)
      local_.~LocalTask();
    else
      worker_.~WorkerTask();
  }
  /// Errors: throws kit::Panic or Cancelled.
  std::optional<kit::Result> poll(const kit::WakerRef& waker) {
    return alone_ ? local_.completion().poll(waker) : worker_.poll(waker);
  }

 private:
  union {
    LocalTask local_;
    WorkerTask worker_;
  };
  bool alone_;
};

}  // namespace scopecheck::platform
