// The stress pass: short random clients of one implementation whose gates stand open, so that its threads run
// at once, under each sanitizer in turn. It looks for what no order of steps shows: bookkeeping that is
// touched after the waiter went on, and races. What it does not find proves nothing, and is reported as that.
#pragma once

#include "harness/campaign/check.hpp"

#include <span>

namespace scopecheck::campaign {

/// Requires: validate(plugin) passed; options.seconds > 0; there are programs of the watchers.
/// Ensures: the verdict is unsound with a finding that was seen, or inconclusive with the number of runs. An
/// implementation without threads is not run.
/// Cost: options.seconds, shared evenly by the watchers; less with a finding.
[[nodiscard]] Checked stress(interpreter::Implementation implementation, scenario::Discipline discipline,
                             const CheckOptions& options, std::span<const Witness> watchers);

}  // namespace scopecheck::campaign
