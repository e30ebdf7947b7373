#include "harness/campaign/check.hpp"

#include "harness/base/clock.hpp"
#include "harness/campaign/confirm.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/probes.hpp"
#include "harness/campaign/supervisor.hpp"
#include "harness/generator/random.hpp"
#include "harness/ledger/ledger.hpp"
#include "harness/ledger/names.hpp"
#include "harness/report/place.hpp"
#include "harness/report/table.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <map>

namespace scopecheck::campaign {
namespace {

using Clock = std::chrono::steady_clock;
using interpreter::Outcome;

std::string bounds_in_words(const scenario::Bounds& b) {
  return fmt::format(
      "<= {} ops, {} tasks, {} cells, {} scopes, {} nested frames, {} async block{}, {} ops per task body, "
      "{} cell{} borrowed per spawn",
      b.ops, b.tasks, b.cells, b.scopes, b.frames, b.async_blocks, b.async_blocks == 1 ? "" : "s", b.steps,
      b.borrows, b.borrows == 1 ? "" : "s");
}

bool verdict_is_memory(std::string_view text) {
  const verdict::KindInfo* const kind = verdict::kind_called(text);
  return kind != nullptr && kind->memory;
}

bool ends_storage(std::string_view text) {
  const verdict::KindInfo* const kind = verdict::kind_called(text);
  return kind != nullptr && kind->ends_storage;
}

class Check {
 public:
  Check(interpreter::Implementation implementation, scenario::Discipline discipline,
        const CheckOptions& options, const Gate& gate)
      : implementation_(implementation),
        discipline_(discipline),
        options_(options),
        gate_(gate),
        offers_(interpreter::offers_of(implementation, discipline)),
        begun_(Clock::now()),
        deadline_ns_(options.seconds > 0
                         ? base::monotonic_ns() + static_cast<std::uint64_t>(options.seconds * 1e9)
                         : 0) {}

  Checked run() {
    describe_result();
    if (discipline_ != scenario::Discipline::documented &&
        interpreter::spawning_is_unsafe(*implementation_.plugin)) {
      result().why = "the API declares spawning unsafe: nothing is offered to safe clients";
      result().expected = std::nullopt;
      return finish();
    }
    fast_pass();
    if (go_on() && !refuted()) {
      witness_pass(Witness::asan, bounds_.ops);
      random_pass();
      if (threads()) witness_pass(Witness::tsan, bounds_.ops);
    } else if (go_on() && exhaustive_ops_ > 1) {
      // refuted already: what only a sanitizer sees is still looked for, where that costs little
      witness_pass(Witness::asan, static_cast<std::uint8_t>(exhaustive_ops_ - 1));
      if (threads()) witness_pass(Witness::tsan, static_cast<std::uint8_t>(exhaustive_ops_ - 1));
    }
    if (go_on()) probe_pass();
    return finish();
  }

 private:
  report::Result& result() { return checked_.result; }
  /// Children run on threads of their own: then TSan has something to say.
  bool threads() const { return offers_.threads; }
  bool go_on() const { return !checked_.interrupted && error_.empty() && !out_of_time_; }
  bool refuted() const {
    return std::ranges::any_of(best_, [](const auto& entry) { return verdict::info(entry.first).memory; });
  }
  double elapsed() const { return std::chrono::duration<double>(Clock::now() - begun_).count(); }

  void describe_result() {
    result().implementation = implementation_.name();
    result().flavour = implementation_.flavour_name();
    result().discipline = to_string(discipline_);
    result().build = implementation_.plugin->build;
    result().seed = options_.seed;
    result().expected =
        interpreter::expects_unsound(*implementation_.plugin, implementation_.flavour, discipline_)
            ? report::Verdict::unsound
            : report::Verdict::not_refuted;
  }

  // ---- passes -----------------------------------------------------------------------------------

