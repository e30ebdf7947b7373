// Private to the interpreter: the state of one run, and the steps that machine.cpp (frames, blocks, client
// ops), driving.cpp (gates, running the runtime), body.cpp (task bodies and the host table), threads.cpp
// (children that block, runtimes with threads) and values.cpp (lives of values) share.
#pragma once

#include "harness/interpreter/home.hpp"
#include "harness/interpreter/machine.hpp"
#include "harness/interpreter/promised_order.hpp"
#include "harness/schedule/conductor.hpp"

#include <string>

namespace scopecheck::interpreter {

inline constexpr std::size_t value_slots = scenario::max_values + scenario::max_tasks;  // + awaited handles

/// A real stack frame's cells live in a local of this type; others in the arena.
using Cell = volatile std::uint64_t;

enum class Body : std::uint8_t { client, async, inside, task };

/// What control did when a body stopped executing.
enum class Flow : std::uint8_t { closed, suspended, unwinding };

/// An async block's stack, where the implementation supplies one: made when it is first polled.
enum class OwnStack : std::uint8_t { none, fresh, running, ended };

struct Entry;  // one `enter`, machine.cpp

struct OpenBlock {
  scenario::OpKind opener;  // `end` for the outermost frame or a body
  std::uint8_t first_decl;
  std::uint8_t opened_at;
};

/// One execution of a client or task body: where it stands, what it declared.
struct Activation {
  Body body = Body::client;
  std::uint8_t owner = scenario::none;  // task or value index
  std::uint8_t actor = ledger::client_actor;
  bool started = false;
  bool finished = false;
  bool unwinding = false;
  OwnStack stack = OwnStack::none;
  std::uint8_t pc = 0;
  std::uint8_t last = 0;  // pc of the closing end
  scopecheck_object* panic = nullptr;
  const scopecheck_waker* waker = nullptr;
  base::StaticVector<OpenBlock, scenario::max_blocks> blocks;
  base::StaticVector<scenario::Declaration, scenario::max_cells + value_slots> decls;

  void begin(Body kind, std::uint8_t owned_by, std::uint8_t acting, std::size_t first, std::size_t end);
};

enum class Life : std::uint8_t { absent, live, ended };

struct Value {
  scenario::ValueKind kind{};
  Life life = Life::absent;
  bool boxed = false;
  bool started = false;
  bool ready = false;
  bool forgotten = false;
  bool awaiting = false;
  bool await_consumes = false;
  bool join_begun = false;              // scope: a join blocked, or an object of it was polled
  bool joined = false;                  // scope: a join was done after its last child came
  std::uint8_t scope = scenario::none;  // join: what it joins
  std::uint8_t task = scenario::none;   // handle: its child
  std::uint8_t tasks = 0;               // tasks whose loans this value carries, a bit each
  std::uint8_t children = 0;            // scope: tasks spawned in it, a bit each
  std::uint32_t size = 0;
  void* storage = nullptr;
  void* token = nullptr;  // scope that was entered: what the implementation calls it

  /// What the door knows a scope as.
  [[nodiscard]] void* scope_object() const { return token != nullptr ? token : storage; }
};

/// What a scenario says about a task, before it runs.
struct TaskPlan {
  std::uint8_t spawn_op = 0;
  std::uint8_t spawned_by = scenario::none;  // task around it
  std::uint8_t capture = scenario::none;     // cells touched by destructors
  std::uint8_t result = scenario::none;
  std::uint8_t payload = scenario::none;
  std::uint8_t borrowed = 0;
  std::uint8_t mut = 0;   ///< its destructors may write these
  std::uint8_t lent = 0;  ///< by its own spawns, so far
};

}  // namespace scopecheck::interpreter

struct scopecheck_object {
  std::uint8_t task = scopecheck::scenario::none;
  std::uint8_t cell = scopecheck::scenario::none;
  bool is_payload = false;
  bool bomb = false;
  bool made = false;
  bool dropped = false;
};

