#include "harness/schedule/census.hpp"

#include "harness/schedule/gate.hpp"
#include "tests/support/busy_loops.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <functional>
#include <mutex>
#include <optional>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace scopecheck::schedule {
namespace {

// A token goes round through threads that sleep but for a moment each. Whoever looks while it moves must see
// somebody awake: a rest that is announced before the round is over is a false proof.
void expect_no_false_rest(int rounds) {
  constexpr std::size_t members = 3;
  Census census;
  std::array<Gate, members> gates;
  std::atomic<long> moves{0};
  std::atomic<bool> over{false};
  constexpr long laps = 30;
  std::vector<std::thread> ring;
  for (std::size_t i = 0; i < members; ++i)
    ring.emplace_back([&, i] {
      for (;;) {
        gates[i].pass();
        if (over.load()) return;
        if (++moves % (laps * static_cast<long>(members)) != 0) gates[(i + 1) % members].open();
      }
    });
  for (int round = 1; round <= rounds; ++round) {
    gates[0].open();
    ASSERT_EQ(census.rest(), Rest::blocked);
    ASSERT_EQ(moves.load(), round * laps * static_cast<long>(members)) << "at rest while the token moved";
  }
  over.store(true);
  for (Gate& gate : gates) gate.open();
  for (std::thread& thread : ring) thread.join();
}

TEST(Census, IsPossibleHere) { EXPECT_TRUE(Census().possible()); }

TEST(Census, AloneIsAtRest) {
  Census census;
  EXPECT_EQ(census.rest(), Rest::blocked);
  EXPECT_EQ(census.waiter(), std::nullopt);
}

TEST(Census, IsAtRestOnlyWhenNobodyCanWakeAnother) { expect_no_false_rest(400); }

TEST(Census, IsAtRestOnlyWhenNobodyCanWakeAnotherBesideBusyLoops) {
  const tests::BusyLoops load(4);
  expect_no_false_rest(40);
}

// Among threads that are nobody's business the proof lists all, since one of them might end as another
// begins.
TEST(Census, IsAtRestOnlyWhenNobodyCanWakeAnotherBesideThreadsOfOthers) {
  Gate hold;
  std::thread other([&] { hold.pass(); });
  expect_no_false_rest(100);
  hold.open();
  other.join();
}

void use_processor(std::chrono::nanoseconds time) {
  const auto used = [] {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
  };
  for (const auto end = used() + time; used() < end;) {
  }
}

// As many threads as before, and not the same ones: the number alone says nothing.
TEST(Census, SeesAThreadThatCameAsAnotherWent) {
  Census census;
  for (int i = 0; i < 50; ++i) {
    Gate hold;
    std::thread first([&] { hold.pass(); });
    ASSERT_EQ(census.rest(), Rest::blocked);
    hold.open();
    first.join();
    std::atomic<bool> done{false};
    std::thread second([&] {
      use_processor(std::chrono::milliseconds{1});
      done.store(true);
      hold.pass();
    });
    ASSERT_EQ(census.rest(), Rest::blocked);
    ASSERT_TRUE(done.load());
    hold.open();
    second.join();
  }
}

TEST(Census, SeesThreadsThatComeAndGo) {
  Census census;
  for (int i = 0; i < 200; ++i) {
    Gate gate;
    std::atomic<bool> there{false};
    std::thread starter([&] {
      std::thread started([&] {
        there.store(true);
        gate.pass();
      });
      started.join();
    });
    ASSERT_EQ(census.rest(), Rest::blocked);
    ASSERT_TRUE(there.load());
    gate.open();
    starter.join();
    ASSERT_EQ(census.rest(), Rest::blocked);
  }
}

TEST(Census, WaitsForWorkThatDoesNotSleep) {
  Census census;
  std::atomic<bool> done{false};
  Gate hold;
  std::thread worker([&] {
    for (int i = 0; i < 100000; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
    done.store(true);
    hold.pass();
  });
  ASSERT_EQ(census.rest(std::chrono::seconds{10}), Rest::blocked);
  EXPECT_TRUE(done.load());
  hold.open();
  worker.join();
}

TEST(Census, TakesASpinningThreadForAWaitingOneAfterItsBudget) {
  Census census;
  std::atomic<bool> stop{false};
  Gate gate;
  std::thread spinner([&] {
    while (!stop.load()) {
    }
  });
  std::thread sleeper([&] { gate.pass(); });
  EXPECT_EQ(census.rest(), Rest::spinning);
  const auto waiter = census.waiter();
  ASSERT_TRUE(waiter.has_value());
  EXPECT_EQ(waiter->kind, Waiter::Kind::spinning);
  stop.store(true);
  gate.open();
  spinner.join();
  sleeper.join();
}

TEST(Census, DoesNotCountWhatAReportCosts) {
  Census census;
  std::atomic<bool> done{false};
  Gate hold;
  keep_from_rest(true);
  std::thread reporter([&] {
    use_processor(std::chrono::milliseconds{100});
    keep_from_rest(false);
    use_processor(std::chrono::milliseconds{10});
    done.store(true);
    hold.pass();
  });
  EXPECT_EQ(census.rest(std::chrono::milliseconds{50}), Rest::blocked);
  EXPECT_TRUE(done.load());
  hold.open();
  reporter.join();
}

TEST(Census, WaitsForOtherThreadsAreNobodysButTheirs) {
  Census census;
  Gate gate;
  std::mutex mutex;
  std::condition_variable condition;
  bool go = false;
  std::thread at_gate([&] { gate.pass(); });
  std::thread in_join([&] { at_gate.join(); });
  std::thread at_condition([&] {
    std::unique_lock lock(mutex);
    condition.wait(lock, [&] { return go; });
  });
  ASSERT_EQ(census.rest(), Rest::blocked);
  const auto waiter = census.waiter();
  EXPECT_FALSE(waiter.has_value()) << to_string(*waiter);
  gate.open();
  in_join.join();
  {
    const std::lock_guard lock(mutex);
    go = true;
  }
  condition.notify_all();
  at_condition.join();
}

/// What the census says of a thread that waits in `wait`, which must end some time after `end`.
std::optional<Waiter> judged(const std::function<void()>& wait, const std::function<void()>& end) {
  Census census;
  std::thread thread(wait);
  EXPECT_EQ(census.rest(), Rest::blocked);
  auto waiter = census.waiter();
  end();
  thread.join();
  return waiter;
}

TEST(Census, NamesATimedWait) {
  std::mutex mutex;
  std::condition_variable condition;
  bool go = false;
  const auto waiter = judged(
      [&] {
        std::unique_lock lock(mutex);
        condition.wait_for(lock, std::chrono::hours{1}, [&] { return go; });
      },
      [&] {
        {
          const std::lock_guard lock(mutex);
          go = true;
        }
        condition.notify_all();
      });
  ASSERT_TRUE(waiter.has_value());
  EXPECT_EQ(waiter->kind, Waiter::Kind::timed);
  EXPECT_EQ(waiter->system_call, SYS_futex);
}

TEST(Census, NamesAWaitForTheOutside) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  char byte = 0;
  const auto waiter = judged([&] { EXPECT_EQ(::read(pipe[0], &byte, 1), 1); },
                             [&] { EXPECT_EQ(::write(pipe[1], "x", 1), 1); });
  ASSERT_TRUE(waiter.has_value());
  EXPECT_EQ(waiter->kind, Waiter::Kind::outside);
  EXPECT_EQ(waiter->system_call, SYS_read);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(Census, ThreadsThatWereThereBeforeAreNobodysBusiness) {
  std::atomic<bool> stop{false};
  std::thread before([&] {
    while (!stop.load()) {
    }
  });
  Census census;
  EXPECT_EQ(census.rest(), Rest::blocked);
  stop.store(true);
  before.join();
}

}  // namespace
}  // namespace scopecheck::schedule
