// What runners left, put together: an implementation that wrote over its runner's report is not believed.
#include "harness/campaign/merged.hpp"

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
