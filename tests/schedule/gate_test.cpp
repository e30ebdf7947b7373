#include "harness/schedule/gate.hpp"

#include "harness/schedule/census.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

namespace scopecheck::schedule {
namespace {

TEST(Gate, KeepsPermitsThatNobodyWaitsFor) {
  Gate gate;
  gate.open(2);
  gate.pass();
  gate.pass();
  EXPECT_EQ(gate.waiting(), 0u);
}

TEST(Gate, LetsThroughAsManyAsItHasPermits) {
  Census census;
  Gate gate;
  std::atomic<int> through{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; ++i)
    threads.emplace_back([&] {
      gate.pass();
      ++through;
    });
  for (int permits = 0; permits <= 5; ++permits) {
    ASSERT_EQ(census.rest(), Rest::blocked);
    EXPECT_EQ(through.load(), permits);
    EXPECT_EQ(gate.waiting(), 5u - static_cast<unsigned>(permits));
    gate.open();
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Gate, LosesNoPermitBetweenManyThreads) {
  Gate there;
  Gate back;
  constexpr int turns = 20000;
  std::thread other([&] {
    for (int i = 0; i < turns; ++i) {
      there.pass();
      back.open();
    }
  });
  for (int i = 0; i < turns; ++i) {
    there.open();
    back.pass();
  }
  other.join();
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// What the gates are for: an order that TSan does not take for synchronisation.
TEST(Gate, HidesNoRaceFromTsan) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Gate gate;
        int cell = 0;
        std::thread late([&] {
          gate.pass();
          cell = 1;
        });
        cell = 2;
        gate.open();
        late.join();
        std::exit(0);
      },
      testing::ExitedWithCode(66), "data race");
}
#endif
#endif

}  // namespace
}  // namespace scopecheck::schedule
