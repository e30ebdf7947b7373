// A scope whose destructor waits until a count falls to zero, and whose children say so in one of two orders:
// the planted defect and its sound twin. The waiter owns count and condition on its stack, so whoever touches
// them after the count fell touches what may be gone.
// Source: lewissbaker/cppcoro#98, microsoft/STL#883, rayon-rs/rayon#739: one mistake, found by hand each
// time.
#pragma once

#include "impls/platform/canary.hpp"
#include "impls/platform/threads.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace scopecheck::platform {

enum class Notify : std::uint8_t { after_unlock, under_lock };

constexpr kit::Description notify_canary(const char* name, const char* summary,
                                         std::span<const scopecheck_expectation> expectations) {
  return {.name = name,
          .summary = summary,
          .shape = SCOPECHECK_SHAPE_GUARD,
          .carrier = SCOPECHECK_CARRIER_SCOPE,
          .child_kind = SCOPECHECK_CHILD_BLOCKS,
          .progress = SCOPECHECK_PROGRESS_THREADS,
          .promises = SCOPECHECK_PROMISE_INSTRUMENTED | SCOPECHECK_PROMISE_YIELDS,
          .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
          .hidden = 1,
          .client_ops = SCOPECHECK_CLIENT_THROW,
          .may_block = SCOPECHECK_OP_SCOPE_DESTROY,
          .flavours = thread_per_child,
          .evidence = thread_canary_evidence,
          .expectations = expectations};
}

/// The threads outlive the scopes: what is waited for is the count.
class Threads {
 public:
  Threads() = default;
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() {
    for (Thread& thread : threads_) thread.join();
  }
  template <class Body>
  void start(Body body) {
    threads_.emplace_back(std::move(body));
  }

 private:
  std::vector<Thread> threads_;
};

template <Notify When>
class NotifyingScope {
 public:
  explicit NotifyingScope(Threads& threads) : threads_(threads) {}
  NotifyingScope(const NotifyingScope&) = delete;
  NotifyingScope& operator=(const NotifyingScope&) = delete;
  ~NotifyingScope() {
    Lock lock(mutex_);
    zero_.wait(lock, [&] { return count_ == 0; });
  }

  void spawn(kit::Child child) {
    {
      const Lock lock(mutex_);
      ++count_;
    }
    threads_.start([this, body = std::move(child)]() mutable {
      Ending ending;
      ending.run(body);
      body.drop();
      discard(ending.take_object());
      ended();
    });
  }

 private:
  void ended() {
    {
      const Lock lock(mutex_);
      --count_;
      if constexpr (When == Notify::under_lock) zero_.notify_all();
    }
    SCOPECHECK_YIELD("counted");
    if constexpr (When == Notify::after_unlock) zero_.notify_all();
  }

  Threads& threads_;
  Mutex mutex_;
  Condition zero_;
  std::size_t count_ = 0;
};

}  // namespace scopecheck::platform
