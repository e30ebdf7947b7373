#include "harness/generator/canonical.hpp"

namespace scopecheck::generator {

using scenario::BlockKind;
using scenario::BlockState;
using scenario::CellSet;
using scenario::LeakVector;
using scenario::Op;
using scenario::OpKind;
using scenario::Rules;
using scenario::ValueKind;
using scenario::ValueState;

namespace {

constexpr CellSet bit(std::uint8_t i) { return static_cast<CellSet>(1u << i); }

/// Ops that begin a declaration or a block: only against these does the position of a declaration matter.
bool declares(OpKind kind) {
  switch (kind) {
    case OpKind::cell:
    case OpKind::scope:
    case OpKind::enter:
    case OpKind::async:
    case OpKind::spawn:
    case OpKind::reserve:
    case OpKind::join_as:
    case OpKind::frame:
    case OpKind::inside:
    case OpKind::catch_:
      return true;
    default:
      return false;
  }
}

bool on_drop(OpKind kind) {
  return kind == OpKind::capture || kind == OpKind::result || kind == OpKind::payload;
}

/// The ops so far, read backwards.
class Tail {
 public:
  explicit Tail(const Draft& draft) : ops_(draft.scenario().ops) {}
  bool empty() const { return ops_.empty(); }
  const Op& last() const { return ops_.back(); }
  /// The opener of the block that the last op, an `end`, closed.
  const Op& last_opener() const {
    std::size_t depth = 0;
    for (std::size_t i = ops_.size(); i-- > 0;) {
      if (ops_[i].kind == OpKind::end) ++depth;
      if (scenario::opens(ops_[i].kind) && --depth == 0) return ops_[i];
    }
    return ops_[0];
  }
  /// Cells that some spawn borrows or some destructor touches.
  CellSet mentioned() const {
    CellSet set = 0;
    for (const Op& op : ops_) {
      if (makes_task(op.kind)) set |= static_cast<CellSet>(op.shared | op.mut);
      if (on_drop(op.kind)) set |= bit(op.subject);
    }
    return set;
  }
  /// A cell declared right after another one: which of the two comes first says nothing.
  CellSet twins() const {
    CellSet set = 0;
    for (std::size_t i = 1; i < ops_.size(); ++i)
      if (ops_[i].kind == OpKind::cell && ops_[i - 1].kind == OpKind::cell) set |= bit(ops_[i].subject);
    return set;
  }

