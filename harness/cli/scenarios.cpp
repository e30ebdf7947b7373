// The commands about one scenario: replay, explain, shrink.
#include "harness/campaign/confirm.hpp"
#include "harness/campaign/examine.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/supervisor.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/select.hpp"
#include "harness/report/lifeline.hpp"
#include "harness/report/place.hpp"
#include "harness/report/rust.hpp"
#include "harness/report/style.hpp"
#include "harness/report/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace scopecheck::cli {
namespace {

using campaign::Confirmer;
using campaign::OneRun;
using campaign::Witness;

constexpr std::array<std::string_view, campaign::outcome_kinds> outcome_words = {
    "clean", "hang (proved)", "hang-suspected", "fail-stop", "discard (a documented precondition was broken)",
    "error"};

struct Context {
  Chosen chosen;
  campaign::Programs programs;

  Confirmer confirmer() const { return {chosen.implementation, chosen.discipline, chosen.offers, programs}; }
  bool has_threads() const { return chosen.offers.threads; }
};

std::expected<Context, std::string> context_for(const ScenarioArguments& arguments) {
  auto chosen = choose(arguments);
  if (!chosen) return std::unexpected(chosen.error());
  return Context{.chosen = std::move(*chosen), .programs = campaign::find_programs(own_executable())};
}

/// The finding to show: the one that the file names, or the first.
const campaign::Found* shown_finding(const Context& context, const OneRun& run) {
  const std::string_view wanted = context.chosen.parsed.get("finding");
  for (const campaign::Found& found : run.findings)
    if (verdict::to_string(found.finding.signature) == wanted) return &found;
  return run.findings.empty() ? nullptr : &run.findings.front();
}

/// "at line 3: write x"; a client given by -e is one line.
std::string place(const Context& context, std::uint16_t op) {
  const scenario::Scenario& program = context.chosen.parsed.scenario;
  const scenario::Wording& wording = context.chosen.wording;
  return context.chosen.source == "-e" ? report::place(program, op, wording.names)
                                       : report::place_in_file(program, op, wording);
}

std::string outcome_of(const Context& context, const OneRun& run) {
  using interpreter::Outcome;
  if (run.outcome == Outcome::clean && !run.findings.empty()) return "finding";
  if (!run.outcome) return run.death ? describe(*run.death) : "unknown";
  std::string words(outcome_words[static_cast<std::size_t>(*run.outcome)]);
  if (run.outcome == Outcome::hang || run.outcome == Outcome::hang_suspected ||
      run.outcome == Outcome::fail_stop)
    words += " " + place(context, run.ended_at);
  if (!run.waiter.empty()) words += fmt::format(" ({})", run.waiter);
  return words;
}

}  // namespace

