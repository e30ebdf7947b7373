// A crash is reported as what it is: never as a finding of a kind that it does not prove, never as a pass.
#include "harness/abi/registry.hpp"
#include "harness/campaign/check.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/sanitizer.hpp"
#include "harness/campaign/supervisor.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace scopecheck::campaign {
namespace {

using report::Result;
using report::Verdict;
using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* this_program = "/proc/self/exe";
const bool asan = built_with() == Witness::asan;
constexpr const char* drops_a_handle = "spawn t0 { } as h0";

Result check_of(const char* name) {
  Programs programs{.own = this_program};
  if (asan) programs.asan = this_program;
  static const Gate gate = run_gate(programs);
  const CheckOptions options{.ops = 2, .random = 0, .runners = 1, .programs = programs};
  return check({abi::find_registered(name), 0}, scenario::Discipline::safe, options, gate).result;
}

OneRun run_of(const char* name) {
  Job job = job_for({abi::find_registered(name), 0}, scenario::Discipline::safe);
  job.engine = Engine::one;
  job.runs = 1;
  job.scenario = scenario::parse(drops_a_handle)->scenario;
  auto run = run_one(job, {.executable = this_program});
  EXPECT_TRUE(run) << run.error();
  return run ? *run : OneRun{};
}

TEST(Crash, of_an_implementation_is_inconclusive_and_says_when_and_how) {
  struct Case {
    const char* name;
    const char* plain;
    const char* asan;
  };
  for (const Case& c : {Case{"crash_null_store", "signal 11", "UndefinedBehaviorSanitizer"},
                        Case{"crash_divide", "signal 8", "UndefinedBehaviorSanitizer"},
                        Case{"crash_overflow_stack", "signal 11", "stack-overflow"}}) {
    const Result result = check_of(c.name);
    EXPECT_THAT(result.findings, IsEmpty()) << c.name;
    EXPECT_EQ(result.verdict, Verdict::inconclusive) << c.name << ": " << result.why;
    EXPECT_EQ(result.as_expected(), false) << c.name;
    EXPECT_THAT(result.why, HasSubstr("crashes when: spawn t0 { } as h0")) << c.name;
    EXPECT_THAT(result.why, AnyOf(HasSubstr(asan ? c.asan : c.plain), HasSubstr("SEGV"), HasSubstr("FPE")));
    EXPECT_GT(result.outcomes.crash, 0u) << c.name;
    EXPECT_EQ(result.outcomes.fail_stop, 0u) << c.name;
  }
}

TEST(Crash, found_by_libc_is_no_fail_stop) {
  if (built_with() == Witness::tsan) GTEST_SKIP() << "TSan's allocator does not look for it";
  const Result result = check_of("crash_double_free");
  EXPECT_EQ(result.outcomes.fail_stop, 0u);
  if (asan) return;  // there it is a late use, below
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_THAT(result.why, HasSubstr("double free"));
}

TEST(Crash, by_a_call_of_exit_is_a_fail_stop_whatever_the_code) {
  for (const char* const name : {"crash_exit_86", "crash_exit_0"}) {
    const OneRun run = run_of(name);
    ASSERT_TRUE(run.death) << name;
    EXPECT_EQ(run.death->kind, DeathKind::ended) << name << ": " << describe(*run.death);
    EXPECT_EQ(run.outcome, interpreter::Outcome::fail_stop) << name;
    EXPECT_THAT(run.findings, IsEmpty()) << name;
    EXPECT_FALSE(run.fault) << name;
    const Result result = check_of(name);
    EXPECT_THAT(result.findings, IsEmpty()) << name;
    EXPECT_EQ(result.outcomes.crash, 0u) << name;
    EXPECT_GT(result.outcomes.fail_stop, 0u) << name;
  }
}

TEST(Crash, that_asan_calls_an_overflow_is_no_late_use) {
  if (!asan) GTEST_SKIP() << "only ASan sees it";
  const OneRun run = run_of("crash_overflow_heap");
  EXPECT_GE(run.sanitizer_reports, 1u);
  EXPECT_THAT(run.findings, IsEmpty());
  ASSERT_TRUE(run.fault);
  EXPECT_THAT(run.fault->what, HasSubstr("heap-buffer-overflow"));
  const Result result = check_of("crash_overflow_heap");
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_THAT(result.why, HasSubstr("heap-buffer-overflow"));
}

TEST(Crash, that_asan_calls_a_use_of_freed_memory_is_a_finding) {
  if (!asan) GTEST_SKIP() << "only ASan sees it";
  for (const char* const name : {"crash_use_after_free", "crash_double_free"}) {
    const Result result = check_of(name);
    EXPECT_EQ(result.verdict, Verdict::unsound) << name << ": " << result.why;
    ASSERT_NE(result.headline(), nullptr);
    EXPECT_EQ(result.headline()->kind, "bookkeeping-after-scope");
    EXPECT_THAT(result.headline()->confirmed_by, Contains("asan"));
  }
}

/// Processes that inherited `mark` in their environment: zombies have none any more.
std::vector<pid_t> marked(const std::string& mark) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "environ", std::ios::binary);
    const std::string environment{std::istreambuf_iterator<char>(file), {}};
    if (environment.find(mark) != std::string::npos) found.push_back(std::stoi(entry.path().filename()));
  }
  return found;
}

/// Whether a process that was killed is gone, or will be: a signal takes a moment to arrive.
bool ends(pid_t pid) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) return true;
  pollfd exited{.fd = handle, .events = POLLIN, .revents = 0};
  const bool ended = ::poll(&exited, 1, 10'000) == 1;
  ::close(handle);
  return ended;
}

TEST(Fork, of_an_implementation_leaves_nobody_behind) {
  const std::string value = fmt::format("forked-by-a-runner-of-{}", ::getpid());
  ASSERT_EQ(::setenv("SCOPECHECK_TEST_MARK", value.c_str(), 1), 0);
  Job job = job_for({abi::find_registered("crash_forks"), 0}, scenario::Discipline::safe);
  job.bounds.ops = 2;
  job.last_ops = 2;
  const Supervised result = supervise({&job, 1}, {.executable = this_program});
  ::unsetenv("SCOPECHECK_TEST_MARK");
  EXPECT_THAT(result.errors, IsEmpty());
  EXPECT_TRUE(result.merged.all_finished);
  EXPECT_GT(result.merged.done, 0u);
  for (const pid_t pid : marked("SCOPECHECK_TEST_MARK=" + value)) EXPECT_TRUE(ends(pid)) << pid;
}

}  // namespace
}  // namespace scopecheck::campaign
