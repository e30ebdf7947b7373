// RapidCheck as an engine: what it draws and shrinks is well-formed, what it finds is small and found again.
#include "harness/campaign/rapidcheck.hpp"

#include "harness/generator/random.hpp"
#include "tests/support/lab.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace scopecheck::campaign {
namespace {

using scenario::Scenario;

TEST(AnyScenario, is_well_formed_and_shrinks_to_smaller_ones_that_are) {
  const tests::Lab lab("stacked_in_scope");
  const scenario::Bounds bounds = generator::random_bounds();
  const auto scenarios = any_scenario(lab.offers(), bounds);
  rc::Random random(1);
  for (int size = 0; size <= 100; size += 10) {
    const auto drawn = scenarios(random.split(), size);
    const Scenario whole = drawn.value();
    EXPECT_TRUE(scenario::check(whole, lab.offers()));
    auto shrinks = drawn.shrinks();
    while (const auto smaller = shrinks.next()) {
      EXPECT_TRUE(scenario::check(smaller->value(), lab.offers()));
      EXPECT_LT(smaller->value(), whole);
    }
  }
}

TEST(AnyScenario, grows_with_the_size) {
  const tests::Lab lab("stacked_in_scope");
  const scenario::Bounds bounds = generator::random_bounds();
  const auto scenarios = any_scenario(lab.offers(), bounds);
  EXPECT_TRUE(rc::check([&] { RC_ASSERT((*rc::gen::resize(0, scenarios)).cost() <= 2u); }));
}

TEST(Rapidcheck, finds_and_shrinks_and_does_so_again) {
  const tests::CatchFailStops fail_stops;
  const interpreter::Implementation stacked{&tests::registered_plugin("stacked_in_scope"), 0};
  const RapidcheckResult first = rapidcheck(stacked, scenario::Discipline::safe, 5000, 1);
  ASSERT_TRUE(first.finding);
  EXPECT_TRUE(verdict::info(first.finding->kind()).memory);
  EXPECT_LE(first.scenario.cost(), 5u) << scenario::to_text(first.scenario);
  EXPECT_GT(first.labels.at("op spawn"), first.runs / 2);
  EXPECT_TRUE(first.labels.contains("vector cycle"));
  EXPECT_TRUE(first.labels.contains("depth 3"));
  const RapidcheckResult again = rapidcheck(stacked, scenario::Discipline::safe, 5000, 1);
  EXPECT_EQ(again.scenario, first.scenario);
  EXPECT_EQ(again.runs, first.runs);
  EXPECT_EQ(again.labels, first.labels);
}

TEST(Rapidcheck, accuses_nobody_who_is_sound) {
  const tests::CatchFailStops fail_stops;
  const RapidcheckResult result =
      rapidcheck({&tests::registered_plugin("canary_sound"), 0}, scenario::Discipline::safe, 2000, 1);
  EXPECT_FALSE(result.finding);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.runs, 2000u);
}

}  // namespace
}  // namespace scopecheck::campaign
