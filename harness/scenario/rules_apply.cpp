// The rules' state after an op that was accepted: declarations, captures, loans on their carriers.
#include "harness/scenario/rules.hpp"

namespace scopecheck::scenario {

void Rules::open_block(BlockKind kind, bool new_level) {
  blocks_.push_back(BlockState{.kind = kind,
                               .level = static_cast<std::uint8_t>(block().level + (new_level ? 1 : 0)),
                               .first_decl = static_cast<std::uint8_t>(decls_.size()),
                               .opened_by = op_count_});
}

void Rules::declare_value(const ValueState& value) {
  decls_.push_back({.is_cell = false, .index = values()});
  values_.push_back(value);
}

void Rules::join_begins(ValueState& scope) {
  scope.joined = true;
  if (scope.join_begun == 0) scope.join_begun = static_cast<std::uint8_t>(blocks_.size());
}

void Rules::remove_value(std::uint8_t value) {
  const auto at = static_cast<std::size_t>(position(false, value));
  decls_.erase(at);
  for (BlockState& open : blocks_)
    if (open.first_decl > at) --open.first_decl;
}

void Rules::apply(const Op& op) {
  if (counted(op.kind))
    for (BlockState& open : blocks_) ++open.ops;
  switch (op.kind) {
    case OpKind::end:
      apply_end();
      ++op_count_;
      return;
    case OpKind::cell:
      cell_level_[cells_] = block().level;
      decls_.push_back({.is_cell = true, .index = cells_++});
      break;
    case OpKind::frame:
      open_block(BlockKind::frame, false);
      break;
    case OpKind::catch_:
      open_block(BlockKind::catch_, true);
      break;
    case OpKind::inside:
      open_block(BlockKind::inside, true);
      break;
    case OpKind::async:
      open_block(BlockKind::async, true);
      break;
    case OpKind::scope:
      declare_value({.kind = ValueKind::scope, .boxed = op.boxed, .level = block().level});
      break;
    case OpKind::enter:
      open_block(BlockKind::enter, true);
      declare_value({.kind = ValueKind::scope, .lent = true, .level = block().level});
      break;
    case OpKind::spawn:
    case OpKind::reserve:
      apply_spawn(op);
      break;
    case OpKind::read:
    case OpKind::write:
      static_cast<void>(use_cell(op.subject, op.kind == OpKind::write, this));
      break;
    case OpKind::throw_:
    case OpKind::throw_bomb:
      blocks_.back().unreachable = true;
      break;
    case OpKind::park:
      tasks_[body().task].parks = true;
      break;
    case OpKind::keep_waker:
      tasks_[body().task].keeps_waker = true;
      break;
    case OpKind::capture:
    case OpKind::result:
    case OpKind::payload:
      if (cell_level_[op.subject] != block().level) blocks_.back().touched |= bit8(op.subject);
      blocks_.back().held |= bit8(op.subject);
      if (op.kind == OpKind::result && cell_level_[op.subject] != block().level)
        blocks_.back().in_result |= bit8(op.subject);
      break;
    case OpKind::shutdown:
      shut_down_ = true;
      break;
    case OpKind::suspend:
    case OpKind::yield:
    case OpKind::step:
    case OpKind::next:
    case OpKind::run:
    case OpKind::wake:
    case OpKind::settle:
      break;
    default:
      apply_value_op(op);
      break;
  }
  if (opens(op.kind)) openers_.push_back(op);
  ++op_count_;
}

void Rules::apply_spawn(const Op& op) {
  if (op.scope != none) {
    values_[op.scope].started = true;
    if (value_is_live(op.scope)) static_cast<void>(use_value(op.scope, shared_use, this));
  }
  bool own_scope = false;
  if (op.scope != none && body().kind == BlockKind::task) own_scope = values_[op.scope].level < block().level;
  for (std::uint8_t cell = 0; cell < cells_; ++cell) {
    const bool mut = (op.mut & bit8(cell)) != 0;
    if (!mut && (op.shared & bit8(cell)) == 0) continue;
    static_cast<void>(use_cell(cell, mut, this));
    if (own_scope) {  // the loan moves on to the new child; a shared one is copied
      BlockState& lender = body_at(block().level);
      // lent on shared until the scope ends, an exclusive loan is no more than a shared one from now on
      if (!mut && offers_->carrier == Carrier::scope && (lender.mut & bit8(cell)) != 0)
        lender.shared |= bit8(cell);
      if (mut || offers_->carrier == Carrier::scope) lender.mut &= static_cast<CellSet>(~bit8(cell));
    } else if (offers_->carrier == Carrier::scope) {
      // Lent through a mutable capture it is out of reach for all others, also where it is lent shared.
      bool exclusive = mut;
      for (std::uint8_t level = block().level; level > values_[op.scope].level; --level)
        exclusive = exclusive || (body_of(level).mut & bit8(cell)) != 0;
      (exclusive ? values_[op.scope].mut : values_[op.scope].shared) |= bit8(cell);
    }
  }
  open_block(BlockKind::task, true);
  blocks_.back().task = op.subject;
  blocks_.back().shared = op.shared;
  blocks_.back().mut = op.mut;
  tasks_.push_back({});
}

void Rules::apply_end() {
  const BlockState closed = block();
  const Op opener = openers_.back();
  // What has begun in a frame, inside or enter has begun behind it, and a panic goes on behind it; other
  // blocks may have been left earlier, or not run.
  const bool runs_through =
      closed.kind == BlockKind::frame || closed.kind == BlockKind::inside || closed.kind == BlockKind::enter;
  for (ValueState& value : values_)
    if (value.join_begun == blocks_.size())
      value.join_begun = static_cast<std::uint8_t>(runs_through ? blocks_.size() - 1 : 0);
  decls_.resize_down(closed.first_decl);
  blocks_.pop_back();
  openers_.pop_back();
  switch (closed.kind) {
    case BlockKind::frame:
    case BlockKind::inside:
    case BlockKind::enter:
      blocks_.back().unreachable = closed.unreachable;
      break;
    case BlockKind::async:
      declare_value({.kind = ValueKind::async,
                     .boxed = opener.boxed,
                     .level = block().level,
                     .shared = closed.shared,
                     .mut = closed.mut,
                     .borrows_shared = closed.value_shared,
                     .borrows_mut = closed.value_mut});
      break;
    case BlockKind::task:
      if (opener.value != none) {
        ValueState handle{.kind = ValueKind::handle,
                          .boxed = opener.boxed,
                          .started = opener.kind == OpKind::spawn,
                          .level = block().level,
                          .scope = opener.scope,
                          .task = opener.subject};
        const bool reserved =
            opener.kind == OpKind::reserve;  // the handle holds the child, and its scope's name
        // A child that spawns into its own scope has a token, not the scope itself.
        if ((reserved || offers_->handle_borrows_scope) && opener.scope != none &&
            value_is_live(opener.scope) &&
            !(body().kind == BlockKind::task && values_[opener.scope].level < block().level))
          handle.borrows_shared = bit16(opener.scope);
        if (offers_->carrier == Carrier::handle ||
            (offers_->borrows() && (offers_->handle_embeds_child || reserved))) {
          handle.shared = opener.shared;
          handle.mut = opener.mut;
        } else if (offers_->handle_poll || offers_->handle_join) {  // it hands over a result that borrows
          handle.shared = opener.shared & closed.in_result;
          handle.mut = opener.mut & closed.in_result;
        }
        declare_value(handle);
      }
      break;
    case BlockKind::root:
    case BlockKind::catch_:
      break;
  }
}

void Rules::apply_value_op(const Op& op) {
  ValueState& value = values_[op.subject];
  const bool consumes = movable(value) && value.kind != ValueKind::scope;
  const auto polled = [&] {
    value.started = true;
    if (value.kind == ValueKind::join) join_begins(values_[value.scope]);
    if (value.kind == ValueKind::scope) value.joined = true;
  };
  switch (op.kind) {
    case OpKind::start:
      value.started = true;
      static_cast<void>(use_value(op.subject, mut_use, this));
      break;
    case OpKind::join_as:
      static_cast<void>(use_value(op.subject, shared_use, this));
      value.joined = true;
      declare_value({.kind = ValueKind::join,
                     .boxed = op.boxed,
                     .level = block().level,
                     .scope = op.subject,
                     .borrows_shared = bit16(op.subject)});
      break;
    case OpKind::poll:
      polled();
      static_cast<void>(use_value(op.subject, mut_use, this));
      break;
    case OpKind::await:
      polled();
      if (consumes) {
        remove_value(op.subject);
      } else {
        static_cast<void>(use_value(op.subject, mut_use, this));
        value.done = value.kind != ValueKind::scope;
      }
      break;
    case OpKind::join:
      if (value.kind == ValueKind::handle) {
        remove_value(op.subject);
      } else {
        join_begins(value);
        static_cast<void>(use_value(op.subject, shared_use, this));
      }
      break;
    case OpKind::close:
      value.closed = true;
      static_cast<void>(use_value(op.subject, shared_use, this));
      break;
    case OpKind::cancel:
      static_cast<void>(use_value(op.subject, shared_use, this));
      break;
    case OpKind::move:
      value.moved = true;
      remove_value(op.subject);
      decls_.push_back({.is_cell = false, .index = op.subject});
      break;
    case OpKind::move_out:
      value.moved = true;
      remove_value(op.subject);
      // the frame's own declarations start one later, also where the value came from further out
      decls_.insert(blocks_.back().first_decl, {.is_cell = false, .index = op.subject});
      ++blocks_.back().first_decl;
      break;
    default:
      remove_value(op.subject);
      break;
  }
}

}  // namespace scopecheck::scenario
