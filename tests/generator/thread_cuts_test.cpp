// The cuts lose no finding of implementations whose children block threads either (see cuts_test.cpp). Their
// runs may be impossible to leave: each stands in a process that ends there, and another goes on behind it.
#include "harness/generator/exhaustive.hpp"
#include "tests/generator/kept_twins.hpp"
#include "tests/support/asan.hpp"
#include "tests/support/lab.hpp"
#include "tests/support/tsan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace scopecheck::tests {
namespace {

using scenario::Bounds;
using scenario::Scenario;

/// Runs scenarios in this process, which ends when a run cannot be left. Each finding is a line of the pipe:
/// the ops of its scenario, and its name. `next`: the first that was not run yet, in memory shared with who
/// started us.
class Stretch {
 public:
  Stretch(const std::string& implementation, const std::vector<Scenario>& all, std::size_t& next, int pipe)
      : lab_(implementation), all_(all), next_(next), out_(::fdopen(pipe, "w")) {}

  [[noreturn]] void run() {
    const CatchFailStops fail_stops;
    lab_.machine().on_unreturnable(
        [](void* self, interpreter::Outcome) { static_cast<Stretch*>(self)->end(); }, this);
    while (next_ < all_.size()) {
      lab_.run(all_[next_++]);
      report();
      if (lab_.machine().spent()) break;
    }
    std::fflush(out_);
    ::_exit(0);
  }

 private:
  void report() {
    verdict::Findings found;
    verdict::judge(
        {all_[next_ - 1], lab_.ledger().events(), lab_.ledger().alarms(), lab_.evidence().promises}, found);
    for (const verdict::Finding& finding : found)
      std::fprintf(out_, "%zu %s\n", all_[next_ - 1].cost(), name_of_kept_twin(finding.signature).c_str());
  }
  [[noreturn]] void end() {
    report();
    std::fflush(out_);
    ::_exit(0);
  }

  Lab lab_;
  const std::vector<Scenario>& all_;
  std::size_t& next_;
  std::FILE* out_;
};

Shortest findings(const std::string& implementation, std::size_t longest, const Bounds& bounds,
                  generator::ExhaustiveOptions options) {
  const scenario::Offers offers =
      interpreter::offers_of({&registered_plugin(implementation), 0}, scenario::Discipline::safe);
  std::vector<Scenario> all;
  generator::Exhaustive engine(offers, bounds, options);
  for (std::size_t ops = 0; ops <= longest; ++ops)
    engine.visit(ops, [&](const Scenario& scenario) {
      all.push_back(scenario);
      return true;
    });
  void* const shared =
      ::mmap(nullptr, sizeof(std::size_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  std::size_t& next = *static_cast<std::size_t*>(shared);
  Shortest shortest;
  while (next < all.size()) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    const pid_t pid = ::fork();
    if (pid == 0) Stretch(implementation, all, next, ends[1]).run();
    ::close(ends[1]);
    std::FILE* const in = ::fdopen(ends[0], "r");
    std::size_t ops = 0;
    for (char name[128]; std::fscanf(in, "%zu %127[^\n]", &ops, name) == 2;) {
      const auto [known, fresh] = shortest.try_emplace(name, ops);
      if (!fresh && ops < known->second) known->second = ops;
    }
    std::fclose(in);
    ::waitpid(pid, nullptr, 0);
  }
  ::munmap(shared, sizeof(std::size_t));
  return shortest;
}

/// One of each thing: enough for the shortest finding of each; thousands of scenarios without the cuts.
constexpr Bounds one_of_each{.tasks = 1, .cells = 1, .scopes = 1, .frames = 0, .async_blocks = 0, .steps = 1};

struct Compared {
  const char* implementation;
  std::size_t longest;
  bool unsound;
};
void PrintTo(const Compared& compared, std::ostream* out) { *out << compared.implementation; }

class ThreadCuts : public testing::TestWithParam<Compared> {};

TEST_P(ThreadCuts, lose_no_finding) {
  if (tsan::built_with_tsan || asan::built_with_asan) GTEST_SKIP() << "slow; only the ledger is compared";
  const auto& [name, longest, unsound] = GetParam();
  const Shortest kept = findings(name, longest, one_of_each, {});
  EXPECT_EQ(kept, findings(name, longest, one_of_each, {.symmetry = false, .lookahead = false}));
  EXPECT_EQ(!kept.empty(), unsound) << "nothing was compared";
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadCuts,
                         testing::Values(Compared{"blocking_guard", 4, true}, Compared{"join_guard", 3, true},
                                         Compared{"scoped_threads", 3, false},
                                         Compared{"std_thread", 3, true}),
                         [](const auto& one) { return std::string(one.param.implementation); });

}  // namespace
}  // namespace scopecheck::tests
