#include "harness/verdict/evidence.hpp"

namespace scopecheck::verdict {

CauseOp cause_at(const scenario::Scenario& program, std::size_t op) {
  const std::size_t size = program.ops.size();
  if (op < size) {
    const scenario::OpKind kind = program.ops[op].kind;
    return kind == scenario::OpKind::end ? CauseOp{Cause::frame_end, {}} : CauseOp{Cause::op, kind};
  }
  if (op == size + ledger::at_outermost_end) return {Cause::frame_end, {}};
  if (op == size + ledger::at_final_settle) return {Cause::final_settle, {}};
  return {Cause::runtime_end, {}};
}

const ledger::Event* last_before(const Evidence& evidence, std::size_t before, ledger::EventKind kind,
                                 std::uint8_t subject, std::uint8_t actor) {
  for (std::size_t i = before; i-- > 0;) {
    const ledger::Event& event = evidence.events[i];
    if (event.kind == kind && event.subject == subject && (actor == any_actor || event.actor == actor))
      return &event;
  }
  return nullptr;
}

}  // namespace scopecheck::verdict
