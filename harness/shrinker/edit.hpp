// Edits of scenarios that keep indices canonical: what mentions something that is gone goes too.
#pragma once

#include "harness/scenario/scenario.hpp"

#include <bitset>
#include <cstdint>

namespace scopecheck::shrinker {

using OpSet = std::bitset<scenario::max_ops>;

/// `scenario` without the ops in `removed`. Removing an opener removes its whole block, unless the opener
/// is in `unwrapped`: then only its braces go. Ops that mention a cell, value or task that no longer exists
/// go as well. `heir`: a value declared in an unwrapped async block, which takes the future's place: boxed
/// like it, and meant by what mentions it. The result may be ill-formed: check it.
[[nodiscard]] scenario::Scenario without(const scenario::Scenario& scenario, const OpSet& removed,
                                         const OpSet& unwrapped = {}, std::uint8_t heir = scenario::none);

}  // namespace scopecheck::shrinker
