// Children that block a thread: who steps when, proved hangs, fail-stops, the same ledger every time.
#include "harness/abi/kit.hpp"
#include "harness/schedule/gate.hpp"
#include "impls/platform/blocking.hpp"
#include "tests/support/busy_loops.hpp"
#include "tests/support/lab.hpp"
#include "tests/support/tsan.hpp"
#include "tests/support/waiting.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace scopecheck::tests {
namespace {

using interpreter::Outcome;
using ledger::Event;
using ledger::EventKind;
using testing::ElementsAre;

/// "stepped 0" for every event of one of these kinds, in order.
std::vector<std::string> story(const Lab& lab, const std::set<EventKind>& kinds) {
  std::vector<std::string> told;
  for (const Event& event : lab.events())
    if (kinds.contains(event.kind))
      told.push_back(std::string(ledger::info(event.kind).id) + " " + std::to_string(event.subject));
  return told;
}
const std::set<EventKind> steps = {
    EventKind::permitted,     EventKind::touched_write,      EventKind::finished,   EventKind::child_dropped,
    EventKind::value_dropped, EventKind::touched_by_capture, EventKind::frame_ended};

/// Runs a child where it is spawned, on the client's thread.
struct Inline {
  static constexpr kit::Description description{.name = "inline",
                                                .summary = "for tests",
                                                .shape = SCOPECHECK_SHAPE_PROCESS_WIDE,
                                                .carrier = SCOPECHECK_CARRIER_NONE,
                                                .child_kind = SCOPECHECK_CHILD_BLOCKS,
                                                .progress = SCOPECHECK_PROGRESS_THREADS,
                                                .on_destroy = SCOPECHECK_DESTROY_DETACHES,
                                                .client_ops = SCOPECHECK_CLIENT_THROW,
                                                .flavours = platform::thread_per_child};
  struct Runtime {
    void spawn(kit::Child child) { static_cast<void>(child.block()); }
  };
};

constexpr int code_of(Outcome outcome) { return 100 + static_cast<int>(outcome); }

/// Runs `text` and ends the process with the outcome as its exit code, for runs that cannot be left.
template <class Make>
[[noreturn]] void end_with_outcome(Make make, std::string_view text) {
  auto lab = make();
  lab->machine().on_unreturnable(
      [](void* machine, Outcome outcome) {
        std::fprintf(stderr, "waiter: %s.\n", static_cast<interpreter::Machine*>(machine)->waiter());
        std::_Exit(code_of(outcome));
      },
      &lab->machine());
  struct sigaction action{};
  action.sa_handler = [](int) { interpreter::Machine::abandon_as_fail_stop(); };
  ::sigaction(SIGABRT, &action, nullptr);
  std::_Exit(code_of(lab->run(text)));
}
auto named(std::string_view name, std::uint32_t flavour = 0) {
  return [=] { return std::make_unique<Lab>(registered_plugin(name), scenario::Discipline::safe, flavour); };
}
template <class I>
auto made() {
  return [] { return std::make_unique<Lab>(kit::table<I>()); };
}
#define EXPECT_OUTCOME(make, text, outcome, words) \
  EXPECT_EXIT(end_with_outcome(make, text), testing::ExitedWithCode(code_of(outcome)), words)

// ---- steps ------------------------------------------------------------------------------------------

TEST(Threads, take_a_step_only_when_it_is_permitted) {
  const tsan::ExpectRaces
      race;  // what was detached writes to the frame in its time, ordered by nothing but the gates
  Lab lab("std_thread");
  ASSERT_EQ(
      lab.run(
          "cell x; spawn t0 borrow mut x { write x; write x } as h0; detach h0; step t0; step t0; step t0"),
      Outcome::clean);
  EXPECT_THAT(story(lab, steps),
              ElementsAre("permitted 0", "touched_write 0", "permitted 0", "touched_write 0", "finished 0",
                          "permitted 0", "child_dropped 0", "frame_ended 0"));
}

TEST(Threads, take_no_step_without_a_permit) {
  Lab lab("std_thread");
  ASSERT_EQ(lab.run("frame { cell x; spawn t0 borrow mut x { write x } as h0; detach h0 }"), Outcome::clean);
  EXPECT_THAT(story(lab, steps), ElementsAre("frame_ended 0", "frame_ended 0", "touched_write 0",
                                             "finished 0", "child_dropped 0"));
}

TEST(Threads, step_in_the_order_of_their_tasks_while_the_client_is_blocked) {
  Lab lab("blocking_guard");
  ASSERT_EQ(lab.run("cell x; cell y; scope s0; spawn t0 in s0 borrow mut x { write x }; "
                    "spawn t1 in s0 borrow mut y { write y }; drop s0"),
            Outcome::clean);
  EXPECT_THAT(story(lab, steps),
              ElementsAre("touched_write 0", "finished 0", "child_dropped 0", "touched_write 1", "finished 1",
                          "child_dropped 1", "value_dropped 0", "frame_ended 0"));
}

TEST(Threads, run_destructors_as_steps_of_their_own) {
  Lab lab("std_thread");
  ASSERT_EQ(
      lab.run(
          "frame { cell x; spawn t0 borrow mut x { touch-on-drop capture x } as h0; detach h0; step t0 }"),
      Outcome::clean);
  EXPECT_THAT(story(lab, steps), ElementsAre("permitted 0", "finished 0", "frame_ended 0", "frame_ended 0",
                                             "child_dropped 0", "touched_by_capture 0"));
  EXPECT_THAT(lab.signatures(), ElementsAre("use-after-scope(detach, frame-end, capture)"));
}

TEST(Threads, that_are_parked_go_on_when_they_are_woken_and_permitted) {
  Lab lab("std_jthread");
  ASSERT_EQ(
      lab.run("cell x; spawn t0 borrow mut x { park; write x } as h0; step t0; step t0; wake t0; step t0"),
      Outcome::clean);
  EXPECT_LT(lab.at(EventKind::parked, 0), lab.at(EventKind::woken, 0));
  EXPECT_LT(lab.at(EventKind::woken, 0), lab.at(EventKind::touched_write, 0));
}

TEST(Threads, spawn_children_from_their_steps) {
  Lab lab("blocking_guard");
  ASSERT_EQ(lab.run("cell x; scope s0; spawn t0 in s0 borrow mut x { spawn t1 in s0 borrow mut x { write x } "
                    "}; drop s0"),
            Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::child_dropped), 2u);
  EXPECT_THAT(lab.signatures(), testing::IsEmpty());
}

