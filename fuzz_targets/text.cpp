// The parser of .scn text: whatever it accepts, it writes and reads back as the same scenario.
#include "harness/scenario/text.hpp"

#include "harness/base/assert.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace scopecheck::scenario;
  const auto parsed = parse({reinterpret_cast<const char*>(data), size});
  if (!parsed) return 0;
  const auto again = parse(to_text(parsed->scenario));
  SCOPECHECK_ASSERT(again && again->scenario == parsed->scenario);
  return 0;
}
