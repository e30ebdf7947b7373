// The ledger: what truly lived, and when. An append-only list of events, written by the interpreter
// alone; the first witness of every verdict. Beside the list it keeps what is alive right now, so that a
// touch is classified the moment it happens, without a sanitizer, in every build.
#pragma once

#include "harness/base/assert.hpp"
#include "harness/scenario/offers.hpp"
#include "harness/scenario/op.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace scopecheck::ledger {

enum class EventKind : std::uint8_t {
#define SCOPECHECK_EVENT(id, subject, doc) id,
#include "harness/ledger/events.def"
#undef SCOPECHECK_EVENT
};
enum class Subject : std::uint8_t { none, cell, value, task };
struct EventInfo {
  std::string_view id;
  Subject subject;
  std::string_view doc;
};
inline constexpr std::array event_table = {
#define SCOPECHECK_EVENT(id, subject, doc) EventInfo{#id, Subject::subject, doc},
#include "harness/ledger/events.def"
#undef SCOPECHECK_EVENT
};
inline constexpr std::size_t event_kinds = event_table.size();
static_assert(event_kinds <= 64, "kinds are collected in a 64-bit set");

[[nodiscard]] constexpr const EventInfo& info(EventKind kind) {
  return event_table[static_cast<std::size_t>(kind)];
}

inline constexpr std::uint8_t client_actor = 0xff;

/// A task touched a cell.
[[nodiscard]] constexpr bool is_touch(EventKind kind) {
  return kind >= EventKind::touched_read && kind <= EventKind::touched_by_payload;
}

/// How a touch stood to the cell's life: bits of Event::detail.
enum Touch : std::uint8_t {
  touch_ok = 0,
  touch_dead = 1,     ///< the cell's memory had ended
  touch_expired = 2,  ///< the task's loan had ended, the cell lives
  /// beside one of these: whoever ended the cell, or has it back, is another thread, which has not gone into
  /// the implementation since: nothing can have ordered the two
  touch_unordered = 4,
};

/// Where a cell or a value lives: detail of cell_born.
enum class Place : std::uint8_t { stack_frame, async_block, task_body };

/// One fact, eight bytes.
struct Event {
  EventKind kind;
  std::uint8_t actor = client_actor;
  std::uint8_t subject = 0;
  std::uint8_t detail = 0;
  std::uint16_t op = 0;  ///< index of the client op or step at which it happened
  std::uint16_t reserved = 0;

  friend bool operator==(const Event&, const Event&) = default;
};
static_assert(sizeof(Event) == 8);

inline constexpr std::size_t max_events = 2048;

/// Moments that give a search its weight; see goals.def.
enum class Goal : std::uint8_t {
#define SCOPECHECK_GOAL(id, needs, doc) id,
#include "harness/ledger/goals.def"
#undef SCOPECHECK_GOAL
};
struct GoalInfo {
  std::string_view id;
  std::string_view doc;
};
inline constexpr std::array goal_table = {
#define SCOPECHECK_GOAL(id, needs, doc) GoalInfo{#id, doc},
#include "harness/ledger/goals.def"
#undef SCOPECHECK_GOAL
};
inline constexpr std::size_t goals = goal_table.size();
/// The goals that an API with these offers can reach, a bit each.
[[nodiscard]] std::uint64_t reachable_goals(const scenario::Offers& offers);

/// What happened to a task so far: bits.
enum TaskLife : std::uint16_t {
  task_spawned = 1,
  task_started = 2,   ///< stepped at least once
  task_finished = 4,  ///< returned a result
  task_threw = 8,
  task_dropped = 16,
  task_stepping = 32,
  task_woken = 64,       ///< woken since its last step
  task_home_dead = 128,  ///< the storage that embeds it ended
  task_home_moved = 256,
  task_cancelled = 512,
  task_reserved = 1024,  ///< made, not yet started by the client
};

