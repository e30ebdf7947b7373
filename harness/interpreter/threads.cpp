// Runtimes with threads of their own. Every step, and every destructor that a thread of the runtime runs,
// waits at its task's gate (schedule/conductor.hpp); whoever passed is alone with the harness's state until
// it comes to the next gate or goes back into the runtime. So a destructor is a step, too: the order "count
// falls, the client goes on, the captures die" is one that a schedule can ask for. Children that block their
// thread wait there; children that suspend are let in to ask, and suspend until they are permitted.
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

static_assert(schedule::root >= scenario::max_tasks);

Role& role() {
  thread_local Role mine = Role::none;
  return mine;
}

std::size_t& lane() {
  thread_local std::size_t mine = schedule::lanes;
  return mine;
}

namespace {

/// What the client was at when this thread came into harness code.
std::size_t& op_outside() {
  thread_local std::size_t mine = 0;
  return mine;
}

/// From here on this thread is in harness code for `task`.
void enter(const Machine::State& state, std::uint8_t task) {
  role() = Role::step;
  lane() = task == none ? schedule::root : task;
  op_outside() = state.op;
}

/// Added to the op that a call was made at, from within a step.
constexpr std::size_t out_of_a_step = 1u << 16;

}  // namespace

// ---- calls through the door -------------------------------------------------------------------------

std::size_t Crossing::hand_over(Machine::State& state, bool waits) {
  state.leaves();
  if (!waits || role() == Role::none) return no_call;
  if (role() == Role::step) {
    const std::size_t inside = std::exchange(state.op, op_outside());
    role() = Role::none;
    state.conductor->leave();
    return out_of_a_step + inside;
  }
  role() = Role::none;
  lane() = schedule::client;
  return state.conductor->begin_call();
}

void Crossing::take_back(Machine::State& state, std::size_t call) {
  if (call != no_call && call >= out_of_a_step) {
    state.conductor->arrive(lane());
    enter(state, static_cast<std::uint8_t>(lane()));
    state.op = call - out_of_a_step;
  } else if (call != no_call) {
    state.conductor->end_call(call);
    role() = Role::driver;
    lane() = schedule::lanes;
  } else if (role() == Role::driver && !state.conductor->free()) {
    state.conductor->settle();
  } else if (role() == Role::step && !state.children_block && !state.conductor->free()) {
    // The call may have set another worker going: whether it has come to its child by the next call, which
    // may be the end of that child, is not for chance to say.
    const std::size_t inside = std::exchange(state.op, op_outside());
    role() = Role::none;
    state.conductor->leave();
    state.conductor->ask(lane());
    enter(state, static_cast<std::uint8_t>(lane()));
    state.op = inside;
  }
}

bool Admission::wait(Machine::State& state, std::uint8_t task) {
  if (role() != Role::none) return false;
  state.conductor->arrive(task == none ? schedule::root : task);
  enter(state, task);
  return true;
}

void Admission::leave(Machine::State& state, bool taken) {
  state.leaves();
  if (!taken) return;
  role() = Role::none;
  state.conductor->leave();
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
  if (!children_block) {
    outcome = Outcome::error;
    error = "child_block called for a suspending child";
    return SCOPECHECK_E_STATE;
  }
  if (child.task == none) return block_root(out);
  const Role before = role();
  const bool ungated = before != Role::none;
  if (!ungated) {
    conductor->arrive(child.task);
    enter(*this, child.task);
  }
  role() = Role::step;
  scopecheck_status status = SCOPECHECK_OK;
  if (begin_step(child)) {
    Activation& a = child.activation;
    child.ungated = ungated;
    child.fresh = true;
    child.stepping = true;
    const std::size_t outside = op;
    a.started = true;
    a.waker = &noop_waker();
    op = a.pc;
    a.blocks.push_back({scenario::OpKind::spawn, 0, a.pc});
    const Flow flow = execute(a, 0, nullptr);
    child.stepping = false;
    status = end_step(child, flow, out);
    op = ungated ? outside : op_outside();
    if (status == SCOPECHECK_PENDING)
      status = SCOPECHECK_OK;  // destroyed from within: nothing is left to run
  }
  leaves();
  role() = before;
  if (!ungated) conductor->leave();
  return status;
}

