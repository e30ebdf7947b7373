// Who may go on: one thread at a time, chosen by us. The interpreter's view of the threads of a runtime.
//
//   driver   the thread that executes client ops. It holds the turn, except while it is inside a call that
//            may block: then the controller, a thread of ours, has it.
//   lane     one per task, with a gate: there every thread of the runtime waits before it takes a step of
//            that task or destroys something of it, or goes on behind a yield point. A permit lets one pass.
//
//   driver -- begin_call --> controller: is everybody at rest?
//     ^                        |-- the call has returned --> end_call goes on: the driver has the turn
//     |                        |-- a root waits ----------> it is the driver
//     '-- settle: at rest?     |-- somebody may go on ----> the scheduler chooses who gets a permit; again
//                              '-- else ------------------> nothing ever will: stuck
//
// Rules that make a run's order ours: a thread of the runtime touches nothing of the harness before it passed
// a gate; a permit is given only when everybody else is at rest (census.hpp); who returns from a call that
// may have blocked waits until everybody else is at rest. So of all threads at most one is in harness code
// that counts.
//
// In a *free* run the gates stand open, and threads run as the system lets them. What is left is that one
// thread at a time is in harness code: `arrive` waits for a lock, which TSan does not see, and `leave` gives
// it back. Where they come by, threads idle a little, by chance.
#pragma once

#include "harness/schedule/census.hpp"
#include "harness/schedule/gate.hpp"
#include "harness/schedule/scheduler.hpp"

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

/// What the conductor asks of whoever knows the tasks.
class Tasks {
 public:
  /// Called by the controller when the driver's call can never return, or may not. Returns only when it has
  /// set something going: the driver stands in the runtime, where nobody can fetch it out.
  virtual void stuck(const Hang& hang) = 0;
  /// Lanes of tasks that have suspended until they are permitted a step: no thread waits for it.
  [[nodiscard]] virtual Lanes suspended() const = 0;
  /// Permits the task of `lane` a step, and wakes it.
  virtual void wake(std::size_t lane) = 0;
  /// What the driver is at, for the note about a choice.
  [[nodiscard]] virtual std::size_t moment() const = 0;

 protected:
  ~Tasks() = default;
};

class Conductor {
 public:
  /// Requires: no thread of a runtime exists yet; `tasks` and `notes` outlive the conductor.
  Conductor(Tasks& tasks, Choices& notes);
  ~Conductor();
  Conductor(const Conductor&) = delete;
  Conductor& operator=(const Conductor&) = delete;

  /// Whether the kernel tells what is needed.
  [[nodiscard]] bool possible() const { return census_.possible(); }
  /// A new run begins on the calling thread, which is its driver. Requires: nobody waits at a gate.
  void begin(const Order& order, bool free);
  [[nodiscard]] bool free() const { return free_; }
  [[nodiscard]] Scheduler& scheduler() { return scheduler_; }

  // ---- the driver ----
  /// Waits until everybody else is at rest. In a free run others may go on meanwhile, and until then.
  void settle();
  /// Gives a lane leave for one step. The step happens when everybody has come to rest the next time.
  void permit(std::size_t lane);
  /// Lets one of those that may go on do so, as the scheduler says. Requires: everybody is at rest. False:
  /// there is none.
  bool permit_next();
  /// Whether a thread waits for a permit of `lane`. Requires: everybody is at rest.
  [[nodiscard]] bool waits(std::size_t lane) const { return gates_[lane].waiting() != 0; }
  /// Between two ops of the client: a free run lets others into harness code.
  void pass_by();
  /// Around a call that may block: in between the controller permits what is needed to let it return.
  [[nodiscard]] std::size_t begin_call();
  void end_call(std::size_t call);

  // ---- threads of the runtime ----
  /// Waits for a permit of `lane`. Ensures: the caller is alone in harness code, until it leaves.
  void arrive(std::size_t lane);
  /// The same without a permit: to ask whether the task has one. One thread at a time, the lowest lane first.
  void ask(std::size_t lane);
  /// The caller goes back into the runtime.
  void leave();
  /// The same as `arrive` for a client body: from then on the caller is the driver.
  void arrive_as_driver();
  /// The client body is over: whoever called the runtime to run it is waited for again.
  void depart_as_driver();
  /// A yield point between two lines of the implementation: waits for a permit of `lane`, which is that of
  /// the task that the thread ran last, and stays outside of harness code.
  void yield(std::size_t lane);

 private:
  static constexpr std::size_t max_depth = 4;

  void control();
  void control_free();
  void report_hang();
  Rest at_rest();
  bool admit_one();
  void idle_by_chance();
  void end_idling();

  Census census_;
  Tasks& tasks_;
  Scheduler scheduler_;
  std::array<Gate, lanes> gates_;
  std::array<Gate, lanes> doors_;       ///< threads that ask
  Gate turn_;                           ///< the controller waits here while a driver acts
  std::array<Gate, max_depth> return_;  ///< drivers whose call returned wait here
  std::array<std::atomic<bool>, max_depth> returned_{};
  std::size_t depth_ = 0;  ///< of calls that may block; belongs to whoever has the turn
  std::atomic<bool> root_drives_{false};
  std::atomic<bool> over_{false};
  bool free_ = false;
  Gate lock_;   ///< free: one permit, held by who is in harness code
  Gate looks_;  ///< free: one permit, held by who uses the census
  std::atomic<std::uint64_t> moves_{
      0};                            ///< free: grows when a call that may block, or idling, begins or ends
  std::atomic<unsigned> idle_{0};    ///< free: how many threads will go on by themselves
  std::atomic<unsigned> inside_{0};  ///< free: how many such calls there are now
  std::atomic<std::uint64_t> chance_{0};  ///< free: what threads draw their idling from
  std::thread controller_;
};

}  // namespace scopecheck::schedule
