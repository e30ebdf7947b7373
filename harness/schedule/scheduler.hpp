// Who goes first where several threads of a runtime may go on and only one can: a choice. What a scenario
// says (`next t`) comes first; where it says nothing, a policy decides. Every choice is noted, so that what a
// policy drew can be written into the scenario, where it is replayed like all else.
#pragma once

#include "harness/base/prng.hpp"
#include "harness/base/static_vector.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace scopecheck::schedule {

inline constexpr std::size_t lanes = 10;          ///< one per task, and two more
inline constexpr std::size_t root = lanes - 2;    ///< a client body that the runtime runs
inline constexpr std::size_t client = lanes - 1;  ///< the client, at a yield point inside of a call

/// Sets of lanes, a bit each.
using Lanes = std::uint32_t;

/// What decides where the scenario is silent.
enum class Policy : std::uint8_t {
  lowest,       ///< the client, then the lowest task: nothing is drawn
  round_robin,  ///< each in its turn
  random,       ///< any, evenly
  pct,          ///< priorities that change at `depth - 1` random choices
};
inline constexpr std::array<std::string_view, 4> policy_names = {"lowest", "round-robin", "random", "pct"};

struct Order {
  Policy policy = Policy::lowest;
  std::uint8_t depth = 3;  ///< pct: bugs that need this many orderings are found with known probability
  std::uint64_t seed = 1;
};

/// A choice that was made among several.
struct Choice {
  std::uint16_t moment;  ///< what the driver was at
  std::uint8_t lane;
};

using Choices = base::StaticVector<Choice, 64>;

/// Threads: one at a time; whoever chooses has the whole process at rest.
class Scheduler {
 public:
  /// Choices among more than one are kept in `notes`, in order, as many as there is room for.
  explicit Scheduler(Choices& notes) : choices_(notes) {}

  /// A new run: nothing is asked for, nothing was chosen.
  void begin(const Order& order);
  /// The scenario asks for `lane` at the next choice that it is a candidate of.
  void ask(std::size_t lane);
  /// One of `candidates`. Requires: there is one.
  /// Source of `pct`: Burckhardt et al., A randomized scheduler with probabilistic guarantees of finding
  /// bugs, ASPLOS 2010. A run is taken to have 16 choices, so that changes fall within it.
  [[nodiscard]] std::size_t choose(Lanes candidates, std::size_t moment);

 private:
  static constexpr std::uint32_t expected_choices = 16;

  std::size_t drawn(Lanes candidates);
  std::size_t highest_priority(Lanes candidates) const;

  Order order_;
  base::Prng prng_{1};
  base::StaticVector<std::uint8_t, 64> asked_;
  Choices& choices_;
  std::array<std::uint32_t, lanes> priority_{};
  Lanes changes_ = 0;  ///< pct: at which choices the priority of the chosen falls, a bit each
  std::uint32_t made_ = 0;
  std::size_t last_ = 0;
};

}  // namespace scopecheck::schedule
