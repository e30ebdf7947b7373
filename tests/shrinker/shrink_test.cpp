// Shrinking: from any counterexample to a locally minimal one of the same signature, and for the designs
// whose shortest counterexample is known, to exactly that.
#include "harness/shrinker/shrink.hpp"

#include "harness/generator/random.hpp"
#include "harness/shrinker/edit.hpp"
#include "tests/support/lab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <string>

namespace scopecheck::shrinker {
namespace {

using scenario::Scenario;
using tests::Lab;

const verdict::Finding* with(const Lab& lab, const verdict::Signature& signature) {
  for (const verdict::Finding& finding : lab.findings())
    if (finding.signature == signature) return &finding;
  return nullptr;
}
StillShows still_shows(Lab& lab, const verdict::Signature& signature) {
  return [&lab, signature](const Scenario& candidate) {
    lab.run(candidate);
    return with(lab, signature) != nullptr;
  };
}
Shrunk shrunk(Lab& lab, const Scenario& start, const verdict::Signature& signature) {
  return shrink(start, lab.offers(), still_shows(lab, signature));
}

TEST(Shrink, removes_all_that_the_finding_does_not_need) {
  Lab lab("stacked_in_scope");
  const auto signature = *verdict::parse_signature("use-after-scope(forget, frame-end, write)");
  const Scenario longer = tests::scenario_of(
      "cell y; frame { cell x; spawn t0 borrow mut x { yield; write x } as h0 boxed; run 1; forget h0 cycle "
      "}; settle");
  lab.run(longer);
  ASSERT_NE(with(lab, signature), nullptr);
  EXPECT_EQ(scenario::to_text(shrunk(lab, longer, signature).scenario),
            scenario::to_text(
                tests::scenario_of("cell x; spawn t0 borrow mut x { write x } as h0 boxed; forget h0")));
}

TEST(Shrink, of_what_is_minimal_changes_nothing) {
  Lab lab("stacked_in_scope");
  const Scenario start =
      tests::scenario_of("cell x; spawn t0 borrow mut x { write x } as h0 boxed; forget h0");
  const auto signature = *verdict::parse_signature("use-after-scope(forget, frame-end, write)");
  const Shrunk result = shrunk(lab, start, signature);
  EXPECT_EQ(result.scenario, start);
  EXPECT_EQ(result.accepted, 0u);
}

TEST(Shrink, asks_only_about_well_formed_scenarios_that_are_smaller) {
  Lab lab("stacked_in_scope");
  const Scenario start = tests::scenario_of(
      "cell x; async b0 boxed { spawn t0 borrow mut x { write x } as h0; await h0 }; poll b0; forget b0; "
      "settle");
  Scenario best = start;
  std::size_t asked = 0;
  static_cast<void>(shrink(start, lab.offers(), [&](const Scenario& candidate) {
    ++asked;
    EXPECT_TRUE(scenario::check(candidate, lab.offers()).has_value()) << scenario::to_text(candidate);
    EXPECT_LT(candidate, best) << scenario::to_text(candidate);
    return false;
  }));
  EXPECT_GT(asked, 5u);
}

/// A random counterexample of this signature (or of any) from this seed.
struct Counterexample {
  Scenario scenario;
  verdict::Signature signature;
};
std::optional<Counterexample> draw(Lab& lab, std::uint64_t seed,
                                   std::optional<verdict::Signature> wanted = {}) {
  generator::Random random(lab.offers(), generator::random_bounds(), seed);
  for (int i = 0; i < 20'000; ++i) {
    const Scenario& scenario = random.next();
    lab.run(scenario);
    for (const verdict::Finding& finding : lab.findings())
      if (!wanted || finding.signature == *wanted) return Counterexample{scenario, finding.signature};
  }
  return std::nullopt;
}

/// Removing one more op (or thing with all that mentions it) loses the finding or the scenario.
void expect_locally_minimal(Lab& lab, const Scenario& result, const verdict::Signature& signature) {
  const StillShows shows = still_shows(lab, signature);
  for (std::size_t i = 0; i < result.ops.size(); ++i) {
    if (result.ops[i].kind == scenario::OpKind::end) continue;
    OpSet one;
    one.set(i);
    const Scenario smaller = without(result, one);
    EXPECT_FALSE(scenario::check(smaller, lab.offers()).has_value() && shows(smaller))
        << "op " << i << " can go from\n"
        << scenario::to_text(result);
  }
}

class Shrinking : public testing::TestWithParam<std::string> {};

TEST_P(Shrinking, never_grows_keeps_the_signature_and_ends_at_a_fixpoint) {
  Lab lab(GetParam());
  const tests::CatchFailStops fail_stops;
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    const auto found = draw(lab, seed);
    ASSERT_TRUE(found.has_value()) << "no counterexample from seed " << seed;
    const Shrunk result = shrunk(lab, found->scenario, found->signature);
    EXPECT_LE(result.scenario, found->scenario);
    EXPECT_TRUE(scenario::check(result.scenario, lab.offers()).has_value());
    EXPECT_TRUE(still_shows(lab, found->signature)(result.scenario)) << to_string(found->signature);
    EXPECT_EQ(shrunk(lab, result.scenario, found->signature).scenario, result.scenario) << "not a fixpoint";
    expect_locally_minimal(lab, result.scenario, found->signature);
    EXPECT_LT(result.scenario.cost(), 9u) << scenario::to_text(result.scenario);
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Shrinking,
                         testing::Values("stacked_in_scope", "reentrant_drain", "canary_detach",
                                         "canary_double_drop", "canary_late_drop", "canary_join_lied",
                                         "canary_never_drops"),
                         [](const auto& info) { return info.param; });

/// Implementation, signature, and the shortest scenario that shows it (by the exhaustive search).
struct Known {
  const char* implementation;
  const char* signature;
  const char* shortest;
};
void PrintTo(const Known& known, std::ostream* out) {
  *out << known.implementation << " " << known.signature;
}

class KnownMinimum : public testing::TestWithParam<Known> {};

TEST_P(KnownMinimum, is_where_random_counterexamples_of_fifty_seeds_all_end) {
  Lab lab(GetParam().implementation);
  const tests::CatchFailStops fail_stops;
  const auto signature = verdict::parse_signature(GetParam().signature);
  ASSERT_TRUE(signature.has_value());
  const std::string shortest = scenario::to_text(tests::scenario_of(GetParam().shortest));
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto found = draw(lab, seed, signature);
    ASSERT_TRUE(found.has_value()) << "no counterexample from seed " << seed;
    EXPECT_EQ(scenario::to_text(shrunk(lab, found->scenario, *signature).scenario), shortest)
        << "seed " << seed << ", from\n"
        << scenario::to_text(found->scenario);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, KnownMinimum,
    testing::Values(Known{"stacked_in_scope", "use-after-scope(forget, frame-end, write)",
                          "cell x; spawn t0 borrow mut x { write x } as h0 boxed; forget h0"},
                    Known{"canary_detach", "use-after-scope(frame-end, frame-end, write)",
                          "cell x; spawn t0 borrow mut x { write x } as h0"},
                    Known{"canary_double_drop", "double-drop(-, frame-end, child-dropped)",
                          "spawn t0 { } as h0"}));

}  // namespace
}  // namespace scopecheck::shrinker
