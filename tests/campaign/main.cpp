// This folder's test program is also its own runner: supervisors under test start it as `runner --fd N`.
#include "tests/campaign/fake_loop.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "runner") {
    const bool fake = std::getenv("SCOPECHECK_TEST_FAKE_LOOP") != nullptr;
    return scopecheck::campaign::runner_main(
        std::atoi(argv[3]), fake ? scopecheck::tests::fake_loop : scopecheck::campaign::run_job);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
