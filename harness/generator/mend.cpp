#include "harness/generator/mend.hpp"

#include <algorithm>

namespace scopecheck::generator {

using scenario::none;
using scenario::Op;
using scenario::Operand;
using scenario::OpKind;

Mender::Mender(const scenario::Offers& offers, const scenario::Bounds& bounds) : draft_(offers, bounds) {
  cells_.fill(none);
  values_.fill(none);
  tasks_.fill(none);
}

void Mender::take(Op op) {
  if (static_cast<std::size_t>(op.kind) >= scenario::op_kinds) return;
  if (op.kind == OpKind::end) return close();
  if (scenario::opens(op.kind)) {
    if (!open_.full()) open(op);
    return;
  }
  if (skipped_ > 0) return;
  const Op source = op;
  if (!translate(op) || !draft_.admits(op)) return;
  switch (scenario::info(op.kind).operand) {
    case Operand::new_cell:
      cells_[source.subject] = op.subject;
      break;
    case Operand::new_scope:
      values_[source.value] = op.value;
      break;
    default:
      if (op.kind == OpKind::join_as) values_[source.value] = op.value;
      break;
  }
  draft_.push(op);
}

void Mender::open(const Op& source) {
  Op op = source;
  const bool declares = op.kind == OpKind::async || (scenario::makes_task(op.kind) && op.value != none);
  Open block{Fate::kept, declares ? source.value : none};
  const bool task = scenario::makes_task(op.kind);
  if (skipped_ == 0 && translate(op) && draft_.admits(op)) {
    if (task) tasks_[source.subject] = op.subject;
    if (op.kind == OpKind::enter) values_[source.value] = op.value;
    draft_.push(op);
  } else if (skipped_ > 0 || task) {  // a task's body was written for a task
    block.fate = Fate::skipped;
    ++skipped_;
  } else {
    block.fate = Fate::unwrapped;
  }
  open_.push_back(block);
}

void Mender::close() {
  if (open_.empty()) return;
  const Open block = open_.back();
  open_.pop_back();
  if (block.fate == Fate::skipped) --skipped_;
  if (block.fate != Fate::kept || draft_.at_root()) return;
  const std::uint8_t next = draft_.rules().values();
  draft_.push(Op{});
  if (block.declares != none && draft_.rules().values() > next) values_[block.declares] = next;
}

const scenario::Scenario& Mender::finish() {
  draft_.close();
  return draft_.scenario();
}

std::uint8_t Mender::cell(std::uint8_t index) const {
  const std::uint8_t count = draft_.rules().cells();
  if (cells_[index] != none) return cells_[index];
  return count == 0 ? none : static_cast<std::uint8_t>(index % count);
}

/// A live one where the source's is not there.
std::uint8_t Mender::value(std::uint8_t index) const {
  if (values_[index] != none) return values_[index];
  std::size_t live = 0;
  for (const scenario::Declaration& decl : draft_.rules().decls()) live += decl.is_cell ? 0 : 1;
  if (live == 0) return none;
  std::size_t nth = index % live;
  for (const scenario::Declaration& decl : draft_.rules().decls())
    if (!decl.is_cell && nth-- == 0) return decl.index;
  return none;
}

std::uint8_t Mender::scope(std::uint8_t index) const {
  const scenario::Rules& rules = draft_.rules();
  if (values_[index] != none) return values_[index];
  for (std::uint8_t v = rules.values(); v-- > 0;)
    if (rules.value(v).kind == scenario::ValueKind::scope && rules.value_is_live(v)) return v;
  return none;
}

std::uint8_t Mender::cells(std::uint8_t set) const {
  unsigned result = 0;
  for (std::uint8_t i = 0; i < scenario::max_cells; ++i)
    if ((set >> i & 1) != 0)
      if (const std::uint8_t now = cell(i); now < scenario::max_cells) result |= 1u << now;
  return static_cast<std::uint8_t>(result);
}

/// The op in the numbering of the draft, in the form that this API has; false where it mentions what is not
/// there.
bool Mender::translate(Op& op) const {
  const scenario::Rules& rules = draft_.rules();
  const Op source = op;
  op = Op{.kind = source.kind};
  switch (scenario::info(op.kind).operand) {
    case Operand::none:
      return true;
    case Operand::new_cell:
      op.subject = rules.cells();
      return true;
    case Operand::new_scope:
      op.value = rules.values();
      op.boxed = op.kind == OpKind::scope && source.boxed && rules.offers().box;
      return true;
    case Operand::new_block:
      op.boxed = source.boxed && rules.offers().box;
      return true;
    case Operand::cell:
      return (op.subject = cell(source.subject)) != none;
    case Operand::task:
      op.subject = tasks_[source.subject];
      if (op.subject == none && rules.tasks() > 0)
        op.subject = static_cast<std::uint8_t>(source.subject % rules.tasks());
      return op.subject != none;
    case Operand::count:
      op.subject = std::max<std::uint8_t>(source.subject, 1);
      return true;
    case Operand::vector:
      op.extra = static_cast<std::uint8_t>(source.extra % 3);
      return (op.subject = value(source.subject)) != none;
    case Operand::value:
      if (op.kind == OpKind::join_as) {
        op.value = rules.values();
        op.boxed = source.boxed && rules.offers().box;
        return (op.subject = scope(source.subject)) != none;
      }
      return (op.subject = value(source.subject)) != none;
    case Operand::spawn:
      op = draft_.plain_spawn(source.kind);
      op.boxed = source.boxed && op.value != none && rules.offers().box;
      if (rules.offers().has_scopes() && (op.scope = scope(source.scope)) == none) return false;
      if (!rules.offers().borrows()) return true;
      op.mut = cells(source.mut);
      op.shared = static_cast<std::uint8_t>(cells(source.shared) & ~op.mut);
      return true;
  }
  return false;
}

scenario::Scenario mend(std::span<const Op> ops, const scenario::Offers& offers,
                        const scenario::Bounds& bounds) {
  Mender mender(offers, bounds);
  for (const Op& op : ops) mender.take(op);
  return mender.finish();
}

}  // namespace scopecheck::generator
