// The grammar offers legal ops only, never paints itself into a corner, and reaches every op of the table.
#include "harness/generator/grammar.hpp"

#include "harness/base/prng.hpp"
#include "harness/scenario/text.hpp"
#include "tests/generator/profiles.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstdint>
#include <string>

namespace scopecheck::generator {
namespace {

using scenario::Bounds;
using scenario::Offers;
using scenario::Op;
using scenario::OpKind;
using tests::Profile;

constexpr Bounds roomy{
    .ops = 60, .tasks = 8, .cells = 8, .scopes = 6, .frames = 6, .async_blocks = 6, .steps = 8, .borrows = 3};
constexpr Bounds small{.ops = 8};

/// Pushes random candidates, each kind of op as likely as any other, and calls look(draft, candidates)
/// before.
template <class Look>
Draft random_draft(const Offers& offers, const Bounds& bounds, std::size_t length, base::Prng& prng,
                   Look look) {
  Draft draft(offers, bounds);
  Candidates candidates;
  for (std::size_t i = 0; i < length; ++i) {
    draft.candidates(candidates);
    if (candidates.empty()) break;
    look(draft, candidates);
    std::array<std::size_t, scenario::op_kinds> of_kind{};
    std::size_t kinds = 0;
    for (const Op& op : candidates)
      if (of_kind[static_cast<std::size_t>(op.kind)]++ == 0) ++kinds;
    std::uint32_t kind = prng.below(static_cast<std::uint32_t>(kinds));
    std::size_t picked = 0;
    while (of_kind[picked] == 0 || kind-- > 0) ++picked;
    std::uint32_t nth = prng.below(static_cast<std::uint32_t>(of_kind[picked]));
    for (const Op& op : candidates)
      if (static_cast<std::size_t>(op.kind) == picked && nth-- == 0) {
        draft.push(op);
        break;
      }
  }
  return draft;
}

constexpr auto nothing = [](const Draft&, const Candidates&) {};

class Grammar : public testing::TestWithParam<Profile> {
 protected:
  [[nodiscard]] const Offers& offers() const { return GetParam().offers; }
};

TEST_P(Grammar, ClosesEveryDraftToAWellFormedScenario) {
  base::Prng prng(1);
  for (const Bounds& bounds : {roomy, small})
    for (int i = 0; i < 300; ++i) {
      Draft draft = random_draft(offers(), bounds, 120, prng, nothing);
      draft.close();
      const auto verdict = check(draft.scenario(), offers());
      ASSERT_TRUE(verdict.has_value()) << verdict.error().message << "\n" << to_text(draft.scenario());
      EXPECT_LE(draft.scenario().cost(), bounds.ops);
      EXPECT_EQ(draft.scenario().cost(), draft.cost());
    }
}

TEST_P(Grammar, OffersOnlyWhatTheRulesAcceptAndTheBoundsAllow) {
  base::Prng prng(2);
  for (int i = 0; i < 12; ++i)
    static_cast<void>(
        random_draft(offers(), roomy, 60, prng, [&](const Draft& draft, const Candidates& candidates) {
          for (const Op& op : candidates) {
            Draft next = draft;
            next.push(op);
            next.close();
            const auto verdict = check(next.scenario(), offers());
            ASSERT_TRUE(verdict.has_value()) << verdict.error().message << "\n" << to_text(next.scenario());
          }
        }));
}

TEST_P(Grammar, OffersEveryOpOnceAndTheEndFirst) {
  base::Prng prng(3);
  for (int i = 0; i < 20; ++i)
    static_cast<void>(
        random_draft(offers(), roomy, 60, prng, [](const Draft& draft, const Candidates& candidates) {
          EXPECT_EQ(candidates[0].kind == OpKind::end, !draft.at_root());
          for (std::size_t a = 0; a < candidates.size(); ++a)
            for (std::size_t b = a + 1; b < candidates.size(); ++b)
              ASSERT_FALSE(candidates[a] == candidates[b]) << to_text(draft.scenario());
        }));
}

TEST_P(Grammar, KeepsTheBounds) {
  base::Prng prng(4);
  for (int i = 0; i < 500; ++i) {
    Draft draft = random_draft(offers(), small, 60, prng, nothing);
    draft.close();
    std::array<std::size_t, scenario::op_kinds> count{};
    for (const Op& op : draft.scenario().ops) {
      ++count[static_cast<std::size_t>(op.kind)];
      EXPECT_LE(std::popcount(static_cast<unsigned>(op.shared | op.mut)), small.borrows);
    }
    EXPECT_LE(
        count[static_cast<std::size_t>(OpKind::spawn)] + count[static_cast<std::size_t>(OpKind::reserve)],
        small.tasks);
    EXPECT_LE(count[static_cast<std::size_t>(OpKind::cell)], small.cells);
    EXPECT_LE(count[static_cast<std::size_t>(OpKind::scope)] + count[static_cast<std::size_t>(OpKind::enter)],
              small.scopes);
    EXPECT_LE(count[static_cast<std::size_t>(OpKind::frame)], small.frames);
    EXPECT_LE(count[static_cast<std::size_t>(OpKind::async)], small.async_blocks);
  }
}

TEST_P(Grammar, AdmitsExactlyItsCandidates) {
  base::Prng prng(5);
  for (int i = 0; i < 30; ++i)
    static_cast<void>(
        random_draft(offers(), small, 40, prng, [](const Draft& draft, const Candidates& candidates) {
          for (const Op& op : candidates) EXPECT_TRUE(draft.admits(op));
        }));
}

INSTANTIATE_TEST_SUITE_P(Profiles, Grammar, testing::ValuesIn(tests::profiles),
                         [](const auto& info) { return std::string(info.param.name); });

/// The bound of the claim of reach: random drafts of 40 ops from seed 6.
constexpr int drafts_until_all_ops_occur = 200;

TEST(GrammarReach, EveryOpOfTheTableIsOfferedWithinTwoHundredRandomDrafts) {
  std::array<bool, scenario::op_kinds> offered{};
  base::Prng prng(6);
  for (const scenario::Offers& offers :
       {tests::everything, tests::closure,
        tests::worker_scope})  // no API has both kinds of scopes, or of runtimes
    for (int i = 0; i < drafts_until_all_ops_occur; ++i)
      static_cast<void>(
          random_draft(offers, roomy, 40, prng, [&](const Draft&, const Candidates& candidates) {
            for (const Op& op : candidates) offered[static_cast<std::size_t>(op.kind)] = true;
          }));
  for (std::size_t kind = 0; kind < scenario::op_kinds; ++kind)
    EXPECT_TRUE(offered[kind]) << info(static_cast<OpKind>(kind)).id << " is never offered";
}

TEST(GrammarReach, EveryRuleIsInTheWayOfSomeProposalUnlessItIsAboutForm) {
  // Rules that the grammar never runs into would be rules that no generated scenario needs.
  std::array<bool, scenario::rule_table.size()> hit{};
  base::Prng prng(7);
  for (const Profile& profile : tests::profiles)
    for (int i = 0; i < 100; ++i)
      static_cast<void>(
          random_draft(profile.offers, roomy, 40, prng, [&](const Draft& draft, const Candidates&) {
            const scenario::Rules& rules = draft.rules();
            const auto ask = [&](const Op& op) {
              if (const auto bad = rules.check(op)) hit[static_cast<std::size_t>(bad->rule)] = true;
            };
            for (std::size_t k = 0; k < scenario::op_kinds; ++k) {
              const auto kind = static_cast<OpKind>(k);
              if (makes_task(kind)) continue;
              for (std::uint8_t subject = 0; subject < 4; ++subject)
                ask({.kind = kind, .subject = subject, .value = rules.values()});
            }
            for (std::uint8_t cell = 0; cell < rules.cells(); ++cell)
              for (std::uint8_t value = 0; value < rules.values(); ++value)
                for (const bool mut : {false, true}) {
                  Op spawn = draft.plain_spawn(OpKind::spawn);
                  if (profile.offers.has_scopes()) spawn.scope = value;
                  (mut ? spawn.mut : spawn.shared) = static_cast<std::uint8_t>(1u << cell);
                  ask(spawn);
                }
          }));
  for (std::size_t rule = 0; rule < hit.size(); ++rule) {
    const auto id = static_cast<scenario::Rule>(rule);
    const bool about_form = id == scenario::Rule::not_closed || id == scenario::Rule::too_large ||
                            id == scenario::Rule::precondition;
    EXPECT_TRUE(hit[rule] || about_form) << scenario::info(id).id << " is never in the way";
  }
}

TEST(GrammarBounds, StopWithinTheRoomOfTheModelWhateverTheBounds) {
  constexpr Bounds huge{.ops = 255,
                        .tasks = 255,
                        .cells = 255,
                        .scopes = 255,
                        .frames = 255,
                        .async_blocks = 255,
                        .steps = 255,
                        .borrows = 8};
  base::Prng prng(8);
  for (const Profile& profile : tests::profiles)
    for (int i = 0; i < 60; ++i) {
      Draft draft = random_draft(profile.offers, huge, 250, prng, nothing);
      draft.close();
      const auto verdict = check(draft.scenario(), profile.offers);
      ASSERT_TRUE(verdict.has_value()) << verdict.error().message << "\n" << to_text(draft.scenario());
    }
}

}  // namespace
}  // namespace scopecheck::generator
