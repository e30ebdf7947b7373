// A counterexample counts as confirmed by those witnesses alone that saw it again, at the same moment.
#include "harness/campaign/confirm.hpp"

#include "harness/abi/registry.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/scenario/text.hpp"
#include "tests/campaign/fake_witness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace scopecheck::campaign {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::Testimony;

constexpr const char* touches_late_twice = "cell x; spawn t0 borrow mut x { write x; write x } as h0";

interpreter::Implementation implementation(const char* name) { return {abi::find_registered(name), 0}; }

class Confirm : public testing::Test {
 protected:
  void TearDown() override {
    std::error_code ignored;
    for (const std::filesystem::path& fake : {programs.asan, programs.tsan})
      if (!fake.empty()) std::filesystem::remove(fake, ignored);
  }
  [[nodiscard]] Confirmer confirmer(const char* name) {
    offers = interpreter::offers_of({abi::find_registered(name), 0}, scenario::Discipline::safe);
    return {implementation(name), scenario::Discipline::safe, offers, programs};
  }
  /// What a run of this scenario shows whose signature begins with `kind`.
  [[nodiscard]] Found shown_by(const char* name, const char* text, const char* kind = "use-after-scope") {
    const auto run = confirmer(name).once(scenario::parse(text)->scenario, {});
    EXPECT_TRUE(run) << run.error();
    if (run)
      for (const Found& found : run->findings)
        if (verdict::to_string(found.finding.signature).starts_with(kind)) return found;
    ADD_FAILURE() << name << " does not show " << kind << " in: " << text;
    return {};
  }
  [[nodiscard]] Confirmation confirmed_with(Testimony testimony) {
    programs.asan = tests::program_of_witness(testimony);
    const Found found = shown_by("canary_detach", touches_late_twice);
    return confirmer("canary_detach").confirm(found, {});
  }
  /// The same of a child on a thread of its own, and of TSan.
  [[nodiscard]] Confirmation confirmed_by_tsan_with(Testimony testimony,
                                                    const char* text = touches_late_twice) {
    programs.tsan = tests::program_of_witness(testimony);
    const Found found = shown_by("canary_detached_thread", text, "");
    return confirmer("canary_detached_thread").confirm(found, {});
  }

  scenario::Offers offers;
  Programs programs;
};

TEST_F(Confirm, takes_a_report_at_the_first_late_touch_for_a_second_witness) {
  const Confirmation confirmation = confirmed_with(Testimony::at_the_first_late_touch);
  EXPECT_THAT(confirmation.confirmed_by, ElementsAre("ledger", "asan"));
  EXPECT_FALSE(confirmation.conflict) << confirmation.conflict_text;
}

TEST_F(Confirm, of_what_asan_does_not_report_is_a_conflict) {
  const Confirmation confirmation = confirmed_with(Testimony::none);
  EXPECT_THAT(confirmation.confirmed_by, ElementsAre("ledger"));
  EXPECT_TRUE(confirmation.conflict);
  EXPECT_EQ(confirmation.conflict_text, "the ledger calls use-after-scope where ASan is silent");
}

TEST_F(Confirm, by_a_report_at_another_moment_or_of_another_access_is_a_conflict) {
  for (const Testimony testimony : {Testimony::before_it, Testimony::after_it, Testimony::elsewhere}) {
    const Confirmation confirmation = confirmed_with(testimony);
    EXPECT_THAT(confirmation.confirmed_by, ElementsAre("ledger")) << programs.asan;
    EXPECT_TRUE(confirmation.conflict) << programs.asan;
    EXPECT_THAT(confirmation.conflict_text, HasSubstr("reports something else"));
    TearDown();
  }
}

TEST_F(Confirm, takes_a_race_since_the_end_of_the_loan_for_another_witness) {
  for (const Testimony testimony : {Testimony::at_the_first_late_touch, Testimony::before_it}) {
    const Confirmation confirmation = confirmed_by_tsan_with(testimony);
    EXPECT_THAT(confirmation.confirmed_by, ElementsAre("ledger", "tsan"));
    EXPECT_FALSE(confirmation.conflict) << confirmation.conflict_text;
    TearDown();
  }
}

TEST_F(Confirm, of_a_race_that_tsan_does_not_report_is_a_conflict) {
  for (const Testimony testimony : {Testimony::none, Testimony::elsewhere, Testimony::after_it}) {
    const Confirmation confirmation = confirmed_by_tsan_with(testimony);
    EXPECT_THAT(confirmation.confirmed_by, ElementsAre("ledger")) << programs.tsan;
    EXPECT_TRUE(confirmation.conflict) << programs.tsan;
    EXPECT_THAT(confirmation.conflict_text, HasSubstr("where TSan "));
    TearDown();
  }
}