struct scopecheck_child {
  std::uint8_t task = scopecheck::scenario::none;  // none: the root of `inside`
  std::uint8_t permits = 0;
  bool dropped = false;
  bool stepping = false;
  bool gate_waiting = false;
  bool parked = false;
  // children that block a thread
  bool ungated = false;              ///< runs inside of somebody else's step, or of an op that does not block
  bool fresh = false;                ///< its permit has not been used by an op yet
  scopecheck::schedule::Gate bench;  ///< where it is parked
  scopecheck_waker gate_waker{};
  scopecheck_waker park_waker{};
  scopecheck_waker kept_waker{};
  scopecheck_object result;
  scopecheck_object payload;
  scopecheck::interpreter::Activation activation;

  /// Nothing of an earlier life is left: neither flags nor wakers of a runtime that is gone.
  void reset() {
    permits = 0;
    dropped = stepping = gate_waiting = parked = ungated = fresh = false;
    bench.reset();
    gate_waker = park_waker = kept_waker = {};
    result = payload = {};
  }
};

namespace scopecheck::interpreter {

struct Machine::State final : schedule::Tasks {
  State(Implementation implementation, const scenario::Offers& offered, ledger::Ledger& events);

  // set-up
  const scopecheck_plugin& original;
  const scopecheck_plugin plugin;  // the same, guarded: what runs call
  std::uint32_t flavour;
  const scenario::Offers& offers;
  ledger::Ledger& ledger;
  Arena arena;

  // the run
  const scenario::Scenario* program = nullptr;
  bool real_access = false;
  bool running = false;
  bool runtime_alive = false;
  bool runtime_usable = false;
  bool forgot_something = false;
  std::uint8_t touching = scenario::none;  ///< the cell, while one is being touched
  Outcome outcome = Outcome::clean;
  const char* error = "";
  void* rt = nullptr;
  std::size_t op = 0;
  std::uint32_t gates_open = 0;
  std::uint64_t ops_seen = 0;
  std::uint64_t next_pattern = 0;
  std::uint8_t cells_used = 0, values_used = 0, tasks_used = 0;
  std::array<std::uint8_t, scenario::max_ops> match{};
  std::array<TaskPlan, scenario::max_tasks> plans{};
  std::array<Cell*, scenario::max_cells> cell_at{};
  std::array<std::uint64_t, scenario::max_cells> cell_holds{};
  std::array<std::uint8_t, scenario::max_cells> cell_owner{};  // task, or client_actor
  std::array<bool, scenario::max_cells> cell_on_stack{};
  std::array<std::uint8_t, scenario::max_cells> cell_kept_by{};  // task whose capture or object owns it
  std::uint8_t cells_leaked = 0;  // a bit each: their async block was forgotten, they live for ever
  std::array<Value, value_slots> values{};
  std::array<Activation, scenario::max_values> blocks{};  // async blocks, by value index
  std::array<scopecheck_child, scenario::max_tasks> children{};
  scopecheck_child root{};
  Activation client;
  std::jmp_buf escape{};
  HomeStack home;
  std::uint8_t stack_in_use = scenario::none;  // the async block on whose stack we are; none: at home

  // runtimes with threads; null: there is but one thread, the client's
  std::unique_ptr<schedule::Conductor> conductor;
  schedule::Choices choices;    ///< where nobody else wants them
  bool children_block = false;  ///< they block a thread of it; otherwise they suspend
  const PromisedOrder promised;
  /// The thread (as the address of its role) that alone may use the cell and is in the harness since.
  std::array<const void*, scenario::max_cells> claimed_by{};
  Unreturnable unreturnable = nullptr;
  void* unreturnable_context = nullptr;
  std::string waiter;

