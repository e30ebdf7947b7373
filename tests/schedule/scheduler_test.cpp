#include "harness/schedule/scheduler.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <vector>

namespace scopecheck::schedule {
namespace {

constexpr Lanes of(std::initializer_list<std::size_t> lanes) {
  Lanes set = 0;
  for (const std::size_t lane : lanes) set |= Lanes{1} << lane;
  return set;
}

/// The first so many choices among `candidates`.
std::vector<std::size_t> chosen(const Order& order, Lanes candidates, int times) {
  Choices notes;
  Scheduler scheduler(notes);
  scheduler.begin(order);
  std::vector<std::size_t> lanes;
  for (int i = 0; i < times; ++i) lanes.push_back(scheduler.choose(candidates, 0));
  return lanes;
}

TEST(Scheduler, LetsTheClientGoFirstAndThenTheLowestTask) {
  EXPECT_EQ(chosen({}, of({2, 5}), 2), (std::vector<std::size_t>{2, 2}));
  EXPECT_EQ(chosen({}, of({2, 5, client}), 1), (std::vector<std::size_t>{client}));
}

TEST(Scheduler, DoesFirstWhatTheScenarioAsksFor) {
  for (const Policy policy : {Policy::lowest, Policy::round_robin, Policy::random, Policy::pct}) {
    Choices notes;
    Scheduler scheduler(notes);
    scheduler.begin({.policy = policy});
    scheduler.ask(1);
    scheduler.ask(0);
    EXPECT_EQ(scheduler.choose(of({0, 1, client}), 0), 1u);
    EXPECT_EQ(scheduler.choose(of({0, 1, client}), 0), 0u);
  }
}

TEST(Scheduler, KeepsWhatIsAskedForUntilItCanBeChosen) {
  Choices notes;
  Scheduler scheduler(notes);
  scheduler.begin({});
  scheduler.ask(3);
  EXPECT_EQ(scheduler.choose(of({3}), 0), 3u) << "no choice: nothing is used up";
  EXPECT_EQ(scheduler.choose(of({0, 1}), 0), 0u);
  EXPECT_EQ(scheduler.choose(of({0, 3}), 0), 3u);
  EXPECT_EQ(scheduler.choose(of({0, 3}), 0), 0u);
}

TEST(Scheduler, NotesChoicesAmongSeveralAlone) {
  Choices notes;
  Scheduler scheduler(notes);
  scheduler.begin({});
  static_cast<void>(scheduler.choose(of({4}), 7));
  static_cast<void>(scheduler.choose(of({1, 4}), 8));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].moment, 8u);
  EXPECT_EQ(notes[0].lane, 1u);
}

TEST(Scheduler, GivesEachItsTurn) {
  EXPECT_EQ(chosen({.policy = Policy::round_robin}, of({0, 2, 7}), 6),
            (std::vector<std::size_t>{0, 2, 7, 0, 2, 7}));
}

TEST(Scheduler, DrawsTheSameForTheSameSeed) {
  for (const Policy policy : {Policy::random, Policy::pct})
    for (std::uint64_t seed = 0; seed < 20; ++seed)
      EXPECT_EQ(chosen({.policy = policy, .seed = seed}, of({0, 1, 2}), 20),
                chosen({.policy = policy, .seed = seed}, of({0, 1, 2}), 20));
}

TEST(Scheduler, DrawsEachAboutEquallyOften) {
  std::map<std::size_t, int> times;
  for (const std::size_t lane : chosen({.policy = Policy::random}, of({0, 1, 9}), 3000)) ++times[lane];
  ASSERT_EQ(times.size(), 3u);
  for (const auto& [lane, count] : times) EXPECT_NEAR(count, 1000, 150) << lane;
}

/// How often the chosen one changed.
int switches(const std::vector<std::size_t>& lanes) {
  int count = 0;
  for (std::size_t i = 1; i < lanes.size(); ++i) count += lanes[i] != lanes[i - 1] ? 1 : 0;
  return count;
}

TEST(Scheduler, ChangesPrioritiesLessOftenThanItsDepth) {
  bool changed = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    EXPECT_EQ(switches(chosen({.policy = Policy::pct, .depth = 1, .seed = seed}, of({0, 1, 2}), 16)), 0);
    const int two = switches(chosen({.policy = Policy::pct, .depth = 3, .seed = seed}, of({0, 1, 2}), 16));
    EXPECT_LE(two, 2);
    changed = changed || two == 2;
  }
  EXPECT_TRUE(changed);
}

TEST(Scheduler, PutsEveryTaskFirstForSomeSeed) {
  std::map<std::size_t, int> first;
  for (std::uint64_t seed = 0; seed < 300; ++seed)
    ++first[chosen({.policy = Policy::pct, .seed = seed}, of({0, 1, 2}), 1)[0]];
  EXPECT_EQ(first.size(), 3u);
}

}  // namespace
}  // namespace scopecheck::schedule
