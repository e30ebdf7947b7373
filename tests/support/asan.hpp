// What AddressSanitizer says, as a value that a test can look at. Reports outside of a `Listen` end the
// process, as they do without this header. Include it in one file of a test program only; in builds without
// ASan `built_with_asan` is false and nothing is ever heard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SCOPECHECK_TESTS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCOPECHECK_TESTS_ASAN 1
#endif
#endif

#ifdef SCOPECHECK_TESTS_ASAN
#include <sanitizer/asan_interface.h>
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

inline Heard heard;
inline bool listening = false;
/// Called for the first report; under ASan's lock: must not allocate nor touch what is poisoned.
inline std::uint32_t (*count_events)() = nullptr;
inline bool (*is_in_harness)() = nullptr;
inline bool (*has_ended)(const void*) = nullptr;

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

#ifdef SCOPECHECK_TESTS_ASAN

inline constexpr bool built_with_asan = true;

namespace detail {

__attribute__((no_sanitize("address", "undefined"))) inline void on_report(const char* text) {
  if (!listening) {
    static_cast<void>(!::write(STDERR_FILENO, text, std::strlen(text)));
    ::_exit(1);
  }
  if (heard.reports++ != 0) return;
  heard.event = count_events();
  heard.in_harness = is_in_harness();
  heard.in_ended_storage = has_ended != nullptr && has_ended(__asan_get_report_address());
  volatile char* const out = heard.text;
  std::size_t i = 0;
  for (; i + 1 < sizeof(heard.text) && text[i] != '\0'; ++i) out[i] = text[i];
  out[i] = '\0';
}

[[maybe_unused]] static const bool installed = [] {
  __asan_set_error_report_callback(on_report);
  return true;
}();

}  // namespace detail

#else

inline constexpr bool built_with_asan = false;

#endif

}  // namespace scopecheck::tests::asan

#ifdef SCOPECHECK_TESTS_ASAN
// Not inline: the runtime's own definition is weak, and linked before ours.
extern "C" __attribute__((no_sanitize("address", "undefined"), used)) const char* __asan_default_options() {
  return "halt_on_error=0:suppress_equal_pcs=0:symbolize=0:detect_leaks=0:"
         "detect_stack_use_after_return=1:log_path=/dev/null:quarantine_size_mb=32";
}
#endif
