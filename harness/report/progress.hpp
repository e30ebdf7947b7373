// One live status line on a terminal, for work that takes long. Silent when nobody watches.
#pragma once

#include "harness/report/style.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace scopecheck::report {

/// Where long work stands.
struct Standing {
  std::string what;         ///< "stacked_in_scope, exhaustive"
  std::uint64_t done = 0;   ///< scenarios
  std::uint64_t total = 0;  ///< 0: unknown
  std::size_t depth = 0;    ///< ops of the scenarios that run now; 0: not said
  std::uint64_t findings = 0;
  std::size_t goals = 0;          ///< reached
  std::size_t goals_of = 0;       ///< that can be reached; 0: not said
  double time_limit_seconds = 0;  ///< 0: none
};

/// The line for `standing` after `elapsed_seconds`: what, findings, depth, done of total, rate, goals
/// reached, time left. Ensures: at most `style.width - 1` columns, so that no terminal wraps it; no control
/// characters.
[[nodiscard]] std::string progress_line(const Standing& standing, double elapsed_seconds, const Style& style);

/// "3 s", "4 min 10 s", "2 h 5 min".
[[nodiscard]] std::string duration_in_words(double seconds);
/// "950", "12.3k", "4.5M".
[[nodiscard]] std::string count_in_words(std::uint64_t count);

/// Keeps the line up to date. Threads: one caller.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds interval{200};

  /// Live only when `fd` is a terminal that can erase a line, and `wanted`.
  explicit Progress(int fd = 2, bool wanted = true);
  /// For tests and callers that decide themselves.
  Progress(int fd, const Style& style, bool live);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Begins a new piece of work: rate and time left count from here.
  void restart(Clock::time_point now = Clock::now());
  /// Whether an update would be shown now. Cheap: for callers for whom filling a Standing is not.
  [[nodiscard]] bool due(Clock::time_point now = Clock::now()) const {
    return live_ && now - shown_at_ >= interval;
  }
  /// Shows `standing` when the last line is old enough.
  void update(const Standing& standing, Clock::time_point now = Clock::now());
  /// Erases the line; call it before anything else is written to the terminal.
  void clear();

 private:
  void put(const std::string& text) const;

  int fd_;
  Style style_;
  bool live_;
  bool visible_ = false;
  Clock::time_point started_;
  Clock::time_point shown_at_;
};

}  // namespace scopecheck::report
