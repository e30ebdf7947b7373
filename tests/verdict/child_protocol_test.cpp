// The oracle of a child's little state machine: each finding, and its sound twin.
#include "tests/verdict/hand_made.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scopecheck::verdict {
namespace {

using enum EventKind;
using testing::ElementsAre;
using testing::IsEmpty;

//                              0                  1       2      3         4        5
constexpr auto* program = "spawn t0 { park } as h0; poll h0; move h0; forget h0";
constexpr std::uint8_t h0 = 0;

HandMade spawned_in(std::uint8_t home) {
  HandMade made(program);
  return made.child(spawned, 0, 0, home);
}
std::vector<std::string> found(const HandMade& made) { return signatures(made, child_protocol); }

TEST(ChildProtocol, a_whole_life_is_no_finding) {
  HandMade made = spawned_in(h0);
  made.child(stepped, 3).child(suspended, 1).child(stepped, 4).child(finished, 2).child(child_dropped, 4);
  made.child(result_dropped, 4).client(value_dropped, 6, h0).client(storage_died, 6, h0);
  EXPECT_THAT(found(made), IsEmpty());
}

TEST(ChildProtocol, a_parked_child_may_be_stepped_again) {
  HandMade made = spawned_in(none);
  made.child(stepped, 3).child(parked, 1).child(stepped, 4);
  EXPECT_THAT(found(made), IsEmpty());
}

TEST(ChildProtocol, a_child_that_is_never_dropped_is_no_finding_where_it_is_not_embedded) {
  HandMade made = spawned_in(none);
  made.child(stepped, 3).child(suspended, 1).client(storage_died, 6, h0);
  EXPECT_THAT(found(made), IsEmpty());
}

TEST(ChildProtocol, a_step_after_the_end_is_step_after_done) {
  for (const EventKind end : {finished, threw, child_dropped}) {
    HandMade made = spawned_in(none);
    made.child(stepped, 3).child(end, 4).child(stepped, 5);
    EXPECT_THAT(found(made), ElementsAre("step-after-done(-, move, stepped)")) << ledger::info(end).id;
  }
}

TEST(ChildProtocol, a_step_within_a_step_is_double_step) {
  HandMade made = spawned_in(none);
  made.child(stepped, 3).child(stepped, 3);
  EXPECT_THAT(found(made), ElementsAre("double-step(-, -, stepped)"));
}

TEST(ChildProtocol, a_step_within_a_step_of_another_child_is_no_finding) {
  HandMade made = spawned_in(none);
  made.child(spawned, 0, 1, none).child(stepped, 3, 0).child(stepped, 3, 1);
  EXPECT_THAT(found(made), IsEmpty());
}

TEST(ChildProtocol, two_destructors_are_double_drop) {
  HandMade made = spawned_in(none);
  made.child(child_dropped, 3).child(child_dropped, 5);
  EXPECT_THAT(found(made), ElementsAre("double-drop(-, poll, child-dropped)"));
}

TEST(ChildProtocol, two_destructors_of_a_result_or_payload_are_double_drop) {
  HandMade once = spawned_in(none);
  once.child(result_dropped, 3).child(payload_dropped, 3);
  EXPECT_THAT(found(once), IsEmpty());
  HandMade made = spawned_in(none);
  made.child(result_dropped, 3, 0, 1).child(payload_dropped, 3, 0, 1);
  EXPECT_THAT(found(made),
              ElementsAre("double-drop(-, -, result-dropped)", "double-drop(-, -, payload-dropped)"));
}

TEST(ChildProtocol, a_destructor_in_the_middle_of_its_own_step_is_future_after_free) {
  HandMade made = spawned_in(none);
  made.child(stepped, 3).child(child_dropped, 3, 0, 1);
  EXPECT_THAT(found(made), ElementsAre("future-after-free(-, poll, child-dropped)"));
}

TEST(ChildProtocol, storage_reclaimed_without_the_destructor_is_never_dropped) {
  HandMade made = spawned_in(h0);
  made.child(stepped, 3).child(suspended, 1).client(value_dropped, 6, h0).client(storage_died, 6, h0);
  EXPECT_THAT(found(made), ElementsAre("never-dropped(-, frame-end, storage-died)"));
}

TEST(ChildProtocol, storage_that_the_client_forgot_is_no_finding_until_it_is_used) {
  HandMade made = spawned_in(h0);
  made.child(stepped, 3).child(suspended, 1).client(value_forgotten, 5, h0, 2).client(storage_died, 5, h0);
  EXPECT_THAT(found(made), IsEmpty());
  HandMade step = made;
  step.child(stepped, 7);
  EXPECT_THAT(found(step), testing::Contains("future-after-free(-, forget, stepped)"));
  HandMade drop = made;
  drop.child(child_dropped, 7);
  EXPECT_THAT(found(drop), ElementsAre("future-after-free(-, forget, child-dropped)"));
}

TEST(ChildProtocol, a_step_after_a_move_is_moved_after_start) {
  HandMade made = spawned_in(h0);
  made.child(stepped, 3).child(suspended, 1).client(value_moved, 4, h0).child(stepped, 5);
  EXPECT_THAT(found(made), ElementsAre("moved-after-start(-, move, stepped)"));
}

TEST(ChildProtocol, a_move_before_the_first_step_is_no_finding) {
  HandMade made = spawned_in(h0);
  made.client(value_moved, 4, h0).child(stepped, 5).child(suspended, 1).child(stepped, 5);
  EXPECT_THAT(found(made), IsEmpty());
}

TEST(ChildProtocol, a_move_of_another_value_is_no_finding) {
  HandMade made = spawned_in(h0);
  made.child(stepped, 3).child(suspended, 1).client(value_moved, 4, 5).child(stepped, 5);
  EXPECT_THAT(found(made), IsEmpty());
}

TEST(ChildProtocol, forgetting_moves_a_value_in_a_frame_and_not_a_boxed_one) {
  HandMade made = spawned_in(h0);
  made.child(stepped, 3).child(suspended, 1).client(value_forgotten, 5, h0).child(stepped, 7);
  EXPECT_THAT(found(made), ElementsAre("moved-after-start(-, forget, stepped)"));
  HandMade boxed("spawn t0 { park } as h0 boxed; poll h0; forget h0");
  boxed.child(spawned, 0, 0, h0)
      .child(stepped, 3)
      .child(suspended, 1)
      .client(value_forgotten, 4, h0)
      .child(stepped, 6);
  EXPECT_THAT(found(boxed), IsEmpty());
}

}  // namespace
}  // namespace scopecheck::verdict
