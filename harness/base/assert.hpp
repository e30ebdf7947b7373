// Assertions for programmer errors: always on, in every build. Operating errors are values.
#pragma once

namespace scopecheck::base {

/// Prints the failed expression and aborts. Threads: any.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;
/// Whether an assertion has failed: tells its abort() from an implementation's. Async-signal-safe.
[[nodiscard]] bool assertion_has_failed() noexcept;

}  // namespace scopecheck::base

#define SCOPECHECK_ASSERT(expression)                   \
  (static_cast<bool>(expression) ? static_cast<void>(0) \
                                 : ::scopecheck::base::assertion_failed(#expression, __FILE__, __LINE__))
