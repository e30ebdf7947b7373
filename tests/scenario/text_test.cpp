// The text form: what is printed can be read back, what cannot be read is refused with one clear sentence.
#include "harness/scenario/text.hpp"

#include "harness/base/prng.hpp"
#include "harness/generator/grammar.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace scopecheck::scenario {
namespace {

/// An alphabet with everything in it; `shape` varies what excludes each other.
Offers rich(unsigned shape) {
  Offers offers{.handle = true,
                .handle_poll = true,
                .handle_join = true,
                .handle_cancel = true,
                .handle_detach = true,
                .handle_mobility = Mobility::always,
                .join_mobility = Mobility::always,
                .spawn_nested = true,
                .keep_waker = true,
                .throws = true,
                .carrier = Carrier::handle,
                .run = true,
                .inside = true,
                .async = true,
                .box = true,
                .move = true,
                .forget = true,
                .forget_in_place = true,
                .shutdown = true};
  if ((shape & 1) != 0) {
    offers.scope = offers.scope_poll = offers.scope_join = offers.scope_join_as = true;
    offers.scope_cancel = offers.scope_close = offers.child_scopes = true;
    offers.scope_mobility = Mobility::always;
    offers.carrier = Carrier::scope;
  }
  if ((shape & 2) != 0) offers.handle_embeds_child = true;
  if ((shape & 4) != 0) offers.spawn_awaited = true;
  if ((shape & 8) != 0)
    offers.handle = offers.handle_poll = offers.handle_join = offers.handle_detach = false;
  if ((shape & 12) == 12) offers.spawn_awaited = false;
  return offers;
}

constexpr Bounds roomy{
    .ops = 60, .tasks = 8, .cells = 8, .scopes = 4, .frames = 4, .async_blocks = 4, .steps = 6, .borrows = 3};

/// The scenario that a list of choices picks from the grammar.
Scenario chosen(const std::vector<std::uint16_t>& choices, const Offers& offers) {
  generator::Draft draft(offers, roomy);
  generator::Candidates candidates;
  for (const std::uint16_t choice : choices) {
    draft.candidates(candidates);
    if (candidates.empty()) break;
    draft.push(candidates[choice % candidates.size()]);
  }
  draft.close();
  return draft.scenario();
}

/// The error of a text that must not parse.
TextError error_of(std::string_view text) {
  const auto parsed = parse(text);
  if (!parsed.has_value()) return parsed.error();
  ADD_FAILURE() << "parsed: " << text;
  return {};
}
std::string message_of(std::string_view text) { return error_of(text).message; }

std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

TEST(Text, PrintsOneOpALineIndentedByBlocks) {
  const std::string text =
      "cell x\n"
      "cell y\n"
      "scope s0 boxed\n"
      "spawn t0 in s0 borrow mut x borrow shared y {\n"
      "  write x\n"
      "  touch-on-drop capture y\n"
      "  keep waker\n"
      "} as h0\n"
      "join s0 as j0 boxed\n"
      "async b0 boxed {\n"
      "  await j0\n"
      "  suspend\n"
      "}\n"
      "catch {\n"
      "  run 12\n"
      "  throw bomb\n"
      "}\n"
      "frame {\n"
      "  move h0 out\n"
      "}\n"
      "forget b0\n"
      "forget h0 in-place\n"
      "forget s0 cycle\n"
      "wake t0\n";
  const auto parsed = parse(text);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(to_text(parsed->scenario), text);
}

TEST(Text, AcceptsAnyNamesSynonymsCommentsBlankLinesAndLineEnds) {
  const auto plain = parse("cell x\nspawn t0 borrow mut x {\n  write x\n} as h0 boxed\nforget h0\n");
  const auto other = parse(
      "# impl: stacked\r\n\r\n\tcell  counter # the borrowed one\r\nspawn child borrow mut counter {\r\n"
      "touch write counter\r\n}as guard_1 boxed\r\nleak guard_1");
  ASSERT_TRUE(plain.has_value());
  ASSERT_TRUE(other.has_value()) << other.error().message;
  EXPECT_EQ(plain->scenario, other->scenario);
}

TEST(Text, AcceptsSeveralOpsInALine) {
  const auto plain = parse("cell x\nframe {\n  cell y\n  read x\n}\n");
  const auto other = parse("cell x; frame { cell y; read x }");
  ASSERT_TRUE(plain.has_value());
  ASSERT_TRUE(other.has_value()) << other.error().message;
  EXPECT_EQ(plain->scenario, other->scenario);
}

TEST(Text, KeepsTheHeaderAndTheLineOfEveryOp) {
  const auto parsed = parse("# impl: slot_nursery \n#expect:unsound\n\ncell x # note: none\n\nframe {\n}\n");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->get("impl"), "slot_nursery");
  EXPECT_EQ(parsed->get("expect"), "unsound");
  EXPECT_EQ(parsed->get("absent"), "");
  EXPECT_EQ(parsed->lines, (std::vector<std::uint32_t>{4, 6, 7}));
}

