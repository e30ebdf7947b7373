// One op at a time, drawn by weight: what the random engine and the mutator put into a client program.
#pragma once

#include "harness/base/prng.hpp"
#include "harness/generator/grammar.hpp"

#include <cstdint>

namespace scopecheck::generator {

/// What proposals may use: swarm testing, a random subset of ops and leak vectors is switched off,
/// others come more often.
/// Source: Groce et al., "Swarm testing", ISSTA 2012: what is always on crowds out what needs room.
struct Swarm {
  std::uint64_t kinds = ~std::uint64_t{0};  ///< a bit per OpKind
  std::uint64_t boosted = 0;                ///< those of them that come more often
  std::uint8_t vectors = 0xff;              ///< a bit per LeakVector

  [[nodiscard]] bool has(scenario::OpKind kind) const {
    return (kinds >> static_cast<unsigned>(kind) & 1) != 0;
  }
  /// A random subset. What no client can do without (cells, scopes, spawns, ends of blocks) is always on.
  [[nodiscard]] static Swarm draw(base::Prng& prng);
};

/// An op with random operands: possible in form, not yet known to be legal. An op whose subject is `none` is
/// not to be taken.
[[nodiscard]] scenario::Op propose(const Draft& draft, base::Prng& prng, const Swarm& swarm);

}  // namespace scopecheck::generator
