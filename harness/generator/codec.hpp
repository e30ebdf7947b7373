// The byte form: every byte string is a scenario. Each choice picks one of the ops that are legal then
// (choice 0: end the block, or the program), so bytes stay meaningful under any mutation, and all-zero
// bytes are the simplest scenario.
//
//   choice = 1 byte while at most 256 ops are legal, else 2 bytes, little-endian; value modulo the count
//   program = choice* ; missing bytes read as 0
#pragma once

#include "harness/generator/grammar.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace scopecheck::generator {

/// The scenario that `bytes` choose. Ensures: well-formed and within bounds, whatever the bytes.
[[nodiscard]] scenario::Scenario decode(std::span<const std::uint8_t> bytes, const scenario::Offers& offers,
                                        const scenario::Bounds& bounds);

/// The canonical bytes: decode(encode(s)) == s. Nothing when `s` is not well-formed within the bounds, or has
/// a `run` of more than 1, which no choice stands for.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> encode(const scenario::Scenario& scenario,
                                                              const scenario::Offers& offers,
                                                              const scenario::Bounds& bounds);

}  // namespace scopecheck::generator
