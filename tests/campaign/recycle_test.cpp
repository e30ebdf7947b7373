// A runner that has leaked too much is replaced in the middle of the enumeration.
#include "harness/abi/registry.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/supervisor.hpp"

#include <gtest/gtest.h>

namespace scopecheck::campaign {
namespace {

Supervised heap_spawn_up_to_5_ops(std::uint64_t leak_limit_bytes, unsigned runners) {
  Job job = job_for({abi::find_registered("heap_spawn"), 0}, scenario::Discipline::safe);
  job.bounds.ops = 5;
  job.last_ops = 5;
  job.leak_limit_bytes = leak_limit_bytes;
  return supervise(shards_of(job, runners), {.runners = runners});
}

TEST(Recycle, RunsEveryScenarioOnceHoweverOftenRunnersAreReplaced) {
  const Supervised plain = heap_spawn_up_to_5_ops(std::uint64_t{1} << 40, 1);
  for (const unsigned runners : {1u, 3u}) {
    const Supervised recycled =
        heap_spawn_up_to_5_ops(1, runners);  // after every 4096 scenarios at the latest
    EXPECT_TRUE(recycled.merged.all_finished);
    EXPECT_TRUE(recycled.errors.empty());
    EXPECT_TRUE(recycled.deaths.empty());
    EXPECT_EQ(recycled.merged.done, plain.merged.done);
    EXPECT_EQ(recycled.merged.per_length, plain.merged.per_length);
    EXPECT_EQ(recycled.merged.outcomes, plain.merged.outcomes);
    EXPECT_EQ(recycled.merged.op_reach, plain.merged.op_reach);
  }
}

}  // namespace
}  // namespace scopecheck::campaign