int replay(const ScenarioArguments& arguments) {
  const auto context = context_for(arguments);
  if (!context) {
    complain(context.error());
    return exit_usage;
  }
  const Witness witness = arguments.witness == "asan"   ? Witness::asan
                          : arguments.witness == "tsan" ? Witness::tsan
                                                        : Witness::ledger;
  const bool sanitized = witness != Witness::ledger;
  if (!context->programs.has(witness)) {
    complain(context->programs.missing(witness));
    return exit_harness;
  }
  const campaign::StopOnSignals signals;
  campaign::Job job = campaign::job_for(context->chosen.implementation, context->chosen.discipline);
  job.engine = campaign::Engine::one;
  job.runs = arguments.times;
  job.real_access = sanitized;
  job.free = arguments.stress;
  job.scenario = context->chosen.parsed.scenario;
  const auto run = campaign::run_one(
      job, {.executable = context->programs.of(witness),
            .deaths_limit = static_cast<unsigned>(std::min<std::uint64_t>(arguments.times, 1'000'000)) + 1,
            .symbolize = sanitized && arguments.times == 1});
  if (!run) {
    complain(run.error());
    return exit_harness;
  }
  if (sanitized && run->witness != witness) {
    complain(fmt::format(
        "{} is not {} build: nothing in it watches {}", context->programs.of(witness).string(),
        witness == Witness::asan ? "an ASan" : "a TSan", witness == Witness::asan ? "memory" : "threads"));
    return exit_harness;
  }
  fmt::print("{} under {}: {}\n", context->chosen.implementation.name(),
             sanitized ? fmt::format("{}, with the real access", campaign::in_words(witness)) : "the ledger",
             outcome_of(*context, *run));
  for (const campaign::Found& found : run->findings)
    fmt::print("  {} {}{}\n", verdict::to_string(found.finding.signature),
               place(*context, found.finding.used_at),
               arguments.stress ? fmt::format(", in {} of {} runs", found.times, run->runs) : "");
  if (run->findings.empty()) fmt::print("  no finding\n");
  if (run->fault) fmt::print("  a fault that proves no late use: {}\n", run->fault->what);
  if (sanitized) {
    fmt::print("  {}: {}\n", campaign::in_words(witness),
               run->sanitizer_reports > 0
                   ? fmt::format("{} report(s), the first after {} events of the ledger",
                                 run->sanitizer_reports, run->sanitizer_event)
                   : "no report");
    if (!run->sanitizer_text.empty()) fmt::print("\n{}\n", run->sanitizer_text);
  }
  if (arguments.times > 1 && !arguments.stress)
    fmt::print("  {} of {} ledgers identical\n", run->runs - run->ledgers_differing, arguments.times);

  const bool finding = !run->findings.empty();
  const std::string_view wanted = context->chosen.parsed.get("finding");
  if (!wanted.empty()) {
    const campaign::Found* shown = shown_finding(*context, *run);
    const bool same = shown != nullptr && verdict::to_string(shown->finding.signature) == wanted;
    fmt::print("{}\n", same      ? "reproduced"
                       : finding ? "not reproduced: another finding than the file names"
                                 : "not reproduced: no finding");
    return same && (arguments.stress || run->ledgers_differing == 0) ? exit_ok : exit_differs;
  }
  const bool expected =
      interpreter::expects_unsound(*context->chosen.implementation.plugin,
                                   context->chosen.implementation.flavour, context->chosen.discipline);
  if (run->outcome == interpreter::Outcome::error) return exit_harness;
  return (finding && !expected) || run->fault || (!arguments.stress && run->ledgers_differing != 0)
             ? exit_differs
             : exit_ok;
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
  if (run && run->findings.empty() && context->programs.has(Witness::asan)) {
    // Perhaps only the sanitizer sees it. A twin that is none, or that is of other sources, is no witness.
    auto again =
        confirmer.once(context->chosen.parsed.scenario, {.witness = Witness::asan, .symbolize = true});
    watched = again && again->witness == Witness::asan;
    if (watched) run = std::move(again);
  }
  if (run && run->findings.empty() && context->has_threads() && context->programs.has(Witness::tsan)) {
    auto again =
        confirmer.once(context->chosen.parsed.scenario, {.witness = Witness::tsan, .symbolize = true});
    if (again && again->witness == Witness::tsan && !again->findings.empty()) run = std::move(again);
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
  if (found == nullptr) fmt::print("{}: no finding\n", outcome_of(*context, *run));
  if (found != nullptr)
    if (const Witness alone = verdict::info(found->finding.kind()).seen_by; alone != Witness::ledger)
      fmt::print("seen by {} alone: {}\n", campaign::in_words(alone),
                 campaign::sanitizer_summary(run->sanitizer_text));
  if (run->fault) fmt::print("a fault that proves no late use: {}\n", run->fault->what);
  if (found == nullptr && !watched)
    fmt::print("The ledger alone looked; the runtime's own memory is watched by ASan only. {}\n",
               context->programs.has(Witness::asan)
                   ? fmt::format("{} is not an ASan build of these sources.", context->programs.asan.string())
                   : context->programs.asan_missing);
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
  for (const Witness sanitizer : {Witness::asan, Witness::tsan}) {  // perhaps only a sanitizer sees it
    if (found || !context->programs.has(sanitizer)) continue;
    const auto watched = confirmer.once(context->chosen.parsed.scenario, {.witness = sanitizer});
    if (watched)
      if (const campaign::Found* shown = shown_finding(*context, *watched)) found = *shown;
  }
  if (!found) {
    complain(fmt::format("{}: nothing to shrink: {} shows no finding ({})", context->chosen.source,
                         context->chosen.implementation.name(), outcome_of(*context, *fast)));
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
