// Edits keep indices canonical: what mentions something that is gone goes too, the rest is numbered anew.
#include "harness/shrinker/edit.hpp"

#include "harness/generator/random.hpp"
#include "tests/support/lab.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <initializer_list>
#include <string>

namespace scopecheck::shrinker {
namespace {

using scenario::none;
using scenario::Op;
using scenario::OpKind;
using scenario::Scenario;

OpSet ops(std::initializer_list<std::size_t> indices) {
  OpSet set;
  for (const std::size_t index : indices) set.set(index);
  return set;
}
std::string edited(std::string_view text, const OpSet& removed, const OpSet& unwrapped = {}) {
  return scenario::to_text(without(tests::scenario_of(text), removed, unwrapped));
}
std::string canonical(std::string_view text) { return scenario::to_text(tests::scenario_of(text)); }

TEST(Without, nothing_removed_is_the_same_scenario) {
  const auto* const text = "cell x; async b0 { spawn t0 borrow mut x { write x } as h0; await h0 }; poll b0";
  EXPECT_EQ(edited(text, {}), canonical(text));
}

TEST(Without, a_cell_takes_its_touches_and_its_loans_along_but_not_the_spawn) {
  EXPECT_EQ(
      edited("cell x; cell y; spawn t0 borrow mut x borrow shared y { write x; read y } as h0", ops({0})),
      canonical("cell x; spawn t0 borrow shared x { read x } as h0"));
}

TEST(Without, a_spawn_takes_its_body_and_its_handle_along) {
  EXPECT_EQ(edited("spawn t0 { yield } as h0; spawn t1 { park } as h1; forget h0; wake t1; drop h1; step t0",
                   ops({0})),
            canonical("spawn t0 { park } as h0; wake t0; drop h0"));
}

TEST(Without, a_scope_takes_along_what_was_spawned_in_it_and_what_joins_it) {
  EXPECT_EQ(
      edited("scope s0; scope s1; spawn t0 in s0 { }; spawn t1 in s1 { }; join s0 as j0; poll j0; drop s1",
             ops({0})),
      canonical("scope s0; spawn t0 in s0 { }; drop s0"));
}

TEST(Without, an_async_block_takes_its_body_and_its_polls_along) {
  EXPECT_EQ(edited("cell x; async b0 { write x; suspend }; poll b0; settle; forget b0", ops({1})),
            canonical("cell x; settle"));
}

TEST(Without, an_unwrapped_block_loses_only_its_braces) {
  EXPECT_EQ(edited("frame { cell x; catch { write x } }; settle", {}, ops({0})),
            canonical("cell x; catch { write x }; settle"));
  EXPECT_EQ(edited("async b0 boxed { cell x; spawn t0 borrow mut x { write x } as h0 }; poll b0; drop b0", {},
                   ops({0})),
            canonical("cell x; spawn t0 borrow mut x { write x } as h0"));
}

TEST(Without, an_heir_takes_the_place_of_an_unwrapped_future_and_its_box) {
  const Scenario before = tests::scenario_of(
      "cell x; async b0 boxed { spawn t0 borrow mut x { write x } as h0; suspend }; poll b0; forget b0");
  const std::uint8_t handle = 0;
  EXPECT_EQ(scenario::to_text(without(before, ops({5, 7}), ops({1}), handle)),
            canonical("cell x; spawn t0 borrow mut x { write x } as h0 boxed; forget h0"));
  EXPECT_EQ(scenario::to_text(without(before, ops({5, 7}), ops({1}))),
            canonical("cell x; spawn t0 borrow mut x { write x } as h0"))
      << "without an heir the future is gone, and what mentions it";
}

TEST(Without, values_are_numbered_where_their_block_ends) {
  // the handle inside ends first: it is value 0, the block value 1
  const Scenario before =
      tests::scenario_of("scope s0; async b0 { spawn t0 in s0 { } as h0; await h0 }; poll b0; drop s0");
  const Scenario after = without(before, ops({6}));
  EXPECT_EQ(scenario::to_text(after),
            canonical("scope s0; async b0 { spawn t0 in s0 { } as h0; await h0 }; drop s0"));
}

/// Cells, tasks and values are declared in the order of their numbers, and nothing else is mentioned.
void expect_canonical(const Scenario& scenario) {
  std::uint8_t cells = 0, tasks = 0, values = 0;
  std::vector<const Op*> open;
  for (const Op& op : scenario.ops) {
    if (op.kind == OpKind::end) {
      ASSERT_FALSE(open.empty());
      const Op& opener = *open.back();
      open.pop_back();
      if (opener.kind == OpKind::async || (makes_task(opener.kind) && opener.value != none))
        ASSERT_EQ(opener.value, values++);
      continue;
    }
    if (info(op.kind).opens) open.push_back(&op);
    switch (info(op.kind).operand) {
      case scenario::Operand::new_cell:
        ASSERT_EQ(op.subject, cells++);
        break;
      case scenario::Operand::new_scope:
        ASSERT_EQ(op.value, values++);
        break;
      case scenario::Operand::cell:
        ASSERT_LT(op.subject, cells);
        break;
      case scenario::Operand::task:
        ASSERT_LT(op.subject, tasks);
        break;
      case scenario::Operand::value:
      case scenario::Operand::vector:
        ASSERT_LT(op.subject, values);
        if (op.kind == OpKind::join_as) ASSERT_EQ(op.value, values++);
        break;
      case scenario::Operand::spawn:
        ASSERT_EQ(op.subject, tasks++);
        ASSERT_EQ((op.shared | op.mut) >> cells, 0);
        if (op.scope != none) ASSERT_LT(op.scope, values);
        break;
      default:
        break;
    }
  }
  ASSERT_TRUE(open.empty());
}

class Edits : public testing::TestWithParam<std::string> {};

TEST_P(Edits, keep_indices_canonical_and_never_add_anything) {
  const tests::Lab lab(GetParam());
  EXPECT_TRUE(rc::check([&] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    generator::Random random(lab.offers(), generator::random_bounds(), seed);
    const Scenario scenario = random.next();
    OpSet removed;
    OpSet unwrapped;
    for (const auto at : *rc::gen::container<std::vector<std::size_t>>(
             rc::gen::inRange<std::size_t>(0, scenario.ops.size()))) {
      if (scenario.ops[at].kind == OpKind::end) continue;
      const bool unwrap = info(scenario.ops[at].kind).opens && !makes_task(scenario.ops[at].kind);
      (unwrap && at % 2 == 0 ? unwrapped : removed).set(at);
    }
    const Scenario after = without(scenario, removed, unwrapped);
    RC_ASSERT(after.cost() <= scenario.cost());
    RC_ASSERT(after.ops.size() <= scenario.ops.size());
    RC_ASSERT((removed.any() || unwrapped.any()) == (after < scenario));
    expect_canonical(after);
    RC_ASSERT(!testing::Test::HasFatalFailure());
    // its text reads back as the same value, which it would not if indices were off
    RC_ASSERT(tests::scenario_of(scenario::to_text(after)) == after);
  }));
}

INSTANTIATE_TEST_SUITE_P(Of, Edits, testing::ValuesIn(tests::implementation_names(false)),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace scopecheck::shrinker
