// Children that suspend on threads of their runtime: a step per permit, destructors that wait for a poll that
// is under way, the client on a worker, wakes from anywhere, the same ledger every time.
#include "harness/generator/random.hpp"
#include "tests/support/lab.hpp"
#include "tests/support/tsan.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace scopecheck::tests {
namespace {

using interpreter::Outcome;
using ledger::Event;
using ledger::EventKind;
using scenario::OpKind;
using scenario::Scenario;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t two_workers = 1;
const char* const designs[] = {"heap_spawn", "stacked_in_scope", "forced_await"};

/// A design in its flavour with workers. A run that cannot be left ends the process and says why.
struct Workers : Lab {
  explicit Workers(std::string_view name, scenario::Discipline discipline = scenario::Discipline::safe)
      : Lab(registered_plugin(name), discipline, two_workers) {
    machine().on_unreturnable(
        [](void*, Outcome outcome) {
          std::fprintf(stderr, "a run that cannot be left: outcome %d\n", static_cast<int>(outcome));
          std::_Exit(EXIT_FAILURE);
        },
        nullptr);
  }
};

std::string told(const std::vector<Event>& events) {
  std::string text;
  for (const Event& event : events)
    text += fmt::format("{} {} by {}, {}, at {}\n", ledger::info(event.kind).id, event.subject, event.actor,
                        event.detail, event.op);
  return text;
}

/// "touched_write 0" for every event of one of these kinds, in order.
std::vector<std::string> story(const Lab& lab) {
  std::vector<std::string> told;
  for (const Event& event : lab.events()) switch (event.kind) {
      case EventKind::permitted:
      case EventKind::touched_write:
      case EventKind::finished:
      case EventKind::child_dropped:
      case EventKind::value_dropped:
      case EventKind::frame_ended:
        told.push_back(std::string(ledger::info(event.kind).id) + " " + std::to_string(event.subject));
        break;
      default:
        break;
    }
  return told;
}

TEST(Workers, TakeAStepForEveryPermit) {
  Workers lab("stacked_in_scope");
  ASSERT_EQ(lab.run("cell x; spawn t0 borrow mut x { write x; write x } as h0; step t0; step t0; drop h0"),
            Outcome::clean);
  EXPECT_THAT(story(lab), ElementsAre("permitted 0", "touched_write 0", "permitted 0", "touched_write 0",
                                      "finished 0", "child_dropped 0", "value_dropped 0", "frame_ended 0"));
}

TEST(Workers, TakeNoStepWithoutAPermit) {
  for (const char* const design : {"heap_spawn", "stacked_in_scope"}) {
    Workers lab(design);
    ASSERT_EQ(
        lab.run("spawn t0 { cell x; write x } as h0; settle; spawn t1 { cell y; write y } as h1; drop h1"),
        Outcome::clean);
    EXPECT_TRUE(lab.happened(EventKind::finished, 0)) << "settle lets everybody go on";
    EXPECT_LT(lab.at(EventKind::finished, 0), lab.at(EventKind::settled, 0));
    EXPECT_GT(lab.count(EventKind::suspended), 0u) << "it asked, and was told to wait";
    const auto first_of_t1 = lab.at(EventKind::stepped, 1);
    EXPECT_LT(first_of_t1, lab.at(EventKind::value_dropped, 1));
    if (design == std::string_view("stacked_in_scope")) {
      EXPECT_FALSE(lab.happened(EventKind::finished, 1)) << "cancelled before it had a permit";
    }
  }
}

TEST(Workers, StepAParkedChildWhenItIsWokenAndPermitted) {
  Workers lab("stacked_in_scope");
  ASSERT_EQ(
      lab.run("cell x; spawn t0 borrow mut x { park; write x } as h0; step t0; step t0; wake t0; step t0"),
      Outcome::clean);
  std::vector<EventKind> kinds;  // a permit wakes it, too: what counts is the wake behind its park
  for (const Event& event : lab.events()) kinds.push_back(event.kind);
  const auto parked = std::ranges::find(kinds, EventKind::parked);
  const auto woken = std::find(parked, kinds.end(), EventKind::woken);
  EXPECT_NE(std::find(woken, kinds.end(), EventKind::touched_write), kinds.end());
  EXPECT_EQ(lab.count(EventKind::touched_write), 1u);
}

TEST(Workers, EndTheirPollBeforeTheDestructorReturnsWhichADropFromWithinAStepWaitsFor) {
  // The other worker has come with t1 by the time that t0 drops it, and waits to be let in: the destructor
  // waits for that poll, and whoever has the turn lets it in.
  Workers lab("stacked_in_scope");
  ASSERT_EQ(lab.run("cell x; spawn t0 borrow mut x { spawn t1 { yield } as h1; drop h1; write x } as h0; "
                    "step t0; step t0; step t0; step t0; step t0; settle"),
            Outcome::clean);
  EXPECT_LT(lab.at(EventKind::stepped, 1), lab.at(EventKind::child_dropped, 1));
  EXPECT_LT(lab.at(EventKind::child_dropped, 1), lab.at(EventKind::touched_write, 0));
  EXPECT_TRUE(lab.happened(EventKind::finished, 0));
  EXPECT_THAT(lab.signatures(), IsEmpty());
}

TEST(Workers, LetAChildEndWithAHandleOfItsOwnWhoseChildIsPolled) {
  Workers lab("stacked_in_scope");
  ASSERT_EQ(lab.run("spawn t0 { spawn t1 { park } as h1 } as h0; settle"), Outcome::clean);
  EXPECT_LT(lab.at(EventKind::child_dropped, 1), lab.at(EventKind::finished, 0));
}

TEST(Workers, RunTheClientInside) {
  for (const char* const design : {"heap_spawn", "stacked_in_scope"}) {
    Workers lab(design);
    ASSERT_EQ(lab.run("inside { cell x; spawn t0 { cell y; write y } as h0; await h0; suspend; write x }"),
              Outcome::clean)
        << design;
    EXPECT_TRUE(lab.happened(EventKind::finished, 0)) << design;
    EXPECT_THAT(lab.signatures(), IsEmpty()) << design;
  }
}

TEST(Workers, MindNoWakeThatComesAfterTheShutdown) {
  Workers lab("heap_spawn");
  ASSERT_EQ(lab.run("spawn t0 { keep waker; park } as h0; settle; shutdown; wake t0; drop h0"),
            Outcome::clean);
  EXPECT_TRUE(lab.happened(EventKind::child_dropped, 0));
  EXPECT_LT(lab.at(EventKind::child_dropped, 0), lab.at(EventKind::runtime_shut_down, 0));
  const auto woken = lab.events(EventKind::woken);
  ASSERT_FALSE(woken.empty());
  EXPECT_EQ(woken.back().detail, 1) << "late";
  EXPECT_THAT(lab.signatures(), IsEmpty());
}

/// Not what could wait for ever, nor what ends the process: neither can be run again here.
bool comes_to_an_end(const Scenario& program) {
  const auto has = [&](OpKind kind) {
    return std::ranges::any_of(program.ops, [&](const scenario::Op& op) { return op.kind == kind; });
  };
  return !has(OpKind::inside) || (!has(OpKind::park) && !has(OpKind::shutdown));
}

TEST(Workers, LeaveTheSameLedgerEveryTime) {
  const tsan::ExpectRaces race;  // handles are forgotten
  for (const char* const design : designs) {
    Workers lab(design);
    generator::Random random(lab.offers(), generator::random_bounds(), 1, {.least = 3, .most = 20});
    for (int i = 0; i < 200; ++i) {
      const Scenario program = random.next();
      if (!comes_to_an_end(program)) continue;
      const Outcome outcome = lab.run(program);
      const std::vector<Event> first = lab.events();
      for (int again = 1; again < 3; ++again) {
        ASSERT_EQ(lab.run(program), outcome);
        ASSERT_EQ(told(lab.events()), told(first)) << design << "\n" << scenario::to_text(program);
      }
    }
  }
}

TEST(Workers, DoNotBreakWhatTheirDesignPromises) {
  // heap_spawn borrows nothing; the others are sound as long as nobody forgets
  for (const char* const design : designs) {
    Workers lab(design, design == std::string_view("heap_spawn") ? scenario::Discipline::safe
                                                                 : scenario::Discipline::no_leak);
    generator::Random random(lab.offers(), generator::random_bounds(), 2, {.least = 3, .most = 20});
    for (int i = 0; i < 200; ++i) {
      const Scenario program = random.next();
      if (!comes_to_an_end(program)) continue;
      lab.run(program);
      ASSERT_THAT(lab.signatures(), IsEmpty()) << design << "\n" << scenario::to_text(program);
    }
  }
}

}  // namespace
}  // namespace scopecheck::tests
