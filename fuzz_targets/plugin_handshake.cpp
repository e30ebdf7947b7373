// Loading a plugin: whatever its table says, the harness refuses it with a sentence or takes it, and never
// trusts it.
#include "harness/fuzz/handshake.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  scopecheck::fuzz::check_handshake({data, size});
  return 0;
}
