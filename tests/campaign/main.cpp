// This folder's test program is also its own runner: supervisors under test start it as `runner --fd N`.
#include "tests/campaign/fake_loop.hpp"
#include "tests/campaign/fake_witness.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

namespace {

scopecheck::campaign::Loop chosen_loop() {
  const char* const name = std::getenv("SCOPECHECK_TEST_FAKE_LOOP");
  if (name == nullptr) return scopecheck::campaign::run_job;
  const auto witness = scopecheck::tests::loop_of_witness(name);
  return witness != nullptr ? witness : scopecheck::tests::fake_loop;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "runner")
    return scopecheck::campaign::runner_main(std::atoi(argv[3]), chosen_loop());
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
