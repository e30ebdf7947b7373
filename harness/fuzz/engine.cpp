#include "harness/fuzz/engine.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace scopecheck::fuzz {

void add_default_flags(int* argc, char*** argv) {
  static char length[] = "-len_control=0";
  static char timeout[] = "-timeout=30";
  static char reload[] = "-reload=0";
  static std::vector<char*> arguments;
  arguments.assign(*argv, *argv + *argc);
  const auto given = [&](std::string_view flag) {
    const std::string_view name = flag.substr(0, flag.find('=') + 1);
    return std::ranges::any_of(arguments,
                               [&](const char* a) { return std::string_view(a).starts_with(name); });
  };
  for (char* const flag : {length, timeout, reload})
    if (!given(flag)) arguments.push_back(flag);
  *argc = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  *argv = arguments.data();
}

}  // namespace scopecheck::fuzz

// The same as runners have (harness/campaign/sanitizer.cpp); users add theirs in ASAN_OPTIONS.
extern "C" const char* __asan_default_options() {  // NOLINT: ASan's name
  return "detect_leaks=0:detect_stack_use_after_return=1:quarantine_size_mb=32:malloc_context_size=2:"
         "max_uar_stack_size_log=16:min_uar_stack_size_log=16:handle_abort=0";
}
