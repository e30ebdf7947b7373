// What AddressSanitizer says goes into the tally. Called by a runner; does nothing in other builds.
#pragma once

#include "harness/campaign/tally.hpp"

#include <expected>
#include <filesystem>
#include <string>

namespace scopecheck::campaign {

/// Whether this program is instrumented by AddressSanitizer.
[[nodiscard]] bool built_with_asan();

/// From now on every report counts in tally.sanitizer_reports; of the first since that was last 0 the tally
/// keeps the text, how many events the ledger had, and whether the harness itself was touching a cell.
/// Ensures: the text is complete before the process dies of the report.
/// Threads: once per process; the tally lives as long as the process.
void install_sanitizer_callbacks(Tally& tally);

/// How a runner that a sanitizer ended exits; no other reason gives this code.
inline constexpr int sanitizer_exit_code = 86;

/// Value of ASAN_OPTIONS for a runner. `symbolize`: reports name functions and lines, which costs some 75 ms
/// for the first one. `symbolizer` may be empty: then ASan looks for one itself.
[[nodiscard]] std::string asan_options(bool symbolize, const std::filesystem::path& symbolizer);

/// An llvm-symbolizer of this system; empty when there is none.
[[nodiscard]] std::filesystem::path find_symbolizer();

/// The AddressSanitizer twin of this program: $SCOPECHECK_ASAN_PROGRAM, else asan/bin/scopecheck beside this
/// build tree, else libexec/scopecheck/scopecheck-asan of the installation. A program that is built with
/// ASan is its own twin.
/// Errors: where it was looked for and how to get it.
[[nodiscard]] std::expected<std::filesystem::path, std::string> asan_executable();

}  // namespace scopecheck::campaign