TEST(Text, PrintsNothingForTheEmptyScenario) {
  EXPECT_EQ(to_text(Scenario{}), "");
  ASSERT_TRUE(parse("").has_value());
  EXPECT_EQ(parse("")->scenario, Scenario{});
}

TEST(Text, SuggestsTheNearestWord) {
  EXPECT_EQ(message_of("spwan t0 {\n}"), "unknown op 'spwan'; did you mean 'spawn'?");
  EXPECT_EQ(message_of("forgt h0"), "unknown op 'forgt'; did you mean 'forget'?");
  EXPECT_EQ(message_of("leek h0"), "unknown op 'leek'; did you mean 'leak'?");
  EXPECT_EQ(message_of("cell counter\nread conter"), "unknown cell 'conter'; did you mean 'counter'?");
  EXPECT_EQ(message_of("scope nursery\ndrop nurserie"), "unknown value 'nurserie'; did you mean 'nursery'?");
  EXPECT_EQ(message_of("scope s\nspawn task in s {\n}\nnext tsak"),
            "unknown task 'tsak'; did you mean 'task'?");
  EXPECT_EQ(message_of("scope s\nspawn task in s {\n}\nstep tsak"),
            "unknown task 'tsak'; did you mean 'task'?");
}

TEST(Text, SuggestsNothingFarFetched) {
  EXPECT_EQ(message_of("abracadabra"), "unknown op 'abracadabra'");
  EXPECT_EQ(message_of("read x"), "unknown cell 'x'");
  EXPECT_EQ(nearest("zzzzzz", {"spawn", "poll"}), "");
  EXPECT_EQ(nearest("pol", {"spawn", "poll"}), "poll");
  EXPECT_EQ(nearest("", {}), "");
}

TEST(Text, NamesTheLineOfTheMistake) {
  const struct {
    std::string_view text;
    std::uint32_t line;
    std::string_view message;
  } cases[] = {
      {"cell x\ncell x\n", 2, "cell 'x' is declared twice; names are used once in a scenario"},
      {"\n\nframe\n", 3, "expected '{'"},
      {"frame x\n", 1, "expected '{' before 'x'"},
      {"cell x\n}\n", 2, "'}' without an open block"},
      {"frame {\ncell x\n\n", 3, "block opened in line 1 is not closed"},
      {"cell x y\n", 1, "unexpected 'y'"},
      {"cell\n", 1, "expected a cell"},
      {"cell x-y\n", 1, "'x-y' is not a name for a cell"},
      {"scope {\n", 1, "'{' is not a name for a scope"},
      {"run 0\n", 1, "'0' is not a count from 1 to 99"},
      {"run 100\n", 1, "'100' is not a count from 1 to 99"},
      {"run -1\n", 1, "'-1' is not a count from 1 to 99"},
      {"run\n", 1, "expected a count"},
      {"cell x\nspawn t borrow x {\n}\n", 2, "expected 'shared' before 'x'"},
      {"cell x\nspawn t borrow mut x borrow shared x {\n}\n", 2, "a cell is borrowed twice by one spawn"},
      {"spawn t in s {\n}\n", 1, "unknown value 's'"},
      {"keep calm\n", 1, "expected 'waker' before 'calm'"},
      {"cell x\ntouch x\n", 2, "expected 'write' before 'x'"},
      {"cell x\ntouch-on-drop everything x\n", 2, "expected 'payload' before 'everything'"},
      {"scope s\nscope s\n", 2, "value 's' is declared twice; names are used once in a scenario"},
      // a handle and a future have their names from the end of their block on
      {"spawn t {\n  drop h\n} as h\n", 2, "unknown value 'h'"},
      {"async b {\n  poll b\n}\n", 2, "unknown value 'b'"},
  };
  for (const auto& [text, line, message] : cases) {
    const TextError error = error_of(text);
    EXPECT_EQ(error.line, line) << text;
    EXPECT_EQ(error.message, message) << text;
  }
}

