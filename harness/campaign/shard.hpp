// A job on its way: its memory, the process that works on it, and what becomes of it when that process dies.
// Private to the supervisor, apart from the words for deaths.
#pragma once

#include "harness/campaign/merged.hpp"
#include "harness/campaign/shared_memory.hpp"

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace scopecheck::campaign {

/// Why a runner ended before its job did.
enum class DeathKind : std::uint8_t {
  crash,      ///< a memory or arithmetic fault, or libc found the heap or stack corrupted
  sanitizer,  ///< a sanitizer ended the process after a report
  ended,      ///< the implementation ended the process: abort on another thread, exit, trap. A fail-stop
  stuck,      ///< the wall-clock watchdog ended it: a hang is suspected, not proved
  killed,     ///< by somebody else: the system out of memory, the user
  harness,    ///< the harness's own fault, or the runner never got to work
};
[[nodiscard]] std::string_view to_string(DeathKind kind);

struct Death {
  DeathKind kind{};
  std::size_t job = 0;       ///< index in the list of jobs
  bool in_scenario = false;  ///< otherwise between two, or before the first
  std::uint64_t number = no_number;
  scenario::Scenario scenario{};
  std::uint16_t op = 0;  ///< of the last event in the ledger
  int signal = 0;        ///< 0: it exited
  int exit_code = 0;
  std::string sanitizer_text;  ///< what a sanitizer said about this scenario; may be empty
  std::string output;          ///< the tail of stdout and stderr
};
/// One sentence: "the runner got signal 11 (Segmentation fault) at op 3 of scenario 17".
[[nodiscard]] std::string describe(const Death& death);
/// The same about the implementation: "signal 11 (Segmentation fault)", with what libc or a sanitizer said.
[[nodiscard]] std::string cause_of(const Death& death);

struct SupervisorOptions {
  std::filesystem::path executable = "/proc/self/exe";  ///< absolute; this program, or its ASan twin
  unsigned runners = 1;
  /// Wall-clock time without progress in one scenario after which a runner counts as stuck. A last resort:
  /// ten times as much for one that is starved of CPU time.
  double stuck_seconds = 10;
  unsigned deaths_limit = 200;  ///< per job; then it is given up, with a reason
  bool symbolize = false;       ///< sanitizer reports name functions and lines
  std::chrono::milliseconds progress_interval{200};
  /// Called with the tallies of all jobs begun so far. Only atomics and findings_used are safe to read.
  std::function<void(std::span<const Tally* const>)> progress;
};

/// Closes a descriptor at the end of its life.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

/// The environment of runners: ours, with the sanitizers' options replaced.
[[nodiscard]] std::vector<std::string> runner_environment(bool symbolize);

/// A job with its memory and the process that works on it, if any.
class Shard {
 public:
  /// Errors: the system's words.
  [[nodiscard]] static std::expected<std::unique_ptr<Shard>, std::string> make(std::size_t index,
                                                                               const Job& job);
  Shard(std::size_t index, const Job& job, SharedMemory memory, Fd output)
      : index_(index), job_(job), memory_(std::move(memory)), output_(std::move(output)) {
    memory_->supervisor = ::getpid();
  }
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  ~Shard() { stop(); }

  [[nodiscard]] const Tally& tally() const { return memory_->tally; }
  [[nodiscard]] const Job& job() const { return job_; }
  [[nodiscard]] verdict::Witness witness() const { return memory_->witness.load(); }
  [[nodiscard]] bool running() const { return pid_ > 0; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] const std::string& error() const { return error_; }
  /// The error is that too many runners died of the implementation.
  [[nodiscard]] bool died_too_often() const { return died_too_often_; }

  /// Starts a runner at job().skip.
  void start(const SupervisorOptions& options, std::vector<std::string>& environment);

  /// Kills the runner, if there is one, and waits until it is gone.
  void stop();

  /// Takes notice of a runner that has ended. Returns how it died if it did not just finish; then
  /// wants_restart() says whether the job goes on.
  std::optional<Death> reap(const SupervisorOptions& options);
  [[nodiscard]] bool wants_restart() const { return wants_restart_; }

  /// Ends a runner that makes no progress. `elapsed`: time in which it could have made some.
  void watch(std::chrono::milliseconds elapsed, const SupervisorOptions& options);

 private:
  void end_group() const;
  void gone();
  void mark_progress();
  void trim_output() const;
  [[nodiscard]] Death examine(int status, bool started) const;
  bool examine_dead(const Death& death);
  [[nodiscard]] scenario::Scenario scheduled(const Tally& tally) const;
  [[nodiscard]] DeathKind kind_of(const Death& death, bool started) const;
  /// Says where the next runner begins, or in error() why there is none.
  void decide(const Death& death, bool started, const SupervisorOptions& options);
  /// Counts the scenario that it died of: the runner did not get to.
  void count(const Death& death);
  /// Which runs of a replay are compared with one another when another runner goes on.
  enum class Runs : std::uint8_t { of_one_process, all };
  void again(std::uint64_t place, Runs compared);

  std::size_t index_;
  Job job_;
  SharedMemory memory_;
  Fd output_;
  pid_t pid_ = 0;
  Fd pidfd_;
  std::uint32_t started_before_ = 0;
  bool wants_restart_ = false;
  std::string error_;
  bool died_too_often_ = false;
  unsigned deaths_ = 0;
  std::uint64_t killed_at_ = no_number;  ///< from outside; how often there, by whether a scenario was running
  unsigned kills_in_scenario_ = 0;
  unsigned kills_elsewhere_ = 0;
  /// The watchdog killed it there: number, and whether the scenario was still running.
  std::optional<std::pair<std::uint64_t, bool>> stuck_at_;
  std::uint64_t seen_number_ = 0;
  std::uint64_t seen_done_ = 0;
  std::uint8_t seen_finished_ = 0;
  std::chrono::milliseconds quiet_{0};
  double cpu_at_progress_ = 0;
};

}  // namespace scopecheck::campaign
