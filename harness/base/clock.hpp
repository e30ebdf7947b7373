// The monotonic clock as a number: deadlines that cross processes, and how long something took.
#pragma once

#include <cstdint>
#include <ctime>

namespace scopecheck::base {

/// CLOCK_MONOTONIC in nanoseconds: the same clock in every process. Threads: any.
inline std::uint64_t monotonic_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace scopecheck::base
