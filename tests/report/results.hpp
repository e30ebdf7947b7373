// Results for the tests of the writers.
#pragma once

#include "harness/report/result.hpp"

#include <vector>

namespace scopecheck::report {

inline Result unsound_result() {
  Result r;
  r.implementation = "stacked_in_scope";
  r.flavour = "current-thread";
  r.discipline = "safe";
  r.verdict = Verdict::unsound;
  r.expected = Verdict::unsound;
  r.effort = {.exhaustive_ops = 4,
              .exhaustive_scenarios = 12345,
              .witness_scenarios = 12345,
              .random_scenarios = 0,
              .seconds = 0.42};
  r.reach = {{"spawn", 300}, {"forget", 40}, {"cell_died", 12}};
  r.outcomes = {.clean = 12340, .hang = 0, .hang_suspected = 3, .fail_stop = 2};
  r.trilemma = {.examples = {"spawn t0 {\n  yield\n} as h0\nstep t0\n", "spawn t0 {\n} as h0\nstep t0\n",
                             "cell x\nspawn t0 borrow mut x {\n  write x\n} as h0\nstep t0\n"},
                .scenarios = 99};
  r.seed = 7;
  r.bounds = "2 tasks, 2 cells";
  Counterexample c;
  c.kind = "use-after-scope";
  c.signature = "use-after-scope(forget, frame-end, write)";
  c.scenario = "cell x\nspawn t0 borrow mut x {\n  write x\n} as h0 boxed\nforget h0\n";
  c.ops = 3;
  c.found_after_scenarios = 17;
  c.found_after_seconds = 0.01;
  c.confirmed_by = {"ledger", "asan"};
  c.reproduce =
      "scopecheck replay corpus/regressions/stacked_in_scope.scn --impl stacked_in_scope --flavour "
      "current-thread";
  c.sanitizer_report =
      "==1==ERROR: AddressSanitizer: stack-use-after-scope\n  #0 ...\nSUMMARY: AddressSanitizer: "
      "stack-use-after-scope a.cpp:3 in f\n";
  c.lifeline = "    client  x→t0  t0\n";
  c.is_headline = true;
  Counterexample other = c;
  other.kind = "double-drop";
  other.is_headline = false;
  r.findings = {other, c};
  return r;
}

inline std::vector<Result> some_results() {
  Result sound;
  sound.implementation = "slot_nursery";
  sound.flavour = "current-thread";
  sound.discipline = "no-leak";
  sound.verdict = Verdict::not_refuted;
  sound.expected = Verdict::not_refuted;
  sound.effort = {.exhaustive_ops = 8,
                  .exhaustive_scenarios = 2'000'000,
                  .witness_scenarios = 2'000'000,
                  .random_scenarios = 30'000,
                  .seconds = 125};
  sound.bounds = "2 tasks, 2 cells, 2 scopes";
  sound.trilemma = {.examples = {"poll s0\n", "", "write x\n"}, .scenarios = 100};
  sound.notes = {"hangs when the scope is joined on the only executor thread"};
  Result differs = sound;
  differs.implementation = "an_implementation_with_a_very_long_name_indeed";
  differs.flavour = "eight-workers-with-stealing";
  differs.expected = Verdict::unsound;
  Result open = sound;
  open.implementation = "mine";
  open.expected = std::nullopt;
  open.verdict = Verdict::inconclusive;
  open.trilemma = std::nullopt;
  open.why = "goals were not reached";
  open.unmet_goals = {"block_stalled", "late_wake"};
  return {unsound_result(), sound, differs, open};
}

}  // namespace scopecheck::report
