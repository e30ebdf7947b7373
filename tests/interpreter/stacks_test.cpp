// Async blocks on suspendable stacks of the implementation's: where they can be suspended, what ends when one
// is dropped or forgotten there, runs that are left from one, and tables that do not keep the door's word.
#include "harness/abi/kit.hpp"
#include "tests/support/lab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace scopecheck::tests {
namespace {

using interpreter::Outcome;
using ledger::EventKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* design = "suspendable_stack";
constexpr const char* suspended_in_a_scope =
    "cell x; async b0 boxed { enter s0 { spawn t0 in s0 borrow mut x { write x }; suspend } }; poll b0; ";

std::string then(const char* ops) { return std::string(suspended_in_a_scope) + ops; }

TEST(Stacks, have_frames_of_their_own_in_which_cells_live) {
  Lab lab(design);
  EXPECT_EQ(
      lab.run(
          "async b0 { cell x; frame { cell y; enter s0 { cell z } }; suspend }; poll b0; settle; poll b0"),
      Outcome::clean);
  for (const ledger::Event& born : lab.events(EventKind::cell_born))
    EXPECT_EQ(born.detail, static_cast<int>(ledger::Place::stack_frame)) << born.subject;
  EXPECT_THAT(lab.subjects(EventKind::cell_died), ElementsAre(2, 1, 0));
  EXPECT_LT(lab.at(EventKind::settled, 0), lab.at(EventKind::cell_died, 0)) << "it was only suspended";
}

TEST(Stacks, are_suspended_inside_of_a_call_and_go_on_in_it) {
  Lab lab(design);
  EXPECT_EQ(lab.run(then("poll b0; settle")), Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::polled), 2u);
  EXPECT_EQ(lab.events(EventKind::polled).at(0).detail, SCOPECHECK_PENDING);
  EXPECT_EQ(lab.events(EventKind::polled).at(1).detail, SCOPECHECK_OK);
  EXPECT_LT(lab.at(EventKind::finished, 0), lab.at(EventKind::value_left, 0)) << "the call waited";
  EXPECT_THAT(lab.signatures(), IsEmpty());
}

TEST(Stacks, that_are_dropped_unwind_so_that_the_scopes_they_stand_in_wait) {
  Lab lab(design);
  for (const char* const end : {"drop b0; settle", "settle", ""}) {
    EXPECT_EQ(lab.run(then(end)), Outcome::clean) << end;
    EXPECT_LT(lab.at(EventKind::finished, 0), lab.at(EventKind::value_left, 0)) << end;
    EXPECT_EQ(lab.events(EventKind::value_left).at(0).detail, 1) << "by unwinding";
    EXPECT_LT(lab.at(EventKind::value_left, 0), lab.at(EventKind::value_dropped, 1)) << end;
    EXPECT_THAT(lab.signatures(), IsEmpty()) << end;
  }
}

TEST(Stacks, unwind_inside_of_an_unwind) {
  Lab lab(design);
  EXPECT_EQ(
      lab.run("cell x; catch { async b0 { enter s0 { spawn t0 in s0 borrow mut x { write x }; suspend } }; "
              "poll b0; throw }; settle"),
      Outcome::clean);
  EXPECT_LT(lab.at(EventKind::value_left, 0), lab.at(EventKind::value_unwound, 1));
  EXPECT_EQ(lab.count(EventKind::caught), 1u);
  EXPECT_THAT(lab.signatures(), IsEmpty());
}

TEST(Stacks, that_are_forgotten_end_the_loans_of_the_scopes_they_stand_in) {
  Lab lab(design);
  lab.run(then("forget b0; settle"));
  EXPECT_EQ(lab.events(EventKind::loan_expired).at(0).op, lab.events(EventKind::value_forgotten).at(0).op);
  EXPECT_THAT(lab.subjects(EventKind::value_forgotten), ElementsAre(1, 0))
      << "the stack, and the scope with it";
  EXPECT_THAT(lab.signatures(), ElementsAre("aliased-borrow(forget, -, write)"));
  lab.run(then("forget b0"));
  EXPECT_THAT(lab.signatures(), ElementsAre("use-after-scope(forget, frame-end, write)"));
  lab.run(then("settle; forget b0"));
  EXPECT_THAT(lab.signatures(), IsEmpty()) << "the child was done";
}

