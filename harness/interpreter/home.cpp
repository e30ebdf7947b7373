#include "harness/interpreter/home.hpp"

#include "harness/interpreter/tsan.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define SCOPECHECK_UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCOPECHECK_UNDER_ASAN 1
#endif
#endif

#ifdef SCOPECHECK_UNDER_ASAN
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef SCOPECHECK_UNDER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace scopecheck::interpreter {

void HomeStack::remember() {
#ifdef SCOPECHECK_UNDER_ASAN
  fake_ = __asan_get_current_fake_stack();
  if (bottom_ == nullptr) {
    pthread_attr_t attributes;
    void* bottom = nullptr;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &bottom, &size_);
    pthread_attr_destroy(&attributes);
    bottom_ = bottom;
  }
#endif
#ifdef SCOPECHECK_UNDER_TSAN
  fiber_ = __tsan_get_current_fiber();
#endif
}

void HomeStack::leave_for() {
  hide_from_tsan(false);  // as where the implementation was called at home: it counts per stack
#ifdef SCOPECHECK_UNDER_ASAN
  void* left = nullptr;  // whoever made the other stack knows it as well
  __sanitizer_start_switch_fiber(&left, bottom_, size_);
#endif
#ifdef SCOPECHECK_UNDER_TSAN
  __tsan_switch_to_fiber(fiber_, 0);
#endif
}

void HomeStack::arrive() {
#ifdef SCOPECHECK_UNDER_ASAN
  __sanitizer_finish_switch_fiber(fake_, nullptr, nullptr);
  // what was given up at home, below here, left its red zones
  const char* const here = static_cast<const char*>(__builtin_frame_address(0));
  const auto* const bottom = static_cast<const char*>(bottom_);
  __asan_unpoison_memory_region(bottom, static_cast<std::size_t>(here - bottom));
  __asan_handle_no_return();
#endif
}

}  // namespace scopecheck::interpreter
