// The check of one implementation under one discipline: fast pass, confirmation, witness pass, random
// scenarios, goals, and the verdict that they earn together.
//
//   exhaustive, fast --> findings? --yes--> confirm each kind with real access --> unsound
//                            | no
//                            v
//   exhaustive, ASan --> random, ASan --> with threads: exhaustive, TSan
//                            v
//   goals met? gate passed? --> not refuted, or inconclusive and why
#pragma once

#include "harness/campaign/gate.hpp"
#include "harness/interpreter/implementation.hpp"
#include "harness/report/progress.hpp"
#include "harness/report/result.hpp"
#include "harness/report/style.hpp"
#include "harness/schedule/scheduler.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace scopecheck::campaign {

/// A length whose count would exceed this is left out unless --ops asks for it.
inline constexpr std::uint64_t default_scenario_limit = 18'000'000;
inline constexpr std::uint8_t default_most_ops = 8;
inline constexpr std::uint64_t default_random = 1'000'000;
/// The same where runs have threads: proving after each op that they are at rest costs a thousand times as
/// much.
inline constexpr std::uint64_t default_scenario_limit_threads = 20'000;
inline constexpr std::uint64_t default_random_threads = 2'000;

struct CheckOptions {
  std::optional<std::uint8_t> ops;  ///< the exhaustive bound; nothing: as deep as the scenario limit allows
  std::optional<std::uint64_t> random;  ///< how many random ones; nothing: default_random, or that of threads
  std::uint64_t seed = 1;
  double seconds = 0;  ///< time for this check; 0: no limit
  /// Who goes first where scenarios leave that open and threads are about; nothing: the lowest task in the
  /// exhaustive passes, which write every other choice into scenarios, and anybody in the random one.
  std::optional<schedule::Policy> policy;
  std::uint8_t pct_depth = 3;
  unsigned runners = 1;
  Programs programs;
  report::Style style;  ///< of the lifelines
  std::string replay_command = "scopecheck replay";
  /// A new pass begins: rates count from here.
  std::function<void()> begin_pass;
  std::function<void(const report::Standing&)> progress;
};

struct Checked {
  report::Result result;
  bool interrupted = false;
};

/// Puts the headline first, and marks it: the shortest counterexample that ends storage; where there is none,
/// the shortest that is about memory; where there is none, the shortest.
void choose_headline(std::vector<report::Counterexample>& findings);

/// Requires: validate(plugin) passed.
[[nodiscard]] Checked check(interpreter::Implementation implementation, scenario::Discipline discipline,
                            const CheckOptions& options, const Gate& gate);

}  // namespace scopecheck::campaign
