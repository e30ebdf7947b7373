// A plugin's table made from bytes; the body of the fuzz target `plugin_handshake`.
#pragma once

#include <cstdint>
#include <span>

namespace scopecheck::fuzz {

/// Numbers come from `data`; pointers are null or point to something of their type, as it says.
/// Asserts that a refusal has words, and that what is accepted offers a well-defined alphabet.
void check_handshake(std::span<const std::uint8_t> data);

}  // namespace scopecheck::fuzz
