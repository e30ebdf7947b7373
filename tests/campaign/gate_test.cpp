// The canary gate: this build notices every planted defect, and says so when it does not.
#include "harness/campaign/gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace scopecheck::campaign {
namespace {

using testing::StartsWith;

constexpr const char* this_program = "/proc/self/exe";

bool any_case(auto matches) { return std::ranges::any_of(gate_cases(), matches); }

TEST(GateCases, plant_every_kind_of_finding_that_a_witness_can_confirm_here) {
  for (std::size_t i = 0; i < verdict::kind_table.size(); ++i) {
    const auto kind = static_cast<verdict::FindingKind>(i);
    for (const Witness sanitizer : {Witness::asan, Witness::tsan}) {
      const verdict::KindInfo& info = verdict::info(kind);
      if (!(sanitizer == Witness::asan ? info.asan_confirms : info.tsan_confirms)) continue;
      EXPECT_TRUE(any_case([&](const GateCase& c) { return c.witness == sanitizer && c.kind == kind; }))
          << info.text << " by " << in_words(sanitizer);
    }
  }
}

TEST(GateCases, have_a_sound_twin_for_each_witness) {
  for (const Witness witness : {Witness::ledger, Witness::asan, Witness::tsan})
    EXPECT_TRUE(any_case([&](const GateCase& c) { return c.witness == witness && !c.finds; }));
}

TEST(GateCases, are_each_another_combination) {
  std::set<std::string> seen;
  for (const GateCase& c : gate_cases())
    EXPECT_TRUE(seen.insert(std::string(c.implementation) + "|" + std::string(c.place) + "|" +
                            std::string(c.carrier) + "|" + std::string(to_string(c.witness)))
                    .second)
        << c.implementation << ", " << c.place << ", " << c.carrier;
}

TEST(RunGate, catches_every_planted_defect_in_this_build) {
  const Programs programs = find_programs(this_program);
  for (const Witness sanitizer : {Witness::asan, Witness::tsan})
    if (!programs.has(sanitizer)) GTEST_SKIP() << programs.missing(sanitizer);
  const Gate gate = run_gate(programs);
  ASSERT_EQ(gate.rows.size(), gate_cases().size());
  for (const GateRow& row : gate.rows)
    EXPECT_TRUE(row.caught) << row.planted->implementation << ", " << row.planted->place << ", "
                            << row.planted->carrier << ": " << row.detail;
  EXPECT_EQ(gate.first_failure(), "");
  for (const Witness witness : {Witness::ledger, Witness::asan, Witness::tsan})
    EXPECT_TRUE(gate.works(witness)) << in_words(witness);
}

TEST(RunGate, says_what_asan_calls_the_places_where_memory_ends) {
  const auto asan = twin_executable(Witness::asan);
  if (!asan) GTEST_SKIP() << asan.error();
  for (const GateRow& row : run_gate({.own = this_program, .asan = *asan}).rows) {
    if (row.planted->witness != Witness::asan || row.planted->kind != verdict::FindingKind::use_after_scope ||
        !row.planted->finds)
      continue;
    const bool on_stack =
        row.planted->place.starts_with("stack frame") || row.planted->place == "nested stack frame";
    EXPECT_EQ(row.detail, on_stack ? "stack-use-after-return" : "use-after-poison") << row.planted->place;
  }
}

TEST(RunGate, without_the_build_of_a_sanitizer_says_that_this_witness_is_missing) {
  const Gate gate = run_gate({.own = this_program,
                              .asan_missing = "nobody built it",
                              .tsan_missing = "nobody built that one either"});
  EXPECT_TRUE(gate.works(Witness::ledger));
  EXPECT_FALSE(gate.works(Witness::asan));
  EXPECT_FALSE(gate.works(Witness::tsan));
  EXPECT_EQ(gate.first_failure(), "no ASan witness: nobody built it");
  for (const GateRow& row : gate.rows) EXPECT_EQ(row.caught, row.planted->witness == Witness::ledger);
}

TEST(RunGate, is_not_passed_by_a_program_that_has_no_sanitizer) {
  if (built_with() != Witness::ledger) GTEST_SKIP() << "this program has one";
  const Gate gate = run_gate({.own = this_program, .asan = this_program, .tsan = this_program});
  EXPECT_FALSE(gate.works(Witness::asan));
  EXPECT_FALSE(gate.works(Witness::tsan));
  EXPECT_THAT(gate.first_failure(), StartsWith("ASan is blind here: canary_detach"));
  for (const GateRow& row : gate.rows)
    if (row.planted->witness != Witness::ledger && row.planted->finds)
      EXPECT_FALSE(row.caught) << in_words(row.planted->witness) << ", " << row.planted->place;
}

TEST(RunGate, is_not_passed_when_the_program_cannot_be_run) {
  const Gate gate = run_gate({.own = "/nonexistent", .asan = "/nonexistent", .tsan = "/nonexistent"});
  for (const Witness witness : {Witness::ledger, Witness::asan, Witness::tsan})
    EXPECT_FALSE(gate.works(witness));
  for (const GateRow& row : gate.rows) {
    EXPECT_FALSE(row.caught);
    EXPECT_NE(row.detail, "");
  }
}

TEST(Gate, with_no_rows_proves_nothing) {
  const Gate gate;
  for (const Witness witness : {Witness::ledger, Witness::asan, Witness::tsan})
    EXPECT_FALSE(gate.works(witness));
}

TEST(Gate, asks_tsan_only_about_implementations_with_threads) {
  Gate gate;
  for (const GateCase& planted : gate_cases())
    gate.rows.push_back(
        {.planted = &planted, .caught = planted.witness != Witness::tsan, .detail = "silent"});
  EXPECT_EQ(gate.first_failure(false), "");
  EXPECT_THAT(gate.first_failure(true), StartsWith("TSan is blind here: canary_detached_thread"));
  gate.tsan_missing = "nobody built it";
  EXPECT_EQ(gate.first_failure(false), "");
  EXPECT_EQ(gate.first_failure(true), "no TSan witness: nobody built it");
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
  EXPECT_FALSE(gate.works(Witness::ledger));
  EXPECT_TRUE(gate.works(Witness::asan));
}

}  // namespace
}  // namespace scopecheck::campaign
