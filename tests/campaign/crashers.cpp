// Implementations that are sound but for what their handles do when they are destroyed: one way to end or
// harm the process each, and one real late use, which must not be taken for one another.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <unistd.h>

namespace scopecheck::tests {
namespace {

enum class Way {
  null_store,
  divide,
  overflow_stack,
  double_free,
  exit_86,
  exit_0,
  overflow_heap,
  use_after_free,
  forks
};

volatile int zero = 0;
volatile int top = 7;  // a constant would be divided without an instruction that traps
int* volatile nowhere = nullptr;

[[gnu::noinline]] int deep(volatile int* above) {
  volatile int here[256] = {*above};
  if (here[0] != 0) return 0;  // never: it is deeper than any stack
  return deep(here) + here[1];
}

[[gnu::noinline]] void go(Way way) {
  switch (way) {
    case Way::null_store:
      *nowhere = 1;
      break;
    case Way::divide:
      zero = top / zero;
      break;
    case Way::overflow_stack: {
      volatile int first = 0;
      zero = deep(&first);
      break;
    }
    case Way::double_free: {
      void* volatile block = std::malloc(24);
      std::free(block);
      std::free(block);
      break;
    }
    case Way::exit_86:
      ::_exit(86);
    case Way::exit_0:
      std::exit(0);
    case Way::overflow_heap: {
      volatile char* volatile block = static_cast<char*>(std::malloc(24));
      block[24] = 1;
      std::free(const_cast<char*>(block));
      break;
    }
    case Way::use_after_free: {
      volatile char* volatile block = static_cast<char*>(std::malloc(24));
      std::free(const_cast<char*>(block));
      block[0] = 1;
      break;
    }
    case Way::forks:
      if (::fork() == 0)
        for (;;) ::pause();
      break;
  }
}

template <Way W>
constexpr const char* name_of() {
  constexpr const char* names[] = {"crash_null_store",    "crash_divide",         "crash_overflow_stack",
                                   "crash_double_free",   "crash_exit_86",        "crash_exit_0",
                                   "crash_overflow_heap", "crash_use_after_free", "crash_forks"};
  return names[static_cast<int>(W)];
}

template <Way W>
struct Crasher {
  static constexpr kit::Description description = platform::handle_canary(
      name_of<W>(), "ends as its name says when a handle is destroyed", SCOPECHECK_PROGRESS_RUN, {});

  class Handle {
   public:
    Handle(platform::HeapExecutor& executor, kit::Child child) : task_(executor.start(std::move(child))) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      task_->forsake();
      task_->cancel();
      go(W);
    }
    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return task_->completion().poll(waker); }

   private:
    platform::TaskRef task_;
  };

  struct Runtime : platform::HeapExecutor {
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
  };
};

using NullStore = Crasher<Way::null_store>;
using Divide = Crasher<Way::divide>;
using OverflowStack = Crasher<Way::overflow_stack>;
using DoubleFree = Crasher<Way::double_free>;
using Exit86 = Crasher<Way::exit_86>;
using Exit0 = Crasher<Way::exit_0>;
using OverflowHeap = Crasher<Way::overflow_heap>;
using UseAfterFree = Crasher<Way::use_after_free>;
using Forks = Crasher<Way::forks>;
SCOPECHECK_REGISTER(NullStore);
SCOPECHECK_REGISTER(Divide);
SCOPECHECK_REGISTER(OverflowStack);
SCOPECHECK_REGISTER(DoubleFree);
SCOPECHECK_REGISTER(Exit86);
SCOPECHECK_REGISTER(Exit0);
SCOPECHECK_REGISTER(OverflowHeap);
SCOPECHECK_REGISTER(UseAfterFree);
SCOPECHECK_REGISTER(Forks);

}  // namespace
}  // namespace scopecheck::tests
