// The supervisor: runs jobs in runner processes, watches them, says what killed them, starts others in
// their place, and adds up what they found. The loop of a batch, per job:
//
//   start --> runs --> finished
//     ^        |
//     |        +--> died: crash, sanitizer, ended, stuck --> recorded; go on behind that scenario
//     |        +--> killed from outside ------------------> go on at that scenario, twice
//     +-----------------------------------------------------'
//
// Runners write their stdout and stderr into a file in memory, of which the tail is kept when one dies:
// nothing of an implementation's output reaches the terminal. A runner truncates it at every fail-stop, the
// supervisor whenever it has grown.
#pragma once

#include "harness/campaign/shard.hpp"

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace scopecheck::campaign {

struct Supervised {
  Merged merged;               ///< of all jobs
  std::vector<Merged> by_job;  ///< in their order
  std::vector<Death> deaths;
  /// Why the work is incomplete although nobody interrupted it: each names its job. Empty: it is complete,
  /// or stopped at its deadline.
  std::vector<std::string> errors;
  /// Some of the errors are that an implementation took runners down too often.
  bool died_too_often = false;
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
  /// Where it came to that outcome, as in ledger::Event::op, and, of a suspected hang, who may still end it.
  std::uint16_t ended_at = 0;
  std::string waiter;
  std::uint64_t runs = 0;
  ledger::Ledger ledger{};  ///< of the last run, as far as it got
  std::uint64_t ledger_hash = 0;
  std::uint64_t ledgers_differing = 0;
  std::vector<Found> findings;
  std::optional<Fault> fault;
  std::uint32_t sanitizer_reports = 0;  ///< of the last run
  std::uint32_t sanitizer_event = 0;
  bool sanitizer_in_harness = false;
  std::string sanitizer_text;
  std::vector<Race> races;
  std::optional<Death> death;
  bool interrupted = false;
  verdict::Witness witness{};  ///< what the runner's program is built with
};
/// Requires: job.engine is Engine::one.
/// Errors: the runner could not work; a sentence.
[[nodiscard]] std::expected<OneRun, std::string> run_one(const Job& job, const SupervisorOptions& options);

/// While it lives, SIGINT, SIGTERM and SIGHUP make supervise() stop its runners and return. One more ends the
/// program as usual, unless it follows within a second: timeout(1) sends its signal twice, to the program and
/// to its group, and the second must not cost the report.
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
