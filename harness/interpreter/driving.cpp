// Driving the runtime: gates and permits, the client ops that let children progress, settling.
#include "harness/interpreter/state.hpp"

#include <utility>

namespace scopecheck::interpreter {

using ledger::client_actor;
using ledger::EventKind;
using ledger::Goal;
using scenario::Op;
using scenario::OpKind;

namespace {

constexpr std::uint64_t poll_limit = 4096;  // polls of one drive before the runtime counts as spinning

}  // namespace

void Machine::State::driver_op(Activation& a, const Op& o) {
  switch (o.kind) {
    case OpKind::step: {
      scopecheck_child& child = children[o.subject];
      // of a child that blocked a thread the destructor is a step, too
      const bool at_gate = conductor != nullptr && conductor->waits(o.subject);
      const bool over = (children_block ? child.dropped : task_done(o.subject)) && !at_gate;
      if (!ledger.task_is(o.subject, ledger::task_spawned) || over) break;
      ledger.append(EventKind::permitted, client_actor, o.subject, 0, op);
      if (children_block || at_gate) {
        conductor->permit(o.subject);
      } else {
        ++child.permits;
        wake_gates();
        if (runtime_usable && conductor == nullptr) drive(poll_limit);
      }
      let_rest();
      break;
    }
    case OpKind::next:
      conductor->scheduler().ask(o.subject);
      break;
    case OpKind::run: {
      const Crossing door(*this, true);
      if (runtime_usable) drive(o.subject);
      break;
    }
    case OpKind::settle:
      if (runtime_usable) settle();
      break;
    case OpKind::shutdown: {
      for (std::size_t t = 0; t < tasks_used; ++t)
        if (ledger.task_is(static_cast<std::uint8_t>(t), ledger::task_spawned) &&
            !task_done(static_cast<std::uint8_t>(t)))
          ledger.reach(Goal::shut_down_live);
      runtime_usable = false;
      const scopecheck_status status = [&] {
        const Crossing door(*this, may_block(SCOPECHECK_OP_SHUTDOWN));
        return plugin.rt_shutdown(rt);
      }();
      if (heed(status, "rt_shutdown reported an error") == SCOPECHECK_THROWN) panic(a, nullptr);
      ledger.append(EventKind::runtime_shut_down, client_actor, 0, 0, op);
      break;
    }
    default: {                             // wake
      if (conductor != nullptr) leaves();  // a waker is the implementation's
      scopecheck_child& child = children[o.subject];
      if (child.parked) {
        child.parked = false;
        const scopecheck_waker waker = std::exchange(child.park_waker, scopecheck_waker{});
        ledger.append(EventKind::woken, client_actor, o.subject, 0, op);
        ledger.mark(o.subject, ledger::task_woken);
        if (children_block) {
          child.bench.open();
        } else {
          waker.vtable->wake(waker.data);
          waker.vtable->drop(waker.data);
        }
        let_rest();
      } else if (child.kept_waker.vtable != nullptr && ledger.task_is(o.subject, ledger::task_spawned)) {
        const bool late = ledger.task_is(o.subject, ledger::task_dropped);
        ledger.append(EventKind::woken, client_actor, o.subject, late ? 1 : 0, op);
        if (late) ledger.reach(Goal::late_wake);
        child.kept_waker.vtable->wake(child.kept_waker.data);
        let_rest();
      }
      break;
    }
  }
}

void Machine::State::let_rest() {
  if (conductor != nullptr && !conductor->free()) conductor->settle();
}

std::size_t Machine::State::wake_gates() {
  std::size_t woken = 0;
  for (std::size_t t = 0; t < tasks_used; ++t) {
    scopecheck_child& child = children[t];
    if (!ledger.task_is(static_cast<std::uint8_t>(t), ledger::task_spawned)) continue;
    if (!child.gate_waiting || (gates_open == 0 && child.permits == 0)) continue;
    child.gate_waiting = false;
    ++woken;
    ledger.append(EventKind::woken, client_actor, static_cast<std::uint8_t>(t), 0, op);
    ledger.mark(static_cast<std::uint8_t>(t), ledger::task_woken);
    if (conductor != nullptr) leaves();
    const scopecheck_waker waker = std::exchange(child.gate_waker, scopecheck_waker{});
    waker.vtable->wake(waker.data);
    waker.vtable->drop(waker.data);
  }
  return woken;
}

void Machine::State::drive(std::uint64_t budget) {
  for (std::uint64_t done = 0; done < budget;) {
    std::uint64_t used = 0;
    const scopecheck_status status = plugin.rt_run(rt, budget == poll_limit ? 64 : budget - done, &used);
    if (status != SCOPECHECK_OK) {
      outcome = Outcome::error;
      error = status == SCOPECHECK_THROWN ? "rt_run let an exception out" : "rt_run failed";
      return;
    }
    if (used == 0) return;
    done += used;
    if (budget == poll_limit && done >= poll_limit) {
      waiter = "the runtime never becomes idle";
      abandon(Outcome::hang_suspected);
    }
  }
}

void Machine::State::settle() {
  if (conductor != nullptr) {
    settle_threads();
  } else {
    const Crossing door(*this, true);
    drive(poll_limit);
  }
  ledger.append(EventKind::settled, client_actor, 0, 0, op);
  if ((plugin.promises & SCOPECHECK_PROMISE_WAKES) == 0) return;
  for (std::size_t t = 0; t < tasks_used; ++t) {
    const auto task = static_cast<std::uint8_t>(t);
    constexpr std::uint16_t excused =
        ledger::task_finished | ledger::task_threw | ledger::task_dropped | ledger::task_cancelled;
    if (ledger.task_is(task, ledger::task_woken) && (ledger.task(task) & excused) == 0)
      ledger.raise(ledger::alarm_wake);
  }
}

}  // namespace scopecheck::interpreter
