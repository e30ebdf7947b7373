// What the machine does to an implementation and writes down about it, op by op.
#include "harness/interpreter/machine.hpp"

#include "harness/generator/random.hpp"
#include "tests/interpreter/spies.hpp"
#include "tests/support/lab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace scopecheck::tests {
namespace {

using interpreter::Machine;
using interpreter::Outcome;
using ledger::Event;
using ledger::EventKind;
using ledger::Goal;
using scenario::Scenario;
using testing::AnyOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

const scopecheck_plugin& spy() { return kit::table<Spy>(); }
const scopecheck_plugin& guard_spy() { return kit::table<GuardSpy>(); }

/// Where a line of the canonical text stands in the list of ops.
std::size_t op_of(std::string_view text, std::string_view line) {
  const Scenario program = scenario_of(text);
  const scenario::Names names(program);
  for (std::size_t op = 0; op < program.ops.size(); ++op)
    if (scenario::line_of(program, op, names) == line) return op;
  throw std::invalid_argument("no such line: " + std::string(line));
}

bool reached(const Lab& lab, Goal goal) {
  return (lab.ledger().reached() >> static_cast<unsigned>(goal) & 1) != 0;
}

/// The ops at which loans of x by task 0 expired.
std::vector<std::size_t> expiries(const Lab& lab) {
  std::vector<std::size_t> ops;
  for (const Event& event : lab.events(EventKind::loan_expired))
    if (event.actor == 0) ops.push_back(event.op);
  return ops;
}

std::vector<std::string> kinds(const Lab& lab) {
  std::vector<std::string> result;
  for (const verdict::Finding& finding : lab.findings())
    result.emplace_back(verdict::info(finding.kind()).text);
  return result;
}

// ---- the end of a block -----------------------------------------------------------------------------

TEST(EndOfBlock, drops_remaining_values_in_reverse_order) {
  Lab lab(spy());
  EXPECT_EQ(lab.run("spawn t0 { } as h0; spawn t1 { } as h1 boxed; spawn t2 { } as h2"), Outcome::clean);
  EXPECT_THAT(journal, ElementsAre("drop h2", "drop h1", "drop h0"));
  EXPECT_THAT(lab.subjects(EventKind::value_dropped), ElementsAre(2, 1, 0));
}

TEST(EndOfBlock, ends_cells_and_values_in_one_reverse_order) {
  Lab lab(spy());
  lab.run("spawn t0 { } as h0; cell x; spawn t1 borrow mut x { } as h1");
  EXPECT_LT(lab.at(EventKind::value_dropped, 1), lab.at(EventKind::cell_died, 0));
  EXPECT_LT(lab.at(EventKind::cell_died, 0), lab.at(EventKind::value_dropped, 0));
  EXPECT_LT(lab.at(EventKind::value_dropped, 0), lab.at(EventKind::frame_ended, 0));
}

TEST(EndOfBlock, drops_a_moved_value_where_it_is_now) {
  Lab lab(spy());
  lab.run("spawn t0 { } as h0; spawn t1 { } as h1; move h0");
  EXPECT_THAT(journal, ElementsAre("move h0", "drop h0", "drop h1"));
  lab.run("frame { spawn t0 { } as h0; spawn t1 { } as h1; move h0 out }; spawn t2 { } as h2");
  EXPECT_THAT(journal, ElementsAre("move h0", "drop h1", "drop h2", "drop h0"));
}

TEST(EndOfBlock, drops_what_an_async_block_still_holds_when_the_block_is_dropped) {
  Lab lab(spy());
  const auto* const text = "async b0 { spawn t0 { } as h0; spawn t1 { } as h1; suspend }; poll b0; drop b0";
  lab.run(text);
  EXPECT_THAT(journal, ElementsAre("drop h1", "drop h0"));
  EXPECT_THAT(lab.events(EventKind::value_dropped), Each(Field(&Event::op, op_of(text, "drop b0"))));
  lab.run("async b0 { spawn t0 { } as h0; suspend }; drop b0");
  EXPECT_THAT(journal, IsEmpty()) << "never polled: its body never began";
}

// ---- panics -----------------------------------------------------------------------------------------

TEST(Panic, drops_values_inside_a_real_native_unwind) {
  Lab lab(spy());
  EXPECT_EQ(lab.run("catch { spawn t0 { } as h0; spawn t1 { } as h1; throw }; spawn t2 { } as h2"),
            Outcome::clean);
  EXPECT_THAT(journal, ElementsAre("drop h1 while unwinding", "drop h0 while unwinding", "drop h2"));
  EXPECT_THAT(lab.subjects(EventKind::value_unwound), ElementsAre(1, 0));
  EXPECT_THAT(lab.subjects(EventKind::value_dropped), ElementsAre(2));
}

TEST(Panic, unwinds_through_what_an_async_block_holds) {
  Lab lab(spy());
  lab.run("catch { async b0 { spawn t0 { } as h0; suspend }; poll b0; throw }");
  EXPECT_THAT(journal, ElementsAre("drop h0 while unwinding"));
}

TEST(Panic, is_stopped_by_the_nearest_catch_and_the_client_goes_on) {
  Lab lab(spy());
  lab.run("catch { catch { frame { throw } }; spawn t0 { } as h0 }; spawn t1 { } as h1");
  EXPECT_THAT(lab.subjects(EventKind::spawned), ElementsAre(0, 1));
  EXPECT_EQ(lab.count(EventKind::caught), 1u);
  EXPECT_EQ(lab.count(EventKind::client_threw), 1u);
}

TEST(Panic, that_nobody_catches_ends_the_program_in_good_order) {
  Lab lab(spy());
  EXPECT_EQ(lab.run("cell x; spawn t0 borrow mut x { park } as h0; frame { throw }"), Outcome::clean);
  EXPECT_THAT(journal, ElementsAre("drop h0 while unwinding"));
  EXPECT_EQ(lab.count(EventKind::caught), 0u);
  EXPECT_LT(lab.at(EventKind::value_unwound, 0), lab.at(EventKind::cell_died, 0));
  EXPECT_EQ(lab.count(EventKind::program_ended), 1u);
  EXPECT_EQ(lab.count(EventKind::runtime_freed), 1u);
}

TEST(Panic, of_a_child_reaches_the_client_through_its_handle) {
  Lab lab(spy());
  lab.run("catch { spawn t0 { throw } as h0; settle; poll h0; spawn t1 { } as h1 }");
  EXPECT_THAT(lab.subjects(EventKind::threw), ElementsAre(0));
  EXPECT_THAT(lab.subjects(EventKind::spawned), ElementsAre(0)) << "the poll panicked";
  EXPECT_EQ(lab.count(EventKind::caught), 1u);
  EXPECT_EQ(lab.count(EventKind::client_threw), 0u);
}

TEST(Panic, with_a_payload_drops_it_in_the_catch) {
  Lab lab(spy());
  lab.run(
      "catch { spawn t0 { cell x; touch-on-drop payload x; throw } as h0; settle; poll h0 }; spawn t1 { } as "
      "h1");
  EXPECT_THAT(lab.subjects(EventKind::payload_dropped), ElementsAre(0));
  EXPECT_LT(lab.at(EventKind::caught, 0), lab.at(EventKind::payload_dropped, 0));
  EXPECT_THAT(lab.events(EventKind::touched_by_payload),
              ElementsAre(Field(&Event::detail, ledger::touch_ok)));
  EXPECT_LT(lab.at(EventKind::touched_by_payload, 0), lab.at(EventKind::cell_died, 0));
  EXPECT_THAT(lab.subjects(EventKind::spawned), ElementsAre(0, 1));
  EXPECT_TRUE(reached(lab, Goal::payload_touched));
}

TEST(Panic, goes_on_past_the_catch_when_the_payload_is_a_bomb) {
  Lab lab(spy());
  lab.run(
      "catch { catch { spawn t0 { throw bomb } as h0; settle; poll h0 }; spawn t1 { } as h1 }; spawn t2 { } "
      "as h2");
  EXPECT_EQ(lab.count(EventKind::caught), 2u);
  EXPECT_THAT(lab.subjects(EventKind::payload_dropped), ElementsAre(0)) << "once";
  EXPECT_THAT(lab.subjects(EventKind::spawned), ElementsAre(0, 2)) << "t1 stood behind the bomb";
}

TEST(Panic, of_a_destructor_that_already_unwinds_is_a_fail_stop) {
  scopecheck_plugin plugin = spy();
  plugin.handle_destroy = [](void* handle, std::int32_t unwinding) -> scopecheck_status {
    static_cast<void>(spy().handle_destroy(handle, unwinding));
    return SCOPECHECK_THROWN;
  };
  Lab lab(plugin);
  EXPECT_EQ(lab.run("catch { spawn t0 { } as h0; drop h0 }; spawn t1 { } as h1; forget h1"), Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::caught), 1u) << "one panic alone is a panic like any other";
  EXPECT_EQ(lab.run("catch { spawn t0 { } as h0; throw }"), Outcome::fail_stop);
}

