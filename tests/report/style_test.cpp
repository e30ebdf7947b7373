#include "harness/report/style.hpp"

#include <gtest/gtest.h>

#include <map>

namespace scopecheck::report {
namespace {

Style style(std::map<std::string, std::string> variables, bool terminal = true, std::size_t columns = 0) {
  return style_for([&](const char* name) { return variables[name]; }, terminal, columns);
}

TEST(Style, takes_unicode_from_the_first_locale_variable_that_is_set) {
  EXPECT_TRUE(style({{"LANG", "de_DE.UTF-8"}}).unicode);
  EXPECT_TRUE(style({{"LC_ALL", "C.utf8"}, {"LANG", "C"}}).unicode);
  EXPECT_FALSE(style({{"LC_ALL", "C"}, {"LANG", "de_DE.UTF-8"}}).unicode);
  EXPECT_FALSE(style({}).unicode);
  EXPECT_FALSE(style({{"LANG", "C.UTF-8"}, {"TERM", "dumb"}}).unicode);
}

TEST(Style, colours_terminals_that_can_and_people_who_want) {
  EXPECT_TRUE(style({{"TERM", "xterm"}}).colour);
  EXPECT_FALSE(style({{"TERM", "xterm"}}, false).colour);
  EXPECT_FALSE(style({{"TERM", "dumb"}}).colour);
  EXPECT_FALSE(style({{"NO_COLOR", "1"}}).colour);
  EXPECT_TRUE(style({{"NO_COLOR", ""}}).colour);
}

TEST(Style, clamps_the_width) {
  EXPECT_EQ(style({}).width, 80u);
  EXPECT_EQ(style({{"COLUMNS", "100"}}).width, 100u);
  EXPECT_EQ(style({{"COLUMNS", "nonsense"}}).width, 80u);
  EXPECT_EQ(style({{"COLUMNS", "100"}}, true, 90).width, 90u);
  EXPECT_EQ(style({}, true, 20).width, min_width);
  EXPECT_EQ(style({}, true, 5000).width, max_width);
}

TEST(Style, measures_and_cuts_by_columns) {
  EXPECT_EQ(display_width("┃ a→b"), 5u);
  EXPECT_EQ(fit("forget h0", 6, {}), "forge…");
  EXPECT_EQ(fit("forget h0", 6, {.unicode = false}), "forg..");
  EXPECT_EQ(fit("abc", 1, {.unicode = false}), "a");
  EXPECT_EQ(fit("", 0, {}), "");
  EXPECT_EQ(pad("ab", 4, {}), "ab  ");
  EXPECT_EQ(pad("→→→→", 3, {}), "→→…");
}

TEST(Style, wraps_at_spaces_and_cuts_long_words) {
  EXPECT_EQ(wrap("one two  three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrap("abcdefgh ij", 3), (std::vector<std::string>{"abc", "def", "gh", "ij"}));
  EXPECT_TRUE(wrap("", 5).empty());
}

TEST(Style, removes_what_could_harm_a_terminal) {
  EXPECT_EQ(printable("a\x1b[31mb\r\x7f\n", {}), "a[31mb\n");
  EXPECT_EQ(printable("a→b", {.unicode = false}), "a?b");
}

}  // namespace
}  // namespace scopecheck::report
