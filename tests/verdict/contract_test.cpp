// The oracle of promises: each broken promise, its sound twin, and the same without the promise.
#include "tests/verdict/hand_made.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scopecheck::verdict {
namespace {

using enum EventKind;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint8_t thrown = 2;  // as the door says it
constexpr std::uint8_t s0 = 0;
constexpr std::uint8_t h0 = 1;
constexpr std::uint8_t j0 = 2;
constexpr auto* program = "scope s0; spawn t0 in s0 { park } as h0; join s0 as j0; poll j0";

HandMade made_of_one_child() {
  HandMade made(program);
  return made.child(spawned, 1, 0, none);
}
std::vector<std::string> found(const HandMade& made) { return signatures(made, contract); }

TEST(JoinLied, is_a_join_that_reports_while_its_child_is_not_done) {
  for (const std::uint8_t joined_value : {s0, h0, j0}) {
    HandMade made = made_of_one_child();
    made.child(stepped, 4).child(parked, 2).client(joined, 5, joined_value);
    EXPECT_THAT(found(made), ElementsAre("join-lied(-, -, joined)")) << int{joined_value};
    made.promises.join_waits = false;
    EXPECT_THAT(found(made), IsEmpty()) << "nothing was promised";
  }
}

TEST(JoinLied, is_not_reported_when_the_child_is_done_refused_cancelled_or_another_scope_s) {
  for (const EventKind end : {finished, threw, child_dropped, refused}) {
    HandMade made = made_of_one_child();
    made.child(end, 4).client(joined, 5, s0, thrown);
    EXPECT_THAT(found(made), IsEmpty()) << ledger::info(end).id;
  }
  for (const std::uint8_t value : {s0, h0}) {
    HandMade made = made_of_one_child();
    made.client(cancelled, 4, value).client(joined, 5, s0);
    EXPECT_THAT(found(made), IsEmpty());
  }
  HandMade made = made_of_one_child();
  made.client(joined, 5, 7);
  EXPECT_THAT(found(made), IsEmpty());
  EXPECT_THAT(found(HandMade(program).client(joined, 5, s0)), IsEmpty()) << "never spawned";
}

TEST(LostPanic, is_a_handle_that_reports_success_after_a_panic) {
  HandMade made = made_of_one_child();
  made.child(stepped, 4).child(threw, 2).client(joined, 5, h0, 0);
  EXPECT_THAT(found(made), ElementsAre("lost-panic(-, -, joined)"));
  made.promises.join_rethrows = false;
  EXPECT_THAT(found(made), IsEmpty());
}

TEST(LostPanic, is_not_reported_when_the_join_throws_or_stands_for_the_scope) {
  HandMade made = made_of_one_child();
  made.child(threw, 2).client(joined, 5, h0, thrown);
  EXPECT_THAT(found(made), IsEmpty());
  HandMade scope = made_of_one_child();
  scope.child(threw, 2).client(joined, 5, s0, 0);
  EXPECT_THAT(found(scope), IsEmpty());
}

TEST(LostWake, is_a_woken_child_that_a_settled_runtime_did_not_step) {
  HandMade made = made_of_one_child();
  made.child(stepped, 3).child(parked, 2).client(woken, 4, 0).client(settled, 5);
  EXPECT_THAT(found(made), ElementsAre("lost-wake(-, -, settled)"));
  made.promises.wakes = false;
  EXPECT_THAT(found(made), IsEmpty());
}

TEST(LostWake, is_not_reported_when_the_child_was_stepped_or_has_ended_or_nobody_drives) {
  HandMade stepped_again = made_of_one_child();
  stepped_again.client(woken, 4, 0).child(stepped, 5).child(suspended, 2).client(settled, 5);
  EXPECT_THAT(found(stepped_again), IsEmpty());
  HandMade dropped = made_of_one_child();
  dropped.client(woken, 4, 0).child(child_dropped, 5).client(settled, 5);
  EXPECT_THAT(found(dropped), IsEmpty());
  HandMade cancelled_one = made_of_one_child();
  cancelled_one.client(woken, 4, 0).client(cancelled, 5, s0).client(settled, 5);
  EXPECT_THAT(found(cancelled_one), IsEmpty());
  HandMade late = made_of_one_child();
  late.client(woken, 4, 0, 1).client(settled, 5);
  EXPECT_THAT(found(late), IsEmpty()) << "a late wake wakes nobody";
  HandMade ended = made_of_one_child();
  ended.client(woken, 4, 0).client(runtime_shut_down, 5).client(settled, 5);
  EXPECT_THAT(found(ended), IsEmpty());
  HandMade undriven = made_of_one_child();
  undriven.client(woken, 4, 0).client(program_ended, 6);
  EXPECT_THAT(found(undriven), IsEmpty());
}

TEST(Contract, of_a_spawn_awaited_on_the_spot_is_judged_by_its_hidden_handle) {
  HandMade made("inside { spawn t0 { park } await }");
  constexpr std::uint8_t hidden = scenario::max_values;
  made.child(spawned, 1, 0, none).client(joined, 1, hidden);
  EXPECT_THAT(found(made), ElementsAre("join-lied(-, -, joined)"));
}

}  // namespace
}  // namespace scopecheck::verdict