// ---- leak vectors -----------------------------------------------------------------------------------

TEST(Forget, moves_a_value_out_of_its_frame_and_calls_nothing_else) {
  Lab lab(spy());
  const auto* const text = "spawn t0 { park } as h0; forget h0; settle";
  lab.run(text);
  EXPECT_THAT(journal, ElementsAre("move h0"));
  EXPECT_THAT(lab.events(EventKind::child_dropped),
              ElementsAre(Field(&Event::op, scenario_of(text).ops.size() + ledger::at_runtime_end)))
      << "by the runtime, when that ended";
}

TEST(Forget, of_a_boxed_value_calls_nothing) {
  Lab lab(spy());
  for (const char* const vector : {"", " cycle"}) {
    lab.run(std::string("spawn t0 { park } as h0 boxed; forget h0") + vector);
    EXPECT_THAT(journal, IsEmpty()) << vector;
    EXPECT_FALSE(lab.happened(EventKind::storage_died, 0)) << "it lives for ever";
  }
}

TEST(Forget, in_place_ends_the_storage_without_a_call) {
  Lab lab(spy());
  lab.run("spawn t0 { park } as h0; forget h0 in-place");
  EXPECT_THAT(journal, IsEmpty());
  EXPECT_LT(lab.at(EventKind::value_forgotten, 0), lab.at(EventKind::storage_died, 0));
}

TEST(Forget, notes_its_leak_vector) {
  Lab lab(spy());
  lab.run(
      "spawn t0 { } as h0; spawn t1 { } as h1; spawn t2 { } as h2; forget h0; forget h1 cycle; forget h2 "
      "in-place");
  EXPECT_THAT(lab.events(EventKind::value_forgotten),
              ElementsAre(Field(&Event::detail, 0), Field(&Event::detail, 1), Field(&Event::detail, 2)));
}

TEST(Forget, of_a_polled_async_block_forgets_all_that_it_owns) {
  Lab lab(spy());
  const auto* const text =
      "cell x; async b0 boxed { spawn t0 borrow mut x { park } as h0; spawn t1 { } as h1; suspend }; poll "
      "b0; forget b0";
  lab.run(text);
  EXPECT_THAT(journal, IsEmpty());
  EXPECT_THAT(lab.subjects(EventKind::value_forgotten), testing::UnorderedElementsAre(0, 1, 2));
  EXPECT_THAT(expiries(lab), ElementsAre(op_of(text, "forget b0")));
  EXPECT_TRUE(reached(lab, Goal::block_stalled));
}

TEST(Forget, of_an_async_block_keeps_its_cells_for_ever_and_nobody_else_has_them) {
  // The child's loan rests on a handle that was forgotten with the block; but so was the cell: its memory
  // never ends and no client can name it again. In Rust: a leaked Pin<Box<future>>, which is sound.
  Lab lab(spy());
  lab.run(
      "async b0 boxed { cell x; spawn t0 borrow mut x { write x } as h0; suspend }; poll b0; forget b0; "
      "settle");
  EXPECT_FALSE(lab.happened(EventKind::cell_died, 0));
  EXPECT_THAT(lab.events(EventKind::touched_write), ElementsAre(Field(&Event::detail, ledger::touch_ok)));
  EXPECT_THAT(kinds(lab), IsEmpty());
  // a cell outside of the block is the client's again
  lab.run(
      "cell x; async b0 boxed { spawn t0 borrow mut x { write x } as h0; suspend }; poll b0; forget b0; "
      "settle");
  EXPECT_THAT(kinds(lab), ElementsAre("aliased-borrow"));
}

