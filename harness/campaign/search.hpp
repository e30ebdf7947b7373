// The loop of a runner: draws scenarios, runs each, judges it, counts. Works in the process that calls it;
// everything it learns goes into the tally as it happens.
#pragma once

#include "harness/campaign/tally.hpp"

namespace scopecheck::campaign {

/// Runs `job` to its end or deadline. `implementation` is what job.implementation names.
/// Ensures: tally.finished is set, or tally.wants_recycling, unless the process died on the way.
/// Errors: tally.error says what the plugin or the harness did wrong; the job ends there.
void run_job(const Job& job, interpreter::Implementation implementation, Tally& tally);

}  // namespace scopecheck::campaign
