// How many children of a scope have not ended, and who waits for them.
#pragma once

#include "impls/platform/threads.hpp"

#include <cstddef>

namespace scopecheck::platform {

class Latch {
 public:
  void add() {
    const Lock lock(mutex_);
    ++count_;
  }
  /// The last thing that a child does with its scope. Notifies while it holds the mutex: the waiter may
  /// destroy the latch as soon as it gets it (lewissbaker/cppcoro#98 is about the other order).
  void done() {
    const Lock lock(mutex_);
    if (--count_ == 0) zero_.notify_all();
  }
  void wait() {
    Lock lock(mutex_);
    zero_.wait(lock, [&] { return count_ == 0; });
  }

 private:
  Mutex mutex_;
  Condition zero_;
  std::size_t count_ = 0;
};

/// Whoever leaves the block waits, also by unwinding.
class WaitOnExit {
 public:
  explicit WaitOnExit(Latch& latch) : latch_(latch) {}
  WaitOnExit(const WaitOnExit&) = delete;
  WaitOnExit& operator=(const WaitOnExit&) = delete;
  ~WaitOnExit() { latch_.wait(); }

 private:
  Latch& latch_;
};

}  // namespace scopecheck::platform
