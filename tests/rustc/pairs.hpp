// Programs on both sides of the client rules: well-formed ones, and the same with one op more that breaks one
// rule. rustc is asked about each (agree_with_rustc.cpp).
#pragma once

#include "harness/generator/random.hpp"
#include "harness/scenario/rules.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace scopecheck::tests {

/// One program, what the rules say of it, and for whose sake it was made.
struct Case {
  scenario::Scenario scenario;
  /// By its last op before the ends; empty: well-formed.
  std::optional<scenario::Rule> broken = std::nullopt;
  /// The rule whose border it stands at; empty: a whole random program, or one with an op of any kind.
  std::optional<scenario::Rule> about = std::nullopt;
  /// The beginning of a random program, and one op that the rules accept, each class (kind, and what its
  /// value borrows) as often as the others.
  bool any_op = false;
};

/// An async block, `inside` or a nested frame stands in it.
[[nodiscard]] bool nested(const scenario::Scenario& scenario);

/// Whether rustc can be asked about `op`, which breaks this rule and no other. Some breaches are outside of
/// Rust's language: docs/client-rules.md, "Compared with rustc".
[[nodiscard]] bool comparable(const scenario::Rules& rules, const scenario::Violation& violation,
                              const scenario::Op& op);

/// The program with all blocks closed and values numbered in order of declaration, whatever the rules say of
/// it.
[[nodiscard]] scenario::Scenario closed(scenario::Scenario open);

/// Draws pairs for one API. Same offers and seed: same pairs. Threads: one caller.
class Pairs {
 public:
  Pairs(const scenario::Offers& offers, std::uint64_t seed);

  /// One random program, and from it: two pairs, an op more that breaks the rule of which there are fewest in
  /// `made` and the nearest that does not; and an accepted op of the class that was taken least, so that a
  /// rule that is missing is met at its border. Appends them to `out`.
  void draw(std::vector<Case>& out, std::map<scenario::Rule, std::size_t>& made);

 private:
  void pair_in(const scenario::Scenario& whole, std::vector<Case>& out,
               std::map<scenario::Rule, std::size_t>& made);
  scenario::Scenario with_any_op(const scenario::Scenario& random);
  /// The nearest program that keeps the rule: with the same op after what is in its way was dropped; with
  /// another one of the same kind; with any other.
  scenario::Scenario kept(const scenario::Scenario& prefix, const scenario::Op& op,
                          const scenario::Violation& violation);

  scenario::Offers offers_;
  base::Prng prng_;
  scenario::Bounds bounds_;
  generator::Random random_;
  std::array<std::size_t, scenario::op_kinds * 3> taken_{};  // by class (pairs.cpp)
};

}  // namespace scopecheck::tests
