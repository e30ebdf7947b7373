#include "harness/campaign/gate.hpp"

#include "harness/abi/registry.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/supervisor.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace scopecheck::campaign {
namespace {

/// The first words of a sanitizer's report: "stack-use-after-return".
std::string report_name(const std::string& text) {
  const std::string_view mark = "Sanitizer: ";  // Address's or Thread's
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + mark.size();
  if (text.compare(begin, 9, "data race") == 0) return "data race";
  return text.substr(begin, text.find(' ', begin) - begin);
}

GateRow run_case(const GateCase& planted, const std::filesystem::path& executable) {
  GateRow row{.planted = &planted};
  const scopecheck_plugin* plugin = abi::find_registered(planted.implementation);
  const auto parsed = scenario::parse(planted.program);
  if (plugin == nullptr || !parsed) {
    row.detail = plugin == nullptr ? "the canary is not in this build" : parsed.error().message;
    return row;
  }
  const interpreter::Implementation canary{plugin, 0};
  if (const auto formed =
          scenario::check(parsed->scenario, interpreter::offers_of(canary, scenario::Discipline::safe));
      !formed) {
    row.detail = formed.error().message;
    return row;
  }
  Job job = job_for(canary, scenario::Discipline::safe);
  job.engine = Engine::one;
  job.runs = 1;
  job.real_access = planted.witness != Witness::ledger;
  job.scenario = parsed->scenario;
  const auto run = run_one(job, {.executable = executable});
  if (!run) {
    row.detail = run.error();
    return row;
  }
  if (run->death) row.detail = describe(*run->death);
  const bool found =
      std::ranges::any_of(run->findings, [&](const Found& f) { return f.finding.kind() == planted.kind; });
  if (!planted.finds) {
    row.caught = run->findings.empty() && run->sanitizer_reports == 0 && !run->death;
    if (!row.caught) row.detail = "the sound twin was reported";
  } else if (planted.witness == Witness::ledger) {
    row.caught = found;
  } else {
    // It must speak at the very event that the ledger calls late; where it is alone, anywhere.
    const bool late_touch = verdict::info(planted.kind).seen_by == Witness::ledger;
    const auto at_event = std::ranges::any_of(
        run->findings, [&](const Found& f) { return f.finding.event + 1 == run->sanitizer_event; });
    row.caught =
        found && run->sanitizer_reports > 0 && (!late_touch || (run->sanitizer_in_harness && at_event));
    row.detail = row.caught ? report_name(run->sanitizer_text)
                            : fmt::format("{} sanitizer reports", run->sanitizer_reports);
  }
  if (!row.caught && row.detail.empty()) row.detail = "not noticed";
  return row;
}

bool all_caught(const std::vector<GateRow>& rows, Witness witness) {
  bool any = false;
  for (const GateRow& row : rows) {
    if (row.planted->witness != witness) continue;
    any = true;
    if (!row.caught) return false;
  }
  return any;
}

}  // namespace

bool Gate::works(Witness witness) const {
  const bool missing = (witness == Witness::asan && !asan_missing.empty()) ||
                       (witness == Witness::tsan && !tsan_missing.empty());
  return !missing && all_caught(rows, witness);
}

std::string Gate::first_failure(bool threads) const {
  if (!asan_missing.empty()) return fmt::format("no ASan witness: {}", asan_missing);
  if (threads && !tsan_missing.empty()) return fmt::format("no TSan witness: {}", tsan_missing);
  for (const GateRow& row : rows)
    if (!row.caught && (threads || row.planted->witness != Witness::tsan))
      return fmt::format("{} is blind here: {} ({}, {}): {}", in_words(row.planted->witness),
                         row.planted->implementation, row.planted->place, row.planted->carrier, row.detail);
  return "";
}

Gate run_gate(const Programs& programs) {
  Gate gate;
  if (!programs.has(Witness::asan)) gate.asan_missing = programs.asan_missing;
  if (!programs.has(Witness::tsan)) gate.tsan_missing = programs.tsan_missing;
  for (const GateCase& planted : gate_cases()) {
    if (programs.has(planted.witness))
      gate.rows.push_back(run_case(planted, programs.of(planted.witness)));
    else
      gate.rows.push_back(
          {.planted = &planted, .detail = fmt::format("no {} build", in_words(planted.witness))});
  }
  return gate;
}

}  // namespace scopecheck::campaign
