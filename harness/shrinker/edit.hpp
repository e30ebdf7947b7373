// Edits of scenarios that keep indices canonical: what mentions something that is gone goes too.
#pragma once

#include "harness/scenario/scenario.hpp"

#include <bitset>

namespace scopecheck::shrinker {

using OpSet = std::bitset<scenario::max_ops>;

/// `scenario` without the ops in `removed`. Removing an opener removes its whole block, unless the opener
/// is in `unwrapped`: then only its braces go. Ops that mention a cell, value or task that no longer exists
/// go as well. The result may be ill-formed: check it.
[[nodiscard]] scenario::Scenario without(const scenario::Scenario& scenario, const OpSet& removed,
                                         const OpSet& unwrapped = {});

}  // namespace scopecheck::shrinker
