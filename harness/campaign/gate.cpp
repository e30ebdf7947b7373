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
  const std::string_view mark = "AddressSanitizer: ";
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + mark.size();
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
  job.real_access = planted.witness == Witness::asan;
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
    // ASan must speak at the very event that the ledger calls late; for the runtime's memory it is alone
    const bool late_touch = planted.kind == verdict::FindingKind::use_after_scope;
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

bool Gate::ledger_works() const { return all_caught(rows, Witness::ledger); }
bool Gate::asan_works() const { return asan_missing.empty() && all_caught(rows, Witness::asan); }

std::string Gate::first_failure() const {
  if (!asan_missing.empty()) return fmt::format("no ASan witness: {}", asan_missing);
  for (const GateRow& row : rows)
    if (!row.caught)
      return fmt::format("{} is blind here: {} ({}, {}): {}",
                         row.planted->witness == Witness::asan ? "ASan" : "the ledger",
                         row.planted->implementation, row.planted->place, row.planted->carrier, row.detail);
  return "";
}

Gate run_gate(const std::filesystem::path& program, const std::filesystem::path& asan_program,
              std::string asan_missing) {
  Gate gate;
  gate.asan_missing = std::move(asan_missing);
  for (const GateCase& planted : gate_cases()) {
    if (planted.witness == Witness::asan && !gate.asan_missing.empty()) {
      gate.rows.push_back({.planted = &planted, .detail = "no ASan build"});
      continue;
    }
    gate.rows.push_back(run_case(planted, planted.witness == Witness::asan ? asan_program : program));
  }
  return gate;
}

}  // namespace scopecheck::campaign
