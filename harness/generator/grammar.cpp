#include "harness/generator/grammar.hpp"

#include <bit>

namespace scopecheck::generator {

using scenario::BlockKind;
using scenario::none;
using scenario::Op;
using scenario::OpKind;
using scenario::Rules;
using scenario::ValueKind;

bool same_choice(const Op& candidate, const Op& op) {
  Op a = candidate;
  Op b = op;
  if (op.kind == OpKind::async || (makes_task(op.kind) && op.value != none && candidate.value != none))
    a.value = b.value = 0;
  return a == b;
}

Draft::Draft(const scenario::Offers& offers, const scenario::Bounds& bounds)
    : bounds_(&bounds), rules_(offers) {}

void Draft::push(const Op& op) {
  if (op.kind == OpKind::end) {
    Op& opener = scenario_.ops[open_.back()];
    if (opener.kind == OpKind::async || (makes_task(opener.kind) && opener.value != none))
      opener.value = rules_.values();
    open_.pop_back();
  }
  if (scenario::opens(op.kind)) open_.push_back(static_cast<std::uint8_t>(scenario_.ops.size()));
  cost_ = static_cast<std::uint8_t>(cost_ + scenario::info(op.kind).cost);
  const auto& decls = rules_.decls();
  dropped_top_ = op.kind == OpKind::drop && decls.size() > rules_.block().first_decl &&
                 !decls.back().is_cell && decls.back().index == op.subject;
  if (op.kind == OpKind::frame) ++frames_;
  if (makes_scope(op.kind)) ++scopes_;
  if (op.kind == OpKind::async) ++async_blocks_;
  rules_.apply(op);
  scenario_.ops.push_back(op);
}

void Draft::close() {
  while (!at_root()) push(Op{});
}

bool Draft::within_bounds(const Op& op) const {
  if (op.kind == OpKind::end) return !at_root();
  if (scenario_.ops.size() + 2 * rules_.blocks().size() + 4 >= scenario::max_ops) return false;
  const std::size_t left = bounds_->ops - cost_;
  if (left < (scenario::opens(op.kind) && !opens_a_call(op.kind) ? 2u : 1u)) return false;
  for (std::size_t i = rules_.blocks().size(); i-- > 0;)
    if (rules_.blocks()[i].kind == BlockKind::task) {
      if (rules_.blocks()[i].ops >= bounds_->steps) return false;
      break;
    }
  switch (op.kind) {
    case OpKind::cell:
      return rules_.cells() < bounds_->cells;
    case OpKind::scope:
    case OpKind::enter:
      return scopes_ < bounds_->scopes;
    case OpKind::async:
      return async_blocks_ < bounds_->async_blocks;
    case OpKind::frame:
      return frames_ < bounds_->frames;
    case OpKind::spawn:
    case OpKind::reserve:
      return rules_.tasks() < bounds_->tasks &&
             std::popcount(static_cast<unsigned>(op.shared | op.mut)) <= bounds_->borrows;
    case OpKind::wake:
      return op.subject < rules_.tasks() &&
             (rules_.task(op.subject).parks || rules_.task(op.subject).keeps_waker);
    default:
      return true;
  }
}

bool Draft::admits(const Op& op) const { return within_bounds(op) && !rules_.check(op); }

namespace {

/// Writes the candidates of one draft: every op of the table with every operand, kept if admitted.
class CandidateWriter {
 public:
  CandidateWriter(const Draft& draft, Candidates& out) : draft_(draft), rules_(draft.rules()), out_(out) {}

  void run() {
    out_.clear();
    add({});
    if (draft_.cost() == draft_.bounds().ops || rules_.block().unreachable) return;
    add({.kind = OpKind::cell, .subject = rules_.cells()});
    cells();
    values();
    tasks();
    boxed({.kind = OpKind::scope, .value = rules_.values()});
    add({.kind = OpKind::enter, .value = rules_.values()});
    spawns(OpKind::spawn);
    if (rules_.offers().reserve) spawns(OpKind::reserve);
    boxed({.kind = OpKind::async});
    for (const OpKind kind :
         {OpKind::yield, OpKind::park, OpKind::keep_waker, OpKind::frame, OpKind::inside, OpKind::catch_,
          OpKind::suspend, OpKind::settle, OpKind::throw_, OpKind::throw_bomb, OpKind::shutdown})
      add({.kind = kind});
    add({.kind = OpKind::run, .subject = 1});
  }