// ---- loans ------------------------------------------------------------------------------------------

TEST(Loan, of_a_handle_carrier_ends_with_the_handle_however_it_ends) {
  Lab lab(spy());
  for (const std::string end : {"drop h0", "forget h0", "forget h0 cycle", "forget h0 in-place"}) {
    const std::string text = "cell x; spawn t0 borrow mut x { park } as h0; " + end + "; settle";
    lab.run(text);
    EXPECT_THAT(expiries(lab), ElementsAre(op_of(text, end)));
  }
}

TEST(Loan, of_a_handle_carrier_survives_a_move) {
  Lab lab(spy());
  const auto* const text = "cell x; spawn t0 borrow mut x { park } as h0; move h0; settle; drop h0";
  lab.run(text);
  EXPECT_THAT(expiries(lab), ElementsAre(op_of(text, "drop h0")));
}

TEST(Loan, of_a_scope_carrier_ends_with_the_scope_not_with_the_handle) {
  Lab lab("slot_nursery");  // handles embed nothing
  const auto* const text =
      "cell x; scope s0; spawn t0 in s0 borrow mut x { park } as h0; drop h0; poll s0; drop s0";
  lab.run(text);
  EXPECT_THAT(expiries(lab), ElementsAre(op_of(text, "drop s0")));
}

TEST(Loan, of_a_child_embedded_in_a_handle_ends_with_the_later_of_scope_and_handle) {
  Lab lab("linked_children");
  const std::string spawn = "cell x; scope s0; spawn t0 in s0 borrow mut x { park } as h0; ";
  lab.run(spawn + "drop h0; drop s0");
  EXPECT_THAT(expiries(lab), ElementsAre(op_of(spawn + "drop h0; drop s0", "drop s0")));
  lab.run(spawn + "drop s0; drop h0");
  EXPECT_THAT(expiries(lab), ElementsAre(op_of(spawn + "drop s0; drop h0", "drop h0")));
}

TEST(Loan, held_by_a_result_ends_with_the_handle_that_hands_it_over) {
  Lab lab("slot_nursery");
  const std::string with =
      "cell x; scope s0; spawn t0 in s0 borrow mut x { touch-on-drop result x } as h0; drop s0; drop h0";
  lab.run(with);
  EXPECT_THAT(expiries(lab), ElementsAre(op_of(with, "drop h0")));
  const std::string without = "cell x; scope s0; spawn t0 in s0 borrow mut x { } as h0; drop s0; drop h0";
  lab.run(without);
  EXPECT_THAT(expiries(lab), ElementsAre(op_of(without, "drop s0")));
}

TEST(Loan, of_a_spawn_that_is_awaited_on_the_spot_ends_with_its_await) {
  Lab lab("forced_await");
  const auto* const text = "cell x; inside { spawn t0 borrow mut x { write x } await; suspend }";
  lab.run(text);
  ASSERT_THAT(lab.events(EventKind::loan_expired), SizeIs(1));
  EXPECT_LT(lab.at(EventKind::finished, 0), lab.at(EventKind::loan_expired, 0));
  EXPECT_LT(lab.at(EventKind::loan_expired, 0), lab.at(EventKind::cell_died, 0));
  EXPECT_EQ(lab.events(EventKind::loan_expired).front().op, op_of(text, "spawn t0 borrow mut x {"));
}

TEST(Loan, passed_on_to_a_nested_child_ends_with_the_one_that_it_came_from) {
  Lab lab("stacked_in_scope");
  // t1's own handle lives on in the body of t0; what it was lent was t0's to lend
  const std::string text =
      "cell x; spawn t0 borrow mut x { spawn t1 borrow mut x { write x } as h1; park } as h0 boxed; step t0; "
      "forget h0; "
      "settle";
  lab.run(text);
  ASSERT_THAT(lab.events(EventKind::loan_expired), SizeIs(2));
  EXPECT_THAT(lab.events(EventKind::loan_expired), Each(Field(&Event::op, op_of(text, "forget h1"))));
  EXPECT_THAT(
      lab.events(EventKind::touched_write),
      ElementsAre(testing::AllOf(Field(&Event::actor, 1), Field(&Event::detail, ledger::touch_expired))));
  EXPECT_TRUE(reached(lab, Goal::spawned_by_child));
}

TEST(Loan, passed_on_into_the_same_scope_is_good_until_the_scope_ends) {
  Lab lab("slot_nursery");
  const auto* const text =
      "cell x; scope s0; spawn t0 in s0 borrow mut x { spawn t1 in s0 borrow mut x { write x } as h1 } as "
      "h0; poll s0; "
      "poll s0; drop s0";
  lab.run(text);
  EXPECT_THAT(lab.events(EventKind::touched_write),
              ElementsAre(testing::AllOf(Field(&Event::actor, 1), Field(&Event::detail, ledger::touch_ok))));
  EXPECT_THAT(lab.events(EventKind::loan_expired), Each(Field(&Event::op, op_of(text, "drop s0"))));
  EXPECT_THAT(kinds(lab), IsEmpty());
}

// ---- children ---------------------------------------------------------------------------------------

TEST(Child, touches_on_drop_what_it_captured_even_if_it_never_ran) {
  Lab lab(spy());
  lab.run("cell x; spawn t0 borrow mut x { touch-on-drop capture x } as h0; drop h0");
  EXPECT_EQ(lab.count(EventKind::stepped), 0u);
  EXPECT_THAT(lab.events(EventKind::touched_by_capture),
              ElementsAre(Field(&Event::detail, ledger::touch_ok)));
  EXPECT_LT(lab.at(EventKind::child_dropped, 0), lab.at(EventKind::touched_by_capture, 0));
}

