// Where in a client something happened, in words. Enters: an event's op; leaves: part of a sentence.
#pragma once

#include "harness/scenario/text.hpp"

#include <cstdint>
#include <string>

namespace scopecheck::report {

/// "at `drop s0`", "at the end of `inside {`", "in the final settle". `op` is as in ledger::Event::op.
[[nodiscard]] std::string place(const scenario::Scenario& scenario, std::uint16_t op,
                                const scenario::Names& names);
/// The same with the line of a file: "at line 3: drop s0".
[[nodiscard]] std::string place_in_file(const scenario::Scenario& scenario, std::uint16_t op,
                                        const scenario::Wording& wording);

}  // namespace scopecheck::report
