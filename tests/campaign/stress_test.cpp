// Threads that run at once, and schedules that make the same happen in order: a scope that is notified when
// it may be gone is found both ways, its sound twin neither way.
#include "harness/abi/registry.hpp"
#include "harness/campaign/check.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/supervisor.hpp"
#include "harness/campaign/witness.hpp"
#include "harness/scenario/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

namespace scopecheck::campaign {
namespace {

using report::Verdict;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto defect = "canary_notify_after_unlock";
constexpr auto twin = "canary_notify_under_lock";

class Notify : public testing::Test {
 protected:
  void SetUp() override {
    programs = find_programs("/proc/self/exe");
    if (!programs.has(Witness::asan)) GTEST_SKIP() << programs.asan_missing;
    asan = programs.asan;
  }

  [[nodiscard]] static Job job(const char* name, std::string_view text) {
    Job job = job_for({abi::find_registered(name)}, scenario::Discipline::safe);
    job.engine = Engine::one;
    job.real_access = true;
    job.runs = 1;
    job.scenario = scenario::parse(text).value().scenario;
    return job;
  }
  /// So many free runs under ASan, or as many as it takes to see something.
  [[nodiscard]] OneRun stressed(const char* name, std::uint64_t runs) const {
    Job free = job(name, "scope s0; spawn t0 in s0 { }");
    free.free = true;
    free.runs = runs;
    return run_one(free, {.executable = asan, .deaths_limit = 1}).value();
  }
  [[nodiscard]] report::Result checked(const char* name) const {
    const CheckOptions options{.ops = 4, .random = 0, .runners = 2, .programs = programs};
    return check({abi::find_registered(name)}, scenario::Discipline::safe, options, run_gate(programs))
        .result;
  }

  Programs programs;
  std::filesystem::path asan;
};

TEST_F(Notify, after_the_unlock_is_seen_when_threads_run_at_once_and_under_the_lock_is_not) {
  const OneRun seen = stressed(defect, 20'000);  // about one run in a hundred shows it
  ASSERT_FALSE(seen.findings.empty());
  EXPECT_EQ(verdict::info(seen.findings[0].finding.kind()).text, "bookkeeping-after-scope");
  const OneRun sound = stressed(twin, 1'000);
  EXPECT_THAT(sound.findings, IsEmpty());
  EXPECT_FALSE(sound.death) << describe(*sound.death);
}

TEST_F(Notify, after_the_unlock_is_found_by_every_order_of_steps_and_replayed) {
  const report::Result result = checked(defect);
  ASSERT_EQ(result.verdict, Verdict::unsound) << result.why;
  const report::Counterexample& shown = result.findings.at(0);
  EXPECT_EQ(shown.kind, "bookkeeping-after-scope");
  EXPECT_THAT(shown.confirmed_by, testing::Contains("asan"));
  EXPECT_THAT(shown.scenario, HasSubstr("step t0"));
  const auto again = run_one(job(defect, shown.scenario), {.executable = asan});
  ASSERT_TRUE(again.has_value()) << again.error();
  ASSERT_FALSE(again->findings.empty());
  EXPECT_EQ(verdict::to_string(again->findings[0].finding.signature), shown.signature);
  EXPECT_EQ(checked(twin).verdict, Verdict::not_refuted);
}

TEST_F(Notify, what_a_policy_chose_before_a_crash_is_written_into_the_scenario) {
  // two children: the random order decides which of them notifies the scope that is gone
  Job drawn =
      job(defect, "scope s0; spawn t0 in s0 { }; spawn t1 in s0 { }; step t0; step t0; step t1; step t1");
  int crashed = 0;
  for (std::uint64_t seed = 1; seed <= 30 && crashed < 2; ++seed) {
    drawn.order = {.policy = schedule::Policy::random, .seed = seed};
    const auto run = run_one(drawn, {.executable = asan});
    ASSERT_TRUE(run.has_value()) << run.error();
    if (run->findings.empty()) continue;
    ++crashed;
    Job written = drawn;
    written.order = {};
    written.scenario = run->findings[0].scenario;
    const auto again = run_one(written, {.executable = asan});
    ASSERT_TRUE(again.has_value()) << again.error();
    ASSERT_FALSE(again->findings.empty()) << scenario::to_text(written.scenario);
    EXPECT_EQ(again->findings[0].finding.signature, run->findings[0].finding.signature);
  }
  EXPECT_GT(crashed, 0);
}

}  // namespace
}  // namespace scopecheck::campaign