TEST(Child, drops_its_own_variables_before_what_it_captured) {
  Lab lab(spy());
  lab.run("cell x; spawn t0 borrow mut x { touch-on-drop capture x; cell y; park } as h0; settle; drop h0");
  EXPECT_LT(lab.at(EventKind::cell_died, 1), lab.at(EventKind::touched_by_capture, 0));
}

TEST(Child, hands_its_result_to_whoever_polls_and_else_the_implementation_drops_it) {
  Lab lab(spy());
  const std::string spawn = "cell x; spawn t0 borrow mut x { touch-on-drop result x } as h0; settle; ";
  lab.run(spawn + "poll h0; settle; drop h0");
  EXPECT_THAT(lab.events(EventKind::touched_by_result),
              ElementsAre(Field(&Event::op, op_of(spawn + "poll h0", "poll h0"))));
  lab.run(spawn + "drop h0");
  EXPECT_THAT(lab.events(EventKind::touched_by_result),
              ElementsAre(Field(&Event::op, op_of(spawn + "drop h0", "drop h0"))));
  EXPECT_THAT(kinds(lab), IsEmpty());
}

TEST(Child, leaves_a_waker_behind_that_can_be_fired_late) {
  rogue::hooks = rogue::Hooks{};
  int wakes = 0;
  rogue::hooks.woken = [&] { ++wakes; };
  Lab lab(kit::table<Rogue>());
  const std::string text = "spawn t0 { keep waker; park } as h0; poll h0; drop h0; wake t0";
  EXPECT_EQ(lab.run(text), Outcome::clean);
  EXPECT_EQ(wakes, 1);
  EXPECT_THAT(
      lab.events(EventKind::woken),
      ElementsAre(testing::AllOf(Field(&Event::op, op_of(text, "wake t0")), Field(&Event::detail, 1))));
  EXPECT_LT(lab.at(EventKind::child_dropped, 0), lab.at(EventKind::woken, 0));
  EXPECT_TRUE(reached(lab, Goal::late_wake));
  EXPECT_THAT(kinds(lab), IsEmpty());
}

TEST(Child, that_is_parked_goes_on_when_it_is_woken_and_not_before) {
  Lab lab(spy());
  lab.run("cell x; spawn t0 borrow mut x { park; write x } as h0; settle; settle; drop h0");
  EXPECT_EQ(lab.count(EventKind::touched_write), 0u);
  lab.run("cell x; spawn t0 borrow mut x { park; write x } as h0; settle; wake t0; settle; drop h0");
  EXPECT_EQ(lab.count(EventKind::touched_write), 1u);
}

// ---- the runtime ------------------------------------------------------------------------------------

TEST(Inside, runs_the_block_as_a_task_of_the_runtime) {
  Lab lab(spy());
  const auto* const text = "inside { spawn t0 { yield } as h0; await h0; suspend }; settle";
  EXPECT_EQ(lab.run(text), Outcome::clean);
  EXPECT_THAT(journal, ElementsAre("drop h0")) << "an await consumes what can move";
  EXPECT_LT(lab.at(EventKind::finished, 0), lab.at(EventKind::joined, 0));
  EXPECT_THAT(lab.events(EventKind::joined), ElementsAre(Field(&Event::op, op_of(text, "await h0"))));
  EXPECT_TRUE(reached(lab, Goal::client_inside));
}

TEST(Inside, passes_a_panic_on) {
  Lab lab(spy());
  lab.run("catch { inside { spawn t0 { park } as h0; throw } }; spawn t1 { } as h1");
  EXPECT_THAT(lab.subjects(EventKind::value_unwound), ElementsAre(0));
  EXPECT_EQ(lab.count(EventKind::caught), 1u);
  EXPECT_THAT(lab.subjects(EventKind::spawned), ElementsAre(0, 1));
}

TEST(Shutdown, ends_the_runtime_and_nothing_drives_it_any_more) {
  Lab lab(spy());
  const auto* const text = "spawn t0 { park } as h0; settle; shutdown; drop h0";
  EXPECT_EQ(lab.run(text), Outcome::clean);
  EXPECT_THAT(lab.events(EventKind::child_dropped), ElementsAre(Field(&Event::op, op_of(text, "shutdown"))));
  EXPECT_EQ(lab.count(EventKind::settled), 1u) << "no final settle";
  EXPECT_TRUE(reached(lab, Goal::shut_down_live));
}

TEST(Scope, joins_closes_cancels_and_waits_through_join_objects) {
  Lab lab(guard_spy());
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { yield }; join s0"), Outcome::clean);
  EXPECT_LT(lab.at(EventKind::finished, 0), lab.at(EventKind::joined, 0));
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { park }; cancel s0; join s0"), Outcome::clean);
  EXPECT_LT(lab.at(EventKind::cancelled, 0), lab.at(EventKind::child_dropped, 0));
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { yield }; close s0; join s0 as j0; poll j0; settle; poll j0"),
            Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::closed), 1u);
  ASSERT_THAT(lab.events(EventKind::polled), SizeIs(2));
  EXPECT_EQ(lab.events(EventKind::polled)[0].detail, SCOPECHECK_PENDING);
  EXPECT_EQ(lab.events(EventKind::polled)[1].detail, SCOPECHECK_OK);
  EXPECT_THAT(kinds(lab), IsEmpty());
}

TEST(Scope, that_refuses_a_child_has_dropped_it_and_its_loan_is_over) {
  scopecheck_plugin plugin = guard_spy();
  plugin.spawn = [](void*, void*, scopecheck_child* child, void*) -> scopecheck_status {
    kit::host().child_drop(child);
    return SCOPECHECK_CLOSED;
  };
  Lab lab(plugin);
  EXPECT_EQ(lab.run("cell x; scope s0; spawn t0 in s0 borrow mut x { write x }; settle"), Outcome::clean);
  EXPECT_THAT(lab.subjects(EventKind::refused), ElementsAre(0));
  EXPECT_LT(lab.at(EventKind::refused, 0), lab.at(EventKind::loan_expired, 0));
  EXPECT_THAT(kinds(lab), IsEmpty());
}

// ---- gates ------------------------------------------------------------------------------------------

