// What ThreadSanitizer says, counted. Reports outside of an `ExpectRaces` make the program fail at its end,
// as they do without this header. In builds without TSan nothing is heard.
#pragma once

#include "harness/interpreter/tsan.hpp"

#include <atomic>
#include <cstddef>

namespace scopecheck::tests::tsan {

#ifdef SCOPECHECK_UNDER_TSAN
inline constexpr bool built_with_tsan = true;
#else
inline constexpr bool built_with_tsan = false;
#endif

extern std::atomic<bool> expected;
extern std::atomic<std::size_t> heard;

/// While it lives a race is what a client of an unsound implementation is there for.
class ExpectRaces {
 public:
  ExpectRaces() : before_(heard) { expected = true; }
  ~ExpectRaces() { expected = false; }
  ExpectRaces(const ExpectRaces&) = delete;
  ExpectRaces& operator=(const ExpectRaces&) = delete;
  /// Reports since it began.
  [[nodiscard]] std::size_t races() const { return heard - before_; }

 private:
  std::size_t before_;
};

}  // namespace scopecheck::tests::tsan
