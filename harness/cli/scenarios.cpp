// The commands about one scenario: replay, explain, shrink.
#include "harness/campaign/confirm.hpp"
#include "harness/campaign/examine.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/sanitizer.hpp"
#include "harness/campaign/supervisor.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/select.hpp"
#include "harness/report/lifeline.hpp"
#include "harness/report/rust.hpp"
#include "harness/report/style.hpp"
#include "harness/report/table.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace scopecheck::cli {
namespace {

using campaign::Confirmer;
using campaign::OneRun;

constexpr std::array<std::string_view, campaign::outcome_kinds> outcome_words = {
    "clean", "hang (proved)", "hang-suspected", "fail-stop", "discard (a documented precondition was broken)",
    "error"};

struct Context {
  Chosen chosen;
  std::filesystem::path program, asan;
  std::string asan_missing;

  Confirmer confirmer() const {
    return {chosen.implementation, chosen.discipline, chosen.offers, program, asan, asan_missing.empty()};
  }
};

std::expected<Context, std::string> context_for(const ScenarioArguments& arguments) {
  auto chosen = choose(arguments);
  if (!chosen) return std::unexpected(chosen.error());
  Context context{.chosen = std::move(*chosen), .program = own_executable()};
  if (const auto asan = campaign::asan_executable())
    context.asan = *asan;
  else
    context.asan_missing = asan.error();
  return context;
}

std::string outcome_of(const OneRun& run) {
  if (run.outcome == interpreter::Outcome::clean && !run.findings.empty()) return "finding";
  if (run.outcome) return std::string(outcome_words[static_cast<std::size_t>(*run.outcome)]);
  return run.death ? describe(*run.death) : "unknown";
}

/// The finding to show: the one that the file names, or the first.
const campaign::Found* shown_finding(const Context& context, const OneRun& run) {
  const std::string_view wanted = context.chosen.parsed.get("finding");
  for (const campaign::Found& found : run.findings)
    if (verdict::to_string(found.finding.signature) == wanted) return &found;
  return run.findings.empty() ? nullptr : &run.findings.front();
}

/// "at line 3: write x"
std::string place(const Context& context, std::uint16_t op) {
  const scenario::Scenario& program = context.chosen.parsed.scenario;
  if (op < program.ops.size()) {
    const scenario::Wording& wording = context.chosen.wording;
    const std::string line = scenario::line_of(program, op, wording.names);
    // -e is one line
    return context.chosen.source == "-e" ? fmt::format("at `{}`", line)
                                         : fmt::format("at line {}: {}", wording.line(op), line);
  }
  if (op == program.ops.size() + ledger::at_outermost_end) return "when the outermost frame ends";
  if (op == program.ops.size() + ledger::at_final_settle) return "in the final settle";
  return "when the runtime ends";
}

}  // namespace

int replay(const ScenarioArguments& arguments) {
  const auto context = context_for(arguments);
  if (!context) {
    complain(context.error());
    return exit_usage;
  }
  const bool asan = arguments.witness == "asan";
  if (asan && !context->asan_missing.empty()) {
    complain(context->asan_missing);
    return exit_harness;
  }
  const campaign::StopOnSignals signals;
  campaign::Job job = campaign::job_for(context->chosen.implementation, context->chosen.discipline);
  job.engine = campaign::Engine::one;
  job.runs = arguments.times;
  job.real_access = asan;
  job.scenario = context->chosen.parsed.scenario;
  const auto run = campaign::run_one(job, {.executable = asan ? context->asan : context->program,
                                           .symbolize = asan && arguments.times == 1});
  if (!run) {
    complain(run.error());
    return exit_harness;
  }
  if (asan && !run->under_asan) {
    complain(fmt::format("{} is not an AddressSanitizer build: nothing in it watches memory",
                         context->asan.string()));
    return exit_harness;
  }
  fmt::print("{} under {}: {}\n", context->chosen.implementation.name(),
             asan ? "ASan, with the real access" : "the ledger", outcome_of(*run));
  for (const campaign::Found& found : run->findings)
    fmt::print("  {} {}\n", verdict::to_string(found.finding.signature),
               place(*context, found.finding.used_at));
  if (run->findings.empty()) fmt::print("  no finding\n");
  if (run->fault) fmt::print("  a fault that proves no late use: {}\n", run->fault->what);
  if (asan) {
    const bool agree = run->sanitizer_reports > 0;
    fmt::print("  ASan: {}\n", agree ? fmt::format("{} report(s), the first after {} events of the ledger",
                                                   run->sanitizer_reports, run->sanitizer_event)
                                     : "no report");
    if (!run->sanitizer_text.empty()) fmt::print("\n{}\n", run->sanitizer_text);
  }
  if (arguments.times > 1)
    fmt::print("  {} of {} ledgers identical\n", run->runs - run->ledgers_differing, arguments.times);

  const bool finding = !run->findings.empty();
  const std::string_view wanted = context->chosen.parsed.get("finding");
  if (!wanted.empty()) {
    const campaign::Found* shown = shown_finding(*context, *run);
    const bool same = shown != nullptr && verdict::to_string(shown->finding.signature) == wanted;
    fmt::print("{}\n", same      ? "reproduced"
                       : finding ? "not reproduced: another finding than the file names"
                                 : "not reproduced: no finding");
    return same && run->ledgers_differing == 0 ? exit_ok : exit_differs;
  }
  const bool expected =
      interpreter::expects_unsound(*context->chosen.implementation.plugin,
                                   context->chosen.implementation.flavour, context->chosen.discipline);
  if (run->outcome == interpreter::Outcome::error) return exit_harness;
  return (finding && !expected) || run->fault || run->ledgers_differing != 0 ? exit_differs : exit_ok;
}