TEST(Threads, that_a_call_of_the_client_runs_inline_need_no_permit) {
  Lab lab(kit::table<Inline>());
  ASSERT_EQ(lab.run("spawn t0 { cell x; write x; write x; park; yield }"), Outcome::clean);
  EXPECT_THAT(story(lab, steps), ElementsAre("touched_write 0", "touched_write 0", "finished 0",
                                             "child_dropped 0", "frame_ended 0"));
}

TEST(Threads, pass_a_panic_on_where_the_handle_does) {
  Lab lab("join_guard");
  ASSERT_EQ(lab.run("catch { spawn t0 { throw } as h0; drop h0 }"), Outcome::clean);
  EXPECT_TRUE(lab.happened(EventKind::caught, 0));
}

// ---- the client on a worker -------------------------------------------------------------------------

TEST(Inside, is_run_by_a_worker_while_the_client_waits) {
  Lab lab(registered_plugin("blocking_guard"), scenario::Discipline::safe, 1);
  ASSERT_EQ(lab.run("inside { cell x; scope s0; spawn t0 in s0 borrow mut x { write x } }"), Outcome::clean);
  EXPECT_THAT(story(lab, steps), ElementsAre("touched_write 0", "finished 0", "child_dropped 0",
                                             "value_dropped 0", "frame_ended 0"));
}

TEST(Inside, of_the_only_worker_waits_for_itself) {
  EXPECT_OUTCOME(named("blocking_guard"), "inside { scope s0; spawn t0 in s0 { } }", Outcome::hang,
                 "waiter: \\.");
  EXPECT_OUTCOME(named("blocking_guard", 1), "inside { scope s0; spawn t0 in s0 { } }", Outcome::clean, "");
}

// ---- the closure shape ------------------------------------------------------------------------------

