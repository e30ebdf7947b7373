#include "harness/campaign/sanitizer.hpp"

#include "harness/schedule/census.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCOPECHECK_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(SCOPECHECK_ASAN)
#define SCOPECHECK_ASAN 1
#endif

#ifdef SCOPECHECK_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace scopecheck::campaign {

#ifdef SCOPECHECK_ASAN

namespace {

Tally* reported_to = nullptr;

/// Where a fault happened, by the report: ASan's interface gives no address for those.
__attribute__((no_sanitize("address", "undefined"))) const void* faulting_address(const char* text) {
  constexpr std::string_view mark = "unknown address 0x";
  const std::string_view report(text);
  std::size_t at = report.find(mark);
  if (at == std::string_view::npos) return nullptr;
  std::uintptr_t address = 0;
  for (at += mark.size(); at < report.size(); ++at) {
    const char c = report[at];
    const bool letter = c >= 'a' && c <= 'f';
    if (!letter && (c < '0' || c > '9')) break;
    address = address * 16 + static_cast<std::uintptr_t>(letter ? c - 'a' + 10 : c - '0');
  }
  return reinterpret_cast<const void*>(address);
}

// Runs under ASan's report lock, and a report from within it would end the process: nothing here is
// instrumented, calls an interceptor or allocates.
__attribute__((no_sanitize("address", "undefined"))) void on_report(const char* text) {
  schedule::keep_from_rest(false);
  Tally& tally = *reported_to;
  if (tally.sanitizer_reports++ != 0) return;
  tally.sanitizer_event = static_cast<std::uint32_t>(tally.ledger.events().size());
  tally.sanitizer_in_harness = interpreter::Machine::touching_cell();
  const void* address = __asan_get_report_address();
  if (address == nullptr) address = faulting_address(text);
  tally.sanitizer_in_ended_storage = interpreter::Machine::storage_has_ended(address);
  volatile char* const out = tally.sanitizer_text.data();  // volatile: must not become a call of memcpy
  std::size_t i = 0;
  for (; i + 1 < sizeof(tally.sanitizer_text) && text[i] != '\0'; ++i) out[i] = text[i];
  out[i] = '\0';
}

}  // namespace

/// ASan's hook for the beginning of a report; on_report is called at its end.
extern "C" __attribute__((no_sanitize("address", "undefined"))) void __asan_on_error() {
  schedule::keep_from_rest(true);
}

bool built_with_asan() { return true; }

void install_sanitizer_callbacks(Tally& tally) {
  reported_to = &tally;
  __asan_set_error_report_callback(on_report);
}

#else

bool built_with_asan() { return false; }
void install_sanitizer_callbacks(Tally&) {}

#endif

std::string asan_options(bool symbolize, const std::filesystem::path& symbolizer) {
  // suppress_equal_pcs: by default one report per program counter, which would be one per frame shape for a
  // whole batch. The small quarantine is ample for a run's few hundred bytes and keeps runners small. After
  // every exception ASan sweeps its whole fake stack: 64 KiB per size class hold the frames of a run many
  // times over, and the default of 1 MiB made a witness pass twice as slow. So do deep malloc backtraces.
  std::string options = fmt::format(
      "halt_on_error=0:suppress_equal_pcs=0:detect_leaks=0:detect_stack_use_after_return=1:abort_on_error=0:"
      "handle_abort=0:log_path=stderr:quarantine_size_mb=32:exitcode={}:"
      "max_uar_stack_size_log=16:min_uar_stack_size_log=16:malloc_context_size={}:symbolize={:d}",
      sanitizer_exit_code, symbolize ? 30 : 2, symbolize);
  if (symbolize && !symbolizer.empty())
    options += fmt::format(":external_symbolizer_path={}", symbolizer.string());
  return options;
}

std::filesystem::path find_symbolizer() {
  const auto runs = [](const std::filesystem::path& path) { return ::access(path.c_str(), X_OK) == 0; };
  if (const char* named = std::getenv("ASAN_SYMBOLIZER_PATH"); named != nullptr && runs(named)) return named;
  const char* const path = std::getenv("PATH");
  for (const std::string_view name : {"llvm-symbolizer-19", "llvm-symbolizer"}) {
    for (std::string_view rest = path != nullptr ? path : ""; !rest.empty();) {
      const std::size_t colon = std::min(rest.find(':'), rest.size());
      const std::filesystem::path candidate = std::filesystem::path(rest.substr(0, colon)) / name;
      // the options that carry it are separated by colons
      if (candidate.is_absolute() && runs(candidate)) return candidate;
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  const std::filesystem::path debian = "/usr/lib/llvm-19/bin/llvm-symbolizer";
  return runs(debian) ? debian : std::filesystem::path();
}

std::expected<std::filesystem::path, std::string> asan_executable() {
  if (built_with_asan()) return "/proc/self/exe";
  const auto runs = [](const std::filesystem::path& path) { return ::access(path.c_str(), X_OK) == 0; };
  std::error_code error;
  if (const char* named = std::getenv("SCOPECHECK_ASAN_PROGRAM"); named != nullptr && *named != '\0') {
    std::filesystem::path path = std::filesystem::absolute(named, error);
    if (!error && runs(path)) return path;
    return std::unexpected(fmt::format("SCOPECHECK_ASAN_PROGRAM={}: no such program", named));
  }
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return std::unexpected(fmt::format("/proc/self/exe: {}", error.message()));
  const std::filesystem::path bin = self.parent_path();
  const std::filesystem::path candidates[] = {
      (bin / "../../asan/bin/scopecheck").lexically_normal(),
      (bin / "../libexec/scopecheck/scopecheck-asan").lexically_normal(),
  };
  for (const std::filesystem::path& candidate : candidates)
    if (runs(candidate)) return candidate;
  return std::unexpected(fmt::format(
      "no AddressSanitizer build of scopecheck: neither {} nor {}. Build one with `cmake --preset asan && "
      "cmake --build --preset asan`, or name one in SCOPECHECK_ASAN_PROGRAM",
      candidates[0].string(), candidates[1].string()));
}

}  // namespace scopecheck::campaign
