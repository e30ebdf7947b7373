// A fixed pool: workers take jobs from one queue, first in, first out, and run each to its end.
#pragma once

#include "impls/platform/threads.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace scopecheck::platform {

/// Something to do once, on a worker; destroyed there.
struct Job {
  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;
  virtual void run() = 0;
};

class Pool {
 public:
  explicit Pool(std::size_t workers) {
    for (std::size_t i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  /// Lets the workers finish what is queued.
  ~Pool() {
    {
      const Lock lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
    for (Thread& worker : workers_) worker.join();
  }

  void submit(std::unique_ptr<Job> job) {
    {
      const Lock lock(mutex_);
      queue_.push_back(std::move(job));
    }
    changed_.notify_one();
  }

 private:
  void work() {
    for (;;) {
      std::unique_ptr<Job> job;
      {
        Lock lock(mutex_);
        changed_.wait(lock, [&] { return closed_ || !queue_.empty(); });
        if (queue_.empty()) return;
        job = std::move(queue_.front());
        queue_.pop_front();
      }
      job->run();
    }
  }

  Mutex mutex_;
  Condition changed_;
  std::deque<std::unique_ptr<Job>> queue_;
  bool closed_ = false;
  std::vector<Thread> workers_;
};

}  // namespace scopecheck::platform
