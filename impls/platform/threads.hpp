// What designs with threads are written against: thread, mutex, condition variable, atomic, park. Small, so
// that virtual threads can take the place of the system's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace scopecheck::platform {

using Thread = std::thread;
using Mutex = std::mutex;
using Lock = std::unique_lock<std::mutex>;
using Condition = std::condition_variable;
template <class T>
using Atomic = std::atomic<T>;

/// One token: `park` waits for it and takes it, `unpark` makes it available.
/// Source: https://doc.rust-lang.org/std/thread/fn.park.html
class Parker {
 public:
  void park() {
    token_.wait(false);
    token_.store(false);
  }
  void unpark() {
    token_.store(true);
    token_.notify_one();
  }

 private:
  Atomic<bool> token_{false};
};

}  // namespace scopecheck::platform
