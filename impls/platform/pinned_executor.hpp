// The runtime of designs that pin a child where their client put its handle, in two flavours: run by the
// client's thread, or by workers.
#pragma once

#include "impls/platform/local_executor.hpp"
#include "impls/platform/worker_executor.hpp"

#include <cstdint>
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

/// A child, started at once, in pinned storage; its destructor cancels it.
class PinnedTask {
 public:
  PinnedTask(PinnedExecutor& executor, kit::Child child) {
    if (auto* local = std::get_if<LocalExecutor>(&executor.executor_))
      task_.emplace<LocalTask>(*local, std::move(child));
    else
      task_.emplace<WorkerTask>(std::get<WorkerExecutor>(executor.executor_), std::move(child)).start();
  }
  /// Errors: throws kit::Panic or Cancelled.
  std::optional<kit::Result> poll(const kit::WakerRef& waker) {
    if (auto* local = std::get_if<LocalTask>(&task_)) return local->completion().poll(waker);
    return std::get<WorkerTask>(task_).poll(waker);
  }

 private:
  std::variant<std::monostate, LocalTask, WorkerTask> task_;
};

}  // namespace scopecheck::platform
