#include "harness/verdict/evidence.hpp"

namespace scopecheck::verdict {

namespace {

scenario::OpKind opener_of(const scenario::Scenario& program, std::size_t end) {
  std::size_t depth = 0;
  for (std::size_t i = end + 1; i-- > 0;) {
    if (program.ops[i].kind == scenario::OpKind::end) ++depth;
    if (scenario::opens(program.ops[i].kind) && --depth == 0) return program.ops[i].kind;
  }
  return scenario::OpKind::end;
}

}  // namespace

CauseOp cause_at(const scenario::Scenario& program, std::size_t op) {
  const std::size_t size = program.ops.size();
  if (op < size) {
    const scenario::OpKind kind = program.ops[op].kind;
    if (kind != scenario::OpKind::end) return {Cause::op, kind};
    const bool returns = opener_of(program, op) == scenario::OpKind::enter;
    return returns ? CauseOp{Cause::op, scenario::OpKind::enter} : CauseOp{Cause::frame_end, {}};
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
