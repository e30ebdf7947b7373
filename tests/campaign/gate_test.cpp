// The canary gate: this build notices every planted defect, and says so when it does not.
#include "harness/campaign/gate.hpp"

#include "harness/campaign/sanitizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace scopecheck::campaign {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* this_program = "/proc/self/exe";

bool any_case(auto matches) { return std::ranges::any_of(gate_cases(), matches); }

TEST(GateCases, plant_every_kind_of_finding_that_a_witness_can_confirm_here) {
  for (std::size_t i = 0; i < verdict::kind_table.size(); ++i) {
    const auto kind = static_cast<verdict::FindingKind>(i);
    if (!verdict::info(kind).asan_confirms) continue;
    EXPECT_TRUE(any_case([&](const GateCase& c) { return c.witness == Witness::asan && c.kind == kind; }))
        << verdict::info(kind).text;
  }
}

TEST(GateCases, have_a_sound_twin_for_each_witness) {
  for (const Witness witness : {Witness::ledger, Witness::asan})
    EXPECT_TRUE(any_case([&](const GateCase& c) { return c.witness == witness && !c.finds; }));
}

TEST(GateCases, are_each_another_combination) {
  std::set<std::string> seen;
  for (const GateCase& c : gate_cases())
    EXPECT_TRUE(seen.insert(std::string(c.implementation) + "|" + std::string(c.place) + "|" +
                            std::string(c.carrier) + (c.witness == Witness::asan ? "|asan" : "|ledger"))
                    .second)
        << c.implementation << ", " << c.place << ", " << c.carrier;
}

TEST(RunGate, catches_every_planted_defect_in_this_build) {
  const auto asan = asan_executable();
  if (!asan) GTEST_SKIP() << asan.error();
  const Gate gate = run_gate(this_program, *asan, "");
  ASSERT_EQ(gate.rows.size(), gate_cases().size());
  for (const GateRow& row : gate.rows)
    EXPECT_TRUE(row.caught) << row.planted->implementation << ", " << row.planted->place << ", "
                            << row.planted->carrier << ": " << row.detail;
  EXPECT_EQ(gate.first_failure(), "");
  EXPECT_TRUE(gate.ledger_works());
  EXPECT_TRUE(gate.asan_works());
}

TEST(RunGate, says_what_asan_calls_the_places_where_memory_ends) {
  const auto asan = asan_executable();
  if (!asan) GTEST_SKIP() << asan.error();
  for (const GateRow& row : run_gate(this_program, *asan, "").rows) {
    if (row.planted->witness != Witness::asan || row.planted->kind != verdict::FindingKind::use_after_scope ||
        !row.planted->finds)
      continue;
    const bool on_stack =
        row.planted->place.starts_with("stack frame") || row.planted->place == "nested stack frame";
    EXPECT_EQ(row.detail, on_stack ? "stack-use-after-return" : "use-after-poison") << row.planted->place;
  }
}

TEST(RunGate, without_an_asan_build_says_that_this_witness_is_missing) {
  const Gate gate = run_gate(this_program, "/nonexistent", "nobody built it");
  EXPECT_TRUE(gate.ledger_works());
  EXPECT_FALSE(gate.asan_works());
  EXPECT_THAT(gate.first_failure(), HasSubstr("nobody built it"));
  for (const GateRow& row : gate.rows) EXPECT_EQ(row.caught, row.planted->witness == Witness::ledger);
}

TEST(RunGate, is_not_passed_by_a_program_that_has_no_sanitizer) {
  if (built_with_asan()) GTEST_SKIP() << "this program has one";
  const Gate gate = run_gate(this_program, this_program, "");
  EXPECT_FALSE(gate.asan_works());
  EXPECT_THAT(gate.first_failure(), StartsWith("ASan is blind here: canary_detach"));
  for (const GateRow& row : gate.rows)
    if (row.planted->witness == Witness::asan && row.planted->finds)
      EXPECT_FALSE(row.caught) << row.planted->place;
}

TEST(RunGate, is_not_passed_when_the_program_cannot_be_run) {
  const Gate gate = run_gate("/nonexistent", "/nonexistent", "");
  EXPECT_FALSE(gate.ledger_works());
  EXPECT_FALSE(gate.asan_works());
  for (const GateRow& row : gate.rows) {
    EXPECT_FALSE(row.caught);
    EXPECT_NE(row.detail, "");
  }
}

TEST(Gate, with_no_rows_proves_nothing) {
  const Gate gate;
  EXPECT_FALSE(gate.ledger_works());
  EXPECT_FALSE(gate.asan_works());
}

TEST(Gate, names_the_first_row_that_failed) {
  Gate gate;
  for (const GateCase& planted : gate_cases())
    gate.rows.push_back({.planted = &planted, .caught = true, .detail = ""});
  EXPECT_EQ(gate.first_failure(), "");
  gate.rows[0].caught = false;
  gate.rows[0].detail = "not noticed";
  EXPECT_EQ(gate.first_failure(),
            "the ledger is blind here: canary_detach (stack frame, step, write): not noticed");
  EXPECT_FALSE(gate.ledger_works());
  EXPECT_TRUE(gate.asan_works());
}

}  // namespace
}  // namespace scopecheck::campaign
