// Async blocks on suspendable stacks, where the implementation supplies them: the client's block runs on real
// frames there, and a suspension, at whatever depth, leaves all of them as they stand.
//
//   poll ── stack_resume ──▶ on_stack ── execute ── enter ── execute ── suspend
//    ▲                                                                     │ stack_suspend
//    └─────────────────────────────────────────────────────────────────────┘
//
// Destroying a suspended stack unwinds it natively: the suspension panics, in the client's program, and every
// call that the block stands in ends by that panic. Forgetting one is nothing at all: what it holds is never
// mentioned again, and an `enter` that it stands in never returns.
#include "harness/interpreter/guarded.hpp"
#include "harness/interpreter/state.hpp"
#include "harness/interpreter/tsan.hpp"

#include <utility>

namespace scopecheck::interpreter {

using scenario::none;
using scenario::OpKind;

namespace {

scopecheck_status on_stack(void* data, void* /*stack*/) {
  const HiddenFromTsan hidden;
  return current_state()->run_on_stack(*static_cast<Activation*>(data));
}

}  // namespace

scopecheck_status Machine::State::run_on_stack(Activation& a) {
  if (a.stack != OwnStack::fresh || stack_in_use != a.owner) {
    outcome = Outcome::error;
    error = "the body of a stack was run twice, or not by stack_resume";
    return SCOPECHECK_E_STATE;
  }
  a.stack = OwnStack::running;
  const Flow flow = activate_block(a);
  a.stack = OwnStack::ended;
  return flow == Flow::unwinding ? SCOPECHECK_THROWN : SCOPECHECK_OK;
}

template <class Call>
scopecheck_status Machine::State::on_stack_of(std::uint8_t block, Call&& call) {
  if (stack_in_use == none) home.remember();
  const std::uint8_t outer = std::exchange(stack_in_use, block);
  const std::size_t op_outside = op;
  const scopecheck_status status = call(values[block].storage);
  op = op_outside;
  stack_in_use = outer;
  return status;
}

Flow Machine::State::resume_stack(std::uint8_t block) {
  Value& v = values[block];
  Activation& body = blocks[block];
  if (v.storage == nullptr) {
    void* const storage = fresh_storage(v, plugin.stack_size, plugin.stack_align);
    if (const auto status = heed(plugin.stack_init(rt, storage, &on_stack, &body), "stack_init failed");
        status != SCOPECHECK_OK) {
      v.storage = nullptr;  // there is no object
      body.stack = OwnStack::ended;
      return Flow::unwinding;
    }
  }
  const scopecheck_status status =
      heed(on_stack_of(block, plugin.stack_resume), "stack_resume reported an error");
  if ((status == SCOPECHECK_PENDING) != (body.stack == OwnStack::running)) {
    outcome = Outcome::error;
    error = "stack_resume must return PENDING where the body was suspended, and else when it has returned";
  }
  if (body.stack == OwnStack::running) return Flow::suspended;
  return status == SCOPECHECK_THROWN ? Flow::unwinding : Flow::closed;
}

bool Machine::State::suspends_stack(Activation& a) {
  if (a.stack != OwnStack::running) return false;
  const scopecheck_status status =
      heed(plugin.stack_suspend(values[a.owner].storage), "stack_suspend failed");
  if (outcome == Outcome::error) abandon(Outcome::error);  // it might be asked again for ever
  if (status == SCOPECHECK_THROWN) panic(a, nullptr);
  return true;
}

scopecheck_status Machine::State::destroy_stack(std::uint8_t block, bool unwinding) {
  Activation& body = blocks[block];
  const bool suspended = body.stack == OwnStack::running;
  if (suspended && any_live_task(block)) ledger.reach(ledger::Goal::stack_dropped_live);
  const scopecheck_status status =
      on_stack_of(block, [&](void* object) { return plugin.stack_destroy(object, unwinding ? 1 : 0); });
  if (scopecheck_object* const payload = std::exchange(body.panic, nullptr); payload != nullptr)
    static_cast<void>(drop_object(*payload));
  if (body.stack != OwnStack::running) return status;
  // not unwound: nobody runs the destructors of what stands on it
  for (const scenario::Declaration& decl : body.decls)
    if (decl.is_cell && status != SCOPECHECK_CLOSED) cell_ends(decl.index, body.actor);
  forget_contents(block, scenario::LeakVector::forget);
  return status == SCOPECHECK_CLOSED ? SCOPECHECK_OK : status;
}

bool Machine::State::enters_live(const Activation& a) const {
  for (const OpenBlock& open : a.blocks)
    if (open.opener == OpKind::enter && any_live_task(program->ops[open.opened_at].value)) return true;
  return false;
}

void Machine::State::forget_contents(std::uint8_t block, scenario::LeakVector vector) {
  const Activation& body = blocks[block];
  for (const scenario::Declaration& decl : body.decls)
    if (decl.is_cell)
      cells_leaked = static_cast<std::uint8_t>(cells_leaked | 1u << decl.index);
    else
      forgotten(decl.index, vector);
  for (const OpenBlock& open : body.blocks)  // calls that never return
    if (open.opener == OpKind::enter) forgotten(program->ops[open.opened_at].value, vector);
}

}  // namespace scopecheck::interpreter
