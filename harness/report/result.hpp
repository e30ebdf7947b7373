// What a check of implementations reports, as plain data: one result per implementation, flavour and
// discipline. Filled by campaign; table, json and other writers only read it.
#pragma once

#include "harness/verdict/trilemma.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scopecheck::report {

enum class Verdict : std::uint8_t { unsound, not_refuted, inconclusive, error };
inline constexpr std::array<std::string_view, 4> verdict_names = {"unsound", "not-refuted", "inconclusive",
                                                                  "error"};

[[nodiscard]] constexpr std::string_view to_string(Verdict verdict) {
  return verdict_names[static_cast<std::size_t>(verdict)];
}
/// The inverse of to_string; nothing for other words.
[[nodiscard]] constexpr std::optional<Verdict> parse_verdict(std::string_view word) {
  for (std::size_t i = 0; i < verdict_names.size(); ++i)
    if (verdict_names[i] == word) return static_cast<Verdict>(i);
  return std::nullopt;
}

using Counts = std::vector<std::pair<std::string, std::uint64_t>>;

/// How much was tried.
struct Effort {
  std::size_t exhaustive_ops = 0;          ///< every scenario of up to so many ops was run; 0: none
  std::uint64_t exhaustive_scenarios = 0;  ///< in the fast pass
  std::uint64_t witness_scenarios = 0;     ///< of them, run again under ASan
  std::uint64_t tsan_scenarios = 0;        ///< of them, run again under TSan: where children run on threads
  std::uint64_t random_scenarios = 0;
  std::uint64_t stress_runs = 0;  ///< with threads that run as the system lets them
  Counts stress_by_witness;       ///< the same, by who watched
  double seconds = 0;
};

/// How runs ended.
struct Outcomes {
  std::uint64_t clean = 0;
  std::uint64_t hang = 0;
  std::uint64_t hang_suspected = 0;
  std::uint64_t fail_stop = 0;
  std::uint64_t discard = 0;  ///< the client broke a documented precondition
  std::uint64_t crash = 0;    ///< the process died of a fault; see the notes

  [[nodiscard]] std::uint64_t total() const {
    return clean + hang + hang_suspected + fail_stop + discard + crash;
  }
};

/// A shrunk scenario with its finding, and how to see it again.
struct Counterexample {
  std::string kind;       ///< "use-after-scope"
  std::string signature;  ///< "use-after-scope(forget, frame-end, write)"
  std::string scenario;   ///< canonical text
  std::size_t ops = 0;
  std::uint64_t found_after_scenarios = 0;
  double found_after_seconds = 0;
  std::vector<std::string> confirmed_by;  ///< witnesses: "ledger", "asan", ...
  std::string reproduce;                  ///< one command
  std::string sanitizer_report;           ///< its text; "" when none was asked for
  std::string lifeline;                   ///< the picture, drawn for the terminal; not in the JSON
  bool is_headline = false;               ///< the shortest that uses ended memory
};

/// Which of the three the implementation has: concurrency, parallelizability, borrowing.
struct Trilemma {
  std::array<std::string, verdict::letters> examples;  ///< the first client that shows it; "" when none does
  std::uint64_t scenarios = 0;                         ///< clients that were asked

  /// "C P B", with a - for what was not seen.
  [[nodiscard]] std::string in_letters() const {
    std::string out;
    for (std::size_t i = 0; i < verdict::letters; ++i) {
      if (i != 0) out += ' ';
      out += examples[i].empty() ? '-' : verdict::letter_table[i].letter;
    }
    return out;
  }
};

/// The shortest client under which runs ended in one way that is not clean.
struct OutcomeExample {
  std::string outcome;   ///< "hang", "hang-suspected", "fail-stop", "discard"
  std::string scenario;  ///< canonical text
  std::string where;     ///< "at `drop s0`"
  std::string waiter;    ///< a suspected hang: who may still end it, or what says so; else ""
};

struct Result {
  std::string implementation;
  std::string flavour;
  std::string discipline;
  Verdict verdict = Verdict::inconclusive;
  std::string why;  ///< inconclusive, error: the reason
  std::optional<Verdict> expected;
  Effort effort;
  Counts reach;  ///< op or event name -> how often, in the order of the tables
  Outcomes outcomes;
  std::vector<OutcomeExample> outcome_examples;
  std::vector<std::string> unmet_goals;
  std::vector<std::string> notes;
  std::string bounds;  ///< the sub-bounds in force, in words
  std::vector<Counterexample> findings;
  std::optional<Trilemma> trilemma;  ///< nothing: the probes did not come to their end
  std::string build;                 ///< compiler, NDEBUG, sanitizer
  std::uint64_t seed = 0;

  /// Nothing when nothing was expected.
  [[nodiscard]] std::optional<bool> as_expected() const {
    if (!expected) return std::nullopt;
    return *expected == verdict;
  }
  /// The headline counterexample, or else the first; null without findings.
  [[nodiscard]] const Counterexample* headline() const {
    for (const Counterexample& finding : findings)
      if (finding.is_headline) return &finding;
    return findings.empty() ? nullptr : &findings.front();
  }
};

}  // namespace scopecheck::report
