// The program as a whole: frames, blocks, client ops, unwinding, the end of a run.
#include "harness/interpreter/machine.hpp"

#include "harness/interpreter/guarded.hpp"
#include "harness/interpreter/state.hpp"
#include "harness/interpreter/tsan.hpp"
#include "harness/ledger/moments.hpp"

#include <cxxabi.h>
#include <utility>

namespace scopecheck::interpreter {

using ledger::client_actor;
using ledger::EventKind;
using ledger::Goal;
using scenario::none;
using scenario::Op;
using scenario::OpKind;
using scenario::ValueKind;

namespace {

Machine::State* state_in_progress = nullptr;

/// What libstdc++ keeps per thread about exceptions in flight; saved so that an abandoned run leaves none.
struct ExceptionGlobals {
  void* caught;
  unsigned int uncaught;
};
ExceptionGlobals& exception_globals() {
  return *reinterpret_cast<ExceptionGlobals*>(abi::__cxa_get_globals());  // layout: Itanium C++ ABI, 2.2.2
}

constexpr std::uint64_t clobbered = 0xdeadc0dedeadc0deull;

/// The cells of one stack frame. The destructor is what makes ASan keep the frame's life apart even when
/// the frame is left by unwinding, and it clobbers what is about to end.
class FrameCells {
 public:
  FrameCells() {
    for (Cell& cell : cells_) cell = 0;
  }
  ~FrameCells() {
    for (Cell& cell : cells_) cell = clobbered;
  }
  FrameCells(const FrameCells&) = delete;
  FrameCells& operator=(const FrameCells&) = delete;
  Cell* begin() { return cells_.data(); }

