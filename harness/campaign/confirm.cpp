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
bool agree_on_first_late_touch(const OneRun& run) {
  if (run.sanitizer_reports == 0 || !run.sanitizer_in_harness) return false;
  const auto events = run.ledger.events();
  for (std::size_t i = 0; i < events.size(); ++i) {
    const ledger::Event& e = events[i];
    const bool late = e.kind >= ledger::EventKind::touched_read &&
                      e.kind <= ledger::EventKind::touched_by_payload && (e.detail & ledger::touch_dead) != 0;
    if (late) return run.sanitizer_event == i + 1;
  }
  return false;
}

}  // namespace

bool seen_by_sanitizer_alone(verdict::FindingKind kind) {
  return kind == verdict::FindingKind::wake_after_free ||
         kind == verdict::FindingKind::bookkeeping_after_scope ||
         kind == verdict::FindingKind::witness_conflict;
}

std::expected<OneRun, std::string> Confirmer::once(const scenario::Scenario& scenario, How how) const {
  Job job = job_for(implementation, discipline);
  job.engine = Engine::one;
  job.runs = 1;
  job.real_access = how.real_access;
  job.scenario = scenario;
  return run_one(job, {.executable = how.asan ? asan_program : program, .symbolize = how.symbolize});
}

Confirmation Confirmer::confirm(const Found& found, const report::Style& style) const {
  Confirmation confirmation;
  const verdict::FindingKind kind = found.finding.kind();
  if (seen_by_sanitizer_alone(kind)) {
    const auto run = once(found.scenario, {.asan = has_asan, .symbolize = true});
    if (!run) return confirmation;
    confirmation.sanitizer_text = run->sanitizer_text;
    const Found* again = with_kind(*run, kind);
    if (again != nullptr) confirmation.confirmed_by.emplace_back("asan");
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
  if (!verdict::info(kind).asan_confirms || !has_asan) return confirmation;
  const auto real = once(found.scenario, {.asan = true, .real_access = true, .symbolize = true});
  if (!real) return confirmation;
  confirmation.sanitizer_text = real->sanitizer_text;
  if (agree_on_first_late_touch(*real)) {
    confirmation.confirmed_by.emplace_back("asan");
  } else {
    confirmation.conflict = true;
    confirmation.conflict_text =
        fmt::format("the ledger calls {} where ASan {}", verdict::info(kind).text,
                    real->sanitizer_reports == 0 ? "is silent" : "reports something else");
  }
  return confirmation;
}

Found Confirmer::shrunk(const Found& found) const {
  Found best = found;
  const bool asan = seen_by_sanitizer_alone(found.finding.kind());
  const auto still_shows = [&](const scenario::Scenario& candidate) {
    if (StopOnSignals::requested()) return false;
    const auto run = once(candidate, {.asan = asan && has_asan});
    if (!run) return false;
    const Found* again = with_signature(*run, found.finding.signature);
    if (again != nullptr) best.finding = again->finding;
    return again != nullptr;
  };
  best.scenario = shrinker::shrink(found.scenario, offers, still_shows).scenario;
  return best;
}

}  // namespace scopecheck::campaign