TEST(Text, RefusesWhatTheModelHasNoRoomFor) {
  std::string cells, values, tasks;
  for (std::size_t i = 0; i <= max_cells; ++i) cells += "cell c" + std::to_string(i) + "\n";
  for (std::size_t i = 0; i <= max_values; ++i) values += "scope s" + std::to_string(i) + "\n";
  for (std::size_t i = 0; i <= max_tasks; ++i) tasks += "spawn t" + std::to_string(i) + " {\n}\n";
  EXPECT_EQ(message_of(cells), "more than 8 cells");
  EXPECT_EQ(message_of(values), "more than 16 values");
  EXPECT_EQ(message_of(tasks), "more than 8 tasks");
  EXPECT_EQ(message_of(repeated("settle\n", max_ops)), "more than 127 lines of ops");
  EXPECT_EQ(message_of(repeated("frame {\n", max_blocks)), "blocks nest deeper than 11");
  EXPECT_EQ(message_of(repeated("frame { ", 100'000)), "blocks nest deeper than 11");
  EXPECT_TRUE(parse(repeated("settle\n", max_ops - 1)).has_value());
  EXPECT_TRUE(parse(repeated("frame {\n", max_blocks - 1) + repeated("}\n", max_blocks - 1)).has_value());
}

TEST(Text, QuotesHostileTokensShortAndPrintable) {
  const std::string name(100'000, 'a');
  EXPECT_EQ(message_of(name), "unknown op '" + std::string(40, 'a') + "...'");
  EXPECT_EQ(message_of("cell x\nread " + name), "unknown cell '" + std::string(40, 'a') + "...'");
  using namespace std::string_view_literals;
  EXPECT_EQ(message_of("re\0ad x"sv), "unknown op 're?ad'; did you mean 'read'?");
  EXPECT_EQ(message_of("cell \x1b[31m"sv), "'?[31m' is not a name for a cell");
  EXPECT_EQ(message_of("cell \xff\xfe"sv),
            "'?"
            "?' is not a name for a cell");
  EXPECT_EQ(message_of("\xef\xbb\xbf"
                       "cell x"sv),
            "unknown op '?"
            "?"
            "?cell'");
}

/// One clear sentence: not empty, one line, printable, a line number that exists.
void expect_clear_answer(std::string_view text) {
  const auto parsed = parse(text);
  if (parsed.has_value()) {
    RC_ASSERT(parsed->lines.size() == parsed->scenario.ops.size());
    const auto again = parse(to_text(parsed->scenario));
    RC_ASSERT(again.has_value());
    RC_ASSERT(again->scenario == parsed->scenario);
    return;
  }
  const TextError& error = parsed.error();
  RC_ASSERT(!error.message.empty());
  RC_ASSERT(error.message.size() < 300u);
  RC_ASSERT(std::ranges::all_of(error.message, [](char c) { return c >= 0x20 && c < 0x7f; }));
  const auto newlines = static_cast<std::uint32_t>(std::ranges::count(text, '\n'));
  RC_ASSERT(error.line >= 1u);
  RC_ASSERT(error.line <= newlines + 1);
}

RC_GTEST_PROP(TextProperty, ReadsBackWhatItPrints, (std::vector<std::uint16_t> choices, std::uint8_t shape)) {
  const Scenario scenario = chosen(choices, rich(shape));
  const auto parsed = parse(to_text(scenario));
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(parsed->scenario == scenario);
  RC_ASSERT(to_text(parsed->scenario) == to_text(scenario));
}

TEST(Text, ReadsBackLongRandomDrafts) {
  base::Prng prng(20'240'607);
  for (int i = 0; i < 400; ++i) {
    std::vector<std::uint16_t> choices(80);
    for (std::uint16_t& choice : choices) choice = static_cast<std::uint16_t>(prng.next());
    const Scenario scenario = chosen(choices, rich(static_cast<unsigned>(i)));
    const auto parsed = parse(to_text(scenario));
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message << "\n" << to_text(scenario);
    ASSERT_EQ(parsed->scenario, scenario) << to_text(scenario);
  }
}

RC_GTEST_PROP(TextProperty, AnswersAnyBytesClearly, (const std::string& bytes)) {
  expect_clear_answer(bytes);
}

RC_GTEST_PROP(TextProperty, AnswersAnyWordsClearly, ()) {
  static const std::vector<std::string> words = {"cell",     "x",     "y",
                                                 "scope",    "s",     "boxed",
                                                 "spawn",    "t",     "in",
                                                 "borrow",   "mut",   "frame",
                                                 "shared",   "{",     "}",
                                                 "as",       "h",     "await",
                                                 "join",     "poll",  "async",
                                                 "b",        "leak",  "forget",
                                                 "cycle",    "move",  "out",
                                                 "in-place", "run",   "1",
                                                 "99",       "throw", "bomb",
                                                 "touch",    "read",  "write",
                                                 "keep",     "waker", "touch-on-drop",
                                                 "payload",  "wake",  "#",
                                                 ":",        "\n",    "\r\n",
                                                 "\t",       ";",     "\0",
                                                 "catch",    "inside"};
  const auto picked = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(words));
  std::string text;
  for (const std::string& word : picked) text += word + " ";
  expect_clear_answer(text);
}

RC_GTEST_PROP(TextProperty, AnswersBrokenScenariosClearly,
              (std::vector<std::uint16_t> choices, std::uint8_t shape)) {
  std::string text = to_text(chosen(choices, rich(shape)));
  const std::size_t cuts = *rc::gen::inRange<std::size_t>(0, 4);
  for (std::size_t i = 0; i < cuts && !text.empty(); ++i) {
    const std::size_t at = *rc::gen::inRange<std::size_t>(0, text.size());
    if (*rc::gen::arbitrary<bool>())
      text.erase(at, *rc::gen::inRange<std::size_t>(1, 6));
    else
      text.insert(at, 1, *rc::gen::arbitrary<char>());
  }
  expect_clear_answer(text);
}

}  // namespace
}  // namespace scopecheck::scenario
