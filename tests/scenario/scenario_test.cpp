// Scenarios as values: what an op costs, which of two is smaller.
#include "harness/scenario/scenario.hpp"

#include "harness/scenario/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace scopecheck::scenario {
namespace {

Scenario scenario_of(std::string_view text) {
  const auto parsed = parse(text);
  if (parsed.has_value()) return parsed->scenario;
  ADD_FAILURE() << parsed.error().message << "\n" << text;
  return {};
}

TEST(OpTable, NamesEveryOpOnce) {
  std::set<std::string_view> ids;
  for (const OpInfo& row : op_table) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_FALSE(row.text.empty());
    EXPECT_FALSE(row.doc.empty());
    EXPECT_LE(row.cost, 1);
  }
}

TEST(OpTable, ChargesEverythingButCellsAndBraces) {
  for (std::size_t i = 0; i < op_kinds; ++i) {
    const auto kind = static_cast<OpKind>(i);
    EXPECT_EQ(info(kind).cost, kind == OpKind::end || kind == OpKind::cell ? 0 : 1) << info(kind).id;
  }
}

TEST(Scenario, CountsClientOpsAndBodySteps) {
  EXPECT_EQ(Scenario{}.cost(), 0u);
  EXPECT_EQ(scenario_of("cell x\ncell y\n").cost(), 0u);
  EXPECT_EQ(scenario_of("frame {\n}\n").cost(), 1u);
  // spawn, write, forget; the cell and the brace are free
  EXPECT_EQ(scenario_of("cell x\nspawn t borrow mut x {\n  write x\n} as h boxed\nforget h\n").cost(), 3u);
}

TEST(Scenario, FindsTheEndOfABlock) {
  const Scenario scenario = scenario_of("frame {\n  frame {\n  }\n  settle\n}\nframe {\n}\n");
  EXPECT_EQ(scenario.matching_end(0), 4u);
  EXPECT_EQ(scenario.matching_end(1), 2u);
  EXPECT_EQ(scenario.matching_end(5), 6u);
}

TEST(Scenario, IsSmallerWithFewerOpsThenFewerLinesThenByTheTable) {
  // each one smaller than the next
  const std::vector<std::string> ordered = {
      "",
      "cell x\n",  // free, but a line
      "cell x\ncell y\n",
      "settle\n",          // one op
      "throw\n",           // later in the table
      "cell x\nread x\n",  // one op, two lines
      "cell x\nwrite x\n",
      "frame {\n}\n",  // frame comes after cell
      "cell x\ncell y\nread x\n",
      "cell x\ncell y\nread y\n",
      "settle\nsettle\n",  // two ops
      "cell x\nread x\nread x\n",
      "frame {\n}\nframe {\n}\n",
      "frame {\n  frame {\n  }\n}\n",
      "settle\nsettle\nsettle\n",
  };
  for (std::size_t i = 0; i < ordered.size(); ++i)
    for (std::size_t j = 0; j < ordered.size(); ++j) {
      const auto order = scenario_of(ordered[i]) <=> scenario_of(ordered[j]);
      EXPECT_EQ(order < 0, i < j) << ordered[i] << "---\n" << ordered[j];
      EXPECT_EQ(order == 0, i == j) << ordered[i] << "---\n" << ordered[j];
    }
}

TEST(Scenario, EqualsOnlyTheSameProgram) {
  const std::string base = "cell x\nscope s\nspawn t in s borrow mut x {\n} as h\nforget h\n";
  EXPECT_EQ(scenario_of(base), scenario_of(base));
  for (const std::string_view other :
       {"cell x\nscope s boxed\nspawn t in s borrow mut x {\n} as h\nforget h\n",
        "cell x\nscope s\nspawn t in s borrow shared x {\n} as h\nforget h\n",
        "cell x\nscope s\nspawn t in s borrow mut x {\n} as h boxed\nforget h\n",
        "cell x\nscope s\nspawn t in s borrow mut x {\n}\nforget s\n",
        "cell x\nscope s\nspawn t in s borrow mut x {\n} as h\nforget h cycle\n",
        "cell x\nscope s\nspawn t in s borrow mut x {\n} as h\nforget s\n"})
    EXPECT_NE(scenario_of(base), scenario_of(other)) << other;
}

}  // namespace
}  // namespace scopecheck::scenario
