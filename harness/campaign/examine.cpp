#include "harness/campaign/examine.hpp"

#include "harness/base/clock.hpp"
#include "harness/campaign/merged.hpp"
#include "harness/verdict/oracles.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace scopecheck::campaign {

Examiner::Examiner(interpreter::Implementation implementation, std::uint64_t begun_ns, Tally& tally)
    : tally_(tally),
      promises_{.join_waits = (implementation.plugin->promises & SCOPECHECK_PROMISE_JOIN_WAITS) != 0,
                .join_rethrows = (implementation.plugin->promises & SCOPECHECK_PROMISE_JOIN_RETHROWS) != 0,
                .wakes = (implementation.plugin->promises & SCOPECHECK_PROMISE_WAKES) != 0},
      begun_ns_(begun_ns) {}

bool Examiner::examine(const scenario::Scenario& scenario, std::uint64_t number) {
  const verdict::Evidence evidence = this->evidence(scenario);
  verdict::judge(evidence, findings_);
  bool accounted = true;
  if (tally_.sanitizer_reports != 0) {
    const std::string text = text_of(tally_.sanitizer_text);
    accounted = verdict::sanitizer(
        evidence,
        {.event = tally_.sanitizer_event,
         .in_harness = tally_.sanitizer_in_harness,
         .of_ended_memory = verdict::about_ended_memory(text, tally_.sanitizer_in_ended_storage),
         .witness = tally_.sanitizer_witness,
         .cell = tally_.sanitizer_in_harness && tally_.races_used != 0 ? tally_.races.front().cell
                                                                       : scenario::none},
        findings_);
    if (!accounted) note_fault(tally_, scenario, sanitizer_summary(text));
  }
  for (const verdict::Finding& finding : findings_) keep(finding, scenario, number);
  return accounted;
}

std::uint8_t Examiner::letters_of(const scenario::Scenario& scenario) const {
  return verdict::letters_of(evidence(scenario));
}

void Examiner::note_fault(Tally& tally, const scenario::Scenario& scenario, std::string_view what) {
  if (tally.faults++ != 0 && !(scenario < tally.fault_example)) return;
  tally.fault_example = scenario;
  const auto text = fmt::format_to_n(tally.fault_text.data(), tally.fault_text.size() - 1, "{}", what);
  *text.out = '\0';
}

void Examiner::note_outcome(Tally& tally, interpreter::Outcome outcome, const scenario::Scenario& scenario,
                            std::uint16_t op, std::string_view waiter) {
  const auto kind = static_cast<std::size_t>(outcome);
  OutcomeSlot& example = tally.outcome_example[kind];
  // of what is not clean the shortest is kept, so that the notes do not depend on who was first
  if (tally.outcomes[kind]++ != 0 &&
      (outcome == interpreter::Outcome::clean || !(scenario < example.scenario)))
    return;
  example.scenario = scenario;
  example.op = op;
  const auto text = fmt::format_to_n(example.waiter.data(), example.waiter.size() - 1, "{}", waiter);
  *text.out = '\0';
}

void Examiner::keep(const verdict::Finding& finding, const scenario::Scenario& scenario,
                    std::uint64_t number) {
  memory_finding_ = memory_finding_ || verdict::info(finding.kind()).memory;
  for (std::size_t i = 0; i < findings_of(tally_); ++i) {
    FoundSlot& known = tally_.findings[i];
    if (known.finding.signature != finding.signature) continue;
    ++known.times;
    if (scenario < known.scenario) {
      known.finding = finding;
      known.scenario = scenario;
    }
    return;
  }
  if (findings_of(tally_) == max_findings) {
    tally_.findings_overflowed = true;
    return;
  }
  tally_.findings[tally_.findings_used] = {finding, scenario, number, base::monotonic_ns() - begun_ns_, 1};
  ++tally_.findings_used;
}

std::string sanitizer_summary(std::string_view text) {
  for (const std::string_view mark :
       {"SUMMARY: ", "ERROR: AddressSanitizer: ", "WARNING: ThreadSanitizer: ", "runtime error: "}) {
    const std::size_t at = text.find(mark);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = text.substr(mark == "SUMMARY: " ? at + mark.size() : at);
    return std::string(rest.substr(0, rest.find('\n')));
  }
  return "";
}

}  // namespace scopecheck::campaign
