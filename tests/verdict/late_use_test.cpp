// The oracle of late touches: what it reports and what it must not.
#include "tests/verdict/hand_made.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scopecheck::verdict {
namespace {

using enum EventKind;
using testing::ElementsAre;
using testing::IsEmpty;

//                              0       1                         2           3             4
constexpr auto* forgotten = "cell x; spawn t0 borrow mut x { write x } as h0 boxed; forget h0";

HandMade begun(std::string_view program) {
  HandMade made(program);
  made.client(frame_opened, 0).client(cell_born, 0).child(spawned, 1, 0, none).task(0, loan_taken, 1, 0, 0);
  return made;
}

TEST(LateUse, is_use_after_scope_when_the_memory_had_ended) {
  HandMade made = begun(forgotten);
  made.client(value_forgotten, 4)
      .task(0, loan_expired, 4, 0, client_actor)
      .client(cell_died, 5)
      .client(frame_ended, 5);
  made.child(stepped, 6).task(0, touched_write, 2, 0, ledger::touch_dead);
  Findings findings;
  late_use(made.evidence(), findings);
  ASSERT_EQ(findings.size(), 1u);
  const Finding& finding = *findings.begin();
  EXPECT_EQ(to_string(finding.signature), "use-after-scope(forget, frame-end, write)");
  EXPECT_EQ(finding.task, 0);
  EXPECT_EQ(finding.cell, 0);
  EXPECT_EQ(finding.value, 0) << "the carrier";
  EXPECT_EQ(finding.taken_at, 1);
  EXPECT_EQ(finding.released_at, 4);
  EXPECT_EQ(finding.ended_at, 5);
  EXPECT_EQ(finding.used_at, 2);
  EXPECT_EQ(made.events[finding.event].kind, touched_write);
}

TEST(LateUse, is_aliased_borrow_when_only_the_loan_had_ended) {
  HandMade made = begun(forgotten);
  made.client(value_forgotten, 4).task(0, loan_expired, 4, 0, client_actor);
  made.child(stepped, 5).task(0, touched_write, 2, 0, ledger::touch_expired);
  EXPECT_THAT(signatures(made, late_use), ElementsAre("aliased-borrow(forget, -, write)"));
}

TEST(LateUse, is_not_reported_of_a_touch_in_time) {
  HandMade made = begun(forgotten);
  made.child(stepped, 4).task(0, touched_write, 2, 0, ledger::touch_ok);
  made.client(value_forgotten, 4).task(0, loan_expired, 4, 0, client_actor).client(cell_died, 5);
  EXPECT_THAT(signatures(made, late_use), IsEmpty());
}

TEST(LateUse, is_not_reported_of_the_client_itself) {
  HandMade made = begun(forgotten);
  made.client(cell_died, 5).client(client_touched, 5, 0, 1);
  EXPECT_THAT(signatures(made, late_use), IsEmpty());
}

TEST(LateUse, has_five_carriers) {
  for (const EventKind kind :
       {touched_read, touched_write, touched_by_capture, touched_by_result, touched_by_payload}) {
    HandMade made = begun(forgotten);
    made.task(0, loan_expired, 4, 0, client_actor)
        .client(cell_died, 5)
        .task(0, kind, 6, 0, ledger::touch_dead);
    EXPECT_THAT(signatures(made, late_use),
                ElementsAre("use-after-scope(forget, frame-end, " + op_of_touch(kind) + ")"));
  }
}

TEST(LateUse, names_moments_after_the_last_op) {
  HandMade made = begun("cell x; spawn t0 borrow mut x { write x } as h0");
  const std::size_t end = made.size();
  made.client(value_dropped, end).task(0, loan_expired, end, 0, client_actor).client(cell_died, end);
  made.task(0, touched_write, 2, 0, ledger::touch_dead);
  EXPECT_THAT(signatures(made, late_use), ElementsAre("use-after-scope(frame-end, frame-end, write)"));
  HandMade freed = begun("cell x; spawn t0 borrow mut x { write x } as h0");
  freed.task(0, loan_expired, end + ledger::at_final_settle, 0, 0)
      .client(cell_died, end + ledger::at_runtime_end);
  freed.task(0, touched_write, 2, 0, ledger::touch_dead);
  EXPECT_THAT(signatures(freed, late_use), ElementsAre("use-after-scope(final-settle, runtime-end, write)"));
}

TEST(LateUse, looks_back_to_the_last_end_of_this_cell_and_this_task) {
  HandMade made = begun("cell x; spawn t0 borrow mut x { write x } as h0 boxed; drop h0; forget h0; settle");
  made.task(1, loan_expired, 4, 0, 0).client(cell_died, 4, 1);  // of others
  made.task(0, loan_expired, 5, 0, client_actor).client(cell_died, 7);
  made.task(0, touched_write, 2, 0, ledger::touch_dead);
  EXPECT_THAT(signatures(made, late_use), ElementsAre("use-after-scope(forget, frame-end, write)"));
}

TEST(LateUse, of_a_child_spawned_through_a_token_names_what_ended_the_loan_that_was_to_be_passed_on) {
  HandMade made(
      "cell x; scope s boxed; spawn t in s borrow mut x { spawn u in s borrow mut x { write x } }; forget s");
  made.client(cell_born, 0).task(0, loan_taken, 2, 0, 0);
  made.task(0, loan_expired, 7, 0, client_actor).client(value_forgotten, 7).client(cell_died, 8);
  made.child(stepped, 2).child(spawned, 3, 1).task(1, touched_write, 4, 0, ledger::touch_dead);
  Findings findings;
  late_use(made.evidence(), findings);
  ASSERT_EQ(findings.size(), 1u);
  const Finding& finding = *findings.begin();
  EXPECT_EQ(to_string(finding.signature), "use-after-scope(forget, frame-end, write)");
  EXPECT_EQ(finding.task, 1);
  EXPECT_EQ(finding.taken_at, 2) << "the loan was t's";
  EXPECT_EQ(finding.released_at, 7);
}

TEST(LateUse, is_reported_once_per_signature) {
  HandMade made = begun(forgotten);
  made.task(0, loan_expired, 4, 0, client_actor).client(cell_died, 5);
  made.task(0, touched_write, 2, 0, ledger::touch_dead).task(0, touched_write, 2, 0, ledger::touch_dead);
  made.task(0, touched_read, 2, 0, ledger::touch_dead);
  Findings findings;
  late_use(made.evidence(), findings);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings.begin()->event, 6u) << "the first";
}

TEST(Scribble, in_a_live_cell_is_a_conflict_of_witnesses) {
  HandMade made = begun(forgotten);
  EXPECT_THAT(signatures(made, scribble), IsEmpty());
  made.client(scribbled, 4);
  EXPECT_THAT(signatures(made, scribble), ElementsAre("witness-conflict(-, -, scribbled)"));
}

}  // namespace
}  // namespace scopecheck::verdict
