// Jobs as values: what every job of one implementation and discipline starts from, and its shards.
#pragma once

#include "harness/campaign/tally.hpp"

#include <vector>

namespace scopecheck::campaign {

/// A job of this implementation with nothing to do yet.
[[nodiscard]] Job job_for(interpreter::Implementation implementation, scenario::Discipline discipline);

/// The scenario that is, or was, being run, with what a policy chose in its run written into it, if it stays
/// a client: so it is replayed.
[[nodiscard]] scenario::Scenario as_run(const Job& job, const Tally& tally, const scenario::Offers& offers);

/// The same work for `shards` runners.
[[nodiscard]] std::vector<Job> shards_of(const Job& job, unsigned shards);

}  // namespace scopecheck::campaign
