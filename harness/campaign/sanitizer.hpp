// What AddressSanitizer or ThreadSanitizer says goes into the tally. Called by a runner; does nothing in
// other builds.
#pragma once

#include "harness/campaign/tally.hpp"
#include "harness/campaign/witness.hpp"

#include <filesystem>
#include <string>

namespace scopecheck::campaign {

/// From now on every report counts in tally.sanitizer_reports; of the first since that was last 0 the tally
/// keeps the text, how many events the ledger had, and whether the harness itself was touching a cell. Of all
/// that TSan reports about touches, as far as there is room, it keeps the moment and the cell.
/// Ensures: the text is complete before the process dies of the report.
/// Threads: once per process; the tally lives as long as the process.
void install_sanitizer_callbacks(Tally& tally);

/// How a runner that a sanitizer ended exits; no other reason gives this code.
inline constexpr int sanitizer_exit_code = 86;

/// Values of ASAN_OPTIONS and TSAN_OPTIONS for a runner. `symbolize`: reports name functions and lines, which
/// costs some 75 ms for the first one. `symbolizer` may be empty: then the sanitizer looks for one itself.
[[nodiscard]] std::string asan_options(bool symbolize, const std::filesystem::path& symbolizer);
[[nodiscard]] std::string tsan_options(bool symbolize, const std::filesystem::path& symbolizer);

/// An llvm-symbolizer of this system; empty when there is none.
[[nodiscard]] std::filesystem::path find_symbolizer();

}  // namespace scopecheck::campaign