void Machine::State::pause(scopecheck_child& child, bool parks) {
  if (child.ungated) return;
  const std::size_t op_inside = op;
  ledger.append(parks ? EventKind::parked : EventKind::suspended, child.task, child.task, parks ? 0 : 1, op);
  child.parked = parks;
  op = op_outside();
  role() = Role::none;
  conductor->leave();
  if (parks) child.bench.pass();
  conductor->arrive(child.task);
  enter(*this, child.task);
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
    const std::size_t outside = op;
    a.started = true;
    a.waker = &noop_waker();
    op = a.pc;
    a.blocks.push_back({scenario::OpKind::inside, 0, a.pc});
    const Flow flow = execute(a, 0, nullptr);
    root.stepping = false;
    status = end_step(root, flow, out);
    op = outside;
  }
  leaves();
  role() = Role::none;
  conductor->depart_as_driver();
  return status;
}

scopecheck_status Machine::State::step_on_thread(scopecheck_child& child, const scopecheck_waker& waker,
                                                 scopecheck_object** out) {
  conductor->ask(child.task);
  enter(*this, child.task);
  const scopecheck_status status = take_step(child, waker, out);
  op = op_outside();  // the client may have gone on while the step waited
  leaves();
  role() = Role::none;
  conductor->leave();
  return status;
}

scopecheck_status Machine::State::step_as_driver(scopecheck_child& child, const scopecheck_waker& waker,
                                                 scopecheck_object** out) {
  conductor->arrive_as_driver();
  role() = Role::driver;
  const scopecheck_status status = take_step(child, waker, out);
  role() = Role::none;
  conductor->depart_as_driver();
  return status;
}

// ---- the client's side ------------------------------------------------------------------------------

// The controller calls these: a thread that no gate orders, as far as TSan knows.

void Machine::State::stuck(const schedule::Hang& hang) {
  const HiddenFromTsan hidden;
  if (conductor->free() && wake_one_parked()) return;  // what is looked for is not who wakes whom
  waiter = hang.waiter;
  give_up(hang.proved ? Outcome::hang : Outcome::hang_suspected);
}

schedule::Lanes Machine::State::suspended() const {
  const HiddenFromTsan hidden;
  schedule::Lanes set = 0;
  for (std::size_t task = 0; task < tasks_used; ++task)
    if (children[task].gate_waiting && !children[task].dropped) set |= schedule::Lanes{1} << task;
  return set;
}

std::size_t Machine::State::moment() const {
  const HiddenFromTsan hidden;
  return op;
}

void Machine::State::wake(std::size_t task) {
  const HiddenFromTsan hidden;
  ++children[task].permits;
  wake_gates();
}

void Machine::State::settle_threads() {
  do conductor->settle();
  while (conductor->permit_next());
}

bool Machine::State::wake_one_parked() {
  for (std::uint8_t task = 0; task < tasks_used && children_block; ++task) {
    if (!std::exchange(children[task].parked, false)) continue;
    ledger.append(EventKind::woken, client_actor, task, 0, op);
    children[task].bench.open();
    return true;
  }
  return false;
}

void Machine::State::wake_parked_threads() {
  while (wake_one_parked()) settle_threads();
}

bool Machine::State::threads_left() const {
  if (!children_block) return false;
  for (std::uint8_t task = 0; task < tasks_used; ++task)
    if (ledger.task_is(task, ledger::task_spawned) && !task_done(task)) return true;
  return false;
}

void Machine::note_choices(schedule::Choices& notes) {
  if (state_->conductor == nullptr) return;
  state_->conductor.reset();  // one controller at a time
  state_->conductor = std::make_unique<schedule::Conductor>(*state_, notes);
}

scenario::Scenario as_scheduled(const scenario::Scenario& scenario, const schedule::Choices& choices) {
  const scenario::OpList& ops = scenario.ops;
  scenario::Scenario written;
  std::size_t made = 0;
  for (std::size_t at = 0; at <= ops.size(); ++at) {
    // what the scenario itself asks for is among the choices
    if (at < ops.size() && ops[at].kind == scenario::OpKind::next) continue;
    for (; made < choices.size() && (choices[made].moment <= at || at == ops.size()); ++made) {
      if (choices[made].lane >= scenario::max_tasks) continue;  // the client goes on by itself
      if (written.ops.size() + (ops.size() - at) + 1 >= scenario::max_ops) continue;
      written.ops.push_back({.kind = scenario::OpKind::next, .subject = choices[made].lane});
    }
    if (at < ops.size()) written.ops.push_back(ops[at]);
  }
  return written;
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
