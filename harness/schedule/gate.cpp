#include "harness/schedule/gate.hpp"

#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace scopecheck::schedule {
namespace {

// The bare system call: TSan intercepts the library's waits, but not this one.
void futex(std::atomic<std::uint32_t>& word, int op, std::uint32_t value) {
  static_assert(sizeof(word) == sizeof(std::uint32_t));
  static_cast<void>(::syscall(SYS_futex, &word, op | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0));
}

}  // namespace

void Gate::pass() {
  waiting_.fetch_add(1);
  for (;;) {
    std::uint32_t permits = permits_.load();
    if (permits == 0)
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

void Gate::reset() { permits_.store(0); }

}  // namespace scopecheck::schedule
