// The body of the fuzz targets that run scenarios: from an engine's bytes to one judged run, in this process.
// Knows no engine: libFuzzer, AFL++ and a plain main that replays files all call run().
//
//   bytes --> scenario --> machine, with the real access --> ledger --> states as counters
//                                                              |
//             ASan, or the judge where ASan has no say --------+--> report on stderr, then the process dies
#pragma once

#include "harness/generator/mutate.hpp"
#include "harness/interpreter/machine.hpp"
#include "harness/verdict/oracles.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scopecheck::fuzz {

/// What a target does, from the words of the environment variable SCOPECHECK_FUZZ, separated by commas:
/// `documented` or `no-leak` (the discipline; default safe), `flavour=NAME`, `no-mutator` (bytes instead of
/// scenarios are mutated), `no-counters` (ledger states do not guide the search).
struct TargetOptions {
  scenario::Discipline discipline = scenario::Discipline::safe;
  std::string flavour;
  bool mutator = true;
  bool counters = true;
  /// File that remembers which scenarios ended a process (environment variable SCOPECHECK_FUZZ_LEFT): the
  /// next one passes them over, or it would end where the last one did.
  std::string left;

  /// Errors: ends the process with a sentence on an unknown word.
  [[nodiscard]] static TargetOptions from_environment();
};

/// One implementation under an engine. Threads: one, the one that calls run().
class ScenarioTarget {
 public:
  /// Requires: `name` is registered. Errors: ends the process with a sentence when it is not, or its table
  /// contradicts itself.
  ScenarioTarget(std::string_view name, const TargetOptions& options);
  ~ScenarioTarget();
  ScenarioTarget(const ScenarioTarget&) = delete;
  ScenarioTarget& operator=(const ScenarioTarget&) = delete;

  /// Runs and judges one input. Ensures: returns 0 when nothing is wrong; the process dies, after a report on
  /// stderr, when the implementation is at fault. Ends the process (code 0) when what the clients leaked has
  /// filled its memory, and when threads of the implementation cannot be left behind.
  int run(std::span<const std::uint8_t> bytes);

  /// libFuzzer's custom mutator and crossover. Tolerates sizes that are not those of the data's last use
  /// (https://github.com/llvm/llvm-project/issues/149942): any bytes are an input.
  std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);
  std::size_t cross(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
                    std::span<std::uint8_t> out, unsigned seed);

  /// What the bytes say: in `into`, unless it is there already.
  const scenario::Scenario& read(std::span<const std::uint8_t> bytes, scenario::Scenario& into) const;
  /// Says what is wrong with the present run, as far as it got. `of_ended_memory`: a sanitizer reported, and
  /// that it was about memory that had ended.
  void explain(bool of_ended_memory) const;

 private:
  void examine();
  [[noreturn]] void die() const;
  void leave_when_full() const;
  [[noreturn]] void leave_unreturned(interpreter::Outcome outcome);
  [[noreturn]] void leave(std::string_view why) const;
  void say_states();
  std::size_t write(const scenario::Scenario& scenario, std::span<std::uint8_t> out);

  interpreter::Implementation implementation_;
  TargetOptions options_;
  scenario::Offers offers_;
  scenario::Bounds bounds_;
  std::unique_ptr<ledger::Ledger> ledger_;
  interpreter::Machine machine_;
  generator::Mutator mutator_;
  verdict::Promises promises_;
  scenario::Scenario scenario_, read_, second_read_;
  std::vector<std::uint64_t> left_;  // hashes of the scenarios in TargetOptions::left
  // An engine runs what it just had mutated, and mutates that again: it need not be read a second time.
  std::vector<std::uint8_t> written_;
  scenario::Scenario written_scenario_;
  std::uint64_t runs_ = 0;
  std::size_t states_said_ = 0;
};

/// The target of this process: made at the first call.
[[nodiscard]] ScenarioTarget& scenario_target(std::string_view name);

}  // namespace scopecheck::fuzz
