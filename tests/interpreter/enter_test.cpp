// The closure shape: when the block runs, what ends when the call returns, panics through it, and calls that
// wait for ever.
#include "harness/abi/kit.hpp"
#include "impls/platform/heap_executor.hpp"
#include "tests/support/lab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace scopecheck::tests {
namespace {

using interpreter::Outcome;
using ledger::EventKind;
using ledger::Goal;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

bool reached(const Lab& lab, Goal goal) {
  return (lab.ledger().reached() >> static_cast<unsigned>(goal) & 1) != 0;
}

TEST(Enter, runs_its_block_and_waits_for_the_children_before_their_loans_expire) {
  Lab lab("draining_closure");
  EXPECT_EQ(lab.run("cell x; enter s0 { spawn t0 in s0 borrow mut x { yield; write x } }; settle"),
            Outcome::clean);
  EXPECT_LT(lab.at(EventKind::value_made, 0), lab.at(EventKind::spawned, 0));
  EXPECT_LT(lab.at(EventKind::finished, 0), lab.at(EventKind::value_left, 0));
  EXPECT_LT(lab.at(EventKind::value_left, 0), lab.at(EventKind::loan_expired, 0));
  EXPECT_LT(lab.at(EventKind::loan_expired, 0), lab.at(EventKind::settled, 0));
  EXPECT_EQ(lab.events(EventKind::loan_expired).at(0).op, 6u) << "the closing brace";
  EXPECT_THAT(lab.signatures(), IsEmpty());
  EXPECT_TRUE(reached(lab, Goal::scope_left_live));
}

TEST(Enter, has_a_stack_frame_of_its_own_inside_of_the_call) {
  Lab lab("draining_closure");
  EXPECT_EQ(lab.run("enter s0 { cell x; enter s1 { spawn t0 in s1 borrow mut x { write x } } }"),
            Outcome::clean);
  EXPECT_EQ(lab.events(EventKind::cell_born).at(0).detail, static_cast<int>(ledger::Place::stack_frame));
  EXPECT_LT(lab.at(EventKind::value_left, 1), lab.at(EventKind::cell_died, 0));
  EXPECT_LT(lab.at(EventKind::cell_died, 0), lab.at(EventKind::value_left, 0));
}

TEST(Enter, drops_what_the_block_declared_before_it_waits) {
  Lab lab("draining_closure");
  EXPECT_EQ(lab.run("enter s0 { spawn t0 in s0 { }; async b0 { suspend }; poll b0 }"), Outcome::clean);
  EXPECT_LT(lab.at(EventKind::value_dropped, 1), lab.at(EventKind::stepped, 0));
}

TEST(Enter, lets_children_run_when_the_client_says_and_not_before) {
  Lab lab("draining_closure");
  EXPECT_EQ(lab.run("enter s0 { spawn t0 in s0 { yield }; spawn t1 in s0 { yield }; step t1; settle }"),
            Outcome::clean);
  EXPECT_THAT(lab.subjects(EventKind::finished), ElementsAre(1, 0)) << "the gates are shut in the block";
}

TEST(Enter, waits_where_the_block_panics_and_passes_the_panic_on) {
  Lab lab("draining_closure");
  EXPECT_EQ(lab.run("cell x; catch { enter s0 { spawn t0 in s0 borrow mut x { write x }; throw } }; settle"),
            Outcome::clean);
  EXPECT_LT(lab.at(EventKind::client_threw, 0), lab.at(EventKind::finished, 0));
  EXPECT_LT(lab.at(EventKind::finished, 0), lab.at(EventKind::value_left, 0));
  EXPECT_EQ(lab.events(EventKind::value_left).at(0).detail, 1);
  EXPECT_EQ(lab.count(EventKind::caught), 1u);
  EXPECT_TRUE(reached(lab, Goal::client_unwound_live));
  EXPECT_THAT(lab.signatures(), IsEmpty());
}

TEST(Enter, that_forgets_its_children_on_a_panic_is_found) {
  Lab lab("canary_closure_forgets_on_panic");
  lab.run("cell x; catch { enter s0 { spawn t0 in s0 borrow mut x { write x }; throw } }; settle");
  EXPECT_THAT(lab.signatures(), ElementsAre("aliased-borrow(throw, -, write)"));
  lab.run("cell x; enter s0 { spawn t0 in s0 borrow mut x { write x }; throw }");
  EXPECT_THAT(lab.signatures(), ElementsAre("use-after-scope(throw, throw, write)"));
  lab.run("cell x; enter s0 { spawn t0 in s0 borrow mut x { write x } }");
  EXPECT_THAT(lab.signatures(), IsEmpty()) << "without a panic it waits";
}

TEST(Enter, that_returns_early_ends_its_loans_with_the_call) {
  scopecheck_plugin plugin = registered_plugin("draining_closure");
  plugin.scope_enter = [](void* rt, void*, scopecheck_body body, void* data) -> scopecheck_status {
    return body(data, rt);  // the runtime itself stands for the scope
  };
  plugin.spawn = [](void* rt, void*, scopecheck_child* child, void*) -> scopecheck_status {
    static_cast<platform::HeapExecutor*>(rt)->start(kit::Child(child))->forsake();
    return SCOPECHECK_OK;
  };
  Lab lab(plugin);
  lab.run("cell x; enter s0 { spawn t0 in s0 borrow mut x { write x } }; settle");
  EXPECT_THAT(lab.signatures(), ElementsAre("aliased-borrow(enter, -, write)"));
}

TEST(Enter, hangs_where_nobody_can_end_a_child) {
  Lab lab("draining_closure");
  EXPECT_EQ(lab.run("enter s0 { spawn t0 in s0 { park } }"), Outcome::hang);
  EXPECT_EQ(lab.run("enter s0 { spawn t0 in s0 { park }; settle; wake t0 }"), Outcome::clean);
}

TEST(Enter, in_a_task_goes_through_to_its_end) {
  Lab lab("draining_closure");
  EXPECT_EQ(lab.run("enter s0 { spawn t0 in s0 { enter s1 { spawn t1 in s1 { } } }; step t0; wake t0 }"),
            Outcome::clean);
  EXPECT_LT(lab.at(EventKind::finished, 1), lab.at(EventKind::finished, 0));
  EXPECT_LT(lab.at(EventKind::value_left, 1), lab.at(EventKind::finished, 0));
}

TEST(Enter, inside_a_task_of_the_runtime_drains_on_top_of_it) {
  Lab lab("draining_closure");
  EXPECT_EQ(lab.run("inside { cell x; enter s0 { spawn t0 in s0 borrow mut x { spawn t1 in s0 borrow mut x "
                    "{ write x } } } }"),
            Outcome::clean);
  EXPECT_THAT(lab.subjects(EventKind::finished), ElementsAre(0, 1));
  EXPECT_TRUE(reached(lab, Goal::spawned_by_child));
  EXPECT_THAT(lab.signatures(), IsEmpty());
}

TEST(Enter, must_run_its_block_once) {
  scopecheck_plugin plugin = registered_plugin("draining_closure");
  plugin.scope_enter = [](void*, void*, scopecheck_body, void*) -> scopecheck_status {
    return SCOPECHECK_OK;
  };
  Lab never(plugin);
  EXPECT_EQ(never.run("enter s0 { }"), Outcome::error);
  EXPECT_THAT(never.machine().error(), HasSubstr("has not run the body"));
  plugin.scope_enter = [](void*, void* storage, scopecheck_body body, void* data) -> scopecheck_status {
    static_cast<void>(body(data, storage));
    static_cast<void>(body(data, storage));
    return SCOPECHECK_OK;
  };
  Lab twice(plugin);
  EXPECT_EQ(twice.run("enter s0 { }"), Outcome::error);
  EXPECT_THAT(twice.machine().error(), HasSubstr("twice"));
}

TEST(Enter, that_stops_a_panic_of_the_client_lets_the_program_go_on) {
  scopecheck_plugin plugin = registered_plugin("draining_closure");
  plugin.scope_enter = [](void*, void* storage, scopecheck_body body, void* data) -> scopecheck_status {
    static_cast<void>(body(data, storage));
    return SCOPECHECK_OK;
  };
  Lab lab(plugin);
  EXPECT_EQ(lab.run("cell x; catch { enter s0 { throw } }; settle"), Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::caught), 0u);
}

}  // namespace
}  // namespace scopecheck::tests
