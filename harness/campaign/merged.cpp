#include "harness/campaign/merged.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace scopecheck::campaign {

bool plausible(const scenario::Scenario& scenario) {
  return scenario.ops.size() <= scenario.ops.capacity() &&
         std::ranges::all_of(scenario.ops, [](const scenario::Op& op) {
           return static_cast<std::size_t>(op.kind) < scenario::op_kinds;
         });
}

bool plausible(const ledger::Ledger& ledger) {
  return ledger.events().size() <= ledger::max_events &&
         std::ranges::all_of(ledger.events(), [](const ledger::Event& event) {
           return static_cast<std::size_t>(event.kind) < ledger::event_kinds;
         });
}

bool plausible(const Tally& tally) {
  constexpr std::uint64_t more_than_anybody_can_run = std::uint64_t{1} << 56;
  return tally.done.load() < more_than_anybody_can_run && tally.finished.load() <= 2 &&
         std::ranges::all_of(tally.outcomes, [](std::uint64_t n) { return n < more_than_anybody_can_run; });
}

std::size_t findings_of(const Tally& tally) {
  return std::min<std::size_t>(tally.findings_used, max_findings);
}

bool plausible(const FoundSlot& slot) {
  return static_cast<std::size_t>(slot.finding.kind()) < verdict::kind_table.size() &&
         plausible(slot.scenario);
}

Merged merge(std::span<const Tally* const> tallies) {
  Merged merged;
  merged.per_length.resize(scenario::max_ops);
  merged.op_reach.resize(scenario::op_kinds);
  merged.event_reach.resize(ledger::event_kinds);
  merged.all_finished = !tallies.empty();
  const auto add = [](std::vector<std::uint64_t>& sums, const auto& counts) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += counts[i];
  };
  std::map<verdict::Signature, Found> found;
  for (const Tally* tally : tallies) {
    if (!plausible(*tally)) {
      merged.all_finished = false;
      merged.errors.emplace_back("a runner's report is damaged: the implementation wrote over it");
      continue;
    }
    merged.done += tally->done.load();
    add(merged.per_length, tally->per_length);
    add(merged.op_reach, tally->op_reach);
    add(merged.event_reach, tally->event_reach);
    for (std::size_t i = 0; i < outcome_kinds; ++i) {
      merged.outcomes[i] += tally->outcomes[i];
      const OutcomeSlot& example = tally->outcome_example[i];
      if (tally->outcomes[i] == 0 || !plausible(example.scenario)) continue;
      if (!merged.outcome_example[i] || example.scenario < merged.outcome_example[i]->scenario)
        merged.outcome_example[i] = OutcomeExample{example.scenario, example.op, text_of(example.waiter)};
    }
    merged.goals |= tally->goals;
    for (std::size_t i = 0; i < verdict::letters; ++i) {
      const scenario::Scenario& example = tally->letter_example[i];
      if ((tally->letters >> i & 1) == 0 || !plausible(example)) continue;
      if (!merged.letter_example[i] || example < *merged.letter_example[i])
        merged.letter_example[i] = example;
    }
    merged.crashes += tally->crashes;
    merged.faults += tally->faults;
    if (tally->faults != 0 && plausible(tally->fault_example) &&
        (!merged.fault || tally->fault_example < merged.fault->scenario))
      merged.fault = Fault{tally->fault_example, text_of(tally->fault_text)};
    merged.findings_overflowed = merged.findings_overflowed || tally->findings_overflowed;
    for (std::size_t i = 0; i < findings_of(*tally); ++i) {
      const FoundSlot& slot = tally->findings[i];
      if (!plausible(slot)) continue;
      const Found candidate{slot.finding, slot.scenario, slot.after_scenarios, slot.after_ns, slot.times};
      const auto [at, is_new] = found.try_emplace(slot.finding.signature, candidate);
      if (is_new) continue;
      Found& known = at->second;
      known.times += candidate.times;
      // the shortest example, and when the signature was first seen: neither depends on how the work was
      // divided
      if (candidate.scenario < known.scenario) {
        known.finding = candidate.finding;
        known.scenario = candidate.scenario;
      }
      known.number = std::min(known.number, candidate.number);
      known.after_ns = std::min(known.after_ns, candidate.after_ns);
    }
    const std::uint8_t finished = tally->finished.load();
    merged.all_finished = merged.all_finished && finished == 1;
    merged.deadline_reached = merged.deadline_reached || finished == 2;
    if (std::string error = text_of(tally->error);
        !error.empty() && std::ranges::find(merged.errors, error) == merged.errors.end())
      merged.errors.push_back(std::move(error));
  }
  for (auto& [signature, one] : found) merged.findings.push_back(std::move(one));
  std::ranges::sort(merged.findings, {}, [](const Found& one) {
    return std::tuple(one.scenario.cost(), one.number, one.finding.signature);
  });
  return merged;
}

}  // namespace scopecheck::campaign
