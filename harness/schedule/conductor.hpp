// Who may go on: one thread at a time, chosen by us. The interpreter's view of the threads of a runtime.
//
//   driver   the thread that executes client ops. It holds the turn, except while it is inside a call that
//   may
//            block: then the controller, a thread of ours, has it.
//   lane     one per task, with a gate: there every thread of the runtime waits before it takes a step of
//   that
//            task or destroys something of it. A permit lets one pass.
//
//   driver ---- begin_call ---> controller: is everybody at rest? ---- the call returned ----> end_call goes
//   on
//     ^                             | ^                          \---- a root waits ---------> it is the
//     driver |                             v |                           \--- a lane waits ---------> permit
//     the lowest
//     +-- settle: at rest?        permit                           \-- else ------------------> nothing ever
//     will
//
// Rules that make a run's order ours: a thread of the runtime touches nothing of the harness before it passed
// a gate; a permit is given only when everybody else is at rest (census.hpp); who returns from a call that
// may have blocked waits until everybody else is at rest. So of all threads at most one is in harness code
// that counts.
#pragma once

#include "harness/schedule/census.hpp"
#include "harness/schedule/gate.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

namespace scopecheck::schedule {

/// Why a call of the driver will not return.
struct Hang {
  bool proved = false;  ///< nobody but the harness could end it, and it has nothing left to permit
  std::string waiter;   ///< not proved: who may still end it, or spins
};

class Conductor {
 public:
  static constexpr std::size_t lanes = 9;
  static constexpr std::size_t root = lanes - 1;  ///< the lane of a client body that the runtime runs

  /// Called by the controller when the driver's call can never return, or may not. Must not return: the
  /// driver stands in the runtime, where nobody can fetch it out.
  using Stuck = void (*)(void* context, const Hang& hang);

  /// Requires: no thread of a runtime exists yet.
  Conductor(Stuck stuck, void* context);
  ~Conductor();
  Conductor(const Conductor&) = delete;
  Conductor& operator=(const Conductor&) = delete;

  /// Whether the kernel tells what is needed.
  [[nodiscard]] bool possible() const { return census_.possible(); }
  /// A new run begins on the calling thread. Requires: nobody waits at a gate.
  void begin();

  // ---- the driver ----
  /// Waits until everybody else is at rest.
  void settle();
  /// Gives a lane leave for one step. The step happens when everybody has come to rest the next time.
  void permit(std::size_t lane);
  /// Permits the lowest lane somebody waits at. Requires: everybody is at rest. False: there is none.
  bool permit_lowest();
  /// Around a call that may block: in between the controller permits what is needed to let it return.
  [[nodiscard]] std::size_t begin_call();
  void end_call(std::size_t call);

  // ---- threads of the runtime ----
  /// Waits for a permit of `lane`.
  void arrive(std::size_t lane);
  /// The same for a client body: from then on the caller is the driver.
  void arrive_as_driver();
  /// The client body is over: whoever called the runtime to run it is waited for again.
  void depart_as_driver();

 private:
  static constexpr std::size_t max_depth = 4;

  void control();

  Census census_;
  Stuck stuck_;
  void* context_;
  std::array<Gate, lanes> gates_;
  Gate turn_;                           ///< the controller waits here while a driver acts
  std::array<Gate, max_depth> return_;  ///< drivers whose call returned wait here
  std::array<std::atomic<bool>, max_depth> returned_{};
  std::size_t depth_ = 0;  ///< of calls that may block; belongs to whoever has the turn
  std::atomic<bool> root_drives_{false};
  std::atomic<bool> over_{false};
  std::thread controller_;
};

}  // namespace scopecheck::schedule
