// Where each value of a scenario lives when it is written in Rust: when it gets a new name, and from which
// statement on it is pinned. Rust says so in the text, a scenario only shows it in hindsight.
#pragma once

#include "harness/scenario/offers.hpp"
#include "harness/scenario/rules.hpp"
#include "harness/scenario/scenario.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace scopecheck::report {

inline constexpr std::size_t nowhere = 0xffff;

/// A block around an op.
struct OpenBlock {
  std::size_t opener;  ///< op index; `nowhere`: the root
  std::size_t body;    ///< opener of the innermost body, which may be this block
};

struct ValuePlan {
  scenario::ValueKind kind = scenario::ValueKind::scope;
  bool boxed = false;
  bool lent = false;  ///< a scope that the client knows by reference
  bool reserved = false;
  std::size_t home = nowhere;                ///< opener of the body that declared it
  std::size_t pinned_when_placed = nowhere;  ///< which of its places is a slot; 0: where it was declared
  std::size_t pinned_before = nowhere;       ///< or the op before which it goes into one
  std::size_t first_start = nowhere;         ///< the first op that needs it pinned
};

/// A value that leaves a frame, and which of its places it gets outside.
struct MovedOut {
  std::uint8_t value;
  std::size_t place;
};

struct RustPlan {
  std::array<ValuePlan, scenario::max_values> values;
  std::vector<OpenBlock> around;  ///< per op: the block it stands in; an `end` in the one behind it
  std::vector<std::vector<MovedOut>> moved_out_of;  ///< per opener of a frame: in order
  std::vector<bool> lends_token;                    ///< per spawn: its body spawns into its own scope
};

[[nodiscard]] RustPlan plan(const scenario::Scenario& scenario, const scenario::Offers& offers);

}  // namespace scopecheck::report
