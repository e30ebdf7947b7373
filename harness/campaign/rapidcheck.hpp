// RapidCheck as an engine: scenarios (ops and schedule) that it draws and shrinks, with statistics of what
// was drawn.
#pragma once

#include "harness/interpreter/implementation.hpp"
#include "harness/scenario/rules.hpp"
#include "harness/verdict/finding.hpp"

#include <rapidcheck/Gen.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace scopecheck::campaign {

/// Well-formed scenarios that grow with RapidCheck's size, and shrink by leaving out runs of ops, mended. A
/// shrink is never larger in shortlex order. Requires: offers and bounds outlive it.
[[nodiscard]] rc::Gen<scenario::Scenario> any_scenario(const scenario::Offers& offers,
                                                       const scenario::Bounds& bounds);

struct RapidcheckResult {
  std::uint64_t runs = 0;
  std::uint64_t shrinks = 0;  ///< accepted ones
  std::optional<verdict::Finding> finding;
  scenario::Scenario scenario;  ///< shrunk; of the finding
  /// How many scenarios had the op, the leak vector ("forget by cycle"), the depth of nesting ("depth 3").
  std::map<std::string, std::uint64_t> labels;
  std::string error;
};

/// Draws and runs scenarios, in this process, until one shows a memory finding. Same seed: same result.
/// Requires: abort() of the implementation ends its run (see runner_main); the implementation may end the
/// process.
[[nodiscard]] RapidcheckResult rapidcheck(interpreter::Implementation implementation,
                                          scenario::Discipline discipline, std::uint64_t runs,
                                          std::uint64_t seed);

}  // namespace scopecheck::campaign
