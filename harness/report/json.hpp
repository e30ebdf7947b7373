// Results as JSON, for machines. The shape is a promise (schema 1): fields are added, never renamed.
//
//   {"schema": 1, "results": [{
//     "implementation", "flavour", "discipline", "verdict": "unsound|not-refuted|inconclusive|error",
//     "effort": {"exhaustive_ops", "exhaustive_scenarios", "random_scenarios", "seconds"},
//     "reach": {<op or event>: <count>},      (scenario::name and ledger::name)
//     "outcomes": {"clean", "hang", "hang-suspected", "fail-stop", "discard", "crash"},
//     "findings": [{"kind", "signature", "scenario", "ops", "found_after_scenarios",
//                   "found_after_seconds", "confirmed_by": [...], "reproduce"}]}]}
//
// Added so far: results: why, expected, as_expected (null: nothing was expected), notes, unmet_goals,
// bounds, build, seed, outcome_examples; effort: witness_scenarios; outcomes: crash; findings: headline,
// sanitizer_report.
#pragma once

#include "harness/report/result.hpp"

#include <expected>
#include <span>
#include <string>

namespace scopecheck::report {

/// The document, indented, with a final newline. Bytes that are not UTF-8 become U+FFFD. `interrupted`: not
/// all results that were asked for are there, or the last one is of a search that was cut short.
[[nodiscard]] std::string to_json(std::span<const Result> results, bool interrupted = false);

/// Writes the document as one whole (see file.hpp).
/// Errors: a sentence: unwritable path, full disk.
[[nodiscard]] std::expected<void, std::string> write_json(const std::string& path,
                                                          std::span<const Result> results,
                                                          bool interrupted = false);

}  // namespace scopecheck::report