TEST(Gate, that_is_closed_keeps_a_child_from_stepping) {
  Lab lab(spy());
  lab.run(
      "cell x; cell y; spawn t0 borrow mut x { write x } as h0; spawn t1 borrow mut y { write y } as h1; "
      "step t1; "
      "drop h1; drop h0");
  EXPECT_THAT(lab.subjects(EventKind::stepped), Contains(0)) << "polled by the runtime, which knows no gates";
  EXPECT_THAT(lab.events(EventKind::suspended),
              Contains(testing::AllOf(Field(&Event::subject, 0), Field(&Event::detail, 1))));
  EXPECT_THAT(lab.events(EventKind::touched_write), ElementsAre(Field(&Event::actor, 1)));
}

TEST(Gate, lets_exactly_one_step_through_for_each_permit) {
  Lab lab(spy());
  const std::string spawn = "cell x; spawn t0 borrow mut x { write x; write x; write x } as h0; ";
  for (std::size_t permits = 0; permits <= 3; ++permits) {
    std::string text = spawn;
    for (std::size_t i = 0; i < permits; ++i) text += "step t0; ";
    lab.run(text + "drop h0");
    EXPECT_EQ(lab.count(EventKind::touched_write), permits);
  }
  lab.run(spawn + "settle; drop h0");
  EXPECT_EQ(lab.count(EventKind::touched_write), 3u) << "settle opens all gates";
}

TEST(Gate, is_open_for_run_which_makes_so_many_polls) {
  Lab lab(spy());
  lab.run("cell x; spawn t0 borrow mut x { write x; yield; write x } as h0; run 1; drop h0");
  EXPECT_EQ(lab.count(EventKind::touched_write), 1u);
  lab.run("cell x; spawn t0 borrow mut x { write x; yield; write x } as h0; run 2; drop h0");
  EXPECT_EQ(lab.count(EventKind::touched_write), 2u);
}

// ---- runs that do not end, and runs after them --------------------------------------------------------

TEST(Hang, is_proved_when_the_runtime_waits_and_nobody_can_wake_it) {
  Lab lab(spy());
  EXPECT_EQ(lab.run("inside { spawn t0 { park } as h0; await h0 }"), Outcome::hang);
  EXPECT_EQ(lab.run("inside { spawn t0 { park } as h0; poll h0 }; settle"), Outcome::clean);
  Lab guard(guard_spy());
  EXPECT_EQ(guard.run("scope s0; spawn t0 in s0 { park }; join s0"), Outcome::hang);
  Lab drain("reentrant_drain");
  EXPECT_EQ(drain.run("scope s0; spawn t0 in s0 { park }; drop s0"), Outcome::hang);
  EXPECT_EQ(drain.run("scope s0; spawn t0 in s0 { yield }; drop s0"), Outcome::clean);
}

TEST(Hang, is_suspected_when_the_runtime_never_becomes_idle) {
  rogue::hooks = rogue::Hooks{};
  rogue::hooks.run = [](std::size_t budget) { return budget; };
  Lab lab(kit::table<Rogue>());
  EXPECT_EQ(lab.run("settle"), Outcome::hang_suspected);
  EXPECT_EQ(lab.run("run 1"), Outcome::hang_suspected) << "at the final settle";
}

/// Random scenarios, the same for each call.
std::vector<Scenario> random_scenarios(const scenario::Offers& offers, std::uint64_t seed,
                                       std::size_t count) {
  generator::Random random(offers, generator::random_bounds(), seed);
  std::vector<Scenario> drawn;
  for (std::size_t i = 0; i < count; ++i) drawn.push_back(random.next());
  return drawn;
}

TEST(FailStop, ends_the_run_alone) {
  rogue::hooks = rogue::Hooks{};
  rogue::hooks.destroyed = [](scopecheck_child*) { std::abort(); };
  Lab lab(kit::table<Rogue>());
  const CatchFailStops fail_stops;
  EXPECT_EQ(lab.run("spawn t0 { } as h0; drop h0"), Outcome::fail_stop);
  EXPECT_EQ(lab.run("settle"), Outcome::clean);
}

TEST(FailStop, and_hang_leave_a_machine_that_runs_like_a_fresh_one) {
  const CatchFailStops fail_stops;
  scopecheck_plugin plugin = spy();
  static bool aborts = false;
  plugin.handle_destroy = [](void* handle, std::int32_t unwinding) -> scopecheck_status {
    if (aborts) std::abort();
    return spy().handle_destroy(handle, unwinding);
  };
  Lab used(plugin);
  // each stands in the middle of everything: frames, blocks, unwinding, a child's step
  const std::vector<std::pair<const char*, Outcome>> abandoned = {
      {"frame { cell x; frame { spawn t0 borrow mut x { write x } as h0; settle; drop h0 } }",
       Outcome::fail_stop},
      {"catch { frame { spawn t0 { park } as h0; throw } }", Outcome::fail_stop},
      {"async b0 boxed { spawn t0 { } as h0; suspend; drop h0 }; poll b0; poll b0", Outcome::fail_stop},
      {"spawn t0 { spawn t1 { } as h1; drop h1 } as h0; settle; forget h0", Outcome::fail_stop},
      {"catch { inside { spawn t0 { park } as h0; await h0 } }", Outcome::hang}};
  for (const auto& [text, outcome] : abandoned) {
    aborts = true;
    EXPECT_EQ(used.run(text), outcome) << text;
    aborts = false;
    EXPECT_EQ(std::uncaught_exceptions(), 0) << text;
    for (const Scenario& scenario : random_scenarios(used.offers(), 7, 50)) {
      Lab fresh(plugin);
      const Outcome after = used.run(scenario);
      EXPECT_EQ(after, fresh.run(scenario));
      ASSERT_EQ(used.events(), fresh.events()) << text << "\nthen\n" << scenario::to_text(scenario);
      ASSERT_EQ(used.ledger().reached(), fresh.ledger().reached());
    }
  }
}

