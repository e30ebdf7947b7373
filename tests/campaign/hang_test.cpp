// What a check and a replay say about hangs: proved or suspected, where, and who may still end it.
#include "harness/abi/registry.hpp"
#include "harness/campaign/check.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/supervisor.hpp"
#include "harness/ledger/moments.hpp"
#include "harness/report/json.hpp"
#include "harness/scenario/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace scopecheck::campaign {
namespace {

using interpreter::Outcome;
using scenario::Discipline;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::StartsWith;

OneRun replay(const char* name, const char* text, std::uint64_t times = 1) {
  Job job = job_for({.plugin = abi::find_registered(name)}, Discipline::safe);
  job.engine = Engine::one;
  job.runs = times;
  job.scenario = scenario::parse(text).value().scenario;
  const auto run = run_one(job, {});
  EXPECT_TRUE(run) << run.error();
  return run.value_or(OneRun{});
}

report::Result check(const char* name) {
  return campaign::check({abi::find_registered(name), 0}, Discipline::safe,
                         {.ops = 3, .random = 0, .runners = 2}, Gate{.asan_missing = "not asked for"})
      .result;
}

constexpr const char* parked_child = "scope s0; spawn t0 in s0 { park }; drop s0; settle";

TEST(Hang, that_is_suspected_names_who_waits_and_where) {
  const OneRun run = replay("waits_timed", parked_child);
  EXPECT_EQ(run.outcome, Outcome::hang_suspected);
  EXPECT_THAT(run.waiter, StartsWith("a thread is in a timed wait (system call "));
  EXPECT_EQ(run.ended_at, 4u) << "drop s0";
}

TEST(Hang, that_is_suspected_of_a_spinning_thread_says_so) {
  const OneRun run = replay("waits_spinning", parked_child);
  EXPECT_EQ(run.outcome, Outcome::hang_suspected);
  EXPECT_EQ(run.waiter, "a thread spins");
  EXPECT_EQ(run.ended_at, 4u);
}

TEST(Hang, that_is_proved_has_no_waiter_and_says_where) {
  const OneRun at_end = replay("std_jthread", "spawn t0 { park } as h0");
  EXPECT_EQ(at_end.outcome, Outcome::hang);
  EXPECT_EQ(at_end.waiter, "");
  EXPECT_EQ(at_end.ended_at, 3u + ledger::at_outermost_end);
  const OneRun at_drop = replay("std_jthread", "spawn t0 { park } as h0; drop h0");
  EXPECT_EQ(at_drop.outcome, Outcome::hang);
  EXPECT_EQ(at_drop.ended_at, 3u);
}

// blocking_closure blocks its caller until a worker has run the child, and here the caller is the only
// worker. No clock has a part in it: the watchdog, which would kill the runner, would leave a death behind.
TEST(Hang, of_a_blocking_closure_inside_its_only_worker_is_proved_without_a_timeout) {
  const OneRun run = replay("blocking_closure", "inside { enter s0 { spawn t0 in s0 { } } }", 20);
  EXPECT_EQ(run.outcome, Outcome::hang);
  EXPECT_EQ(run.waiter, "");
  EXPECT_EQ(run.ended_at, 4u) << "the end of `enter s0 {`";
  EXPECT_EQ(run.runs, 20u);
  EXPECT_EQ(run.ledgers_differing, 0u);
  EXPECT_FALSE(run.death) << describe(*run.death);
}

TEST(Hang, is_told_in_the_notes_and_in_the_json) {
  const report::Result timed = check("waits_timed");
  EXPECT_THAT(timed.notes, Contains(AllOf(StartsWith("a hang is suspected when the outermost frame ends (a "
                                                     "thread is in a timed wait (system call "),
                                          HasSubstr("when: scope s0; spawn t0 in s0 { park }"))));
  const auto json = nlohmann::json::parse(report::to_json({&timed, 1}));
  const auto& example = json["results"][0]["outcome_examples"][0];
  EXPECT_EQ(example["outcome"], "hang-suspected");
  EXPECT_EQ(example["where"], "when the outermost frame ends");
  EXPECT_EQ(example["scenario"], "scope s0\nspawn t0 in s0 {\n  park\n}\n");
  EXPECT_THAT(example["waiter"].get<std::string>(), StartsWith("a thread is in a timed wait"));

  EXPECT_THAT(check("std_jthread").notes,
              Contains("hangs (proved) when the outermost frame ends, when: spawn t0 { park } as h0"));
}

// ---- what std's threads do --------------------------------------------------------------------------------

TEST(FailStop, of_a_std_thread_that_is_destroyed_joinable_is_no_finding) {
  const OneRun run = replay("std_thread", "cell x; spawn t0 borrow mut x { write x } as h0; drop h0");
  EXPECT_EQ(run.outcome, Outcome::fail_stop);
  EXPECT_TRUE(run.findings.empty());
  EXPECT_FALSE(run.fault);
}

TEST(Handles, of_std_async_and_std_jthread_block_until_the_child_is_gone) {
  for (const char* name : {"std_async", "std_jthread"}) {
    const OneRun run =
        replay(name, "cell x; spawn t0 borrow mut x { write x; write x } as h0; drop h0; write x");
    EXPECT_EQ(run.outcome, Outcome::clean) << name;
    EXPECT_TRUE(run.findings.empty()) << name;
    std::vector<ledger::EventKind> order;
    for (const ledger::Event& event : run.ledger.events())
      if (event.kind == ledger::EventKind::finished || event.kind == ledger::EventKind::child_dropped ||
          event.kind == ledger::EventKind::value_dropped)
        order.push_back(event.kind);
    EXPECT_THAT(order, testing::ElementsAre(ledger::EventKind::finished, ledger::EventKind::child_dropped,
                                            ledger::EventKind::value_dropped))
        << name;
  }
}

}  // namespace
}  // namespace scopecheck::campaign
