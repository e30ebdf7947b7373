// The oracle of a sanitizer's report: a finding of its own, the confirmation of another, or a conflict.
#include "tests/verdict/hand_made.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scopecheck::verdict {
namespace {

using enum EventKind;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto* program = "cell x; spawn t0 borrow mut x { write x } as h0; drop h0; settle";

std::vector<std::string> found(const HandMade& made, bool in_harness, bool of_ended_memory = true) {
  return signatures(made, [&](const Evidence& evidence, Findings& findings) {
    sanitizer(evidence,
              {.event = static_cast<std::uint32_t>(made.events.size()),
               .in_harness = in_harness,
               .of_ended_memory = of_ended_memory},
              findings);
  });
}

TEST(Sanitizer, speaking_of_the_runtime_is_bookkeeping_after_scope_during_the_client_s_op) {
  HandMade made(program);
  made.client(op_begun, 4).client(storage_died, 4).client(op_begun, 5);
  EXPECT_THAT(found(made, false), ElementsAre("bookkeeping-after-scope(-, settle, op-begun)"));
}

TEST(Sanitizer, speaking_before_anything_happened_is_bookkeeping) {
  EXPECT_THAT(found(HandMade(program), false), ElementsAre("bookkeeping-after-scope(-, -, op-begun)"));
}

TEST(Sanitizer, speaking_after_the_last_op_names_that_moment) {
  HandMade made(program);
  const std::size_t end = made.size();
  made.client(frame_opened, 0)
      .client(op_begun, 1)
      .client(frame_opened, 1)
      .client(op_begun, 5)
      .client(frame_ended, 3);
  EXPECT_THAT(found(made, false), ElementsAre("bookkeeping-after-scope(-, settle, frame-ended)"));
  made.child(child_dropped, end);
  EXPECT_THAT(found(made, false), ElementsAre("bookkeeping-after-scope(-, frame-end, child-dropped)"));
  made.client(frame_ended, end);
  EXPECT_THAT(found(made, false), ElementsAre("bookkeeping-after-scope(-, final-settle, frame-ended)"));
  made.child(stepped, end + ledger::at_final_settle);
  EXPECT_THAT(found(made, false), ElementsAre("bookkeeping-after-scope(-, final-settle, stepped)"));
  made.client(program_ended, end + ledger::at_final_settle);
  EXPECT_THAT(found(made, false), ElementsAre("bookkeeping-after-scope(-, runtime-end, program-ended)"));
}

TEST(Sanitizer, speaking_while_a_waker_is_fired_is_wake_after_free) {
  HandMade made(program);
  made.client(op_begun, 5).client(woken, 5, 0, 1);
  EXPECT_THAT(found(made, false), ElementsAre("wake-after-free(-, settle, woken)"));
}

TEST(Sanitizer, speaking_at_a_touch_that_the_ledger_calls_late_is_its_confirmation) {
  for (const EventKind kind :
       {touched_read, touched_write, touched_by_capture, touched_by_result, touched_by_payload}) {
    HandMade made(program);
    made.task(0, kind, 2, 0, ledger::touch_dead);
    EXPECT_THAT(found(made, true), IsEmpty()) << ledger::info(kind).id;
  }
}

TEST(Sanitizer, speaking_at_a_touch_that_the_ledger_calls_alive_is_a_conflict_of_witnesses) {
  for (const EventKind kind :
       {touched_read, touched_write, touched_by_capture, touched_by_result, touched_by_payload})
    for (const ledger::Touch touch : {ledger::touch_ok, ledger::touch_expired}) {
      HandMade made(program);
      made.client(op_begun, 5).task(0, kind, 2, 0, touch);
      EXPECT_THAT(found(made, true), ElementsAre("witness-conflict(-, settle, " + op_of_touch(kind) + ")"));
    }
}

TEST(Sanitizer, speaking_at_a_touch_of_the_client_is_a_conflict_whatever_was_written) {
  HandMade made(program);
  made.client(op_begun, 5).client(client_touched, 5, 0, 1);
  EXPECT_THAT(found(made, true), ElementsAre("witness-conflict(-, settle, client-touched)"));
}

TEST(Sanitizer, speaking_of_the_runtime_right_after_a_touch_is_bookkeeping) {
  HandMade made(program);
  made.client(op_begun, 5).task(0, touched_write, 2, 0, ledger::touch_dead);
  EXPECT_THAT(found(made, false), ElementsAre("bookkeeping-after-scope(-, settle, write)"));
}

TEST(Sanitizer, speaking_of_memory_that_lives_is_no_finding_but_said_to_be_unaccounted_for) {
  HandMade made(program);
  EXPECT_THAT(found(made, false, false), IsEmpty());
  made.client(op_begun, 4).client(op_begun, 5);
  EXPECT_THAT(found(made, false, false), IsEmpty());
  made.task(0, woken, 5);
  EXPECT_THAT(found(made, false, false), IsEmpty());
  Findings findings;
  EXPECT_FALSE(sanitizer(made.evidence(), {.event = 2}, findings));
  EXPECT_TRUE(sanitizer(made.evidence(), {.event = 2, .of_ended_memory = true}, findings));
}

/// What TSan says of cell 0 when there are so many events.
std::vector<std::string> raced(const HandMade& made) {
  return signatures(made, [&](const Evidence& evidence, Findings& findings) {
    EXPECT_TRUE(sanitizer(evidence,
                          {.event = static_cast<std::uint32_t>(made.events.size()),
                           .in_harness = true,
                           .witness = Witness::tsan,
                           .cell = 0},
                          findings));
  });
}

TEST(Sanitizer, speaking_of_a_race_of_a_child_that_came_in_time_is_a_data_race) {
  HandMade made(program);
  made.task(0, loan_taken, 1, 0).task(0, touched_write, 2, 0, ledger::touch_ok).client(op_begun, 4);
  made.task(0, loan_expired, 4, 0);
  EXPECT_THAT(raced(made), ElementsAre("data-race(drop, -, write)"));
  made.client(client_touched, 5, 0, 1);
  EXPECT_THAT(raced(made), ElementsAre("data-race(drop, -, write)")) << "whoever met it";
}

TEST(Sanitizer, speaking_of_a_race_of_a_child_that_the_ledger_calls_late_is_its_confirmation) {
  for (const int touch : {ledger::touch_dead + 0, ledger::touch_expired | ledger::touch_unordered}) {
    HandMade made(program);
    made.task(0, loan_expired, 4, 0).task(0, touched_write, 2, 0, static_cast<std::uint8_t>(touch));
    EXPECT_THAT(raced(made), IsEmpty());
  }
}

TEST(Sanitizer, speaking_of_a_race_of_the_runtime_is_bookkeeping_only_in_ended_storage) {
  EXPECT_TRUE(about_ended_memory("WARNING: ThreadSanitizer: data race (pid=1)", true));
  EXPECT_FALSE(about_ended_memory("WARNING: ThreadSanitizer: data race (pid=1)", false));
  EXPECT_TRUE(about_ended_memory("WARNING: ThreadSanitizer: heap-use-after-free (pid=1)", false));
  EXPECT_FALSE(about_ended_memory("WARNING: ThreadSanitizer: unlock of an unlocked mutex (pid=1)", true));
}

TEST(AboutEndedMemory, is_what_asan_calls_a_use_after_an_end) {
  const auto report = [](std::string_view name) {
    return "==7==ERROR: AddressSanitizer: " + std::string(name) + " on address 0x1 at pc 0x2\n";
  };
  for (const auto* name :
       {"heap-use-after-free", "stack-use-after-return", "stack-use-after-scope", "attempting double-free"})
    EXPECT_TRUE(about_ended_memory(report(name), false)) << name;
  EXPECT_TRUE(about_ended_memory(report("use-after-poison"), true));
  EXPECT_FALSE(about_ended_memory(report("use-after-poison"), false)) << "poison between live storage";
  EXPECT_TRUE(about_ended_memory(report("SEGV"), true)) << "a guarded page";
  EXPECT_FALSE(about_ended_memory(report("SEGV"), false)) << "a wild pointer";
  for (const auto* name : {"heap-buffer-overflow", "stack-buffer-overflow", "global-buffer-overflow",
                           "stack-overflow", "FPE", "attempting free on address which was not malloc()-ed"})
    EXPECT_FALSE(about_ended_memory(report(name), true)) << name;
  EXPECT_FALSE(about_ended_memory("x.cpp:1:2: runtime error: division by zero", true));
  EXPECT_FALSE(about_ended_memory("", true));
}

TEST(Sanitizer, speaking_of_events_beyond_the_ledger_does_not_read_there) {
  Findings findings;
  const HandMade made(program);
  sanitizer(made.evidence(), {.event = 4000, .in_harness = true, .of_ended_memory = true}, findings);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings.begin()->kind(), FindingKind::bookkeeping_after_scope);
}

}  // namespace
}  // namespace scopecheck::verdict
