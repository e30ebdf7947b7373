// The byte form: whatever the bytes, they are a well-formed scenario; and every scenario has bytes.
#include "harness/generator/codec.hpp"

#include "harness/generator/random.hpp"
#include "harness/scenario/text.hpp"
#include "tests/generator/profiles.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace scopecheck::generator {
namespace {

using scenario::Bounds;
using scenario::Offers;
using scenario::Scenario;
using tests::Profile;

using Bytes = std::vector<std::uint8_t>;

Scenario parsed(std::string_view text) {
  auto result = scenario::parse(text);
  EXPECT_TRUE(result.has_value());
  return result->scenario;
}

/// Long enough to fill the bounds of a random scenario.
Bytes any_bytes() { return *rc::gen::resize(160, rc::gen::arbitrary<Bytes>()); }
Bounds any_bounds() { return *rc::gen::element(Bounds{}, Bounds{.ops = 1}, random_bounds()); }

class Codec : public testing::TestWithParam<Profile> {
 protected:
  [[nodiscard]] const Offers& offers() const { return GetParam().offers; }
};

TEST_P(Codec, zero_bytes_are_the_empty_scenario_however_many) {
  for (const std::size_t size : {0u, 1u, 2u, 1000u}) {
    const Scenario scenario = decode(Bytes(size), offers(), random_bounds());
    EXPECT_EQ(scenario, Scenario{}) << scenario::to_text(scenario);
  }
  EXPECT_EQ(encode(Scenario{}, offers(), random_bounds()), Bytes{});
}

TEST_P(Codec, every_byte_string_is_a_well_formed_scenario_within_the_bounds) {
  EXPECT_TRUE(rc::check([this] {
    const Bytes bytes = any_bytes();
    const Bounds bounds = any_bounds();
    const Scenario scenario = decode(bytes, offers(), bounds);
    const auto formed = scenario::check(scenario, offers());
    if (!formed) RC_FAIL(formed.error().message + "\n" + scenario::to_text(scenario));
    RC_ASSERT(scenario.cost() <= bounds.ops);
    RC_CLASSIFY(scenario.cost() >= 8, "8 ops or more");
  }));
}

TEST_P(Codec, decoding_what_was_encoded_gives_the_scenario_back) {
  EXPECT_TRUE(rc::check([this] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    Random random(offers(), random_bounds(), seed);
    const Scenario& scenario = random.next();
    const auto bytes = encode(scenario, offers(), random_bounds());
    RC_ASSERT(bytes.has_value());
    RC_ASSERT(decode(*bytes, offers(), random_bounds()) == scenario);
  }));
}

TEST_P(Codec, encoding_what_was_decoded_gives_canonical_bytes) {
  EXPECT_TRUE(rc::check([this] {
    const Scenario scenario = decode(any_bytes(), offers(), random_bounds());
    const auto bytes = encode(scenario, offers(), random_bounds());
    if (!bytes) RC_FAIL("no bytes for\n" + scenario::to_text(scenario));
    RC_ASSERT(decode(*bytes, offers(), random_bounds()) == scenario);
    const bool stay = encode(decode(*bytes, offers(), random_bounds()), offers(), random_bounds()) == *bytes;
    RC_ASSERT(stay);
    const bool short_as_can_be = bytes->empty() || bytes->back() != 0;  // missing bytes read as 0
    RC_ASSERT(short_as_can_be);
  }));
}

TEST_P(Codec, every_prefix_of_the_bytes_is_a_scenario_that_begins_the_same) {
  Random random(offers(), random_bounds(), 1);
  for (int i = 0; i < 20; ++i) {
    const Scenario whole = random.next();
    Bytes bytes = encode(whole, offers(), random_bounds()).value();
    const std::size_t wanted = bytes.size() / 2;
    bytes.resize(wanted);
    const Scenario half = decode(bytes, offers(), random_bounds());
    ASSERT_TRUE(scenario::check(half, offers()).has_value());
    ASSERT_LE(half.cost(), whole.cost()) << scenario::to_text(half);
  }
}

INSTANTIATE_TEST_SUITE_P(Profiles, Codec, testing::ValuesIn(tests::profiles),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Encode, gives_nothing_for_a_scenario_that_is_ill_formed_here) {
  const Offers& offers = tests::handle_embedded;
  const Scenario conflict = parsed("cell x; spawn t0 borrow mut x { } as h0; write x");
  EXPECT_EQ(encode(conflict, offers, random_bounds()), std::nullopt);
  const Scenario sound = parsed("cell x; spawn t0 borrow mut x { } as h0; drop h0; write x");
  EXPECT_NE(encode(sound, offers, random_bounds()), std::nullopt);
  const Scenario wants_scopes = parsed("scope s0");
  EXPECT_EQ(encode(wants_scopes, offers, random_bounds()), std::nullopt);
}

TEST(Encode, gives_nothing_for_a_scenario_beyond_the_bounds) {
  const Scenario two = parsed("spawn t0 { } as h0; spawn t1 { } as h1");
  EXPECT_NE(encode(two, tests::handle_embedded, Bounds{.ops = 2}), std::nullopt);
  EXPECT_EQ(encode(two, tests::handle_embedded, Bounds{.ops = 1}), std::nullopt);
  EXPECT_EQ(encode(two, tests::handle_embedded, Bounds{.ops = 2, .tasks = 1}), std::nullopt);
}

TEST(Encode, gives_nothing_for_a_block_left_open) {
  Scenario open = parsed("frame { settle }");
  open.ops.pop_back();
  EXPECT_EQ(encode(open, tests::handle_embedded, random_bounds()), std::nullopt);
}

TEST(Decode, reads_two_bytes_where_more_than_256_ops_are_legal) {
  // eight cells and three borrows per spawn: hundreds of ways to lend them
  const Bounds bounds{.ops = 40, .tasks = 6, .cells = 8, .borrows = 3};
  Draft draft(tests::handle_embedded, bounds);
  for (int i = 0; i < 8; ++i) {
    const scenario::Op cell{.kind = scenario::OpKind::cell, .subject = draft.rules().cells()};
    draft.push(cell);
  }
  Candidates candidates;
  draft.candidates(candidates);
  ASSERT_GT(candidates.size(), 256u) << "choose bigger bounds";
  for (const std::size_t index :
       {std::size_t{0}, std::size_t{255}, std::size_t{256}, candidates.size() - 1}) {
    Draft next = draft;
    next.push(candidates[index]);
    next.close();
    const auto bytes = encode(next.scenario(), tests::handle_embedded, bounds);
    ASSERT_TRUE(bytes.has_value()) << index;
    EXPECT_EQ(decode(*bytes, tests::handle_embedded, bounds), next.scenario()) << index;
  }
}

}  // namespace
}  // namespace scopecheck::generator
