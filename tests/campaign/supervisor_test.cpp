#include "harness/campaign/supervisor.hpp"

#include "harness/abi/registry.hpp"
#include "harness/campaign/sanitizer.hpp"
#include "tests/campaign/fake_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>
#include <unistd.h>

namespace scopecheck::tests {
namespace {

using campaign::Death;
using campaign::DeathKind;
using campaign::Job;
using campaign::Merged;
using campaign::StopOnSignals;
using campaign::Supervised;
using campaign::SupervisorOptions;
using interpreter::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::uint64_t count(const Merged& merged, Outcome outcome) {
  return merged.outcomes[static_cast<std::size_t>(outcome)];
}

/// Process ids of our children.
std::vector<pid_t> children() {
  std::ifstream file("/proc/thread-self/children");
  std::vector<pid_t> result;
  for (pid_t pid = 0; file >> pid;) result.push_back(pid);
  return result;
}

std::vector<std::pair<std::string, std::uint64_t>> findings_of(const Merged& merged) {
  std::vector<std::pair<std::string, std::uint64_t>> result;
  for (const campaign::Found& found : merged.findings)
    result.emplace_back(verdict::to_string(found.finding.signature), found.number);
  return result;
}

class Supervisor : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("SCOPECHECK_TEST_FAKE_LOOP", "1", 1);
    StopOnSignals::clear();
  }
  void TearDown() override {
    ::unsetenv("SCOPECHECK_TEST_FAKE_LOOP");
    StopOnSignals::clear();
    EXPECT_THAT(children(), IsEmpty()) << "a runner was left behind";
  }

  Supervised run(const Job& job) { return campaign::supervise({&job, 1}, options); }
  Supervised run_shards(std::uint64_t runs, Plan plan, std::uint32_t shards) {
    std::vector<Job> jobs;
    for (std::uint32_t i = 0; i < shards; ++i) jobs.push_back(fake_job(runs, plan, i, shards));
    return campaign::supervise(jobs, options);
  }

  SupervisorOptions options;
};

TEST_F(Supervisor, runs_a_job_to_its_end) {
  const Supervised result = run(fake_job(1000));
  EXPECT_THAT(result.errors, IsEmpty());
  EXPECT_THAT(result.deaths, IsEmpty());
  EXPECT_TRUE(result.merged.all_finished);
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(result.merged.done, 1000u);
  EXPECT_EQ(result.merged.findings.size(), 8u);
}

TEST_F(Supervisor, adds_up_the_same_however_the_work_is_divided) {
  const Supervised whole = run(fake_job(3000));
  for (const std::uint32_t shards : {2u, 3u, 7u}) {
    for (const unsigned runners : {1u, 4u}) {
      options.runners = runners;
      const Supervised divided = run_shards(3000, {}, shards);
      EXPECT_THAT(divided.errors, IsEmpty());
      EXPECT_EQ(divided.merged.done, whole.merged.done);
      EXPECT_EQ(divided.merged.per_length, whole.merged.per_length);
      EXPECT_EQ(divided.merged.outcomes, whole.merged.outcomes);
      std::uint64_t times = 0;
      for (const campaign::Found& found : divided.merged.findings) times += found.times;
      EXPECT_EQ(times, (3000 + find_every - 1) / find_every);
      EXPECT_EQ(divided.by_job.size(), shards);
    }
  }
}

TEST_F(Supervisor, records_a_crash_and_goes_on_behind_it) {
  const Supervised result = run(fake_job(1000, {.act = Act::segv, .at = 500}));
  EXPECT_THAT(result.errors, IsEmpty());
  ASSERT_EQ(result.deaths.size(), 1u);
  const Death& death = result.deaths.front();
  if (campaign::built_with() == campaign::Witness::asan) {
    EXPECT_EQ(death.kind, DeathKind::sanitizer);
    EXPECT_THAT(death.sanitizer_text, HasSubstr("AddressSanitizer: SEGV"));
  } else {
    EXPECT_EQ(death.kind, DeathKind::crash);
    EXPECT_EQ(death.signal, SIGSEGV);
    EXPECT_EQ(campaign::describe(death),
              "the runner got signal 11 (Segmentation fault) at op 3 of scenario 500");
  }
  EXPECT_TRUE(death.in_scenario);
  EXPECT_EQ(death.number, 500u);
  EXPECT_EQ(death.op, 500 % 7);
  EXPECT_EQ(result.merged.done, 1000u);
  EXPECT_EQ(result.merged.findings.size(), 8u);
  EXPECT_EQ(count(result.merged, Outcome::clean), 999u);
}

