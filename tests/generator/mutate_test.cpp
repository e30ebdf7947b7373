// Mending, inputs and mutation: whatever comes in, a well-formed scenario comes out, and what was well-formed
// is kept.
#include "harness/generator/mutate.hpp"

#include "harness/generator/input.hpp"
#include "harness/generator/random.hpp"
#include "harness/scenario/text.hpp"
#include "tests/generator/profiles.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace scopecheck::generator {
namespace {

using scenario::Offers;
using scenario::Op;
using scenario::OpKind;
using scenario::Scenario;
using tests::Profile;

Scenario parsed(std::string_view text) {
  auto result = scenario::parse(text);
  EXPECT_TRUE(result.has_value()) << text;
  return result->scenario;
}

std::string one_line(const Scenario& scenario) {
  std::string text = scenario::to_text(scenario);
  std::ranges::replace(text, '\n', ' ');
  return text;
}

void check_formed(const Scenario& scenario, const Offers& offers) {
  const auto formed = scenario::check(scenario, offers);
  if (!formed) RC_FAIL(formed.error().message + "\n" + scenario::to_text(scenario));
  RC_ASSERT(scenario.cost() <= input_bounds().ops);
}

/// A random scenario of this profile.
Scenario any_scenario(const Offers& offers) {
  Random random(offers, input_bounds(), *rc::gen::arbitrary<std::uint64_t>(), {.least = 1, .most = 30});
  return random.next();
}

/// Ops without any sense.
std::vector<Op> any_ops() {
  std::vector<Op> ops;
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  base::Prng prng(seed);
  for (std::uint32_t count = prng.below(60); count > 0; --count) {
    const std::uint64_t bits = prng.next();
    const auto byte = [&](unsigned i) { return static_cast<std::uint8_t>(bits >> 8 * i); };
    ops.push_back({.kind = static_cast<OpKind>(byte(0) % (scenario::op_kinds + 2)),
                   .subject = byte(1),
                   .scope = byte(2),
                   .value = byte(3),
                   .shared = byte(4),
                   .mut = byte(5),
                   .boxed = (byte(6) & 1) != 0,
                   .extra = byte(7)});
  }
  return ops;
}

class Mutation : public testing::TestWithParam<Profile> {
 protected:
  [[nodiscard]] const Offers& offers() const { return GetParam().offers; }
  const scenario::Bounds bounds_ = input_bounds();
};

TEST_P(Mutation, mending_keeps_what_is_well_formed) {
  EXPECT_TRUE(rc::check([this] {
    const Scenario scenario = any_scenario(offers());
    RC_ASSERT(one_line(mend(scenario.ops, offers(), bounds_)) == one_line(scenario));
  }));
}

TEST_P(Mutation, mending_makes_anything_well_formed) {
  EXPECT_TRUE(rc::check([this] { check_formed(mend(any_ops(), offers(), bounds_), offers()); }));
}

TEST_P(Mutation, an_input_holds_the_whole_scenario) {
  EXPECT_TRUE(rc::check([this] {
    const Scenario scenario = any_scenario(offers());
    std::vector<std::uint8_t> written;
    write_input(scenario, written);
    RC_ASSERT(one_line(read_input(written, offers(), bounds_)) == one_line(scenario));
    const std::string text = "# a comment\n" + scenario::to_text(scenario);
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    RC_ASSERT(one_line(read_input(bytes, offers(), bounds_)) == one_line(scenario));
  }));
}

TEST_P(Mutation, any_bytes_are_an_input) {
  EXPECT_TRUE(rc::check([this] {
    auto bytes = *rc::gen::resize(400, rc::gen::arbitrary<std::vector<std::uint8_t>>());
    check_formed(read_input(bytes, offers(), bounds_), offers());
    bytes.insert(bytes.begin(), '#');
    check_formed(read_input(bytes, offers(), bounds_), offers());
  }));
}

TEST_P(Mutation, mutants_and_crosses_are_well_formed) {
  EXPECT_TRUE(rc::check([this] {
    Mutator mutator(offers(), bounds_);
    Scenario a = any_scenario(offers());
    const Scenario b = any_scenario(offers());
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    for (std::uint64_t i = 0; i < 8; ++i) {
      check_formed(mutator.cross(a, b, seed + i), offers());
      a = mutator.mutate(a, seed + i);
      check_formed(a, offers());
    }
  }));
}

TEST_P(Mutation, is_the_same_for_the_same_seeds_and_calls) {
  Mutator one(offers(), bounds_);
  Mutator other(offers(), bounds_);
  Scenario a;
  Scenario b;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    a = one.mutate(a, seed);
    b = other.mutate(b, seed);
    ASSERT_EQ(a, b) << seed;
  }
}

/// Another scenario comes of nearly every mutation: an engine's time is not spent on what it has.
TEST_P(Mutation, changes_something) {
  Random random(offers(), bounds_, 1, {.least = 4, .most = 12});
  Mutator mutator(offers(), bounds_);
  int same = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Scenario from = random.next();
    if (mutator.mutate(from, seed) == from) ++same;
  }
  EXPECT_LE(same, 5);
}

