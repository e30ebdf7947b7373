// The commands of the program, one function each, after their arguments were parsed. They return exit
// codes: 0 as expected, 1 a verdict differs from the expectation, 2 usage, 3 harness error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace scopecheck::cli {

inline constexpr int exit_ok = 0;
inline constexpr int exit_differs = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_harness = 3;

struct CheckArguments {
  std::vector<std::string> names;
  std::string flavour;  ///< "": all
  std::optional<unsigned> ops;
  std::optional<std::uint64_t> random;
  std::uint64_t seed = 1;
  double seconds = 0;
  std::string scheduler;  ///< "": by the pass
  unsigned pct_depth = 3;
  bool stress = false;
  std::string discipline = "safe";
  std::string json;
  unsigned runners = 0;  ///< 0: one per processor
  bool verbose = false;
  bool quiet = false;
};

/// Where a scenario comes from, and what it is for.
struct ScenarioArguments {
  std::string file;  ///< "-": standard input
  std::string text;  ///< -e
  std::string implementation;
  std::string flavour;
  std::string discipline;
  std::string witness = "ledger";
  std::uint64_t times = 1;
  bool stress = false;
  std::string as = "lifeline";  ///< explain: what to draw it as
};

int list(bool json);
/// The table of ops as docs/ops.md has it.
int list_ops();
int check(const CheckArguments& arguments);
int replay(const ScenarioArguments& arguments);
int explain(const ScenarioArguments& arguments);
int shrink(const ScenarioArguments& arguments);
int selftest();

}  // namespace scopecheck::cli
