#include "harness/report/place.hpp"

#include <gtest/gtest.h>

namespace scopecheck::report {
namespace {

TEST(Place, names_the_op_or_what_ends_or_the_moment) {
  const scenario::Parsed parsed =
      scenario::parse("enter a {\n\n  spawn t in a { park }\n}\nframe { cell x }\nsettle").value();
  const scenario::Wording wording = parsed.wording();
  const auto at = [&](std::uint16_t op) { return place(parsed.scenario, op, wording.names); };
  EXPECT_EQ(at(0), "at `enter a {`");
  EXPECT_EQ(at(2), "at `park`");
  EXPECT_EQ(at(3), "at the end of `spawn t in a {`");
  EXPECT_EQ(at(4), "at the end of `enter a {`");
  EXPECT_EQ(at(7), "at the end of `frame {`");
  EXPECT_EQ(at(8), "at `settle`");
  EXPECT_EQ(at(9), "when the outermost frame ends");
  EXPECT_EQ(at(10), "in the final settle");
  EXPECT_EQ(at(11), "when the runtime ends");
  EXPECT_EQ(place_in_file(parsed.scenario, 2, wording), "at line 3: park");
  EXPECT_EQ(place_in_file(parsed.scenario, 9, wording), "when the outermost frame ends");
}

}  // namespace
}  // namespace scopecheck::report
