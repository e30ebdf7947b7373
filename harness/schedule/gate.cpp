#include "harness/schedule/gate.hpp"

#include <climits>
#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace scopecheck::schedule {
namespace {

// The bare system call: TSan intercepts the library's waits, but not this one.
void futex(std::atomic<std::uint32_t>& word, int op, std::uint32_t value, const timespec* most = nullptr) {
  static_assert(sizeof(word) == sizeof(std::uint32_t));
  static_cast<void>(::syscall(SYS_futex, &word, op | FUTEX_PRIVATE_FLAG, value, most, nullptr, 0));
}

std::atomic<std::uint32_t> arrived{0};
std::atomic<std::uint32_t> listeners{0};

}  // namespace

void Gate::announce() {
  arrived.fetch_add(1);
  if (listeners.load() != 0) futex(arrived, FUTEX_WAKE, INT_MAX);
}

void Gate::pass() {
  waiting_.fetch_add(1);
  for (bool announced = false;;) {
    std::uint32_t permits = permits_.load();
    if (permits == 0 && !std::exchange(announced, true))
      announce();
    else if (permits == 0)
      futex(permits_, FUTEX_WAIT, 0);
    else if (permits_.compare_exchange_weak(permits, permits - 1))
      break;
  }
  waiting_.fetch_sub(1);
}

void Gate::open(std::uint32_t permits) {
  permits_.fetch_add(permits);
  futex(permits_, FUTEX_WAKE, INT_MAX);
}

std::uint32_t Gate::waiting() const { return waiting_.load(); }

std::uint32_t Gate::arrivals() { return arrived.load(); }

void Gate::wait_for_arrival(std::uint32_t seen, std::chrono::nanoseconds most) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(most);
  const timespec time{.tv_sec = seconds.count(), .tv_nsec = (most - seconds).count()};
  listeners.fetch_add(1);
  futex(arrived, FUTEX_WAIT, seen, &time);
  listeners.fetch_sub(1);
}

void Gate::reset() { permits_.store(0); }

}  // namespace scopecheck::schedule
