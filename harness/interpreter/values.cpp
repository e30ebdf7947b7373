// The lives of values: construction in storage that the harness supplies, use, move, and the three ways
// to end (drop, forget, consumption). A value carries its tasks' loans; they expire when it is over.
#include "harness/interpreter/state.hpp"

#include <utility>

namespace scopecheck::interpreter {

using ledger::client_actor;
using ledger::EventKind;
using ledger::Goal;
using scenario::LeakVector;
using scenario::none;
using scenario::Op;
using scenario::OpKind;
using scenario::ValueKind;

namespace {
constexpr std::uint8_t bit(std::uint8_t i) { return static_cast<std::uint8_t>(1u << i); }
}  // namespace

void* Machine::State::fresh_storage(Value& v, std::uint32_t size, std::uint32_t align) {
  v.size = size;
  v.storage = arena.allocate(size, align);
  return v.storage;
}

void Machine::State::make_value(Activation& a, std::uint8_t index, ValueKind kind, bool boxed) {
  Value& v = values[index];
  v.kind = kind;
  v.boxed = boxed;
  v.life = Life::live;
  a.decls.push_back({.is_cell = false, .index = index});
  ledger.append(EventKind::value_made, a.actor, index, static_cast<std::uint8_t>(kind), op);
}

bool Machine::State::movable(const Value& v) const {
  if (v.boxed) return true;
  scenario::Mobility mobility = scenario::Mobility::until_started;
  if (v.kind == ValueKind::scope) mobility = offers.scope_mobility;
  if (v.kind == ValueKind::handle) mobility = offers.handle_mobility;
  if (v.kind == ValueKind::join) mobility = offers.join_mobility;
  return mobility == scenario::Mobility::always ||
         (mobility == scenario::Mobility::until_started && !v.started);
}

bool Machine::State::any_live_task(std::uint8_t index) const {
  const Value& v = values[index];
  if (v.life != Life::live) return false;
  const auto live = [&](std::uint8_t task) {
    return ledger.task_is(task, ledger::task_spawned) && !task_done(task);
  };
  if (v.kind == ValueKind::handle) return live(v.task);
  if (v.kind == ValueKind::async) {
    for (const scenario::Declaration& decl : blocks[index].decls)
      if (!decl.is_cell && any_live_task(decl.index)) return true;
    return enters_live(blocks[index]);
  }
  for (std::uint8_t task = 0; task < tasks_used; ++task)
    if ((v.children & bit(task)) != 0 && live(task)) return true;
  return false;
}

// ---- construction ---------------------------------------------------------------------------------

void Machine::State::make_scope(Activation& a, const Op& o) {
  if (!runtime_usable) return;
  Value& v = values[o.value];
  const scopecheck_status status = through_door(
      [&] { return plugin.scope_init(rt, fresh_storage(v, plugin.scope_size, plugin.scope_align)); });
  heed(status, "scope_init reported an error");
  if (status == SCOPECHECK_OK) return make_value(a, o.value, ValueKind::scope, o.boxed);
  panic(a, nullptr);
}

void Machine::State::begin_join(Activation& a, const Op& o) {
  if (values[o.subject].life != Life::live) return;
  Value& v = values[o.value];
  v.scope = o.subject;
  v.children = values[o.subject].children;
  const scopecheck_status status = through_door([&] {
    return plugin.join_begin(values[o.subject].scope_object(),
                             fresh_storage(v, plugin.join_size, plugin.join_align));
  });
  heed(status, "join_begin reported an error");
  if (status == SCOPECHECK_OK) return make_value(a, o.value, ValueKind::join, o.boxed);
  panic(a, nullptr);
}

void Machine::State::make_async(Activation& a, const Op& o) {
  const std::uint8_t end = match[a.pc];
  blocks[o.value].begin(Body::async, o.value, a.actor, a.pc + 1u, end);
  if (offers.stack) blocks[o.value].stack = OwnStack::fresh;
  make_value(a, o.value, ValueKind::async, o.boxed);
  a.pc = static_cast<std::uint8_t>(end + 1);
}

void Machine::State::spawn(Activation& a, const Op& o) {
  const std::uint8_t task = o.subject;
  if (!runtime_usable || ledger.task_is(task, ledger::task_spawned)) return;
  void* token = nullptr;
  if (o.scope != none) {
    const Value& scope = values[o.scope];
    if (scope.life == Life::absent || (scope.life == Life::ended && !scope.forgotten)) return;
    token = scope.scope_object();
    if (offers.pre_no_spawn_after_join && scope.join_begun)
      discard(o.scope, SCOPECHECK_PRE_NO_SPAWN_AFTER_JOIN);
  }
  scopecheck_child& child = children[task];
  child.task = task;
  child.activation.begin(Body::task, task, task, op + 1, match[op]);

  const std::uint8_t slot = o.extra != 0 ? static_cast<std::uint8_t>(scenario::max_values + task) : o.value;
  const std::uint8_t carrier = offers.carrier == scenario::Carrier::scope    ? o.scope
                               : offers.carrier == scenario::Carrier::handle ? slot
                                                                             : none;
  const bool reserves = o.kind == OpKind::reserve;
  const bool embeds = plugin.handle_embeds_child != 0 && slot != none;
  ledger.mark(task, ledger::task_spawned);
  if (reserves) ledger.mark(task, ledger::task_reserved);
  ledger.append(EventKind::spawned, task, task, embeds ? slot : none, op);
  if (a.body == Body::task && (o.scope == none || (values[o.scope].children & bit(a.owner)) != 0))
    ledger.reach(Goal::spawned_by_child);
  if (a.body == Body::inside) ledger.reach(Goal::client_inside);
  for (std::uint8_t cell = 0; cell < cells_used; ++cell) {
    if ((plans[task].borrowed & bit(cell)) == 0) continue;
    const std::uint8_t through = a.actor != client_actor && cell_owner[cell] != a.actor ? a.actor : none;
    if (through != none && !ledger.has_loan(through, cell)) continue;  // passed on after its own end
    ledger.loan_taken(task, cell, carrier, through, op);
  }
  if (carrier != none) values[carrier].tasks |= bit(task);
  const bool hands_over = plans[task].result != none && (offers.handle_poll || offers.handle_join);
  if (carrier != none && slot != none && (embeds || hands_over || reserves)) values[slot].tasks |= bit(task);
  if (o.scope != none) {
    values[o.scope].children |= bit(task);
    values[o.scope].joined = false;
  }

  void* storage = nullptr;
  if (slot != none) {
    values[slot].task = task;
    storage = fresh_storage(values[slot], plugin.handle_size, plugin.handle_align);
  }
  promised.handed_over(child);
  const scopecheck_status status =
      through_door([&] { return (reserves ? plugin.reserve : plugin.spawn)(rt, token, &child, storage); });
  if (status == SCOPECHECK_OK) {
    if (slot == none) return;
    values[slot].started = !reserves;
    return make_value(a, slot, ValueKind::handle, o.boxed);
  }
  if (!child.dropped) {
    outcome = Outcome::error;
    error = "spawn failed without dropping the child";
  }
  if (o.scope != none) values[o.scope].children &= static_cast<std::uint8_t>(~bit(task));
  ledger.append(EventKind::refused, task, task, 0, op);
  loans_end(task, a.actor);
  if (heed(status, "spawn reported an error") == SCOPECHECK_THROWN) panic(a, nullptr);
}

void Machine::State::start(Activation& a, std::uint8_t handle) {
  Value& v = values[handle];
  if (!runtime_usable || v.started) return;
  v.started = true;
  ledger.unmark(v.task, ledger::task_reserved);
  ledger.append(EventKind::started, a.actor, v.task, 0, op);
  promised.handed_over(children[v.task]);
  const scopecheck_status status =
      heed(through_door([&] { return plugin.start(v.storage); }), "start reported an error");
  if (status == SCOPECHECK_CLOSED) ledger.append(EventKind::refused, v.task, v.task, 0, op);
  if (status == SCOPECHECK_THROWN) panic(a, nullptr);
}

// ---- use ------------------------------------------------------------------------------------------

/// A join reported that it is done: raises the alarm when a child it waited for is not, or its panic is lost.
void Machine::State::check_join(std::uint8_t tasks, bool reported_ok) {
  for (std::uint8_t task = 0; task < tasks_used; ++task) {
    if ((tasks & bit(task)) == 0 || !ledger.task_is(task, ledger::task_spawned)) continue;
    promised.join_returned(children[task]);
    if ((ledger.task(task) & (ledger::task_cancelled | ledger::task_reserved)) != 0) continue;
    if ((plugin.promises & SCOPECHECK_PROMISE_JOIN_WAITS) != 0 && !task_done(task))
      ledger.raise(ledger::alarm_join);
    if ((plugin.promises & SCOPECHECK_PROMISE_JOIN_RETHROWS) != 0 && reported_ok &&
        ledger.task_is(task, ledger::task_threw))
      ledger.raise(ledger::alarm_join);
  }
}

void Machine::State::discard(std::uint8_t value, std::uint32_t precondition) {
  ledger.append(EventKind::discarded, client_actor, value, static_cast<std::uint8_t>(precondition), op);
  abandon(Outcome::discard);
}

void Machine::State::join_begins(std::uint8_t scope) {
  Value& v = values[scope];
  if (offers.pre_join_once && v.join_begun) discard(scope, SCOPECHECK_PRE_JOIN_ONCE);
  v.join_begun = true;
}

scopecheck_status Machine::State::poll(Activation& a, std::uint8_t index, const scopecheck_waker& waker) {
  Value& v = values[index];
  if (v.ready && v.kind != ValueKind::scope) return SCOPECHECK_E_STATE;
  if (v.kind == ValueKind::handle && !v.started) return SCOPECHECK_E_STATE;  // its `start` has not run
  scopecheck_object* out = nullptr;
  scopecheck_status status = SCOPECHECK_E_STATE;
  if (v.kind == ValueKind::async) {
    Activation& body = blocks[index];
    if (body.finished || (body.stack == OwnStack::fresh && !runtime_usable)) return SCOPECHECK_E_STATE;
    const std::size_t op_outside = op;
    body.waker = &waker;
    if (!body.started) {
      body.started = v.started = true;
      op = body.pc;
      body.blocks.push_back({OpKind::async, 0, static_cast<std::uint8_t>(body.pc - 1)});
    }
    const Flow flow = body.stack != OwnStack::none ? resume_stack(index) : execute(body, 0, nullptr);
    op = op_outside;
    status = flow == Flow::closed      ? SCOPECHECK_OK
             : flow == Flow::suspended ? SCOPECHECK_PENDING
                                       : SCOPECHECK_THROWN;
    body.finished = status != SCOPECHECK_PENDING;
    out = std::exchange(body.panic, nullptr);
  } else {
    const Crossing door(*this, true);
    if (v.kind == ValueKind::join && !v.started) join_begins(v.scope);
    v.started = true;
    if (v.kind == ValueKind::scope) status = plugin.scope_drive(v.storage, &waker);
    if (v.kind == ValueKind::handle) status = plugin.handle_poll(v.storage, &waker, &out);
    if (v.kind == ValueKind::join) status = plugin.join_poll(v.storage, &waker);
    if (heed(status, "a poll reported an error") < 0) return status;
  }
  ledger.append(EventKind::polled, a.actor, index, static_cast<std::uint8_t>(status), op);
  if (status == SCOPECHECK_PENDING) return status;
  v.ready = true;
  if (v.kind != ValueKind::async && (status == SCOPECHECK_OK || v.kind == ValueKind::handle)) {
    ledger.append(EventKind::joined, a.actor, index, static_cast<std::uint8_t>(status), op);
    const std::uint8_t scope = v.kind == ValueKind::join ? v.scope : index;
    check_join(v.kind == ValueKind::handle ? bit(v.task) : values[scope].children,
               status == SCOPECHECK_OK && v.kind == ValueKind::handle);
  }
  if (v.kind == ValueKind::join) values[v.scope].joined = true;
  if (v.kind == ValueKind::scope && status == SCOPECHECK_OK) v.joined = true;
  if (status == SCOPECHECK_THROWN) {
    panic(a, out);
  } else if (out != nullptr) {
    static_cast<void>(drop_object(*out));  // the result is the client's: it drops it at once
  }
  return status;
}

bool Machine::State::await(Activation& a, std::uint8_t index) {
  Value& v = values[index];
  if (!v.awaiting) {
    v.awaiting = true;
    v.await_consumes = v.kind != ValueKind::scope && (index >= scenario::max_values || movable(v));
    if (v.await_consumes) {
      remove_decl(a, index);
      a.decls.push_back({.is_cell = false, .index = index});
    }
  }
  if (poll(a, index, *a.waker) == SCOPECHECK_PENDING) return false;
  v.awaiting = false;
  if (v.await_consumes) {
    remove_decl(a, index);
    drop_declared(a, index, a.unwinding);
  }
  return true;
}

/// Out of value_op: what is handed out needs an address, and frames with addresses cost under ASan.
void Machine::State::join(Activation& a, std::uint8_t index) {
  Value& v = values[index];
  const bool is_scope = v.kind == ValueKind::scope;
  scopecheck_object* out = nullptr;
  scopecheck_status status = SCOPECHECK_OK;
  if (is_scope) join_begins(index);
  {
    const Crossing door(*this, true);
    status = is_scope ? plugin.scope_join(v.scope_object()) : plugin.handle_join(v.storage, &out);
  }
  if (heed(status, "a join reported an error") < 0) return;
  ledger.append(EventKind::joined, a.actor, index, static_cast<std::uint8_t>(status), op);
  v.joined = true;
  check_join(is_scope ? v.children : bit(v.task), status == SCOPECHECK_OK);
  if (status == SCOPECHECK_OK && out != nullptr) static_cast<void>(drop_object(*out));
  if (!is_scope) {
    remove_decl(a, index);
    value_over(index, EventKind::value_consumed, 0, a.actor);
    storage_dies(index);
  }
  if (status == SCOPECHECK_THROWN) panic(a, out);
}

void Machine::State::value_op(Activation& a, const Op& o) {
  if (o.kind == OpKind::scope) return make_scope(a, o);
  if (o.kind == OpKind::join_as) return begin_join(a, o);
  Value& v = values[o.subject];
  if (v.life != Life::live) return;
  const bool is_scope = v.kind == ValueKind::scope;
  if (v.kind == ValueKind::handle && !v.started) {  // the text has a `start` before these, but it has not run
    if (o.kind == OpKind::join || o.kind == OpKind::detach) return drop(a, o.subject);
    if (o.kind == OpKind::cancel) return;
  }
  switch (o.kind) {
    case OpKind::start:
      start(a, o.subject);
      break;
    case OpKind::poll:
      static_cast<void>(poll(a, o.subject, noop_waker()));
      break;
    case OpKind::join:
      join(a, o.subject);
      break;
    case OpKind::close:
      ledger.append(EventKind::closed, a.actor, o.subject, 0, op);
      if (heed(through_door([&] { return plugin.scope_close(v.scope_object()); }),
               "scope_close reported an error") == SCOPECHECK_THROWN)
        panic(a, nullptr);
      break;
    case OpKind::cancel: {
      ledger.append(EventKind::cancelled, a.actor, o.subject, 0, op);
      if (any_live_task(o.subject)) ledger.reach(Goal::cancelled_live);
      const std::uint8_t tasks = is_scope ? v.children : bit(v.task);
      for (std::uint8_t task = 0; task < tasks_used; ++task)
        if ((tasks & bit(task)) != 0) ledger.mark(task, ledger::task_cancelled);
      const scopecheck_status status = through_door(
          [&] { return is_scope ? plugin.scope_cancel(v.scope_object()) : plugin.handle_cancel(v.storage); });
      if (heed(status, "a cancel reported an error") == SCOPECHECK_THROWN) panic(a, nullptr);
      break;
    }
    case OpKind::detach: {
      remove_decl(a, o.subject);
      const scopecheck_status status = through_door([&] { return plugin.handle_detach(v.storage); });
      value_over(o.subject, EventKind::value_consumed, 0, a.actor);
      storage_dies(o.subject);
      if (heed(status, "handle_detach reported an error") == SCOPECHECK_THROWN) panic(a, nullptr);
      break;
    }
    case OpKind::move:
    case OpKind::move_out:
      move(a, o.subject, o.kind == OpKind::move_out);
      break;
    case OpKind::drop:
      drop(a, o.subject);
      break;
    case OpKind::forget:
      forget(a, o.subject, static_cast<LeakVector>(o.extra));
      break;
    default:
      break;
  }
}

// ---- places ---------------------------------------------------------------------------------------

void Machine::State::remove_decl(Activation& a, std::uint8_t index) {
  for (std::size_t i = 0; i < a.decls.size(); ++i) {
    if (a.decls[i].is_cell || a.decls[i].index != index) continue;
    a.decls.erase(i);
    for (OpenBlock& block : a.blocks)
      if (block.first_decl > i) --block.first_decl;
    return;
  }
}

/// Moves a value in a frame to fresh storage through the API's own move; the old storage is dead.
void Machine::State::relocate(std::uint8_t index) {
  Value& v = values[index];
  if (v.boxed || v.storage == nullptr) return;
  void* const from = v.storage;
  const std::uint32_t align = v.kind == ValueKind::scope    ? plugin.scope_align
                              : v.kind == ValueKind::handle ? plugin.handle_align
                                                            : plugin.join_align;
  void* const to = arena.allocate(v.size, align);
  const auto move_function = v.kind == ValueKind::scope    ? plugin.scope_move
                             : v.kind == ValueKind::handle ? plugin.handle_move
                                                           : plugin.join_move;
  if (through_door([&] { return move_function(from, to); }) != SCOPECHECK_OK) {
    outcome = Outcome::error;
    error = "a move failed";
  }
  arena.kill(from, v.size);
  v.storage = to;
  if (plugin.handle_embeds_child != 0 && v.kind == ValueKind::handle &&
      ledger.task_is(v.task, ledger::task_started))
    ledger.mark(v.task, ledger::task_home_moved);
}

void Machine::State::move(Activation& a, std::uint8_t index, bool out) {
  if (any_live_task(index)) ledger.reach(Goal::moved_live);
  relocate(index);
  remove_decl(a, index);
  if (out) {
    a.decls.insert(a.blocks.back().first_decl, {.is_cell = false, .index = index});
    ++a.blocks.back().first_decl;
  } else {
    a.decls.push_back({.is_cell = false, .index = index});
  }
  ledger.append(EventKind::value_moved, a.actor, index, out ? 1 : 0, op);
}

// ---- ends -----------------------------------------------------------------------------------------

/// The carrier is over: what it carried expires.
void Machine::State::value_over(std::uint8_t index, EventKind event, std::uint8_t detail,
                                std::uint8_t actor) {
  Value& v = values[index];
  v.life = Life::ended;
  ledger.append(event, actor, index, detail, op);
  for (std::uint8_t task = 0; task < tasks_used; ++task) {
    if ((v.tasks & bit(task)) == 0) continue;
    if (event == EventKind::value_left) promised.call_returned(children[task]);
    if (event == EventKind::value_dropped || event == EventKind::value_unwound)
      promised.carrier_destroyed(children[task]);
    if (!carried_elsewhere(task)) loans_end(task, actor);
  }
}

void Machine::State::loans_end(std::uint8_t task, std::uint8_t actor) {
  if (conductor == nullptr) return ledger.loans_expired(task, actor, op);
  const std::uint8_t lent = ledger.lent();
  ledger.loans_expired(task, actor, op);
  const unsigned back = lent & ~ledger.lent() & ~unsigned{cells_leaked};
  for (std::uint8_t cell = 0; cell < cells_used; ++cell)
    // what it holds stays: whether that is what was written is judged by whoever reads it
    if ((back >> cell & 1) != 0 && ledger.cell_alive(cell)) claim(cell, *cell_at[cell]);
}

/// A scope and the handle that embeds the child both carry its loans: they end with the later one.
bool Machine::State::carried_elsewhere(std::uint8_t task) const {
  for (std::size_t i = 0; i < values_used; ++i)
    if (values[i].life == Life::live && (values[i].tasks & bit(task)) != 0) return true;
  const Value& awaited = values[scenario::max_values + task];
  return awaited.life == Life::live && awaited.tasks != 0;
}

void Machine::State::storage_dies(std::uint8_t index) {
  Value& v = values[index];
  if (v.storage == nullptr) return;
  arena.kill(v.storage, v.size);
  ledger.append(EventKind::storage_died, client_actor, index, 0, op);
  if (plugin.handle_embeds_child == 0 || v.kind != ValueKind::handle ||
      ledger.task_is(v.task, ledger::task_dropped))
    return;
  ledger.mark(v.task, ledger::task_home_dead);
  if (!v.forgotten) ledger.raise(ledger::alarm_never);
}

void Machine::State::drop(Activation& a, std::uint8_t index) {
  remove_decl(a, index);
  drop_declared(a, index, false);
}

void Machine::State::drop_declared(Activation& a, std::uint8_t index, bool unwinding) {
  Value& v = values[index];
  if (v.life != Life::live) return;
  if (offers.pre_join_before_destroy && v.kind == ValueKind::scope && v.children != 0 && !v.joined)
    discard(index, SCOPECHECK_PRE_JOIN_BEFORE_DESTROY);
  if (any_live_task(index)) {
    if (unwinding) ledger.reach(Goal::client_unwound_live);
    if (v.kind == ValueKind::handle) {
      ledger.reach(Goal::handle_dropped_live);
      if (ledger.task_is(v.task, ledger::task_reserved)) ledger.reach(Goal::unstarted_dropped);
    }
    if (v.kind == ValueKind::scope) ledger.reach(Goal::scope_dropped_live);
  }
  scopecheck_status status = SCOPECHECK_OK;
  const std::int32_t native_unwind = unwinding ? 1 : 0;
  switch (v.kind) {
    case ValueKind::scope: {
      const Crossing door(*this, may_block(SCOPECHECK_OP_SCOPE_DESTROY));
      status = plugin.scope_destroy(v.storage, native_unwind);
      break;
    }
    case ValueKind::handle: {
      const Crossing door(*this, may_block(SCOPECHECK_OP_HANDLE_DESTROY));
      status = plugin.handle_destroy(v.storage, native_unwind);
      break;
    }
    case ValueKind::join: {
      if (!v.ready) ledger.reach(Goal::join_dropped);
      const Crossing door(*this, may_block(SCOPECHECK_OP_JOIN_DESTROY));
      status = plugin.join_destroy(v.storage, native_unwind);
      break;
    }
    case ValueKind::async: {
      Activation& body = blocks[index];
      body.finished = true;
      if (v.storage != nullptr) {
        status = destroy_stack(index, unwinding);
        break;
      }
      body.unwinding = unwinding;
      while (!body.blocks.empty()) close_block(body);
      if (body.unwinding && !unwinding) status = SCOPECHECK_THROWN;
      break;
    }
  }
  value_over(index, unwinding ? EventKind::value_unwound : EventKind::value_dropped,
             status == SCOPECHECK_THROWN ? 1 : 0, a.actor);
  storage_dies(index);
  if (status == SCOPECHECK_THROWN) {
    if (unwinding) abandon(Outcome::fail_stop);  // a second panic while unwinding ends the process
    panic(a, nullptr);
  }
  heed(status, "a destructor reported an error");
}

void Machine::State::forget(Activation& a, std::uint8_t index, LeakVector vector) {
  Value& v = values[index];
  if (any_live_task(index)) {
    if (v.kind == ValueKind::handle) {
      ledger.reach(Goal::handle_forgotten_live);
      if (ledger.task_is(v.task, ledger::task_reserved)) ledger.reach(Goal::unstarted_forgotten);
    }
    if (v.kind == ValueKind::scope) ledger.reach(Goal::scope_forgotten_live);
    if (v.kind == ValueKind::async && v.started) ledger.reach(Goal::block_stalled);
  }
  forgot_something = true;
  if (vector != LeakVector::in_place) relocate(index);
  remove_decl(a, index);
  forgotten(index, vector);
  if (vector == LeakVector::in_place) storage_dies(index);
}

/// Nobody will ever run its destructor, nor those of what it owns; its storage lives on.
void Machine::State::forgotten(std::uint8_t index, LeakVector vector) {
  Value& v = values[index];
  if (v.life != Life::live) return;
  v.forgotten = true;
  value_over(index, EventKind::value_forgotten, static_cast<std::uint8_t>(vector), client_actor);
  if (v.kind == ValueKind::async) forget_contents(index, vector);
}

}  // namespace scopecheck::interpreter
