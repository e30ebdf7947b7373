// Results for people at a terminal: the verdict table, a block per counterexample, notes, and what the
// verdicts mean.
#pragma once

#include "harness/report/result.hpp"
#include "harness/report/style.hpp"

#include <span>
#include <string>
#include <string_view>

namespace scopecheck::report {

/// The table alone: a row per result with verdict, letters, effort and the shortest counterexample in one
/// line. Where the width does not allow it, effort and counterexample stand in a line below their row.
/// Ensures: no line is wider than `asked.width` (at least `min_width`).
[[nodiscard]] std::string table(std::span<const Result> results, const Style& asked);

/// The block of one counterexample: scenario, lifeline, witnesses, and the one command that shows it again.
/// The command is never broken into lines, so that it can be copied.
[[nodiscard]] std::string counterexample_block(const Result& result, const Counterexample& finding,
                                               const Style& asked);

/// Everything: table, counterexamples, notes, and the closing lines.
[[nodiscard]] std::string report(std::span<const Result> results, const Style& asked);

/// Per result the first client that shows each letter of the trilemma.
[[nodiscard]] std::string trilemma_clients(std::span<const Result> results, const Style& asked);

/// "cell x; spawn t0 borrow mut x { write x } as h0; forget h0"
[[nodiscard]] std::string scenario_in_one_line(std::string_view scenario_text);

/// "all 12,345 of <= 8 ops, 3,000 random, 4.2 s"
[[nodiscard]] std::string effort_in_words(const Effort& effort);

}  // namespace scopecheck::report
