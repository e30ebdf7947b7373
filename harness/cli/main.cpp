// The scopecheck program: what is typed, and which command that is.
#include "harness/abi/names.hpp"
#include "harness/campaign/runner.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/fuzzing.hpp"
#include "harness/cli/select.hpp"
#include "harness/scenario/text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <string>
#include <system_error>
#include <unistd.h>
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
  scopecheck fuzz parent_driven --seconds 600 -j2   deeper, guided by coverage and ledger states
  scopecheck regress                        the kept counterexamples, all at once
Exit codes: 0 as expected, 1 a verdict differs from the expectation, 2 usage, 3 harness error.)";

// Examples of each command; tests/cli/help_test.sh runs them.
constexpr const char* list_examples = R"(Examples:
  scopecheck list
  scopecheck list --json
  scopecheck list --ops                     the page docs/ops.md)";

constexpr const char* check_examples = R"(Examples:
  scopecheck check --ops 3 --random 100
  scopecheck check stacked_in_scope reentrant_drain --ops 4 --random 0 --json results.json
  scopecheck check slot_nursery --seconds 5 --discipline all
  scopecheck check blocking_closure --flavour two-workers --stress --seconds 10)";

constexpr const char* replay_examples = R"(Examples:
  scopecheck replay --impl stacked_in_scope -e 'cell x; spawn t0 borrow mut x { write x } as h0 boxed; forget h0'
  scopecheck replay bug.scn --witness asan
  scopecheck replay bug.scn --times 1000)";

constexpr const char* explain_examples = R"(Examples:
  scopecheck explain --impl reentrant_drain -e 'cell x; scope s0 boxed; spawn t0 in s0 borrow mut x { write x }; forget s0'
  scopecheck explain bug.scn
  scopecheck explain bug.scn --as rust)";

constexpr const char* shrink_examples = R"(Examples:
  scopecheck shrink bug.scn > smaller.scn
  scopecheck shrink --impl stacked_in_scope -e 'cell x; cell y; spawn t0 borrow mut x { write x } as h0 boxed; read y; forget h0')";

constexpr const char* selftest_examples = R"(Examples:
  scopecheck selftest                       exit code 3 if a planted defect was missed)";

void scenario_options(CLI::App& command, scopecheck::cli::ScenarioArguments& arguments) {
  auto* file =
      command.add_option("FILE", arguments.file, "a scenario in text form (.scn); - reads standard input");
  command.add_option("-e", arguments.text, "the scenario itself, ops separated by `;`")->excludes(file);
  command.add_option("--impl", arguments.implementation,
                     "the implementation; default: what the file's `# impl:` line names");
  command.add_option("--flavour", arguments.flavour,
                     "one of its flavours; default: what the file's `# flavour:` line names, else the first");
  command
      .add_option("--discipline", arguments.discipline,
                  "which clients are allowed; default: what the file's `# discipline:` line names, else safe")
      ->check(CLI::IsMember({"safe", "documented", "no-leak"}));
}

/// "check" for "chekc"; "" when the first word is near to no command.
/// A parse error in one line, with the nearest thing that would have been understood.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  std::string what = error.what();
  while (!what.empty() && what.back() == '\n') what.pop_back();
  std::ranges::replace(what, '\n', ' ');
  const auto used = app.get_subcommands();
  const CLI::App& command = used.empty() ? app : *used.front();
  std::string wrong = what.substr(what.rfind(' ') + 1);
  std::vector<std::string> right;
  if (const std::size_t set = what.find(" not in {"); set != std::string::npos) {
    wrong = what.substr(0, set);
    wrong = wrong.substr(wrong.rfind(' ') + 1);
    std::string names = what.substr(set + 9);
    for (std::size_t end; (end = names.find_first_of(",}")) != std::string::npos; names.erase(0, end + 1))
      right.push_back(names.substr(0, end));
  } else if (wrong.starts_with("--")) {
    for (const CLI::Option* option : command.get_options())
      for (const std::string& name : option->get_lnames()) right.push_back("--" + name);
  } else if (used.empty()) {
    for (const CLI::App* other :
         app.get_subcommands([](const CLI::App* c) { return !c->get_group().empty(); }))
      right.push_back(other->get_name());
  }
  return fmt::format("{}; {}see `scopecheck {}--help`", what, scopecheck::cli::did_you_mean(wrong, right),
                     used.empty() ? "" : command.get_name() + " ");
}

/// Descriptors 0, 1 and 2 that were closed are opened, or else the next files that we open get their numbers.
/// What is read from a closed standard input or written to a closed standard output still fails, and is said;
/// a closed standard error takes all.
void open_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF)  // open() gives the lowest free number: this one
      static_cast<void>(::open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY));
}

