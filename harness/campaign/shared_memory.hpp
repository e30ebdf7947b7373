// The memory that a supervisor shares with one runner: the job goes in, the tally comes out. It outlives
// the runner, so that whatever kills a runner, what it found stays.
//
//   supervisor: create -> write job -> spawn (fd inherited) -> read tally while it grows -> read it at the
//   end runner:     open(fd) -> read job -> write tally
#pragma once

#include "harness/campaign/tally.hpp"

#include <atomic>
#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace scopecheck::campaign {

/// What a build must agree on to read another build's Shared: sizes, and the tables of ops, events and
/// finding kinds, whose order the numbers in it follow.
[[nodiscard]] std::uint64_t layout_fingerprint();

struct Shared {
  std::uint64_t layout = layout_fingerprint();  ///< first, so that a foreign build can read it
  std::int32_t supervisor = 0;                  ///< process id: a runner without it ends itself
  std::atomic<std::uint32_t> started{0};        ///< how many runners got as far as the loop
  std::atomic<int> start_error{0};              ///< errno of the exec that was to become a runner
  std::atomic<verdict::Witness> witness{};      ///< what the runner's program is built with
  Job job{};
  Tally tally{};
};

/// A mapped Shared with its file descriptor. Moved, never copied.
class SharedMemory {
 public:
  enum class OpenError : std::uint8_t { unusable, foreign_build };

  /// A fresh one. The descriptor is close-on-exec: whoever spawns a runner hands it over explicitly.
  /// Errors: the system's words.
  [[nodiscard]] static std::expected<SharedMemory, std::string> create();
  /// Maps what `fd` refers to and takes the descriptor over.
  /// Errors: `foreign_build` when it was created by a program that was built from other sources.
  [[nodiscard]] static std::expected<SharedMemory, OpenError> open(int fd);

  SharedMemory(SharedMemory&& other) noexcept
      : shared_(std::exchange(other.shared_, nullptr)), fd_(std::exchange(other.fd_, -1)) {}
  SharedMemory& operator=(SharedMemory&& other) noexcept {
    std::swap(shared_, other.shared_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~SharedMemory();

  [[nodiscard]] Shared& operator*() const { return *shared_; }
  [[nodiscard]] Shared* operator->() const { return shared_; }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  SharedMemory(Shared* shared, int fd) : shared_(shared), fd_(fd) {}

  Shared* shared_;
  int fd_;
};

}  // namespace scopecheck::campaign
