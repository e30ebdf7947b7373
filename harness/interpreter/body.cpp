// The host's side of the door: task bodies when the implementation steps them, and the destructors of
// children, results and payloads. Misuse by the implementation is recorded, never obeyed.
#include "harness/interpreter/state.hpp"
#include "harness/interpreter/tsan.hpp"

#include <utility>

namespace scopecheck::interpreter {

using ledger::EventKind;
using ledger::Goal;
using scenario::none;

namespace {

void drop_waker(scopecheck_waker& waker) {
  const scopecheck_waker old = std::exchange(waker, scopecheck_waker{});
  if (old.vtable != nullptr) old.vtable->drop(old.data);
}

scopecheck_status host_child_step(scopecheck_child* child, const scopecheck_waker* waker,
                                  scopecheck_object** out) {
  const HiddenFromTsan hidden;
  return current_state()->step(*child, *waker, out);
}
scopecheck_status host_child_block(scopecheck_child* child, scopecheck_object** out) {
  const HiddenFromTsan hidden;
  return current_state()->block(*child, out);
}
void host_child_drop(scopecheck_child* child) {
  const HiddenFromTsan hidden;
  current_state()->drop_child(*child);
}
scopecheck_status host_object_drop(scopecheck_object* object) {
  const HiddenFromTsan hidden;
  return current_state()->drop_object(*object);
}
void host_idle() {
  const HiddenFromTsan hidden;
  Machine::State& state = *current_state();
  if (state.conductor == nullptr && state.wake_gates() > 0) return;
  state.abandon(Outcome::hang);  // nobody else exists who could wake anything: proved
}
void host_yield_point(const char* /*name*/) {
  const HiddenFromTsan hidden;
  Machine::State& state = *current_state();
  if (state.conductor != nullptr && role() == Role::none && lane() != schedule::lanes)
    state.conductor->yield(lane());
}

scopecheck_waker noop_clone(const void* /*data*/) { return noop_waker(); }
void noop(const void* /*data*/) {}

}  // namespace

const scopecheck_waker& noop_waker() {
  static constexpr scopecheck_waker_vtable vtable{&noop_clone, &noop, &noop};
  static constexpr scopecheck_waker waker{&vtable, nullptr};
  return waker;
}

const scopecheck_host& host_table() {
  static constexpr scopecheck_host table{sizeof(scopecheck_host), SCOPECHECK_ABI_MAJOR, SCOPECHECK_ABI_MINOR,
                                         &host_child_step,        &host_child_block,    &host_child_drop,
                                         &host_object_drop,       &host_idle,           &host_yield_point};
  return table;
}

bool Machine::State::begin_step(scopecheck_child& child) {
  const std::uint8_t task = child.task;
  ledger.append(EventKind::stepped, task, task, 0, op);
  const bool moved =
      ledger.task_is(task, ledger::task_home_moved) && ledger.task_is(task, ledger::task_started);
  if (task_done(task) || child.stepping || moved || ledger.task_is(task, ledger::task_home_dead)) {
    ledger.raise(ledger::alarm_step);
    return false;
  }
  promised.child_begins(child);
  if (forgot_something) ledger.reach(Goal::stepped_after_forget);
  ledger.mark(task, ledger::task_started);
  ledger.unmark(task, ledger::task_woken);
  return true;
}

scopecheck_status Machine::State::end_step(scopecheck_child& child, Flow flow, scopecheck_object** out) {
  Activation& a = child.activation;
  const std::uint8_t task = child.task;
  scopecheck_status status = SCOPECHECK_PENDING;
  if (flow != Flow::suspended) {
    promised.child_ends(child);
    a.finished = true;
    status = flow == Flow::closed ? SCOPECHECK_OK : SCOPECHECK_THROWN;
  }
  if (task == none) {
    if (status == SCOPECHECK_THROWN) *out = std::exchange(a.panic, nullptr);
  } else if (status == SCOPECHECK_OK) {
    ledger.mark(task, ledger::task_finished);
    ledger.reach(Goal::child_finished);
    ledger.append(EventKind::finished, task, task, 0, op);
    if (plans[task].result != none) {
      child.result = {.task = task, .cell = plans[task].result, .made = true};
      *out = &child.result;
    }
  } else if (status == SCOPECHECK_THROWN) {
    ledger.mark(task, ledger::task_threw);
    ledger.reach(Goal::child_panicked);
    *out = std::exchange(a.panic, nullptr);
    ledger.append(EventKind::threw, task, task, *out != nullptr && (*out)->bomb ? 1 : 0, op);
  } else if (!child.dropped) {
    ledger.append(EventKind::suspended, task, task, child.gate_waiting ? 1 : 0, op);
  }
  return status;
}

scopecheck_status Machine::State::step(scopecheck_child& child, const scopecheck_waker& waker,
                                       scopecheck_object** out) {
  *out = nullptr;
  if (children_block) {
    outcome = Outcome::error;
    error = "child_step called for a child that blocks its thread";
    return SCOPECHECK_E_STATE;
  }
  if (conductor == nullptr || role() != Role::none) return take_step(child, waker, out);
  return child.task == none ? step_as_driver(child, waker, out) : step_on_thread(child, waker, out);
}

scopecheck_status Machine::State::take_step(scopecheck_child& child, const scopecheck_waker& waker,
                                            scopecheck_object** out) {
  Activation& a = child.activation;
  const std::uint8_t task = child.task;
  if (task != none) {
    if (!begin_step(child)) return SCOPECHECK_PENDING;
    child.gate_waiting = false;
    drop_waker(child.gate_waker);
    if (child.parked) {
      drop_waker(child.park_waker);
      child.park_waker = waker.vtable->clone(waker.data);
      ledger.append(EventKind::suspended, task, task, 0, op);
      return SCOPECHECK_PENDING;
    }
  } else if (child.stepping || child.dropped || a.finished) {
    outcome = Outcome::error;
    error = "the root task of block_on was stepped when it was done or being stepped";
    return SCOPECHECK_PENDING;
  }

  const std::size_t op_outside = op;
  const scopecheck_waker* const waker_outside = std::exchange(a.waker, &waker);
  child.stepping = true;
  if (!a.started) {
    a.started = true;
    op = a.pc;
    a.blocks.push_back({task == none ? scenario::OpKind::inside : scenario::OpKind::spawn, 0, a.pc});
  }
  const Flow flow = execute(a, 0, nullptr);
  child.stepping = false;
  a.waker = waker_outside;
  const scopecheck_status status = end_step(child, flow, out);
  op = op_outside;
  return status;
}

void Machine::State::drop_child(scopecheck_child& child) {
  const Admission admitted(*this, child.task);
  Activation& a = child.activation;
  const std::uint8_t task = child.task;
  if (task != none) {
    ledger.append(EventKind::child_dropped, task, task, child.stepping ? 1 : 0, op);
    if (child.dropped || child.stepping || ledger.task_is(task, ledger::task_home_dead))
      ledger.raise(ledger::alarm_drop);
  }
  if (child.dropped) return;
  child.dropped = true;
  if (task != none) {
    ledger.mark(task, ledger::task_dropped);
    if (!a.finished) ledger.reach(Goal::child_dropped_unfinished);
  }
  // the body's own variables first, then what it captured
  a.unwinding = false;
  while (!a.blocks.empty()) close_block(a);
  if (task == none) return;
  const TaskPlan& plan = plans[task];
  if (plan.capture != none && (cell_kept_by[plan.capture] != task || a.started)) {
    const bool born = cell_kept_by[plan.capture] != task || ledger.cell_alive(plan.capture);
    if (born) object_touch(EventKind::touched_by_capture, task, plan.capture);
  }
  for (std::uint8_t cell = 0; cell < cells_used; ++cell) {
    if (cell_kept_by[cell] != task) continue;
    const bool in_result = cell == plan.result && child.result.made && !child.result.dropped;
    const bool in_payload = cell == plan.payload && child.payload.made && !child.payload.dropped;
    if (!in_result && !in_payload) cell_ends(cell, task);
  }
  promised.child_ends(child);
  drop_waker(child.gate_waker);
  drop_waker(child.park_waker);
  child.gate_waiting = child.parked = false;
}

scopecheck_status Machine::State::drop_object(scopecheck_object& object) {
  const Admission admitted(*this, object.task);
  ledger.append(object.is_payload ? EventKind::payload_dropped : EventKind::result_dropped, object.task,
                object.task, object.dropped ? 1 : 0, op);
  if (object.dropped) {
    ledger.raise(ledger::alarm_object);
    return SCOPECHECK_OK;
  }
  object.dropped = true;
  if (object.cell != none) {
    object_touch(object.is_payload ? EventKind::touched_by_payload : EventKind::touched_by_result,
                 object.task, object.cell);
    if (cell_kept_by[object.cell] == object.task) cell_ends(object.cell, object.task);
  }
  promised.child_ends(children[object.task]);
  return object.bomb ? SCOPECHECK_THROWN : SCOPECHECK_OK;
}

void Machine::State::object_touch(EventKind kind, std::uint8_t task, std::uint8_t cell) {
  const bool owned = cell_owner[cell] == task;
  if (kind == EventKind::touched_by_payload) ledger.reach(Goal::payload_touched);
  if (!owned)
    ledger.reach(kind == EventKind::touched_by_capture ? Goal::capture_touched : Goal::result_touched);
  task_touch(kind, task, cell, owned || (plans[task].mut >> cell & 1) != 0);
}

}  // namespace scopecheck::interpreter
