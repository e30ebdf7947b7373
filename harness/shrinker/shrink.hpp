// The shrinker: from a counterexample to a locally minimal one with the same signature. It knows neither
// the interpreter nor the implementation: whether a candidate still shows the finding is a callback.
#pragma once

#include "harness/scenario/offers.hpp"
#include "harness/scenario/scenario.hpp"

#include <cstddef>
#include <functional>

namespace scopecheck::shrinker {

/// Whether a scenario still shows the finding (same signature).
using StillShows = std::function<bool(const scenario::Scenario&)>;

struct Shrunk {
  scenario::Scenario scenario;
  std::size_t tried = 0;     ///< candidates run
  std::size_t accepted = 0;  ///< steps taken
};

/// Greedy to a fixpoint: removes blocks, ops, things with all that mentions them, unwraps blocks, simplifies
/// what is left; accepts only what is smaller in shortlex order and still shows the finding.
/// Requires: still_shows(start). Ensures: never grows; the result is well-formed for `offers`.
[[nodiscard]] Shrunk shrink(const scenario::Scenario& start, const scenario::Offers& offers,
                            const StillShows& still_shows);

}  // namespace scopecheck::shrinker