TEST(Stacks, that_are_forgotten_keep_their_frames_for_ever) {
  Lab lab(design);
  EXPECT_EQ(
      lab.run("async b0 boxed { cell x; enter s0 { spawn t0 in s0 borrow mut x { write x }; suspend } }; "
              "poll b0; forget b0; async b1 { suspend }; poll b1; settle",
              true),
      Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::touched_write), 1u);
  EXPECT_THAT(lab.signatures(), IsEmpty()) << "leaking is safe";
}

TEST(Stacks, are_not_there_before_the_first_poll) {
  static int made;
  made = 0;
  scopecheck_plugin plugin = registered_plugin(design);
  plugin.stack_init = [](void* rt, void* storage, scopecheck_body body, void* data) {
    ++made;
    return registered_plugin(design).stack_init(rt, storage, body, data);
  };
  Lab lab(plugin);
  EXPECT_EQ(lab.run("async b0 { suspend }; async b1 boxed { suspend }; drop b0; forget b1"), Outcome::clean);
  EXPECT_EQ(made, 0);
  EXPECT_EQ(lab.run("async b0 { suspend }; poll b0; poll b0; drop b0"), Outcome::clean);
  EXPECT_EQ(made, 1);
}

TEST(Stacks, nest_and_stand_in_tasks) {
  Lab lab(design);
  EXPECT_EQ(
      lab.run(
          "cell x; async b0 { async b1 { enter s0 { spawn t0 in s0 borrow mut x { async b2 { suspend; "
          "suspend "
          "}; poll b2; yield; poll b2; write x }; suspend } }; poll b1; suspend; await b1 }; poll b0; poll "
          "b0; poll b0; settle"),
      Outcome::clean)
      << lab.machine().error();
  EXPECT_TRUE(lab.happened(EventKind::finished, 0));
  EXPECT_THAT(lab.signatures(), IsEmpty());
}

TEST(Stacks, are_suspended_by_an_await_inside_of_a_call) {
  Lab lab(design);
  EXPECT_EQ(
      lab.run("async b0 { enter s0 { async b1 { suspend; suspend }; await b1 } }; poll b0; poll b0; poll b0"),
      Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::value_left), 1u);
  EXPECT_EQ(lab.run("async b0 { enter s0 { async b1 { suspend; suspend }; await b1 } }; poll b0; drop b0"),
            Outcome::clean);
  EXPECT_THAT(lab.subjects(EventKind::value_unwound), ElementsAre(1)) << "what is awaited is there, too";
}

TEST(Stacks, hand_a_panic_on_to_whoever_polls) {
  Lab lab(design);
  EXPECT_EQ(lab.run("cell x; async b0 { enter s0 { spawn t0 in s0 borrow mut x { write x }; suspend; throw } "
                    "}; poll b0; "
                    "catch { poll b0 }; settle"),
            Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::caught), 1u);
  EXPECT_LT(lab.at(EventKind::finished, 0), lab.at(EventKind::value_left, 0));
  EXPECT_THAT(lab.signatures(), IsEmpty());
}

TEST(Stacks, can_be_left_by_a_run_that_never_ends) {
  Lab lab(design);
  const std::string parked =
      "async b0 { frame { enter s0 { spawn t0 in s0 { park }; suspend } } }; poll b0; ";
  std::vector<ledger::Event> first;
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(lab.run(parked + "poll b0"), Outcome::hang);
    if (i == 0) first = lab.events();
    EXPECT_EQ(lab.events(), first);
    EXPECT_EQ(lab.run(parked + "drop b0"), Outcome::hang) << "while it is unwound";
    EXPECT_EQ(lab.run("async b0 { async b1 { enter s0 { spawn t0 in s0 { park } } }; poll b1 }; poll b0"),
              Outcome::hang)
        << "two stacks deep";
    EXPECT_EQ(lab.run(then("poll b0")), Outcome::clean);
    lab.run(then("forget b0"));
  }
}

TEST(Stacks, can_be_left_by_a_fail_stop) {
  scopecheck_plugin plugin = registered_plugin(design);
  plugin.spawn = [](void*, void*, scopecheck_child*, void*) -> scopecheck_status { std::abort(); };
  Lab lab(plugin);
  const CatchFailStops fail_stops;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(lab.run("async b0 { enter s0 { suspend; spawn t0 in s0 { } } }; poll b0; poll b0"),
              Outcome::fail_stop);
    EXPECT_EQ(lab.run("catch { async b0 { enter s0 { suspend; throw } }; poll b0; poll b0 }"),
              Outcome::clean);
  }
}

