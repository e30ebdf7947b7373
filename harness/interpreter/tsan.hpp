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
extern "C" {
void __tsan_ignore_thread_begin();
void __tsan_ignore_thread_end();
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void __tsan_read8(void* address);
void __tsan_write8(void* address);
}
#endif

namespace scopecheck::interpreter {

#ifdef SCOPECHECK_UNDER_TSAN
inline constexpr bool under_tsan = true;
#else
inline constexpr bool under_tsan = false;
#endif

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

/// What a read or write of the eight bytes there would tell TSan, without one: an ended frame's memory is
/// somebody's again, and a write into it would hurt the harness.
inline void tell_tsan_of_touch([[maybe_unused]] volatile void* address, [[maybe_unused]] bool write) {
#ifdef SCOPECHECK_UNDER_TSAN
  const ShownToTsan shown;
  void* const at = const_cast<void*>(address);
  write ? __tsan_write8(at) : __tsan_read8(at);
#endif
}

/// What happened before a release of `token` happened before what follows the acquire.
inline void tsan_release([[maybe_unused]] void* token) {
#ifdef SCOPECHECK_UNDER_TSAN
  __tsan_release(token);
#endif
}
inline void tsan_acquire([[maybe_unused]] void* token) {
#ifdef SCOPECHECK_UNDER_TSAN
  __tsan_acquire(token);
#endif
}

}  // namespace scopecheck::interpreter