TEST(EnteredScope, waits_for_its_threads_after_what_the_block_declared_is_gone) {
  Lab lab("scoped_threads");
  ASSERT_EQ(lab.run("cell x; enter s0 { spawn t0 in s0 borrow mut x { write x } as h0 }"), Outcome::clean);
  EXPECT_LT(lab.at(EventKind::value_dropped, 1), lab.at(EventKind::touched_write, 0));
  EXPECT_LT(lab.at(EventKind::child_dropped, 0), lab.at(EventKind::value_left, 0));
  EXPECT_THAT(lab.signatures(), testing::IsEmpty());
}

TEST(EnteredScope, passes_on_the_panic_of_its_block_and_of_threads_that_nobody_joined) {
  Lab lab("scoped_threads");
  ASSERT_EQ(lab.run("catch { enter s0 { spawn t0 in s0 { } as h0; throw } }"), Outcome::clean);
  EXPECT_LT(lab.at(EventKind::finished, 0), lab.at(EventKind::value_left, 0));
  EXPECT_EQ(lab.count(EventKind::caught), 1u);
  ASSERT_EQ(lab.run("catch { enter s0 { spawn t0 in s0 { throw } as h0 } }"), Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::caught), 1u);
  ASSERT_EQ(lab.run("enter s0 { spawn t0 in s0 { throw } as h0; catch { enter s1 { } } }; settle"),
            Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::caught), 0u);
}

TEST(EnteredScope, of_the_only_worker_waits_for_itself) {
  EXPECT_OUTCOME(named("blocking_closure"), "inside { enter s0 { spawn t0 in s0 { } } }", Outcome::hang,
                 "waiter: \\.");
  EXPECT_OUTCOME(named("blocking_closure", 1), "inside { enter s0 { spawn t0 in s0 { } } }", Outcome::clean,
                 "");
}

TEST(EnteredScope, waits_for_ever_where_the_handle_of_a_thread_was_forgotten) {
  // as std::thread::scope does: the last of thread and handle tells the scope
  EXPECT_OUTCOME(named("scoped_threads"), "enter s0 { spawn t0 in s0 { } as h0; forget h0 }", Outcome::hang,
                 "waiter: \\.");
}

// ---- hangs ------------------------------------------------------------------------------------------

TEST(Hangs, are_proved_when_nobody_is_left_who_could_go_on) {
  EXPECT_OUTCOME(named("std_jthread"), "spawn t0 { park } as h0", Outcome::hang, "waiter: \\.");
}

TEST(Hangs, are_only_suspected_of_a_timed_wait_and_name_it) {
  EXPECT_OUTCOME(made<Waiting<TimedWait>>(), "scope s0; spawn t0 in s0 { park }", Outcome::hang_suspected,
                 "waiter: a thread is in a timed wait");
  EXPECT_OUTCOME(made<Waiting<TimedWait>>(), "scope s0; spawn t0 in s0 { yield }", Outcome::clean, "");
}

TEST(Hangs, are_only_suspected_of_who_spins) {
  EXPECT_OUTCOME(made<Waiting<Spin>>(), "scope s0; spawn t0 in s0 { park }", Outcome::hang_suspected,
                 "waiter: a thread spins");
  EXPECT_OUTCOME(made<Waiting<Spin>>(), "scope s0; spawn t0 in s0 { yield }", Outcome::clean, "");
}

// ---- fail-stops -------------------------------------------------------------------------------------

TEST(FailStops, come_from_the_client_or_from_a_thread_of_the_runtime) {
  EXPECT_OUTCOME(named("std_thread"), "spawn t0 { } as h0", Outcome::fail_stop, "");
  EXPECT_OUTCOME(named("std_thread"), "spawn t0 { throw } as h0; step t0", Outcome::fail_stop, "");
  EXPECT_OUTCOME(named("std_thread"), "spawn t0 { } as h0; join h0", Outcome::clean, "");
}

// ---- determinism ------------------------------------------------------------------------------------

