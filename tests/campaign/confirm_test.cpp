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
    if (asan_program != program) std::filesystem::remove(asan_program, ignored);
  }
  [[nodiscard]] Confirmer confirmer(const char* name, bool has_asan = false) {
    offers = interpreter::offers_of({abi::find_registered(name), 0}, scenario::Discipline::safe);
    return {implementation(name), scenario::Discipline::safe, offers, program, asan_program, has_asan};
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
    asan_program = tests::program_of_witness(testimony);
    const Found found = shown_by("canary_detach", touches_late_twice);
    return confirmer("canary_detach", true).confirm(found, {});
  }

  scenario::Offers offers;
  std::filesystem::path program = "/proc/self/exe";
  std::filesystem::path asan_program = program;
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
    EXPECT_THAT(confirmation.confirmed_by, ElementsAre("ledger")) << asan_program;
    EXPECT_TRUE(confirmation.conflict) << asan_program;
    EXPECT_THAT(confirmation.conflict_text, HasSubstr("reports something else"));
    TearDown();
  }
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
  asan_program = tests::program_of_witness(Testimony::at_the_first_late_touch);
  const Confirmation confirmation = confirmer(name, true).confirm(run->findings.front(), {});
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
