#include "harness/report/table.hpp"

#include "tests/report/results.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace scopecheck::report {
namespace {

std::size_t widest(const std::string& text) {
  std::size_t width = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (line.find("see it again: ") == std::string::npos) width = std::max(width, display_width(line));
  return width;
}

TEST(Table, puts_a_row_in_one_line_where_there_is_room) {
  const std::vector<Result> results{unsound_result()};
  EXPECT_EQ(table(results, {.width = 150}),
            "implementation    flavour         discipline  verdict  C P B  effort                          "
            "shortest "
            "counterexample\n"
            "stacked_in_scope  current-thread  safe        unsound  C P B  all 12,345 of <= 4 ops, 420 ms  "
            "cell x; spawn t0 borrow mut x { write x } as h0 boxed; …\n");
}

TEST(Table, puts_effort_and_counterexample_below_where_there_is_none) {
  const std::vector<Result> results{unsound_result()};
  EXPECT_EQ(table(results, {.width = 80}),
            "implementation    flavour         discipline  verdict  C P B\n"
            "stacked_in_scope  current-thread  safe        unsound  C P B\n"
            "    all 12,345 of <= 4 ops, 420 ms\n"
            "    cell x; spawn t0 borrow mut x { write x } as h0 boxed; forget h0\n");
}

TEST(Table, says_which_letters_were_seen_and_where_nobody_knows) {
  const std::string text = table(some_results(), {.width = 80});
  EXPECT_NE(text.find("no-leak     not refuted   C - B\n"), std::string::npos) << text;
  EXPECT_NE(text.find("no-leak     inconclusive  ?\n"), std::string::npos) << text;
}

TEST(Table, names_a_client_for_each_letter) {
  EXPECT_EQ(trilemma_clients(std::vector{unsound_result()}, {.width = 80}),
            "The first clients of stacked_in_scope/current-thread (safe) that show:\n"
            "  C  spawn t0 { yield } as h0; step t0\n"
            "  P  spawn t0 { } as h0; step t0\n"
            "  B  cell x; spawn t0 borrow mut x { write x } as h0; step t0\n");
  EXPECT_EQ(trilemma_clients(std::vector{some_results()[1]}, {.width = 80}),
            "The first clients of slot_nursery/current-thread (no-leak) that show:\n"
            "  C  poll s0\n"
            "  P  none\n"
            "  B  write x\n");
  EXPECT_EQ(trilemma_clients(std::vector{some_results()[3]}, {}), "") << "not measured";
}

TEST(Table, keeps_to_every_width) {
  const auto results = some_results();
  for (std::size_t width = min_width; width <= max_width; ++width) {
    EXPECT_LE(widest(table(results, {.width = width})), width);
    EXPECT_LE(widest(trilemma_clients(results, {.width = width})), width);
    EXPECT_LE(widest(report(results, {.width = width})), width);
  }
  EXPECT_LE(widest(table(results, {.width = 3})), min_width);
}

TEST(Table, is_ascii_when_asked) {
  auto results = some_results();
  for (Counterexample& finding : results[0].findings)
    finding.lifeline.clear();  // drawn by lifeline, in its style
  results[3].why = "überraschend";
  const std::string text = report(results, {.unicode = false, .width = 60});
  EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

TEST(Report, shows_the_headline_counterexample_and_the_command_in_one_piece) {
  const std::vector<Result> results{unsound_result()};
  const std::string text = report(results, {.width = 60});
  EXPECT_NE(text.find("use-after-scope: stacked_in_scope/current-thread (safe), 3\nops\n\n    cell x\n    "
                      "spawn t0 borrow mut x {\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  see it again: " + results[0].findings[1].reproduce + "\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("confirmed by ledger and asan\n"), std::string::npos);
  EXPECT_NE(text.find("  SUMMARY: AddressSanitizer"), std::string::npos);
  EXPECT_NE(text.find("also found: double-drop (3 ops)"), std::string::npos);
  EXPECT_NE(text.find("stops the process: 2 runs"), std::string::npos);
}

TEST(Report, closes_with_what_not_refuted_means_and_with_counts) {
  const std::string text = report(some_results(), {.width = 100});
  EXPECT_NE(text.find("not refuted: none of the clients that were tried broke it (bounds: 2 tasks"),
            std::string::npos)
      << text;
  EXPECT_TRUE(
      text.ends_with("4 results: 2 as expected, 1 differs from the expectation, 1 without an expectation\n"))
      << text;
  EXPECT_NE(text.find("differs: unsound expected, not refuted found"), std::string::npos);
  EXPECT_NE(text.find("never reached: block_stalled, late_wake"), std::string::npos);
  EXPECT_NE(text.find("  - hangs when the scope is joined"), std::string::npos);
  EXPECT_EQ(report({}, {}), "no results\n");
}

TEST(Report, does_not_explain_not_refuted_when_nothing_was) {
  const std::vector<Result> results{unsound_result()};
  EXPECT_EQ(report(results, {}).find("not refuted"), std::string::npos);
}

TEST(Report, says_efforts_in_words) {
  EXPECT_EQ(
      effort_in_words(
          {.exhaustive_ops = 8, .exhaustive_scenarios = 1234567, .random_scenarios = 3000, .seconds = 4.25}),
      "all 1,234,567 of <= 8 ops, 3,000 random, 4.2 s");
  EXPECT_EQ(effort_in_words({.exhaustive_ops = 0, .exhaustive_scenarios = 999, .seconds = 0.012}),
            "999 scenarios, 12 ms");
}

}  // namespace
}  // namespace scopecheck::report
