// What a runner counts and finds, in memory that it shares with its supervisor: plain data of fixed size,
// written by the runner alone, so that whatever kills a runner, nothing that it found is lost.
#pragma once

#include "harness/generator/random.hpp"
#include "harness/interpreter/machine.hpp"
#include "harness/ledger/ledger.hpp"
#include "harness/scenario/offers.hpp"
#include "harness/scenario/scenario.hpp"
#include "harness/verdict/finding.hpp"
#include "harness/verdict/trilemma.hpp"

#include <array>
#include <atomic>
#include <cstdint>

namespace scopecheck::campaign {

/// How scenarios are drawn.
enum class Engine : std::uint8_t { exhaustive, random, one };

/// One piece of work for one runner. Sharding: of every `shards` blocks of 64 scenarios the runner runs
/// the `shard`-th, so that a scenario's number is the same however many runners there are.
struct Job {
  std::array<char, 64> implementation{};
  std::array<char, 32> flavour{};
  scenario::Discipline discipline = scenario::Discipline::safe;
  scenario::Bounds bounds{};
  Engine engine = Engine::exhaustive;
  bool real_access = false;  ///< engine `one`: touch dead memory for real
  bool stop_at_finding = false;
  std::uint8_t probes =
      0;  ///< exhaustive: only clients of probes.hpp, until these letters were seen, a bit each
  std::uint8_t first_ops = 0, last_ops = 0;  ///< exhaustive: lengths, inclusive
  std::uint32_t shard = 0, shards = 1;
  std::uint64_t seed = 1;            ///< random
  std::uint64_t runs = 0;            ///< random: how many; one: how often
  generator::RandomLength length{};  ///< random: of how many ops
  /// Who goes first where a scenario leaves that open and threads are about; its seed is mixed with the
  /// number of the scenario.
  schedule::Order order{};
  bool free = false;       ///< the system orders the threads
  std::uint64_t skip = 0;  ///< scenarios (of all shards) to pass over: where a dead runner stopped
  /// Clients may leak, and so do their runs: whatever a forgotten value owned on the heap stays. A runner
  /// that has collected this much ends, and another goes on in its place.
  std::uint64_t leak_limit_bytes = std::uint64_t{256} << 20;
  /// exhaustive: the scenario before number `skip`, and its length: from there the enumeration goes on
  /// without drawing what came before.
  bool resumes = false;
  std::uint8_t resume_ops = 0;
  scenario::Scenario resume_after{};
  std::uint64_t deadline_ns = 0;  ///< CLOCK_MONOTONIC; 0: none
  std::uint64_t began_ns = 0;     ///< CLOCK_MONOTONIC: when the job, restarts included, began; 0: now
  scenario::Scenario scenario{};  ///< engine `one`
};

inline constexpr std::size_t max_findings = 64;

/// The shortest (first) scenario of one signature.
struct FoundSlot {
  verdict::Finding finding{};
  scenario::Scenario scenario{};
  std::uint64_t after_scenarios = 0;  ///< its number in the whole enumeration
  std::uint64_t after_ns = 0;         ///< since the job began
  std::uint64_t times = 0;
};

/// A race that TSan reported at a touch of a cell: how many events the ledger had then.
struct Race {
  std::uint32_t event = 0;
  std::uint8_t cell = scenario::none;
};
inline constexpr std::size_t max_races = 16;

inline constexpr std::size_t outcome_kinds = 6;

/// Tally::number before the first run of a runner.
inline constexpr std::uint64_t no_number = ~std::uint64_t{0};

/// A run that came to an outcome.
struct OutcomeSlot {
  scenario::Scenario scenario{};
  std::uint16_t op = 0;            ///< where, as in ledger::Event::op
  std::array<char, 128> waiter{};  ///< a suspected hang: who may still end it, or what says so
};

struct Tally {
  /// Number of the scenario being run (of all shards), and what it is: written before each run.
  std::atomic<std::uint64_t> number{no_number};
  /// One more than the number of the last scenario that is in the counts: written after all of them, so
  /// that whoever restarts a job neither loses a scenario nor counts one twice.
  std::atomic<std::uint64_t> counted{0};
  std::atomic<std::uint64_t> done{0};     ///< scenarios that this runner ran
  std::atomic<std::uint8_t> ops{0};       ///< exhaustive: the length it is at
  std::atomic<std::uint8_t> finished{0};  ///< 1: the job is complete; 2: stopped at its deadline
  /// The runner ended because what the runs leaked filled its memory: another is to go on.
  std::atomic<std::uint8_t> wants_recycling{0};
  scenario::Scenario current{};
  schedule::Choices choices{};                                ///< among threads, in the current run
  std::array<std::uint64_t, scenario::max_ops> per_length{};  ///< scenarios run by counted ops
  std::array<std::uint64_t, scenario::op_kinds> op_reach{};
  std::array<std::uint64_t, ledger::event_kinds> event_reach{};
  std::array<std::uint64_t, outcome_kinds> outcomes{};
  /// The shortest scenario of each outcome, of clean ones the first, for the notes ("hangs when ...").
  std::array<OutcomeSlot, outcome_kinds> outcome_example{};
  std::uint64_t goals = 0;
  std::uint8_t letters = 0;  ///< probes: seen so far, and the first scenario of each
  std::array<scenario::Scenario, verdict::letters> letter_example{};
  std::uint64_t crashes = 0;  ///< runs that took their process down, not on purpose
  /// Runs in which the implementation crashed or a sanitizer reported something that proves no late use; the
  /// shortest scenario, and what happened there.
  std::uint64_t faults = 0;
  scenario::Scenario fault_example{};
  std::array<char, 256> fault_text{};
  std::uint32_t findings_used = 0;
  bool findings_overflowed = false;
  std::array<FoundSlot, max_findings> findings{};
  std::array<char, 256> error{};
  /// Engine `one`: a hash of each ledger compared with the first; how many differed.
  std::uint64_t ledger_hash = 0;
  std::uint64_t ledgers_differing = 0;
  /// The last run's ledger: engine `one` and whatever died.
  ledger::Ledger ledger{};
  /// Sanitizer reports of the current run (recover mode), the number of ledger events when the first of
  /// them came, and its text.
  std::uint32_t sanitizer_reports = 0;
  verdict::Witness sanitizer_witness{};
  std::uint32_t sanitizer_event = 0;
  bool sanitizer_in_harness = false;        ///< the harness's own access to a cell was reported
  bool sanitizer_in_ended_storage = false;  ///< the address lies in storage of a value or cell that had ended
  std::array<char, 32768> sanitizer_text{};
  std::uint32_t races_used = 0;
  std::array<Race, max_races> races{};  ///< the first of the current run
};

}  // namespace scopecheck::campaign
