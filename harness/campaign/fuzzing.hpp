// A fuzzing session: starts engines on a target, reads their progress, keeps their corpus, and turns what
// they find into shrunk scenarios.
//
//   output/corpus/*.scn   kept inputs, as text: whole files only, read by the next session
//   output/*.scn          shrunk counterexamples, ready for corpus/regressions
//   output/running/       what engines write while they run; taken over into corpus/ when they end, or by the
//                         next session when this one was killed
//
// Engines run in processes of their own, which die with the calling thread.
#pragma once

#include "harness/campaign/confirm.hpp"

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace scopecheck::campaign {

enum class FuzzEngine : std::uint8_t { libfuzzer, afl };

struct FuzzStatus {
  std::uint64_t executions = 0;
  double seconds = 0;
  std::uint64_t corpus = 0;
  std::uint64_t states = 0;  ///< ledger states reached, by the engine that reached most
  std::uint64_t found = 0;
  std::string newest;  ///< signature of the newest finding
};

struct FuzzOptions {
  FuzzEngine engine = FuzzEngine::libfuzzer;
  std::filesystem::path target;               ///< the fuzz target, built for the engine
  std::filesystem::path output;               ///< made when it is not there
  std::vector<std::filesystem::path> inputs;  ///< more folders with inputs, only read
  double seconds = 60;
  unsigned engines = 1;    ///< processes
  bool go_on = false;      ///< after the first finding
  std::uint64_t seed = 0;  ///< 0: another one each time
  std::function<void(const FuzzStatus&)> progress;
};

struct FuzzFinding {
  std::string signature;
  std::filesystem::path file;  ///< the shrunk scenario
  scenario::Scenario scenario;
  bool reproduced = true;  ///< otherwise seen by the engine alone, whatever was tried
  std::string detail;      ///< not reproduced: what was tried
};

struct Fuzzed {
  FuzzStatus status;
  std::vector<FuzzFinding> findings;  ///< one per signature
  std::size_t corpus_before = 0;      ///< inputs kept by earlier sessions
  std::string error;                  ///< why it ended early; "" otherwise
  bool interrupted = false;
};

/// Fuzzes until the time is up, something is found, or a signal comes.
/// Ensures: output/corpus holds whole files only, whatever ends the session.
[[nodiscard]] Fuzzed fuzz(const Confirmer& confirmer, const FuzzOptions& options);

/// The target of an implementation for this engine: $SCOPECHECK_FUZZ_BIN, else the build tree of the engine
/// beside this one's. Errors: where it was looked for and how to build it.
[[nodiscard]] std::expected<std::filesystem::path, std::string> fuzz_target(std::string_view implementation,
                                                                            FuzzEngine engine);

/// Reads what any engine wrote as scenarios into `corpus`, as text, and removes it. Returns how many were
/// new.
std::size_t take_over(const std::filesystem::path& written, const std::filesystem::path& corpus,
                      const std::filesystem::path& scratch, const Confirmer& confirmer);

}  // namespace scopecheck::campaign
