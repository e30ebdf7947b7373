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
    offers = interpreter::offers_of(*abi::find_registered(name), scenario::Discipline::safe);
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

}  // namespace
}  // namespace scopecheck::campaign
