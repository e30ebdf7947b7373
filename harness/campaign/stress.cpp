#include "harness/campaign/stress.hpp"

#include "harness/base/clock.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/supervisor.hpp"
#include "harness/report/table.hpp"
#include "harness/scenario/text.hpp"
#include "harness/shrinker/shrink.hpp"
#include "harness/verdict/finding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace scopecheck::campaign {
namespace {

/// Long enough for any order that a person could explain, short enough that many run in a second.
constexpr generator::RandomLength stress_length{.least = 3, .most = 12};
constexpr std::uint64_t again_runs = 400;
/// Of a candidate that is shorter: if it shows itself as often as once in so many, it is kept.
constexpr std::uint64_t shrink_runs = 50;

class Stress {
 public:
  Stress(interpreter::Implementation implementation, scenario::Discipline discipline,
         const CheckOptions& options)
      : implementation_(implementation),
        discipline_(discipline),
        options_(options),
        offers_(interpreter::offers_of(implementation, discipline)),
        begun_ns_(base::monotonic_ns()) {}

  Checked run(std::span<const Witness> watchers) {
    report::Result& result = checked_.result;
    result.implementation = implementation_.name();
    result.flavour = implementation_.flavour_name();
    result.discipline = to_string(discipline_);
    result.build = implementation_.plugin->build;
    result.seed = options_.seed;
    if (!offers_.threads) {
      result.why = "it has no threads: nothing runs at once";
      return std::move(checked_);
    }
    for (std::size_t i = 0; i < watchers.size() && go_on(); ++i)
      watched_by(watchers[i], (options_.seconds - elapsed()) / static_cast<double>(watchers.size() - i));
    result.effort.seconds = elapsed();
    conclude();
    return std::move(checked_);
  }

 private:
  bool go_on() const { return !checked_.interrupted && error_.empty() && checked_.result.findings.empty(); }
  double elapsed() const { return static_cast<double>(base::monotonic_ns() - begun_ns_) / 1e9; }

  Job job() const {
    Job job = job_for(implementation_, discipline_);
    job.free = true;
    job.real_access = true;
    job.order.seed = options_.seed;
    return job;
  }

  void watched_by(Witness watcher, double seconds) {
    Job all = job();
    all.engine = Engine::random;
    all.bounds = generator::random_bounds();
    all.length = stress_length;
    all.seed = options_.seed;
    all.runs = std::uint64_t{1} << 50;
    all.stop_at_finding = true;
    all.deadline_ns = base::monotonic_ns() + static_cast<std::uint64_t>(std::max(seconds, 0.1) * 1e9);
    SupervisorOptions how{.executable = options_.programs.of(watcher), .runners = options_.runners};
    if (options_.begin_pass) options_.begin_pass();
    if (options_.progress)
      how.progress = [&](std::span<const Tally* const> tallies) {
        report::Standing standing{
            .what = fmt::format("{}, stress, {}", implementation_.name(), to_string(watcher)),
            .time_limit_seconds = seconds};
        for (const Tally* tally : tallies) {
          standing.done += tally->done.load();
          standing.findings += tally->findings_used;
        }
        options_.progress(standing);
      };
    const double before = elapsed();
    const Supervised got = supervise(shards_of(all, options_.runners), how);
    checked_.interrupted = checked_.interrupted || got.interrupted;
    report::Result& result = checked_.result;
    result.effort.stress_runs += got.merged.done;
    result.effort.stress_by_witness.emplace_back(to_string(watcher), got.merged.done);
    tried_ +=
        fmt::format("{}{} runs under {}", tried_.empty() ? "" : ", ", got.merged.done, to_string(watcher));
    result.outcomes.clean += got.merged.outcomes[static_cast<std::size_t>(interpreter::Outcome::clean)];
    result.outcomes.hang += got.merged.outcomes[static_cast<std::size_t>(interpreter::Outcome::hang)];
    result.outcomes.hang_suspected +=
        got.merged.outcomes[static_cast<std::size_t>(interpreter::Outcome::hang_suspected)];
    result.outcomes.fail_stop +=
        got.merged.outcomes[static_cast<std::size_t>(interpreter::Outcome::fail_stop)];
    result.outcomes.crash += got.merged.crashes;
    for (const std::string& text : got.merged.errors) error_ = text;
    for (const std::string& text : got.errors) error_ = text;
    if (got.merged.fault)
      result.notes.push_back(fmt::format("under {}: {} ({}; no proof of a late use)", to_string(watcher),
                                         one_line(got.merged.fault->scenario), got.merged.fault->what));
    for (const Found& found : got.merged.findings) report_finding(found, watcher, before);
  }

