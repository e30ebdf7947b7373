#include "harness/generator/grammar.hpp"

#include <bit>

namespace scopecheck::generator {

using scenario::BlockKind;
using scenario::none;
using scenario::Op;
using scenario::OpKind;
using scenario::Rules;
using scenario::ValueKind;

Draft::Draft(const scenario::Offers& offers, const scenario::Bounds& bounds) : bounds_(&bounds), rules_(offers) {}

void Draft::push(const Op& op) {
  if (op.kind == OpKind::end) {
    Op& opener = scenario_.ops[open_.back()];
    if (opener.kind == OpKind::async || (opener.kind == OpKind::spawn && opener.value != none))
      opener.value = rules_.values();
    open_.pop_back();
  }
  if (scenario::info(op.kind).opens) open_.push_back(static_cast<std::uint8_t>(scenario_.ops.size()));
  cost_ = static_cast<std::uint8_t>(cost_ + scenario::info(op.kind).cost);
  const auto& decls = rules_.decls();
  dropped_top_ = op.kind == OpKind::drop && decls.size() > rules_.block().first_decl && !decls.back().is_cell &&
                 decls.back().index == op.subject;
  if (op.kind == OpKind::frame) ++frames_;
  if (op.kind == OpKind::scope) ++scopes_;
  if (op.kind == OpKind::async) ++async_blocks_;
  rules_.apply(op);
  scenario_.ops.push_back(op);
}

void Draft::close() {
  while (!at_root()) {
    const Op end{};
    if (!rules_.check(end)) {
      push(end);
      continue;
    }
    // A documented precondition wants a join first.
    bool joined = false;
    for (std::uint8_t v = 0; v < rules_.values() && !joined; ++v) {
      const Op join{.kind = OpKind::join, .subject = v};
      if (rules_.value_is_live(v) && !rules_.check(join)) {
        push(join);
        joined = true;
      }
    }
    SCOPECHECK_ASSERT(joined);
  }
}

/// Writes the candidates of one draft: every op of the table with every operand, kept if the rules agree.
class CandidateWriter {
 public:
  CandidateWriter(const Draft& draft, Candidates& out)
      : draft_(draft), rules_(draft.rules()), offers_(draft.rules().offers()), bounds_(draft.bounds()), out_(out) {}

  void run() {
    out_.clear();
    if (!draft_.at_root()) add({});
    if (rules_.block().unreachable || draft_.scenario().ops.size() + 2 * rules_.blocks().size() + 4 >= scenario::max_ops)
      return;
    const std::size_t left = bounds_.ops - draft_.cost();
    if (left == 0) return;
    if (const scenario::BlockState* task = enclosing_task(); task != nullptr && task->ops >= bounds_.steps) return;
    if (rules_.cells() < bounds_.cells) add({.kind = OpKind::cell, .subject = rules_.cells()});
    bodies_of_tasks();
    cells();
    values();
    tasks();
    if (draft_.scopes_ < bounds_.scopes) boxed({.kind = OpKind::scope, .value = rules_.values()});
    if (rules_.tasks() < bounds_.tasks) spawns();
    if (draft_.async_blocks_ < bounds_.async_blocks && left >= 2) boxed({.kind = OpKind::async});
    if (draft_.frames_ < bounds_.frames && left >= 2) add({.kind = OpKind::frame});
    if (left >= 2) add({.kind = OpKind::inside});
    if (left >= 2) add({.kind = OpKind::catch_});
    add({.kind = OpKind::suspend});
    add({.kind = OpKind::settle});
    add({.kind = OpKind::run, .subject = 1});
    add({.kind = OpKind::throw_});
    add({.kind = OpKind::throw_bomb});
    add({.kind = OpKind::shutdown});
  }

 private:
  void add(const Op& op) {
    if (!out_.full() && !rules_.check(op)) out_.push_back(op);
  }
  void boxed(Op op) {
    add(op);
    op.boxed = true;
    add(op);
  }

  const scenario::BlockState* enclosing_task() const {
    for (std::size_t i = rules_.blocks().size(); i-- > 0;)
      if (rules_.blocks()[i].kind == BlockKind::task) return &rules_.blocks()[i];
    return nullptr;
  }

  void bodies_of_tasks() {
    if (rules_.body().kind != BlockKind::task) return;
    add({.kind = OpKind::yield});
    add({.kind = OpKind::park});
    add({.kind = OpKind::keep_waker});
    for (std::uint8_t cell = 0; cell < rules_.cells(); ++cell) {
      add({.kind = OpKind::capture, .subject = cell});
      add({.kind = OpKind::result, .subject = cell});
      add({.kind = OpKind::payload, .subject = cell});
    }
  }

  void cells() {
    for (std::uint8_t cell = 0; cell < rules_.cells(); ++cell) {
      add({.kind = OpKind::read, .subject = cell});
      add({.kind = OpKind::write, .subject = cell});
    }
  }

  void values() {
    for (const scenario::Declaration& decl : rules_.decls()) {
      if (decl.is_cell) continue;
      const std::uint8_t v = decl.index;
      for (const OpKind kind : {OpKind::poll, OpKind::drop, OpKind::await, OpKind::join, OpKind::cancel, OpKind::detach,
                                OpKind::close, OpKind::move, OpKind::move_out})
        add({.kind = kind, .subject = v});
      for (std::uint8_t vector = 0; vector <= 2; ++vector) add({.kind = OpKind::forget, .subject = v, .extra = vector});
      if (rules_.value(v).kind == ValueKind::scope)
        boxed({.kind = OpKind::join_as, .subject = v, .value = rules_.values()});
    }
  }

  void tasks() {
    for (std::uint8_t task = 0; task < rules_.tasks(); ++task) {
      add({.kind = OpKind::step, .subject = task});
      if (rules_.task(task).parks || rules_.task(task).keeps_waker) add({.kind = OpKind::wake, .subject = task});
    }
  }

  void spawns() {
    const bool awaited = offers_.spawn_awaited;
    Op op{.kind = OpKind::spawn,
          .subject = rules_.tasks(),
          .scope = none,
          .value = offers_.handle && !awaited ? rules_.values() : none,
          .extra = static_cast<std::uint8_t>(awaited ? 1 : 0)};
    if (!offers_.scope) return borrows(op);
    for (std::uint8_t v = 0; v < rules_.values(); ++v) {
      if (rules_.value(v).kind != ValueKind::scope) continue;
      op.scope = v;
      borrows(op);
    }
  }

  /// Every way to borrow up to `bounds.borrows` cells, nothing first.
  void borrows(Op op) {
    if (op.value == none)
      add(op);
    else
      boxed(op);
    if (!offers_.borrows()) return;
    const auto used = static_cast<unsigned>(std::popcount(static_cast<unsigned>(op.shared | op.mut)));
    if (used >= bounds_.borrows) return;
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
  const scenario::Offers& offers_;
  const scenario::Bounds& bounds_;
  Candidates& out_;
};

void Draft::candidates(Candidates& out) const { CandidateWriter(*this, out).run(); }

}  // namespace scopecheck::generator