/// What looks wrong without thinking: the judge reads a run closely only when one of these is set.
enum Alarm : std::uint16_t {
  alarm_touch = 1,
  alarm_step = 2,   ///< stepped when done, dropped, stepping, or in dead or moved storage
  alarm_drop = 4,   ///< dropped twice, or in dead storage
  alarm_never = 8,  ///< embedding storage ended without the child's destructor
  alarm_join = 16,
  alarm_wake = 32,
  alarm_scribble = 64,
  alarm_object = 128,  ///< a result or payload destroyed twice
};

/// The list of events plus the present state of every life. Threads: one writer.
class Ledger {
 public:
  void clear();

  /// Appends a fact. When full the ledger stops (`overflowed`), which makes a run an error, never a pass.
  void append(EventKind kind, std::uint8_t actor, std::uint8_t subject, std::uint8_t detail, std::size_t op) {
    seen_ |= std::uint64_t{1} << static_cast<unsigned>(kind);
    if (size_ == max_events) {
      overflowed_ = true;
      return;
    }
    events_[size_++] = Event{kind, actor, subject, detail, static_cast<std::uint16_t>(op), 0};
  }

  [[nodiscard]] std::span<const Event> events() const { return {events_.data(), size_}; }
  [[nodiscard]] std::uint64_t seen() const { return seen_; }
  [[nodiscard]] bool overflowed() const { return overflowed_; }
  [[nodiscard]] std::uint16_t alarms() const { return alarms_; }
  /// Goals reached, a bit each.
  [[nodiscard]] std::uint64_t reached() const { return reached_; }
  void reach(Goal goal) { reached_ |= std::uint64_t{1} << static_cast<unsigned>(goal); }
  void raise(Alarm alarm) { alarms_ = static_cast<std::uint16_t>(alarms_ | alarm); }

  // Lives, kept by the writer through the calls below; each also appends its event.
  void cell_born(std::uint8_t cell, Place place, std::uint8_t actor, std::size_t op);
  void cell_died(std::uint8_t cell, std::uint8_t actor, std::size_t op);
  [[nodiscard]] bool cell_alive(std::uint8_t cell) const { return (cells_alive_ >> cell & 1) != 0; }
  /// `task` borrows `cell` until `carrier` ends; `through` is the task it was passed on by, or none.
  void loan_taken(std::uint8_t task, std::uint8_t cell, std::uint8_t carrier, std::uint8_t through,
                  std::size_t op);
  /// Ends every loan that `task` holds, and those it passed on. `actor` is who ended the carrier.
  void loans_expired(std::uint8_t task, std::uint8_t actor, std::size_t op);
  [[nodiscard]] bool has_loan(std::uint8_t task, std::uint8_t cell) const {
    return (loans_[task] >> cell & 1) != 0;
  }
  /// Cells that some task has a loan of, a bit each.
  [[nodiscard]] std::uint8_t lent() const;
  /// Classifies and records a touch of `cell` by `task`. `owned`: a cell of the task's own; `unordered`: see
  /// touch_unordered.
  Touch touched(EventKind kind, std::uint8_t task, std::uint8_t cell, bool owned, bool unordered,
                std::size_t op);

  [[nodiscard]] std::uint16_t task(std::uint8_t index) const { return tasks_[index]; }
  [[nodiscard]] bool task_is(std::uint8_t index, TaskLife life) const { return (tasks_[index] & life) != 0; }
  void mark(std::uint8_t task, TaskLife life) {
    tasks_[task] = static_cast<std::uint16_t>(tasks_[task] | life);
  }
  void unmark(std::uint8_t task, TaskLife life) {
    tasks_[task] = static_cast<std::uint16_t>(tasks_[task] & ~life);
  }

 private:
  std::size_t size_ = 0;
  std::uint64_t seen_ = 0;
  std::uint64_t reached_ = 0;
  std::uint16_t alarms_ = 0;
  bool overflowed_ = false;
  std::uint8_t cells_alive_ = 0;
  std::array<std::uint8_t, scenario::max_tasks> loans_{};    // cells that each task may use
  std::array<std::uint8_t, scenario::max_tasks> through_{};  // the task that passed them on
  std::array<std::uint16_t, scenario::max_tasks> tasks_{};
  std::array<Event, max_events> events_;
};

}  // namespace scopecheck::ledger