 private:
  std::array<Cell, scenario::max_cells> cells_;
};

}  // namespace

Machine::State* current_state() { return state_in_progress; }
void set_current_state(Machine::State* state) { state_in_progress = state; }

void Activation::begin(Body kind, std::uint8_t owned_by, std::uint8_t acting, std::size_t first,
                       std::size_t end) {
  body = kind;
  owner = owned_by;
  actor = acting;
  started = finished = unwinding = false;
  stack = OwnStack::none;
  pc = static_cast<std::uint8_t>(first);
  last = static_cast<std::uint8_t>(end);
  panic = nullptr;
  waker = nullptr;
  blocks.clear();
  decls.clear();
}

Machine::State::State(Implementation implementation, const scenario::Offers& offered, ledger::Ledger& events)
    : original(*implementation.plugin),
      plugin(guarded(original, implementation.flavour)),
      flavour(implementation.flavour),
      offers(offered),
      ledger(events),
      // the system's thread library is not instrumented, and neither is that plugin
      arena(offered.threads || (plugin.promises & SCOPECHECK_PROMISE_INSTRUMENTED) == 0),
      promised(original) {
  if (!offered.threads) return;
  children_block = offered.blocks;
  conductor = std::make_unique<schedule::Conductor>(*this, choices);
}

Machine::Machine(Implementation implementation, const scenario::Offers& offers, ledger::Ledger& ledger)
    : state_(std::make_unique<State>(implementation, offers, ledger)) {}
Machine::~Machine() = default;

std::size_t Machine::current_op() const { return state_->op; }
std::uint64_t Machine::ops_seen() const { return state_->ops_seen; }
const char* Machine::error() const { return state_->error; }
const char* Machine::waiter() const { return state_->waiter.c_str(); }
bool Machine::spent() const { return state_->threads_left(); }
void Machine::on_unreturnable(Unreturnable handler, void* context) {
  state_->unreturnable = handler;
  state_->unreturnable_context = context;
}

bool Machine::touching_cell() { return state_in_progress != nullptr && state_in_progress->touching != none; }

__attribute__((no_sanitize("thread"))) std::uint8_t Machine::touched_cell(const void* address) {
  if (!touching_cell()) return none;
  const std::uint8_t cell = state_in_progress->touching;
  return state_in_progress->cell_at[cell] == address ? cell : none;
}

bool Machine::storage_has_ended(const void* address) {
  return state_in_progress != nullptr && state_in_progress->arena.has_died(address);
}

void Machine::abandon_as_fail_stop() {
  if (state_in_progress == nullptr || !state_in_progress->running) return;
  // another thread's stack cannot be left from here
  if (state_in_progress->conductor == nullptr && role() != Role::driver) return;
  state_in_progress->abandon(Outcome::fail_stop);
}

Outcome Machine::run(const scenario::Scenario& scenario, const RunOptions& options) {
  const HiddenFromTsan hidden;
  State& s = *state_;
  const ExceptionGlobals before = exception_globals();
  set_current_state(&s);
  s.real_access = options.real_access;
  s.prepare(scenario, options);
  if (s.conductor != nullptr && !s.conductor->possible()) {
    s.error = "the kernel does not tell whether threads are blocked (/proc/self/task, CPU clocks)";
    return s.outcome = Outcome::error;
  }
  role() = Role::driver;
  // The frames of an abandoned run are given up as they stand: nothing of theirs is resumed or destroyed.
  if (_setjmp(s.escape) == 0) {
    s.running = true;
    try {
      s.play();
    } catch (...) {  // past the guarded door: a waker's function
      s.outcome = Outcome::error;
      s.error = "a waker of the implementation let an exception out";
    }
  } else {
    if (std::exchange(s.stack_in_use, none) != none) s.home.arrive();
    exception_globals() = before;
    hide_from_tsan(true);  // left from anywhere
  }
  s.running = false;
  role() = Role::none;
  if (s.ledger.overflowed() && s.outcome == Outcome::clean) {
    s.outcome = Outcome::error;
    s.error = "the ledger overflowed";
  }
  return s.outcome;
}

void Machine::State::abandon(Outcome how) {
  if (conductor != nullptr) give_up(how);
  outcome = how;
  running = false;
  if (stack_in_use != none) home.leave_for();
  std::longjmp(escape, 1);
}

namespace {

/// Whether the op opens or closes a block or is about a task, which runs are prepared for.
constexpr bool structural(OpKind kind) {
  return scenario::opens(kind) || kind == OpKind::end || kind == OpKind::capture || kind == OpKind::result ||
         kind == OpKind::payload;
}

}  // namespace

void Machine::State::prepare(const scenario::Scenario& scenario, const RunOptions& options) {
  program = &scenario;
  outcome = Outcome::clean;
  error = "";
  rt = nullptr;
  stack_in_use = none;
  runtime_alive = runtime_usable = false;
  op = 0;
  waiter.clear();
  if (conductor != nullptr) conductor->begin(options.order, options.free);
  gates_open = options.free && !children_block ? 1 : 0;
  ops_seen = 0;
  forgot_something = false;
  touching = none;
  claimed_by.fill(nullptr);
  tsan_acquire(
      &claimed_by);  // whatever was left behind by earlier runs did before this one, in the same places
  ledger.clear();
  arena.reset();
  for (std::size_t v = 0; v < values_used; ++v) values[v] = Value{};
  for (std::size_t t = 0; t < tasks_used; ++t) {
    values[scenario::max_values + t] = Value{};
    children[t].reset();
  }
  cells_leaked = 0;
  cells_used = values_used = tasks_used = 0;

  // Most ops need nothing: what they count is added up without a branch, which would be mispredicted half the
  // time. Open blocks are a list through `match`, open tasks one through `spawned_by`.
  cell_kept_by.fill(none);
  std::uint8_t open = none;
  std::uint8_t task = none;
  unsigned cells = 0;
  unsigned declared = 0;
  for (std::size_t i = 0; i < scenario.ops.size(); ++i) {
    const Op& o = scenario.ops[i];
    cells += o.kind == OpKind::cell ? 1u : 0u;
    declared += o.kind == OpKind::scope || o.kind == OpKind::enter || o.kind == OpKind::join_as ? 1u : 0u;
    if (!structural(o.kind)) continue;
    const auto at = static_cast<std::uint8_t>(i);
    if (scenario::opens(o.kind)) match[at] = std::exchange(open, at);
    switch (o.kind) {
      case OpKind::end: {
        const Op& opener = scenario.ops[open];
        match[at] = open;
        open = std::exchange(match[open], at);
        declared +=
            opener.kind == OpKind::async || (makes_task(opener.kind) && opener.value != none) ? 1u : 0u;
        if (makes_task(opener.kind)) task = plans[opener.subject].spawned_by;
        break;
      }
      case OpKind::spawn:
      case OpKind::reserve:
        if (task != none) plans[task].lent |= static_cast<std::uint8_t>(o.shared | o.mut);
        plans[o.subject] = TaskPlan{.spawn_op = at,
                                    .spawned_by = std::exchange(task, o.subject),
                                    .borrowed = static_cast<std::uint8_t>(o.shared | o.mut),
                                    .mut = o.mut};
        ++tasks_used;
        break;
      case OpKind::capture:
      case OpKind::result:
      case OpKind::payload: {
        TaskPlan& plan = plans[task];
        (o.kind == OpKind::capture  ? plan.capture
         : o.kind == OpKind::result ? plan.result
                                    : plan.payload) = o.subject;
        if ((plan.borrowed >> o.subject & 1) == 0) cell_kept_by[o.subject] = task;  // the body's own
        // what was lent before, perhaps for longer than the body lives, the destructor has to share
        plan.mut &= static_cast<std::uint8_t>(~(plan.lent & 1u << o.subject));
        break;
      }
      default:
        break;
    }
  }
  cells_used = static_cast<std::uint8_t>(cells);
  values_used = static_cast<std::uint8_t>(declared);
}

void Machine::State::play() {
  const std::size_t size = program->ops.size();
  if (through_door([&] { return plugin.rt_new(&host_table(), flavour, &rt); }) != SCOPECHECK_OK) {
    outcome = Outcome::error;
    error = "rt_new failed";
    return;
  }
  runtime_alive = runtime_usable = true;
  client.begin(Body::client, none, client_actor, 0, size);
  static_cast<void>(activate_frame(client, OpKind::frame));

  op = size + ledger::at_final_settle;
  if (conductor != nullptr) {
    settle_threads();
    if (children_block) wake_parked_threads();
  } else if (runtime_usable && offers.run) {
    settle();
  }
  ledger.append(EventKind::program_ended, client_actor, 0, 0, op);

  op = size + ledger::at_runtime_end;
  for (std::size_t t = 0; t < tasks_used; ++t) {
    const scopecheck_waker kept = std::exchange(children[t].kept_waker, scopecheck_waker{});
    if (kept.vtable != nullptr) kept.vtable->drop(kept.data);
  }
  runtime_alive = false;
  {
    const Crossing door(*this, true);
    plugin.rt_free(rt);
  }
  while (conductor != nullptr && conductor->permit_next()) conductor->settle();
  ledger.append(EventKind::runtime_freed, client_actor, 0, 0, op);
}

// ---- frames and blocks ----------------------------------------------------------------------------

[[gnu::noinline]] Flow Machine::State::activate_frame(Activation& a, OpKind opener) {
  FrameCells memory;
  const std::size_t base = a.blocks.size();
  open_block(a, opener);
  return execute(a, base, memory.begin());
}

[[gnu::noinline]] Flow Machine::State::activate_block(Activation& a) {
  FrameCells memory;
  return execute(a, 0, memory.begin());
}

void Machine::State::open_block(Activation& a, OpKind opener) {
  a.blocks.push_back({opener, static_cast<std::uint8_t>(a.decls.size()), static_cast<std::uint8_t>(op)});
  if (opener == OpKind::frame) ledger.append(EventKind::frame_opened, a.actor, 0, 0, op);
}

void Machine::State::close_block(Activation& a) {
  const OpenBlock block = a.blocks.back();
  while (a.decls.size() > block.first_decl) {
    const scenario::Declaration decl = a.decls.back();
    a.decls.pop_back();
    if (!decl.is_cell) {
      drop_declared(a, decl.index, a.unwinding);
    } else if (cell_kept_by[decl.index] == none) {
      cell_ends(decl.index, a.actor);
    }
  }
  a.blocks.pop_back();
  if (block.opener == OpKind::frame) {
    ledger.append(EventKind::frame_ended, a.actor, 0, 0, op);
    for (std::size_t t = 0; t < tasks_used; ++t)
      if (ledger.task_is(static_cast<std::uint8_t>(t), ledger::task_spawned) &&
          !task_done(static_cast<std::uint8_t>(t)))
        ledger.reach(Goal::frame_ended_before_task);
  }
}

void Machine::State::declare_cell(Activation& a, std::uint8_t cell, Cell* frame_cells) {
  cell_on_stack[cell] = frame_cells != nullptr;
  cell_at[cell] = frame_cells != nullptr ? frame_cells + cell
                                         : static_cast<Cell*>(arena.allocate(sizeof(Cell), alignof(Cell)));
  cell_owner[cell] = a.actor;
  cell_holds[cell] = ++next_pattern;
  if (conductor != nullptr)
    claim(cell, cell_holds[cell]);
  else
    *cell_at[cell] = cell_holds[cell];
  a.decls.push_back({.is_cell = true, .index = cell});
  const ledger::Place place = frame_cells != nullptr ? ledger::Place::stack_frame
                              : a.body == Body::task ? ledger::Place::task_body
                                                     : ledger::Place::async_block;
  ledger.cell_born(cell, place, a.actor, op);
}

void Machine::State::cell_ends(std::uint8_t cell, std::uint8_t actor) {
  if (!ledger.cell_alive(cell)) return;
  ledger.cell_died(cell, actor, op);
  if (conductor != nullptr) claim(cell, clobbered);
  if (!cell_on_stack[cell]) arena.kill(const_cast<std::uint64_t*>(cell_at[cell]), sizeof(Cell));
}

namespace {
std::uint64_t shown_read(const Cell& memory) {
  const ShownToTsan shown;
  return memory;
}
}  // namespace

void Machine::State::access(std::uint8_t cell, bool write) {
  const TouchOfCell touch(*this, cell);
  Cell& memory = *cell_at[cell];
  if (under_tsan && !ledger.cell_alive(cell)) {
    tell_tsan_of_touch(&memory, write);
  } else if (write) {
    const std::uint64_t pattern = cell_holds[cell] = ++next_pattern;
    const ShownToTsan shown;
    memory = pattern;
  } else if (shown_read(memory) != cell_holds[cell] && ledger.cell_alive(cell)) {
    ledger.raise(ledger::alarm_scribble);
    ledger.append(EventKind::scribbled, client_actor, cell, 0, op);
  }
}

void Machine::State::task_touch(EventKind kind, std::uint8_t task, std::uint8_t cell, bool write) {
  const bool unordered = claimed_by[cell] != nullptr && claimed_by[cell] != &role();
  const ledger::Touch touch = ledger.touched(kind, task, cell, needs_no_loan(cell, task), unordered, op);
  // the claim is not what the next touch meets first
  if (unordered) claimed_by[cell] = nullptr;
  if ((touch & ledger::touch_dead) == 0 || real_access) access(cell, write);
}

void Machine::State::client_touch(const Activation& a, std::uint8_t cell, bool write) {
  if (a.body == Body::task || a.actor != client_actor)
    return task_touch(write ? EventKind::touched_write : EventKind::touched_read, a.actor, cell, write);
  ledger.append(EventKind::client_touched, client_actor, cell, write ? 1 : 0, op);
  access(cell, write);
}

void Machine::State::catch_panic(Activation& a, OpenBlock block) {
  a.unwinding = false;
  a.pc = static_cast<std::uint8_t>(match[block.opened_at] + 1);
  ledger.append(EventKind::caught, a.actor, 0, 0, op);
  scopecheck_object* payload = std::exchange(a.panic, nullptr);
  if (payload != nullptr && drop_object(*payload) == SCOPECHECK_THROWN) panic(a, nullptr);
}

// ---- the loop -------------------------------------------------------------------------------------

/// Whether the body may take the step at its pc. Only tasks wait at gates, and not where they cannot suspend.
bool Machine::State::may_step(Activation& a) {
  if (a.body != Body::task || gates_open > 0) return true;
  for (const OpenBlock& block : a.blocks)
    if (block.opener == OpKind::enter) return true;
  scopecheck_child& child = children[a.owner];
  if (children_block) {
    if (!child.fresh) pause(child, false);
    child.fresh = false;
    return true;
  }
  if (child.permits > 0) {
    --child.permits;
    return true;
  }
  const scopecheck_waker old = child.gate_waker;
  child.gate_waker = a.waker->vtable->clone(a.waker->data);
  child.gate_waiting = true;
  if (old.vtable != nullptr) old.vtable->drop(old.data);
  return false;
}

void Machine::State::panic(Activation& a, scopecheck_object* payload) {
  a.unwinding = true;
  a.panic = payload;
}

scopecheck_status Machine::State::heed(scopecheck_status status, const char* failure) {
  // also codes that the door does not know; of two errors the first one says why
  if ((status < 0 || status > SCOPECHECK_CLOSED) && outcome != Outcome::error) {
    outcome = Outcome::error;
    error = failure;
  }
  return status;
}

// Runs a body until its block stack is down to `base`, or it suspends. `frame_cells`: where cells of the
// innermost stack frame live; null in bodies whose cells live in their own storage.
Flow Machine::State::execute(Activation& a, std::size_t base, Cell* frame_cells) {
  const std::size_t size = program->ops.size();
  while (true) {
    if (a.unwinding) {
      if (a.blocks.size() == base) return Flow::unwinding;
      const OpenBlock block = a.blocks.back();
      close_block(a);
      if (block.opener == OpKind::catch_) {
        catch_panic(a, block);
        if (!a.unwinding && a.blocks.size() == base) return Flow::closed;
      }
      continue;
    }
    if (a.pc >= size) {  // only the outermost frame gets here
      op = size + ledger::at_outermost_end;
      close_block(a);
      if (a.unwinding) continue;
      return Flow::closed;
    }
    const Op& o = program->ops[a.pc];
    op = a.pc;
    if (o.kind == OpKind::end) {
      const OpenBlock block = a.blocks.back();
      close_block(a);
      // a destructor panicked; the block is gone already, and a catch stops what its own values throw
      if (a.unwinding && block.opener == OpKind::catch_)
        catch_panic(a, block);
      else if (!a.unwinding)
        ++a.pc;
      if (a.unwinding) {
        if (a.blocks.size() == base) return Flow::unwinding;
        continue;
      }
      if (a.blocks.size() == base) return Flow::closed;
      continue;
    }
    if (scenario::counted(o.kind)) {
      if (!may_step(a)) return Flow::suspended;
      ops_seen |= std::uint64_t{1} << static_cast<unsigned>(o.kind);
      if (a.body != Body::task) {
        // an async block of a child is run within a step, where `op` is the step's
        if (conductor != nullptr && role() == Role::driver) conductor->pass_by();
        ledger.append(EventKind::op_begun, a.actor, 0, 0, op);
      }
    }
    switch (o.kind) {
      case OpKind::cell:
        declare_cell(a, o.subject, frame_cells);
        ++a.pc;
        break;
      case OpKind::frame:
      case OpKind::catch_:
        ++a.pc;
        if (frame_cells == nullptr)
          open_block(a, o.kind);
        else
          static_cast<void>(activate_frame(a, o.kind));  // unwinding goes on in this loop
        break;
      case OpKind::inside: {
        const std::uint8_t end = match[a.pc];
        run_inside(a);
        a.pc = static_cast<std::uint8_t>(end + 1);
        break;
      }
      case OpKind::enter: {
        const std::uint8_t end = match[a.pc];
        enter_scope(a, o);
        a.pc = static_cast<std::uint8_t>(end + 1);
        break;
      }
      case OpKind::async:
        make_async(a, o);
        break;
      case OpKind::spawn:
      case OpKind::reserve:
        if (o.extra != 0) {
          // The API attaches the await: the handle is a temporary of this body until it is ready.
          const auto slot = static_cast<std::uint8_t>(scenario::max_values + o.subject);
          if (values[slot].life == Life::absent) spawn(a, o);
          if (a.unwinding) break;
          if (values[slot].life == Life::live && !await(a, slot)) {
            if (suspends_stack(a)) break;
            return Flow::suspended;
          }
          if (!a.unwinding) a.pc = static_cast<std::uint8_t>(match[a.pc] + 1);
        } else {
          const std::uint8_t end = match[a.pc];
          spawn(a, o);
          a.pc = static_cast<std::uint8_t>(end + 1);
        }
        break;
      case OpKind::await:
        if (values[o.subject].life == Life::live && !await(a, o.subject)) {
          if (suspends_stack(a)) break;
          return Flow::suspended;
        }
        ++a.pc;
        break;
      case OpKind::read:
      case OpKind::write:
        client_touch(a, o.subject, o.kind == OpKind::write);
        ++a.pc;
        break;
      case OpKind::suspend:
      case OpKind::yield:
        ++a.pc;
        if (blocks_thread(a)) break;  // it has taken a step, that is all
        a.waker->vtable->wake(a.waker->data);
        if (suspends_stack(a)) break;
        return Flow::suspended;
      case OpKind::park: {
        scopecheck_child& child = children[a.owner];
        ++a.pc;
        if (children_block) {
          pause(child, true);
          break;
        }
        child.parked = true;
        child.park_waker = a.waker->vtable->clone(a.waker->data);
        ledger.append(EventKind::parked, a.actor, a.owner, 0, op);
        return Flow::suspended;
      }
      case OpKind::keep_waker: {
        scopecheck_child& child = children[a.owner];
        ++a.pc;
        const scopecheck_waker old = child.kept_waker;
        if (conductor != nullptr) leaves();
        child.kept_waker = a.waker->vtable->clone(a.waker->data);
        if (old.vtable != nullptr) old.vtable->drop(old.data);
        ledger.append(EventKind::waker_kept, a.actor, a.owner, 0, op);
        break;
      }
      case OpKind::capture:
      case OpKind::result:
      case OpKind::payload:
        ++a.pc;  // known from the start, see TaskPlan
        break;
      case OpKind::throw_:
      case OpKind::throw_bomb: {
        ++a.pc;
        scopecheck_object* payload = nullptr;
        if (a.body == Body::task) {
          scopecheck_object& object = children[a.owner].payload;
          const std::uint8_t cell = plans[a.owner].payload;
          if (o.kind == OpKind::throw_bomb || cell != none) {
            object = {.task = a.owner,
                      .cell = cell,
                      .is_payload = true,
                      .bomb = o.kind == OpKind::throw_bomb,
                      .made = true};
            payload = &object;
          }
        } else {
          ledger.append(EventKind::client_threw, a.actor, 0, 0, op);
        }
        panic(a, payload);
        break;
      }
      case OpKind::step:
      case OpKind::next:
      case OpKind::run:
      case OpKind::wake:
      case OpKind::settle:
      case OpKind::shutdown:
        ++a.pc;
        driver_op(a, o);
        break;
      default:
        value_op(a, o);
        ++a.pc;
        break;
    }
    // A child that was destroyed from within its own step has nothing left to run.
    if (a.body == Body::task && children[a.owner].dropped) return Flow::suspended;
  }
}

void Machine::State::run_inside(Activation& a) {
  const std::uint8_t first = a.pc;
  root.reset();
  root.activation.begin(Body::inside, none, client_actor, first + 1u, match[first]);
  scopecheck_object* out = nullptr;
  scopecheck_status status = SCOPECHECK_OK;
  if (runtime_usable) {
    promised.handed_over(root);
    const Crossing door(*this, true);
    status = plugin.block_on(rt, &root, &out);
    promised.call_returned(root);
  }
  op = first;
  if (status == SCOPECHECK_THROWN) {
    panic(a, out);
  } else if (status != SCOPECHECK_OK) {
    outcome = Outcome::error;
    error = "block_on returned a status that is neither OK nor THROWN";
  }
}

// ---- the closure shape ------------------------------------------------------------------------------

struct Entry {
  Machine::State& state;
  Activation& activation;
  const Op& op;
  Crossing* call = nullptr;
  bool ran = false;
};

// The body is the client's, so what it does stands in the ledger as everywhere; only its panic, which unwinds
// through the call, goes to the implementation and comes back. The scope is in no block's declarations: the
// client has a reference to it, and it ends when the call returns.
void Machine::State::enter_scope(Activation& a, const Op& o) {
  if (!runtime_usable) return;
  Value& scope = values[o.value];
  Entry entry{.state = *this, .activation = a, .op = o};
  scopecheck_status status = SCOPECHECK_OK;
  {
    Crossing door(*this, true);
    entry.call = &door;
    constexpr scopecheck_body body = [](void* data, void* token) {
      const HiddenFromTsan hidden;
      Entry& entry = *static_cast<Entry*>(data);
      entry.call->pause();
      const scopecheck_status status = entry.state.entered(entry, token);
      entry.call->resume();
      return status;
    };
    status =
        plugin.scope_enter(rt, fresh_storage(scope, plugin.scope_size, plugin.scope_align), body, &entry);
  }
  if (scope.life == Life::live) {
    value_over(o.value, EventKind::value_left, status == SCOPECHECK_THROWN ? 1 : 0, a.actor);
    storage_dies(o.value);
  }
  heed(status, "scope_enter reported an error");
  if (!entry.ran && status == SCOPECHECK_OK) {
    outcome = Outcome::error;
    error = "scope_enter returned OK and has not run the body";
  }
  if (a.unwinding && status != SCOPECHECK_THROWN) {  // the implementation stopped the client's panic
    a.unwinding = false;
    if (scopecheck_object* const payload = std::exchange(a.panic, nullptr); payload != nullptr)
      static_cast<void>(drop_object(*payload));
  }
  if (!a.unwinding && status == SCOPECHECK_THROWN) panic(a, nullptr);
}

scopecheck_status Machine::State::entered(Entry& entry, void* token) {
  Activation& a = entry.activation;
  if (std::exchange(entry.ran, true)) {
    outcome = Outcome::error;
    error = "scope_enter ran the body twice";
    return SCOPECHECK_E_STATE;
  }
  const std::uint8_t index = entry.op.value;
  Value& scope = values[index];
  scope.kind = ValueKind::scope;
  scope.life = Life::live;
  scope.token = token;
  ledger.append(EventKind::value_made, a.actor, index, static_cast<std::uint8_t>(ValueKind::scope), op);
  ++a.pc;
  const Flow flow = activate_frame(a, OpKind::enter);
  if (any_live_task(index)) {
    ledger.reach(Goal::scope_left_live);
    if (flow == Flow::unwinding) ledger.reach(Goal::client_unwound_live);
  }
  return flow == Flow::unwinding ? SCOPECHECK_THROWN : SCOPECHECK_OK;
}

}  // namespace scopecheck::interpreter