  void fast_pass() {
    const std::uint8_t most = options_.ops.value_or(default_most_ops);
    std::uint64_t before = 0;  // scenarios of the last two lengths, to foresee the next
    std::uint64_t last = 0;
    const std::uint64_t limit = offers_.threads ? default_scenario_limit_threads : default_scenario_limit;
    for (std::uint8_t ops = 0; ops <= most && go_on(); ++ops) {
      if (!options_.ops && before > 0 && last > 0 && last * last / before > limit) break;
      bounds_.ops = ops;
      const auto merged = supervised(exhaustive_job(ops, ops), options_.programs.own,
                                     fmt::format("{}, {} ops", name(), ops), 0);
      if (!merged) return;
      before = std::exchange(last, merged->done);
      result().effort.exhaustive_scenarios += merged->done;
      if (go_on()) exhaustive_ops_ = ops;
      lengths_.push_back(merged->done);
    }
    bounds_.ops = static_cast<std::uint8_t>(exhaustive_ops_);
    result().effort.exhaustive_ops = exhaustive_ops_;
  }

  /// The scenarios of the fast pass once more where a sanitizer watches the implementation.
  void witness_pass(Witness witness, std::uint8_t ops) {
    if (!options_.programs.has(witness) || !go_on()) return;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i <= ops && i < lengths_.size(); ++i) total += lengths_[i];
    bounds_.ops = static_cast<std::uint8_t>(std::max<std::size_t>(exhaustive_ops_, 1));
    const auto merged = supervised(exhaustive_job(0, ops), options_.programs.of(witness),
                                   fmt::format("{}, {}, <= {} ops", name(), in_words(witness), ops), total);
    if (!merged) return;
    report::Effort& effort = result().effort;
    (witness == Witness::asan ? effort.witness_scenarios : effort.tsan_scenarios) = merged->done;
    witness_complete_[static_cast<std::size_t>(witness)] = go_on() && merged->done == total;
    if (go_on() && merged->done != total)
      error_ = fmt::format(
          "the witness pass ran {} scenarios where the fast pass ran {}: are both programs built from the "
          "same sources?",
          merged->done, total);
  }

  void random_pass() {
    const std::uint64_t runs =
        options_.random.value_or(offers_.threads ? default_random_threads : default_random);
    if (runs == 0 || !options_.programs.has(Witness::asan) || !go_on()) return;
    Job job = job_for(implementation_, discipline_);
    job.order = order(schedule::Policy::random);
    job.engine = Engine::random;
    job.bounds = generator::random_bounds();
    job.seed = options_.seed;
    job.runs = runs;
    const auto merged =
        supervised(job, options_.programs.asan, fmt::format("{}, ASan, random", name()), runs);
    if (merged) result().effort.random_scenarios = merged->done;
  }

  /// The letters. These clients are no part of the effort, but what they break counts as if they were.
  void probe_pass() {
    auto jobs = probe_jobs(implementation_, discipline_);
    for (Job& job : jobs) job.deadline_ns = deadline_ns_;
    const double before = elapsed();
    const Supervised got =
        supervise(jobs, {.executable = options_.programs.own, .runners = options_.runners});
    checked_.interrupted = checked_.interrupted || got.interrupted;
    for (const Found& found : got.merged.findings) take_finding(found, false, before);
    take_fault(got.merged);
    if (!got.merged.all_finished) return;  // what was not seen could still have come
    report::Trilemma& trilemma = result().trilemma.emplace();
    trilemma.scenarios = got.merged.done;
    for (std::size_t i = 0; i < verdict::letters; ++i)
      if (const auto& example = got.merged.letter_example[i])
        trilemma.examples[i] = scenario::to_text(*example);
  }

  std::string name() const { return implementation_.name(); }

  schedule::Order order(schedule::Policy unless_asked) const {
    return {
        .policy = options_.policy.value_or(unless_asked), .depth = options_.pct_depth, .seed = options_.seed};
  }

  Job exhaustive_job(std::uint8_t first, std::uint8_t last) const {
    Job job = job_for(implementation_, discipline_);
    job.order = order(schedule::Policy::lowest);
    job.bounds = bounds_;
    job.first_ops = first;
    job.last_ops = last;
    return job;
  }