struct Sample {
  const char* implementation;
  const char* text;
};
constexpr Sample samples[] = {
    {"join_guard",
     "frame { cell x; cell y; spawn t0 borrow mut x { write x; write x } as h0; "
     "spawn t1 borrow mut y { write y } as h1; step t0; forget h0 }; step t0"},
    {"std_async",
     "frame { cell x; spawn t0 borrow mut x { touch-on-drop result x } as h0; step t0; forget h0 }"},
    {"blocking_guard",
     "frame { cell x; scope s0 boxed; spawn t0 in s0 borrow mut x { write x }; "
     "spawn t1 in s0 { yield; yield }; step t1; forget s0 }"},
    {"blocking_guard",
     "inside { cell x; scope s0; spawn t0 in s0 borrow mut x { write x }; "
     "spawn t1 in s0 { spawn t2 in s0 { yield } }; drop s0 }"},
    {"blocking_closure",
     "inside { cell x; enter s0 { spawn t0 in s0 borrow mut x { write x }; "
     "spawn t1 in s0 { spawn t2 in s0 { yield } } } }"},
    {"scoped_threads",
     "cell x; catch { enter s0 { spawn t0 in s0 borrow mut x { touch-on-drop result x } as h0; "
     "spawn t1 in s0 { throw } as h1; step t1; throw } }"}};

void expect_one_ledger(const Sample& sample, std::uint32_t flavour, int runs) {
  const tsan::ExpectRaces race;  // most samples leave a child behind, whose frame ends
  Lab lab(registered_plugin(sample.implementation), scenario::Discipline::safe, flavour);
  lab.run(sample.text);
  const std::vector<Event> first = lab.events();
  for (int i = 1; i < runs; ++i) {
    ASSERT_EQ(lab.run(sample.text), Outcome::clean);
    ASSERT_TRUE(lab.events() == first) << sample.text << ", run " << i;
  }
}

TEST(Ledgers, are_the_same_every_time) {
  for (const Sample& sample : samples)
    expect_one_ledger(sample, registered_plugin(sample.implementation).flavour_count - 1, 150);
}

TEST(Ledgers, are_the_same_every_time_beside_busy_loops) {
  const BusyLoops load(4);
  for (const Sample& sample : samples)
    expect_one_ledger(sample, registered_plugin(sample.implementation).flavour_count - 1, 25);
}

// ---- ThreadSanitizer --------------------------------------------------------------------------------

TEST(Tsan, sees_the_race_of_a_child_that_was_left_behind_and_nothing_of_the_harness) {
  if (!tsan::built_with_tsan) GTEST_SKIP() << "needs the tsan preset";
  const tsan::ExpectRaces leaked;
  Lab lab("std_thread");
  lab.run("cell x; frame { spawn t0 borrow mut x { write x } as h0; step t0; detach h0 }; write x");
  EXPECT_GT(leaked.races(), 0u) << "the gates, or the harness, order what the implementation does not";
}

TEST(Tsan, sees_no_race_where_the_client_waits) {
  if (!tsan::built_with_tsan) GTEST_SKIP() << "needs the tsan preset";
  const tsan::ExpectRaces none;
  Lab lab("std_thread");
  lab.run("cell x; frame { spawn t0 borrow mut x { write x } as h0; step t0; join h0 }; write x");
  Lab guard("blocking_guard");
  guard.run("cell x; frame { scope s0; spawn t0 in s0 borrow mut x { write x }; step t0 }; write x");
  EXPECT_EQ(none.races(), 0u);
}

class TsanAfterTheEnd : public testing::TestWithParam<const char*> {};

TEST_P(TsanAfterTheEnd, sees_the_touch_of_a_frame) {
  if (!tsan::built_with_tsan) GTEST_SKIP() << "needs the tsan preset";
  const tsan::ExpectRaces late;
  Lab lab("std_thread");
  lab.run("frame { cell x; spawn t0 borrow mut x { " + std::string(GetParam()) +
              " } as h0; detach h0 }; step t0; step t0",
          true);
  EXPECT_EQ(lab.signatures().size(), 1u);
  EXPECT_GT(late.races(), 0u);
}
INSTANTIATE_TEST_SUITE_P(Touches, TsanAfterTheEnd,
                         testing::Values("write x", "read x", "touch-on-drop capture x"));

