// One check of one implementation, end to end and in real runner processes, with bounds that take a second.
#include "harness/campaign/check.hpp"

#include "harness/abi/registry.hpp"
#include "harness/report/json.hpp"
#include "tests/campaign/fake_witness.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

namespace scopecheck::campaign {
namespace {

using report::Counterexample;
using report::Result;
using report::Verdict;
using scenario::Discipline;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Check : public testing::Test {
 protected:
  void SetUp() override {
    if (!options.programs.has(Witness::asan)) GTEST_SKIP() << options.programs.asan_missing;
    gate = gate_of_this_build(options.programs);
    ASSERT_EQ(gate.first_failure(options.programs.has(Witness::tsan)), "");
  }
  static Gate gate_of_this_build(const Programs& programs) {
    static const Gate gate = run_gate(programs);
    return gate;
  }
  [[nodiscard]] Result check(const char* name, Discipline discipline = Discipline::safe) const {
    const scopecheck_plugin* const plugin = abi::find_registered(name);
    EXPECT_NE(plugin, nullptr) << name;
    const Checked checked = campaign::check({plugin, 0}, discipline, options, gate);
    EXPECT_FALSE(checked.interrupted);
    return checked.result;
  }
  CheckOptions options{.ops = 3, .random = 300, .runners = 2, .programs = find_programs("/proc/self/exe")};
  Gate gate;
};

TEST_F(Check, of_stacked_in_scope_finds_the_shortest_client_and_two_witnesses_confirm_it) {
  const Result result = check("stacked_in_scope");
  EXPECT_EQ(result.verdict, Verdict::unsound) << result.why;
  EXPECT_EQ(result.as_expected(), true);
  const Counterexample* const headline = result.headline();
  ASSERT_NE(headline, nullptr);
  EXPECT_TRUE(headline->is_headline);
  EXPECT_EQ(headline->kind, "use-after-scope");
  EXPECT_EQ(headline->ops, 3u);
  EXPECT_EQ(headline->scenario, "cell x\nspawn t0 borrow mut x {\n  write x\n} as h0 boxed\nforget h0\n");
  EXPECT_EQ(headline->signature, "use-after-scope(forget, frame-end, write)");
  EXPECT_THAT(headline->confirmed_by, ElementsAre("ledger", "asan"));
  EXPECT_THAT(headline->sanitizer_report, HasSubstr("stack-use-after-return"));
  EXPECT_THAT(headline->reproduce, HasSubstr("--impl stacked_in_scope --flavour current-thread -e 'cell x;"));
  EXPECT_NE(headline->lifeline, "");
  EXPECT_LE(headline->found_after_scenarios, result.effort.exhaustive_scenarios);
  EXPECT_EQ(result.effort.exhaustive_ops, 3u);
  EXPECT_GT(result.effort.exhaustive_scenarios, 100u);
}

TEST_F(Check, of_stacked_in_scope_without_leak_vectors_does_not_refute_it) {
  const Result result = check("stacked_in_scope", Discipline::no_leak);
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_NE(result.verdict, Verdict::unsound);
}

TEST_F(Check, says_which_letters_of_the_trilemma_it_saw_whatever_its_bounds) {
  options.ops = 1;
  options.random = 0;
  const Result result = check("parent_driven");
  ASSERT_TRUE(result.trilemma);
  EXPECT_EQ(result.trilemma->in_letters(), "C - B");
  EXPECT_GT(result.trilemma->scenarios, 100u);
  EXPECT_THAT(result.trilemma->examples[0], HasSubstr("poll s0\npoll s0\n"));
  EXPECT_LT(result.effort.exhaustive_scenarios, 10u) << "the probes are no part of the effort";
}

TEST_F(Check, says_no_letters_when_the_probes_were_given_up) {
  options.ops = 0;
  options.random = 0;
  options.programs.asan = options.programs.own;  // it alone knows this implementation
  const Result result = check("crash_exit_0");
  EXPECT_THAT(result.why, Not(HasSubstr("no implementation"))) << "the probes were not begun";
  EXPECT_FALSE(result.trilemma);
}

TEST_F(Check, says_no_letters_when_time_was_out) {
  options.ops = 8;
  options.seconds = 0.05;
  EXPECT_FALSE(check("parent_driven").trilemma);
}

TEST_F(Check, below_the_shortest_counterexample_finds_nothing) {
  options.ops = 2;
  options.random = 0;
  const Result result = check("stacked_in_scope");
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_EQ(result.verdict, Verdict::inconclusive) << "what was tried is not what its goals ask for";
}

TEST_F(Check, of_the_sound_canary_does_not_refute_it) {
  options.ops = 4;
  options.random = 20'000;
  const Result result = check("canary_sound");
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_EQ(result.verdict, Verdict::not_refuted) << result.why;
  EXPECT_EQ(result.why, "");
  EXPECT_EQ(result.effort.witness_scenarios, result.effort.exhaustive_scenarios)
      << "the whole bound under ASan";
  EXPECT_EQ(result.effort.random_scenarios, 20'000u);
  EXPECT_THAT(result.unmet_goals, IsEmpty());
}

TEST_F(Check, confirms_what_only_asan_can_see) {
  const Result result = check("canary_late_handle_bookkeeping");
  EXPECT_EQ(result.verdict, Verdict::unsound) << result.why;
  ASSERT_NE(result.headline(), nullptr);
  EXPECT_EQ(result.headline()->kind, "bookkeeping-after-scope");
  EXPECT_THAT(result.headline()->confirmed_by, ElementsAre("asan"));
  EXPECT_THAT(result.headline()->sanitizer_report, HasSubstr("use-after-poison"));
}

TEST_F(Check, of_what_asan_does_not_see_reports_that_the_witnesses_disagree) {
  const auto kinds_seen_with = [&](tests::Testimony testimony) {
    options.programs.asan = tests::program_of_witness(testimony);
    const Result result = check("stacked_in_scope");
    EXPECT_EQ(result.verdict, Verdict::unsound) << "the ledger alone proves it: " << result.why;
    std::filesystem::remove(options.programs.asan);
    std::vector<std::string> kinds;
    for (const Counterexample& f : result.findings)
      if (f.kind == "use-after-scope" || f.kind == "witness-conflict")
        kinds.push_back(f.kind + " by " + fmt::format("{}", fmt::join(f.confirmed_by, ", ")));
    return kinds;
  };
  EXPECT_THAT(kinds_seen_with(tests::Testimony::at_the_first_late_touch),
              ElementsAre("use-after-scope by ledger, asan"));
  EXPECT_THAT(kinds_seen_with(tests::Testimony::none),
              testing::UnorderedElementsAre("use-after-scope by ledger", "witness-conflict by ledger"));
}

TEST_F(Check, whose_witness_pass_ran_other_scenarios_than_the_fast_pass_is_an_error) {
  options.ops = 4;
  options.random = 20'000;
  for (const tests::Testimony testimony : {tests::Testimony::of_less, tests::Testimony::of_more}) {
    options.programs.asan = tests::program_of_witness(testimony);
    const Result result = check("canary_sound");
    std::filesystem::remove(options.programs.asan);
    EXPECT_NE(result.effort.witness_scenarios, result.effort.exhaustive_scenarios);
    EXPECT_EQ(result.verdict, Verdict::error) << result.why;
    EXPECT_EQ(result.why,
              fmt::format("the witness pass ran {} scenarios where the fast pass ran {}: are both programs "
                          "built from the same sources?",
                          result.effort.witness_scenarios, result.effort.exhaustive_scenarios));
  }
}

TEST_F(Check, of_a_finding_that_a_fresh_process_does_not_show_is_inconclusive) {
  options.programs = {};  // only this program has the implementation
  const Result result = check("fickle_but_for_the_first_run");
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.why, "a finding could not be reproduced in a fresh process");
  ASSERT_THAT(result.findings, Not(IsEmpty())) << "it is reported all the same";
  for (const Counterexample& f : result.findings) EXPECT_THAT(f.confirmed_by, IsEmpty()) << f.signature;
}

TEST_F(Check, with_a_failed_gate_is_inconclusive_and_says_which_detector_is_blind) {
  gate.rows.back().caught = false;
  gate.rows.back().detail = "not noticed";
  options.ops = 4;
  options.random = 20'000;
  const Result result = check("canary_sound");
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_EQ(result.why, gate.first_failure(false));
}

TEST_F(Check, of_what_only_tsan_can_see_finds_it_and_is_silent_about_the_twin) {
  if (!options.programs.has(Witness::tsan)) GTEST_SKIP() << options.programs.tsan_missing;
  options.ops = 3;
  const Result racy = check("canary_unordered_join");
  EXPECT_EQ(racy.verdict, Verdict::unsound) << racy.why;
  ASSERT_NE(racy.headline(), nullptr);
  EXPECT_EQ(racy.headline()->kind, "data-race");
  EXPECT_THAT(racy.headline()->confirmed_by, ElementsAre("tsan"));
  EXPECT_THAT(racy.headline()->reproduce, HasSubstr(" --witness tsan "));
  const Result sound = check("canary_joined_thread");
  EXPECT_THAT(sound.findings, IsEmpty());
  EXPECT_EQ(sound.effort.tsan_scenarios, sound.effort.exhaustive_scenarios);
}

TEST_F(Check, of_threads_without_a_tsan_build_is_inconclusive_and_of_others_is_not) {
  options.programs.tsan.clear();
  options.programs.tsan_missing = gate.tsan_missing = "nobody built it";
  options.random = 0;
  EXPECT_THAT(check("canary_joined_thread").why, HasSubstr("no TSan witness: nobody built it"));
  options.ops = 4;
  options.random = 20'000;
  EXPECT_EQ(check("canary_sound").verdict, Verdict::not_refuted);
}

TEST_F(Check, with_a_failed_gate_still_reports_what_it_found) {
  gate.rows.front().caught = false;
  EXPECT_EQ(check("stacked_in_scope").verdict, Verdict::unsound)
      << "a blind detector hides, it does not invent";
}

TEST_F(Check, without_an_asan_build_is_inconclusive_at_best) {
  options.programs = {.asan_missing = "nobody built it"};
  gate = run_gate(options.programs);
  const Result sound = check("canary_sound");
  EXPECT_EQ(sound.verdict, Verdict::inconclusive);
  EXPECT_THAT(sound.why, HasSubstr("nobody built it"));
  EXPECT_EQ(sound.effort.witness_scenarios, 0u);
  const Result unsound = check("stacked_in_scope");
  EXPECT_EQ(unsound.verdict, Verdict::unsound);
  ASSERT_NE(unsound.headline(), nullptr);
  EXPECT_THAT(unsound.headline()->confirmed_by, ElementsAre("ledger"));
}

TEST_F(Check, with_an_unmet_goal_is_inconclusive_and_names_it) {
  options.ops = 1;
  options.random = 0;
  const Result result = check("canary_sound");
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  ASSERT_THAT(result.unmet_goals, Not(IsEmpty()));
  EXPECT_EQ(result.why, "never seen: " + result.unmet_goals.front());
  EXPECT_THAT(result.unmet_goals, testing::Contains("a child panicked")) << "spawn alone does not";
}

TEST_F(Check, that_runs_out_of_time_is_inconclusive) {
  options.ops = 8;
  options.seconds = 0.3;
  const Result result = check("canary_sound");
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_THAT(result.why, HasSubstr("out of time"));
  EXPECT_LT(result.effort.exhaustive_ops, 8u);
}

TEST_F(Check, gives_the_same_result_however_many_runners_work) {
  const auto what_matters = [](const Result& r) {
    std::string text = std::to_string(r.effort.exhaustive_scenarios) + " " +
                       std::to_string(r.effort.witness_scenarios) + "\n";
    for (const Counterexample& f : r.findings)
      text += f.signature + " " + std::to_string(f.found_after_scenarios) + "\n" + f.scenario;
    for (const auto& [what, count] : r.reach) text += what + " " + std::to_string(count) + "\n";
    return text;
  };
  options.runners = 1;
  const std::string alone = what_matters(check("canary_detach"));
  options.runners = 3;
  EXPECT_EQ(what_matters(check("canary_detach")), alone);
}

TEST_F(Check, becomes_json_with_its_verdict_and_headline) {
  const Result result = check("stacked_in_scope");
  const auto document = nlohmann::json::parse(report::to_json({&result, 1}));
  EXPECT_EQ(document["schema"], 1);
  const auto& json = document["results"].at(0);
  EXPECT_EQ(json["implementation"], "stacked_in_scope");
  EXPECT_EQ(json["verdict"], "unsound");
  EXPECT_EQ(json["expected"], "unsound");
  EXPECT_EQ(json["effort"]["exhaustive_ops"], 3);
  EXPECT_EQ(json["findings"].size(), result.findings.size());
  EXPECT_EQ(std::ranges::count_if(json["findings"], [](const auto& f) { return f["headline"] == true; }), 1);
  EXPECT_EQ(json["findings"].at(0)["scenario"], result.findings.front().scenario);
  EXPECT_EQ(json["reach"]["spawn"],
            std::ranges::find(result.reach, "spawn", &std::pair<std::string, std::uint64_t>::first)->second);
}

// ---- the headline ------------------------------------------------------------------------------------

struct Short {
  const char* kind;
  std::size_t ops;
};

/// The kinds in the order in which they are reported; the headline with an exclamation mark.
std::vector<std::string> order_of(std::initializer_list<Short> findings) {
  std::vector<Counterexample> all;
  for (const Short& f : findings) {
    all.emplace_back();
    all.back().kind = f.kind;
    all.back().ops = f.ops;
  }
  choose_headline(all);
  std::vector<std::string> order;
  for (const Counterexample& f : all) order.push_back(f.kind + (f.is_headline ? "!" : ""));
  return order;
}

TEST(Headline, is_what_uses_ended_memory_even_if_something_else_is_shorter) {
  EXPECT_THAT(order_of({{"aliased-borrow", 3}, {"use-after-scope", 5}}),
              ElementsAre("use-after-scope!", "aliased-borrow"));
  EXPECT_THAT(order_of({{"aliased-borrow", 5}, {"use-after-scope", 5}}),
              ElementsAre("use-after-scope!", "aliased-borrow"));
  EXPECT_THAT(order_of({{"never-dropped", 2}, {"double-drop", 2}, {"bookkeeping-after-scope", 8}}),
              ElementsAre("bookkeeping-after-scope!", "never-dropped", "double-drop"));
}

TEST(Headline, is_the_shortest_of_those_that_use_ended_memory) {
  EXPECT_THAT(order_of({{"use-after-scope", 5}, {"wake-after-free", 4}, {"future-after-free", 6}}),
              ElementsAre("wake-after-free!", "use-after-scope", "future-after-free"));
}

TEST(Headline, is_about_memory_rather_than_a_broken_promise) {
  EXPECT_THAT(order_of({{"join-lied", 1}, {"lost-panic", 2}, {"double-step", 7}}),
              ElementsAre("double-step!", "join-lied", "lost-panic"));
  EXPECT_THAT(order_of({{"lost-panic", 2}, {"join-lied", 1}}), ElementsAre("join-lied!", "lost-panic"));
  EXPECT_THAT(order_of({}), IsEmpty());
}

}  // namespace
}  // namespace scopecheck::campaign
