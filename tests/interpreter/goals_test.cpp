// Every sometimes goal from both sides: a program that reaches it, beside near twins that do not. A goal that
// is reached for nothing would let a search that never saw its moment say "not refuted".
#include "harness/interpreter/machine.hpp"
#include "tests/interpreter/spies.hpp"
#include "tests/support/lab.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace scopecheck::tests {
namespace {

using interpreter::Outcome;
using ledger::Goal;

struct Twins {
  Goal goal;
  std::string_view implementation;
  const char* reaches;
  std::vector<const char*> do_not;
};

const std::vector<Twins>& twins() {
  static const std::vector<Twins> table = {
      {Goal::child_finished,
       "spy",
       "spawn t0 { } as h0; settle",
       {"spawn t0 { } as h0; drop h0", "spawn t0 { throw } as h0; settle",
        "spawn t0 { yield; yield } as h0; step t0; drop h0"}},
      {Goal::child_dropped_unfinished,
       "spy",
       "spawn t0 { yield; yield } as h0; step t0; drop h0",
       {"spawn t0 { yield; yield } as h0; settle; drop h0", "spawn t0 { throw } as h0; settle; drop h0"}},
      {Goal::frame_ended_before_task,
       "spy",
       "frame { spawn t0 { } as h0 boxed; forget h0 }",
       {"frame { spawn t0 { } as h0 boxed; settle; forget h0 }", "frame { spawn t0 { } as h0 }"}},
      {Goal::handle_forgotten_live,
       "spy",
       "spawn t0 { } as h0; forget h0",
       {"spawn t0 { } as h0; settle; forget h0", "spawn t0 { } as h0; drop h0",
        "spawn t0 { } as h0; spawn t1 { } as h1; drop h0; settle; forget h1"}},
      {Goal::scope_forgotten_live,
       "guard_spy",
       "scope s0 boxed; spawn t0 in s0 { }; forget s0",
       {"scope s0 boxed; spawn t0 in s0 { }; join s0; forget s0",
        "scope s0 boxed; scope s1 boxed; spawn t0 in s0 { }; forget s1; drop s0"}},
      {Goal::block_stalled,
       "spy",
       "async b0 boxed { spawn t0 { } as h0; suspend }; poll b0; forget b0",
       {"async b0 boxed { spawn t0 { } as h0; suspend }; forget b0",
        "async b0 boxed { spawn t0 { } as h0; suspend }; poll b0; settle; forget b0",
        "async b0 boxed { spawn t0 { } as h0; suspend }; poll b0; drop b0",
        "async b0 boxed { suspend }; spawn t0 { } as h0; poll b0; forget b0"}},
      {Goal::handle_dropped_live,
       "spy",
       "spawn t0 { } as h0; drop h0",
       {"spawn t0 { } as h0; settle; drop h0", "spawn t0 { } as h0; forget h0",
        "spawn t0 { } as h0 boxed; spawn t1 { yield } as h1 boxed; forget h1; step t0; drop h0"}},
      {Goal::unstarted_dropped,
       "task_group",
       "scope s0; reserve t0 in s0 { } as h0; drop h0; join s0",
       {"scope s0; reserve t0 in s0 { } as h0; start h0; drop h0; join s0",
        "scope s0; reserve t0 in s0 { } as h0; forget h0"}},
      {Goal::unstarted_forgotten,
       "task_group",
       "scope s0; reserve t0 in s0 { } as h0; forget h0",
       {"scope s0; reserve t0 in s0 { } as h0; start h0; forget h0; join s0",
        "scope s0; reserve t0 in s0 { } as h0; drop h0; join s0"}},
      {Goal::scope_dropped_live,
       "guard_spy",
       "scope s0; spawn t0 in s0 { }; drop s0",
       {"scope s0; spawn t0 in s0 { }; join s0; drop s0", "scope s0 boxed; spawn t0 in s0 { }; forget s0",
        "scope s0 boxed; scope s1; spawn t0 in s0 { }; drop s1; forget s0"}},
      {Goal::scope_dropped_live,
       "slot_nursery",
       "scope s0; spawn t0 in s0 { } as h0; drop h0; drop s0",
       {"scope s0 boxed; spawn t0 in s0 { } as h0; drop h0; forget s0"}},
      {Goal::scope_forgotten_live,
       "slot_nursery",
       "scope s0 boxed; spawn t0 in s0 { } as h0; forget s0",
       {"scope s0 boxed; spawn t0 in s0 { } as h0; forget h0; drop s0"}},
      {Goal::scope_left_live,
       "draining_closure",
       "enter s0 { spawn t0 in s0 { } }",
       {"enter s0 { spawn t0 in s0 { }; settle }", "enter s0 { enter s1 { }; spawn t0 in s0 { }; settle }"}},
      {Goal::block_stalled,
       "suspendable_stack",
       "async b0 boxed { enter s0 { spawn t0 in s0 { }; suspend } }; poll b0; forget b0",
       {"async b0 boxed { enter s0 { spawn t0 in s0 { }; suspend } }; poll b0; settle; forget b0",
        "async b0 boxed { enter s0 { spawn t0 in s0 { } }; suspend }; poll b0; forget b0",
        "async b0 boxed { enter s0 { spawn t0 in s0 { }; suspend } }; poll b0; drop b0"}},
      {Goal::stack_dropped_live,
       "suspendable_stack",
       "async b0 { enter s0 { spawn t0 in s0 { }; suspend } }; poll b0; drop b0",
       {"async b0 { enter s0 { spawn t0 in s0 { }; suspend } }; poll b0; poll b0; drop b0",
        "async b0 { enter s0 { spawn t0 in s0 { }; suspend } }; poll b0; settle; drop b0",
        "async b0 boxed { enter s0 { spawn t0 in s0 { }; suspend } }; poll b0; forget b0"}},
      {Goal::stack_dropped_live,
       "canary_detach_on_stack",
       "async b0 { spawn t0 { } as h0; suspend }; poll b0",
       {"async b0 { spawn t0 { } as h0; suspend }; poll b0; poll b0",
        "async b0 { spawn t0 { } as h0; drop h0; suspend }; poll b0"}},
      {Goal::stepped_after_forget,
       "spy",
       "spawn t0 { } as h0; forget h0; settle",
       {"spawn t0 { } as h0; settle; forget h0",
        "spawn t0 { } as h0; spawn t1 { } as h1; settle; forget h0; drop h1"}},
      {Goal::child_panicked,
       "spy",
       "spawn t0 { throw } as h0; settle",
       {"spawn t0 { throw } as h0; drop h0", "spawn t0 { } as h0; settle; catch { throw }"}},
      {Goal::client_unwound_live,
       "spy",
       "catch { spawn t0 { } as h0; throw }",
       {"catch { spawn t0 { } as h0; settle; throw }", "catch { spawn t0 { } as h0 }",
        "spawn t0 { } as h0; catch { throw }"}},
      {Goal::client_unwound_live,
       "draining_closure",
       "catch { enter s0 { spawn t0 in s0 { }; throw } }",
       {"catch { enter s0 { spawn t0 in s0 { }; settle; throw } }",
        "catch { enter s0 { spawn t0 in s0 { } } }",
        "catch { enter s0 { spawn t0 in s0 { }; catch { throw } } }"}},
      {Goal::late_wake,
       "spy",
       "spawn t0 { keep waker; yield; yield } as h0; step t0; drop h0; wake t0",
       {"spawn t0 { keep waker; yield; yield } as h0; step t0; wake t0; drop h0",
        "spawn t0 { keep waker; park } as h0; settle; wake t0",
        "spawn t0 { yield; yield } as h0; step t0; drop h0; wake t0"}},
      {Goal::join_dropped,
       "guard_spy",
       "scope s0; spawn t0 in s0 { }; join s0 as j0; drop j0",
       {"scope s0; spawn t0 in s0 { }; join s0 as j0; settle; poll j0; drop j0",
        "scope s0 boxed; spawn t0 in s0 { }; join s0 as j0; forget j0"}},
      {Goal::cancelled_live,
       "guard_spy",
       "scope s0; spawn t0 in s0 { }; cancel s0",
       {"scope s0; spawn t0 in s0 { }; join s0; cancel s0",
        "scope s0; scope s1; spawn t0 in s0 { }; cancel s1", "scope s0; spawn t0 in s0 { }; drop s0"}},
      {Goal::cancelled_live,
       "heap_spawn",
       "spawn t0 { } as h0; cancel h0",
       {"spawn t0 { } as h0; settle; cancel h0"}},
      {Goal::spawned_by_child,
       "spy",
       "spawn t0 { spawn t1 { } as h1 } as h0; settle",
       {"spawn t0 { spawn t1 { } as h1 } as h0; drop h0", "spawn t0 { } as h0; settle; spawn t1 { } as h1",
        "inside { spawn t0 { } as h0 }"}},
      {Goal::spawned_by_child,
       "parent_driven",
       "scope s0; spawn t0 in s0 { spawn t1 in s0 { } }; poll s0",
       {"scope s0; spawn t0 in s0 { scope s1; spawn t1 in s1 { } }; poll s0",
        "scope s0; spawn t0 in s0 { spawn t1 in s0 { } }; drop s0"}},
      {Goal::client_inside,
       "spy",
       "inside { spawn t0 { } as h0 }",
       {"catch { spawn t0 { } as h0 }", "spawn t0 { } as h0; inside { }",
        "spawn t0 { spawn t1 { } as h1 } as h0; settle"}},
      {Goal::shut_down_live,
       "spy",
       "spawn t0 { } as h0; shutdown",
       {"spawn t0 { } as h0; settle; shutdown", "spawn t0 { } as h0; drop h0; shutdown"}},
      {Goal::moved_live,
       "spy",
       "spawn t0 { } as h0; move h0",
       {"spawn t0 { } as h0; settle; move h0",
        "spawn t0 { } as h0; spawn t1 { } as h1; drop h0; settle; move h1"}},
      {Goal::moved_live,
       "spy",
       "frame { spawn t0 { } as h0; move h0 out }",
       {"frame { spawn t0 { } as h0; settle; move h0 out }"}},
      {Goal::capture_touched,
       "spy",
       "cell x; spawn t0 borrow mut x { touch-on-drop capture x } as h0",
       {"spawn t0 { cell y; touch-on-drop capture y } as h0; settle",
        "cell x; spawn t0 borrow mut x { write x; touch-on-drop result x } as h0; settle; poll h0",
        "cell x; spawn t0 borrow mut x { write x } as h0; settle"}},
      {Goal::result_touched,
       "spy",
       "cell x; spawn t0 borrow mut x { touch-on-drop result x } as h0; settle",
       {"spawn t0 { cell y; touch-on-drop result y } as h0; settle",
        "cell x; spawn t0 borrow mut x { touch-on-drop result x } as h0; drop h0",
        "cell x; spawn t0 borrow mut x { touch-on-drop capture x } as h0; settle"}},
      {Goal::payload_touched,
       "spy",
       "spawn t0 { cell y; touch-on-drop payload y; throw } as h0; settle",
       {"spawn t0 { cell y; touch-on-drop payload y } as h0; settle",
        "spawn t0 { cell y; touch-on-drop result y } as h0; settle", "spawn t0 { throw } as h0; settle"}},
  };
  return table;
}

const scopecheck_plugin& called(std::string_view name) {
  return name == "spy"         ? kit::table<Spy>()
         : name == "guard_spy" ? kit::table<GuardSpy>()
                               : registered_plugin(name);
}

bool in(std::uint64_t set, Goal goal) { return (set >> static_cast<unsigned>(goal) & 1) != 0; }
std::string_view id(Goal goal) { return ledger::goal_table[static_cast<std::size_t>(goal)].id; }

bool reaches(const Twins& row, const char* program) {
  Lab lab(called(row.implementation));
  try {
    EXPECT_NE(lab.run(program), Outcome::error) << program << ": " << lab.machine().error();
  } catch (const std::invalid_argument& refused) {
    ADD_FAILURE() << row.implementation << ": " << refused.what();
  }
  return in(lab.ledger().reached(), row.goal);
}

TEST(Goals, AllHaveAProgramThatReachesThem) {
  std::set<Goal> covered;
  for (const Twins& row : twins()) covered.insert(row.goal);
  for (std::size_t i = 0; i < ledger::goals; ++i)
    EXPECT_TRUE(covered.contains(static_cast<Goal>(i))) << ledger::goal_table[i].id << " has no twins";
}

TEST(Goals, AreReachedByTheMomentThatTheyName) {
  for (const Twins& row : twins()) {
    EXPECT_TRUE(reaches(row, row.reaches)) << id(row.goal) << " by " << row.reaches;
    const Lab lab(called(row.implementation));
    EXPECT_TRUE(in(ledger::reachable_goals(lab.offers()), row.goal))
        << id(row.goal) << " is reached although " << row.implementation << " cannot reach it";
  }
}

TEST(Goals, AreNotReachedByTheNearestTwins) {
  for (const Twins& row : twins()) {
    EXPECT_FALSE(row.do_not.empty()) << id(row.goal);
    for (const char* const twin : row.do_not)
      EXPECT_FALSE(reaches(row, twin)) << id(row.goal) << " by " << twin;
  }
}

}  // namespace
}  // namespace scopecheck::tests
