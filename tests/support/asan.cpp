#include "tests/support/asan.hpp"

#include <unistd.h>

namespace scopecheck::tests::asan {

Heard heard;
bool listening = false;
std::uint32_t (*count_events)() = nullptr;
bool (*is_in_harness)() = nullptr;
bool (*has_ended)(const void*) = nullptr;

#ifdef SCOPECHECK_TESTS_ASAN
namespace {

__attribute__((no_sanitize("address", "undefined"))) void on_report(const char* text) {
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

[[maybe_unused]] const bool installed = [] {
  __asan_set_error_report_callback(on_report);
  return true;
}();

}  // namespace
#endif

}  // namespace scopecheck::tests::asan

#ifdef SCOPECHECK_TESTS_ASAN
// The runtime's own definition is weak.
extern "C" __attribute__((no_sanitize("address", "undefined"), used)) const char* __asan_default_options() {
  return "halt_on_error=0:suppress_equal_pcs=0:symbolize=0:detect_leaks=0:"
         "detect_stack_use_after_return=1:log_path=/dev/null:quarantine_size_mb=32";
}
#endif