TEST(Run, knows_nothing_of_the_runs_before_it) {
  int wakes = 0;
  rogue::hooks = rogue::Hooks{};
  rogue::hooks.woken = [&] { ++wakes; };
  Lab lab(kit::table<Rogue>());
  lab.run("spawn t0 { park } as h0 boxed; poll h0; forget h0");
  // t0 is never spawned here, since the block never runs: its waker was the earlier runtime's
  EXPECT_EQ(lab.run("async b0 { spawn t0 { park } as h0 }; wake t0"), Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::woken), 0u);
  EXPECT_EQ(wakes, 0);
  rogue::hooks = rogue::Hooks{};
}

// ---- determinism ------------------------------------------------------------------------------------

class Designs : public testing::TestWithParam<std::string> {};

TEST_P(Designs, give_the_same_ledger_twice_for_the_same_scenario) {
  Lab one(GetParam());
  Lab other(GetParam());
  const CatchFailStops fail_stops;
  EXPECT_TRUE(rc::check([&] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    for (const Scenario& scenario : random_scenarios(one.offers(), seed, 5)) {
      const Outcome first = one.run(scenario);
      const std::vector<Event> events = one.events();
      RC_ASSERT(first != Outcome::error);
      RC_ASSERT(one.run(scenario) == first);
      const bool again = one.events() == events;
      RC_ASSERT(again);
      RC_ASSERT(other.run(scenario) == first);
      const bool elsewhere = other.events() == events && other.ledger().reached() == one.ledger().reached() &&
                             other.ledger().alarms() == one.ledger().alarms();
      RC_ASSERT(elsewhere);
    }
  }));
}

// A waker of intrusive_list writes into dead nodes, which an ASan build reports.
std::vector<std::string> designs_that_keep_to_their_own_memory() {
  std::vector<std::string> names = names_that_can_be_left(false);
  std::erase(names, "intrusive_list");
  return names;
}
INSTANTIATE_TEST_SUITE_P(All, Designs, testing::ValuesIn(designs_that_keep_to_their_own_memory()),
                         [](const auto& info) { return info.param; });

/// The bound of the claim of reach: random scenarios from seed 1.
constexpr std::size_t scenarios_until_all_events_occur = 2000;

TEST(Events, of_every_kind_but_a_scribble_occur_within_two_thousand_random_scenarios_of_seven_apis) {
  const CatchFailStops fail_stops;
  std::uint64_t seen = 0;
  for (const scopecheck_plugin* plugin :
       {&spy(), &guard_spy(), &registered_plugin("heap_spawn"), &registered_plugin("root_parked"),
        &registered_plugin("counting_scope"), &registered_plugin("task_group"),
        &registered_plugin("draining_closure")}) {
    Lab lab(*plugin, scenario::Discipline::documented);
    for (const Scenario& scenario : random_scenarios(lab.offers(), 1, scenarios_until_all_events_occur)) {
      lab.run(scenario);
      seen |= lab.ledger().seen();
    }
  }
  for (std::size_t i = 0; i < ledger::event_kinds; ++i) {
    const auto kind = static_cast<EventKind>(i);
    EXPECT_EQ((seen >> i & 1) != 0, kind != EventKind::scribbled) << ledger::info(kind).id;
  }
}

// ---- misbehaviour -----------------------------------------------------------------------------------

class Misbehaviour : public testing::Test {
 protected:
  Misbehaviour() {
    rogue::hooks = rogue::Hooks{};
    rogue::hooks.spawned = [this](scopecheck_child* spawned) { child = spawned; };
  }
  ~Misbehaviour() override { rogue::hooks = rogue::Hooks{}; }
  static scopecheck_plugin embedding() {
    scopecheck_plugin plugin = kit::table<Rogue>();
    plugin.handle_embeds_child = 1;
    return plugin;
  }
  scopecheck_child* child = nullptr;
  const CatchFailStops fail_stops;
};

TEST_F(Misbehaviour, none_gives_no_finding) {
  Lab lab(embedding());
  EXPECT_EQ(lab.run("cell x; spawn t0 borrow mut x { yield; write x } as h0; poll h0; poll h0"),
            Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::touched_write), 1u);
  EXPECT_THAT(kinds(lab), IsEmpty());
}

TEST_F(Misbehaviour, stepping_a_finished_child_is_step_after_done) {
  rogue::hooks.polled = [](scopecheck_child* polled) {
    EXPECT_EQ(rogue::step(polled), SCOPECHECK_OK);
    EXPECT_EQ(rogue::step(polled), SCOPECHECK_PENDING) << "nothing ran";
    return std::optional(kit::Result());
  };
  Lab lab(kit::table<Rogue>());
  EXPECT_EQ(lab.run("cell x; spawn t0 borrow mut x { write x } as h0; poll h0"), Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::touched_write), 1u);
  EXPECT_THAT(kinds(lab), ElementsAre("step-after-done"));
}

TEST_F(Misbehaviour, stepping_a_dropped_child_is_step_after_done) {
  rogue::hooks.run = [this](std::size_t) {
    static_cast<void>(rogue::step(child));
    return std::size_t{0};
  };
  Lab lab(kit::table<Rogue>());
  lab.run("spawn t0 { yield } as h0; drop h0; settle");
  EXPECT_THAT(kinds(lab), ElementsAre("step-after-done"));
}

TEST_F(Misbehaviour, dropping_a_child_twice_is_double_drop) {
  rogue::hooks.destroyed = [](scopecheck_child* destroyed) {
    rogue::drop(destroyed);
    rogue::drop(destroyed);
  };
  Lab lab(kit::table<Rogue>());
  EXPECT_EQ(lab.run("cell x; spawn t0 borrow mut x { touch-on-drop capture x } as h0; drop h0"),
            Outcome::clean);
  EXPECT_EQ(lab.count(EventKind::touched_by_capture), 1u) << "the second destructor is not run";
  EXPECT_THAT(kinds(lab), ElementsAre("double-drop"));
}