  /// A finding of a run that is over: whether it comes again is for chance to say, so that is counted.
  void report_finding(const Found& found, Witness watcher, double before) {
    const scenario::Scenario scenario = shrunk(found, watcher);
    const auto [times, text] = seen_again(scenario, found.finding.signature, watcher, again_runs);
    report::Counterexample c;
    c.kind = verdict::info(found.finding.kind()).text;
    c.signature = verdict::to_string(found.finding.signature);
    c.scenario = scenario::to_text(scenario);
    c.ops = scenario.cost();
    c.sanitizer_report = text;
    c.found_after_scenarios = found.number;
    c.found_after_seconds = before + static_cast<double>(found.after_ns) / 1e9;
    c.reproduce = fmt::format(
        "{} --impl {}{} --stress --times {} --witness {} -e '{}'", options_.replay_command,
        implementation_.name(),
        implementation_.plugin->flavour_count > 1 ? " --flavour " + implementation_.flavour_name() : "",
        again_runs, to_string(watcher), one_line(scenario));
    c.confirmed_by.emplace_back(to_string(watcher));
    checked_.result.notes.push_back(
        fmt::format("{}: seen under stress; {} of {} more runs showed it again", c.kind, times, again_runs));
    checked_.result.findings.push_back(std::move(c));
  }

  struct Again {
    std::uint64_t times = 0;
    std::string text;  ///< of a sanitizer
  };
  /// How many of so many runs of `scenario` show the finding.
  Again seen_again(const scenario::Scenario& scenario, const verdict::Signature& signature, Witness watcher,
                   std::uint64_t runs) const {
    Job again = job();
    again.engine = Engine::one;
    again.runs = runs;
    again.scenario = scenario;
    const auto run = run_one(again, {.executable = options_.programs.of(watcher),
                                     .deaths_limit = static_cast<unsigned>(runs) + 1,
                                     .symbolize = runs == again_runs});
    Again result;
    if (!run) return result;
    for (const Found& other : run->findings)
      if (other.finding.signature == signature) result.times += other.times;
    if (result.times > 0) result.text = run->sanitizer_text;
    return result;
  }

  scenario::Scenario shrunk(const Found& found, Witness watcher) const {
    return shrinker::shrink(
               found.scenario, offers_,
               [&](const scenario::Scenario& candidate) {
                 return !StopOnSignals::requested() && elapsed() < 2 * options_.seconds &&
                        seen_again(candidate, found.finding.signature, watcher, shrink_runs).times > 0;
               })
        .scenario;
  }

  static std::string one_line(const scenario::Scenario& scenario) {
    return report::scenario_in_one_line(scenario::to_text(scenario));
  }

  void conclude() {
    report::Result& result = checked_.result;
    choose_headline(result.findings);
    const bool memory = std::ranges::any_of(result.findings, [](const report::Counterexample& c) {
      const verdict::KindInfo* const kind = verdict::kind_called(c.kind);
      return kind != nullptr && kind->memory;
    });
    if (memory) {
      result.verdict = report::Verdict::unsound;
      result.expected =
          interpreter::expects_unsound(*implementation_.plugin, implementation_.flavour, discipline_)
              ? report::Verdict::unsound
              : report::Verdict::not_refuted;
    } else if (!error_.empty()) {
      result.verdict = report::Verdict::error;
      result.why = error_;
    } else {
      result.why = fmt::format("stress alone: {}, nothing found", tried_);
    }
  }

  interpreter::Implementation implementation_;
  scenario::Discipline discipline_;
  const CheckOptions& options_;
  scenario::Offers offers_;
  std::uint64_t begun_ns_;
  Checked checked_;
  std::string tried_;
  std::string error_;
};

}  // namespace

Checked stress(interpreter::Implementation implementation, scenario::Discipline discipline,
               const CheckOptions& options, std::span<const Witness> watchers) {
  return Stress(implementation, discipline, options).run(watchers);
}

}  // namespace scopecheck::campaign
