// From words on the command line to implementations and scenarios; every refusal is one clear line.
#pragma once

#include "harness/cli/commands.hpp"
#include "harness/interpreter/implementation.hpp"
#include "harness/scenario/text.hpp"

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

namespace scopecheck::cli {

/// Prints "scopecheck: ..." on standard error.
void complain(const std::string& message);

/// The implementations of these names in all their flavours, or in the one that is asked for; without names
/// all that are not hidden, and have it. Errors: an unknown name or flavour, with a suggestion; a
/// contradiction in a plugin's table.
[[nodiscard]] std::expected<std::vector<interpreter::Implementation>, std::string> select(
    const std::vector<std::string>& names, const std::string& flavour = "");

/// A scenario that is well-formed for its implementation.
struct Chosen {
  interpreter::Implementation implementation;
  scenario::Discipline discipline = scenario::Discipline::safe;
  scenario::Offers offers;
  scenario::Parsed parsed;
  scenario::Wording wording;  ///< the author's names; lines of the file, or of the canonical text for -e
  std::string source;         ///< file name, for messages
};

/// Errors: unreadable file, malformed text ("bug.scn:3: ..."), no implementation, no longer applicable.
[[nodiscard]] std::expected<Chosen, std::string> choose(const ScenarioArguments& arguments);

[[nodiscard]] scenario::Discipline discipline_of(std::string_view name);

/// This program, absolute: what runners are started from.
[[nodiscard]] std::filesystem::path own_executable();

/// "did you mean 'safe'? " where one of the names is near enough to the word and not the word itself, or "".
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& names);

}  // namespace scopecheck::cli
