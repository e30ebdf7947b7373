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
#elif __has_feature(thread_sanitizer)
#define SCOPECHECK_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(SCOPECHECK_ASAN)
#define SCOPECHECK_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) && !defined(SCOPECHECK_TSAN)
#define SCOPECHECK_TSAN 1
#endif

#ifdef SCOPECHECK_ASAN
#include <sanitizer/asan_interface.h>
#endif

#ifdef SCOPECHECK_TSAN
// of TSan's debugging interface (compiler-rt/lib/tsan/rtl/tsan_debugging.cpp), which has no public header
extern "C" int __tsan_get_report_mop(void* report, unsigned long index, int* tid, void** address, int* size,
                                     int* write, int* atomic, void** trace, unsigned long trace_size);
#endif

namespace scopecheck::campaign {

#if defined(SCOPECHECK_ASAN) || defined(SCOPECHECK_TSAN)
namespace {
Tally* reported_to = nullptr;
}
#endif

#ifdef SCOPECHECK_ASAN

namespace {

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
  tally.sanitizer_witness = Witness::asan;
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

Witness built_with() { return Witness::asan; }

void install_sanitizer_callbacks(Tally& tally) {
  reported_to = &tally;
  __asan_set_error_report_callback(on_report);
}

#elif defined(SCOPECHECK_TSAN)

namespace {

std::size_t text_end = 0;     // of what TSan printed about the report that it is writing
bool text_is_wanted = false;  // it is the first of its run

}  // namespace

/// TSan's hook for every piece of text that it prints; on_report is called at the end of a report.
extern "C" __attribute__((no_sanitize("thread"), used)) void __sanitizer_on_print(const char* text) {
  if (reported_to == nullptr) return;
  Tally& tally = *reported_to;
  if (constexpr std::string_view mark = "WARNING: ThreadSanitizer";
      std::string_view(text).starts_with(mark)) {
    text_is_wanted = tally.sanitizer_reports == 0;
    text_end = 0;
  }
  if (!text_is_wanted) return;
  volatile char* const out = tally.sanitizer_text.data();  // volatile: must not become a call of memcpy
  for (; text_end + 1 < sizeof(tally.sanitizer_text) && *text != '\0'; ++text_end) out[text_end] = *text++;
  out[text_end] = '\0';
}

/// Called by the thread whose access is reported, within that access. Nothing here is instrumented.
extern "C" __attribute__((no_sanitize("thread"), used)) void __tsan_on_report(void* report) {
  if (reported_to == nullptr) return;
  Tally& tally = *reported_to;
  text_is_wanted = false;
  void* address = nullptr;
  void* trace = nullptr;
  int tid = 0, size = 0, write = 0, atomic = 0;
  // the first access is the present one; of what is no race there is none
  __tsan_get_report_mop(report, 0, &tid, &address, &size, &write, &atomic, &trace, 1);
  const auto event = static_cast<std::uint32_t>(tally.ledger.events().size());
  const std::uint8_t cell = address == nullptr ? scenario::none : interpreter::Machine::touched_cell(address);
  if (cell != scenario::none && tally.races_used < max_races) tally.races[tally.races_used++] = {event, cell};
  if (tally.sanitizer_reports++ != 0) return;
  tally.sanitizer_witness = Witness::tsan;
  tally.sanitizer_event = event;
  tally.sanitizer_in_harness = cell != scenario::none;
  tally.sanitizer_in_ended_storage = address != nullptr && interpreter::Machine::storage_has_ended(address);
}

Witness built_with() { return Witness::tsan; }
void install_sanitizer_callbacks(Tally& tally) { reported_to = &tally; }

#else

Witness built_with() { return Witness::ledger; }
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

std::string tsan_options(bool symbolize, const std::filesystem::path& symbolizer) {
  // suppress_equal_stacks: by default one report per pair of stacks, for a whole batch.
  // history_size: a race is reported only while TSan remembers the stack of the earlier access. A crash stays
  // the signal it is, whatever build the runner is of: TSan would report it and exit. A thread that is left
  // behind is no leak, and two locks taken in either order are no race.
  std::string options = fmt::format(
      "halt_on_error=0:suppress_equal_stacks=0:history_size=7:report_thread_leaks="
      "0:"
      "detect_deadlocks=0:report_signal_unsafe=0:atexit_sleep_ms=0:die_after_fork=0:log_path=stderr:exitcode="
      "{}:"
      "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0:symbolize={:d}",
      sanitizer_exit_code, symbolize);
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

}  // namespace scopecheck::campaign

#ifdef SCOPECHECK_TSAN
namespace __tsan {
/// What a runner exits with says how its work ended; reports are in the tally.
__attribute__((no_sanitize("thread"), used)) bool OnFinalize(bool failed) {
  return failed && scopecheck::campaign::reported_to == nullptr;
}
}  // namespace __tsan
#endif
