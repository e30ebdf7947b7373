#include "harness/scenario/rules.hpp"

namespace scopecheck::scenario {
Rules::Rules(const Offers& offers) : offers_(&offers) {
  blocks_.push_back(BlockState{.kind = BlockKind::root});
  openers_.push_back(Op{});
}

int Rules::position(bool is_cell, std::uint8_t index) const {
  for (int i = static_cast<int>(decls_.size()) - 1; i >= 0; --i) {
    const Declaration& decl = decls_[static_cast<std::size_t>(i)];
    if (decl.is_cell == is_cell && decl.index == index) return i;
  }
  return -1;
}

std::size_t Rules::body_index(std::uint8_t level) const {
  std::size_t i = blocks_.size() - 1;
  while (blocks_[i].level > level || blocks_[i].kind == BlockKind::frame) --i;
  return i;
}

/// Blocks that are open declare a value at their end, which needs room, too.
bool Rules::room_for_value() const {
  std::size_t declared = values_.size();
  for (const Op& opener : openers_)
    if (opener.kind == OpKind::async || (makes_task(opener.kind) && opener.value != none)) ++declared;
  return declared < max_values;
}

const BlockState& Rules::body_of(std::uint8_t level) const { return blocks_[body_index(level)]; }

BlockState& Rules::body_at(std::uint8_t level) { return blocks_[body_index(level)]; }

const BlockState& Rules::body() const { return body_of(blocks_.back().level); }

bool Rules::in_main() const {
  for (const BlockState& block : blocks_)
    if (block.kind == BlockKind::async || block.kind == BlockKind::inside || block.kind == BlockKind::task)
      return false;
  return true;
}

bool Rules::in_task() const {
  for (const BlockState& block : blocks_)
    if (block.kind == BlockKind::task) return true;
  return false;
}

bool Rules::in_async_block() const {
  for (std::size_t i = blocks_.size(); i-- > 0;) {
    if (blocks_[i].kind == BlockKind::async) return true;
    if (blocks_[i].kind == BlockKind::task) return false;
  }
  return false;
}

const BlockState& Rules::suspending_body() const {
  if (!offers_->stack) return body();
  std::uint8_t level = blocks_.back().level;
  while (body_of(level).kind == BlockKind::enter) --level;
  return body_of(level).kind == BlockKind::async ? body_of(level) : body();
}

bool Rules::in_async_body() const {
  const BlockKind kind = suspending_body().kind;
  return kind == BlockKind::async || kind == BlockKind::inside || kind == BlockKind::task;
}

bool Rules::movable(const ValueState& value) const {
  if (value.boxed) return true;
  Mobility mobility = Mobility::until_started;
  if (value.kind == ValueKind::scope) mobility = offers_->scope_mobility;
  if (value.kind == ValueKind::handle) mobility = offers_->handle_mobility;
  if (value.kind == ValueKind::join) mobility = offers_->join_mobility;
  return mobility == Mobility::always || (mobility == Mobility::until_started && !value.started);
}

// One use of a cell by the current body: no conflicting loan at its level; then, if the cell belongs to
// a level further out, the same there, where the use is part of this block's capture.
Rules::Verdict Rules::use_cell(std::uint8_t cell, bool write, Rules* commit) const {
  for (std::uint8_t level = blocks_.back().level;; --level) {
    for (const Declaration& decl : decls_) {
      if (decl.is_cell) continue;
      const ValueState& value = values_[decl.index];
      if (value.level != level) continue;
      if ((value.mut & bit8(cell)) != 0)
        return Violation{.rule = write ? Rule::write_while_borrowed : Rule::read_while_mut_borrowed,
                         .cell = cell,
                         .carrier = decl.index};
      if (write && (value.shared & bit8(cell)) != 0)
        return Violation{.rule = Rule::write_while_borrowed, .cell = cell, .carrier = decl.index};
    }
    if (cell_level_[cell] == level) return std::nullopt;
    const BlockState& body = body_of(level);
    if (body.kind == BlockKind::task) {
      if (((body.shared | body.mut) & bit8(cell)) == 0)
        return Violation{.rule = Rule::not_borrowed, .cell = cell, .task = body.task};
      if (write && (body.mut & bit8(cell)) == 0)
        return Violation{.rule = Rule::write_through_shared, .cell = cell, .task = body.task};
      if (commit != nullptr) commit->body_at(level).touched |= bit8(cell);
      return std::nullopt;
    }
    if (commit != nullptr) {
      BlockState& captured = commit->body_at(level);
      (write ? captured.mut : captured.shared) |= bit8(cell);
    }
  }
}

Rules::Verdict Rules::use_value(std::uint8_t value, Mode mode, Rules* commit) const {
  if (mode == consume && values_[value].lent)
    return Violation{.rule = Rule::consumed_through_capture, .value = value};
  for (std::uint8_t level = blocks_.back().level;; --level) {
    for (const Declaration& decl : decls_) {
      if (decl.is_cell || values_[decl.index].level != level) continue;
      const ValueState& other = values_[decl.index];
      if ((other.borrows_mut & bit16(value)) != 0 ||
          (mode != shared_use && (other.borrows_shared & bit16(value)) != 0))
        return Violation{.rule = Rule::value_borrowed, .value = value, .carrier = decl.index};
    }
    if (values_[value].level == level) return std::nullopt;
    if (mode == consume) return Violation{.rule = Rule::consumed_through_capture, .value = value};
    const BlockState& body = body_of(level);
    if (body.kind == BlockKind::task)
      return Violation{.rule = Rule::unknown, .value = value, .task = body.task};
    if (commit != nullptr) {
      BlockState& captured = commit->body_at(level);
      (mode == mut_use ? captured.value_mut : captured.value_shared) |= bit16(value);
    }
  }
}

std::optional<Violation> Rules::check(const Op& op) const {
  if (op_count_ >= max_ops - 1) return Violation{.rule = Rule::too_large};
  if (op.kind == OpKind::end) return check_end();
  if (block().unreachable) return Violation{.rule = Rule::unreachable};
  if (opens(op.kind) && blocks_.full()) return Violation{.rule = Rule::too_large};
  switch (op.kind) {
    case OpKind::cell:
      if (op.subject != cells_) return Violation{.rule = Rule::unknown, .cell = op.subject};
      if (cells_ == max_cells) return Violation{.rule = Rule::too_large};
      return std::nullopt;
    case OpKind::frame:
      return std::nullopt;
    case OpKind::catch_:
      if (!offers_->throws) return Violation{.rule = Rule::not_offered};
      if (!in_main()) return Violation{.rule = Rule::wrong_place};
      return std::nullopt;
    case OpKind::inside:
      if (!offers_->inside) return Violation{.rule = Rule::not_offered};
      if (!in_main()) return Violation{.rule = Rule::wrong_place};
      if (shut_down_) return Violation{.rule = Rule::after_shutdown};
      return std::nullopt;
    case OpKind::async:
      if (!offers_->async || (op.boxed && !offers_->box)) return Violation{.rule = Rule::not_offered};
      if (!room_for_value()) return Violation{.rule = Rule::too_large};
      return std::nullopt;
    case OpKind::scope:
    case OpKind::enter:
      if (op.kind == OpKind::enter ? !offers_->scope_enter || op.boxed
                                   : !offers_->scope || (op.boxed && !offers_->box))
        return Violation{.rule = Rule::not_offered};
      if (op.kind == OpKind::enter && in_async_block() && !offers_->stack)
        return Violation{.rule = Rule::wrong_place};
      if (in_task() && !offers_->child_scopes) return Violation{.rule = Rule::not_offered};
      if (shut_down_) return Violation{.rule = Rule::after_shutdown};
      if (offers_->pre_worker_only && in_main()) return Violation{.rule = Rule::precondition};
      if (op.value != values()) return Violation{.rule = Rule::unknown, .value = op.value};
      if (!room_for_value()) return Violation{.rule = Rule::too_large};
      return std::nullopt;
    case OpKind::spawn:
    case OpKind::reserve:
      return check_spawn(op);
    case OpKind::read:
    case OpKind::write:
      if (op.subject >= cells_ || !cell_is_live(op.subject))
        return Violation{.rule = Rule::unknown, .cell = op.subject};
      return use_cell(op.subject, op.kind == OpKind::write, nullptr);
    case OpKind::throw_:
    case OpKind::throw_bomb:
      if (!offers_->throws) return Violation{.rule = Rule::not_offered};
      return std::nullopt;
    case OpKind::suspend: {
      const BlockKind kind = suspending_body().kind;
      if (kind != BlockKind::async && kind != BlockKind::inside)
        return Violation{.rule = Rule::await_outside_async};
      if (kind == BlockKind::inside && offers_->blocks) return Violation{.rule = Rule::wrong_place};
      return std::nullopt;
    }
    case OpKind::yield:
    case OpKind::park:
    case OpKind::keep_waker:
    case OpKind::capture:
    case OpKind::result:
    case OpKind::payload:
      return check_task_op(op);
    case OpKind::step:
    case OpKind::next:
    case OpKind::run:
    case OpKind::wake:
    case OpKind::settle:
    case OpKind::shutdown:
      return check_driver_op(op);
    default:
      return check_value_op(op);
  }
}

Rules::Verdict Rules::check_end() const {
  if (blocks_.size() == 1) return Violation{.rule = Rule::wrong_place};
  return std::nullopt;
}

Rules::Verdict Rules::check_spawn(const Op& op) const {
  if (op.subject != tasks()) return Violation{.rule = Rule::unknown, .task = op.subject};
  if (tasks_.full() || (op.value != none && !room_for_value())) return Violation{.rule = Rule::too_large};
  if (shut_down_) return Violation{.rule = Rule::after_shutdown};
  if (offers_->pre_worker_only && in_main()) return Violation{.rule = Rule::precondition};
  const bool awaited = op.extra != 0;
  const bool reserves = op.kind == OpKind::reserve;
  if (reserves ? awaited || !offers_->reserve : awaited != offers_->spawn_awaited)
    return Violation{.rule = Rule::not_offered};
  if ((op.value != none) != (reserves || offers_->spawn_yields_handle()))
    return Violation{.rule = Rule::not_offered};
  if (op.boxed && (op.value == none || !offers_->box)) return Violation{.rule = Rule::not_offered};
  if ((op.scope != none) != offers_->has_scopes()) return Violation{.rule = Rule::not_offered};
  const bool no_carrier =  // a scope would carry the loans, and none is offered
      !offers_->borrows() || (offers_->carrier == Carrier::scope && op.scope == none);
  if ((op.shared | op.mut) != 0 && no_carrier) return Violation{.rule = Rule::not_offered};
  if (awaited && !in_async_body()) return Violation{.rule = Rule::await_outside_async};

  bool own_scope = false;  // a child spawning into the scope it runs in, through its token
  if (op.scope != none) {
    if (op.scope >= values() || values_[op.scope].kind != ValueKind::scope)
      return Violation{.rule = Rule::unknown, .value = op.scope};
    own_scope = body().kind == BlockKind::task && values_[op.scope].level < block().level &&
                openers_[body_index(block().level)].scope == op.scope;
    if (!own_scope) {
      if (!value_is_live(op.scope)) return Violation{.rule = Rule::used_after_end, .value = op.scope};
      if (const Verdict bad = use_value(op.scope, shared_use, nullptr)) return bad;
    }
    if (values_[op.scope].closed) return Violation{.rule = Rule::scope_closed, .value = op.scope};
    if (offers_->pre_no_spawn_after_join && values_[op.scope].join_begun != 0)
      return Violation{.rule = Rule::precondition, .value = op.scope};
  }
  if (in_task() && (own_scope || op.scope == none) && !offers_->spawn_nested)
    return Violation{.rule = Rule::not_offered};

  for (std::uint8_t cell = 0; cell < max_cells; ++cell) {
    const bool mut = (op.mut & bit8(cell)) != 0;
    if (!mut && (op.shared & bit8(cell)) == 0) continue;
    if (cell >= cells_ || !cell_is_live(cell)) return Violation{.rule = Rule::unknown, .cell = cell};
    if (Verdict bad = use_cell(cell, mut, nullptr)) {
      if (bad->rule == Rule::write_while_borrowed) bad->rule = Rule::borrow_mut_while_borrowed;
      if (bad->rule == Rule::read_while_mut_borrowed) bad->rule = Rule::borrow_while_mut_borrowed;
      return bad;
    }
    for (std::size_t i = blocks_.size(); i-- > 0;) {  // also where a future of the task does the lending
      if (blocks_[i].kind != BlockKind::task) continue;
      // a shared loan is copied out of whoever holds it
      if ((blocks_[i].held & ~blocks_[i].shared & bit8(cell)) != 0)
        return Violation{.rule = Rule::held_by_destructor, .cell = cell, .task = blocks_[i].task};
      break;
    }
    if (own_scope) {  // passing the loan on: the task must have borrowed it itself
      if (cell_level_[cell] == block().level)
        return Violation{.rule = Rule::declared_after_carrier, .cell = cell, .carrier = op.scope};
    } else if (offers_->carrier == Carrier::scope) {
      if (cell_level_[cell] >= values_[op.scope].level && position(true, cell) > position(false, op.scope))
        return Violation{.rule = Rule::declared_after_carrier, .cell = cell, .carrier = op.scope};
    }
  }
  return std::nullopt;
}

Rules::Verdict Rules::check_consumed(const Op& op) const {
  const ValueState& value = values_[op.subject];
  if (const Verdict bad = use_value(op.subject, consume, nullptr)) return bad;
  if (op.kind != OpKind::drop && op.kind != OpKind::await && !movable(value))
    return Violation{.rule = Rule::pinned, .value = op.subject};
  return std::nullopt;
}

Rules::Verdict Rules::check_join_once(std::uint8_t scope) const {
  if (!offers_->pre_join_once || values_[scope].join_begun == 0) return std::nullopt;
  return Violation{.rule = Rule::precondition, .value = scope};
}

Rules::Verdict Rules::check_value_op(const Op& op) const {
  if (op.subject >= values()) return Violation{.rule = Rule::unknown, .value = op.subject};
  if (!value_is_live(op.subject)) return Violation{.rule = Rule::used_after_end, .value = op.subject};
  const ValueState& value = values_[op.subject];
  const bool is_scope = value.kind == ValueKind::scope;
  const bool is_handle = value.kind == ValueKind::handle;
  const bool first_poll_of_join = value.kind == ValueKind::join && !value.started;
  const auto offered = [](bool yes) -> Verdict {
    return yes ? Verdict{} : Verdict{Violation{.rule = Rule::not_offered}};
  };
  const bool unstarted = is_handle && !value.started;
  Verdict bad;
  switch (op.kind) {
    case OpKind::start:
      if (!is_handle) return Violation{.rule = Rule::wrong_kind, .value = op.subject};
      if ((bad = offered(offers_->reserve))) return bad;
      if (!unstarted) return Violation{.rule = Rule::already_started, .value = op.subject};
      if (shut_down_) return Violation{.rule = Rule::after_shutdown};
      return use_value(op.subject, mut_use, nullptr);
    case OpKind::join_as:
      if (!is_scope) return Violation{.rule = Rule::wrong_kind, .value = op.subject};
      if ((bad = offered(offers_->scope_join_as && (!op.boxed || offers_->box)))) return bad;
      if (op.value != values()) return Violation{.rule = Rule::unknown, .value = op.value};
      if (!room_for_value()) return Violation{.rule = Rule::too_large};
      return use_value(op.subject, shared_use, nullptr);
    case OpKind::poll:
      if (value.done) return Violation{.rule = Rule::polled_after_done, .value = op.subject};
      if (is_scope && (bad = offered(offers_->scope_poll))) return bad;
      if (is_handle && (bad = offered(offers_->handle_poll))) return bad;
      if (unstarted) return Violation{.rule = Rule::not_started, .value = op.subject};
      if (first_poll_of_join && (bad = check_join_once(value.scope))) return bad;
      return use_value(op.subject, mut_use, nullptr);
    case OpKind::await:
      if (!in_async_body()) return Violation{.rule = Rule::await_outside_async};
      if (offers_->blocks && body().kind != BlockKind::async) return Violation{.rule = Rule::wrong_place};
      if (value.done) return Violation{.rule = Rule::polled_after_done, .value = op.subject};
      if (is_scope && (bad = offered(offers_->scope_poll))) return bad;
      if (is_handle && (bad = offered(offers_->handle_poll))) return bad;
      if (unstarted) return Violation{.rule = Rule::not_started, .value = op.subject};
      if (first_poll_of_join && (bad = check_join_once(value.scope))) return bad;
      return use_value(op.subject, movable(value) && !is_scope ? consume : mut_use, nullptr);
    case OpKind::join:
      if (!is_scope && !is_handle) return Violation{.rule = Rule::wrong_kind, .value = op.subject};
      if ((bad = offered(is_scope ? offers_->scope_join : offers_->handle_join))) return bad;
      if (unstarted) return Violation{.rule = Rule::not_started, .value = op.subject};
      if (!in_main()) return Violation{.rule = Rule::wrong_place, .value = op.subject};
      if (is_scope && (bad = check_join_once(op.subject))) return bad;
      return is_scope ? use_value(op.subject, shared_use, nullptr) : check_consumed(op);
    case OpKind::close:
      if (!is_scope) return Violation{.rule = Rule::wrong_kind, .value = op.subject};
      if ((bad = offered(offers_->scope_close))) return bad;
      return use_value(op.subject, shared_use, nullptr);
    case OpKind::cancel:
      if (!is_scope && !is_handle) return Violation{.rule = Rule::wrong_kind, .value = op.subject};
      if ((bad = offered(is_scope ? offers_->scope_cancel : offers_->handle_cancel))) return bad;
      if (unstarted) return Violation{.rule = Rule::not_started, .value = op.subject};
      return use_value(op.subject, shared_use, nullptr);
    case OpKind::detach:
      if (!is_handle) return Violation{.rule = Rule::wrong_kind, .value = op.subject};
      if ((bad = offered(offers_->handle_detach))) return bad;
      if (unstarted) return Violation{.rule = Rule::not_started, .value = op.subject};
      return check_consumed(op);
    case OpKind::move:
      if ((bad = offered(offers_->move))) return bad;
      return check_consumed(op);
    case OpKind::move_out: {
      if ((bad = offered(offers_->move))) return bad;
      if (block().kind != BlockKind::frame) return Violation{.rule = Rule::wrong_place, .value = op.subject};
      if ((bad = check_consumed(op))) return bad;
      for (std::size_t i = block().first_decl; i < decls_.size(); ++i) {
        const Declaration& decl = decls_[i];
        if (decl.is_cell && ((value.shared | value.mut) & bit8(decl.index)) != 0)
          return Violation{.rule = Rule::moved_to_longer_life, .cell = decl.index, .value = op.subject};
        if (!decl.is_cell && ((value.borrows_shared | value.borrows_mut) & bit16(decl.index)) != 0)
          return Violation{.rule = Rule::moved_to_longer_life, .value = op.subject, .carrier = decl.index};
      }
      return std::nullopt;
    }
    case OpKind::drop:
      if (is_scope && offers_->pre_join_before_destroy && value.started && !value.joined)
        return Violation{.rule = Rule::precondition, .value = op.subject};
      return check_consumed(op);
    case OpKind::forget:
      if ((bad = offered(offers_->forget))) return bad;
      if (static_cast<LeakVector>(op.extra) == LeakVector::in_place) {
        if (!offers_->forget_in_place) return Violation{.rule = Rule::not_offered};
        if (value.boxed || value.kind == ValueKind::async)
          return Violation{.rule = Rule::wrong_kind, .value = op.subject};
      }
      return check_consumed(op);
    default:
      SCOPECHECK_ASSERT(false && "op without a rule");
      return std::nullopt;
  }
}

Rules::Verdict Rules::check_task_op(const Op& op) const {
  if (body().kind != BlockKind::task) return Violation{.rule = Rule::wrong_place};
  switch (op.kind) {
    case OpKind::yield:
    case OpKind::park:
      return std::nullopt;
    case OpKind::keep_waker:
      if (!offers_->keep_waker) return Violation{.rule = Rule::not_offered};
      return std::nullopt;
    default:
      break;
  }
  if (op.kind == OpKind::payload && !offers_->throws) return Violation{.rule = Rule::not_offered};
  if (block().kind != BlockKind::task) return Violation{.rule = Rule::wrong_place};
  if (op.subject >= cells_ || !cell_is_live(op.subject))
    return Violation{.rule = Rule::unknown, .cell = op.subject};
  const BlockState& body = block();
  if ((body.held & ~body.shared & bit8(op.subject)) != 0)
    return Violation{.rule = Rule::held_by_destructor, .cell = op.subject, .task = body.task};
  if (cell_level_[op.subject] == body.level) return use_cell(op.subject, true, nullptr);
  if (((body.shared | body.mut) & bit8(op.subject)) == 0)
    return Violation{.rule = Rule::not_borrowed, .cell = op.subject, .task = body.task};
  if (op.kind == OpKind::payload)
    return Violation{.rule = Rule::payload_must_own, .cell = op.subject, .task = body.task};
  return use_cell(op.subject, (body.mut & bit8(op.subject)) != 0, nullptr);
}

Rules::Verdict Rules::check_driver_op(const Op& op) const {
  if (op.kind == OpKind::wake) {
    if (op.subject >= tasks()) return Violation{.rule = Rule::unknown, .task = op.subject};
    if (in_task()) return Violation{.rule = Rule::wrong_place};
    return std::nullopt;
  }
  const bool offered = op.kind == OpKind::shutdown ? offers_->shutdown
                       : op.kind == OpKind::next   ? offers_->threads
                       : op.kind == OpKind::run    ? offers_->run
                                                   : offers_->steps();
  if (!offered) return Violation{.rule = Rule::not_offered};
  if (!in_main()) return Violation{.rule = Rule::wrong_place};
  if (shut_down_) return Violation{.rule = Rule::after_shutdown};
  if ((op.kind == OpKind::step || op.kind == OpKind::next) && op.subject >= tasks())
    return Violation{.rule = Rule::unknown, .task = op.subject};
  if (op.kind == OpKind::run && op.subject == 0) return Violation{.rule = Rule::wrong_place};
  if (op.kind == OpKind::shutdown && offers_->pre_runtime_outlives_scope)
    for (const Declaration& decl : decls_)
      if (!decl.is_cell && values_[decl.index].kind != ValueKind::async)
        return Violation{.rule = Rule::precondition, .value = decl.index};
  return std::nullopt;
}

}  // namespace scopecheck::scenario