TEST_F(Misbehaviour, dropping_a_result_twice_is_double_drop) {
  rogue::hooks.polled = [](scopecheck_child* polled) {
    scopecheck_object* out = nullptr;
    static_cast<void>(rogue::step(polled, &out));
    static_cast<void>(kit::host().object_drop(out));
    return std::optional(kit::Result(out));
  };
  Lab lab(kit::table<Rogue>());
  lab.run("cell x; spawn t0 borrow mut x { touch-on-drop result x } as h0; poll h0");
  EXPECT_THAT(kinds(lab), ElementsAre("double-drop"));
  EXPECT_EQ(lab.count(EventKind::touched_by_result), 1u);
}

TEST_F(Misbehaviour, never_dropping_an_embedded_child_is_never_dropped) {
  rogue::hooks.destroyed = [](scopecheck_child*) {};
  Lab lab(embedding());
  lab.run("spawn t0 { } as h0");
  EXPECT_THAT(kinds(lab), ElementsAre("never-dropped"));
  Lab elsewhere(kit::table<Rogue>());
  elsewhere.run("spawn t0 { } as h0");
  EXPECT_THAT(kinds(elsewhere), IsEmpty()) << "a child of its own that leaks is no finding";
  lab.run("spawn t0 { } as h0 boxed; forget h0");
  EXPECT_THAT(kinds(lab), IsEmpty()) << "forgotten by the client, not reclaimed by the implementation";
}

TEST_F(Misbehaviour, stepping_or_dropping_a_child_in_dead_storage_is_future_after_free) {
  rogue::hooks.destroyed = [](scopecheck_child*) {};
  rogue::hooks.run = [this](std::size_t) {
    static_cast<void>(rogue::step(child));
    return std::size_t{0};
  };
  Lab lab(embedding());
  lab.run("spawn t0 { yield } as h0; forget h0 in-place; settle");
  EXPECT_THAT(kinds(lab), ElementsAre("future-after-free"));
  lab.run("spawn t0 { yield } as h0; drop h0; settle");
  EXPECT_THAT(kinds(lab), ElementsAre("never-dropped", "future-after-free"));
  rogue::hooks.run = [this](std::size_t) {
    if (child != nullptr) rogue::drop(std::exchange(child, nullptr));
    return std::size_t{0};
  };
  lab.run("spawn t0 { yield } as h0; forget h0 in-place; settle");
  EXPECT_THAT(kinds(lab), ElementsAre("future-after-free"));
}

TEST_F(Misbehaviour, stepping_an_embedded_child_that_moved_is_moved_after_start) {
  Lab lab(embedding());
  lab.run("spawn t0 { yield } as h0; poll h0; move h0; poll h0");
  EXPECT_THAT(kinds(lab), ElementsAre("moved-after-start"));
  lab.run("spawn t0 { yield } as h0; move h0; poll h0; poll h0");
  EXPECT_THAT(kinds(lab), IsEmpty()) << "before its start it may move";
}

TEST_F(Misbehaviour, stepping_a_child_from_within_its_own_step_is_double_step) {
  rogue::hooks.woken = [this] { EXPECT_EQ(rogue::step(child), SCOPECHECK_PENDING); };
  Lab lab(kit::table<Rogue>());
  EXPECT_EQ(lab.run("cell x; spawn t0 borrow mut x { yield; write x } as h0; poll h0; poll h0"),
            Outcome::clean);
  EXPECT_THAT(kinds(lab), ElementsAre("double-step"));
  EXPECT_EQ(lab.count(EventKind::touched_write), 1u) << "its own step went on";
}

TEST_F(Misbehaviour, dropping_a_child_from_within_its_own_step_is_future_after_free) {
  rogue::hooks.woken = [this] { rogue::drop(child); };
  rogue::hooks.destroyed = [](scopecheck_child*) {};
  Lab lab(kit::table<Rogue>());
  EXPECT_EQ(lab.run("spawn t0 { yield } as h0; poll h0"), Outcome::clean);
  EXPECT_THAT(kinds(lab), ElementsAre("future-after-free"));
}

TEST_F(Misbehaviour, saying_ready_too_early_is_join_lied_and_swallowing_a_panic_lost_panic) {
  rogue::hooks.polled = [](scopecheck_child* polled) {
    static_cast<void>(rogue::step(polled));
    return std::optional(kit::Result());
  };
  Lab lab(kit::table<Rogue>());
  lab.run("spawn t0 { park } as h0; poll h0");
  EXPECT_THAT(kinds(lab), ElementsAre("join-lied"));
  lab.run("spawn t0 { throw } as h0; poll h0");
  EXPECT_THAT(kinds(lab), ElementsAre("lost-panic"));
}

TEST_F(Misbehaviour, ignoring_a_wake_while_driven_is_lost_wake) {
  Lab lab(kit::table<Rogue>());
  lab.run("spawn t0 { park } as h0; poll h0; wake t0; settle");
  EXPECT_THAT(kinds(lab), ElementsAre("lost-wake"));
}

TEST_F(Misbehaviour, more_events_than_the_ledger_holds_are_an_error_never_a_pass) {
  rogue::hooks.polled = [](scopecheck_child* polled) {
    for (std::size_t i = 0; i <= ledger::max_events; ++i) static_cast<void>(rogue::step(polled));
    return std::optional(kit::Result());
  };
  Lab lab(kit::table<Rogue>());
  EXPECT_EQ(lab.run("spawn t0 { } as h0; poll h0"), Outcome::error);
  EXPECT_THAT(lab.machine().error(), HasSubstr("overflow"));
}

TEST_F(Misbehaviour, finishing_block_on_twice_is_an_error) {
  rogue::hooks.block_on = [](scopecheck_child* root) {
    static_cast<void>(rogue::step(root));
    static_cast<void>(rogue::step(root));
  };
  Lab lab(kit::table<Rogue>());
  EXPECT_EQ(lab.run("inside { spawn t0 { } as h0 }"), Outcome::error);
  EXPECT_THAT(lab.machine().error(), HasSubstr("block_on"));
}

/// A table of the spy with one function that answers with an error code.
struct Failing {
  const char* name;
  void (*spoil)(scopecheck_plugin&);
  const scopecheck_plugin& (*base)();
  const char* program;
};
void PrintTo(const Failing& failing, std::ostream* out) { *out << failing.name; }

class ErrorCode : public testing::TestWithParam<Failing> {};

