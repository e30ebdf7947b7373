// Whether the registry is unambiguous; the program asks once, before anything else.
#pragma once

#include <expected>
#include <string>

namespace scopecheck::abi {

/// Errors: two registered tables have one name, so that nobody could say which one a verdict is about.
[[nodiscard]] std::expected<void, std::string> names_are_unique();

}  // namespace scopecheck::abi
