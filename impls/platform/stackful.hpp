// Stackful coroutines on ucontext: a body with a stack of its own, which can be left and entered again at any
// depth of calls. Each switch keeps apart what belongs to a stack: its registers, its exceptions in flight,
// and what ASan and TSan know of it.
//
//   whoever resumes    resume ──▶ body ... suspend ──┐
//                        ▲◀──────────────────────────┘
//                        resume ──▶ ... body returns ──▶ resume says ready
//
// A coroutine that is destroyed while it is suspended is resumed once more, and its suspend throws. One that
// is forgotten stays where it is: its memory is nobody's until the next runtime begins. Threads: one thread
// uses them, for one runtime at a time. Source:
// https://github.com/google/sanitizers/blob/master/address-sanitizer (fibers); Itanium C++ ABI, 2.2.2
#pragma once

#include "harness/abi/kit.hpp"

#include <cstddef>
#include <cxxabi.h>
#include <exception>
#include <new>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define SCOPECHECK_STACKFUL_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define SCOPECHECK_STACKFUL_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCOPECHECK_STACKFUL_ASAN 1
#elif __has_feature(thread_sanitizer)
#define SCOPECHECK_STACKFUL_TSAN 1
#endif
#endif
#ifdef SCOPECHECK_STACKFUL_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef SCOPECHECK_STACKFUL_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace scopecheck::platform {

