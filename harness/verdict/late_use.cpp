// Theory. A touch is late when the cell's memory had ended (use-after-scope) or, the memory still alive,
// when the loan it rests on had expired with its carrier (aliased-borrow: the client may use the cell
// again). The ledger classified the touch when it happened; this oracle names the culprits by looking
// back: what ended the carrier, what ended the memory. Not claimed: that an expired loan was used while
// the client touched the cell too; that the client may is the defect.
#include "harness/verdict/oracles.hpp"

#include <vector>

namespace scopecheck::verdict {

using ledger::EventKind;

namespace {

/// The task in whose body `task` was spawned, or none.
std::uint8_t spawner_of(const scenario::Scenario& program, std::uint8_t task) {
  std::vector<std::uint8_t> bodies;  // of the blocks that are open; none: not a task's
  for (const scenario::Op& op : program.ops) {
    if (op.kind == scenario::OpKind::spawn && op.subject == task) {
      for (auto body = bodies.rbegin(); body != bodies.rend(); ++body)
        if (*body != scenario::none) return *body;
      return scenario::none;
    }
    if (op.kind == scenario::OpKind::end && !bodies.empty()) bodies.pop_back();
    if (scenario::opens(op.kind))
      bodies.push_back(op.kind == scenario::OpKind::spawn ? op.subject : scenario::none);
  }
  return scenario::none;
}

/// Whose loan of `cell` it is that `task` used: its own, or the one that was to be passed on to it when it
/// had ended already, so that the task never took one.
std::uint8_t holder_of(const Evidence& evidence, std::size_t before, std::uint8_t cell, std::uint8_t task) {
  std::uint8_t holder = task;
  while (holder != scenario::none &&
         last_before(evidence, before, EventKind::loan_taken, cell, holder) == nullptr)
    holder = spawner_of(evidence.program, holder);
  return holder == scenario::none ? task : holder;
}

}  // namespace

void late_use(const Evidence& evidence, Findings& findings) {
  for (std::size_t i = 0; i < evidence.events.size(); ++i) {
    const ledger::Event& use = evidence.events[i];
    if (!ledger::is_touch(use.kind) || use.detail == ledger::touch_ok) continue;
    Finding finding;
    finding.signature.kind =
        (use.detail & ledger::touch_dead) != 0 ? FindingKind::use_after_scope : FindingKind::aliased_borrow;
    finding.signature.used_by = use.kind;
    finding.task = use.actor;
    finding.cell = use.subject;
    finding.used_at = use.op;
    finding.event = static_cast<std::uint32_t>(i);
    const std::uint8_t holder = holder_of(evidence, i, use.subject, use.actor);
    if (const auto* taken = last_before(evidence, i, EventKind::loan_taken, use.subject, holder)) {
      finding.taken_at = taken->op;
      finding.value = taken->detail;
    }
    if (const auto* expired = last_before(evidence, i, EventKind::loan_expired, use.subject, holder)) {
      finding.released_at = expired->op;
      const CauseOp cause = cause_at(evidence.program, expired->op);
      finding.signature.released_by = cause.cause;
      finding.signature.released_op = cause.op;
    }
    if ((use.detail & ledger::touch_dead) != 0) {
      if (const auto* died = last_before(evidence, i, EventKind::cell_died, use.subject)) {
        finding.ended_at = died->op;
        const CauseOp cause = cause_at(evidence.program, died->op);
        finding.signature.ended_by = cause.cause;
        finding.signature.ended_op = cause.op;
      }
    }
    findings.add(finding);
  }
}

void scribble(const Evidence& evidence, Findings& findings) {
  for (std::size_t i = 0; i < evidence.events.size(); ++i) {
    const ledger::Event& event = evidence.events[i];
    if (event.kind != EventKind::scribbled) continue;
    Finding finding;
    finding.signature.kind = FindingKind::witness_conflict;
    finding.signature.used_by = event.kind;
    finding.cell = event.subject;
    finding.used_at = event.op;
    finding.event = static_cast<std::uint32_t>(i);
    findings.add(finding);
  }
}

}  // namespace scopecheck::verdict
