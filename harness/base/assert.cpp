#include "harness/base/assert.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace scopecheck::base {
namespace {

std::atomic<bool> failed{false};

}  // namespace

bool assertion_has_failed() noexcept { return failed.load(); }

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  failed.store(true);
  std::fprintf(stderr, "scopecheck: internal error: %s (%s:%d). Please report this.\n", expression, file,
               line);
  std::abort();
}

}  // namespace scopecheck::base
