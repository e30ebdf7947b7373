// The scopecheck program: what is typed, and which command that is.
#include "harness/campaign/runner.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/select.hpp"
#include "harness/scenario/text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

namespace {

constexpr const char* about =
    "ScopeCheck finds out by machine whether a scoped-spawn implementation is sound:\n"
    "can a client that a borrow checker accepts make a child touch memory after its scope ended?";

constexpr const char* examples = R"(Examples:
  scopecheck check                          every design, the default bound
  scopecheck check stacked_in_scope -v      one, with the detection table of this build
  scopecheck check heap_spawn --ops 8 -j2   deeper
  scopecheck list                           what can be checked, and what its clients may do
  scopecheck replay --impl stacked_in_scope -e 'cell x; spawn t0 borrow mut x { write x } as h0 boxed; forget h0'
  scopecheck replay bug.scn --witness asan --times 1000
  scopecheck explain bug.scn                the lifeline picture
  scopecheck explain bug.scn --as rust      the same client in safe Rust
Exit codes: 0 as expected, 1 a verdict differs from the expectation, 2 usage, 3 harness error.)";

void scenario_options(CLI::App& command, scopecheck::cli::ScenarioArguments& arguments) {
  auto* file =
      command.add_option("FILE", arguments.file, "a scenario in text form (.scn); - reads standard input");
  command.add_option("-e", arguments.text, "the scenario itself, ops separated by `;`")->excludes(file);
  command.add_option("--impl", arguments.implementation,
                     "the implementation; default: what the file's `# impl:` line names");
  command.add_option("--flavour", arguments.flavour, "one of its flavours; default: the first");
  command.add_option("--discipline", arguments.discipline, "which clients are allowed; default: safe")
      ->check(CLI::IsMember({"safe", "documented", "no-leak"}));
}

/// "check" for "chekc"; "" when the first word is near to no command.
std::string suggested_command(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> names;
  for (const CLI::App* command :
       app.get_subcommands([](const CLI::App* c) { return !c->get_group().empty(); }))
    names.push_back(command->get_name());
  return argc < 2 || *argv[1] == '-' ? "" : scopecheck::scenario::nearest(argv[1], names);
}

int run(int argc, char** argv) {
  using namespace scopecheck;
  CLI::App app{about, "scopecheck"};
  app.footer(examples);
  app.set_version_flag("--version", "scopecheck 0.1.0");
  app.require_subcommand(0, 1);

  bool list_json = false;
  auto* list = app.add_subcommand(
      "list", "implementations, flavours, shape, and what their API offers to safe clients");
  list->add_flag("--json", list_json, "as a JSON array");

  cli::CheckArguments check_arguments;
  auto* check = app.add_subcommand("check", "check implementations and print the verdict table");
  check->add_option("NAME", check_arguments.names, "implementations; default: all that `list` shows");
  check
      ->add_option(
          "--ops", check_arguments.ops,
          "exhaustive bound, in ops; default: as deep as about 18 million scenarios allow, at most 8")
      ->check(CLI::Range(1, 12));
  check->add_option("--random", check_arguments.random, "random scenarios of 9 to 40 ops beyond it")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000'000'000}))
      ->capture_default_str();
  check->add_option("--seed", check_arguments.seed, "seed of the random ones")->capture_default_str();
  check->add_option("--seconds", check_arguments.seconds, "time limit for the whole check; 0: none")
      ->check(CLI::NonNegativeNumber);
  check
      ->add_option("--discipline", check_arguments.discipline,
                   "which clients are allowed; `all` checks each under every one that differs")
      ->check(CLI::IsMember({"safe", "documented", "no-leak", "all"}))
      ->capture_default_str();
  check->add_option("--json", check_arguments.json, "also write the results to this file");
  check->add_option("-j,--jobs", check_arguments.runners, "runner processes; default: one per processor")
      ->check(CLI::Range(1, 256));
  check->add_flag("-v,--verbose", check_arguments.verbose, "also print the detection table of this build");
  check->add_flag("-q,--quiet", check_arguments.quiet, "no progress");

  cli::ScenarioArguments scenario_arguments;
  auto* replay = app.add_subcommand("replay", "run one scenario and say what happened");
  scenario_options(*replay, scenario_arguments);
  replay
      ->add_option("--witness", scenario_arguments.witness,
                   "who watches: the ledger alone, or ASan with the real access")
      ->check(CLI::IsMember({"ledger", "asan"}))
      ->capture_default_str();
  replay
      ->add_option("--times", scenario_arguments.times, "how often; says whether all ledgers were identical")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  auto* explain = app.add_subcommand("explain", "draw the lifelines of one scenario");
  scenario_options(*explain, scenario_arguments);
  explain
      ->add_option("--as", scenario_arguments.as,
                   "the lifeline picture of its run, or the client as one self-contained file of safe Rust")
      ->check(CLI::IsMember({"lifeline", "rust"}))
      ->capture_default_str();
  auto* shrink = app.add_subcommand("shrink", "print the smallest scenario with the same finding");
  scenario_options(*shrink, scenario_arguments);
  auto* selftest =
      app.add_subcommand("selftest", "prove that this build notices what it must: the detection table");

  int runner_fd = -1;
  auto* runner = app.add_subcommand("runner", "")->group("");  // what `check` starts
  runner->add_option("--fd", runner_fd)->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    if (code == 0) return cli::exit_ok;
    if (app.get_subcommands().empty())
      if (const std::string near = suggested_command(app, argc, argv); !near.empty() && near != argv[1])
        fmt::print(stderr, "Did you mean '{}'?\n", near);
    return cli::exit_usage;
  }
  if (*runner) return campaign::runner_main(runner_fd);
  if (*list) return cli::list(list_json);
  if (*check) return cli::check(check_arguments);
  if (*replay) return cli::replay(scenario_arguments);
  if (*explain) return cli::explain(scenario_arguments);
  if (*shrink) return cli::shrink(scenario_arguments);
  if (*selftest) return cli::selftest();
  fmt::print("{}", app.help());
  return cli::exit_ok;
}

}  // namespace

int main(int argc, char** argv) {
  int code = scopecheck::cli::exit_harness;
  try {
    code = run(argc, argv);
  } catch (const std::system_error& error) {  // fmt's, when the output takes no more
    scopecheck::cli::complain(error.what());
    return scopecheck::cli::exit_harness;
  }
  // What was still held back may meet a full disk, too. CLI11 writes its help to std::cout.
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0 && std::cout.flush().good();
  if (flushed && std::ferror(stdout) == 0) return code;
  scopecheck::cli::complain(std::string("cannot write the output") +
                            (errno != 0 ? std::string(": ") + std::strerror(errno) : ""));
  return scopecheck::cli::exit_harness;
}
