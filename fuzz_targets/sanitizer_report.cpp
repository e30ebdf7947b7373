// What reads the words of sanitizers, of dying processes and of kept files: signatures and last words.
#include "harness/base/assert.hpp"
#include "harness/campaign/runner.hpp"
#include "harness/verdict/oracles.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(scopecheck::campaign::read_last_words(text));
  static_cast<void>(scopecheck::campaign::corruption_words(text));
  static_cast<void>(scopecheck::verdict::about_ended_memory(text, size % 2 == 0));
  if (const auto signature = scopecheck::verdict::parse_signature(text))
    SCOPECHECK_ASSERT(scopecheck::verdict::parse_signature(to_string(*signature)) == signature);
  return 0;
}
