// Plain seeded random scenarios beyond the exhaustive bound: 9 to 40 ops, median at least 16. Each is drawn
// from a random subset of the ops (propose.hpp).
#pragma once

#include "harness/base/prng.hpp"
#include "harness/generator/grammar.hpp"

namespace scopecheck::generator {

/// How long random scenarios are, in counted ops.
struct RandomLength {
  std::uint8_t least = 9;
  std::uint8_t most = 40;
};

/// The bounds that random scenarios may use: everything that the model has room for.
[[nodiscard]] scenario::Bounds random_bounds();

/// Draws scenarios. Same offers, bounds and seed: same scenarios. Threads: one caller.
class Random {
 public:
  Random(const scenario::Offers& offers, const scenario::Bounds& bounds, std::uint64_t seed,
         RandomLength length = {});

  /// The next scenario: well-formed, at least `least` ops unless the API offers too little.
  [[nodiscard]] const scenario::Scenario& next();

 private:
  [[nodiscard]] bool ends_program_early(const scenario::Op& op, std::size_t target) const;

  scenario::Offers offers_;
  scenario::Bounds bounds_;
  base::Prng prng_;
  RandomLength length_;
  Draft draft_;
};

}  // namespace scopecheck::generator