TEST_P(ErrorCode, of_an_implementation_makes_the_run_an_error_with_a_reason) {
  scopecheck_plugin plugin = GetParam().base();
  Lab sound(plugin);
  ASSERT_EQ(sound.run(GetParam().program), Outcome::clean);
  GetParam().spoil(plugin);
  Lab lab(plugin);
  EXPECT_EQ(lab.run(GetParam().program), Outcome::error);
  EXPECT_THAT(lab.machine().error(), testing::Not(testing::StrEq("")));
}

constexpr scopecheck_status broken = SCOPECHECK_E_RUNTIME;
const Failing failing[] = {
    {"rt_new",
     [](auto& p) { p.rt_new = [](const scopecheck_host*, std::uint32_t, void**) { return broken; }; }, &spy,
     ""},
    {"rt_run", [](auto& p) { p.rt_run = [](void*, std::uint64_t, std::uint64_t*) { return broken; }; }, &spy,
     "settle"},
    {"rt_shutdown", [](auto& p) { p.rt_shutdown = [](void*) { return broken; }; }, &spy, "shutdown"},
    {"block_on",
     [](auto& p) { p.block_on = [](void*, scopecheck_child*, scopecheck_object**) { return broken; }; }, &spy,
     "inside { spawn t0 { } as h0 }"},
    {"block_on_pending",
     [](auto& p) {
       p.block_on = [](void*, scopecheck_child*, scopecheck_object**) -> scopecheck_status {
         return SCOPECHECK_PENDING;
       };
     },
     &spy, "inside { spawn t0 { } as h0 }"},
    {"spawn", [](auto& p) { p.spawn = [](void*, void*, scopecheck_child*, void*) { return broken; }; }, &spy,
     "spawn t0 { } as h0"},
    {"spawn_closed_without_dropping_the_child",
     [](auto& p) {
       p.spawn = [](void*, void*, scopecheck_child*, void*) -> scopecheck_status {
         return SCOPECHECK_CLOSED;
       };
     },
     &spy, "spawn t0 { } as h0"},
    {"handle_destroy", [](auto& p) { p.handle_destroy = [](void*, std::int32_t) { return broken; }; }, &spy,
     "spawn t0 { } as h0"},
    {"handle_move", [](auto& p) { p.handle_move = [](void*, void*) { return broken; }; }, &spy,
     "spawn t0 { } as h0; move h0; forget h0"},
    {"handle_poll",
     [](auto& p) {
       p.handle_poll = [](void*, const scopecheck_waker*, scopecheck_object**) { return broken; };
     },
     &spy, "spawn t0 { } as h0; poll h0"},
    {"scope_init", [](auto& p) { p.scope_init = [](void*, void*) { return broken; }; }, &guard_spy,
     "scope s0"},
    {"scope_join", [](auto& p) { p.scope_join = [](void*) { return broken; }; }, &guard_spy,
     "scope s0; join s0"},
    {"scope_close", [](auto& p) { p.scope_close = [](void*) { return broken; }; }, &guard_spy,
     "scope s0; close s0"},
    {"scope_cancel", [](auto& p) { p.scope_cancel = [](void*) { return broken; }; }, &guard_spy,
     "scope s0; cancel s0"},
    {"join_begin", [](auto& p) { p.join_begin = [](void*, void*) { return broken; }; }, &guard_spy,
     "scope s0; join s0 as j0"},
    {"join_poll", [](auto& p) { p.join_poll = [](void*, const scopecheck_waker*) { return broken; }; },
     &guard_spy, "scope s0; join s0 as j0; poll j0"},
    {"child_block",
     [](auto& p) {
       p.spawn = [](void*, void*, scopecheck_child* child, void*) -> scopecheck_status {
         scopecheck_object* out = nullptr;
         static_cast<void>(kit::host().child_block(child, &out));
         kit::host().child_drop(child);
         return SCOPECHECK_CLOSED;
       };
     },
     &spy, "spawn t0 { } as h0"}};
INSTANTIATE_TEST_SUITE_P(Of, ErrorCode, testing::ValuesIn(failing),
                         [](const auto& info) { return std::string(info.param.name); });

/// Nothing may unwind across the door; a table that does it anyway is named, and the next run is clean.
TEST(Exception, that_comes_out_of_the_door_makes_the_run_an_error_that_names_the_function) {
  struct Throwing {
    const char* function;
    void (*spoil)(scopecheck_plugin&);
    const char* program;
  };
  static bool throws = true;
  for (const Throwing& t : {
           Throwing{"rt_run",
                    [](auto& p) {
                      p.rt_run = [](void*, std::uint64_t, std::uint64_t* used) -> scopecheck_status {
                        if (throws) throw std::runtime_error("out");
                        *used = 0;
                        return SCOPECHECK_OK;
                      };
                    },
                    "settle"},
           Throwing{"handle_poll",
                    [](auto& p) {
                      p.handle_poll = [](void*, const scopecheck_waker*,
                                         scopecheck_object**) -> scopecheck_status {
                        if (throws) throw std::runtime_error("out");
                        return SCOPECHECK_PENDING;
                      };
                    },
                    "spawn t0 { } as h0; poll h0"},
       }) {
    scopecheck_plugin plugin = spy();
    t.spoil(plugin);
    Lab lab(plugin);
    throws = true;
    EXPECT_EQ(lab.run(t.program), Outcome::error) << t.function;
    EXPECT_EQ(lab.machine().error(), std::string(t.function) + " let an exception out");
    throws = false;
    EXPECT_EQ(lab.run(t.program), Outcome::clean) << t.function;
    EXPECT_EQ(std::uncaught_exceptions(), 0);
  }
}

TEST(Exception, that_the_kit_stops_at_rt_run_is_named_as_well) {
  rogue::hooks = {};
  rogue::hooks.run = [](std::size_t) -> std::size_t { throw std::runtime_error("out"); };
  Lab lab(kit::table<Rogue>());
  EXPECT_EQ(lab.run("settle"), Outcome::error);
  EXPECT_EQ(lab.machine().error(), std::string("rt_run let an exception out"));
  rogue::hooks = {};
}

}  // namespace
}  // namespace scopecheck::tests
