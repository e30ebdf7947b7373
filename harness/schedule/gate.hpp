// Where a thread waits for leave to go on: a counting gate over one futex word. This room is compiled without
// TSan on purpose. A semaphore would itself order what stands before and behind it, and so hide the very race
// that a run was steered into (measured: 0 of 50 reported with std::binary_semaphore, 50 of 50 with this).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace scopecheck::schedule {

/// Each `pass` takes one permit and waits while there is none; `open` gives permits. No permit is lost.
class Gate {
 public:
  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Takes a permit, waiting for one if need be. Threads: any.
  void pass();
  /// Gives permits. Threads: any.
  void open(std::uint32_t permits = 1);
  /// Threads that are in `pass`. Exact only when everybody is at rest (census.hpp).
  [[nodiscard]] std::uint32_t waiting() const;
  /// Counts as if somebody had come to a gate of this process. Threads: any.
  static void announce();
  /// How often somebody has come to a gate of this process and found no permit.
  [[nodiscard]] static std::uint32_t arrivals();
  /// Waits until arrivals() is no longer `seen`, but no longer than `most`: what happens elsewhere does not
  /// end it.
  static void wait_for_arrival(std::uint32_t seen, std::chrono::nanoseconds most);
  /// Back to no permits. Requires: nobody is in `pass`.
  void reset();

 private:
  std::atomic<std::uint32_t> permits_{0};
  std::atomic<std::uint32_t> waiting_{0};
};

}  // namespace scopecheck::schedule
