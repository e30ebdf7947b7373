#include "harness/campaign/search.hpp"

#include "harness/abi/registry.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/supervisor.hpp"
#include "harness/scenario/text.hpp"

#include <gtest/gtest.h>

namespace scopecheck::campaign {
namespace {

OneRun ten_runs_of(const char* implementation) {
  Job job = job_for({abi::find_registered(implementation), 0}, scenario::Discipline::safe);
  job.engine = Engine::one;
  job.runs = 10;
  job.scenario = scenario::parse("cell x; spawn t0 borrow mut x { write x } as h0; drop h0")->scenario;
  auto run = run_one(job, {});
  EXPECT_TRUE(run) << run.error();
  return run ? *run : OneRun{};
}

TEST(Search, of_one_scenario_counts_the_ledgers_that_differ_from_the_first) {
  const OneRun fickle = ten_runs_of("fickle_every_other_run");
  EXPECT_EQ(fickle.runs, 10u);
  EXPECT_EQ(fickle.ledgers_differing, 5u) << "every second run is another";
  EXPECT_EQ(ten_runs_of("fickle_but_for_the_first_run").ledgers_differing, 9u);
}

TEST(Search, of_one_scenario_finds_that_the_ledgers_of_equal_runs_are_equal) {
  for (const char* const steady : {"canary_sound", "canary_detach"}) {
    const OneRun run = ten_runs_of(steady);
    EXPECT_EQ(run.runs, 10u) << steady;
    EXPECT_EQ(run.ledgers_differing, 0u) << steady;
  }
}

}  // namespace
}  // namespace scopecheck::campaign
