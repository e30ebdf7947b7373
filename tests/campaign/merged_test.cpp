// What runners left, put together: an implementation that wrote over its runner's report is not believed.
#include "harness/campaign/merged.hpp"

#include "harness/scenario/text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace scopecheck::campaign {
namespace {

TEST(Merged, adds_up_what_runners_counted) {
  const auto one = std::make_unique<Tally>();
  const auto other = std::make_unique<Tally>();
  for (Tally* tally : {one.get(), other.get()}) {
    tally->done = 3;
    tally->outcomes[0] = 2;
    tally->finished = 1;
  }
  const Merged merged = merge(std::array<const Tally*, 2>{one.get(), other.get()});
  EXPECT_EQ(merged.done, 6u);
  EXPECT_EQ(merged.outcomes[0], 4u);
  EXPECT_TRUE(merged.all_finished);
  EXPECT_TRUE(merged.errors.empty());
}

TEST(Merged, takes_the_first_client_of_each_letter) {
  const auto one = std::make_unique<Tally>();
  const auto other = std::make_unique<Tally>();
  const auto noted = [](Tally& tally, verdict::Letter letter, const char* text) {
    const auto i = static_cast<std::size_t>(letter);
    tally.letters = static_cast<std::uint8_t>(tally.letters | 1u << i);
    tally.letter_example[i] = scenario::parse(text)->scenario;
  };
  noted(*one, verdict::Letter::borrowing, "settle; settle");
  noted(*other, verdict::Letter::borrowing, "settle");
  noted(*other, verdict::Letter::concurrency, "settle");
  other->letter_example[0].ops[0].kind = static_cast<scenario::OpKind>(scenario::op_kinds);  // written over
  const Merged merged = merge(std::array<const Tally*, 2>{one.get(), other.get()});
  EXPECT_FALSE(merged.letter_example[0]);
  EXPECT_FALSE(merged.letter_example[1]);
  EXPECT_EQ(merged.letter_example[2], scenario::parse("settle")->scenario);
}

TEST(Merged, takes_nothing_from_a_report_that_was_written_over) {
  const auto whole = std::make_unique<Tally>();
  whole->done = 3;
  whole->finished = 1;
  const auto damaged = std::make_unique<Tally>();
  damaged->finished = 1;
  damaged->done = 5;
  damaged->outcomes.fill(~std::uint64_t{0});
  damaged->error.fill('\xff');
  const Merged merged = merge(std::array<const Tally*, 2>{whole.get(), damaged.get()});
  EXPECT_EQ(merged.done, 3u);
  EXPECT_FALSE(merged.all_finished);
  ASSERT_EQ(merged.errors.size(), 1u);
  EXPECT_NE(merged.errors[0].find("damaged"), std::string::npos) << merged.errors[0];
}

}  // namespace
}  // namespace scopecheck::campaign
