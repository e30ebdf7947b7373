// Fuzz inputs: one holds a whole scenario, ops and schedule. Every byte string is one, for every API, so that
// inputs can be shared, merged and kept.
//
//   input  = text | record*
//   text   = a .scn file that begins with '#'; what the API does not offer is left out
//   record = 8 bytes: kind, subject, scope, value, shared, mut, flags (bit 0: boxed), extra; missing bytes
//   are 0
//
// The codes of kinds come from their names, not from their place in the table: new ops do not change what
// kept inputs mean. In the long run inputs are kept as text.
#pragma once

#include "harness/generator/mend.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace scopecheck::generator {

/// The bounds of fuzz inputs: everything that the model has room for.
[[nodiscard]] scenario::Bounds input_bounds();

/// The byte that stands for a kind. Never '#'.
[[nodiscard]] std::uint8_t code_of(scenario::OpKind kind);

/// Ensures: well-formed and within bounds, whatever the bytes.
[[nodiscard]] scenario::Scenario read_input(std::span<const std::uint8_t> bytes,
                                            const scenario::Offers& offers, const scenario::Bounds& bounds);

/// The records of a scenario, in place of what `bytes` holds. Ensures: read_input gives back a well-formed
/// scenario within the bounds. Cost: no allocation where there is room.
void write_input(const scenario::Scenario& scenario, std::vector<std::uint8_t>& bytes);

}  // namespace scopecheck::generator