  // machine.cpp: the program as a whole, client ops
  void prepare(const scenario::Scenario& scenario, const RunOptions& options);
  void play();
  [[noreturn]] void abandon(Outcome how);
  Flow execute(Activation& a, std::size_t base, Cell* frame_cells);
  Flow activate_frame(Activation& a, scenario::OpKind opener);
  /// Runs an async block that has a stack of its own, from there.
  Flow activate_block(Activation& a);
  void open_block(Activation& a, scenario::OpKind opener);
  /// Closes the innermost block: drops its declarations in reverse order.
  void close_block(Activation& a);
  void declare_cell(Activation& a, std::uint8_t cell, Cell* frame_cells);
  void cell_ends(std::uint8_t cell, std::uint8_t actor);
  void access(std::uint8_t cell, bool write);
  /// Classifies and records a touch by a task, and carries it out unless it would be of dead memory.
  void task_touch(ledger::EventKind kind, std::uint8_t task, std::uint8_t cell, bool write);
  void client_touch(const Activation& a, std::uint8_t cell, bool write);
  bool may_step(Activation& a);
  void panic(Activation& a, scopecheck_object* payload);
  /// The catch that was closed last stops the panic, and the program goes on behind it.
  void catch_panic(Activation& a, OpenBlock block);
  /// Takes a status of the plugin: a negative one is its own failure, which makes the run an error.
  scopecheck_status heed(scopecheck_status status, const char* failure);
  void run_inside(Activation& a);
  /// The block of an `enter` runs inside of the implementation's call, in a stack frame of its own.
  void enter_scope(Activation& a, const scenario::Op& o);
  /// The client's side of that call: the body that the implementation calls back.
  scopecheck_status entered(Entry& entry, void* token);

  // driving.cpp: gates, and who lets the runtime run
  void driver_op(Activation& a, const scenario::Op& o);
  void drive(std::uint64_t budget);
  void settle();
  /// What the client did may have set threads of the runtime going.
  void let_rest();
  std::size_t wake_gates();

  // values.cpp: construction, use and end of values
  void* fresh_storage(Value& v, std::uint32_t size, std::uint32_t align);
  void make_value(Activation& a, std::uint8_t index, scenario::ValueKind kind, bool boxed);
  void spawn(Activation& a, const scenario::Op& o);
  void start(Activation& a, std::uint8_t handle);
  void make_scope(Activation& a, const scenario::Op& o);
  void begin_join(Activation& a, const scenario::Op& o);
  void make_async(Activation& a, const scenario::Op& o);
  /// Polls any value with `waker`; the status as the door says it. E_STATE: nothing to poll.
  scopecheck_status poll(Activation& a, std::uint8_t index, const scopecheck_waker& waker);
  bool await(Activation& a, std::uint8_t index);
  void value_op(Activation& a, const scenario::Op& o);
  void join(Activation& a, std::uint8_t index);
  bool movable(const Value& value) const;
  void check_join(std::uint8_t tasks, bool reported_ok);
  /// Ends the run where the client broke a documented precondition (SCOPECHECK_PRE_*) about `value`.
  [[noreturn]] void discard(std::uint8_t value, std::uint32_t precondition);
  void join_begins(std::uint8_t scope);
  void move(Activation& a, std::uint8_t index, bool out);
  void forget(Activation& a, std::uint8_t index, scenario::LeakVector vector);
  void forgotten(std::uint8_t index, scenario::LeakVector vector);
  void drop(Activation& a, std::uint8_t index);
  void drop_declared(Activation& a, std::uint8_t index, bool unwinding);
  void value_over(std::uint8_t index, ledger::EventKind event, std::uint8_t detail, std::uint8_t actor);
  /// The loans of a task end, and whoever ended them has the cells back that nobody else has a loan of.
  void loans_end(std::uint8_t task, std::uint8_t actor);
  bool carried_elsewhere(std::uint8_t task) const;
  void storage_dies(std::uint8_t index);
  void relocate(std::uint8_t index);
  bool any_live_task(std::uint8_t index) const;
  void remove_decl(Activation& a, std::uint8_t index);
  bool may_block(std::uint64_t bit) const { return (plugin.may_block & bit) != 0; }