int run(int argc, char** argv) {
  using namespace scopecheck;
  CLI::App app{about, "scopecheck"};
  app.footer(examples);
  app.set_version_flag("--version", "scopecheck 0.1.0");
  app.require_subcommand(0, 1);

  bool list_json = false;
  bool list_ops = false;
  auto* list = app.add_subcommand(
      "list", "implementations, flavours, shape, and what their API offers to safe clients");
  auto* json_flag = list->add_flag("--json", list_json, "as a JSON array");
  list->add_flag("--ops", list_ops, "the ops of scenarios instead, as a page in Markdown")
      ->excludes(json_flag);
  list->footer(list_examples);

  cli::CheckArguments check_arguments;
  auto* check = app.add_subcommand("check", "check implementations and print the verdict table");
  check->add_option("NAME", check_arguments.names, "implementations; default: all that `list` shows");
  check->add_option("--flavour", check_arguments.flavour, "only this flavour of them; default: all");
  check
      ->add_option(
          "--ops", check_arguments.ops,
          "exhaustive bound, in ops; default: as deep as about 18 million scenarios allow (20 thousand where "
          "runs have threads), at most 8")
      ->check(CLI::Range(1, 12));
  check
      ->add_option(
          "--random", check_arguments.random,
          "random scenarios of 9 to 40 ops beyond it; default: 1 million (2 thousand where runs have "
          "threads)")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000'000'000}));
  std::string check_engine = "exhaustive";
  check
      ->add_option("--engine", check_engine,
                   "exhaustive, then random; or rapidcheck: --random scenarios, shrunk by RapidCheck, the "
                   "ledger alone")
      ->check(CLI::IsMember({"exhaustive", "rapidcheck"}))
      ->capture_default_str();
  check->add_option("--seed", check_arguments.seed, "seed of the random ones")->capture_default_str();
  check->add_option("--seconds", check_arguments.seconds, "time limit for the whole check; 0: none")
      ->check(CLI::Range(0.0, 1e9))
      ->capture_default_str();
  check
      ->add_option("--discipline", check_arguments.discipline,
                   "which clients are allowed; `all` checks each under every one that differs")
      ->check(CLI::IsMember({"safe", "documented", "no-leak", "all"}))
      ->capture_default_str();
  check
      ->add_option(
          "--scheduler", check_arguments.scheduler,
          "whose thread goes first where a scenario leaves that open; default: exhaustive (the lowest "
          "task, every other choice being a scenario of its own), and random in the random pass")
      ->check(CLI::IsMember({"exhaustive", "round-robin", "random", "pct"}));
  check->add_option("--pct-depth", check_arguments.pct_depth, "pct: orderings that a defect needs")
      ->check(CLI::Range(1, 8))
      ->capture_default_str();
  check->add_flag(
      "--stress", check_arguments.stress,
      "only short random clients whose threads run at once, under each sanitizer, until a finding "
      "or the end of --seconds (default: 60 for each implementation)");
  check->add_option("--json", check_arguments.json, "also write the results to this file; default: none")
      ->check([](const std::string& file) { return std::string(file.empty() ? "a file is wanted" : ""); });
  check->add_option("-j,--jobs", check_arguments.runners, "runner processes; default: one per processor")
      ->check(CLI::Range(1, 256));
  check->add_flag("-v,--verbose", check_arguments.verbose,
                  "also print the detection table of this build, and clients that show C, P, B");
  check->add_flag("-q,--quiet", check_arguments.quiet,
                  "no progress; there is none anyway where standard error is no terminal");
  check->footer(check_examples);

  cli::ScenarioArguments scenario_arguments;
  auto* replay = app.add_subcommand("replay", "run one scenario and say what happened");
  scenario_options(*replay, scenario_arguments);
  replay
      ->add_option("--witness", scenario_arguments.witness,
                   "who watches: the ledger alone, or ASan or TSan with the real access")
      ->check(CLI::IsMember({"ledger", "asan", "tsan"}))
      ->capture_default_str();
  replay
      ->add_option("--times", scenario_arguments.times, "how often; says whether all ledgers were identical")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  replay->add_flag("--stress", scenario_arguments.stress,
                   "let the threads run at once, as the system orders them: counts the runs with a finding");
  replay->footer(replay_examples);
  auto* explain = app.add_subcommand("explain", "draw the lifelines of one scenario");
  scenario_options(*explain, scenario_arguments);
  explain
      ->add_option("--as", scenario_arguments.as,
                   "the lifeline picture of its run, or the client as one self-contained file of safe Rust")
      ->check(CLI::IsMember({"lifeline", "rust"}))
      ->capture_default_str();
  explain->footer(explain_examples);
  auto* shrink = app.add_subcommand("shrink", "print the smallest scenario with the same finding");
  scenario_options(*shrink, scenario_arguments);
  shrink->footer(shrink_examples);
  auto* selftest =
      app.add_subcommand("selftest", "prove that this build notices what it must: the detection table");
  selftest->footer(selftest_examples);

  cli::RegressArguments regress_arguments;
  auto* regress =
      app.add_subcommand("regress", "run the kept scenarios and compare with the verdicts that they state");
  regress->add_option("DIR", regress_arguments.folder, "folder with .scn files")->capture_default_str();
  regress->add_option("-j,--jobs", regress_arguments.runners, "runner processes; default: one per processor")
      ->check(CLI::Range(1, 256));

  cli::FuzzArguments fuzz_arguments;
  auto* fuzz = app.add_subcommand("fuzz", "search with a coverage-guided engine until something is found");
  fuzz->add_option("NAME", fuzz_arguments.implementation, "the implementation")->required();
  fuzz->add_option("--seconds", fuzz_arguments.seconds, "time limit")
      ->check(CLI::Range(1.0, 1e7))
      ->capture_default_str();
  fuzz->add_option("-j,--jobs", fuzz_arguments.engines, "engine processes")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  fuzz->add_option("--engine", fuzz_arguments.engine, "who searches")
      ->check(CLI::IsMember({"libfuzzer", "afl"}))
      ->capture_default_str();
  fuzz->add_option("--output", fuzz_arguments.output,
                   "folder for corpus and findings, kept for the next time; default: fuzz-NAME");
  fuzz->add_option("--inputs", fuzz_arguments.inputs, "more folders with inputs, only read");
  fuzz->add_option("--flavour", fuzz_arguments.flavour, "one of its flavours; default: the first");
  fuzz->add_option("--discipline", fuzz_arguments.discipline, "which clients are allowed")
      ->check(CLI::IsMember({"safe", "documented", "no-leak"}))
      ->capture_default_str();
  fuzz->add_option("--seed", fuzz_arguments.seed, "of the engine; 0: another one each time")
      ->capture_default_str();
  fuzz->add_option("--json", fuzz_arguments.json, "also write a summary to this file");
  fuzz->add_flag("--go-on", fuzz_arguments.go_on, "do not stop at the first finding");
  fuzz->add_flag("-q,--quiet", fuzz_arguments.quiet, "no progress");

  int runner_fd = -1;
  auto* runner = app.add_subcommand("runner", "")->group("");  // what `check` starts
  runner->add_option("--fd", runner_fd)->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error) == 0 ? cli::exit_ok : cli::exit_usage;  // --help
    cli::complain(usage_error(app, error));
    return cli::exit_usage;
  }
  if (const auto unambiguous = abi::names_are_unique(); !unambiguous) {
    cli::complain(unambiguous.error());
    return cli::exit_usage;
  }
  if (*runner) return campaign::runner_main(runner_fd);
  if (*list) return list_ops ? cli::list_ops() : cli::list(list_json);
  if (*check && check_engine == "rapidcheck") return cli::rapidcheck(check_arguments);
  if (*check) return cli::check(check_arguments);
  if (*replay) return cli::replay(scenario_arguments);
  if (*explain) return cli::explain(scenario_arguments);
  if (*shrink) return cli::shrink(scenario_arguments);
  if (*selftest) return cli::selftest();
  if (*fuzz) return cli::fuzz(fuzz_arguments);
  if (*regress) return cli::regress(regress_arguments);
  fmt::print("{}", app.help());
  return cli::exit_ok;
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  int code = scopecheck::cli::exit_harness;
  try {
    code = run(argc, argv);
  } catch (const std::system_error& error) {  // fmt's, when the output takes no more
    scopecheck::cli::complain(error.what());
    std::_Exit(scopecheck::cli::exit_harness);
  }
  // What was still held back may meet a full disk, too. CLI11 writes its help to std::cout.
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0 && std::cout.flush().good();
  // Nothing of what is linked in has a say from here on: a plugin's static destructors could hang, or change
  // the code.
  if (flushed && std::ferror(stdout) == 0) std::_Exit(code);
  scopecheck::cli::complain(std::string("cannot write the output") +
                            (errno != 0 ? std::string(": ") + std::strerror(errno) : ""));
  std::_Exit(scopecheck::cli::exit_harness);
}
