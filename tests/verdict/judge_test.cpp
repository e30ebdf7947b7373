// The judge: a function of the evidence, and silent only where every oracle would be.
#include "harness/generator/random.hpp"
#include "tests/support/lab.hpp"
#include "tests/verdict/hand_made.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace scopecheck::verdict {
namespace {

using enum EventKind;
using testing::IsEmpty;
using tests::Lab;

/// Late touch, double drop, join-lied and a scribble in one ledger.
HandMade all_wrong() {
  HandMade made("cell x; spawn t0 borrow mut x { write x } as h0; poll h0");
  made.client(cell_born, 0).child(spawned, 1, 0, none).task(0, loan_taken, 1, 0, 0).client(joined, 4, 0);
  made.child(child_dropped, 4).child(child_dropped, 4).client(cell_died, 5);
  made.task(0, touched_write, 2, 0, ledger::touch_dead).client(scribbled, 4);
  return made;
}

TEST(Judge, asks_the_oracles_whose_alarm_was_raised) {
  HandMade made = all_wrong();
  EXPECT_EQ(signatures(made, judge).size(), 4u);
  made.alarms = 0;
  EXPECT_THAT(signatures(made, judge), IsEmpty());
  const auto with = [&](ledger::Alarm alarm) {
    made.alarms = alarm;
    return signatures(made, judge);
  };
  using testing::ElementsAre;
  using testing::StartsWith;
  EXPECT_THAT(with(ledger::alarm_touch), ElementsAre(StartsWith("use-after-scope")));
  for (const auto alarm : {ledger::alarm_step, ledger::alarm_drop, ledger::alarm_never, ledger::alarm_object})
    EXPECT_THAT(with(alarm), ElementsAre(StartsWith("double-drop")));
  for (const auto alarm : {ledger::alarm_join, ledger::alarm_wake})
    EXPECT_THAT(with(alarm), ElementsAre(StartsWith("join-lied")));
  EXPECT_THAT(with(ledger::alarm_scribble), ElementsAre(StartsWith("witness-conflict")));
}

TEST(Judge, begins_with_no_findings_of_the_run_before) {
  Findings findings;
  judge(all_wrong().evidence(), findings);
  ASSERT_EQ(findings.size(), 4u);
  HandMade sound("settle");
  sound.alarms = 0;
  judge(sound.evidence(), findings);
  EXPECT_TRUE(findings.empty());
}

class Judged : public testing::TestWithParam<std::string> {};

std::vector<Finding> list(const Findings& findings) { return {findings.begin(), findings.end()}; }
bool same(const std::vector<Finding>& a, const std::vector<Finding>& b) {
  return std::ranges::equal(a, b, [](const Finding& one, const Finding& other) {
    return one.signature == other.signature && one.task == other.task && one.cell == other.cell &&
           one.value == other.value && one.event == other.event && one.used_at == other.used_at &&
           one.taken_at == other.taken_at && one.released_at == other.released_at &&
           one.ended_at == other.ended_at;
  });
}

TEST_P(Judged, findings_are_a_function_of_the_ledger_and_no_alarm_is_missing) {
  Lab lab(GetParam());
  const tests::CatchFailStops fail_stops;
  std::size_t with_findings = 0;
  EXPECT_TRUE(rc::check([&] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    generator::Random random(lab.offers(), generator::random_bounds(), seed);
    for (int i = 0; i < 50; ++i) {  // root_parked falls about once in a thousand
      lab.run(random.next());
      const std::vector<Finding> first = list(lab.findings());
      if (!first.empty()) ++with_findings;
      // a copy of the evidence, judged after another run
      const Evidence evidence = lab.evidence();
      const scenario::Scenario program = evidence.program;
      const std::vector<Event> events = lab.events();
      Findings again;
      judge({program, events, evidence.alarms, evidence.promises}, again);
      RC_ASSERT(same(list(again), first));
      // what the oracles find without having been called by an alarm
      Findings uncalled;
      judge({program, events, 0xffff, evidence.promises}, uncalled);
      if (!same(list(uncalled), first)) RC_FAIL("an alarm is missing for\n" + scenario::to_text(program));
    }
  }));
  const bool unsound = interpreter::expects_unsound(lab.plugin(), 0, scenario::Discipline::safe);
  // counting_scope: few long random clients join all that they destroy, and the others end there
  const bool rare = GetParam() == "forced_await" || GetParam() == "counting_scope" ||
                    GetParam().starts_with("canary_late_") || GetParam().starts_with("canary_deep_");
  if (unsound && !rare) EXPECT_GT(with_findings, 0u) << "nothing was judged";
}

std::vector<std::string> judged() {
  std::vector<std::string> names = tests::names_that_can_be_left(true);
  // what these do to memory of their own an ASan build would report, and others must not try
  std::erase(names, "canary_stale_waker");
  std::erase(names, "canary_late_bookkeeping");
  std::erase(names, "canary_late_handle_bookkeeping");
  std::erase(names, "canary_late_handle_in_place");
  std::erase(names, "canary_moved");
  std::erase(names, "intrusive_list");
  return names;
}
INSTANTIATE_TEST_SUITE_P(Of, Judged, testing::ValuesIn(judged()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace scopecheck::verdict
