// What AddressSanitizer says, as a value that a test can look at. Reports outside of a `Listen` end the
// process, as they do without this header. In builds without ASan `built_with_asan` is false and nothing is
// ever heard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#if defined(__SANITIZE_ADDRESS__)
#define SCOPECHECK_TESTS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCOPECHECK_TESTS_ASAN 1
#endif
#endif

#ifdef SCOPECHECK_TESTS_ASAN
#include <sanitizer/asan_interface.h>  // for tests that ask it themselves
#endif

namespace scopecheck::tests::asan {

/// The first report since `Listen` began or was cleared, and how many there were.
struct Heard {
  std::size_t reports = 0;
  std::uint32_t event = 0;  ///< what `Listen`'s counter said then: how many events the ledger had
  bool in_harness = false;
  bool in_ended_storage = false;
  char text[4096] = "";

  /// "stack-use-after-return"; "" when nothing was heard.
  [[nodiscard]] std::string name() const {
    const char* const mark = std::strstr(text, "AddressSanitizer: ");
    if (mark == nullptr) return "";
    const std::string words(mark + std::strlen("AddressSanitizer: "));
    return words.substr(0, words.find(' '));
  }
};

#ifdef SCOPECHECK_TESTS_ASAN
inline constexpr bool built_with_asan = true;
#else
inline constexpr bool built_with_asan = false;
#endif

extern Heard heard;
extern bool listening;
/// Called for the first report; under ASan's lock: must not allocate nor touch what is poisoned.
extern std::uint32_t (*count_events)();
extern bool (*is_in_harness)();
extern bool (*has_ended)(const void*);

/// Takes reports instead of letting them end the process.
class Listen {
 public:
  Listen(std::uint32_t (*events)(), bool (*in_harness)(), bool (*ended)(const void*) = nullptr) {
    count_events = events;
    is_in_harness = in_harness;
    has_ended = ended;
    listening = true;
    clear();
  }
  ~Listen() { listening = false; }
  Listen(const Listen&) = delete;
  Listen& operator=(const Listen&) = delete;
  static void clear() {
    heard.reports = 0;
    heard.text[0] = '\0';
  }
};

}  // namespace scopecheck::tests::asan