  // stacks.cpp: async blocks on stacks of the implementation's
  Flow resume_stack(std::uint8_t block);
  /// The client's side of that: the body that the implementation runs on the stack.
  scopecheck_status run_on_stack(Activation& a);
  /// Leaves the stack that the body runs on, until it is polled again: true, and the body goes on, unwinding
  /// if the stack is being destroyed. False: it runs on none.
  bool suspends_stack(Activation& a);
  scopecheck_status destroy_stack(std::uint8_t block, bool unwinding);
  /// What a stack that is never resumed holds is forgotten with it; so are the scopes it stands in.
  void forget_contents(std::uint8_t block, scenario::LeakVector vector);
  /// Whether it stands in the block of an `enter` with a task that is not done.
  bool enters_live(const Activation& a) const;
  template <class Call>
  scopecheck_status on_stack_of(std::uint8_t block, Call&& call);

  // threads.cpp: runtimes with threads
  void stuck(const schedule::Hang& hang) override;
  [[nodiscard]] schedule::Lanes suspended() const override;
  void wake(std::size_t lane) override;
  [[nodiscard]] std::size_t moment() const override;
  /// This thread alone may use the cell from now on. TSan sees a store: it knows nothing of lifetimes, but a
  /// touch by another thread is a race with it, unless the implementation orders the two.
  void claim(std::uint8_t cell, std::uint64_t value);
  /// This thread goes from the harness into the implementation, which may order what it did until now.
  void leaves();
  scopecheck_status block(scopecheck_child& child, scopecheck_object** out);
  scopecheck_status block_root(scopecheck_object** out);
  /// A thread of the runtime steps a child that suspends, or the root.
  scopecheck_status step_on_thread(scopecheck_child& child, const scopecheck_waker& waker,
                                   scopecheck_object** out);
  scopecheck_status step_as_driver(scopecheck_child& child, const scopecheck_waker& waker,
                                   scopecheck_object** out);
  /// Leaves the harness's state to others until the child has a permit again; when it `parks`, until it was
  /// woken as well. One that is ungated goes on at once: it would stop whoever runs it.
  void pause(scopecheck_child& child, bool parks);
  /// Everything that can happen without the client happens, one step at a time, lowest task first.
  void settle_threads();
  /// The program is over: who parks would be woken by somebody some day.
  void wake_parked_threads();
  bool wake_one_parked();
  /// A hang, or a fail-stop, with threads about: nobody can leave this run.
  [[noreturn]] void give_up(Outcome how);
  /// Whether a thread may still come back with a child of this run.
  bool threads_left() const;
  bool blocks_thread(const Activation& a) const {
    return children_block && (a.body == Body::task || a.body == Body::inside);
  }

  /// A call that does not block.
  template <class Call>
  [[gnu::always_inline]] inline scopecheck_status through_door(Call&& call);

