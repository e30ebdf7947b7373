// The cuts of the exhaustive search lose no finding (docs/exhaustive.md): whatever an implementation can be
// accused of by all scenarios of a bound, it is accused of by those that are kept, by ones no longer.
#include "harness/generator/exhaustive.hpp"
#include "tests/generator/kept_twins.hpp"
#include "tests/support/asan.hpp"
#include "tests/support/lab.hpp"
#include "tests/support/tsan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace scopecheck::tests {
namespace {

using scenario::Bounds;
using scenario::Scenario;

Lab* lab_in_use = nullptr;

Shortest findings(const std::string& implementation, std::size_t longest, const Bounds& bounds,
                  generator::ExhaustiveOptions options) {
  Lab lab(implementation);
  lab_in_use = &lab;
  const CatchFailStops fail_stops;
  const asan::Listen listen([] { return static_cast<std::uint32_t>(lab_in_use->ledger().events().size()); },
                            &interpreter::Machine::touching_cell, interpreter::Machine::storage_has_ended);
  Shortest shortest;
  generator::Exhaustive engine(lab.offers(), bounds, options);
  for (std::size_t ops = 0; ops <= longest; ++ops)
    engine.visit(ops, [&](const Scenario& scenario) {
      asan::Listen::clear();
      lab.run(scenario);
      verdict::Findings found = lab.findings();
      if (asan::heard.reports != 0)
        verdict::sanitizer(
            lab.evidence(),
            {.event = asan::heard.event,
             .in_harness = asan::heard.in_harness,
             .of_ended_memory = verdict::about_ended_memory(asan::heard.text, asan::heard.in_ended_storage)},
            found);
      for (const verdict::Finding& finding : found)
        shortest.try_emplace(name_of_kept_twin(finding.signature), ops);
      return true;
    });
  return shortest;
}

/// What a sanitizer alone sees is use of memory that a build without one must not try in this process.
bool needs_asan(std::string_view implementation) { return implementation == "canary_stale_waker"; }
bool shown_by_asan_alone(std::string_view implementation) {
  return needs_asan(implementation) || implementation.starts_with("canary_late_bookkeeping") ||
         implementation.starts_with("canary_late_handle");
}

/// What runs several times slower goes one op less far.
constexpr bool slow_build = asan::built_with_asan || tsan::built_with_tsan;

class Cuts : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (shown_by_asan_alone(GetParam()) && !asan::built_with_asan)
      GTEST_SKIP() << "its defect is in memory that only ASan watches; the asan preset runs this";
  }
};

TEST_P(Cuts, lose_no_finding_within_the_default_sub_bounds) {
  const std::size_t longest = shown_by_asan_alone(GetParam()) ? 2 : slow_build ? 3 : 4;
  EXPECT_EQ(findings(GetParam(), longest, {}, {}),
            findings(GetParam(), longest, {}, {.symmetry = false, .lookahead = false}));
}

/// One of each thing, and one op more: enough for every unsound design and canary to show itself.
constexpr Bounds one_of_each{.tasks = 1, .cells = 1, .scopes = 1, .frames = 1, .async_blocks = 1};

TEST_P(Cuts, lose_no_finding_about_one_task_and_one_cell) {
  // root_parked's shortest use-after-scope and canary_moved's only finding have 5 ops
  const std::size_t longest = !slow_build || GetParam() == "canary_moved" ? 5
                              : shown_by_asan_alone(GetParam())           ? 3
                                                                          : 4;
  const Shortest kept = findings(GetParam(), longest, one_of_each, {});
  EXPECT_EQ(kept, findings(GetParam(), longest, one_of_each, {.symmetry = false, .lookahead = false}));
  // all of suspendable_stack's have 7 ops: too many to visit without the cuts
  if (longest == 5 && GetParam() != "suspendable_stack")
    EXPECT_THAT(kept, testing::Not(testing::IsEmpty())) << "nothing was compared";
}

TEST_P(Cuts, lose_nothing_that_asan_alone_can_see) {
  if (!shown_by_asan_alone(GetParam())) GTEST_SKIP() << "the ledger sees its defect";
  constexpr Bounds one_task{.tasks = 1, .cells = 0, .scopes = 1, .frames = 0, .async_blocks = 0};
  // spawn, keep waker, settle, drop, wake
  const std::size_t longest = needs_asan(GetParam()) ? 5 : 3;
  const Shortest kept = findings(GetParam(), longest, one_task, {});
  EXPECT_EQ(kept, findings(GetParam(), longest, one_task, {.symmetry = false, .lookahead = false}));
  EXPECT_THAT(kept, testing::SizeIs(1));
}

std::vector<std::string> unsound() {
  std::vector<std::string> names;
  for (const scopecheck_plugin* plugin : abi::registered())
    if (interpreter::expects_unsound(*plugin, 0, scenario::Discipline::safe) && can_be_left(*plugin) &&
        !std::string_view(plugin->name)
             .starts_with("canary_deep_"))  // nothing to compare within these bounds
      names.emplace_back(plugin->name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Unsound, Cuts, testing::ValuesIn(unsound()),
                         [](const auto& info) { return info.param; });

class Lookahead : public testing::TestWithParam<std::string> {};

TEST_P(Lookahead, changes_nothing_of_what_is_visited) {
  const Lab lab(GetParam());
  generator::Exhaustive with(lab.offers(), {}, {.lookahead = true});
  generator::Exhaustive without(lab.offers(), {}, {.lookahead = false});
  // some 10 s each at 6 ops; canaries have the API of a design, or less
  const bool slow = lab.plugin().hidden != 0 || GetParam() == "slot_nursery" || GetParam() == "heap_spawn" ||
                    GetParam() == "intrusive_list";
  const std::size_t longest = slow_build ? 4 : slow ? 5 : 6;
  for (std::size_t ops = 0; ops <= longest; ++ops) {
    with.begin(ops);
    without.begin(ops);
    while (true) {
      const Scenario* const one = with.next();
      const Scenario* const other = without.next();
      ASSERT_EQ(one == nullptr, other == nullptr) << ops << " ops: one of them ends early";
      if (one == nullptr) break;
      ASSERT_EQ(*one, *other) << scenario::to_text(*one) << "instead of\n" << scenario::to_text(*other);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Lookahead, testing::ValuesIn(implementation_names(true)),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace scopecheck::tests
