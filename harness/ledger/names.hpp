// Words for events.
#pragma once

#include "harness/ledger/ledger.hpp"

#include <string>

namespace scopecheck::ledger {

/// The word for an event in reports and as a key of the JSON's `reach`: "touched-write".
[[nodiscard]] std::string name(EventKind kind);

}  // namespace scopecheck::ledger