INSTANTIATE_TEST_SUITE_P(Profiles, Mutation, testing::ValuesIn(tests::profiles),
                         [](const auto& info) { return std::string(info.param.name); });

// Each kind of edit reaches its neighbour within some mutations of one scenario.
struct Reach {
  const char* what;
  const char* from;
  const char* to;
};
void PrintTo(const Reach& reach, std::ostream* out) { *out << reach.what; }

class MutationReaches : public testing::TestWithParam<Reach> {};
TEST_P(MutationReaches, within_10000_mutations) {
  const Offers offers = tests::handle_embedded;
  const scenario::Bounds bounds = input_bounds();
  const Scenario from = parsed(GetParam().from);
  const Scenario to = parsed(GetParam().to);
  ASSERT_TRUE(scenario::check(from, offers));
  ASSERT_TRUE(scenario::check(to, offers));
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    Mutator mutator(offers, bounds);  // each with another subset of the ops
    if (mutator.mutate(from, seed) == to) return;
  }
  FAIL() << "never became " << GetParam().to;
}
constexpr Reach reaches[] = {
    {"inserts", "spawn t0 { } as h0; drop h0", "spawn t0 { } as h0; poll h0; drop h0"},
    {"deletes", "cell x; spawn t0 { } as h0; drop h0", "cell x; spawn t0 { } as h0"},
    {"moves_a_drop_across_a_poll", "spawn t0 { } as h0; spawn t1 { } as h1; drop h0; poll h1",
     "spawn t0 { } as h0; spawn t1 { } as h1; poll h1; drop h0"},
    {"swaps", "cell x; read x; write x", "cell x; write x; read x"},
    {"turns_a_drop_into_a_forget", "spawn t0 { } as h0 boxed; drop h0",
     "spawn t0 { } as h0 boxed; forget h0"},
    {"changes_the_leak_vector", "spawn t0 { } as h0 boxed; forget h0",
     "spawn t0 { } as h0 boxed; forget h0 cycle"},
    {"boxes", "spawn t0 { } as h0", "spawn t0 { } as h0 boxed"},
    {"borrows", "cell x; spawn t0 { } as h0", "cell x; spawn t0 borrow mut x { } as h0"},
    {"wraps_in_a_block", "cell x; read x", "cell x; frame { read x }"},
    {"unwraps", "frame { cell x; read x }", "cell x; read x"},
    {"repeats", "cell x; read x", "cell x; read x; read x"},
    {"changes_the_schedule", "spawn t0 { } as h0; settle", "spawn t0 { } as h0; step t0; settle"},
};
INSTANTIATE_TEST_SUITE_P(Edits, MutationReaches, testing::ValuesIn(reaches),
                         [](const auto& info) { return std::string(info.param.what); });

TEST(MutationCrosses, a_part_of_the_one_with_a_part_of_the_other) {
  const Offers offers = tests::handle_embedded;
  const scenario::Bounds bounds = input_bounds();
  Mutator mutator(offers, bounds);
  const Scenario a = parsed("cell x; spawn t0 borrow mut x { write x } as h0 boxed");
  const Scenario b = parsed("spawn t0 { } as h0 boxed; forget h0");
  const Scenario both = parsed("cell x; spawn t0 borrow mut x { write x } as h0 boxed; forget h0");
  for (std::uint64_t seed = 0; seed < 2000; ++seed)
    if (mutator.cross(a, b, seed) == both) return;
  FAIL();
}

TEST(InputCodes, are_distinct_and_never_the_sign_of_a_text) {
  std::set<int> codes;
  for (std::size_t i = 0; i < scenario::op_kinds; ++i) codes.insert(code_of(static_cast<OpKind>(i)));
  EXPECT_EQ(codes.size(), scenario::op_kinds);
  EXPECT_FALSE(codes.contains('#'));
}

// Kept inputs hold these bytes. A change here makes every one of them mean something else.
TEST(InputCodes, stay_what_they_are) {
  EXPECT_EQ(code_of(OpKind::end), 0);
  EXPECT_EQ(code_of(OpKind::spawn), 247);
  EXPECT_EQ(code_of(OpKind::forget), 113);
  EXPECT_EQ(code_of(OpKind::payload), 222);
}

TEST(Swarm, switches_some_off_but_never_what_every_client_needs) {
  base::Prng prng(1);
  std::array<int, scenario::op_kinds> on{};
  for (int i = 0; i < 1000; ++i) {
    const Swarm swarm = Swarm::draw(prng);
    EXPECT_NE(swarm.vectors & 7, 0);
    for (std::size_t kind = 0; kind < on.size(); ++kind)
      on[kind] += swarm.has(static_cast<OpKind>(kind)) ? 1 : 0;
  }
  for (std::size_t i = 0; i < on.size(); ++i) {
    const auto kind = static_cast<OpKind>(i);
    const bool always = kind == OpKind::end || kind == OpKind::cell || kind == OpKind::spawn ||
                        kind == OpKind::scope || kind == OpKind::enter;
    EXPECT_EQ(on[i] == 1000, always) << scenario::info(kind).id;
    EXPECT_GT(on[i], 500) << scenario::info(kind).id;
  }
}

}  // namespace
}  // namespace scopecheck::generator
