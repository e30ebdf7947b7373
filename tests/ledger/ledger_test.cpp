// The ledger keeps facts in order, knows what is alive right now, and classifies a touch when it happens.
#include "harness/ledger/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string_view>

namespace scopecheck::ledger {
namespace {

using scenario::none;
using testing::ElementsAre;

constexpr std::uint8_t scope = 3;  // some value

class LedgerTest : public testing::Test {
 protected:
  void born(std::uint8_t cell) { ledger.cell_born(cell, Place::stack_frame, client_actor, 0); }
  void lent(std::uint8_t task, std::uint8_t cell, std::uint8_t through = none) {
    ledger.loan_taken(task, cell, scope, through, 1);
  }
  Touch write(std::uint8_t task, std::uint8_t cell, bool owned = false, bool unordered = false) {
    return ledger.touched(EventKind::touched_write, task, cell, owned, unordered, 9);
  }
  Ledger ledger;
  void SetUp() override { ledger.clear(); }
};

TEST_F(LedgerTest, keeps_events_in_the_order_of_their_appending) {
  ledger.append(EventKind::frame_opened, client_actor, 0, 0, 0);
  ledger.append(EventKind::spawned, 2, 2, 7, 4);
  EXPECT_THAT(ledger.events(), ElementsAre(Event{EventKind::frame_opened, client_actor, 0, 0, 0},
                                           Event{EventKind::spawned, 2, 2, 7, 4}));
}

TEST_F(LedgerTest, collects_the_kinds_that_it_saw) {
  ledger.append(EventKind::spawned, 0, 0, 0, 0);
  ledger.append(EventKind::spawned, 1, 1, 0, 0);
  ledger.append(EventKind::stepped, 0, 0, 0, 0);
  EXPECT_EQ(ledger.seen(), 1ull << static_cast<unsigned>(EventKind::spawned) |
                               1ull << static_cast<unsigned>(EventKind::stepped));
}

TEST_F(LedgerTest, stops_when_it_is_full_and_says_so) {
  for (std::size_t i = 0; i < max_events; ++i) ledger.append(EventKind::stepped, 0, 0, 0, i);
  EXPECT_FALSE(ledger.overflowed());
  ledger.append(EventKind::finished, 0, 0, 0, 0);
  EXPECT_TRUE(ledger.overflowed());
  EXPECT_EQ(ledger.events().size(), max_events);
  EXPECT_EQ(ledger.events().back().kind, EventKind::stepped);
}

TEST_F(LedgerTest, calls_a_touch_under_a_live_loan_of_a_live_cell_good) {
  born(0);
  lent(1, 0);
  EXPECT_EQ(write(1, 0), touch_ok);
  EXPECT_EQ(ledger.alarms(), 0);
}

TEST_F(LedgerTest, calls_a_touch_of_an_own_cell_good_without_a_loan) {
  born(0);
  EXPECT_EQ(write(1, 0, true), touch_ok);
  EXPECT_EQ(write(1, 0, true, true), touch_ok) << "only of late touches it matters";
  EXPECT_EQ(ledger.alarms(), 0);
}

TEST_F(LedgerTest, calls_a_touch_after_the_carrier_ended_expired) {
  born(0);
  lent(1, 0);
  ledger.loans_expired(1, client_actor, 5);
  EXPECT_EQ(write(1, 0), touch_expired);
  EXPECT_EQ(ledger.alarms(), alarm_touch);
}

TEST_F(LedgerTest, calls_a_touch_of_a_dead_cell_dead_whatever_its_loan) {
  born(0);
  lent(1, 0);
  ledger.cell_died(0, client_actor, 5);
  EXPECT_EQ(write(1, 0), touch_dead);
  ledger.loans_expired(1, client_actor, 6);
  EXPECT_EQ(write(1, 0), touch_dead);
  EXPECT_EQ(write(1, 0, true), touch_dead) << "an own cell dies too";
  EXPECT_EQ(write(1, 0, false, true), touch_dead | touch_unordered);
  EXPECT_EQ(ledger.alarms(), alarm_touch);
}

TEST_F(LedgerTest, writes_the_classification_into_the_event) {
  born(2);
  lent(1, 2);
  ledger.loans_expired(1, client_actor, 5);
  write(1, 2);
  EXPECT_EQ(ledger.events().back(), (Event{EventKind::touched_write, 1, 2, touch_expired, 9}));
}

TEST_F(LedgerTest, tells_the_loans_of_tasks_apart) {
  born(0);
  born(1);
  lent(1, 0);
  lent(2, 1);
  EXPECT_TRUE(ledger.has_loan(1, 0));
  EXPECT_FALSE(ledger.has_loan(1, 1));
  EXPECT_FALSE(ledger.has_loan(2, 0));
  ledger.loans_expired(1, client_actor, 5);
  EXPECT_FALSE(ledger.has_loan(1, 0));
  EXPECT_TRUE(ledger.has_loan(2, 1));
}

TEST_F(LedgerTest, ends_what_a_task_passed_on_with_its_own_loan) {
  born(0);
  lent(0, 0);
  lent(1, 0, 0);
  lent(2, 0, 1);
  lent(3, 0);
  ledger.loans_expired(0, client_actor, 5);
  EXPECT_FALSE(ledger.has_loan(1, 0));
  EXPECT_FALSE(ledger.has_loan(2, 0)) << "through another one";
  EXPECT_TRUE(ledger.has_loan(3, 0)) << "lent by the client itself";
  EXPECT_EQ(ledger.events().size(), 1u + 4u + 3u);
}

TEST_F(LedgerTest, ends_a_loan_once) {
  born(0);
  lent(0, 0);
  ledger.loans_expired(0, client_actor, 5);
  ledger.loans_expired(0, client_actor, 6);
  EXPECT_EQ(ledger.events().size(), 3u);
}

TEST_F(LedgerTest, marks_and_unmarks_the_lives_of_tasks) {
  ledger.mark(1, task_spawned);
  ledger.mark(1, task_woken);
  EXPECT_TRUE(ledger.task_is(1, task_spawned));
  ledger.unmark(1, task_woken);
  EXPECT_FALSE(ledger.task_is(1, task_woken));
  EXPECT_TRUE(ledger.task_is(1, task_spawned));
  EXPECT_EQ(ledger.task(0), 0);
}

TEST_F(LedgerTest, forgets_everything_when_a_run_begins) {
  born(0);
  lent(1, 0, 2);
  lent(2, 0);
  ledger.mark(1, task_dropped);
  ledger.reach(Goal::late_wake);
  ledger.raise(alarm_step);
  for (std::size_t i = 0; i <= max_events; ++i) ledger.append(EventKind::stepped, 0, 0, 0, 0);
  ledger.clear();
  EXPECT_TRUE(ledger.events().empty());
  EXPECT_EQ(ledger.seen(), 0u);
  EXPECT_EQ(ledger.alarms(), 0);
  EXPECT_EQ(ledger.reached(), 0u);
  EXPECT_FALSE(ledger.overflowed());
  EXPECT_FALSE(ledger.cell_alive(0));
  EXPECT_FALSE(ledger.has_loan(1, 0));
  EXPECT_EQ(ledger.task(1), 0);
  lent(1, 3);
  ledger.loans_expired(2, client_actor, 0);
  EXPECT_TRUE(ledger.has_loan(1, 3)) << "who passed it on in an earlier run is nobody now";
}

TEST(Tables, have_distinct_words) {
  std::set<std::string_view> words;
  for (const EventInfo& row : event_table) EXPECT_TRUE(words.insert(row.id).second) << row.id;
  for (const GoalInfo& row : goal_table) EXPECT_TRUE(words.insert(row.id).second) << row.id;
}

std::uint64_t bit(Goal goal) { return std::uint64_t{1} << static_cast<unsigned>(goal); }

TEST(Goals, ask_of_an_api_only_what_it_offers) {
  const scenario::Offers nothing;
  EXPECT_EQ(reachable_goals(nothing), bit(Goal::child_finished) | bit(Goal::frame_ended_before_task));
  const scenario::Offers handles{.handle = true, .box = true, .forget = true};
  EXPECT_TRUE((reachable_goals(handles) & bit(Goal::handle_forgotten_live)) != 0);
  scenario::Offers pinned = handles;
  pinned.box = false;
  pinned.handle_mobility = scenario::Mobility::never;
  EXPECT_EQ(reachable_goals(pinned) & bit(Goal::handle_forgotten_live), 0u) << "neither boxed nor movable";
  EXPECT_EQ(reachable_goals(handles) & bit(Goal::scope_forgotten_live), 0u) << "there are no scopes";
}

TEST(Goals, are_all_asked_of_an_api_that_offers_everything) {
  using scenario::Mobility;
  const scenario::Offers everything{.scope = true,
                                    .scope_enter = true,
                                    .scope_poll = true,
                                    .scope_join = true,
                                    .scope_join_as = true,
                                    .scope_cancel = true,
                                    .scope_close = true,
                                    .scope_mobility = Mobility::always,
                                    .handle = true,
                                    .handle_poll = true,
                                    .handle_join = true,
                                    .handle_cancel = true,
                                    .handle_detach = true,
                                    .handle_mobility = Mobility::always,
                                    .reserve = true,
                                    .spawn_nested = true,
                                    .child_scopes = true,
                                    .keep_waker = true,
                                    .throws = true,
                                    .carrier = scenario::Carrier::scope,
                                    .destroy_cancels = true,
                                    .run = true,
                                    .inside = true,
                                    .async = true,
                                    .stack = true,
                                    .box = true,
                                    .move = true,
                                    .forget = true,
                                    .shutdown = true};
  EXPECT_EQ(reachable_goals(everything), (std::uint64_t{1} << goals) - 1);
}

}  // namespace
}  // namespace scopecheck::ledger
