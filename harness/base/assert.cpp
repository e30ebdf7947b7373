#include "harness/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace scopecheck::base {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "scopecheck: internal error: %s (%s:%d). Please report this.\n", expression, file,
               line);
  std::abort();
}

}  // namespace scopecheck::base
