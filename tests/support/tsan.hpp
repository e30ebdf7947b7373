// What ThreadSanitizer says, counted. Reports outside of an `ExpectRaces` make the program fail at its end,
// as they do without this header. Include it in one file of a test program only; in builds without TSan
// nothing is heard.
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

inline std::atomic<bool> expected = false;
inline std::atomic<std::size_t> heard = 0;
inline std::atomic<std::size_t> unexpected = 0;

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

#ifdef SCOPECHECK_UNDER_TSAN
// Not inline: the runtime's own definitions are weak, and linked before ours.
extern "C" __attribute__((no_sanitize("thread"), used)) const char* __tsan_default_options() {
  return "suppress_equal_stacks=0:history_size=7";
}
extern "C" __attribute__((no_sanitize("thread"), used)) void __tsan_on_report(void* /*report*/) {
  ++scopecheck::tests::tsan::heard;
  if (!scopecheck::tests::tsan::expected) ++scopecheck::tests::tsan::unexpected;
}
namespace __tsan {
__attribute__((no_sanitize("thread"), used)) bool OnFinalize(bool /*failed*/) {
  return scopecheck::tests::tsan::unexpected != 0;
}
}  // namespace __tsan
#endif
