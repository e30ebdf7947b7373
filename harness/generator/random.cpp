#include "harness/generator/random.hpp"

#include "harness/generator/propose.hpp"

namespace scopecheck::generator {

using scenario::none;
using scenario::Op;
using scenario::OpKind;

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
  const std::size_t target =
      length_.least + prng_.below(static_cast<std::uint32_t>(length_.most - length_.least + 1));
  draft_ = Draft(offers_, bounds_);
  Swarm swarm = Swarm::draw(prng_);
  std::size_t refused = 0;
  while (draft_.cost() < target && refused < 400) {
    if (refused == 200) swarm = {};  // what is switched on is not enough for a scenario of this length
    // where little else is possible the end of a block is drawn too seldom
    const Op op = refused % 64 == 63 ? Op{} : propose(draft_, prng_, swarm);
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
