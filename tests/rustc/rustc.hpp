// rustc as an oracle: many functions in one crate, which of them it refuses, and why.
#pragma once

#include <expected>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace scopecheck::tests {

/// The codes of the errors in one function; empty: accepted.
using Codes = std::set<std::string>;

/// Asks `rustc` (a command) about `functions` behind `prelude`, in one crate: no code is generated. Errors of
/// an early phase hide those of a later one, so what was refused is left out and the rest asked again, until
/// nothing is refused. Errors: rustc cannot be run, or complains about something outside of the functions.
[[nodiscard]] std::expected<std::vector<Codes>, std::string> ask_rustc(
    const std::string& rustc, const std::filesystem::path& folder, const std::string& prelude,
    const std::vector<std::string>& functions);

}  // namespace scopecheck::tests