TEST_F(Supervisor, loses_and_counts_twice_nothing_over_many_crashes) {
  const Supervised result = run_shards(2000, {.act = Act::segv, .at = 10, .every = 50}, 2);
  EXPECT_THAT(result.errors, IsEmpty());
  EXPECT_EQ(result.deaths.size(), 40u);
  EXPECT_EQ(result.merged.done, 2000u);
  EXPECT_EQ(count(result.merged, Outcome::clean), 1960u);
  for (std::size_t i = 1; i < result.deaths.size(); ++i)
    EXPECT_LT(std::pair(result.deaths[i - 1].job, result.deaths[i - 1].number),
              std::pair(result.deaths[i].job, result.deaths[i].number));
}

TEST_F(Supervisor, gives_a_job_up_that_only_crashes_and_keeps_what_it_found) {
  options.deaths_limit = 5;
  const Supervised result = run(fake_job(1000, {.act = Act::segv, .at = 200, .every = 1}));
  EXPECT_EQ(result.deaths.size(), 5u);
  EXPECT_THAT(result.errors, ElementsAre(HasSubstr("given up after 5 deaths")));
  EXPECT_EQ(result.merged.done, 205u);
  EXPECT_EQ(result.merged.findings.size(), 3u);
  EXPECT_FALSE(result.merged.all_finished);
}

TEST_F(Supervisor, takes_an_end_on_purpose_for_a_fail_stop) {
  for (const Act act : {Act::abort, Act::abort_elsewhere, Act::exit_zero, Act::exit_three}) {
    const Supervised result = run(fake_job(300, {.act = act, .at = 123}));
    ASSERT_EQ(result.deaths.size(), 1u);
    EXPECT_EQ(result.deaths.front().kind, DeathKind::ended);
    EXPECT_EQ(result.merged.done, 300u);
    EXPECT_EQ(count(result.merged, Outcome::fail_stop), 1u);
    const auto& example = result.merged.outcome_example[static_cast<std::size_t>(Outcome::fail_stop)];
    ASSERT_TRUE(example);
    EXPECT_EQ(example->scenario, result.deaths.front().scenario);
    EXPECT_EQ(example->op, result.deaths.front().op);
  }
}

TEST_F(Supervisor, takes_an_abort_of_malloc_for_a_crash) {
  const Supervised result = run(fake_job(300, {.act = Act::corrupt, .at = 123}));
  ASSERT_EQ(result.deaths.size(), 1u);
  EXPECT_EQ(result.deaths.front().kind, DeathKind::crash);
  EXPECT_THAT(result.deaths.front().output, HasSubstr("double free"));
  EXPECT_EQ(count(result.merged, Outcome::fail_stop), 0u);
}

TEST_F(Supervisor, calls_a_failed_assertion_the_harness_s_own_fault) {
  const Supervised result = run(fake_job(300, {.act = Act::assertion, .at = 123}));
  ASSERT_EQ(result.deaths.size(), 1u);
  EXPECT_EQ(result.deaths.front().kind, DeathKind::harness);
  EXPECT_EQ(result.errors.size(), 1u);
  EXPECT_EQ(count(result.merged, Outcome::fail_stop), 0u);
}

