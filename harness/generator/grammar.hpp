// The one answer to "which ops are legal now": used by the exhaustive enumerator, the random generator,
// the byte decoder and the mutator. Ops come simplest first, so that choice 0 ends the program.
#pragma once

#include "harness/base/static_vector.hpp"
#include "harness/scenario/rules.hpp"

namespace scopecheck::generator {

/// Room for every legal next op; more than any state offers.
using Candidates = base::StaticVector<scenario::Op, 1024>;

/// Whether `candidate` is the choice that became `op`: equal but for the value index of an opener, which is
/// known only at its end.
[[nodiscard]] bool same_choice(const scenario::Op& candidate, const scenario::Op& op);

/// A scenario under construction: ops so far and the rules' state after them.
class Draft {
 public:
  Draft(const scenario::Offers& offers, const scenario::Bounds& bounds);

  /// Whether `op` may come next: within the bounds and accepted by the rules. All generators ask this.
  [[nodiscard]] bool admits(const scenario::Op& op) const;
  /// Every op that may come next within the bounds. Empty only when the budget is spent at the root.
  /// `end` is legal exactly inside a block; at the root the program may always stop.
  void candidates(Candidates& out) const;
  /// A spawn or reserve as this API has it, of the next task: no scope chosen yet, nothing borrowed.
  [[nodiscard]] scenario::Op plain_spawn(scenario::OpKind kind) const;
  /// Takes `op`. Requires: it is one of the candidates.
  void push(const scenario::Op& op);
  /// Closes every open block. Ensures: the draft is a well-formed scenario.
  void close();

  [[nodiscard]] const scenario::Rules& rules() const { return rules_; }
  [[nodiscard]] const scenario::Scenario& scenario() const { return scenario_; }
  [[nodiscard]] const scenario::Bounds& bounds() const { return *bounds_; }
  /// The last op dropped the value that the end of its block would have dropped next.
  [[nodiscard]] bool dropped_top() const { return dropped_top_; }
  [[nodiscard]] std::size_t cost() const { return cost_; }
  [[nodiscard]] bool at_root() const { return rules_.blocks().size() == 1; }

 private:
  [[nodiscard]] bool within_bounds(const scenario::Op& op) const;

  const scenario::Bounds* bounds_;
  scenario::Rules rules_;
  scenario::Scenario scenario_;
  std::uint8_t cost_ = 0;
  bool dropped_top_ = false;
  std::uint8_t frames_ = 0;
  std::uint8_t scopes_ = 0;
  std::uint8_t async_blocks_ = 0;
  base::StaticVector<std::uint8_t, scenario::max_blocks> open_;  // op index of each open block
};

}  // namespace scopecheck::generator
