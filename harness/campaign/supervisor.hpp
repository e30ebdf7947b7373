// The supervisor: runs jobs in runner processes, watches them, says what killed them, starts others in
// their place, and adds up what they found. The loop of a batch, per job:
//
//   start --> runs --> finished
//     ^        |
//     |        +--> died: crash, sanitizer, ended, stuck --> recorded; go on behind that scenario
//     |        +--> killed from outside ------------------> go on at that scenario, three times
//     +-----------------------------------------------------'
//
// Runners write their stdout and stderr into a file in memory, of which the tail is kept when one dies:
// nothing of an implementation's output reaches the terminal. A runner truncates it at every fail-stop, the
// supervisor whenever it has grown.
#pragma once

#include "harness/campaign/tally.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scopecheck::campaign {

/// Why a runner ended before its job did.
enum class DeathKind : std::uint8_t {
  crash,      ///< a memory fault, or libc found the heap corrupted: a candidate finding
  sanitizer,  ///< a sanitizer ended the process: a candidate finding
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

/// The shortest scenario of one signature, over all shards.
struct Found {
  verdict::Finding finding{};
  scenario::Scenario scenario{};
  std::uint64_t number = 0;
  std::uint64_t after_ns = 0;
  std::uint64_t times = 0;
};

/// Tallies added up. The same for the same work, however it was divided among runners.
struct Merged {
  std::uint64_t done = 0;
  std::vector<std::uint64_t> per_length;   ///< by counted ops
  std::vector<std::uint64_t> op_reach;     ///< by OpKind
  std::vector<std::uint64_t> event_reach;  ///< by EventKind
  std::array<std::uint64_t, outcome_kinds> outcomes{};
  /// The shortlex-first scenario of each outcome that occurred.
  std::array<std::optional<scenario::Scenario>, outcome_kinds> outcome_example{};
  std::uint64_t goals = 0;
  std::vector<Found> findings;  ///< fewest ops first, then by number
  bool findings_overflowed = false;
  bool all_finished = false;        ///< every tally's job is complete
  bool deadline_reached = false;    ///< some job stopped at its deadline
  std::vector<std::string> errors;  ///< what run_job said was wrong, each once
};
/// Also of tallies that are being written: then a recent past.
[[nodiscard]] Merged merge(std::span<const Tally* const> tallies);

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

struct Supervised {
  Merged merged;               ///< of all jobs
  std::vector<Merged> by_job;  ///< in their order
  std::vector<Death> deaths;
  /// Why the work is incomplete although nobody interrupted it: each names its job. Empty: it is complete,
  /// or stopped at its deadline.
  std::vector<std::string> errors;
  bool interrupted = false;
};

/// Runs `jobs` in order, options.runners of them at a time, each in processes of its own.
/// Ensures: what was found before an interruption, a crash or a deadline is in the result; no runner is left.
/// With Job::stop_at_finding, jobs are taken for shards of one search: they stop as soon as none can come
/// before the first memory finding any more, and later findings are left out, so that the result does not
/// depend on who was faster.
/// Threads: one caller at a time; runners die with the calling thread.
[[nodiscard]] Supervised supervise(std::span<const Job> jobs, const SupervisorOptions& options);

/// One scenario, run job.runs times in one fresh process.
struct OneRun {
  /// Nothing when the process died of something that is not an outcome; see `death`.
  std::optional<interpreter::Outcome> outcome;
  std::uint64_t runs = 0;
  ledger::Ledger ledger{};  ///< of the last run, as far as it got
  std::uint64_t ledger_hash = 0;
  std::uint64_t ledgers_differing = 0;
  std::vector<Found> findings;
  std::uint32_t sanitizer_reports = 0;  ///< of the last run
  std::uint32_t sanitizer_event = 0;
  bool sanitizer_in_harness = false;
  std::string sanitizer_text;
  std::optional<Death> death;
  bool interrupted = false;
};
/// Requires: job.engine is Engine::one.
/// Errors: the runner could not work; a sentence.
[[nodiscard]] std::expected<OneRun, std::string> run_one(const Job& job, const SupervisorOptions& options);

/// While it lives, SIGINT, SIGTERM and SIGHUP make supervise() stop its runners and return. The second one
/// of a kind ends the program as usual.
class StopOnSignals {
 public:
  StopOnSignals();
  ~StopOnSignals();
  StopOnSignals(const StopOnSignals&) = delete;
  StopOnSignals& operator=(const StopOnSignals&) = delete;

  [[nodiscard]] static bool requested();
  /// As if a signal had come. Threads: any; async-signal-safe.
  static void request();
  static void clear();
};

}  // namespace scopecheck::campaign
