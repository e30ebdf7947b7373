// The programs that testify: this one for the ledger, and the same program built with a sanitizer.
#pragma once

#include "harness/verdict/finding.hpp"

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace scopecheck::campaign {

using verdict::Witness;

/// "ledger", "asan", "tsan": as `confirmed_by` and --witness call it.
[[nodiscard]] std::string_view to_string(Witness witness);
/// "the ledger", "ASan", "TSan".
[[nodiscard]] std::string_view in_words(Witness witness);

/// The sanitizer that this program is instrumented by; the ledger: by none.
[[nodiscard]] Witness built_with();

/// The twin of this program that is built with a sanitizer: $SCOPECHECK_ASAN_PROGRAM or
/// $SCOPECHECK_TSAN_PROGRAM, else asan/bin/scopecheck or tsan/bin/scopecheck beside this build tree, else
/// libexec/scopecheck/scopecheck-asan or scopecheck-tsan of the installation. A program that is built with
/// that sanitizer is its own twin. Requires: not the ledger. Errors: where it was looked for and how to get
/// it.
[[nodiscard]] std::expected<std::filesystem::path, std::string> twin_executable(Witness sanitizer);

/// One program per witness; empty: there is none, and why.
struct Programs {
  std::filesystem::path own = "/proc/self/exe";
  std::filesystem::path asan, tsan;
  std::string asan_missing = "nobody looked for it", tsan_missing = "nobody looked for it";

  [[nodiscard]] bool has(Witness witness) const { return !of(witness).empty(); }
  [[nodiscard]] const std::filesystem::path& of(Witness witness) const {
    return witness == Witness::asan ? asan : witness == Witness::tsan ? tsan : own;
  }
  [[nodiscard]] const std::string& missing(Witness witness) const {
    return witness == Witness::asan ? asan_missing : tsan_missing;
  }
};
/// `own` and its twins, as far as they are there.
[[nodiscard]] Programs find_programs(std::filesystem::path own);

}  // namespace scopecheck::campaign
