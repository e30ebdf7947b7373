// What must hold of any bytes that are taken for a scenario; asserts it. The body of the fuzz target `bytes`.
#pragma once

#include <cstdint>
#include <span>

namespace scopecheck::fuzz {

/// The first byte chooses among the registered implementations, whose offers are the alphabet; the second,
/// what is done with the rest: decoded as choices, read as an input, or mutated.
void check_byte_forms(std::span<const std::uint8_t> bytes);

}  // namespace scopecheck::fuzz
