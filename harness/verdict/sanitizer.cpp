// Theory. ASan watches what the ledger cannot: memory that the runtime itself touches. A report about ended
// memory while the runtime works is late bookkeeping (wake-after-free when a waker was being fired). Any
// other report there (an overflow, a wild pointer) is a defect, too, but no proof of a late use. A report at
// a touch that the ledger called alive means that one of the two witnesses is wrong: witness-conflict. A
// report at a touch that the ledger called late is the confirmation of that finding, not one of its own.
//
// TSan knows no lifetimes, but who has a cell back, or ends it, writes it then (Machine::State::claim). So a
// race at a touch of the harness's own is one of a child with whoever had the cell before or after it. Either
// the child came late, which the ledger says as well, and this confirms it; or it came in time, and the
// implementation has not ordered what it did before the end of its loan, or behind the beginning: data-race.
#include "harness/verdict/oracles.hpp"

#include <string_view>

namespace scopecheck::verdict {

using ledger::EventKind;

namespace {

/// Which op of the program, or moment after it, the runtime was working for when there were `at` events.
std::uint16_t worked_for(const Evidence& evidence, std::size_t at) {
  const std::size_t size = evidence.program.ops.size();
  const auto moment = [&](std::size_t offset) { return static_cast<std::uint16_t>(size + offset); };
  std::size_t frames = 0;  // that are open
  bool outermost_ended = false;
  std::uint16_t op = 0;
  for (const ledger::Event& event : evidence.events.first(at)) {
    if (event.kind == EventKind::program_ended) return moment(ledger::at_runtime_end);
    if (event.kind == EventKind::frame_opened) ++frames;
    if (event.kind == EventKind::frame_ended) outermost_ended = --frames == 0;
    if (event.kind == EventKind::op_begun || event.op == size + ledger::at_outermost_end) op = event.op;
  }
  return outermost_ended ? moment(ledger::at_final_settle) : op;
}

/// The race at the harness's own touch of a cell when there were `at` events.
void race(const Evidence& evidence, std::size_t at, std::uint8_t cell, Findings& findings) {
  Finding finding;
  finding.signature.kind = FindingKind::data_race;
  finding.signature.used_by = evidence.events[at - 1].kind;
  finding.cell = cell;
  finding.used_at = evidence.events[at - 1].op;
  finding.event = static_cast<std::uint32_t>(at - 1);
  for (std::size_t i = 0; i < evidence.events.size(); ++i) {
    const ledger::Event& event = evidence.events[i];
    if (event.subject != cell) continue;
    if (ledger::is_touch(event.kind) && event.detail != ledger::touch_ok) return;  // confirmed
    if (i >= at) continue;
    if (ledger::is_touch(event.kind)) {
      finding.task = event.actor;
      finding.signature.used_by = event.kind;
      finding.used_at = event.op;
      finding.event = static_cast<std::uint32_t>(i);
    }
    if (event.kind == EventKind::loan_taken) {
      finding.taken_at = event.op;
      finding.value = event.detail;
    }
    if (event.kind == EventKind::loan_expired) {
      finding.released_at = event.op;
      const CauseOp cause = cause_at(evidence.program, event.op);
      finding.signature.released_by = cause.cause;
      finding.signature.released_op = cause.op;
    }
  }
  findings.add(finding);
}

}  // namespace

bool about_ended_memory(std::string_view report, bool in_ended_storage) {
  constexpr std::string_view mark = "Sanitizer: ";  // Address's or Thread's
  const std::size_t at = report.find(mark);
  if (at == std::string_view::npos) return false;
  const std::string_view what = report.substr(at + mark.size());
  for (const std::string_view name :
       {"heap-use-after-free", "stack-use-after-return", "stack-use-after-scope", "attempting double-free"})
    if (what.starts_with(name)) return true;
  // a page of ended storage is inaccessible, where code is about that ASan does not see
  return in_ended_storage &&
         (what.starts_with("use-after-poison") || what.starts_with("SEGV") || what.starts_with("data race"));
}

bool sanitizer(const Evidence& evidence, const SanitizerReport& report, Findings& findings) {
  const std::size_t at = report.event;
  if (report.witness == Witness::tsan && report.in_harness && at > 0 && at <= evidence.events.size()) {
    race(evidence, at, report.cell, findings);
    return true;
  }
  Finding finding;
  finding.event = static_cast<std::uint32_t>(at == 0 ? 0 : at - 1);
  finding.signature.kind = FindingKind::bookkeeping_after_scope;
  if (at > 0 && at <= evidence.events.size()) {
    const ledger::Event& last = evidence.events[at - 1];
    finding.used_at = last.op;
    finding.signature.used_by = last.kind;
    if (last.kind == EventKind::woken) {
      finding.signature.kind = FindingKind::wake_after_free;
      finding.task = last.subject;
    }
    const bool touch = ledger::is_touch(last.kind) || last.kind == EventKind::client_touched;
    if (touch && report.in_harness) {
      if (last.kind != EventKind::client_touched && (last.detail & ledger::touch_dead) != 0) return true;
      finding.signature.kind = FindingKind::witness_conflict;
      finding.cell = last.subject;
      finding.task = last.actor;
    }
    if (finding.kind() != FindingKind::witness_conflict && !report.of_ended_memory) return false;
    finding.used_at = worked_for(evidence, at);
    const CauseOp during = cause_at(evidence.program, finding.used_at);
    finding.signature.ended_by = during.cause;
    finding.signature.ended_op = during.op;
    finding.ended_at = Finding::no_op;
  } else if (!report.of_ended_memory) {
    return false;
  }
  findings.add(finding);
  return true;
}

}  // namespace scopecheck::verdict
