// Two parent-driven scopes, one with a heap allocation per child and one that links them: clients see the
// same.
#include "harness/fuzz/differential.hpp"

#include "harness/fuzz/engine.hpp"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  scopecheck::fuzz::add_default_flags(argc, argv);
  return 0;
}
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static scopecheck::fuzz::View one("parent_driven");
  static scopecheck::fuzz::View other("linked_children");
  scopecheck::fuzz::check_same_view(one, other, {data, size});
  return 0;
}
