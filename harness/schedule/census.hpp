// The proof that every other thread of this process is blocked, and what each is blocked in.
//
// Theory (double collect). For every thread the kernel tells its state letter (stat), how often it was given
// a processor (schedstat) and whether it has left it (syscall, which says "running" of one that has not). A
// pass reads letter and count of all threads, then a look at each finds that it has left its processor, then
// another pass reads letters and counts again. If all were asleep both times, and the list of threads and
// every count are the same, then none ran between the look at it and its second reading: it would have been
// given a processor. All looks come before the second pass, so there is an instant between them at which all
// threads slept at once; and since none ran before its second reading, none of them can have woken another.
// The process is at rest, and stays so until the caller, a timer or something outside of the process wakes a
// thread.
//
// Why the look: a thread is marked asleep some instructions before it leaves its processor, and one that is
// woken just then goes on without being counted. Its CPU clock would tell, but not on a virtual machine: time
// that was stolen from a processor is taken off that clock later, and it stands still while its thread runs.
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
    std::uint64_t cpu_ns = 0;
    std::uint64_t cpu_before_ns = 0;  ///< when this rest began
    std::uint64_t slices = 0;         ///< how often it was given a processor
    bool listed = false;
    bool changed = false;  ///< since the pass before
  };

  void list();
  bool pass();
  bool read(Thread& thread) const;
  bool open(Thread& thread) const;
  static void close(const Thread& thread);
  [[nodiscard]] bool off_processor() const;
  [[nodiscard]] static bool asleep(const Thread& thread) { return thread.state == 'S'; }
  [[nodiscard]] static bool gone(const Thread& thread) { return thread.state == 'X' || thread.state == 'Z'; }
  [[nodiscard]] bool is_foreign(pid_t tid) const;

  int directory_ = -1;
  bool possible_ = false;
  bool grown_ = false;  ///< the last listing found a thread that was not known
  std::vector<pid_t> foreign_;
  std::vector<Thread> threads_;
};

}  // namespace scopecheck::schedule
