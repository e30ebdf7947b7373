// Structure-aware mutation: what a coverage-guided engine does to scenarios instead of to bytes. Edits are
// made on statements (an op, or a block with all that is in it) and mended, so that the result is always
// well-formed.
#pragma once

#include "harness/generator/propose.hpp"

#include <cstdint>
#include <vector>

namespace scopecheck::generator {

/// Mutates scenarios of one API. Same calls in the same order: same results. Threads: one caller.
class Mutator {
 public:
  /// Requires: offers and bounds outlive it.
  Mutator(const scenario::Offers& offers, const scenario::Bounds& bounds)
      : offers_(offers), bounds_(bounds) {}

  /// A scenario near `from`, and other than it unless nothing else is in reach.
  [[nodiscard]] scenario::Scenario mutate(const scenario::Scenario& from, std::uint64_t seed);
  /// The beginning of `a` with a part of `b`, and perhaps the end of `a`.
  [[nodiscard]] scenario::Scenario cross(const scenario::Scenario& a, const scenario::Scenario& b,
                                         std::uint64_t seed);

  /// The subset of ops that insertions draw from; another one every `swarm_period` mutations.
  [[nodiscard]] const Swarm& swarm() const { return swarm_; }
  static constexpr std::uint64_t swarm_period = 4096;

 private:
  using Ops = std::vector<scenario::Op>;
  void edit(Ops& ops, base::Prng& prng) const;
  [[nodiscard]] scenario::Scenario grown(const Ops& ops, base::Prng& prng) const;

  const scenario::Offers& offers_;
  const scenario::Bounds& bounds_;
  Swarm swarm_;
  std::size_t longest_ = scenario::max_ops;  // lines of a scenario that may still grow; drawn with the swarm
  Ops buffer_;
  std::uint64_t calls_ = 0;
};

}  // namespace scopecheck::generator
