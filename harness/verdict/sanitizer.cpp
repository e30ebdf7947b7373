// Theory. ASan watches what the ledger cannot: memory that the runtime itself touches. A report while the
// runtime works is bookkeeping in dead memory (wake-after-free when a waker was being fired). A report at
// a touch that the ledger called alive means that one of the two witnesses is wrong: witness-conflict. A
// report at a touch that the ledger called late is the confirmation of that finding, not one of its own.
#include "harness/verdict/oracles.hpp"

#include <string_view>

namespace scopecheck::verdict {

using ledger::EventKind;

void sanitizer(const Evidence& evidence, const SanitizerReport& report, Findings& findings) {
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
      if (last.kind != EventKind::client_touched && (last.detail & ledger::touch_dead) != 0) return;
      finding.signature.kind = FindingKind::witness_conflict;
      finding.cell = last.subject;
      finding.task = last.actor;
    }
    // which op of the program the runtime was working for
    for (std::size_t i = at; i-- > 0;) {
      const ledger::Event& event = evidence.events[i];
      if (event.kind != EventKind::op_begun && event.kind != EventKind::program_ended) continue;
      finding.used_at = event.kind == EventKind::op_begun ? event.op : last.op;
      break;
    }
    const CauseOp during = cause_at(evidence.program, finding.used_at);
    finding.signature.ended_by = during.cause;
    finding.signature.ended_op = during.op;
    finding.ended_at = Finding::no_op;
  }
  findings.add(finding);
}

}  // namespace scopecheck::verdict
