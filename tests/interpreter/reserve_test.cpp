// Children that are reserved first and started later: what their handle holds, and what a task group of the
// oneTBB kind makes of it.
#include "tests/support/lab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace scopecheck::tests {
namespace {

using interpreter::Outcome;
using ledger::EventKind;
using ledger::Goal;
using scenario::Discipline;
using testing::ElementsAre;
using testing::IsEmpty;

bool reached(const Lab& lab, Goal goal) {
  return (lab.ledger().reached() >> static_cast<unsigned>(goal) & 1) != 0;
}
std::size_t op_of_expiry(const Lab& lab) { return lab.events(EventKind::loan_expired).at(0).op; }

TEST(Reserve, makes_a_child_that_runs_once_it_is_started) {
  Lab lab("task_group");
  EXPECT_EQ(lab.run("scope s0; reserve t0 in s0 { } as h0; settle; start h0; settle; join s0"),
            Outcome::clean);
  EXPECT_LT(lab.at(EventKind::spawned, 0), lab.at(EventKind::settled, 0));
  EXPECT_LT(lab.at(EventKind::started, 0), lab.at(EventKind::stepped, 0));
  EXPECT_EQ(lab.events(EventKind::started).at(0).op, 4u);
  EXPECT_THAT(lab.subjects(EventKind::finished), ElementsAre(0));
}

TEST(Reserve, drops_the_child_with_a_handle_that_was_not_started) {
  Lab lab("task_group");
  EXPECT_EQ(
      lab.run("cell x; scope s0; reserve t0 in s0 borrow mut x { touch-on-drop capture x } as h0; drop h0; "
              "join s0"),
      Outcome::clean);
  EXPECT_LT(lab.at(EventKind::child_dropped, 0), lab.at(EventKind::value_dropped, 1));
  EXPECT_EQ(lab.count(EventKind::touched_by_capture), 1u);
  EXPECT_EQ(lab.count(EventKind::stepped), 0u);
  EXPECT_TRUE(reached(lab, Goal::unstarted_dropped));
  EXPECT_FALSE(reached(lab, Goal::unstarted_forgotten));
}

TEST(Reserve, lends_from_the_start_until_scope_and_handle_are_over) {
  Lab lab("task_group");
  const std::string program = "cell x; scope s0; reserve t0 in s0 borrow mut x { } as h0; drop h0; drop s0";
  lab.run(program);
  EXPECT_EQ(op_of_expiry(lab), 5u) << "`drop s0`";
  EXPECT_LT(lab.at(EventKind::loan_taken, 0), lab.at(EventKind::value_made, 1));
}

TEST(Reserve, lets_a_handle_move_and_be_forgotten) {
  Lab lab("task_group");
  EXPECT_EQ(lab.run("scope s0; reserve t0 in s0 { } as h0; move h0; start h0; join s0"), Outcome::clean);
  EXPECT_THAT(lab.subjects(EventKind::finished), ElementsAre(0));
  // nobody can start it any more, and the group counts it
  EXPECT_EQ(lab.run("scope s0; reserve t0 in s0 { } as h0; forget h0; join s0"), Outcome::hang);
  EXPECT_TRUE(reached(lab, Goal::unstarted_forgotten));
  EXPECT_EQ(lab.run("scope s0; reserve t0 in s0 { } as h0; join s0; start h0"), Outcome::hang);
  EXPECT_THAT(lab.signatures(), IsEmpty());
}

TEST(Reserve, does_nothing_more_where_its_start_was_not_run) {
  // the text has a `start` above, in a future that nobody polls
  Lab lab("task_group");
  EXPECT_EQ(lab.run("scope s0; reserve t0 in s0 { } as h0; async b0 { start h0 }; drop b0; drop h0; join s0"),
            Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::started), 0u);
  EXPECT_EQ(lab.count(EventKind::child_dropped), 1u);
}

TEST(Reserve, is_no_promise_that_a_join_broke) {
  scopecheck_plugin plugin = registered_plugin("task_group");
  plugin.scope_join = [](void*) -> scopecheck_status { return SCOPECHECK_OK; };
  Lab lab(plugin);
  lab.run("scope s0; reserve t0 in s0 { } as h0; join s0; drop h0");
  EXPECT_THAT(lab.signatures(), IsEmpty()) << "it was never started";
  lab.run("scope s0; reserve t0 in s0 { park } as h0; start h0; join s0; cancel s0");
  ASSERT_EQ(lab.signatures().size(), 1u);
  EXPECT_TRUE(lab.signatures()[0].starts_with("join-lied")) << lab.signatures()[0];
}

// ---- task_group -----------------------------------------------------------------------------------------

TEST(TaskGroup, waits_runs_its_children_meanwhile_and_rethrows_the_first_panic) {
  Lab lab("task_group");
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { yield; spawn t1 in s0 { } }; join s0"), Outcome::clean);
  EXPECT_THAT(lab.subjects(EventKind::finished), ElementsAre(0, 1));
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { throw }; spawn t1 in s0 { }; catch { join s0 }; join s0"),
            Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::caught), 1u) << "once";
  EXPECT_FALSE(lab.happened(EventKind::stepped, 1)) << "what had not begun was cancelled";
  EXPECT_TRUE(lab.happened(EventKind::child_dropped, 1));
}

TEST(TaskGroup, that_nobody_waited_for_cancels_waits_and_says_so) {
  Lab lab("task_group");
  EXPECT_EQ(lab.run("catch { scope s0; spawn t0 in s0 { } }"), Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::caught), 1u) << "missing_wait";
  EXPECT_FALSE(lab.happened(EventKind::stepped, 0));
  EXPECT_EQ(lab.run("catch { scope s0; spawn t0 in s0 { yield }; run 1; throw }"), Outcome::clean);
  EXPECT_TRUE(lab.happened(EventKind::finished, 0)) << "what has begun runs to its end";
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { park }; run 1; drop s0"), Outcome::hang);
  EXPECT_THAT(lab.signatures(), IsEmpty());
}

TEST(TaskGroup, that_is_forgotten_waits_for_nobody) {
  Lab lab("task_group", Discipline::documented);
  lab.run("cell x; scope s0 boxed; spawn t0 in s0 borrow mut x { write x }; forget s0");
  EXPECT_THAT(lab.signatures(), ElementsAre("use-after-scope(forget, frame-end, write)"));
}

}  // namespace
}  // namespace scopecheck::tests
