// The machine runs one scenario against one implementation and writes the ledger: the client program on
// real stack frames, the task bodies when the implementation steps them, the gates between them.
//
//   client ops --> plugin table --> implementation --> host table (child_step, child_drop, ...)
//        |                                                   |
//        +------------------> ledger <-----------------------+
//
// Nothing is allocated per run. A run that cannot end (a proved hang) or that the implementation ends on
// purpose (abort: a fail-stop) is abandoned where it stands; the next run starts from clean state. With
// threads of the implementation about, that would leave them behind: such a run ends the process
// (Unreturnable).
#pragma once

#include "harness/abi/plugin.h"
#include "harness/base/static_vector.hpp"
#include "harness/interpreter/arena.hpp"
#include "harness/interpreter/implementation.hpp"
#include "harness/ledger/ledger.hpp"
#include "harness/scenario/rules.hpp"
#include "harness/scenario/scenario.hpp"
#include "harness/schedule/scheduler.hpp"

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace scopecheck::interpreter {
class Machine;
struct Activation;
}  // namespace scopecheck::interpreter

/// A task body with its captures; the door's opaque child.
struct scopecheck_child;
/// A result or payload; the door's opaque object.
struct scopecheck_object;

namespace scopecheck::interpreter {

/// How a run ended. Judging what happened before that is the business of `verdict`.
/// discard: the client broke a documented precondition; what came before stands, the rest was not run.
enum class Outcome : std::uint8_t { clean, hang, hang_suspected, fail_stop, discard, error };

/// Called instead of returning from a run that nobody can leave: threads of the implementation stand in it.
/// The ledger holds what happened until then. Must end the process.
using Unreturnable = void (*)(void* context, Outcome outcome);

struct RunOptions {
  /// Touch dead cells for real, so that a sanitizer can testify. Otherwise such touches are recorded and
  /// skipped.
  bool real_access = false;
  /// With threads of the implementation about: who goes first where the scenario does not say.
  schedule::Order order{};
  /// The same: gates stand open, the system orders the threads. No two such runs need be alike. Of a machine
  /// all runs are free, or none.
  bool free = false;
};

/// The scenario with each choice among threads that its run made written down, as `next`. What there is no
/// room for is left out.
[[nodiscard]] scenario::Scenario as_scheduled(const scenario::Scenario& scenario,
                                              const schedule::Choices& choices);

/// Runs scenarios, one after another. Threads: one machine per process may run at a time.
class Machine {
 public:
  /// Ensures: the machine writes into `ledger`, which must outlive it.
  Machine(Implementation implementation, const scenario::Offers& offers, ledger::Ledger& ledger);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// Requires: `scenario` is well-formed for `offers`. Ensures: the ledger holds this run alone.
  Outcome run(const scenario::Scenario& scenario, const RunOptions& options);

  /// Index of the client op or step that is executing, as in ledger::Event::op.
  [[nodiscard]] std::size_t current_op() const;
  /// Kinds of ops that the last run executed, a bit each.
  [[nodiscard]] std::uint64_t ops_seen() const;
  /// Why the last run was an error; "" otherwise.
  [[nodiscard]] const char* error() const;

  /// A hang that is only suspected: who may still end it, or spins. "" otherwise.
  [[nodiscard]] const char* waiter() const;
  /// Whether the last run left a thread that may come back with one of its children: then no other run may
  /// follow in this process.
  [[nodiscard]] bool spent() const;
  void on_unreturnable(Unreturnable handler, void* context);

  /// Whether the machine is touching a cell right now. For sanitizer callbacks.
  [[nodiscard]] static bool touching_cell();
  /// The cell at `address`, while the machine is touching it; scenario::none otherwise. For sanitizer
  /// callbacks.
  [[nodiscard]] static std::uint8_t touched_cell(const void* address);
  /// Whether `address` lies in storage of a value or cell that ended in the current run. For sanitizer
  /// callbacks.
  [[nodiscard]] static bool storage_has_ended(const void* address);
  /// Ends the current run as a fail-stop when one is in progress that this thread can end; returns otherwise.
  /// For SIGABRT handlers.
  static void abandon_as_fail_stop();

  /// From now on the choices among threads that runs make are noted there, which must outlive the machine: so
  /// whoever reads them need not be the one who runs. Requires: no run is in progress.
  void note_choices(schedule::Choices& notes);

  struct State;  ///< see state.hpp; private to the interpreter

 private:
  std::unique_ptr<State> state_;
};

}  // namespace scopecheck::interpreter