  // body.cpp: the host's side of the door
  scopecheck_status step(scopecheck_child& child, const scopecheck_waker& waker, scopecheck_object** out);
  /// The same where the caller has the harness's state to itself.
  scopecheck_status take_step(scopecheck_child& child, const scopecheck_waker& waker,
                              scopecheck_object** out);
  /// The child is stepped: false when it must not be.
  bool begin_step(scopecheck_child& child);
  /// The body stopped or ended: what its step reports.
  scopecheck_status end_step(scopecheck_child& child, Flow flow, scopecheck_object** out);
  void drop_child(scopecheck_child& child);
  scopecheck_status drop_object(scopecheck_object& object);
  void object_touch(ledger::EventKind kind, std::uint8_t task, std::uint8_t cell);
  /// Whether `actor` may touch the cell without a loan: its own, or one that no client can ever name again.
  bool needs_no_loan(std::uint8_t cell, std::uint8_t actor) const {
    return cell_owner[cell] == actor || (cells_leaked >> cell & 1) != 0;
  }
  bool task_done(std::uint8_t task) const {
    return (ledger.task(task) & (ledger::task_finished | ledger::task_threw | ledger::task_dropped)) != 0;
  }
};

/// The state whose run is in progress: host callbacks carry no context of their own.
Machine::State* current_state();
void set_current_state(Machine::State* state);
const scopecheck_host& host_table();
/// A waker that does nothing.
const scopecheck_waker& noop_waker();

/// What this thread may do to the harness's state.
enum class Role : std::uint8_t {
  none,    ///< a thread of the runtime, or the client inside of a call that may block: nothing
  driver,  ///< executes client ops
  step,    ///< passed a gate: takes a step of a task, or destroys something of it
};
Role& role();
/// Where this thread waits at yield points: the lane of the task that it ran last, or the client's inside of
/// a call that may block. schedule::lanes: at none.
std::size_t& lane();

/// While one lives, this cell is being touched. Under TSan the process does not come to rest meanwhile: the
/// touch may be reported, which waits for the symbolizer, and TSan has no hook for the beginning of a report.
class TouchOfCell {
 public:
  TouchOfCell(Machine::State& state, std::uint8_t cell) : state_(state) {
    state.touching = cell;
    if constexpr (under_tsan) schedule::keep_from_rest(true);
  }
  ~TouchOfCell() {
    if constexpr (under_tsan) schedule::keep_from_rest(false);
    state_.touching = scenario::none;
  }
  TouchOfCell(const TouchOfCell&) = delete;
  TouchOfCell& operator=(const TouchOfCell&) = delete;

 private:
  Machine::State& state_;
};

/// A call through the door, from before until after it. `waits`: it may block or run children. Then the gates
/// are open while it lives; with threads about, steps are permitted one by one meanwhile, and from a call out
/// of a step its thread comes back with a permit. After other calls such a runtime is given the time to come
/// to rest, out of a step as well where children suspend.
/// No function takes this object's address: it stays in registers, where no fake stack frame is made for it.
class Crossing {
 public:
  [[gnu::always_inline]] inline Crossing(Machine::State& state, bool waits) : state_(state), waits_(waits) {
    go();
  }
  [[gnu::always_inline]] inline ~Crossing() { come_back(); }
  /// The client's body is called back from within: until `resume`, the call is as if it had returned.
  void pause() { come_back(); }
  void resume() { go(); }
  Crossing(const Crossing&) = delete;
  Crossing& operator=(const Crossing&) = delete;

 private:
  static constexpr std::size_t no_call = static_cast<std::size_t>(-1);

  [[gnu::always_inline]] inline void go() {
    if (state_.conductor != nullptr)
      call_ = hand_over(state_, waits_);
    else if (waits_ && state_.gates_open++ == 0)
      state_.wake_gates();
  }
  [[gnu::always_inline]] inline void come_back() {
    if (state_.conductor != nullptr)
      take_back(state_, call_);
    else if (waits_)
      --state_.gates_open;
  }
  static std::size_t hand_over(Machine::State& state, bool waits);
  static void take_back(Machine::State& state, std::size_t call);

  Machine::State& state_;
  const bool waits_;
  std::size_t call_ = no_call;
};

template <class Call>
scopecheck_status Machine::State::through_door(Call&& call) {
  const Crossing door(*this, false);
  return call();
}

/// What a thread of the runtime must have before it touches anything of ours: it waits for a permit of the
/// lane, unless it is in harness code already.
class Admission {
 public:
  [[gnu::always_inline]] inline Admission(Machine::State& state, std::uint8_t task) {
    if (state.conductor == nullptr) return;
    state_ = &state;
    taken_ = wait(state, task);
  }
  [[gnu::always_inline]] inline ~Admission() {
    if (state_ != nullptr) leave(*state_, taken_);
  }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

 private:
  static bool wait(Machine::State& state, std::uint8_t task);
  static void leave(Machine::State& state, bool taken);

  Machine::State* state_ = nullptr;  // of a runtime with threads
  bool taken_ = false;
};

}  // namespace scopecheck::interpreter
