// The commands about kept and generated inputs: regress, fuzz, and check with RapidCheck.
#pragma once

#include "harness/cli/commands.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace scopecheck::cli {

struct RegressArguments {
  std::string folder = "corpus/regressions";
  unsigned runners = 0;  ///< 0: one per processor
};
int regress(const RegressArguments& arguments);

struct FuzzArguments {
  std::string implementation;
  std::string flavour;
  std::string discipline = "safe";
  std::string engine = "libfuzzer";
  std::string output;               ///< default: fuzz-<implementation>
  std::vector<std::string> inputs;  ///< more folders with inputs
  std::string json;
  double seconds = 60;
  unsigned engines = 1;
  std::uint64_t seed = 0;
  bool go_on = false;
  bool quiet = false;
};
int fuzz(const FuzzArguments& arguments);

/// `check --engine rapidcheck`: a random search with RapidCheck's shrinking and statistics of what was drawn
/// (-v).
int rapidcheck(const CheckArguments& arguments);

}  // namespace scopecheck::cli
