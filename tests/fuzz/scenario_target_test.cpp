// The body of the scenario targets: what it survives, what it dies of and what it says then; ledger states as
// coverage.
#include "harness/fuzz/scenario_target.hpp"

#include "harness/fuzz/byte_forms.hpp"
#include "harness/fuzz/differential.hpp"
#include "harness/fuzz/handshake.hpp"
#include "harness/fuzz/states.hpp"
#include "harness/generator/random.hpp"
#include "tests/support/lab.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace scopecheck::fuzz {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes input(std::string_view text) {
  const std::string file = "# text\n" + std::string(text);
  return {file.begin(), file.end()};
}

Bytes noise(std::uint64_t seed, std::size_t size) {
  base::Prng prng(seed);
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(prng.next());
  return bytes;
}

constexpr const char* late_step = "cell x; spawn t0 borrow mut x { write x } as h0";

void run_once(const char* implementation, const char* text, const TargetOptions& options = {}) {
  ScenarioTarget target(implementation, options);
  target.run(input(text));
}

TEST(ScenarioTarget, lives_on_when_nothing_is_wrong) {
  ScenarioTarget target("canary_sound", {});
  EXPECT_EQ(target.run(input(late_step)), 0);
  EXPECT_EQ(target.run({}), 0);
  for (std::uint64_t seed = 0; seed < 300; ++seed) EXPECT_EQ(target.run(noise(seed, 200)), 0);
}

TEST(ScenarioTargetDeath, names_the_finding_the_scenario_and_the_commands) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run_once("canary_detach", late_step),
               "canary_detach: use-after-scope.nothing, frame-end, write.|"
               "canary_detach: use-after-scope");
  EXPECT_DEATH(run_once("canary_detach", late_step), "spawn t0 borrow mut x \\{");
  EXPECT_DEATH(run_once("canary_detach", late_step), "see it again: +scopecheck replay --impl canary_detach");
  EXPECT_DEATH(run_once("canary_detach", late_step), "make it small: scopecheck shrink --impl canary_detach");
}

TEST(ScenarioTargetDeath, dies_of_what_only_the_ledger_sees) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run_once("canary_double_drop", "spawn t0 { } as h0; settle; drop h0"), "double-drop");
}

TEST(ScenarioTarget, takes_an_abort_of_the_implementation_for_a_fail_stop) {
  const tests::CatchFailStops quiet;
  tests::Lab lab("stacked_in_scope");
  const scenario::Bounds bounds = generator::random_bounds();
  generator::Mutator mutator(lab.offers(), bounds);
  std::string text;
  scenario::Scenario scenario;
  for (std::uint64_t seed = 0; seed < 40'000 && text.empty(); ++seed) {
    scenario = mutator.mutate(seed % 64 == 0 ? scenario::Scenario{} : scenario, seed);
    if (lab.run(scenario) == interpreter::Outcome::fail_stop && lab.findings().empty())
      text = scenario::to_text(scenario);
  }
  ASSERT_NE(text, "") << "no scenario makes it stop on purpose";
  ScenarioTarget target("stacked_in_scope", {});
  EXPECT_EQ(target.run(input(text)), 0);
  EXPECT_EQ(target.run({}), 0);
}

// With threads about, a hang ends the process; the next one would end of the same input, were it not passed
// over.
TEST(ScenarioTargetDeath, of_a_hang_with_threads_is_no_finding_and_happens_once) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::string left = testing::TempDir() + "left-" + std::to_string(::getppid());
  constexpr const char* waits_for_its_own_worker = "inside { enter s0 { spawn t0 in s0 { } } }";
  const auto run = [&] {
    ScenarioTarget target("blocking_closure", {.left = left});
    std::exit(target.run(input(waits_for_its_own_worker)) == 0 ? 3 : 4);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "a hang with threads about: start again");
  EXPECT_EXIT(run(), testing::ExitedWithCode(3), "") << "remembered in " << left;
  std::filesystem::remove(left);
}

TEST(ScenarioTarget, reads_for_its_discipline) {
  const ScenarioTarget safe("stacked_in_scope", {});
  const ScenarioTarget documented("stacked_in_scope", {.discipline = scenario::Discipline::documented});
  const Bytes forgets = input("spawn t0 { } as h0 boxed; forget h0");
  scenario::Scenario read;
  EXPECT_EQ(safe.read(forgets, read).ops.size(), 3u);
  EXPECT_EQ(documented.read(forgets, read).ops.size(), 2u) << "forgetting is not offered there";
}

// https://github.com/llvm/llvm-project/issues/149942
TEST(ScenarioTarget, mutates_whatever_size_it_is_told) {
  ScenarioTarget target("canary_sound", {});
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Bytes data = noise(seed, 64);
    const std::size_t size = seed % 70;
    const std::size_t most = seed % 64;
    EXPECT_LE(target.mutate(data.data(), size, most, static_cast<unsigned>(seed)), most);
    EXPECT_LE(target.cross(noise(seed, seed % 40), data, std::span(data).first(most), 1), most);
  }
}

TEST(LedgerStates, tell_lives_apart_that_stand_differently) {
  const auto states = [](const char* text) {
    tests::Lab lab("stacked_in_scope");
    lab.run(text);
    const auto all = states_of(tests::scenario_of(text), lab.ledger().events());
    return std::set<std::size_t>(all.begin(), all.end());
  };
  const auto finished = states("spawn t0 { } as h0; settle");
  EXPECT_EQ(finished, states("spawn t0 { } as h0; settle")) << "the same again";
  EXPECT_EQ(finished, states("spawn t0 { } as h0 boxed; settle"))
      << "where a value lives is no state of a life";
  const auto parked = states("spawn t0 { park } as h0 boxed; settle");
  EXPECT_NE(finished, parked);
  const auto forgotten = states("spawn t0 { park } as h0 boxed; settle; forget h0");
  EXPECT_NE(forgotten, states("spawn t0 { park } as h0 boxed; settle; drop h0"));
  EXPECT_NE(forgotten, states("cell x; spawn t0 borrow mut x { park } as h0 boxed; settle; forget h0"))
      << "a loan";
}

TEST(LedgerStates, are_counted) {
  tests::Lab lab("stacked_in_scope");
  lab.run("spawn t0 { } as h0; settle");
  count_states(tests::scenario_of("spawn t0 { } as h0; settle"), lab.ledger().events());
  EXPECT_GT(states_reached(), 4u);
  EXPECT_LT(states_reached(), states_possible());
}

TEST(Differential, sees_no_difference_where_there_is_none) {
  View one("parent_driven");
  View other("linked_children");
  for (std::uint64_t seed = 0; seed < 500; ++seed) check_same_view(one, other, noise(seed, 200));
}

TEST(DifferentialDeath, shows_the_scenario_and_both_views) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Bytes differs = input("scope s0; spawn t0 in s0 { }");  // root_parked refuses outside of a task
  EXPECT_DEATH(
      {
        View one("reentrant_drain");
        View other("root_parked");
        check_same_view(one, other, differs);
      },
      "two implementations of one promise differ");
}

TEST(Tools, take_any_bytes) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Bytes bytes = noise(seed, seed % 900);
    check_byte_forms(bytes);
    check_handshake(bytes);
  }
}

}  // namespace
}  // namespace scopecheck::fuzz
