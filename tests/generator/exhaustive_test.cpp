// The exhaustive engine: every kept scenario once, nothing ill-formed, in the promised lengths and order; and
// as many as a second counter, written from docs/exhaustive.md in another language, finds.
#include "harness/generator/exhaustive.hpp"

#include "harness/generator/canonical.hpp"
#include "harness/scenario/text.hpp"
#include "tests/generator/profiles.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <unistd.h>
#include <vector>

namespace scopecheck::generator {
namespace {

using scenario::Bounds;
using scenario::Offers;
using scenario::Scenario;
using tests::Profile;

/// The kept scenarios of exactly `ops` ops, as text, in the engine's order.
std::vector<std::string> texts(const Offers& offers, std::size_t ops, ExhaustiveOptions options = {},
                               Bounds bounds = {}) {
  Exhaustive engine(offers, bounds, options);
  std::vector<std::string> texts;
  engine.visit(ops, [&](const Scenario& scenario) {
    texts.push_back(to_text(scenario));
    return true;
  });
  return texts;
}

class Enumeration : public testing::TestWithParam<Profile> {
 protected:
  [[nodiscard]] const Offers& offers() const { return GetParam().offers; }
};

TEST_P(Enumeration, VisitsWellFormedScenariosOfExactlyTheLengthOnce) {
  for (const bool symmetry : {true, false})
    for (std::size_t ops = 0; ops <= (symmetry ? 4u : 2u); ++ops) {
      std::set<std::string> seen;
      Exhaustive engine(offers(), {}, {.symmetry = symmetry});
      engine.visit(ops, [&](const Scenario& scenario) {
        const auto verdict = check(scenario, offers());
        EXPECT_TRUE(verdict.has_value()) << verdict.error().message << "\n" << to_text(scenario);
        EXPECT_EQ(scenario.cost(), ops);
        EXPECT_TRUE(seen.insert(to_text(scenario)).second) << "twice:\n" << to_text(scenario);
        return !testing::Test::HasFailure();
      });
      if (ops == 0) EXPECT_EQ(seen.size(), 1u);
      if (ops > 1) EXPECT_GT(seen.size(), 0u) << ops;
    }
}

TEST_P(Enumeration, KeepsASubsetOfAllScenarios) {
  for (std::size_t ops = 0; ops <= 2; ++ops) {
    const auto kept = texts(offers(), ops);
    const auto all = texts(offers(), ops, {.symmetry = false});
    const std::set<std::string> whole(all.begin(), all.end());
    for (const std::string& text : kept) EXPECT_TRUE(whole.contains(text)) << text;
    EXPECT_LE(kept.size(), all.size());
  }
}

TEST_P(Enumeration, GivesTheSameOrderEveryTimeAlsoAfterStartingOver) {
  const auto first = texts(offers(), 3);
  EXPECT_EQ(texts(offers(), 3), first);
  Exhaustive engine(offers(), {});
  engine.begin(2);
  static_cast<void>(engine.next());
  std::vector<std::string> again;
  engine.visit(3, [&](const Scenario& scenario) {
    again.push_back(to_text(scenario));
    return true;
  });
  EXPECT_EQ(again, first);
}

TEST_P(Enumeration, LookingAheadChangesNothing) {
  for (std::size_t ops = 0; ops <= 4; ++ops)
    EXPECT_EQ(texts(offers(), ops), texts(offers(), ops, {.lookahead = false})) << ops;
}

TEST_P(Enumeration, StopsWhenTold) {
  Exhaustive engine(offers(), {});
  std::size_t seen = 0;
  EXPECT_FALSE(engine.visit(3, [&](const Scenario&) { return ++seen < 5; }));
  EXPECT_EQ(seen, 5u);
}

// ---- cuts that an exception stands beside: what is kept, and the nearest twin that is not -----------------

bool keeps(const Offers& offers, const char* text) {
  const auto parsed = scenario::parse(text);
  if (!parsed.has_value() || !check(parsed->scenario, offers).has_value()) {
    ADD_FAILURE() << "not well-formed:\n" << text;
    return false;
  }
  const Bounds bounds{};
  Draft draft(offers, bounds);
  for (const scenario::Op& op : parsed->scenario.ops) {
    if (!canonical_next(draft, op)) return false;
    draft.push(op);
  }
  return canonical_stop(draft);
}

TEST(KeptTwin, LendsMutAndWrites) {
  const Offers& offers = tests::pinned_guard;
  EXPECT_TRUE(
      keeps(offers,
            "cell x\nscope s boxed\ninside {\n  spawn t in s borrow mut x {\n    write x\n  } as h\n}\n"
            "forget s\n"));
  EXPECT_FALSE(
      keeps(offers,
            "cell x\nscope s boxed\ninside {\n  spawn t in s borrow shared x {\n    read x\n  } as h\n}\n"
            "forget s\n"));
  EXPECT_FALSE(
      keeps(offers, "cell x\nscope s boxed\nspawn t in s borrow shared x {\n  read x\n} as h\nforget s\n"));
  EXPECT_TRUE(
      keeps(offers, "cell x\nscope s boxed\nspawn t in s borrow mut x {\n  write x\n} as h\nforget s\n"));
  EXPECT_FALSE(
      keeps(offers, "cell x\nscope s boxed\nspawn t in s borrow mut x {\n  read x\n} as h\nforget s\n"));
  EXPECT_FALSE(keeps(offers, "cell x\nscope s\ninside {\n  spawn t in s borrow mut x {\n  } as h\n}\n"))
      << "borrowed and not used";
  EXPECT_FALSE(
      keeps(offers,
            "cell x\nscope s boxed\nspawn t in s borrow mut x {\n  spawn u in s borrow shared x {\n    "
            "read x\n  } as g\n} as h\nforget s\n"))
      << "what it holds mutably it can lend mutably";
}

TEST(KeptTwin, ReservesLikeItSpawns) {
  const Offers& offers = tests::reserving;
  EXPECT_TRUE(keeps(offers, "scope s\nreserve t in s {\n} as h boxed\nstart h\nforget h\n"));
  EXPECT_FALSE(keeps(offers, "scope s\nreserve t in s {\n} as h boxed\nstart h\n"))
      << "dropped like one in the frame";
  EXPECT_TRUE(keeps(offers, "cell x\nscope s\nreserve t in s borrow mut x {\n  write x\n} as h\n"));
  EXPECT_FALSE(keeps(offers, "cell x\nscope s\nreserve t in s borrow mut x {\n} as h\n"));
  EXPECT_TRUE(keeps(offers, "scope s\nreserve t in s {\n} as h\ncatch {\n  start h\n}\n"));
}

TEST(KeptTwin, GivesAPayloadToATaskThatPanicsItself) {
  const Offers& offers = tests::process_wide;
  EXPECT_TRUE(keeps(
      offers,
      "spawn t {\n  spawn u {\n    cell y\n    touch-on-drop payload y\n    throw\n  } as g\n} as h\n"));
  EXPECT_FALSE(
      keeps(offers,
            "spawn t {\n  spawn u {\n    cell y\n    touch-on-drop payload y\n  } as g\n  throw\n} as h\n"));
  EXPECT_TRUE(keeps(
      offers, "spawn t {\n  spawn u {\n    cell y\n    touch-on-drop result y\n  } as g\n  throw\n} as h\n"));
}

TEST(KeptTwin, CatchesWhereAPanicCanCome) {
  const Offers& offers = tests::process_wide;
  EXPECT_TRUE(keeps(offers, "spawn t {\n  throw\n} as h\ncatch {\n  poll h\n}\nsettle\n"));
  EXPECT_TRUE(keeps(offers, "spawn t {\n} as h\ncatch {\n  shutdown\n}\n"));
  EXPECT_FALSE(keeps(offers, "spawn t {\n} as h\ncatch {\n  throw\n}\nsettle\n"));
  EXPECT_FALSE(keeps(offers, "spawn t {\n} as h\ncatch {\n  settle\n}\n"));
}

// ---- the second counter ---------------------------------------------------------------------------------

std::string json(const Offers& o) {
  std::string text = "{";
  const auto flag = [&](const char* name, bool value) { text += fmt::format("\"{}\": {}, ", name, value); };
  const auto word = [&](const char* name, std::string_view value) {
    text += fmt::format("\"{}\": \"{}\", ", name, value);
  };
  const auto mobility = [](scenario::Mobility m) {
    return m == scenario::Mobility::always  ? "always"
           : m == scenario::Mobility::never ? "never"
                                            : "until_started";
  };
  constexpr const char* carriers[] = {"none", "scope", "handle"};
#define SCOPECHECK_FLAG(name) flag(#name, o.name)
  SCOPECHECK_FLAG(scope), SCOPECHECK_FLAG(scope_enter), SCOPECHECK_FLAG(scope_poll),
      SCOPECHECK_FLAG(scope_join), SCOPECHECK_FLAG(scope_join_as);
  SCOPECHECK_FLAG(scope_cancel), SCOPECHECK_FLAG(scope_close), SCOPECHECK_FLAG(handle),
      SCOPECHECK_FLAG(handle_poll);
  SCOPECHECK_FLAG(handle_join), SCOPECHECK_FLAG(handle_cancel), SCOPECHECK_FLAG(handle_detach);
  SCOPECHECK_FLAG(spawn_without_handle), SCOPECHECK_FLAG(reserve);
  SCOPECHECK_FLAG(handle_borrows_scope), SCOPECHECK_FLAG(handle_embeds_child), SCOPECHECK_FLAG(spawn_awaited),
      SCOPECHECK_FLAG(spawn_nested);
  SCOPECHECK_FLAG(child_scopes), SCOPECHECK_FLAG(threads), SCOPECHECK_FLAG(blocks), SCOPECHECK_FLAG(yields),
      SCOPECHECK_FLAG(keep_waker), SCOPECHECK_FLAG(throws), SCOPECHECK_FLAG(run);
  SCOPECHECK_FLAG(inside), SCOPECHECK_FLAG(async), SCOPECHECK_FLAG(stack), SCOPECHECK_FLAG(box),
      SCOPECHECK_FLAG(move);
  SCOPECHECK_FLAG(forget), SCOPECHECK_FLAG(forget_in_place), SCOPECHECK_FLAG(shutdown);
#undef SCOPECHECK_FLAG
  word("scope_mobility", mobility(o.scope_mobility));
  word("handle_mobility", mobility(o.handle_mobility));
  word("join_mobility", mobility(o.join_mobility));
  text += fmt::format("\"carrier\": \"{}\"}}", carriers[static_cast<std::size_t>(o.carrier)]);
  return text;
}

std::string json(const Bounds& b) {
  return fmt::format(
      "{{\"tasks\": {}, \"cells\": {}, \"scopes\": {}, \"frames\": {}, \"async_blocks\": {}, \"steps\": {}, "
      "\"borrows\": {}}}",
      b.tasks, b.cells, b.scopes, b.frames, b.async_blocks, b.steps, b.borrows);
}

/// How far the second counter goes in a few seconds.
std::size_t longest_counted() { return std::getenv("SCOPECHECK_LONGEST") != nullptr ? 5 : 4; }

/// One line per length: its number and how many scenarios are kept.
std::string counts(const Offers& offers, const Bounds& bounds, std::size_t longest) {
  std::string lines;
  for (std::size_t ops = 0; ops <= longest; ++ops)
    lines += fmt::format("{} {}\n", ops, texts(offers, ops, {}, bounds).size());
  return lines;
}

std::string output_of(const std::string& command) {
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "cannot run " + command;
  std::string text;
  char buffer[256];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) text += buffer;
  const int status = pclose(pipe);
  if (status != 0) text += fmt::format("exit status {}\n", status);
  return text;
}

void expect_same_counts(const Profile& profile, const Bounds& bounds, std::size_t longest) {
  if (std::system("python3 -c '' > /dev/null 2>&1") != 0) GTEST_SKIP() << "needs python3";
  ASSERT_TRUE(std::filesystem::exists("tests/generator/count_scenarios.py"))
      << "run in the root of the repository";
  const auto file = std::filesystem::temp_directory_path() /
                    fmt::format("scopecheck_{}_{}_{}.json", profile.name, bounds.tasks, ::getpid());
  std::ofstream(file) << fmt::format("{{\"offers\": {}, \"bounds\": {}, \"longest\": {}}}\n",
                                     json(profile.offers), json(bounds), longest);
  EXPECT_EQ(output_of("python3 tests/generator/count_scenarios.py " + file.string()),
            counts(profile.offers, bounds, longest))
      << file;
  if (!testing::Test::HasFailure()) std::filesystem::remove(file);
}

TEST_P(Enumeration, KeepsAsManyAsASecondCounterWrittenFromTheDocumentation) {
  expect_same_counts(GetParam(), {}, longest_counted());
  expect_same_counts(GetParam(), {.tasks = 3, .cells = 3, .async_blocks = 2, .steps = 3, .borrows = 2},
                     longest_counted() - 1);
}

class Loans : public testing::TestWithParam<Profile> {};

TEST_P(Loans, AreCountedAsBySomebodyWhoReadTheDocumentation) {
  expect_same_counts(GetParam(), {.frames = 1, .steps = 3, .borrows = 2}, longest_counted() + 1);
}

INSTANTIATE_TEST_SUITE_P(Profiles, Loans, testing::ValuesIn(tests::loan_profiles),
                         [](const auto& info) { return std::string(info.param.name); });
INSTANTIATE_TEST_SUITE_P(Profiles, Enumeration, testing::ValuesIn(tests::profiles),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace scopecheck::generator
