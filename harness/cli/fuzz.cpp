#include "harness/campaign/fuzzing.hpp"
#include "harness/campaign/sanitizer.hpp"
#include "harness/campaign/supervisor.hpp"
#include "harness/cli/fuzzing.hpp"
#include "harness/cli/select.hpp"
#include "harness/report/file.hpp"
#include "harness/report/progress.hpp"
#include "harness/report/table.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <unistd.h>

namespace scopecheck::cli {
namespace {

/// One of the implementation's flavours by name; the first when none is asked for.
std::expected<interpreter::Implementation, std::string> flavour_of(const std::string& name,
                                                                   const std::string& flavour) {
  const auto all = select({name}, flavour);
  if (!all) return std::unexpected(all.error());
  return all->front();
}

std::string as_json(const FuzzArguments& arguments, const campaign::Fuzzed& fuzzed) {
  nlohmann::ordered_json json;
  json["implementation"] = arguments.implementation;
  json["discipline"] = arguments.discipline;
  json["engine"] = arguments.engine;
  json["seconds"] = fuzzed.status.seconds;
  json["executions"] = fuzzed.status.executions;
  json["corpus_before"] = fuzzed.corpus_before;
  json["corpus_after"] = fuzzed.status.corpus;
  json["ledger_states"] = fuzzed.status.states;
  json["error"] = fuzzed.error;
  json["interrupted"] = fuzzed.interrupted;
  json["findings"] = nlohmann::ordered_json::array();
  for (const campaign::FuzzFinding& finding : fuzzed.findings)
    json["findings"].push_back({{"signature", finding.signature},
                                {"file", finding.file.string()},
                                {"ops", finding.scenario.cost()},
                                {"reproduced", finding.reproduced},
                                {"detail", finding.detail}});
  return json.dump(2) + "\n";
}

}  // namespace

int fuzz(const FuzzArguments& arguments) {
  const auto implementation = flavour_of(arguments.implementation, arguments.flavour);
  if (!implementation) {
    complain(implementation.error());
    return exit_usage;
  }
  const auto engine = arguments.engine == "afl" ? campaign::FuzzEngine::afl : campaign::FuzzEngine::libfuzzer;
  if (engine == campaign::FuzzEngine::afl && ::access("/usr/bin/afl-fuzz", X_OK) != 0) {
    complain("afl-fuzz is not installed; on Debian: apt-get install afl++");
    return exit_harness;
  }
  const auto target = campaign::fuzz_target(arguments.implementation, engine);
  if (!target) {
    complain(target.error());
    return exit_harness;
  }
  const scenario::Discipline discipline = discipline_of(arguments.discipline);
  const scenario::Offers offers = interpreter::offers_of(*implementation, discipline);
  const campaign::Programs programs = campaign::find_programs(own_executable());
  const campaign::Confirmer confirmer{*implementation, discipline, offers, programs};

  report::Progress progress(STDERR_FILENO, !arguments.quiet);
  campaign::FuzzOptions options;
  options.engine = engine;
  options.target = *target;
  options.output = !arguments.output.empty() ? arguments.output : "fuzz-" + arguments.implementation;
  for (const std::string& folder : arguments.inputs) options.inputs.emplace_back(folder);
  options.seconds = arguments.seconds;
  options.engines = arguments.engines;
  options.go_on = arguments.go_on;
  options.seed = arguments.seed;
  options.progress = [&](const campaign::FuzzStatus& status) {
    progress.update(
        {.what = fmt::format("{}  corpus {}, {} ledger states{}{}", arguments.implementation, status.corpus,
                             status.states, status.newest.empty() ? "" : ", newest ", status.newest),
         .done = status.executions,
         .findings = status.found,
         .time_limit_seconds = arguments.seconds});
  };
  const campaign::StopOnSignals signals;
  const campaign::Fuzzed fuzzed = campaign::fuzz(confirmer, options);
  progress.clear();

  fmt::print("{} under {}: {} executions in {}, {} inputs kept in {}, {} ledger states\n",
             arguments.implementation, arguments.discipline, report::count_in_words(fuzzed.status.executions),
             report::duration_in_words(fuzzed.status.seconds), fuzzed.status.corpus,
             (options.output / "corpus").string(), fuzzed.status.states);
  const char* const typed = std::getenv("SCOPECHECK_COMMAND");
  for (const campaign::FuzzFinding& finding : fuzzed.findings) {
    fmt::print("\n{}{}\n  {}\n  written to {}\n", finding.signature,
               finding.reproduced ? "" : " (" + finding.detail + ")",
               report::scenario_in_one_line(scenario::to_text(finding.scenario)), finding.file.string());
    if (finding.reproduced)
      fmt::print("  see it again: {} replay {}\n", typed != nullptr ? typed : "scopecheck",
                 finding.file.string());
  }
  if (fuzzed.findings.empty() && fuzzed.error.empty()) fmt::print("no finding\n");
  if (fuzzed.interrupted) fmt::print("interrupted\n");
  if (!arguments.json.empty())
    if (const auto written = report::write_file(arguments.json, as_json(arguments, fuzzed)); !written) {
      complain(written.error());
      return exit_harness;
    }
  if (!fuzzed.error.empty()) {
    complain(fuzzed.error);
    return exit_harness;
  }
  const bool expected =
      interpreter::expects_unsound(*implementation->plugin, implementation->flavour, discipline);
  return fuzzed.findings.empty() || expected ? exit_ok : exit_differs;
}

}  // namespace scopecheck::cli
