// The byte forms: whatever the bytes, the decoders give a well-formed scenario, and it has bytes of its own.
#include "harness/fuzz/byte_forms.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  scopecheck::fuzz::check_byte_forms({data, size});
  return 0;
}