  /// Runs a job on all runners and takes what it learnt; nothing when that was an error.
  std::optional<Merged> supervised(Job job, const std::filesystem::path& executable, const std::string& what,
                                   std::uint64_t total) {
    job.deadline_ns = deadline_ns_;
    SupervisorOptions how{.executable = executable, .runners = options_.runners};
    const std::uint64_t wanted = ledger::reachable_goals(offers_);
    const double left = options_.seconds > 0 ? std::max(0.1, options_.seconds - elapsed()) : 0;
    if (options_.begin_pass) options_.begin_pass();
    if (options_.progress)
      how.progress = [&](std::span<const Tally* const> tallies) {
        std::uint64_t done = 0;
        std::uint64_t found = 0;
        std::uint64_t goals = goals_;
        std::size_t depth = 0;
        for (const Tally* tally : tallies) {
          done += tally->done.load();
          found += tally->findings_used;
          goals |= tally->goals;
          depth = std::max<std::size_t>(depth, tally->ops.load());
        }
        options_.progress({.what = what,
                           .done = done,
                           .total = total,
                           .depth = depth,
                           .findings = found,
                           .goals = static_cast<std::size_t>(std::popcount(goals & wanted)),
                           .goals_of = static_cast<std::size_t>(std::popcount(wanted)),
                           .time_limit_seconds = left});
      };
    const double before = elapsed();
    Supervised got = supervise(shards_of(job, options_.runners), how);
    checked_.interrupted = checked_.interrupted || got.interrupted;
    out_of_time_ = out_of_time_ || got.merged.deadline_reached;
    take_counts(got.merged);
    for (const Found& found : got.merged.findings) take_finding(found, job.engine == Engine::random, before);
    for (const Death& death : got.deaths) take_death(death);
    take_fault(got.merged);
    scenarios_so_far_ += got.merged.done;
    for (const std::string& text : got.merged.errors) error_ = text;
    for (const std::string& text : got.errors) error_ = text;
    died_too_often_ = died_too_often_ || got.died_too_often;
    if (got.merged.findings_overflowed)
      notes_.push_back("more kinds of findings than the report has room for");
    if (!error_.empty()) return std::nullopt;
    return std::move(got.merged);
  }

  void take_counts(const Merged& merged) {
    if (op_reach_.empty()) {
      op_reach_.assign(scenario::op_kinds, 0);
      event_reach_.assign(ledger::event_kinds, 0);
    }
    for (std::size_t i = 0; i < merged.op_reach.size(); ++i) op_reach_[i] += merged.op_reach[i];
    for (std::size_t i = 0; i < merged.event_reach.size(); ++i) event_reach_[i] += merged.event_reach[i];
    goals_ |= merged.goals;
    result().outcomes.clean += merged.outcomes[static_cast<std::size_t>(Outcome::clean)];
    result().outcomes.hang += merged.outcomes[static_cast<std::size_t>(Outcome::hang)];
    result().outcomes.hang_suspected += merged.outcomes[static_cast<std::size_t>(Outcome::hang_suspected)];
    result().outcomes.fail_stop += merged.outcomes[static_cast<std::size_t>(Outcome::fail_stop)];
    result().outcomes.discard += merged.outcomes[static_cast<std::size_t>(Outcome::discard)];
    for (std::size_t i = 0; i < outcome_kinds; ++i) {
      if (!merged.outcome_example[i]) continue;
      if (!example_[i] || merged.outcome_example[i]->scenario < example_[i]->scenario)
        example_[i] = merged.outcome_example[i];
    }
  }

  struct Best {
    Found found;
    std::uint64_t after_scenarios = 0;
    double after_seconds = 0;
    bool random = false;
  };

  void take_finding(const Found& found, bool random, double before) {
    const Best candidate{found, scenarios_so_far_ + found.number,
                         before + static_cast<double>(found.after_ns) / 1e9, random};
    const auto [entry, fresh] = best_.try_emplace(found.finding.kind(), candidate);
    if (!fresh && found.scenario < entry->second.found.scenario) entry->second = candidate;
  }

  void take_fault(const Merged& merged) {
    result().outcomes.crash += merged.crashes;
    if (merged.fault && (!fault_ || merged.fault->scenario < fault_->scenario)) fault_ = merged.fault;
  }

  /// Deaths within a scenario are in the tallies already; what else is worth a word.
  void take_death(const Death& death) {
    switch (death.kind) {
      case DeathKind::crash:
      case DeathKind::sanitizer:
      case DeathKind::ended:
        if (death.in_scenario) return;
        break;
      case DeathKind::stuck:
        notes_.push_back(fmt::format("a wall-clock watchdog ended a run that did not progress: {}",
                                     one_line(death.scenario)));
        return;
      case DeathKind::killed:
      case DeathKind::harness:
        break;
    }
    notes_.push_back(describe(death));
  }

