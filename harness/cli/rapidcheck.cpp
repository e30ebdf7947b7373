// `check --engine rapidcheck`.
#include "harness/campaign/rapidcheck.hpp"

#include "harness/campaign/check.hpp"
#include "harness/cli/fuzzing.hpp"
#include "harness/cli/select.hpp"
#include "harness/interpreter/machine.hpp"
#include "harness/report/table.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

namespace scopecheck::cli {
namespace {

/// One implementation, in a process of its own, which it may take down.
int search(const interpreter::Implementation& implementation, const CheckArguments& arguments) {
  const scenario::Discipline discipline = discipline_of(arguments.discipline);
  struct sigaction action{};
  action.sa_handler = [](int) { interpreter::Machine::abandon_as_fail_stop(); };
  action.sa_flags = SA_NODEFER;
  ::sigaction(SIGABRT, &action, nullptr);
  const campaign::RapidcheckResult result = campaign::rapidcheck(
      implementation, discipline, arguments.random.value_or(campaign::default_random), arguments.seed);
  fmt::print("{} under {}: {} scenarios, seed {}\n", implementation.name(), arguments.discipline, result.runs,
             arguments.seed);
  if (arguments.verbose)
    for (const auto& [label, count] : result.labels)
      fmt::print("  {:5.1f} %  {}\n", 100.0 * static_cast<double>(count) / static_cast<double>(result.runs),
                 label);
  if (!result.error.empty()) {
    complain(result.error);
    return exit_harness;
  }
  const bool expected =
      interpreter::expects_unsound(*implementation.plugin, implementation.flavour, discipline);
  if (!result.finding) {
    fmt::print("  no finding\n");
    return expected ? exit_differs : exit_ok;
  }
  const std::string line = report::scenario_in_one_line(scenario::to_text(result.scenario));
  fmt::print(
      "  {}, shrunk in {} steps to {} ops\n  {}\n  see it again: scopecheck replay --impl {}{} -e '{}'\n",
      verdict::to_string(result.finding->signature), result.shrinks, result.scenario.cost(), line,
      implementation.name(),
      discipline == scenario::Discipline::safe ? "" : " --discipline " + arguments.discipline, line);
  return expected ? exit_ok : exit_differs;
}

}  // namespace

int rapidcheck(const CheckArguments& arguments) {
  const auto implementations = select(arguments.names, arguments.flavour);
  if (!implementations) {
    complain(implementations.error());
    return exit_usage;
  }
  if (arguments.discipline == "all" || !arguments.json.empty() || arguments.ops) {
    complain("--engine rapidcheck takes one discipline, and neither --ops nor --json");
    return exit_usage;
  }
  int code = exit_ok;
  for (const interpreter::Implementation& implementation : *implementations) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      const int result = search(implementation, arguments);
      std::fflush(nullptr);
      ::_exit(result);
    }
    int status = 0;
    while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child < 0 || !WIFEXITED(status)) {
      complain(
          fmt::format("{} ended the process that it was run in; use another engine", implementation.name()));
      code = exit_harness;
    } else {
      code = std::max(code, WEXITSTATUS(status));
    }
  }
  return code;
}

}  // namespace scopecheck::cli
