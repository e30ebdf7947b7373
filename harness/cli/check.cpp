#include "harness/campaign/check.hpp"

#include "harness/campaign/stress.hpp"
#include "harness/campaign/supervisor.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/select.hpp"
#include "harness/report/file.hpp"
#include "harness/report/json.hpp"
#include "harness/report/progress.hpp"
#include "harness/report/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <expected>
#include <string>
#include <thread>
#include <unistd.h>

namespace scopecheck::cli {
namespace {

using scenario::Discipline;

struct Work {
  interpreter::Implementation implementation;
  Discipline discipline;
};

std::vector<Work> work_for(const std::vector<interpreter::Implementation>& implementations,
                           const std::string& discipline) {
  std::vector<Work> list;
  for (const interpreter::Implementation& implementation : implementations) {
    if (discipline != "all") {
      list.push_back({implementation, discipline_of(discipline)});
      continue;
    }
    const scenario::Offers safe = interpreter::offers_of(implementation, Discipline::safe);
    for (const Discipline d : {Discipline::safe, Discipline::documented, Discipline::no_leak})
      if (d == Discipline::safe || !(interpreter::offers_of(implementation, d) == safe))
        list.push_back({implementation, d});
  }
  return list;
}

void print_gate(const campaign::Gate& gate) {
  fmt::print("Detection table of this build:\n");
  fmt::print("  {:<8} {:<32} {:<30} {:<24} {}\n", "witness", "planted", "where the memory is",
             "what uses it late", "");
  for (const campaign::GateRow& row : gate.rows)
    fmt::print("  {:<8} {:<32} {:<30} {:<24} {}{}\n", campaign::to_string(row.planted->witness),
               row.planted->implementation, row.planted->place, row.planted->carrier,
               !row.caught          ? "BLIND: "
               : row.planted->finds ? "caught"
                                    : "silent, as it must be",
               row.detail.empty() ? ""
               : row.caught       ? " (" + row.detail + ")"
                                  : row.detail);
  fmt::print("\n");
}

schedule::Policy policy_of(std::string_view name) {
  const auto found = std::ranges::find(schedule::policy_names, name);
  return static_cast<schedule::Policy>(found - schedule::policy_names.begin());
}

}  // namespace

int selftest() {
  const campaign::StopOnSignals signals;
  const campaign::Programs programs = campaign::find_programs(own_executable());
  const campaign::Gate gate = campaign::run_gate(programs);
  print_gate(gate);
  const std::string failure = gate.first_failure();
  if (failure.empty()) {
    fmt::print("Every planted defect was caught, and the sound twins were not reported.\n");
    return exit_ok;
  }
  fmt::print("{}\n", failure);
  return exit_harness;
}

int check(const CheckArguments& arguments) {
  const auto implementations = select(arguments.names, arguments.flavour);
  if (!implementations) {
    complain(implementations.error());
    return exit_usage;
  }
  if (!arguments.json.empty())  // better now than after an hour
    if (const auto writable = report::may_write(arguments.json); !writable) {
      complain(writable.error());
      return exit_usage;
    }
  const campaign::StopOnSignals signals;
  const campaign::Programs programs = campaign::find_programs(own_executable());
  const campaign::Gate gate = campaign::run_gate(programs);
  if (arguments.verbose) print_gate(gate);

  report::Progress progress(STDERR_FILENO, !arguments.quiet);
  campaign::CheckOptions options;
  if (arguments.ops) options.ops = static_cast<std::uint8_t>(*arguments.ops);
  options.random = arguments.random;
  options.seed = arguments.seed;
  options.runners =
      arguments.runners != 0 ? arguments.runners : std::max(1u, std::thread::hardware_concurrency());
  if (!arguments.scheduler.empty())
    options.policy =
        arguments.scheduler == "exhaustive" ? schedule::Policy::lowest : policy_of(arguments.scheduler);
  options.pct_depth = static_cast<std::uint8_t>(arguments.pct_depth);
  options.programs = programs;
  if (const char* typed = std::getenv("SCOPECHECK_COMMAND"); typed != nullptr && *typed != '\0')
    options.replay_command = std::string(typed) + " replay";
  options.style = report::detect_style(STDOUT_FILENO);
  options.begin_pass = [&] { progress.restart(); };
  options.progress = [&](const report::Standing& standing) { progress.update(standing); };

  const std::vector<Work> list = work_for(*implementations, arguments.discipline);
  std::vector<campaign::Witness> watchers;
  for (const campaign::Witness witness : {campaign::Witness::asan, campaign::Witness::tsan})
    if (programs.has(witness)) watchers.push_back(witness);
  if (arguments.stress && watchers.empty()) {
    complain(programs.missing(campaign::Witness::asan));
    return exit_harness;
  }
  std::vector<report::Result> results;
  const auto begun = std::chrono::steady_clock::now();
  bool interrupted = false;
  for (std::size_t i = 0; i < list.size() && !interrupted; ++i) {
    if (arguments.seconds > 0) {  // what is left, shared fairly
      const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
      options.seconds = std::max(0.1, (arguments.seconds - spent) / static_cast<double>(list.size() - i));
    }
    if (arguments.stress && arguments.seconds <= 0) options.seconds = 60;
    campaign::Checked checked =
        arguments.stress ? campaign::stress(list[i].implementation, list[i].discipline, options, watchers)
                         : campaign::check(list[i].implementation, list[i].discipline, options, gate);
    results.push_back(std::move(checked.result));
    interrupted = checked.interrupted;
  }
  progress.clear();

  // First: a standard output that takes no more must not cost the file.
  std::expected<void, std::string> written;
  if (!arguments.json.empty()) written = report::write_json(arguments.json, results, interrupted);
  if (arguments.verbose) fmt::print("{}\n", report::trilemma_clients(results, options.style));
  fmt::print("{}", report::report(results, options.style));
  if (interrupted)
    fmt::print("Interrupted: {} of {} checks were begun; the last one is incomplete.\n", results.size(),
               list.size());
  std::fflush(stdout);
  int code = exit_ok;
  for (const report::Result& result : results) {
    if (result.as_expected() == false) code = std::max(code, exit_differs);
    if (result.verdict == report::Verdict::error) code = exit_harness;
  }
  if (!written) {
    complain(written.error());
    return exit_harness;
  }
  return interrupted ? std::max(code, exit_differs) : code;  // not every verdict that was asked for is there
}

}  // namespace scopecheck::cli