  static std::string one_line(const scenario::Scenario& scenario) {
    return report::scenario_in_one_line(scenario::to_text(scenario));
  }

  // ---- the verdict ------------------------------------------------------------------------------

  Checked finish() {
    // An interruption ends the search; what it found is still confirmed. One more ends that, too.
    if (checked_.interrupted) StopOnSignals::clear();
    report_fault();
    for (auto& [kind, best] : best_) report_finding(kind, best);
    choose_headline(result().findings);
    for (std::size_t i = 0; i < op_reach_.size(); ++i)
      if (op_reach_[i] != 0)
        result().reach.emplace_back(scenario::name(static_cast<scenario::OpKind>(i)), op_reach_[i]);
    for (std::size_t i = 0; i < event_reach_.size(); ++i)
      if (event_reach_[i] != 0)
        result().reach.emplace_back(ledger::name(static_cast<ledger::EventKind>(i)), event_reach_[i]);
    const std::uint64_t wanted = ledger::reachable_goals(offers_);
    for (std::size_t i = 0; i < ledger::goals; ++i)
      if ((wanted >> i & 1) != 0 && (goals_ >> i & 1) == 0)
        result().unmet_goals.emplace_back(ledger::goal_table[i].doc);
    if (const auto* e = outcome_example(Outcome::hang, "hang"))
      notes_.push_back(
          fmt::format("hangs (proved) {}, when: {}", e->where, report::scenario_in_one_line(e->scenario)));
    if (const auto* e = outcome_example(Outcome::hang_suspected, "hang-suspected"))
      notes_.push_back(fmt::format("a hang is suspected {} ({}), when: {}", e->where, e->waiter,
                                   report::scenario_in_one_line(e->scenario)));
    if (const auto* e = outcome_example(Outcome::fail_stop, "fail-stop"))
      notes_.push_back(
          fmt::format("fail-stops {}, when: {}", e->where, report::scenario_in_one_line(e->scenario)));
    if (const auto* e = outcome_example(Outcome::discard, "discard"))
      notes_.push_back(fmt::format("breaks a documented precondition, first: {}",
                                   report::scenario_in_one_line(e->scenario)));
    result().notes.insert(result().notes.end(), notes_.begin(), notes_.end());
    result().bounds = bounds_in_words(bounds_);
    result().effort.seconds = elapsed();
    judge();
    return std::move(checked_);
  }

  /// Puts the example of an outcome, if it occurred, into the result. Null: it did not.
  const report::OutcomeExample* outcome_example(Outcome outcome, std::string_view name) {
    const auto& example = example_[static_cast<std::size_t>(outcome)];
    if (!example) return nullptr;
    return &result().outcome_examples.emplace_back(
        std::string(name), scenario::to_text(example->scenario),
        report::place(example->scenario, example->op, scenario::Names(example->scenario)), example->waiter);
  }

  bool complete(Witness witness) const { return witness_complete_[static_cast<std::size_t>(witness)]; }

  void judge() {
    report::Result& r = result();
    const bool confirmed = std::ranges::any_of(r.findings, [](const report::Counterexample& f) {
      return !f.confirmed_by.empty() && verdict_is_memory(f.kind);
    });
    if (confirmed) {
      r.verdict = report::Verdict::unsound;
    } else if (!error_.empty() && !died_too_often_) {
      r.verdict = report::Verdict::error;
      r.why = error_;
    } else {
      r.verdict = report::Verdict::inconclusive;
      if (!r.why.empty()) return;
      if (fault_)
        r.why = fault_in_words();
      else if (!error_.empty())
        r.why = error_;
      else if (refuted())
        r.why = "a finding could not be reproduced in a fresh process";
      else if (checked_.interrupted)
        r.why = "interrupted";
      else if (const std::string blind = gate_.first_failure(threads()); !blind.empty())
        r.why = blind;
      else if (out_of_time_)
        r.why = "out of time before the bound was done";
      else if (!complete(Witness::asan) || (threads() && !complete(Witness::tsan)))
        r.why = "the witness pass did not complete";
      else if (!r.unmet_goals.empty())
        r.why = fmt::format("never seen: {}", r.unmet_goals.front());
      else
        r.verdict = report::Verdict::not_refuted;
    }
  }