TEST_F(Confirm, does_not_ask_tsan_for_a_race_where_the_implementation_may_have_ordered_it) {
  // between the end of the loan and the late touch the client spawned: a thread is made, which may order them
  const Confirmation confirmation = confirmed_by_tsan_with(
      Testimony::none,
      "cell x; frame { spawn t0 borrow mut x { write x } as h0 }; frame { spawn t1 { } as h1 }; step t0");
  EXPECT_THAT(confirmation.confirmed_by, ElementsAre("ledger"));
  EXPECT_FALSE(confirmation.conflict) << confirmation.conflict_text;
}

TEST_F(Confirm, does_not_ask_tsan_where_there_is_one_thread) {
  programs.tsan = tests::program_of_witness(Testimony::none);
  const Found found = shown_by("canary_detach", touches_late_twice);
  EXPECT_FALSE(confirmer("canary_detach").confirm(found, {}).conflict);
}

TEST_F(Confirm, of_what_really_races_has_all_witnesses) {
  programs = find_programs("/proc/self/exe");
  const Programs found_here = programs;
  for (const Witness sanitizer : {Witness::asan, Witness::tsan})
    if (!programs.has(sanitizer)) {
      programs = {};
      GTEST_SKIP() << found_here.missing(sanitizer);
    }
  const Found dead = shown_by("canary_detached_thread", touches_late_twice);
  EXPECT_THAT(confirmer("canary_detached_thread").confirm(dead, {}).confirmed_by,
              ElementsAre("ledger", "asan", "tsan"));
  // the first write is in time, and TSan speaks of it when the client has the cell back
  const Found alive =
      shown_by("canary_detached_thread",
               "cell x; frame { spawn t0 borrow mut x { write x; write x } as h0; step t0 }; settle",
               "aliased-borrow");
  EXPECT_THAT(confirmer("canary_detached_thread").confirm(alive, {}).confirmed_by,
              ElementsAre("ledger", "tsan"));
  programs = {};  // nothing to remove
}

TEST_F(Confirm, does_not_take_the_search_s_own_word_for_it) {
  // The second run of a process shows it; confirmation begins another.
  constexpr const char* name = "fickle_but_for_the_first_run";
  Job job = job_for(implementation(name), scenario::Discipline::safe);
  job.engine = Engine::one;
  job.runs = 2;
  job.scenario = scenario::parse(touches_late_twice)->scenario;
  const auto run = run_one(job, {});
  ASSERT_TRUE(run) << run.error();
  ASSERT_EQ(run->findings.size(), 1u);
  programs.asan = tests::program_of_witness(Testimony::at_the_first_late_touch);
  const Confirmation confirmation = confirmer(name).confirm(run->findings.front(), {});
  EXPECT_THAT(confirmation.confirmed_by, IsEmpty());
  EXPECT_FALSE(confirmation.conflict) << confirmation.conflict_text;
}

TEST_F(Confirm, needs_the_same_signature_again) {
  Found found = shown_by("canary_detach", touches_late_twice);
  EXPECT_THAT(confirmer("canary_detach").confirm(found, {}).confirmed_by, ElementsAre("ledger"));
  found.finding.signature.used_by = ledger::EventKind::touched_read;
  EXPECT_THAT(confirmer("canary_detach").confirm(found, {}).confirmed_by, IsEmpty())
      << "of the same kind, but the child only writes";
}

TEST_F(Confirm, shrinks_to_what_still_has_the_same_signature) {
  const Found found =
      shown_by("canary_detach", "cell x; spawn t0 borrow mut x { yield; write x } as h0; step t0; drop h0",
               "use-after-scope(drop, frame-end, write)");
  const Found shrunk = confirmer("canary_detach").shrunk(found);
  // shorter by `drop h0` it is of the same kind: the handle then ends with the frame
  const Found shorter = shown_by("canary_detach", "cell x; spawn t0 borrow mut x { write x } as h0");
  ASSERT_NE(shorter.finding.signature, found.finding.signature);
  EXPECT_EQ(scenario::to_text(shrunk.scenario),
            "cell x\nspawn t0 borrow mut x {\n  write x\n} as h0\ndrop h0\n");
  EXPECT_EQ(shrunk.finding.signature, found.finding.signature);
}

}  // namespace
}  // namespace scopecheck::campaign
