#include "harness/report/progress.hpp"

#include <gtest/gtest.h>

#include <array>
#include <unistd.h>

namespace scopecheck::report {
namespace {

using namespace std::chrono_literals;

/// What a Progress wrote so far.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int in() const { return ends_[1]; }
  std::string take() {
    std::array<char, 4096> buffer;
    EXPECT_EQ(::write(ends_[1], "\n", 1), 1);  // so that the read never blocks
    const ssize_t size = ::read(ends_[0], buffer.data(), buffer.size());
    return std::string(buffer.data(), static_cast<std::size_t>(size) - 1);
  }

 private:
  std::array<int, 2> ends_{};
};

Standing half_done() {
  return {.what = "stacked_in_scope",
          .done = 50'000,
          .total = 100'000,
          .depth = 6,
          .findings = 1,
          .time_limit_seconds = 0};
}

TEST(Progress, says_what_depth_share_rate_and_time_left) {
  EXPECT_EQ(progress_line(half_done(), 10, {}),
            "stacked_in_scope  1 finding  6 ops  50.0k/100.0k (50%)  5000/s  10 s left");
}

TEST(Progress, takes_the_time_limit_when_it_comes_first) {
  Standing standing = half_done();
  standing.time_limit_seconds = 12;
  EXPECT_TRUE(progress_line(standing, 10, {}).ends_with("  2.0 s left"));
  standing.total = 0;
  EXPECT_TRUE(progress_line(standing, 20, {}).ends_with("/s  1.0 s left"));
}

TEST(Progress, fits_in_one_line_whatever_it_is_told) {
  Standing standing = half_done();
  standing.what = std::string(200, 'x') + "\n\x1b[2J";
  for (const double elapsed : {0.0, 1e-9, 1e12}) {
    const std::string line = progress_line(standing, elapsed, {.unicode = false, .width = 60});
    EXPECT_EQ(display_width(line), 59u);
    EXPECT_EQ(line.find_first_of("\n\x1b"), std::string::npos);
  }
  EXPECT_EQ(progress_line({}, 0, {}), "  0");
}

TEST(Progress, shows_at_most_five_lines_a_second_and_leaves_none_behind) {
  Pipe pipe;
  const auto start = Progress::Clock::time_point{} + 1h;
  {
    Progress progress(pipe.in(), {}, true);
    progress.restart(start);
    progress.update(half_done(), start + 100ms);
    EXPECT_EQ(pipe.take(), "");
    EXPECT_TRUE(progress.due(start + 200ms));
    progress.update(half_done(), start + 200ms);
    EXPECT_TRUE(pipe.take().starts_with("\r\x1b[Kstacked_in_scope"));
    progress.update(half_done(), start + 399ms);
    EXPECT_EQ(pipe.take(), "");
  }
  EXPECT_EQ(pipe.take(), "\r\x1b[K");
}

TEST(Progress, is_silent_where_nobody_watches) {
  Pipe pipe;
  {
    Progress progress(pipe.in());
    progress.update(half_done(), Progress::Clock::now() + 1h);
    EXPECT_FALSE(progress.due(Progress::Clock::now() + 1h));
  }
  EXPECT_EQ(pipe.take(), "");
}

TEST(Progress, says_durations_and_counts_in_words) {
  EXPECT_EQ(duration_in_words(0.004), "4 ms");
  EXPECT_EQ(duration_in_words(0.9999), "1.0 s");
  EXPECT_EQ(duration_in_words(9.99), "10 s");
  EXPECT_EQ(duration_in_words(59.6), "1 min 0 s");
  EXPECT_EQ(duration_in_words(250), "4 min 10 s");
  EXPECT_EQ(duration_in_words(7500), "2 h 5 min");
  EXPECT_EQ(duration_in_words(-1), "0 ms");
  EXPECT_EQ(count_in_words(9'999), "9999");
  EXPECT_EQ(count_in_words(12'345), "12.3k");
  EXPECT_EQ(count_in_words(999'999), "999.9k");
  EXPECT_EQ(count_in_words(4'500'000'000), "4.5G");
}

}  // namespace
}  // namespace scopecheck::report
