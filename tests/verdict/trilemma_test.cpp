// Each letter by the smallest ledger that shows it, and the ledgers that nearly do.
#include "harness/verdict/trilemma.hpp"

#include "tests/verdict/hand_made.hpp"

#include <gtest/gtest.h>

namespace scopecheck::verdict {
namespace {

/// A run without findings.
struct Calm : HandMade {
  explicit Calm(std::string_view text) : HandMade(text) { alarms = 0; }
};

/// "C-B"
std::string letters_in(const HandMade& made) {
  const std::uint8_t shown = letters_of(made.evidence());
  std::string out;
  for (std::size_t i = 0; i < letters; ++i) out += (shown >> i & 1) != 0 ? letter_table[i].letter : '-';
  return out;
}

TEST(Trilemma, concurrency_is_a_spawner_that_goes_on_between_two_steps) {
  Calm made("scope s0; spawn t0 in s0 { yield }; poll s0; poll s0");
  made.client(EventKind::op_begun, 1).child(EventKind::spawned, 1);
  made.client(EventKind::op_begun, 4).child(EventKind::stepped, 4).child(EventKind::suspended, 2);
  EXPECT_EQ(letters_in(made), "---") << "one step is none between two";
  made.client(EventKind::op_begun, 5);
  EXPECT_EQ(letters_in(made), "---") << "it went on, the child did not";
  made.child(EventKind::stepped, 5);
  EXPECT_EQ(letters_in(made), "C--");
}

TEST(Trilemma, no_concurrency_in_two_steps_within_one_op) {
  Calm made("scope s0; spawn t0 in s0 { yield }; poll s0; poll s0");
  made.client(EventKind::op_begun, 1).child(EventKind::spawned, 1).client(EventKind::op_begun, 4);
  made.child(EventKind::stepped, 4).child(EventKind::stepped, 4);
  EXPECT_EQ(letters_in(made), "---");
}

TEST(Trilemma, no_concurrency_in_what_came_before_the_first_step) {
  Calm made("scope s0; spawn t0 in s0 { yield }; close s0; poll s0");
  made.client(EventKind::op_begun, 1).child(EventKind::spawned, 1);
  made.client(EventKind::op_begun, 4).client(EventKind::op_begun, 5);
  made.child(EventKind::stepped, 5).child(EventKind::stepped, 5);
  EXPECT_EQ(letters_in(made), "---");
}

TEST(Trilemma, no_concurrency_in_an_await_that_is_asked_again) {
  Calm made("async b0 { spawn t0 { yield } await }; poll b0; poll b0");
  for (const std::size_t poll : {5u, 6u}) {
    made.client(EventKind::op_begun, poll).client(EventKind::op_begun, 1);
    made.child(EventKind::stepped, 1);
  }
  EXPECT_EQ(letters_in(made), "---") << "others go on, the body that spawned does not";
}

TEST(Trilemma, concurrency_in_a_block_that_comes_to_its_next_op) {
  Calm made("async b0 { spawn t0 { yield } as h0; suspend; suspend }; poll b0; poll b0");
  made.client(EventKind::op_begun, 7).client(EventKind::op_begun, 1).client(EventKind::op_begun, 4);
  made.child(EventKind::stepped, 7);
  made.client(EventKind::op_begun, 8);
  made.child(EventKind::stepped, 8);
  EXPECT_EQ(letters_in(made), "---") << "who polls the block is not who spawned";
  made.client(EventKind::op_begun, 5).child(EventKind::stepped, 8);
  EXPECT_EQ(letters_in(made), "C--");
}

TEST(Trilemma, no_concurrency_inside_of_the_call_that_waits_for_the_child) {
  Calm made("enter s0 { spawn t0 in s0 { yield; yield }; step t0; step t0 }; settle");
  made.client(EventKind::op_begun, 0).client(EventKind::op_begun, 1).child(EventKind::spawned, 1);
  for (const std::size_t step : {5u, 6u})
    made.client(EventKind::op_begun, step).child(EventKind::stepped, step);
  EXPECT_EQ(letters_in(made), "-P-");
  made.client(EventKind::op_begun, 8).child(EventKind::stepped, 8);
  EXPECT_EQ(letters_in(made), "CP-") << "a call that returned too early";
}

TEST(Trilemma, no_concurrency_in_a_further_call_inside_of_that_call) {
  Calm made("enter s0 { spawn t0 in s0 { yield }; enter s1 { spawn t1 in s1 { yield }; poll s0 } }");
  made.client(EventKind::op_begun, 5).client(EventKind::op_begun, 5).child(EventKind::stepped, 5, 1);
  made.client(EventKind::op_begun, 8).child(EventKind::stepped, 8, 0).child(EventKind::stepped, 8, 1);
  EXPECT_EQ(letters_in(made), "---") << "s1's call is in s0's";
}

TEST(Trilemma, parallelizability_is_a_step_outside_of_every_call_on_a_value) {
  for (const char* const op : {"step t0", "run 1", "settle"}) {
    Calm made(std::string("scope s0; spawn t0 in s0 { yield }; ") + op);
    EXPECT_EQ(letters_in(made.child(EventKind::stepped, 4)), "-P-") << op;
  }
  Calm inside("inside { scope s0; spawn t0 in s0 { yield }; suspend }");
  EXPECT_EQ(letters_in(inside.child(EventKind::stepped, 0)), "-P-") << "the client is suspended";
}

TEST(Trilemma, no_parallelizability_in_a_call_on_a_value) {
  for (const char* const op : {"poll s0", "join s0", "drop s0", "close s0", "cancel s0", "await s0"}) {
    Calm made(std::string("inside { scope s0; spawn t0 in s0 { yield }; ") + op + " }");
    EXPECT_EQ(letters_in(made.child(EventKind::stepped, 5)), "---") << op;
  }
  Calm spawned("scope s0; spawn t0 in s0 { yield }");
  EXPECT_EQ(letters_in(spawned.child(EventKind::stepped, 1)), "---") << "within its own spawn";
  Calm left("enter s0 { spawn t0 in s0 { yield } }");
  EXPECT_EQ(letters_in(left.child(EventKind::stepped, 4)), "---") << "while the call waits";
  Calm dropped("scope s0; spawn t0 in s0 { yield }");
  dropped.child(EventKind::stepped, dropped.size() + ledger::at_outermost_end);
  EXPECT_EQ(letters_in(dropped), "---") << "while the frame's end drops the scope";
}

TEST(Trilemma, borrowing_is_a_touch_under_a_live_loan) {
  for (const EventKind touch : {EventKind::touched_read, EventKind::touched_write}) {
    Calm made("cell x; spawn t0 borrow mut x { write x } as h0");
    made.task(0, touch, 2);
    EXPECT_EQ(letters_in(made), "---") << "a cell of its own";
    made.task(0, EventKind::loan_taken, 1);
    EXPECT_EQ(letters_in(made), "---") << "lent, not used";
    EXPECT_EQ(letters_in(made.task(0, touch, 2)), "--B");
  }
}

TEST(Trilemma, no_borrowing_by_another_task_or_of_another_cell) {
  Calm made("cell x; cell y; spawn t0 borrow mut x { write x } as h0; spawn t1 { cell z; write z } as h1");
  made.task(0, EventKind::loan_taken, 2, 0).task(1, EventKind::touched_write, 6, 0);
  made.task(0, EventKind::touched_write, 3, 1);
  EXPECT_EQ(letters_in(made), "---");
}

TEST(Trilemma, what_comes_after_a_finding_shows_nothing) {
  HandMade made("cell x; spawn t0 borrow mut x { write x } as h0; step t0; settle");
  made.task(0, EventKind::loan_taken, 1).client(EventKind::op_begun, 4);
  made.task(0, EventKind::touched_write, 2, 0, ledger::touch_expired);
  EXPECT_EQ(letters_in(made), "---") << "nor does the touch that is the finding";
  made.child(EventKind::stepped, 4).client(EventKind::op_begun, 5).child(EventKind::stepped, 5);
  made.task(0, EventKind::touched_write, 2);
  EXPECT_EQ(letters_in(made), "---");
  made.alarms = 0;  // the same events, had they been no finding
  EXPECT_EQ(letters_in(made), "CPB");
}

}  // namespace
}  // namespace scopecheck::verdict
