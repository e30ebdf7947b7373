// What the evidence in a tally proves about the run that just ended, kept in that tally. A runner calls it
// after a run that looked wrong; the supervisor calls it for a run that took its runner down.
#pragma once

#include "harness/campaign/tally.hpp"
#include "harness/interpreter/implementation.hpp"
#include "harness/verdict/evidence.hpp"

#include <string>
#include <string_view>

namespace scopecheck::campaign {

/// Judges tally.ledger and the sanitizer's report of this run and keeps the findings.
class Examiner {
 public:
  /// `begun_ns`: when the job began, CLOCK_MONOTONIC.
  Examiner(interpreter::Implementation implementation, std::uint64_t begun_ns, Tally& tally);

  /// Ensures: findings are in tally.findings, each signature's shortest scenario. A sanitizer's report that
  /// proves no late use is a fault (see note_fault), never a finding.
  /// Returns whether the sanitizer's report, if there was one, is accounted for by findings.
  bool examine(const scenario::Scenario& scenario, std::uint64_t number);

  /// The implementation did something that is wrong and no proof of a late use: the shortest such scenario
  /// is kept, with what happened.
  static void note_fault(Tally& tally, const scenario::Scenario& scenario, std::string_view what);

  /// The letters of the trilemma that this run shows, a bit each.
  [[nodiscard]] std::uint8_t letters_of(const scenario::Scenario& scenario) const;

  /// Counts how a run ended, and keeps it as the example of that outcome if it is the shortest so far.
  static void note_outcome(Tally& tally, interpreter::Outcome outcome, const scenario::Scenario& scenario,
                           std::uint16_t op, std::string_view waiter);

  /// Whether a finding that makes a verdict unsound was kept.
  [[nodiscard]] bool memory_finding() const { return memory_finding_; }

 private:
  [[nodiscard]] verdict::Evidence evidence(const scenario::Scenario& scenario) const {
    return {scenario, tally_.ledger.events(), tally_.ledger.alarms(), promises_};
  }
  void keep(const verdict::Finding& finding, const scenario::Scenario& scenario, std::uint64_t number);

  Tally& tally_;
  verdict::Promises promises_;
  verdict::Findings findings_;
  std::uint64_t begun_ns_;
  bool memory_finding_ = false;
};

/// What a sanitizer reported, in one line: its summary, else its first words; "" for other texts.
[[nodiscard]] std::string sanitizer_summary(std::string_view text);

}  // namespace scopecheck::campaign