 private:
  const scenario::OpList& ops_;
};

/// Cells are named in order of first use: of two twins the first is used first.
bool first_uses_in_order(const Draft& draft, CellSet uses) {
  const Tail tail(draft);
  CellSet mentioned = tail.mentioned();
  const CellSet twins = tail.twins();
  for (std::uint8_t cell = 0; cell < draft.rules().cells(); ++cell) {
    if ((uses & bit(cell)) == 0) continue;
    if ((twins & bit(cell)) != 0 && (mentioned & bit(static_cast<std::uint8_t>(cell - 1))) == 0) return false;
    mentioned |= bit(cell);
  }
  return true;
}

bool body_has(const Draft& draft, const BlockState& block, bool (*matches)(OpKind)) {
  const auto& ops = draft.scenario().ops;
  for (std::size_t i = block.opened_by + 1u; i < ops.size(); ++i)
    if (matches(ops[i].kind)) return true;
  return false;
}

/// Ops through which a panic of the implementation or of a child reaches the client, also by the implicit
/// drop of what they made: without one of them a catch is a frame, or catches nothing but its own throw.
bool may_panic(OpKind kind) {
  switch (kind) {
    case OpKind::scope:
    case OpKind::enter:
    case OpKind::spawn:
    case OpKind::reserve:
    case OpKind::start:
    case OpKind::join_as:
    case OpKind::poll:
    case OpKind::join:
    case OpKind::inside:
    case OpKind::drop:
    case OpKind::cancel:
    case OpKind::close:
    case OpKind::detach:
    case OpKind::shutdown:
      return true;
    default:
      return false;
  }
}

bool canonical_end(const Draft& draft) {
  const Rules& rules = draft.rules();
  const BlockState& block = rules.block();
  const auto& decls = rules.decls();
  const CellSet mentioned = Tail(draft).mentioned();
  for (std::size_t i = block.first_decl; i < decls.size(); ++i) {
    if (decls[i].is_cell && (mentioned & bit(decls[i].index)) == 0) return false;  // nobody borrows it
    if (decls[i].is_cell) continue;
    const ValueState& value = rules.value(decls[i].index);
    if (value.kind == ValueKind::async && !value.started) return false;  // never polled: it was never there
    if (value.boxed && !value.moved) return false;                       // dropped like one in the frame
  }
  switch (block.kind) {
    case BlockKind::task: {
      const Op& opener = draft.scenario().ops[block.opened_by];
      if (((opener.mut | opener.shared) & ~block.touched) != 0) return false;  // borrowed and not used
      const auto& ops = draft.scenario().ops;
      for (std::size_t i = block.opened_by + 1u; i < ops.size(); ++i) {
        if (scenario::opens(ops[i].kind)) {  // what stands in inner blocks is not this task's own
          i = draft.scenario().matching_end(i);
          continue;
        }
        if (ops[i].kind == OpKind::payload && !block.unreachable) return false;  // no panic to carry it
        if (ops[i].kind == OpKind::result && block.unreachable) return false;
      }
      return true;
    }
    case BlockKind::frame:
      // a frame that declares nothing ends nothing
      return body_has(draft, block, [](OpKind kind) { return declares(kind) && kind != OpKind::frame; });
    case BlockKind::catch_:
      return body_has(draft, block, may_panic);
    case BlockKind::inside:
      return rules.tasks() > 0;  // no child, nothing to be found
    case BlockKind::async:
      return block.ops >= 1;
    case BlockKind::root:
    case BlockKind::enter:
      return true;
  }
  return true;
}

bool canonical_value_op(const Draft& draft, const Op& op) {
  const Rules& rules = draft.rules();
  const ValueState& value = rules.value(op.subject);
  const bool unpolled = value.kind == ValueKind::async && !value.started;
  switch (op.kind) {
    case OpKind::await:
      return !(unpolled && value.boxed);  // consumed like one in the frame
    case OpKind::drop:
      return !unpolled && !(value.boxed && !value.moved);
    case OpKind::move:
      return !unpolled && !value.boxed;  // a box that moves moves nothing; its order is that of a drop
    case OpKind::move_out:
      return !unpolled;
    case OpKind::forget: {
      if (unpolled) return false;
      if (static_cast<LeakVector>(op.extra) == LeakVector::cycle) return false;  // the same calls as forget
      if (!value.boxed || draft.scenario().ops.empty()) return true;
      // Forgetting a box calls nothing: it comes before whatever it commutes with.
      const Tail tail(draft);
      const Op& last = tail.last();
      if (last.kind == OpKind::scope) return last.value == op.subject;
      if (last.kind != OpKind::end) return true;
      const Op& opener = tail.last_opener();
      if (!makes_task(opener.kind) && opener.kind != OpKind::async) return true;
      return opener.value == op.subject || opener.scope == op.subject || opener.kind == OpKind::async;
    }
    default:
      return true;
  }
}

/// Whether the client may wait in it, for children that so get their chance.
bool may_wait(OpKind kind) {
  switch (kind) {
    case OpKind::end:
    case OpKind::inside:
    case OpKind::start:
    case OpKind::poll:
    case OpKind::await:
    case OpKind::join:
    case OpKind::close:
    case OpKind::cancel:
    case OpKind::detach:
    case OpKind::drop:
    case OpKind::settle:
    case OpKind::shutdown:
    case OpKind::throw_:
      return true;
    default:
      return false;
  }
}

/// A choice wants several who may be chosen, and its last word is not for who would go first anyway.
bool canonical_after_next(const Draft& draft, const Op& next, OpKind then) {
  if (then == OpKind::next) return true;
  return may_wait(then) && (draft.rules().offers().yields || next.subject != 0);
}

}  // namespace

bool canonical_next(const Draft& draft, const Op& op) {
  const Rules& rules = draft.rules();
  const Tail tail(draft);
  const OpKind last = tail.empty() ? OpKind::cell : tail.last().kind;
  if (last == OpKind::next && !canonical_after_next(draft, tail.last(), op.kind)) return false;
  if (!tail.empty() && last == OpKind::cell && !declares(op.kind) &&
      !(rules.block().kind == BlockKind::task && on_drop(op.kind)))
    return false;  // a declaration stands right before what its position matters to
  if (draft.dropped_top() && op.kind == OpKind::end) return false;  // the end would have dropped it
  if (!tail.empty() && last == OpKind::end && tail.last_opener().kind == OpKind::async &&
      !declares(op.kind) && op.kind != OpKind::end &&
      !((op.kind == OpKind::poll || op.kind == OpKind::await) && op.subject == tail.last_opener().value))
    return false;  // creating a future does nothing: it is created right before it is polled
  if (on_drop(op.kind)) {
    if (last != OpKind::cell && !makes_task(last) && !(on_drop(last) && last < op.kind)) return false;
    const bool own = ((rules.block().shared | rules.block().mut) & bit(op.subject)) == 0;
    if (own && op.kind == OpKind::capture) return false;  // the ledger watches the child's destructor anyway
    if (own && op.kind == OpKind::result && rules.offers().borrows())
      return false;  // so does a borrowed cell
    return first_uses_in_order(draft, bit(op.subject));
  }
  switch (op.kind) {
    case OpKind::end:
      return canonical_end(draft);
    case OpKind::read:
      return false;  // the same calls as a write through a mutable loan
    case OpKind::write: {
      // what the client or a task does with memory of its own concerns nobody
      if (rules.body().kind != BlockKind::task) return false;
      return (rules.body().mut & bit(op.subject)) != 0;
    }
    case OpKind::spawn:
    case OpKind::reserve:
      return op.shared == 0 && first_uses_in_order(draft, op.mut);
    case OpKind::next:
      return rules.tasks() > (rules.offers().yields ? 0 : 1);
    case OpKind::settle:
    case OpKind::run:
      return rules.tasks() > 0 && last != OpKind::settle;
    case OpKind::throw_bomb:
      return rules.body().kind == BlockKind::task;  // the implementation never holds the client's payload
    case OpKind::shutdown:
      return rules.tasks() > 0 || rules.values() > 0;
    case OpKind::await:
    case OpKind::drop:
    case OpKind::move:
    case OpKind::move_out:
    case OpKind::forget:
      return canonical_value_op(draft, op);
    default:
      return true;
  }
}

std::size_t ops_still_needed(const Draft& draft) {
  const Rules& rules = draft.rules();
  const scenario::Bounds& bounds = draft.bounds();
  constexpr std::size_t never = 1000;
  std::size_t needed = 0;
  // a cell needs somebody who borrows it and touches it: a spawn and a step each
  const CellSet mentioned = Tail(draft).mentioned();
  std::size_t waiting = 0;
  for (const scenario::Declaration& decl : rules.decls())
    if (decl.is_cell && (mentioned & bit(decl.index)) == 0) ++waiting;
  if (waiting > 0) {
    const bool in_body = rules.block().kind == BlockKind::task;  // there a destructor may touch it instead
    if (!in_body && rules.tasks() + (waiting + bounds.borrows - 1) / bounds.borrows > bounds.tasks)
      return never;
    needed += in_body ? waiting : (waiting + bounds.borrows - 1) / bounds.borrows + waiting;
    bool scope = false;
    for (std::uint8_t v = 0; v < rules.values(); ++v)
      scope = scope || rules.value(v).kind == ValueKind::scope;
    if (!in_body && rules.offers().has_scopes() && !scope) ++needed;
  }
  for (const scenario::Declaration& decl : rules.decls()) {
    if (decl.is_cell) continue;
    const ValueState& value = rules.value(decl.index);
    if (value.kind == ValueKind::async && !value.started) ++needed;           // its first poll
    if (value.boxed && !value.moved && !rules.block().unreachable) ++needed;  // what it was boxed for
  }
  for (const BlockState& block : rules.blocks()) {
    const auto& ops = draft.scenario().ops;
    if (block.kind == BlockKind::async) needed += ops[block.opened_by].boxed ? 2u : 1u;
    if (block.kind == BlockKind::task) {
      if (ops[block.opened_by].boxed) ++needed;
      const CellSet borrowed = static_cast<CellSet>(ops[block.opened_by].mut | ops[block.opened_by].shared);
      if ((borrowed & ~block.touched) != 0 && &block == &rules.block()) ++needed;
    }
  }
  return needed;
}

bool canonical_stop(const Draft& draft) {
  const auto& ops = draft.scenario().ops;
  if (ops.empty()) return true;
  const Op& last = ops[ops.size() - 1];
  if (last.kind == OpKind::cell || draft.dropped_top()) return false;
  if (last.kind == OpKind::next && !canonical_after_next(draft, last, OpKind::end)) return false;
  if (ops[0].kind == OpKind::frame && draft.scenario().matching_end(0) + 1 == ops.size())
    return false;  // the outermost is one
  return canonical_end(draft);
}

}  // namespace scopecheck::generator
