// The letters of every implementation in this tree, as the probes give them, through real runners; the
// clients behind them; and that the rest of the grammar has no letter that the probes miss.
#include "harness/campaign/probes.hpp"

#include "harness/campaign/supervisor.hpp"
#include "harness/generator/exhaustive.hpp"
#include "harness/generator/random.hpp"
#include "harness/scenario/text.hpp"
#include "tests/support/lab.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace scopecheck::campaign {
namespace {

using scenario::Discipline;

/// "CPB", "C-B", ...
std::string in_letters(std::uint8_t shown) {
  std::string out;
  for (std::size_t i = 0; i < verdict::letters; ++i)
    out += (shown >> i & 1) != 0 ? verdict::letter_table[i].letter : '-';
  return out;
}

std::string probed(interpreter::Implementation implementation, Discipline discipline = Discipline::safe) {
  const Supervised got = supervise(probe_jobs(implementation, discipline), {.runners = 2});
  EXPECT_TRUE(got.merged.all_finished);
  EXPECT_TRUE(got.errors.empty());
  std::uint8_t shown = 0;
  for (std::size_t i = 0; i < verdict::letters; ++i)
    if (got.merged.letter_example[i]) shown = static_cast<std::uint8_t>(shown | 1u << i);
  return in_letters(shown);
}

/// What each has by its construction.
const std::map<std::string, std::string, std::less<>> by_theory = {
    // closures: their caller cannot go on before the children ended
    {"blocking_closure", "-PB"},
    {"draining_closure", "-PB"},
    {"scoped_threads", "-PB"},
    // another one: its stack can be suspended in the call, but what spawned goes on no sooner
    {"suspendable_stack", "-PB"},
    // the spawn is awaited on the spot: its body cannot go on
    {"forced_await", "-PB"},
    // the spawner's task is not polled while it has children
    {"root_parked", "-PB"},
    // only the parent's poll steps a child
    {"linked_children", "C-B"},
    {"parent_driven", "C-B"},
    {"slot_nursery", "C-B"},
    // the child owns everything
    {"heap_spawn", "CP-"},
    // claim all three; each is unsound under `safe`
    {"blocking_guard", "CPB"},
    {"counting_scope", "CPB"},
    {"intrusive_list", "CPB"},
    {"join_guard", "CPB"},
    {"reentrant_drain", "CPB"},
    {"stacked_in_scope", "CPB"},
    {"std_async", "CPB"},
    {"std_jthread", "CPB"},
    {"std_thread", "CPB"},
    {"task_group", "CPB"}};

class Probes : public testing::TestWithParam<std::string> {};

TEST_P(Probes, give_the_letters_that_the_construction_says) {
  const scopecheck_plugin& plugin = tests::registered_plugin(GetParam());
  const auto theory = by_theory.find(GetParam());
  ASSERT_NE(theory, by_theory.end()) << "which letters does it have, and why?";
  for (std::uint32_t flavour = 0; flavour < plugin.flavour_count; ++flavour)
    for (const Discipline discipline : {Discipline::safe, Discipline::documented, Discipline::no_leak})
      EXPECT_EQ(probed({&plugin, flavour}, discipline), theory->second) << flavour;
}

class WholeGrammar : public testing::TestWithParam<std::string> {};

TEST_P(WholeGrammar, shows_no_letter_that_the_probes_miss) {
  const tests::CatchFailStops quiet;
  tests::Lab lab(GetParam());
  std::uint8_t shown = 0;
  const auto run = [&](const scenario::Scenario& program) {
    lab.run(program);
    shown = static_cast<std::uint8_t>(shown | verdict::letters_of(lab.evidence()));
    return true;
  };
  scenario::Bounds bounds;
  bounds.ops = 4;
  generator::Exhaustive exhaustive(lab.offers(), bounds);
  for (std::size_t ops = 0; ops <= bounds.ops; ++ops) exhaustive.visit(ops, run);
  generator::Random random(lab.offers(), generator::random_bounds(), 1);
  for (int i = 0; i < 5'000; ++i) run(random.next());
  EXPECT_EQ(in_letters(shown), by_theory.at(GetParam()));
}

TEST_P(Probes, are_well_formed_for_all_that_the_api_offers) {
  for (const Discipline discipline : {Discipline::safe, Discipline::documented}) {
    const scenario::Offers offers =
        interpreter::offers_of({&tests::registered_plugin(GetParam()), 0}, discipline);
    for (const scenario::Bounds& bounds : probe_bounds) {
      generator::Exhaustive probes(probe_offers(offers), bounds);
      std::size_t count = 0;
      for (std::size_t ops = 0; ops <= bounds.ops; ++ops)
        probes.visit(ops, [&](const scenario::Scenario& program) {
          EXPECT_TRUE(scenario::check(program, offers)) << scenario::to_text(program);
          ++count;
          return true;
        });
      EXPECT_LT(count, 20'000u) << "small";
    }
  }
}

TEST(ProbesOfAClosure, see_a_caller_that_goes_on_too_early) {
  for (const char* const hasty : {"hasty_closure", "hasty_threads"})
    EXPECT_EQ(probed({&tests::registered_plugin(hasty), 0}), "CPB") << hasty;
}

TEST(ProbesOfOne, give_the_shortest_client_for_each_letter) {
  const scopecheck_plugin& plugin = tests::registered_plugin("slot_nursery");
  const Supervised got = supervise(probe_jobs({&plugin, 0}, Discipline::safe), {.runners = 3});
  const auto& [concurrency, parallelizability, borrowing] = got.merged.letter_example;
  ASSERT_TRUE(concurrency && borrowing);
  EXPECT_EQ(*concurrency, tests::scenario_of("scope s0; spawn t0 in s0 { yield } as h0; poll s0; poll s0"));
  EXPECT_FALSE(parallelizability);
  EXPECT_EQ(*borrowing,
            tests::scenario_of("cell x; scope s0; spawn t0 in s0 borrow mut x { write x } as h0; poll s0"));
}

TEST(ProbesOfOne, end_when_their_letter_was_seen) {
  const scopecheck_plugin& plugin = tests::registered_plugin("stacked_in_scope");
  EXPECT_LT(supervise(probe_jobs({&plugin, 0}, Discipline::safe), {}).merged.done, 1'000u);
}

TEST(ProbesOfOne, use_async_blocks_where_a_child_must_be_awaited_and_there_is_no_root_task) {
  tests::Lab lab("forced_await");
  scenario::Offers offers = lab.offers();
  offers.inside = false;
  std::uint8_t shown = 0;
  for (const scenario::Bounds& bounds : probe_bounds) {
    generator::Exhaustive probes(probe_offers(offers), bounds);
    for (std::size_t ops = 0; ops <= bounds.ops; ++ops)
      probes.visit(ops, [&](const scenario::Scenario& program) {
        lab.run(program);
        shown = static_cast<std::uint8_t>(shown | verdict::letters_of(lab.evidence()));
        return true;
      });
  }
  EXPECT_EQ(in_letters(shown), "-PB");
}

TEST(ProbesOfATask, have_room_for_a_spawner_that_suspends_between_two_steps) {
  tests::Lab lab("reentrant_drain");
  lab.run("inside { scope s0; spawn t0 in s0 { yield }; suspend; suspend }");
  EXPECT_EQ(in_letters(verdict::letters_of(lab.evidence()))[0], 'C');
  EXPECT_LE(lab.evidence().program.cost(), probe_bounds[0].ops) << "or root_parked would lack C unasked";
}

TEST(Theory, says_that_only_the_unsound_have_all_three_letters) {
  for (const auto& [name, has] : by_theory)
    if (has == "CPB")
      EXPECT_TRUE(interpreter::expects_unsound(tests::registered_plugin(name), 0, Discipline::safe)) << name;
}

INSTANTIATE_TEST_SUITE_P(Of, Probes, testing::ValuesIn(tests::implementation_names(false)),
                         [](const auto& info) { return info.param; });

std::vector<std::string> asked_everything() {
  std::vector<std::string> names = tests::names_that_can_be_left(false);
  std::erase(names, "intrusive_list");  // what it does to memory of its own an ASan build would report
  return names;
}
INSTANTIATE_TEST_SUITE_P(Of, WholeGrammar, testing::ValuesIn(asked_everything()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace scopecheck::campaign
