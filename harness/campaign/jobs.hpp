// Jobs as values: what every job of one implementation and discipline starts from, and its shards.
#pragma once

#include "harness/campaign/tally.hpp"

#include <vector>

namespace scopecheck::campaign {

/// A job of this implementation with nothing to do yet.
[[nodiscard]] Job job_for(interpreter::Implementation implementation, scenario::Discipline discipline);

/// The same work for `shards` runners.
[[nodiscard]] std::vector<Job> shards_of(const Job& job, unsigned shards);

}  // namespace scopecheck::campaign
