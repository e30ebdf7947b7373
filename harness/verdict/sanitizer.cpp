// Theory. ASan watches what the ledger cannot: memory that the runtime itself touches. A report about ended
// memory while the runtime works is late bookkeeping (wake-after-free when a waker was being fired). Any
// other report there (an overflow, a wild pointer) is a defect, too, but no proof of a late use. A report at
// a touch that the ledger called alive means that one of the two witnesses is wrong: witness-conflict. A
// report at a touch that the ledger called late is the confirmation of that finding, not one of its own.
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

}  // namespace

bool about_ended_memory(std::string_view report, bool in_ended_storage) {
  constexpr std::string_view mark = "AddressSanitizer: ";
  const std::size_t at = report.find(mark);
  if (at == std::string_view::npos) return false;
  const std::string_view what = report.substr(at + mark.size());
  for (const std::string_view name :
       {"heap-use-after-free", "stack-use-after-return", "stack-use-after-scope", "attempting double-free"})
    if (what.starts_with(name)) return true;
  // a page of ended storage is inaccessible, where code is about that ASan does not see
  return (what.starts_with("use-after-poison") || what.starts_with("SEGV")) && in_ended_storage;
}

bool sanitizer(const Evidence& evidence, const SanitizerReport& report, Findings& findings) {
  const std::size_t at = report.event;
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
    const bool touch = last.kind == EventKind::touched_read || last.kind == EventKind::touched_write ||
                       last.kind == EventKind::touched_by_capture ||
                       last.kind == EventKind::touched_by_result ||
                       last.kind == EventKind::touched_by_payload || last.kind == EventKind::client_touched;
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