/// Joins in a way that TSan does not see.
template <std::uint32_t Promises>
struct Unseen {
  static constexpr kit::Description description{
      .name = "unseen",
      .summary = "for tests",
      .shape = SCOPECHECK_SHAPE_HANDLE,
      .carrier = SCOPECHECK_CARRIER_HANDLE,
      .child_kind = SCOPECHECK_CHILD_BLOCKS,
      .progress = SCOPECHECK_PROGRESS_THREADS,
      .promises = Promises,
      .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
      .move_handle = SCOPECHECK_MOVE_ALWAYS,
      .client_ops = SCOPECHECK_CLIENT_THROW,
      .may_block = SCOPECHECK_OP_HANDLE_DESTROY | SCOPECHECK_OP_HANDLE_JOIN,
      .flavours = platform::thread_per_child};
  class Handle {
   public:
    Handle(schedule::Gate& over, kit::Child child) : over_(&over) {
      std::thread([&over, body = std::move(child)]() mutable {
        static_cast<void>(body.block());
        body.drop();
        over.open();
      }).detach();
    }
    Handle(Handle&& other) noexcept : over_(std::exchange(other.over_, nullptr)) {}
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      if (over_ != nullptr) over_->pass();
    }
    kit::Result join() && {
      std::exchange(over_, nullptr)->pass();
      return {};
    }

   private:
    schedule::Gate* over_;
  };
  struct Runtime {
    Handle spawn(kit::Child child) {
      return Handle(*gates.emplace_back(std::make_unique<schedule::Gate>()), std::move(child));
    }
    std::vector<std::unique_ptr<schedule::Gate>> gates;
  };
};

template <std::uint32_t Promises>
std::size_t races_of_unseen(std::string_view text) {
  const tsan::ExpectRaces races;
  Lab lab(kit::table<Unseen<Promises>>());
  EXPECT_EQ(lab.run(text), Outcome::clean);
  EXPECT_THAT(lab.signatures(), testing::IsEmpty());
  return races.races();
}

TEST(Tsan, is_told_what_an_api_promises_about_what_it_cannot_look_into) {
  if (!tsan::built_with_tsan) GTEST_SKIP() << "needs the tsan preset";
  constexpr auto* dropped = "cell x; frame { spawn t0 borrow mut x { write x } as h0 }; write x";
  constexpr auto* joined = "cell x; frame { spawn t0 borrow mut x { write x } as h0; join h0 }; write x";
  EXPECT_EQ(races_of_unseen<0>(dropped), 0u);
  EXPECT_EQ(races_of_unseen<SCOPECHECK_PROMISE_JOIN_WAITS>(joined), 0u);
  EXPECT_GT(races_of_unseen<SCOPECHECK_PROMISE_INSTRUMENTED>(dropped), 0u) << "there it is a defect";
  EXPECT_GT(races_of_unseen<0>(joined), 0u) << "nobody promised that a join waits";
}

// ---- what TSan must see -----------------------------------------------------------------------------

/// Of the touches of cell 0, whether nothing can have ordered them behind its end.
std::vector<bool> unordered_touches(const Lab& lab) {
  std::vector<bool> result;
  for (const Event& event : lab.events(EventKind::touched_write))
    result.push_back((event.detail & ledger::touch_unordered) != 0);
  return result;
}

TEST(Touches, are_unordered_while_the_client_has_not_gone_into_the_implementation) {
  const tsan::ExpectRaces late;
  Lab lab("std_thread");
  ASSERT_EQ(lab.run("cell x; frame { spawn t0 borrow mut x { write x; write x } as h0; step t0; detach h0 }; "
                    "read x; step t0"),
            Outcome::clean);
  EXPECT_THAT(unordered_touches(lab), ElementsAre(false, true));
  ASSERT_EQ(lab.run("frame { cell x; spawn t0 borrow mut x { write x; write x } as h0; detach h0 }"),
            Outcome::clean);
  EXPECT_THAT(unordered_touches(lab), ElementsAre(true, false)) << "the second meets the first";
}

TEST(Touches, may_be_ordered_by_any_call_of_the_implementation_since) {
  const tsan::ExpectRaces late;
  Lab lab("std_thread");
  ASSERT_EQ(lab.run("cell x; frame { spawn t0 borrow mut x { write x } as h0; detach h0 }; "
                    "spawn t1 { } as h1; detach h1; step t0"),
            Outcome::clean);
  EXPECT_THAT(unordered_touches(lab), ElementsAre(false));
  EXPECT_THAT(lab.signatures(), ElementsAre("aliased-borrow(detach, -, write)"));
}

TEST(Touches, of_one_thread_are_in_order) {
  Lab lab("canary_detach");
  lab.run("cell x; spawn t0 borrow mut x { write x } as h0");
  EXPECT_THAT(unordered_touches(lab), ElementsAre(false));
}

}  // namespace
}  // namespace scopecheck::tests
