#include "harness/generator/random.hpp"

#include <algorithm>

namespace scopecheck::generator {

using scenario::Op;
using scenario::OpKind;
using scenario::ValueKind;

scenario::Bounds random_bounds() {
  return {.ops = 40, .tasks = 6, .cells = 6, .scopes = 4, .frames = 4, .async_blocks = 3, .steps = 6, .borrows = 3};
}

Random::Random(const scenario::Offers& offers, const scenario::Bounds& bounds, std::uint64_t seed, RandomLength length)
    : offers_(offers), bounds_(bounds), prng_(seed), length_(length), draft_(offers_, bounds_) {}

/// Weights keep the mix interesting: tasks and touches are common, what ends the program is rare.
std::uint32_t Random::weight(const Draft& draft, const Op& op) const {
  const auto& rules = draft.rules();
  switch (op.kind) {
    case OpKind::end: {
      const bool empty = rules.block().ops == 0;
      return empty ? 4 : 60;
    }
    case OpKind::spawn: {
      // spread one op's weight over its many ways to borrow
      return (op.shared | op.mut) != 0 ? 24 : 8;
    }
    case OpKind::cell:
      return 30;
    case OpKind::scope:
    case OpKind::async:
    case OpKind::frame:
    case OpKind::inside:
      return 16;
    case OpKind::throw_:
    case OpKind::throw_bomb:
    case OpKind::shutdown:
      return rules.body().kind == scenario::BlockKind::task || op.kind != OpKind::shutdown ? 3 : 1;
    case OpKind::write:
    case OpKind::read:
      return rules.in_task() ? 40 : 6;
    case OpKind::forget:
      return 20;
    case OpKind::drop:
    case OpKind::close:
    case OpKind::detach:
      return 10;
    case OpKind::settle:
      return 6;
    default:
      return 14;
  }
}

const scenario::Scenario& Random::next() {
  const auto target = static_cast<std::size_t>(length_.least + prng_.below(static_cast<std::uint32_t>(length_.most - length_.least + 1)));
  draft_ = Draft(offers_, bounds_);
  while (draft_.cost() < target) {
    draft_.candidates(candidates_);
    if (candidates_.empty()) break;
    std::uint64_t total = 0;
    for (const Op& op : candidates_) total += weight(draft_, op);
    std::uint64_t pick = prng_.below(static_cast<std::uint32_t>(total));
    const Op* chosen = candidates_.begin();
    for (const Op& op : candidates_) {
      const std::uint32_t w = weight(draft_, op);
      chosen = &op;
      if (pick < w) break;
      pick -= w;
    }
    // a panic of the client's own frame ends the program: late in it, or not at all
    const bool ends_all = (chosen->kind == OpKind::throw_ || chosen->kind == OpKind::throw_bomb) &&
                          draft_.rules().body().kind == scenario::BlockKind::root;
    if (ends_all && draft_.cost() + 1 < target) continue;
    draft_.push(*chosen);
  }
  draft_.close();
  return draft_.scenario();
}

}  // namespace scopecheck::generator