TEST_F(Supervisor, ends_a_runner_that_is_stuck_and_says_that_it_was_the_watchdog) {
  for (const Act act : {Act::sleep, Act::spin}) {
    options.stuck_seconds = 0.5;
    const Supervised result = run(fake_job(300, {.act = act, .at = 123}));
    EXPECT_THAT(result.errors, IsEmpty());
    ASSERT_EQ(result.deaths.size(), 1u);
    EXPECT_EQ(result.deaths.front().kind, DeathKind::stuck);
    EXPECT_THAT(campaign::describe(result.deaths.front()), HasSubstr("watchdog"));
    EXPECT_EQ(count(result.merged, Outcome::hang_suspected), 1u);
    EXPECT_EQ(result.merged.outcome_example[static_cast<std::size_t>(Outcome::hang_suspected)]->waiter,
              "the wall-clock watchdog ended it");
    EXPECT_EQ(result.merged.done, 300u);
  }
}

TEST_F(Supervisor, keeps_what_the_implementation_prints_to_itself) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const Supervised result = run(fake_job(300, {.act = Act::chatter, .at = 0, .every = 50}));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(result.merged.done, 300u);
}

TEST_F(Supervisor, survives_kills_from_outside_at_any_moment) {
  const Supervised undisturbed = run_shards(2000, {}, 2);
  options.runners = 2;
  options.stuck_seconds = 1;
  std::mt19937 random(1);
  for (const int signal : {SIGKILL, SIGSTOP, SIGTERM}) {
    unsigned left = 8;
    auto next = std::chrono::steady_clock::now();
    options.progress_interval = std::chrono::milliseconds(1);
    options.progress = [&](std::span<const campaign::Tally* const>) {
      const std::vector<pid_t> pids = children();
      if (left == 0 || pids.empty() || std::chrono::steady_clock::now() < next) return;
      --left;
      next = std::chrono::steady_clock::now() + std::chrono::milliseconds(random() % 200);
      ::kill(pids[random() % pids.size()], signal);
    };
    const Supervised result = run_shards(2000, {.microseconds = 800}, 2);
    EXPECT_LT(left, 8u);
    EXPECT_THAT(result.errors, IsEmpty()) << signal;
    // what a runner was counting when it was killed is run, and may be counted, once more; nothing is lost
    for (std::size_t ops = 0; ops < result.merged.per_length.size(); ++ops) {
      EXPECT_GE(result.merged.per_length[ops], undisturbed.merged.per_length[ops]) << signal;
      EXPECT_LE(result.merged.per_length[ops], undisturbed.merged.per_length[ops] + 8) << signal;
    }
    EXPECT_GE(result.merged.done, 2000u) << signal;
    EXPECT_LE(result.merged.done, 2008u) << signal;
    EXPECT_EQ(findings_of(result.merged), findings_of(undisturbed.merged)) << signal;
    for (const Death& death : result.deaths)
      if (death.kind != DeathKind::killed) ADD_FAILURE() << campaign::describe(death);
  }
}

TEST_F(Supervisor, passes_over_a_scenario_in_which_its_runner_is_killed_again_and_again) {
  options.stuck_seconds = 0.3;
  for (const Act act : {Act::kill_itself, Act::stop_itself}) {
    const Supervised result = run(fake_job(300, {.act = act, .at = 50}));
    EXPECT_THAT(result.errors, IsEmpty());
    EXPECT_EQ(result.deaths.size(), 3u);
    for (const Death& death : result.deaths) EXPECT_EQ(death.kind, DeathKind::killed);
    EXPECT_EQ(result.merged.done, 300u);
    EXPECT_EQ(result.merged.crashes, 1u);
    ASSERT_TRUE(result.merged.fault);
    EXPECT_EQ(result.merged.fault->what, "signal 9 (Killed), 3 times; is the system out of memory?");
    EXPECT_EQ(result.merged.findings.size(), 4u);
  }
}

TEST_F(Supervisor, stops_when_asked_to_and_returns_what_is_known) {
  options.progress_interval = std::chrono::milliseconds(1);
  options.progress = [](std::span<const campaign::Tally* const> tallies) {
    if (tallies[0]->done.load() >= 200) ::raise(SIGINT);
  };
  const StopOnSignals stop;
  const Supervised result = run(fake_job(100'000'000, {.microseconds = 50}));
  EXPECT_TRUE(result.interrupted);
  EXPECT_FALSE(result.merged.all_finished);
  EXPECT_GE(result.merged.done, 200u);
  EXPECT_GE(result.merged.findings.size(), 2u);
  EXPECT_THAT(result.errors, IsEmpty());
}

