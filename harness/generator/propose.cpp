#include "harness/generator/propose.hpp"

#include <algorithm>
#include <array>

namespace scopecheck::generator {

using scenario::none;
using scenario::Op;
using scenario::OpKind;

namespace {

/// How often each kind is proposed; proposals that are not legal here are drawn again.
constexpr std::uint32_t base_weight(OpKind kind) {
  switch (kind) {
    case OpKind::spawn:
    case OpKind::reserve:
      return 60;
    case OpKind::write:
      return 50;
    case OpKind::start:
    case OpKind::poll:
    case OpKind::forget:
      return 40;
    case OpKind::cell:
    case OpKind::read:
      return 25;
    case OpKind::throw_:
    case OpKind::throw_bomb:
      return 5;
    case OpKind::step:
    case OpKind::wake:
      return 8;
    case OpKind::next:
      return 4;  // what is not said is drawn by a policy
    case OpKind::run:
    case OpKind::settle:
      return 3;  // whoever has run to its end shows nothing any more; every run ends with a settle anyway
    case OpKind::shutdown:
      return 1;
    default:
      return 12;
  }
}

/// Whether the innermost body has declared something of that kind that is there.
template <class Wanted>
bool has_here(const scenario::Rules& rules, Wanted wanted) {
  const std::size_t first = rules.body().kind == scenario::BlockKind::root ? 0 : rules.body().first_decl;
  for (std::size_t i = first; i < rules.decls().size(); ++i)
    if (wanted(rules.decls()[i])) return true;
  return false;
}
bool has_cell(const scenario::Rules& rules) {
  return has_here(rules, [](const scenario::Declaration& decl) { return decl.is_cell; });
}
bool has_scope(const scenario::Rules& rules) {
  return has_here(rules, [&](const scenario::Declaration& decl) {
    return !decl.is_cell && rules.value(decl.index).kind == scenario::ValueKind::scope;
  });
}

/// Whether what is written here runs on a suspendable stack.
bool on_stack(const scenario::Rules& rules) {
  return rules.offers().stack && rules.suspending_body().kind == scenario::BlockKind::async;
}

/// What no swarm does without there: such an API is about them.
bool needed_for_stacks(OpKind kind) {
  return kind == OpKind::async || kind == OpKind::suspend || kind == OpKind::poll;
}

/// Where stacks can be suspended inside of calls: a call with a child in it, suspended, and what becomes of
/// it.
std::uint32_t weight_on_stacks(OpKind kind, const scenario::Rules& rules, std::uint32_t otherwise) {
  const bool in_call = on_stack(rules) && rules.body().kind == scenario::BlockKind::enter;
  const scenario::ValueState* future = nullptr;  // the newest that is there
  for (const scenario::Declaration& decl : rules.decls())
    if (!decl.is_cell && rules.value(decl.index).kind == scenario::ValueKind::async)
      future = &rules.value(decl.index);
  switch (kind) {
    case OpKind::async:
      return 120;
    case OpKind::cell:  // what lives on a stack that is forgotten is safe there
      return on_stack(rules) ? 12 : otherwise;
    case OpKind::enter:
      return on_stack(rules) ? 120 : otherwise;
    case OpKind::spawn:
      return in_call && rules.tasks() == 0 ? 400 : otherwise;
    case OpKind::suspend:
      return in_call && rules.tasks() > 0 ? 120 : otherwise;
    case OpKind::poll:
      return future != nullptr && !future->started ? 1000 : otherwise;
    case OpKind::forget:
      return future != nullptr && future->started ? 400 : otherwise;
    default:
      return otherwise;
  }
}

/// Lives that end early, in many small blocks, are what leaks are made of: what there is to borrow, and from
/// whom, comes first; the longer a block, the sooner it ends; tasks are short.
std::uint32_t weight(OpKind kind, const scenario::Rules& rules) {
  const bool at_root = rules.blocks().size() == 1;
  switch (kind) {
    case OpKind::end:
      return 3 + 30 * std::min<std::uint32_t>(rules.block().ops, 8);
    case OpKind::spawn:
    case OpKind::reserve:
      // of the tasks that there is room for, some are kept for the blocks
      return rules.in_task() ? 10 : at_root && rules.offers().inside ? 20 : base_weight(kind);
    case OpKind::cell:
      return has_cell(rules) ? 12 : 120;
    case OpKind::scope:  // what is to be borrowed must stand before whom it is lent to
      return has_scope(rules) || !has_cell(rules) ? 8 : 120;
    case OpKind::next:
      return rules.offers().threads ? base_weight(kind) : 0;
    case OpKind::enter:
      return !rules.offers().scope_enter ? 0 : has_cell(rules) ? 120 : 8;
    case OpKind::poll:
    case OpKind::await:
    case OpKind::run:  // a child that nobody lets run shows little
      return rules.tasks() > 0 ? 4 * base_weight(kind) : base_weight(kind);
    default:
      return scenario::opens(kind) && at_root ? 40 : base_weight(kind);
  }
}

constexpr std::uint32_t boost = 4;

OpKind draw_kind(const scenario::Rules& rules, base::Prng& prng, const Swarm& swarm) {
  std::array<std::uint32_t, scenario::op_kinds> cumulative{};
  std::uint32_t sum = 0;
  const bool stacks = rules.offers().stack;
  for (std::size_t i = 0; i < scenario::op_kinds; ++i) {
    const auto kind = static_cast<OpKind>(i);
    if (swarm.has(kind) || (stacks && needed_for_stacks(kind))) {
      std::uint32_t wanted = weight(kind, rules);
      if (stacks) [[unlikely]]
        wanted = weight_on_stacks(kind, rules, wanted);
      sum += wanted * ((swarm.boosted >> i & 1) != 0 ? boost : 1);
    }
    cumulative[i] = sum;
  }
  const std::uint32_t pick = prng.below(sum);
  std::size_t at = 0;
  while (cumulative[at] <= pick) ++at;
  return static_cast<OpKind>(at);
}

/// A value that is live, the newest more often than the others; none when there is none.
std::uint8_t any_value(const scenario::Rules& rules, base::Prng& prng) {
  const auto& decls = rules.decls();
  std::uint8_t chosen = none;
  for (std::size_t i = decls.size(); i-- > 0;) {
    if (decls[i].is_cell) continue;
    chosen = decls[i].index;
    if (prng.below(2) == 0) break;
  }
  return chosen;
}

/// A scope that a spawn can name here: a live one, or the one that the task around was spawned into.
std::uint8_t any_scope(const Draft& draft, base::Prng& prng) {
  const scenario::Rules& rules = draft.rules();
  std::uint8_t chosen = none;
  if (rules.body().kind == scenario::BlockKind::task)
    chosen = draft.scenario().ops[rules.body().opened_by].scope;
  const auto& decls = rules.decls();
  for (std::size_t i = decls.size(); i-- > 0;) {
    if (decls[i].is_cell || rules.value(decls[i].index).kind != scenario::ValueKind::scope) continue;
    if (chosen == none || prng.below(2) == 0) chosen = decls[i].index;
    if (prng.below(2) == 0) break;
  }
  return chosen;
}

/// A cell that is there; none when there is none.
std::uint8_t any_cell(const scenario::Rules& rules, base::Prng& prng) {
  std::uint8_t chosen = none;
  std::uint32_t seen = 0;
  for (const scenario::Declaration& decl : rules.decls())
    if (decl.is_cell && prng.below(++seen) == 0) chosen = decl.index;
  return chosen;
}

}  // namespace

Swarm Swarm::draw(base::Prng& prng) {
  Swarm swarm{.kinds = prng.next() | prng.next(),
              .boosted = prng.next() & prng.next(),
              .vectors = static_cast<std::uint8_t>(prng.next())};
  for (const OpKind kind : {OpKind::end, OpKind::cell, OpKind::scope, OpKind::enter, OpKind::spawn})
    swarm.kinds |= std::uint64_t{1} << static_cast<unsigned>(kind);
  if ((swarm.vectors & 7) == 0) swarm.vectors = 0xff;
  return swarm;
}

Op propose(const Draft& draft, base::Prng& prng, const Swarm& swarm) {
  const scenario::Rules& rules = draft.rules();
  const auto below = [&](std::uint32_t bound) {
    return static_cast<std::uint8_t>(bound == 0 ? 0 : prng.below(bound));
  };
  Op op{.kind = draw_kind(rules, prng, swarm)};
  switch (scenario::info(op.kind).operand) {
    case scenario::Operand::new_cell:
      op.subject = rules.cells();
      break;
    case scenario::Operand::new_scope:
      op.value = rules.values();
      op.boxed = op.kind == OpKind::scope && below(2) != 0;
      break;
    case scenario::Operand::new_block:
      op.boxed = below(2) != 0;
      break;
    case scenario::Operand::cell:
      op.subject = below(rules.cells());
      break;
    case scenario::Operand::task:
      op.subject = below(rules.tasks());
      break;
    case scenario::Operand::count:
      op.subject = 1;  // as in the grammar: more polls are more ops
      break;
    case scenario::Operand::vector:
      op.extra = static_cast<std::uint8_t>(below(4) == 0 ? 1 + below(2) : 0);
      if ((swarm.vectors >> op.extra & 1) == 0) op.subject = none;
      if (op.subject == none) break;
      [[fallthrough]];
    case scenario::Operand::value:
      op.subject = any_value(rules, prng);
      if (op.kind == OpKind::join_as) {
        op.value = rules.values();
        op.boxed = below(2) != 0;
      }
      break;
    case scenario::Operand::spawn: {
      op = draft.plain_spawn(op.kind);
      op.boxed = op.value != none && below(2) != 0;
      if (rules.offers().has_scopes()) {
        op.scope = any_scope(draft, prng);
        if (op.scope == none) op.subject = none;
      }
      if (rules.offers().borrows())
        for (std::uint32_t wanted = below(8) == 0 ? 0 : 1u + below(draft.bounds().borrows); wanted > 0;
             --wanted) {
          const std::uint8_t cell = any_cell(rules, prng);
          if (cell == none) break;
          const auto bit = static_cast<std::uint8_t>(1u << cell);
          if (((op.shared | op.mut) & bit) != 0) continue;
          (below(3) == 0 ? op.shared : op.mut) |= bit;
        }
      break;
    }
    case scenario::Operand::none:
      break;
  }
  return op;
}

}  // namespace scopecheck::generator
