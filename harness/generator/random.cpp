#include "harness/generator/random.hpp"

#include <array>

namespace scopecheck::generator {

using scenario::none;
using scenario::Op;
using scenario::OpKind;
using scenario::ValueKind;

namespace {

/// How often each kind is proposed; proposals that are not legal here are drawn again.
constexpr std::uint32_t weight(OpKind kind) {
  switch (kind) {
    case OpKind::spawn:
      return 60;
    case OpKind::end:
    case OpKind::write:
      return 50;
    case OpKind::cell:
    case OpKind::read:
    case OpKind::poll:
    case OpKind::forget:
    case OpKind::reserve:
    case OpKind::start:
      return 25;
    case OpKind::throw_:
    case OpKind::throw_bomb:
      return 5;
    case OpKind::shutdown:
      return 1;
    default:
      return 12;
  }
}

constexpr std::array<std::uint32_t, scenario::op_kinds> cumulative = [] {
  std::array<std::uint32_t, scenario::op_kinds> sums{};
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < scenario::op_kinds; ++i) sums[i] = sum += weight(static_cast<OpKind>(i));
  return sums;
}();

}  // namespace

scenario::Bounds random_bounds() {
  return {.ops = 40,
          .tasks = 6,
          .cells = 6,
          .scopes = 4,
          .frames = 4,
          .async_blocks = 3,
          .steps = 6,
          .borrows = 3};
}

Random::Random(const scenario::Offers& offers, const scenario::Bounds& bounds, std::uint64_t seed,
               RandomLength length)
    : offers_(offers), bounds_(bounds), prng_(seed), length_(length), draft_(offers_, bounds_) {}

/// An op with random operands: possible in form, not yet known to be legal.
Op Random::propose() {
  const scenario::Rules& rules = draft_.rules();
  const std::uint32_t pick = prng_.below(cumulative.back());
  std::size_t at = 0;
  while (cumulative[at] <= pick) ++at;
  const auto below = [&](std::uint32_t bound) {
    return static_cast<std::uint8_t>(bound == 0 ? 0 : prng_.below(bound));
  };
  Op op{.kind = static_cast<OpKind>(at)};
  switch (scenario::info(op.kind).operand) {
    case scenario::Operand::new_cell:
      op.subject = rules.cells();
      break;
    case scenario::Operand::new_scope:
      op.value = rules.values();
      op.boxed = below(2) != 0;
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
      [[fallthrough]];
    case scenario::Operand::value: {
      // a live one, if there is any
      const std::uint8_t live = below(static_cast<std::uint32_t>(rules.decls().size()));
      op.subject = rules.decls().empty() || rules.decls()[live].is_cell ? none : rules.decls()[live].index;
      if (op.kind == OpKind::join_as) {
        op.value = rules.values();
        op.boxed = below(2) != 0;
      }
      break;
    }
    case scenario::Operand::spawn: {
      op = draft_.plain_spawn(op.kind);
      op.boxed = op.value != none && below(2) != 0;
      if (offers_.scope) op.scope = below(rules.values());
      if (offers_.borrows() && rules.cells() > 0)
        for (std::uint8_t wanted = below(bounds_.borrows + 1u); wanted > 0; --wanted) {
          const auto bit = static_cast<std::uint8_t>(1u << below(rules.cells()));
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

/// A panic that nothing stops ends the program: late in it, or not at all.
bool Random::ends_program_early(const Op& op, std::size_t target) const {
  if (op.kind != OpKind::throw_ && op.kind != OpKind::throw_bomb) return false;
  for (const scenario::BlockState& block : draft_.rules().blocks())
    if (block.kind == scenario::BlockKind::catch_ || block.kind == scenario::BlockKind::async ||
        block.kind == scenario::BlockKind::task)
      return false;
  return draft_.cost() + 1 < target;
}

const scenario::Scenario& Random::next() {
  const auto target = static_cast<std::size_t>(
      length_.least + prng_.below(static_cast<std::uint32_t>(length_.most - length_.least + 1)));
  draft_ = Draft(offers_, bounds_);
  std::size_t refused = 0;
  while (draft_.cost() < target && refused < 400) {
    const Op op = propose();
    if (op.subject == none || ends_program_early(op, target) || !draft_.admits(op)) {
      ++refused;
      continue;
    }
    refused = 0;
    draft_.push(op);
  }
  draft_.close();
  return draft_.scenario();
}

}  // namespace scopecheck::generator
