#include "harness/campaign/confirm.hpp"

#include "harness/campaign/jobs.hpp"
#include "harness/report/lifeline.hpp"
#include "harness/shrinker/shrink.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace scopecheck::campaign {
namespace {

const Found* with_kind(const OneRun& run, verdict::FindingKind kind) {
  const auto found =
      std::ranges::find_if(run.findings, [&](const Found& f) { return f.finding.kind() == kind; });
  return found == run.findings.end() ? nullptr : &*found;
}

const Found* with_signature(const OneRun& run, const verdict::Signature& signature) {
  const auto found =
      std::ranges::find_if(run.findings, [&](const Found& f) { return f.finding.signature == signature; });
  return found == run.findings.end() ? nullptr : &*found;
}

/// ASan's first report came at the first touch that the ledger calls late.
bool reported_at_first_late_touch(const OneRun& run) {
  if (run.sanitizer_reports == 0 || !run.sanitizer_in_harness) return false;
  const auto events = run.ledger.events();
  for (std::size_t i = 0; i < events.size(); ++i)
    if (ledger::is_touch(events[i].kind) && (events[i].detail & ledger::touch_dead) != 0)
      return run.sanitizer_event == i + 1;
  return false;
}

/// TSan reported the cell at the late touch; or since its loan was over, at the store of whoever had it back:
/// that one races with an earlier touch of the same thread, and TSan may take the late one for a repetition
/// of it.
bool reported_since_the_loan_was_over(const OneRun& run, const verdict::Finding& late) {
  const auto events = run.ledger.events().first(late.event);
  std::size_t since = 0;
  for (std::size_t i = 0; i < events.size(); ++i)
    if (events[i].subject == late.cell && events[i].kind == ledger::EventKind::loan_expired) since = i;
  return std::ranges::any_of(run.races, [&](const Race& race) {
    return race.cell == late.cell && race.event > since && race.event <= late.event + 1;
  });
}

}  // namespace

std::expected<OneRun, std::string> Confirmer::once(const scenario::Scenario& scenario, How how) const {
  Job job = job_for(implementation, discipline);
  job.engine = Engine::one;
  job.runs = 1;
  job.real_access = how.real_access;
  job.scenario = scenario;
  const Witness where = programs.has(how.witness) ? how.witness : Witness::ledger;
  return run_one(job, {.executable = programs.of(where), .symbolize = how.symbolize});
}

bool Confirmer::can_testify(Witness sanitizer, verdict::FindingKind kind) const {
  if (!programs.has(sanitizer)) return false;
  if (sanitizer == Witness::asan) return verdict::info(kind).asan_confirms;
  return verdict::info(kind).tsan_confirms && offers.threads;  // else there is but one thread
}

void Confirmer::testify(Witness sanitizer, const Found& found, Confirmation& confirmation) const {
  const auto run = once(found.scenario, {.witness = sanitizer, .real_access = true, .symbolize = true});
  if (!run) return;
  if (!run->sanitizer_text.empty() && !confirmation.sanitizer_text.empty())
    confirmation.sanitizer_text += '\n';
  confirmation.sanitizer_text += run->sanitizer_text;
  const Found* const again = with_signature(*run, found.finding.signature);
  const bool agrees = sanitizer == Witness::asan
                          ? reported_at_first_late_touch(*run)
                          : again != nullptr && reported_since_the_loan_was_over(*run, again->finding);
  if (agrees) {
    confirmation.confirmed_by.emplace_back(to_string(sanitizer));
    return;
  }
  // What the implementation may have ordered, or one thread did, is no race: TSan need not speak of it.
  if (sanitizer == Witness::tsan && again != nullptr &&
      (run->ledger.events()[again->finding.event].detail & ledger::touch_unordered) == 0)
    return;
  confirmation.conflict = true;
  confirmation.conflict_text =
      fmt::format("the ledger calls {} where {} {}", verdict::info(found.finding.kind()).text,
                  in_words(sanitizer), run->sanitizer_reports == 0 ? "is silent" : "reports something else");
}

Confirmation Confirmer::confirm(const Found& found, const report::Style& style) const {
  Confirmation confirmation;
  const verdict::FindingKind kind = found.finding.kind();
  if (const Witness alone = verdict::info(kind).seen_by; alone != Witness::ledger) {
    const auto run = once(found.scenario, {.witness = alone, .symbolize = true});
    if (!run) return confirmation;
    confirmation.sanitizer_text = run->sanitizer_text;
    const Found* again = with_kind(*run, kind);
    if (again != nullptr) confirmation.confirmed_by.emplace_back(to_string(alone));
    confirmation.lifeline = report::lifeline(found.scenario, run->ledger.events(),
                                             again != nullptr ? &again->finding : nullptr, style);
    return confirmation;
  }
  const auto fast = once(found.scenario, {});
  if (!fast) return confirmation;
  const Found* again = with_signature(*fast, found.finding.signature);
  if (again == nullptr) return confirmation;
  confirmation.confirmed_by.emplace_back("ledger");
  confirmation.lifeline = report::lifeline(found.scenario, fast->ledger.events(), &again->finding, style);
  for (const Witness sanitizer : {Witness::asan, Witness::tsan})
    if (can_testify(sanitizer, kind)) testify(sanitizer, found, confirmation);
  return confirmation;
}

Found Confirmer::shrunk(const Found& found) const {
  Found best = found;
  const auto still_shows = [&](const scenario::Scenario& candidate) {
    if (StopOnSignals::requested()) return false;
    const auto run = once(candidate, {.witness = verdict::info(found.finding.kind()).seen_by});
    if (!run) return false;
    const Found* again = with_signature(*run, found.finding.signature);
    if (again != nullptr) best.finding = again->finding;
    return again != nullptr;
  };
  best.scenario = shrinker::shrink(found.scenario, offers, still_shows).scenario;
  return best;
}

}  // namespace scopecheck::campaign