  void report_finding(verdict::FindingKind kind, Best& best) {
    const Confirmer confirmer = this->confirmer();
    if (best.random && !checked_.interrupted) best.found = confirmer.shrunk(best.found);
    Confirmation confirmation = confirmer.confirm(best.found, options_.style);
    report::Counterexample c;
    c.kind = verdict::info(kind).text;
    c.signature = verdict::to_string(best.found.finding.signature);
    c.scenario = scenario::to_text(best.found.scenario);
    c.ops = best.found.scenario.cost();
    c.found_after_scenarios = best.after_scenarios;
    c.found_after_seconds = best.after_seconds;
    c.confirmed_by = std::move(confirmation.confirmed_by);
    c.sanitizer_report = std::move(confirmation.sanitizer_text);
    c.lifeline = std::move(confirmation.lifeline);
    c.reproduce = fmt::format(
        "{} --impl {}{}{}{} -e '{}'", options_.replay_command, name(),
        implementation_.plugin->flavour_count > 1 ? " --flavour " + implementation_.flavour_name() : "",
        discipline_ == scenario::Discipline::safe ? ""
                                                  : fmt::format(" --discipline {}", to_string(discipline_)),
        verdict::info(kind).seen_by == Witness::ledger
            ? ""
            : fmt::format(" --witness {}", to_string(verdict::info(kind).seen_by)),
        one_line(best.found.scenario));
    if (confirmation.conflict) {
      report::Counterexample conflict = c;
      conflict.kind = verdict::info(verdict::FindingKind::witness_conflict).text;
      conflict.signature = fmt::format("{}: {}", conflict.kind, confirmation.conflict_text);
      conflict.confirmed_by = {"ledger"};
      result().findings.push_back(std::move(conflict));
      notes_.push_back(confirmation.conflict_text);
    }
    result().findings.push_back(std::move(c));
  }

  std::string fault_in_words() const {
    return fmt::format("crashes when: {} ({}; no proof of a late use)", one_line(fault_->scenario),
                       fault_->what);
  }

  /// A crash once more, in a fresh process, under ASan where there is one: it may say where and why. Only
  /// what it says about ended memory is a finding.
  void report_fault() {
    if (!fault_) return;
    const Confirmer confirmer = this->confirmer();
    if (const auto run = confirmer.once(fault_->scenario, {.witness = Witness::asan, .symbolize = true})) {
      for (const Found& found : run->findings) take_finding(found, false, elapsed());
      if (run->fault) fault_->what = run->fault->what;
    }
    if (refuted()) notes_.push_back(fault_in_words());  // otherwise it is the reason of the verdict
  }

  Confirmer confirmer() const { return {implementation_, discipline_, offers_, options_.programs}; }

  interpreter::Implementation implementation_;
  scenario::Discipline discipline_;
  const CheckOptions& options_;
  const Gate& gate_;
  scenario::Offers offers_;
  scenario::Bounds bounds_;
  Clock::time_point begun_;
  std::uint64_t deadline_ns_;
  Checked checked_;
  std::size_t exhaustive_ops_ = 0;
  std::vector<std::uint64_t> lengths_;
  std::uint64_t scenarios_so_far_ = 0;
  std::uint64_t goals_ = 0;
  std::vector<std::uint64_t> op_reach_, event_reach_;
  std::array<std::optional<OutcomeExample>, outcome_kinds> example_{};
  std::map<verdict::FindingKind, Best> best_;
  std::vector<std::string> notes_;
  std::optional<Fault> fault_;
  std::string error_;
  bool died_too_often_ = false;  ///< and that is the error
  bool out_of_time_ = false;
  std::array<bool, 3> witness_complete_{};  ///< by Witness: it ran all that the fast pass ran
};

}  // namespace

void choose_headline(std::vector<report::Counterexample>& findings) {
  std::ranges::sort(findings, {}, [](const report::Counterexample& f) {
    return std::tuple(!verdict_is_memory(f.kind), !ends_storage(f.kind), f.ops);
  });
  if (!findings.empty()) findings.front().is_headline = true;
}

Checked check(interpreter::Implementation implementation, scenario::Discipline discipline,
              const CheckOptions& options, const Gate& gate) {
  return Check(implementation, discipline, options, gate).run();
}

}  // namespace scopecheck::campaign
