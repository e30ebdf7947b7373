#include "harness/report/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace scopecheck::report {
namespace {

constexpr std::string_view erase_line = "\r\x1b[K";

bool can_erase(int fd) {
  const char* term = std::getenv("TERM");
  return ::isatty(fd) == 1 && term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

/// Seconds until the work is done or its time is over, whichever is first; negative: unknown.
double seconds_left(const Standing& standing, double elapsed, double rate) {
  double left = -1;
  if (standing.total > standing.done && rate > 0)
    left = static_cast<double>(standing.total - standing.done) / rate;
  if (standing.time_limit_seconds > 0) {
    const double until_limit = std::max(0.0, standing.time_limit_seconds - elapsed);
    left = left < 0 ? until_limit : std::min(left, until_limit);
  }
  return left;
}

}  // namespace

std::string duration_in_words(double seconds) {
  if (!std::isfinite(seconds) || seconds > 1e9) return "very long";
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", std::max(0.0, seconds) * 1000);
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string count_in_words(std::uint64_t count) {
  if (count < 10'000) return fmt::format("{}", count);
  const double number = static_cast<double>(count);
  if (count < 1'000'000) return fmt::format("{:.1f}k", std::floor(number / 1e2) / 10);
  if (count < 1'000'000'000) return fmt::format("{:.1f}M", std::floor(number / 1e5) / 10);
  return fmt::format("{:.1f}G", std::floor(number / 1e8) / 10);
}

std::string progress_line(const Standing& standing, double elapsed_seconds, const Style& style) {
  const double rate = elapsed_seconds > 0 ? static_cast<double>(standing.done) / elapsed_seconds : 0;
  // What matters most comes first: the end is cut on narrow terminals.
  std::string line = standing.what;
  if (standing.findings > 0)
    line += fmt::format("  {} finding{}", standing.findings, standing.findings == 1 ? "" : "s");
  if (standing.depth > 0) line += fmt::format("  {} ops", standing.depth);
  line += "  " + count_in_words(standing.done);
  if (standing.total > 0) {
    const double share = 100 * static_cast<double>(standing.done) / static_cast<double>(standing.total);
    line += fmt::format("/{} ({:.0f}%)", count_in_words(standing.total), std::min(100.0, std::floor(share)));
  }
  if (rate >= 0.5) line += fmt::format("  {}/s", count_in_words(static_cast<std::uint64_t>(rate)));
  if (standing.goals_of > 0) line += fmt::format("  {}/{} goals", standing.goals, standing.goals_of);
  if (const double left = seconds_left(standing, elapsed_seconds, rate); left >= 0)
    line += fmt::format("  {} left", duration_in_words(std::max(1.0, std::round(left))));
  std::string clean = printable(line, style);
  std::ranges::replace(clean, '\n', ' ');
  std::ranges::replace(clean, '\t', ' ');
  return fit(clean, std::max<std::size_t>(style.width, 2) - 1, style);
}

Progress::Progress(int fd, bool wanted) : Progress(fd, detect_style(fd), wanted && can_erase(fd)) {}
Progress::Progress(int fd, const Style& style, bool live) : fd_(fd), style_(style), live_(live) { restart(); }

void Progress::restart(Clock::time_point now) {
  started_ = now;
  shown_at_ = now;  // work that is over at once shows no line at all
}

void Progress::update(const Standing& standing, Clock::time_point now) {
  if (!due(now)) return;
  shown_at_ = now;
  visible_ = true;
  const double elapsed = std::chrono::duration<double>(now - started_).count();
  put(std::string(erase_line) + progress_line(standing, elapsed, style_));
}

void Progress::clear() {
  if (!visible_) return;
  visible_ = false;
  put(std::string(erase_line));
}

/// A status line that cannot be written is no reason to stop the work.
void Progress::put(const std::string& text) const {
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace scopecheck::report