int explain(const ScenarioArguments& arguments) {
  const auto context = context_for(arguments);
  if (!context) {
    complain(context.error());
    return exit_usage;
  }
  if (arguments.as == "rust") {
    if (const std::string_view why = report::no_rust_form(context->chosen.offers); !why.empty()) {
      complain(std::string(why));
      return exit_usage;
    }
    fmt::print("// A client of {} as Rust would see it: it compiles, nothing runs.\n{}",
               context->chosen.implementation.name(),
               report::to_rust(context->chosen.parsed.scenario, context->chosen.offers));
    return exit_ok;
  }
  const campaign::StopOnSignals signals;
  const Confirmer confirmer = context->confirmer();
  auto run = confirmer.once(context->chosen.parsed.scenario, {});
  bool watched = false;  // by ASan
  if (run && run->findings.empty() && confirmer.has_asan) {
    // Perhaps only the sanitizer sees it. A twin that is none, or that is of other sources, is no witness.
    auto again = confirmer.once(context->chosen.parsed.scenario, {.asan = true, .symbolize = true});
    watched = again && again->under_asan;
    if (watched) run = std::move(again);
  }
  if (!run) {
    complain(run.error());
    return exit_harness;
  }
  const campaign::Found* found = shown_finding(*context, *run);
  fmt::print("{}", report::lifeline(context->chosen.parsed.scenario, run->ledger.events(),
                                    found != nullptr ? &found->finding : nullptr,
                                    report::detect_style(STDOUT_FILENO), context->chosen.wording));
  if (found != nullptr) fmt::print("{}\n", verdict::to_string(found->finding.signature));
  if (found == nullptr) fmt::print("{}: no finding\n", outcome_of(*run));
  if (found != nullptr && campaign::seen_by_sanitizer_alone(found->finding.kind()))
    fmt::print("seen by ASan alone: {}\n", campaign::sanitizer_summary(run->sanitizer_text));
  if (run->fault) fmt::print("a fault that proves no late use: {}\n", run->fault->what);
  if (found == nullptr && !watched)
    fmt::print("The ledger alone looked; the runtime's own memory is watched by ASan only. {}\n",
               context->asan_missing.empty()
                   ? fmt::format("{} is not an ASan build of these sources.", context->asan.string())
                   : context->asan_missing);
  return exit_ok;
}

int shrink(const ScenarioArguments& arguments) {
  const auto context = context_for(arguments);
  if (!context) {
    complain(context.error());
    return exit_usage;
  }
  const campaign::StopOnSignals signals;
  const Confirmer confirmer = context->confirmer();
  const auto fast = confirmer.once(context->chosen.parsed.scenario, {});
  if (!fast) {
    complain(fast.error());
    return exit_harness;
  }
  std::optional<campaign::Found> found;
  if (const campaign::Found* shown = shown_finding(*context, *fast)) found = *shown;
  if (!found && context->asan_missing.empty()) {  // perhaps only the sanitizer sees it
    const auto watched = confirmer.once(context->chosen.parsed.scenario, {.asan = true});
    if (watched)
      if (const campaign::Found* shown = shown_finding(*context, *watched)) found = *shown;
  }
  if (!found) {
    complain(fmt::format("{}: nothing to shrink: {} shows no finding ({})", context->chosen.source,
                         context->chosen.implementation.name(), outcome_of(*fast)));
    return exit_differs;
  }
  found->scenario = context->chosen.parsed.scenario;
  const campaign::Found small = confirmer.shrunk(*found);
  fmt::print("# impl: {}\n# finding: {}\n{}", context->chosen.implementation.name(),
             verdict::to_string(small.finding.signature), scenario::to_text(small.scenario));
  std::fprintf(stderr, "%zu ops -> %zu ops\n", found->scenario.cost(), small.scenario.cost());
  return exit_ok;
}

}  // namespace scopecheck::cli
