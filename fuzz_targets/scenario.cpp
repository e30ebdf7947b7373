// Scenarios against one implementation, in this process: ASan, or the judge, reports what it finds. Built
// once per implementation by scopecheck_add_fuzz_target (cmake/checks.cmake).
#include "harness/fuzz/engine.hpp"
#include "harness/fuzz/scenario_target.hpp"

static scopecheck::fuzz::ScenarioTarget& target() {
  return scopecheck::fuzz::scenario_target(SCOPECHECK_FUZZ_IMPLEMENTATION);
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  scopecheck::fuzz::add_default_flags(argc, argv);
  return 0;
}
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return target().run({data, size});
}
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  return target().mutate(data, size, max_size, seed);
}
extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* a, std::size_t a_size,
                                                 const std::uint8_t* b, std::size_t b_size, std::uint8_t* out,
                                                 std::size_t max_size, unsigned seed) {
  return target().cross({a, a_size}, {b, b_size}, {out, max_size}, seed);
}
