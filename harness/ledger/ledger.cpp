#include "harness/ledger/ledger.hpp"

namespace scopecheck::ledger {

std::uint64_t reachable_goals(const scenario::Offers& o) {
  std::uint64_t set = 0;
#define SCOPECHECK_GOAL(id, needs, doc) \
  if (needs) set |= std::uint64_t{1} << static_cast<unsigned>(Goal::id);
#include "harness/ledger/goals.def"
#undef SCOPECHECK_GOAL
  return set;
}

void Ledger::clear() {
  size_ = 0;
  seen_ = 0;
  reached_ = 0;
  alarms_ = 0;
  overflowed_ = false;
  cells_alive_ = 0;
  loans_.fill(0);
  through_.fill(scenario::none);
  tasks_.fill(0);
}

void Ledger::cell_born(std::uint8_t cell, Place place, std::uint8_t actor, std::size_t op) {
  cells_alive_ = static_cast<std::uint8_t>(cells_alive_ | 1u << cell);
  append(EventKind::cell_born, actor, cell, static_cast<std::uint8_t>(place), op);
}

void Ledger::cell_died(std::uint8_t cell, std::uint8_t actor, std::size_t op) {
  cells_alive_ = static_cast<std::uint8_t>(cells_alive_ & ~(1u << cell));
  append(EventKind::cell_died, actor, cell, 0, op);
}

void Ledger::loan_taken(std::uint8_t task, std::uint8_t cell, std::uint8_t carrier, std::uint8_t through,
                        std::size_t op) {
  loans_[task] = static_cast<std::uint8_t>(loans_[task] | 1u << cell);
  through_[task] = through;
  append(EventKind::loan_taken, task, cell, carrier, op);
}

void Ledger::loans_expired(std::uint8_t task, std::uint8_t actor, std::size_t op) {
  const std::uint8_t cells = loans_[task];
  loans_[task] = 0;
  for (std::uint8_t cell = 0; cell < scenario::max_cells; ++cell)
    if ((cells >> cell & 1) != 0) append(EventKind::loan_expired, task, cell, actor, op);
  for (std::uint8_t other = 0; other < scenario::max_tasks; ++other)
    if (through_[other] == task && loans_[other] != 0) loans_expired(other, actor, op);
}

std::uint8_t Ledger::lent() const {
  std::uint8_t cells = 0;
  for (const std::uint8_t loans : loans_) cells = static_cast<std::uint8_t>(cells | loans);
  return cells;
}

Touch Ledger::touched(EventKind kind, std::uint8_t task, std::uint8_t cell, bool owned, bool unordered,
                      std::size_t op) {
  Touch touch = !cell_alive(cell) ? touch_dead : !owned && !has_loan(task, cell) ? touch_expired : touch_ok;
  if (touch != touch_ok) {
    raise(alarm_touch);
    if (unordered) touch = static_cast<Touch>(touch | touch_unordered);
  }
  append(kind, task, cell, touch, op);
  return touch;
}

}  // namespace scopecheck::ledger