/// Memory for one stack with a guard page below it, and the two sides of a switch: who runs on it, and who
/// entered it. Never given back to the system: somebody may stand on it for ever.
class Stack {
 public:
  /// Errors: throws std::bad_alloc.
  Stack() {
    const auto guard = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    void* const all = ::mmap(nullptr, guard + size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (all == MAP_FAILED || ::mprotect(all, guard, PROT_NONE) != 0) throw std::bad_alloc();
    inner_.bottom = static_cast<std::byte*>(all) + guard;
    inner_.size = size;
#ifdef SCOPECHECK_STACKFUL_TSAN
    inner_.fiber = __tsan_create_fiber(0);
#endif
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  /// The next `enter` runs body(data), which ends by returning. Requires: nobody is on it.
  void prepare(void (*body)(void*) noexcept, void* data) {
    body_ = body;
    data_ = data;
    ::getcontext(&inner_.registers);
    inner_.registers.uc_stack.ss_sp = inner_.bottom;
    inner_.registers.uc_stack.ss_size = inner_.size;
    inner_.registers.uc_link = nullptr;
    ::makecontext(&inner_.registers, &Stack::begin, 0);
    used_ = true;
  }
  /// Goes there, until it is left or the body returned.
  void enter() {
    entering_ = this;
#ifdef SCOPECHECK_STACKFUL_TSAN
    outer_.fiber = __tsan_get_current_fiber();
#endif
    go(outer_, inner_);
  }
  /// Goes back to whoever entered. Requires: the caller runs on it.
  void leave() { go(inner_, outer_); }
  /// Nobody comes back to what stands on it: it can be used for something else.
  void wipe() {
    if (!std::exchange(used_, false)) return;
#ifdef SCOPECHECK_STACKFUL_ASAN
    __asan_unpoison_memory_region(inner_.bottom, inner_.size);
    prepare([](void*) noexcept {}, nullptr);  // ASan gives its part back only where somebody leaves for good
    used_ = false;
    gives_back_ = true;
    enter();
    gives_back_ = false;
    inner_.fake_stack = nullptr;
#endif
#ifdef SCOPECHECK_STACKFUL_TSAN
    __tsan_destroy_fiber(inner_.fiber);  // with the calls that it thinks it is in
    inner_.fiber = __tsan_create_fiber(0);
#endif
  }

 private:
  struct ExceptionGlobals {
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };
  struct Side {
    ucontext_t registers{};
    void* bottom = nullptr;  // ASan's, and of `inner_` everybody's
    std::size_t size = 0;
    void* fake_stack = nullptr;
    void* fiber = nullptr;  // TSan's
  };
  static constexpr std::size_t size = std::size_t{256} << 10;

  static ExceptionGlobals& exceptions() {
    return *reinterpret_cast<ExceptionGlobals*>(__cxxabiv1::__cxa_get_globals());
  }

  // Begins on one stack and ends on it later, with another between: no sanitizer may count it as one call.
  __attribute__((noinline, no_sanitize("address", "thread"))) void go(Side& from, Side& to) {
    const ExceptionGlobals mine = exceptions();
#ifdef SCOPECHECK_STACKFUL_ASAN
    const bool for_good = gives_back_ && &from == &inner_;
    __sanitizer_start_switch_fiber(for_good ? nullptr : &from.fake_stack, to.bottom, to.size);
#endif
#ifdef SCOPECHECK_STACKFUL_TSAN
    __tsan_switch_to_fiber(to.fiber, 0);
#endif
    ::swapcontext(&from.registers, &to.registers);
    arrive(from, to);
    exceptions() = mine;
  }
  __attribute__((no_sanitize("address", "thread"))) static void arrive([[maybe_unused]] Side& here,
                                                                       [[maybe_unused]] Side& there) {
#ifdef SCOPECHECK_STACKFUL_ASAN
    const void* bottom = nullptr;
    __sanitizer_finish_switch_fiber(here.fake_stack, &bottom, &there.size);
    there.bottom = const_cast<void*>(bottom);
#endif
  }
  __attribute__((no_sanitize("address", "thread"))) static void begin() {
    Stack& self = *entering_;
    arrive(self.inner_, self.outer_);
    exceptions() = {};
    self.body_(self.data_);
    self.leave();
    __builtin_unreachable();
  }

  Side inner_;
  Side outer_;
  void (*body_)(void*) noexcept = nullptr;
  void* data_ = nullptr;
  bool used_ = false;
  [[maybe_unused]] bool gives_back_ = false;
  static inline Stack* entering_ = nullptr;
};

/// The stacks of one runtime: each is one coroutine's, and after its end nobody's until the next runtime
/// begins.
class Stacks {
 public:
  /// Requires: no other runtime of this thread uses stacks.
  Stacks() {
    while (used_ > 0) all()[--used_]->wipe();
  }
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  [[nodiscard]] Stack& take() {
    if (used_ == all().size()) all().push_back(new Stack());
    return *all()[used_++];
  }

 private:
  /// For as long as the process: at its exit somebody may stand on one.
  static std::vector<Stack*>& all() {
    static auto* const all = new std::vector<Stack*>;
    return *all;
  }
  static inline std::size_t used_ = 0;
};

/// A block of the client's on a stack. Pinned.
class Coroutine {
 public:
  struct Unwound {};  ///< what `suspend` throws where the coroutine is being destroyed

  Coroutine(Stacks& stacks, kit::Body body) : stack_(stacks.take()), body_(body) {
    stack_.prepare([](void* self) noexcept { static_cast<Coroutine*>(self)->run(); }, this);
  }
  Coroutine(const Coroutine&) = delete;
  Coroutine& operator=(const Coroutine&) = delete;
  ~Coroutine() {
    if (!begun_ || ended_) return;
    unwinds_ = true;
    stack_.enter();
  }

  /// Runs the body until it suspends or ends. Errors: throws what the body threw. Not to be called after its
  /// end.
  kit::Poll resume() {
    begun_ = true;
    stack_.enter();
    if (panic_ != nullptr) std::rethrow_exception(std::exchange(panic_, nullptr));
    return ended_ ? kit::Poll::ready : kit::Poll::pending;
  }
  /// Requires: the body runs. Errors: throws Unwound where it must end.
  void suspend() {
    if (!unwinds_) stack_.leave();
    if (unwinds_) throw Unwound{};
  }

 private:
  void run() noexcept {
    try {
      body_();
    } catch (...) {
      panic_ = std::current_exception();
    }
    ended_ = true;
  }

  Stack& stack_;
  kit::Body body_;
  std::exception_ptr panic_;
  bool begun_ = false;
  bool ended_ = false;
  bool unwinds_ = false;
};

}  // namespace scopecheck::platform
