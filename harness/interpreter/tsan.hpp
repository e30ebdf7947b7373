// What ThreadSanitizer sees of a run: the implementation, and the touches of cells; nothing else of the
// harness. Its threads hand their state to each other through gates that are hidden on purpose
// (schedule/gate.hpp), which would make a race of every step. Without TSan all of this is nothing.
#pragma once

#if defined(__SANITIZE_THREAD__)
#define SCOPECHECK_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SCOPECHECK_UNDER_TSAN 1
#endif
#endif

#ifdef SCOPECHECK_UNDER_TSAN
extern "C" void __tsan_ignore_thread_begin();
extern "C" void __tsan_ignore_thread_end();
#endif

namespace scopecheck::interpreter {

/// From now on the reads and writes of this thread are not looked at, or are again. Returns what was before.
inline bool hide_from_tsan([[maybe_unused]] bool hide) {
#ifdef SCOPECHECK_UNDER_TSAN
  thread_local bool hidden = false;
  if (hide == hidden) return hide;
  hide ? __tsan_ignore_thread_begin() : __tsan_ignore_thread_end();
  hidden = hide;
  return !hide;
#else
  return false;
#endif
}

/// Hidden, or shown, while one lives.
template <bool Hide>
class TsanView {
 public:
  TsanView() : before_(hide_from_tsan(Hide)) {}
  ~TsanView() { hide_from_tsan(before_); }
  TsanView(const TsanView&) = delete;
  TsanView& operator=(const TsanView&) = delete;

 private:
  bool before_;
};
using HiddenFromTsan = TsanView<true>;  ///< for what the implementation calls
using ShownToTsan = TsanView<false>;    ///< for calls of the implementation, and touches of cells

}  // namespace scopecheck::interpreter
