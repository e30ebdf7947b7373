// The proof that every other thread of this process is blocked, and what each is blocked in.
//
// Theory (double collect). For every thread the kernel tells its state letter (stat), how often it was given
// a processor (schedstat) and whether it has left it (syscall, which says "running" of one that has not). A
// rest is proved in this order:
//
//   1. counts    the count of each thread is read
//   2. looks     each is found to have left its processor
//   3. number    the process has as many threads as are known      <- the instant
//   4. again     the letter of each says asleep, and its count is still the same
//
// A thread whose count is the same in 1 and 4 was not given a processor in between; since it had left it at
// the look, it did not run between that look and 4. All looks come before 3, and all of 4 comes after it: at
// the instant of 3 all known threads slept, and none of them can have woken another since. Every known thread
// is still there in 4, and was there at the instant; as many exist then as are known; so there is no other.
// The process is at rest, and stays so until the caller, a timer or something outside of the process wakes a
// thread.
//
// A look holds for as long as the count stays what it was: of a thread that has not been given a processor
// since an earlier rest, counts alone say that it sleeps on where it slept. And the number of threads (the
// links of /proc/self/task) stands in for a list of them, which is read only when the number is another one.
// Where there are threads that are nobody's business, one of them could end while one that matters comes, and
// the number would be the same: there the list is read each time.
//
// Why the look: a thread is marked asleep some instructions before it leaves its processor, and one that is
// woken just then goes on without being counted. Its CPU clock would tell, but not on a virtual machine: time
// that was stolen from a processor is taken off that clock later, and it stands still while its thread runs.
//
// Between two attempts the caller sleeps until somebody comes to a gate (gate.hpp), or for a moment: it gives
// its processor to those it waits for. How long that is has no part in the proof.
//
// Not covered: timers and the outside. A thread in a timed wait counts as blocked here; `waiter` finds it
// afterwards, so that nobody calls a hang proved while a timer may still end it. A thread that spins never
// sleeps: after `spin_budget` of its own processor time it counts as waiting, which is a heuristic and
// reported as that (Rest::spinning); on a virtual machine that clock also counts what the host has not yet
// admitted to have stolen, so the budget is longer than a host's usual slices. Source: Afek et al., Atomic
// snapshots of shared memory, J. ACM 40(4), 1993: the double collect.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace scopecheck::schedule {

/// How the other threads came to rest.
enum class Rest : std::uint8_t {
  blocked,   ///< proved: all were asleep at one instant
  spinning,  ///< assumed: those that were not asleep used up their processor time
};

/// A thread that something else than a thread of this process may still set going.
struct Waiter {
  enum class Kind : std::uint8_t { timed, outside, spinning, unknown };
  pid_t tid = 0;
  Kind kind{};
  long system_call = -1;
};
/// "thread 4711 sleeps in a timed wait (system call 230)".
[[nodiscard]] std::string to_string(const Waiter& waiter);

/// While it is kept from it, the process does not come to rest, whatever its threads wait for: one of them is
/// in a sanitizer's report, and may wait for the symbolizer. What it uses of its processor time meanwhile
/// does not count. Threads: one at a time may keep it. Async-signal-safe.
void keep_from_rest(bool keep);

/// Watches the threads of this process. Threads: one caller at a time. Cost: some 10 us per look, three files
/// per thread, which are kept open.
class Census {
 public:
  static constexpr std::chrono::nanoseconds spin_budget = std::chrono::milliseconds{20};

  /// Ensures: threads that exist now, the caller apart, are nobody's business (a sanitizer's own).
  Census();
  ~Census();
  Census(const Census&) = delete;
  Census& operator=(const Census&) = delete;

  /// Whether the kernel tells what the proof needs.
  [[nodiscard]] bool possible() const { return possible_; }
  /// Waits until all threads but the calling one are at rest. Requires: possible().
  Rest rest(std::chrono::nanoseconds budget = spin_budget);
  /// After a rest: the first thread that does not wait for another thread of this process. None: whatever the
  /// others wait for, nobody but the caller can bring it about.
  [[nodiscard]] std::optional<Waiter> waiter() const;

 private:
  struct Thread {
    pid_t tid = 0;
    int stat = -1;
    int schedstat = -1;
    int syscall = -1;
    char state = '?';
    std::uint64_t slices = 0;                   ///< how often it was given a processor
    std::optional<std::uint64_t> off_at{};      ///< the count with which a look found it off its processor
    std::optional<std::uint64_t> cpu_before{};  ///< its clock when this rest began to wait for it
    bool listed = false;
  };
  enum class Attempt : std::uint8_t {
    at_rest,
    busy,     ///< a thread was seen that does not sleep
    changed,  ///< a thread ran, came or went meanwhile
  };

  enum class Busy : std::uint8_t { nobody, working, spinning };

  Attempt attempt();
  bool counted();
  bool looked();
  Attempt still();
  Busy judge_busy(std::chrono::nanoseconds budget);

  bool list();
  [[nodiscard]] bool number_is_known() const;
  void forget(const Thread& thread);
  [[nodiscard]] static bool read_state(Thread& thread);
  [[nodiscard]] static bool read_slices(Thread& thread);
  [[nodiscard]] static bool off_processor(const Thread& thread);
  bool open(Thread& thread) const;
  static void close(const Thread& thread);
  [[nodiscard]] static bool asleep(const Thread& thread) { return thread.state == 'S'; }
  [[nodiscard]] static bool gone(const Thread& thread) { return thread.state == 'X' || thread.state == 'Z'; }
  [[nodiscard]] bool is_foreign(pid_t tid) const;

  int directory_ = -1;
  bool possible_ = false;
  pid_t self_ = 0;  ///< who calls
  std::vector<pid_t> foreign_;
  std::vector<Thread> threads_;  ///< all that are known, the caller among them
};

}  // namespace scopecheck::schedule
