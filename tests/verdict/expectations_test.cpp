// What the designs' authors expect of them (theory, as code) is what the ledger says of every scenario of up
// to five ops: the unsound are accused, and nobody else is.
#include "harness/generator/exhaustive.hpp"
#include "tests/support/lab.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace scopecheck::verdict {
namespace {

using scenario::Discipline;
using tests::Lab;

struct Expected {
  std::string implementation;
  Discipline discipline;
};
void PrintTo(const Expected& expected, std::ostream* out) { *out << expected.implementation; }

/// The first scenario of up to `longest` ops with a memory finding, as text; "" when there is none.
std::string first_accusation(Lab& lab, std::size_t longest) {
  const tests::CatchFailStops fail_stops;
  std::string first;
  generator::Exhaustive engine(lab.offers(), {});
  for (std::size_t ops = 0; ops <= longest; ++ops)
    engine.visit(ops, [&](const scenario::Scenario& scenario) {
      lab.run(scenario);
      for (const Finding& finding : lab.findings())
        if (info(finding.kind()).memory)
          first = to_string(finding.signature) + ":\n" + scenario::to_text(scenario);
      return first.empty();
    });
  return first;
}

class Expectation : public testing::TestWithParam<Expected> {};

TEST_P(Expectation, holds_for_all_scenarios_of_up_to_five_ops) {
  Lab lab(GetParam().implementation, GetParam().discipline);
  const std::string accusation = first_accusation(lab, 5);
  if (interpreter::expects_unsound(lab.plugin(), 0, GetParam().discipline))
    EXPECT_NE(accusation, "") << "it is unsound";
  else
    EXPECT_EQ(accusation, "") << "it is not known to be unsound";
}

std::vector<Expected> expectations() {
  std::vector<Expected> all;
  for (std::string& name : tests::names_that_can_be_left(true)) {
    // these use memory of the implementation's own too late, which only a sanitizer sees
    if (name == "intrusive_list" || name == "canary_stale_waker" || name == "canary_moved" ||
        name.starts_with("canary_late_bookkeeping") || name.starts_with("canary_late_handle"))
      continue;
    if (name.starts_with("canary_deep_")) continue;  // out of reach of five ops, which is what they are for
    // its shortest client has seven, and stands in corpus/regressions
    if (name == "suspendable_stack") continue;
    for (const Discipline discipline : {Discipline::safe, Discipline::documented, Discipline::no_leak})
      all.push_back({name, discipline});
  }
  return all;
}

std::string name_of(const testing::TestParamInfo<Expected>& info) {
  constexpr std::array<const char*, 3> words = {"safe", "documented", "no_leak"};
  return info.param.implementation + "_" + words[static_cast<std::size_t>(info.param.discipline)];
}
INSTANTIATE_TEST_SUITE_P(Of, Expectation, testing::ValuesIn(expectations()), name_of);

}  // namespace
}  // namespace scopecheck::verdict
