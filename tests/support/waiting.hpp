// Scopes that are sound and wait for their threads in ways that no proof of a hang covers.
#pragma once

#include "harness/abi/kit.hpp"
#include "impls/platform/blocking.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace scopecheck::tests {

/// A scope whose destructor waits as `Wait` does.
template <class Wait>
struct Waiting {
  static constexpr kit::Description description{.name = Wait::name,
                                                .summary = "for tests",
                                                .shape = SCOPECHECK_SHAPE_GUARD,
                                                .carrier = SCOPECHECK_CARRIER_SCOPE,
                                                .child_kind = SCOPECHECK_CHILD_BLOCKS,
                                                .progress = SCOPECHECK_PROGRESS_THREADS,
                                                .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
                                                .hidden = 1,
                                                .client_ops = SCOPECHECK_CLIENT_THROW,
                                                .may_block = SCOPECHECK_OP_SCOPE_DESTROY,
                                                .flavours = platform::thread_per_child};
  struct Runtime {};
  class Scope {
   public:
    explicit Scope(Runtime& /*runtime*/) {}
    ~Scope() {
      wait_.until(running_);
      for (std::thread& thread : threads_) thread.join();
    }
    void spawn(kit::Child child) {
      ++running_;
      threads_.emplace_back([this, body = std::move(child)]() mutable {
        static_cast<void>(body.block());
        body.drop();
        wait_.ended(running_);
      });
    }

   private:
    std::atomic<int> running_{0};
    Wait wait_;
    std::vector<std::thread> threads_;
  };
};
struct Spin {
  static constexpr const char* name = "waits_spinning";
  void until(const std::atomic<int>& running) {
    while (running.load() != 0) {
    }
  }
  void ended(std::atomic<int>& running) { --running; }
};
struct TimedWait {
  static constexpr const char* name = "waits_timed";
  void until(const std::atomic<int>& running) {
    std::unique_lock lock(mutex);
    condition.wait_for(lock, std::chrono::hours{1}, [&] { return running.load() == 0; });
  }
  void ended(std::atomic<int>& running) {
    const std::lock_guard lock(mutex);
    --running;
    condition.notify_all();
  }
  std::mutex mutex;
  std::condition_variable condition;
};

}  // namespace scopecheck::tests
