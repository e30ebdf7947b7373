#include "tests/support/tsan.hpp"

namespace scopecheck::tests::tsan {

std::atomic<bool> expected = false;
std::atomic<std::size_t> heard = 0;

}  // namespace scopecheck::tests::tsan

#ifdef SCOPECHECK_UNDER_TSAN
namespace {
std::atomic<std::size_t> unexpected = 0;
}
// The runtime's own definitions are weak.
extern "C" __attribute__((no_sanitize("thread"), used)) const char* __tsan_default_options() {
  return "suppress_equal_stacks=0:history_size=7";
}
extern "C" __attribute__((no_sanitize("thread"), used)) void __tsan_on_report(void* /*report*/) {
  ++scopecheck::tests::tsan::heard;
  if (!scopecheck::tests::tsan::expected) ++unexpected;
}
namespace __tsan {
__attribute__((no_sanitize("thread"), used)) bool OnFinalize(bool /*failed*/) { return unexpected != 0; }
}  // namespace __tsan
#endif