// ---- other ends of a stack ------------------------------------------------------------------------------

TEST(Stacks, that_end_without_unwinding_leave_the_children_of_their_scopes_behind) {
  scopecheck_plugin plugin = registered_plugin(design);
  plugin.stack_destroy = [](void*, std::int32_t) -> scopecheck_status { return SCOPECHECK_OK; };
  Lab lab(plugin);
  lab.run(then("drop b0; settle"));
  EXPECT_THAT(lab.signatures(), ElementsAre("aliased-borrow(drop, -, write)"));
  const char* const own =
      "async b0 { cell x; enter s0 { spawn t0 in s0 borrow mut x { write x }; suspend } }; "
      "poll b0; drop b0; settle";
  lab.run(own);
  EXPECT_THAT(lab.signatures(), ElementsAre("use-after-scope(drop, drop, write)")) << "its frames are gone";

  plugin.stack_destroy = [](void*, std::int32_t) -> scopecheck_status { return SCOPECHECK_CLOSED; };
  Lab refusing(plugin);
  refusing.run(then("drop b0; settle"));
  EXPECT_THAT(refusing.signatures(), ElementsAre("aliased-borrow(drop, -, write)"));
  refusing.run(own);
  EXPECT_THAT(refusing.signatures(), IsEmpty()) << "its frames stay";
}

/// What a run says of a table in which `change` was made.
std::string error_of(const std::function<void(scopecheck_plugin&)>& change, const char* program) {
  scopecheck_plugin plugin = registered_plugin(design);
  change(plugin);
  Lab lab(plugin);
  return lab.run(program) == Outcome::error ? lab.machine().error() : "no error";
}

TEST(Stacks, keep_the_word_of_the_door) {
  const char* const program = "async b0 { suspend }; poll b0; poll b0";
  EXPECT_EQ(error_of([](scopecheck_plugin&) {}, program), "no error");
  EXPECT_THAT(error_of(
                  [](scopecheck_plugin& p) {
                    p.stack_resume = [](void*) -> scopecheck_status { return SCOPECHECK_PENDING; };
                  },
                  program),
              HasSubstr("must return PENDING where"))
      << "the body was not run";
  EXPECT_THAT(error_of(
                  [](scopecheck_plugin& p) {
                    p.stack_resume = [](void* stack) -> scopecheck_status {
                      static_cast<void>(registered_plugin(design).stack_resume(stack));
                      return SCOPECHECK_OK;
                    };
                  },
                  program),
              HasSubstr("must return PENDING where"));
  EXPECT_THAT(error_of(
                  [](scopecheck_plugin& p) {
                    p.stack_init = [](void*, void*, scopecheck_body body, void* data) -> scopecheck_status {
                      return body(data, nullptr);
                    };
                  },
                  program),
              HasSubstr("not by stack_resume"));
  EXPECT_THAT(error_of(
                  [](scopecheck_plugin& p) {
                    p.stack_suspend = [](void*) -> scopecheck_status { return SCOPECHECK_E_RUNTIME; };
                  },
                  program),
              HasSubstr("stack_suspend failed"));
  EXPECT_THAT(error_of(
                  [](scopecheck_plugin& p) {
                    p.stack_init = [](void*, void*, scopecheck_body, void*) -> scopecheck_status {
                      return SCOPECHECK_E_NOMEM;
                    };
                  },
                  program),
              HasSubstr("stack_init failed"));
  EXPECT_THAT(
      error_of([](scopecheck_plugin& p) { p.stack_resume = [](void*) -> scopecheck_status { throw 1; }; },
               program),
      HasSubstr("stack_resume let an exception out"));
}

TEST(Stacks, that_are_declared_unsafe_are_not_what_safe_clients_run_on) {
  scopecheck_plugin plugin = registered_plugin(design);
  plugin.unsafe_ops = SCOPECHECK_OP_STACK;
  Lab lab(plugin);
  EXPECT_FALSE(lab.offers().stack);
  EXPECT_EQ(lab.run("async b0 { cell x; suspend }; poll b0"), Outcome::clean);
  EXPECT_EQ(lab.events(EventKind::cell_born).at(0).detail, static_cast<int>(ledger::Place::async_block));
  EXPECT_TRUE(Lab(plugin, scenario::Discipline::documented).offers().stack);
}

}  // namespace
}  // namespace scopecheck::tests
