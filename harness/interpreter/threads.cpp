// Children that block a thread, in runtimes with threads of their own. Every step, and every destructor that
// a thread of the runtime runs, waits at its task's gate (schedule/conductor.hpp); whoever passed is alone
// with the harness's state until it comes to the next gate or goes back into the runtime. So a destructor is
// a step, too: the order "count falls, the client goes on, the captures die" is one that a schedule can ask
// for.
#include "harness/interpreter/state.hpp"
#include "harness/interpreter/tsan.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace scopecheck::interpreter {

using ledger::client_actor;
using ledger::EventKind;
using scenario::none;

Role& role() {
  thread_local Role mine = Role::none;
  return mine;
}

// ---- calls through the door -------------------------------------------------------------------------

std::size_t Crossing::hand_over(Machine::State& state, bool waits) {
  state.leaves();
  // from within a step its thread goes on by itself
  if (!waits || role() != Role::driver) return no_call;
  role() = Role::none;
  return state.conductor->begin_call();
}

void Crossing::take_back(const Machine::State& state, std::size_t call) {
  if (call != no_call) {
    state.conductor->end_call(call);
    role() = Role::driver;
  } else if (role() == Role::driver) {
    state.conductor->settle();
  }
}

bool Admission::wait(schedule::Conductor& conductor, std::uint8_t task) {
  if (role() != Role::none) return false;
  conductor.arrive(task == none ? schedule::Conductor::root : task);
  role() = Role::step;
  return true;
}

void Admission::leave(Machine::State& state, bool taken) {
  state.leaves();
  if (taken) role() = Role::none;
}

// ---- who has a cell to itself -----------------------------------------------------------------------

void Machine::State::claim(std::uint8_t cell, std::uint64_t value) {
  const TouchOfCell touch(*this, cell);
  Cell& memory = *cell_at[cell];
  claimed_by[cell] = &role();
  const ShownToTsan shown;
  memory = value;
}

void Machine::State::leaves() {
  tsan_release(&claimed_by);  // for the next run: see prepare()
  std::ranges::replace(claimed_by, static_cast<const void*>(&role()), static_cast<const void*>(nullptr));
}

// ---- bodies -----------------------------------------------------------------------------------------

scopecheck_status Machine::State::block(scopecheck_child& child, scopecheck_object** out) {
  *out = nullptr;
  if (conductor == nullptr) {
    outcome = Outcome::error;
    error = "child_block called for a suspending child";
    return SCOPECHECK_E_STATE;
  }
  if (child.task == none) return block_root(out);
  const Role before = role();
  const bool ungated = before != Role::none;
  if (!ungated) conductor->arrive(child.task);
  role() = Role::step;
  scopecheck_status status = SCOPECHECK_OK;
  if (begin_step(child)) {
    Activation& a = child.activation;
    child.ungated = ungated;
    child.fresh = true;
    child.stepping = true;
    child.op_outside = static_cast<std::uint16_t>(op);
    a.started = true;
    a.waker = &noop_waker();
    op = a.pc;
    a.blocks.push_back({scenario::OpKind::spawn, 0, a.pc});
    const Flow flow = execute(a, 0, nullptr);
    child.stepping = false;
    status = end_step(child, flow, out);
    op = child.op_outside;
    if (status == SCOPECHECK_PENDING)
      status = SCOPECHECK_OK;  // destroyed from within: nothing is left to run
  }
  leaves();
  role() = before;
  return status;
}

void Machine::State::pause(scopecheck_child& child, bool parks) {
  if (child.ungated) return;
  const std::size_t op_inside = op;
  ledger.append(parks ? EventKind::parked : EventKind::suspended, child.task, child.task, parks ? 0 : 1, op);
  child.parked = parks;
  op = child.op_outside;
  role() = Role::none;
  if (parks) child.bench.pass();
  conductor->arrive(child.task);
  role() = Role::step;
  child.op_outside = static_cast<std::uint16_t>(op);
  child.stepping = false;  // its own step goes on: nobody steps it twice
  static_cast<void>(begin_step(child));
  child.stepping = true;
  child.fresh = true;
  op = op_inside;
}

scopecheck_status Machine::State::block_root(scopecheck_object** out) {
  Activation& a = root.activation;
  conductor->arrive_as_driver();
  scopecheck_status status = SCOPECHECK_E_STATE;
  if (root.stepping || root.dropped || a.finished) {
    outcome = Outcome::error;
    error = "the root task of block_on was run when it was done or running";
  } else {
    role() = Role::driver;
    promised.child_begins(root);
    root.stepping = true;
    const std::size_t op_outside = op;
    a.started = true;
    a.waker = &noop_waker();
    op = a.pc;
    a.blocks.push_back({scenario::OpKind::inside, 0, a.pc});
    const Flow flow = execute(a, 0, nullptr);
    root.stepping = false;
    status = end_step(root, flow, out);
    op = op_outside;
  }
  leaves();
  role() = Role::none;
  conductor->depart_as_driver();
  return status;
}

// ---- the client's side ------------------------------------------------------------------------------

void Machine::State::settle_threads() {
  do conductor->settle();
  while (conductor->permit_lowest());
}

void Machine::State::wake_parked_threads() {
  for (bool woken = true; woken;) {
    woken = false;
    for (std::uint8_t task = 0; task < tasks_used; ++task) {
      scopecheck_child& child = children[task];
      if (!std::exchange(child.parked, false)) continue;
      woken = true;
      ledger.append(EventKind::woken, client_actor, task, 0, op);
      child.bench.open();
      settle_threads();
    }
  }
}

bool Machine::State::threads_left() const {
  if (conductor == nullptr) return false;
  for (std::uint8_t task = 0; task < tasks_used; ++task)
    if (ledger.task_is(task, ledger::task_spawned) && !task_done(task)) return true;
  return false;
}

void Machine::State::give_up(Outcome how) {
  hide_from_tsan(true);  // any thread may come here, also from within the implementation
  outcome = how;
  running = false;
  if (unreturnable != nullptr) unreturnable(unreturnable_context, how);
  static_cast<void>(std::fprintf(stderr, "scopecheck: internal error: a run with threads cannot be left\n"));
  std::_Exit(EXIT_FAILURE);
}

}  // namespace scopecheck::interpreter