 private:
  void add(const Op& op) {
    if (draft_.admits(op)) out_.push_back(op);
  }
  void boxed(Op op) {
    add(op);
    op.boxed = true;
    add(op);
  }

  void cells() {
    const bool in_task = rules_.body().kind == BlockKind::task;
    for (std::uint8_t cell = 0; cell < rules_.cells(); ++cell) {
      add({.kind = OpKind::read, .subject = cell});
      add({.kind = OpKind::write, .subject = cell});
      if (!in_task) continue;
      add({.kind = OpKind::capture, .subject = cell});
      add({.kind = OpKind::result, .subject = cell});
      add({.kind = OpKind::payload, .subject = cell});
    }
  }

  void values() {
    for (const scenario::Declaration& decl : rules_.decls()) {
      if (decl.is_cell) continue;
      const std::uint8_t v = decl.index;
      for (const OpKind kind :
           {OpKind::start, OpKind::poll, OpKind::drop, OpKind::await, OpKind::join, OpKind::cancel,
            OpKind::detach, OpKind::close, OpKind::move, OpKind::move_out})
        add({.kind = kind, .subject = v});
      for (std::uint8_t vector = 0; vector <= 2; ++vector)
        add({.kind = OpKind::forget, .subject = v, .extra = vector});
      if (rules_.value(v).kind == ValueKind::scope)
        boxed({.kind = OpKind::join_as, .subject = v, .value = rules_.values()});
    }
  }

  void tasks() {
    for (std::uint8_t task = 0; task < rules_.tasks(); ++task) {
      add({.kind = OpKind::step, .subject = task});
      add({.kind = OpKind::next, .subject = task});
      add({.kind = OpKind::wake, .subject = task});
    }
  }

  void spawns(OpKind kind) {
    if (rules_.tasks() == draft_.bounds().tasks) return;
    Op op = draft_.plain_spawn(kind);
    if (!rules_.offers().has_scopes()) return borrows(op);
    for (std::uint8_t v = 0; v < rules_.values(); ++v) {
      if (rules_.value(v).kind != ValueKind::scope) continue;
      op.scope = v;
      borrows(op);
    }
  }

  /// Every way to borrow up to `bounds.borrows` cells, nothing first.
  void borrows(Op op) {
    if (out_.size() + 32 > Candidates::capacity()) return;  // room for the kinds that come after spawns
    if (op.value == none)
      add(op);
    else
      boxed(op);
    if (!rules_.offers().borrows()) return;
    const auto used = static_cast<unsigned>(std::popcount(static_cast<unsigned>(op.shared | op.mut)));
    if (used >= draft_.bounds().borrows) return;
    for (auto cell = static_cast<std::uint8_t>(std::bit_width(static_cast<unsigned>(op.shared | op.mut)));
         cell < rules_.cells(); ++cell) {
      Op more = op;
      more.mut = static_cast<std::uint8_t>(op.mut | 1u << cell);
      borrows(more);
      more = op;
      more.shared = static_cast<std::uint8_t>(op.shared | 1u << cell);
      borrows(more);
    }
  }

  const Draft& draft_;
  const Rules& rules_;
  Candidates& out_;
};

}  // namespace

Op Draft::plain_spawn(OpKind kind) const {
  const scenario::Offers& offers = rules_.offers();
  const bool reserves = kind == OpKind::reserve;
  return {.kind = kind,
          .subject = rules_.tasks(),
          .scope = none,
          .value = reserves || offers.spawn_yields_handle() ? rules_.values() : none,
          .extra = static_cast<std::uint8_t>(!reserves && offers.spawn_awaited ? 1 : 0)};
}

void Draft::candidates(Candidates& out) const { CandidateWriter(*this, out).run(); }

}  // namespace scopecheck::generator
