// Nothing may unwind across the door. A plugin that lets an exception out anyway ends the run as an error
// that names the function, instead of the process.
#pragma once

#include "harness/abi/plugin.h"

#include <cstdint>

namespace scopecheck::interpreter {

/// The table with each of its functions called through a guard. Requires: it is called while a machine runs
/// whose State::original is `plugin`.
/// Ensures: may_block says what may block in this flavour.
[[nodiscard]] scopecheck_plugin guarded(const scopecheck_plugin& plugin, std::uint32_t flavour);

}  // namespace scopecheck::interpreter