TEST_F(Supervisor, a_stopped_search_has_the_same_findings_for_any_number_of_shards) {
  std::vector<std::pair<std::string, std::uint64_t>> expected;
  for (const std::uint32_t shards : {1u, 3u, 5u}) {
    options.runners = shards;
    std::vector<Job> jobs;
    for (std::uint32_t i = 0; i < shards; ++i) {
      jobs.push_back(fake_job(100'000, {.microseconds = 20}, i, shards));
      jobs.back().stop_at_finding = true;
    }
    const Supervised result = campaign::supervise(jobs, options);
    EXPECT_LT(result.merged.done, 100'000u);
    if (expected.empty()) expected = findings_of(result.merged);
    EXPECT_EQ(findings_of(result.merged), expected);
    EXPECT_EQ(expected.size(), 1u);
  }
}

TEST_F(Supervisor, says_what_is_wrong_with_a_job_or_a_program) {
  Job job = fake_job(10);
  std::strcpy(job.implementation.data(), "nobody");
  EXPECT_THAT(run(job).errors, ElementsAre(HasSubstr("no implementation is called 'nobody'")));
  job = fake_job(10);
  std::strcpy(job.flavour.data(), "vanilla");
  EXPECT_THAT(run(job).errors, ElementsAre(HasSubstr("no flavour 'vanilla'")));
  options.executable = "/nowhere/scopecheck";
  EXPECT_THAT(run(fake_job(10)).errors, ElementsAre(HasSubstr("cannot start /nowhere/scopecheck")));
  options.executable = "/bin/false";
  EXPECT_THAT(run(fake_job(10)).errors, ElementsAre(HasSubstr("did not start")));
}

TEST_F(Supervisor, leaves_no_runner_behind_when_it_is_killed_itself) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t supervisor = ::fork();
  if (supervisor == 0) {
    options.progress = [&](std::span<const campaign::Tally* const>) {
      const std::vector<pid_t> pids = children();
      static_cast<void>(!::write(pipe[1], pids.data(), sizeof(pid_t)));
    };
    static_cast<void>(run(fake_job(1000, {.act = Act::sleep, .at = 1})));
    ::_exit(0);  // not reached
  }
  ::close(pipe[1]);
  pid_t runner = 0;
  ASSERT_EQ(::read(pipe[0], &runner, sizeof runner), static_cast<ssize_t>(sizeof runner));
  ::close(pipe[0]);
  ::kill(supervisor, SIGKILL);
  ::waitpid(supervisor, nullptr, 0);
  const auto gone = [&] {  // a zombie nobody waits for is gone enough
    std::ifstream file("/proc/" + std::to_string(runner) + "/stat");
    std::string text;
    return !std::getline(file, text) || text.find(") Z") != std::string::npos;
  };
  for (int i = 0; i < 500 && !gone(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(gone());
}

// ---- with the real loop ------------------------------------------------------------------------------

class RealLoop : public Supervisor {
 protected:
  void SetUp() override {
    Supervisor::SetUp();
    ::unsetenv("SCOPECHECK_TEST_FAKE_LOOP");
  }
  static Job job_for(const char* implementation) {
    Job job;
    std::strcpy(job.implementation.data(), implementation);
    std::strcpy(job.flavour.data(), abi::find_registered(implementation)->flavours[0].name);
    return job;
  }
};

TEST_F(RealLoop, finds_the_same_in_one_shard_and_in_three) {
  std::vector<std::pair<std::string, std::uint64_t>> expected;
  for (const std::uint32_t shards : {1u, 3u}) {
    options.runners = 2;
    std::vector<Job> jobs;
    for (std::uint32_t i = 0; i < shards; ++i) {
      jobs.push_back(job_for("canary_detach"));
      jobs.back().first_ops = 1;
      jobs.back().last_ops = 4;
      jobs.back().shard = i;
      jobs.back().shards = shards;
    }
    const Supervised result = campaign::supervise(jobs, options);
    EXPECT_THAT(result.errors, IsEmpty());
    if (expected.empty()) expected = findings_of(result.merged);
    EXPECT_FALSE(expected.empty());
    EXPECT_EQ(findings_of(result.merged), expected);
  }
}

TEST_F(RealLoop, a_counterexample_runs_again_alone) {
  Job search = job_for("canary_detach");
  search.first_ops = 1;
  search.last_ops = 4;
  const Supervised found = campaign::supervise({&search, 1}, options);
  ASSERT_FALSE(found.merged.findings.empty());
  const campaign::Found& first = found.merged.findings.front();

  Job job = job_for("canary_detach");
  job.engine = campaign::Engine::one;
  job.runs = 100;
  job.scenario = first.scenario;
  const auto soft = campaign::run_one(job, options);
  ASSERT_TRUE(soft) << soft.error();
  EXPECT_EQ(soft->runs, 100u);
  EXPECT_EQ(soft->ledgers_differing, 0u);
  EXPECT_EQ(soft->outcome, Outcome::clean);
  ASSERT_FALSE(soft->findings.empty());
  EXPECT_EQ(soft->findings.front().finding.signature, first.finding.signature);
  EXPECT_FALSE(soft->ledger.events().empty());

  if (campaign::built_with() != campaign::Witness::asan) return;
  job.runs = 3;
  job.real_access = true;
  options.symbolize = true;
  const auto witnessed = campaign::run_one(job, options);
  ASSERT_TRUE(witnessed) << witnessed.error();
  EXPECT_EQ(witnessed->runs, 3u);
  EXPECT_GE(witnessed->sanitizer_reports, 1u);
  EXPECT_THAT(witnessed->sanitizer_text, HasSubstr("AddressSanitizer"));
  EXPECT_TRUE(witnessed->sanitizer_in_harness);
  EXPECT_EQ(witnessed->sanitizer_event, first.finding.event + 1);
  if (!campaign::find_symbolizer().empty()) {
    EXPECT_THAT(witnessed->sanitizer_text, HasSubstr("machine.cpp"));
  }
}

TEST_F(RealLoop, a_runner_of_another_build_works_as_well) {
  const char* const twin = std::getenv("SCOPECHECK_TEST_TWIN");  // this test program, of another build tree
  if (twin == nullptr) GTEST_SKIP() << "SCOPECHECK_TEST_TWIN is not set";
  Job job = job_for("canary_detach");
  job.first_ops = 1;
  job.last_ops = 4;
  const Supervised own = campaign::supervise({&job, 1}, options);
  options.executable = twin;
  const Supervised other = campaign::supervise({&job, 1}, options);
  EXPECT_THAT(other.errors, IsEmpty());
  EXPECT_FALSE(findings_of(own.merged).empty());
  EXPECT_EQ(findings_of(other.merged), findings_of(own.merged));
}

// ---- the twin ----------------------------------------------------------------------------------------

TEST(TwinExecutable, is_named_by_the_environment_or_explained) {
  for (const auto& [sanitizer, variable] : {std::pair(campaign::Witness::asan, "SCOPECHECK_ASAN_PROGRAM"),
                                            std::pair(campaign::Witness::tsan, "SCOPECHECK_TSAN_PROGRAM")}) {
    if (campaign::built_with() == sanitizer) {
      EXPECT_EQ(campaign::twin_executable(sanitizer), std::filesystem::path("/proc/self/exe"));
      continue;
    }
    ::setenv(variable, "/bin/true", 1);
    EXPECT_EQ(campaign::twin_executable(sanitizer), std::filesystem::path("/bin/true"));
    ::setenv(variable, "/nowhere/scopecheck", 1);
    const auto missing = campaign::twin_executable(sanitizer);
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error(), HasSubstr(variable));
    ::unsetenv(variable);
  }
}

}  // namespace
}  // namespace scopecheck::tests
