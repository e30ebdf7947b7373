// Runners that are killed or stopped at any moment, by another process or by the implementation itself: the
// check ends, and finds and counts what it does when nobody disturbs it.
#include "harness/abi/registry.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/supervisor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <poll.h>
#include <random>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace scopecheck::campaign {
namespace {

using scenario::Discipline;
using testing::IsEmpty;

/// Everything of up to `ops` ops, in two shards.
Supervised search(const char* name, std::uint8_t ops) {
  Job job = job_for({.plugin = abi::find_registered(name)}, Discipline::safe);
  job.bounds.ops = ops;
  job.last_ops = ops;
  return supervise(shards_of(job, 2), {.runners = 2, .stuck_seconds = 0.5});
}

/// Signatures with their shortest scenarios.
std::vector<std::pair<verdict::Signature, scenario::Scenario>> findings_of(const Merged& merged) {
  std::vector<std::pair<verdict::Signature, scenario::Scenario>> found;
  for (const Found& one : merged.findings) found.emplace_back(one.finding.signature, one.scenario);
  return found;
}

/// What was found, and what was counted: a scenario during whose count a runner is killed is run once more
/// and may be counted twice, but never not at all.
void expect_nothing_lost(const Supervised& disturbed, const Supervised& calm, std::uint64_t kills) {
  EXPECT_THAT(disturbed.errors, IsEmpty());
  EXPECT_TRUE(disturbed.merged.all_finished);
  EXPECT_EQ(findings_of(disturbed.merged), findings_of(calm.merged));
  EXPECT_GE(disturbed.merged.done, calm.merged.done);
  EXPECT_LE(disturbed.merged.done, calm.merged.done + kills);
  EXPECT_EQ(disturbed.merged.goals, calm.merged.goals);
  for (std::size_t i = 0; i < outcome_kinds; ++i) {
    EXPECT_GE(disturbed.merged.outcomes[i], calm.merged.outcomes[i]) << i;
    EXPECT_LE(disturbed.merged.outcomes[i], calm.merged.outcomes[i] + kills) << i;
  }
}

/// A process that hurts runners of this one at moments of its own, from the instant of their fork on.
class Killer {
 public:
  Killer(unsigned seed, unsigned kills) {
    if (::pipe(told_.data()) != 0) std::abort();
    const pid_t victim = ::getpid();
    pid_ = ::fork();
    if (pid_ != 0) {
      ::close(told_[1]);
      return;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::mt19937 random(seed);
    for (unsigned left = kills; left != 0;) {
      const std::vector<pid_t> runners = runners_of(victim);
      if (runners.empty()) continue;
      const pid_t runner = runners[random() % runners.size()];
      // whoever has not called exec yet shares the most with the supervisor: to stop it there must not stop
      // both
      const int how = !has_begun(runner) || random() % 3 == 0 ? SIGSTOP : SIGKILL;
      if (::kill(runner, how) != 0) continue;
      --left;
      static_cast<void>(!::write(told_[1], "x", 1));
      ::poll(nullptr, 0, static_cast<int>(random() % 40));  // any moment, the instant after included
    }
    ::_exit(0);
  }
  Killer(const Killer&) = delete;
  Killer& operator=(const Killer&) = delete;
  ~Killer() {
    static_cast<void>(stop());
    ::close(told_[0]);
  }
  /// Returns how often it has hurt one.
  unsigned stop() {
    if (pid_ != 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      pid_ = 0;
      for (char x = 0; ::read(told_[0], &x, 1) == 1;) ++hurt_;
    }
    return hurt_;
  }

 private:
  std::vector<pid_t> runners_of(pid_t victim) const {
    const std::string task = "/proc/" + std::to_string(victim) + "/task/" + std::to_string(victim);
    std::ifstream file(task + "/children");
    std::vector<pid_t> pids;
    for (pid_t pid = 0; file >> pid;)
      if (pid != ::getpid()) pids.push_back(pid);
    return pids;
  }

  static bool has_begun(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
    std::string line;
    std::getline(file, line);
    return line.find("runner") != std::string::npos;
  }

  std::array<int, 2> told_{};
  pid_t pid_ = 0;
  unsigned hurt_ = 0;
};

struct Client {
  const char* implementation;
  std::uint8_t ops;
};
void PrintTo(const Client& client, std::ostream* out) { *out << client.implementation; }

class KilledRunners : public testing::TestWithParam<Client> {};

TEST_P(KilledRunners, lose_no_finding_and_never_hang_the_supervisor) {
  const Supervised calm = search(GetParam().implementation, GetParam().ops);
  ASSERT_THAT(calm.errors, IsEmpty());
  std::uint64_t hurt = 0;
  for (unsigned seed = 1; seed <= 8; ++seed) {
    Killer killer(seed, 5);
    const Supervised disturbed = search(GetParam().implementation, GetParam().ops);
    const unsigned times = killer.stop();
    hurt += times;
    expect_nothing_lost(disturbed, calm, times);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
  EXPECT_GT(hurt, 8u) << "hardly anybody was disturbed";
}

INSTANTIATE_TEST_SUITE_P(Runners, KilledRunners,
                         testing::Values(Client{"heap_spawn", 4}, Client{"join_guard", 3}),
                         [](const auto& one) { return std::string(one.param.implementation); });

}  // namespace
}  // namespace scopecheck::campaign
