// The regressions: kept scenarios whose verdict is known, run all at once and compared.
//
//   # impl: stacked_in_scope; discipline: safe; expect: unsound       <- first line of the file
//   # finding: use-after-scope(forget, frame-end, write)      <- the signature, where it is unsound
#pragma once

#include "harness/campaign/witness.hpp"

#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace scopecheck::campaign {

enum class RegressionState : std::uint8_t {
  as_expected,
  other_finding,   ///< unsound as expected, but with another signature
  not_reproduced,  ///< a finding was expected and did not show itself
  new_finding,     ///< none was expected
  inapplicable,    ///< no longer a client of this API
  error,           ///< unreadable, no header, or the run failed
};

struct Regression {
  std::filesystem::path file;
  RegressionState state = RegressionState::error;
  std::string detail;  ///< a sentence; "" when as expected
};

struct RegressOptions {
  Programs programs;  ///< findings that only a missing one sees are errors
  unsigned runners = 1;
};

/// Every .scn file in `folder`, in order of their names.
/// Errors: the system's words.
[[nodiscard]] std::expected<std::vector<std::filesystem::path>, std::string> regression_files(
    const std::filesystem::path& folder);

/// Runs each file in a process of its own, `runners` at a time.
[[nodiscard]] std::vector<Regression> regress(std::span<const std::filesystem::path> files,
                                              const RegressOptions& options);

}  // namespace scopecheck::campaign
