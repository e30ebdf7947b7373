// Tallies added up. A tally may have been scribbled over by the process that died of it: everything here
// reads one with suspicion.
#pragma once

#include "harness/campaign/tally.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace scopecheck::campaign {

/// The shortest scenario of one signature, over all shards.
struct Found {
  verdict::Finding finding{};
  scenario::Scenario scenario{};
  std::uint64_t number = 0;
  std::uint64_t after_ns = 0;
  std::uint64_t times = 0;
};

/// A scenario in which the implementation did something wrong that is no finding, and what.
struct Fault {
  scenario::Scenario scenario{};
  std::string what;
};

/// A run that came to an outcome.
struct OutcomeExample {
  scenario::Scenario scenario{};
  std::uint16_t op = 0;
  std::string waiter;
};

/// Tallies added up. The same for the same work, however it was divided among runners.
struct Merged {
  std::uint64_t done = 0;
  std::vector<std::uint64_t> per_length;   ///< by counted ops
  std::vector<std::uint64_t> op_reach;     ///< by OpKind
  std::vector<std::uint64_t> event_reach;  ///< by EventKind
  std::array<std::uint64_t, outcome_kinds> outcomes{};
  /// The shortlex-first scenario of each outcome that occurred.
  std::array<std::optional<OutcomeExample>, outcome_kinds> outcome_example{};
  std::uint64_t goals = 0;
  /// Probes: the first scenario of each letter that was seen.
  std::array<std::optional<scenario::Scenario>, verdict::letters> letter_example{};
  std::uint64_t crashes = 0;
  std::uint64_t faults = 0;
  std::optional<Fault> fault;   ///< the shortlex-first
  std::vector<Found> findings;  ///< fewest ops first, then by number
  bool findings_overflowed = false;
  bool all_finished = false;        ///< every tally's job is complete
  bool deadline_reached = false;    ///< some job stopped at its deadline
  std::vector<std::string> errors;  ///< what run_job said was wrong, each once
};
/// Also of tallies that are being written: then a recent past.
[[nodiscard]] Merged merge(std::span<const Tally* const> tallies);

/// Whether the events can be read: those of the table, no more than there is room for.
[[nodiscard]] bool plausible(const ledger::Ledger& ledger);
/// Whether every op is one of the table's; a scenario that is not must not be read further.
[[nodiscard]] bool plausible(const scenario::Scenario& scenario);
/// Whether the counts are such as a runner can have made. A runner shares them with the implementation that
/// it runs.
[[nodiscard]] bool plausible(const Tally& tally);
/// The slots in use that hold something plausible are among the first so many.
[[nodiscard]] std::size_t findings_of(const Tally& tally);
[[nodiscard]] bool plausible(const FoundSlot& slot);

/// A text field, with or without its end.
template <std::size_t N>
[[nodiscard]] std::string text_of(const std::array<char, N>& field) {
  return {field.data(), ::strnlen(field.data(), N)};
}

}  // namespace scopecheck::campaign
