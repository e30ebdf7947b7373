#include "harness/campaign/supervisor.hpp"

#include "harness/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>
#include <poll.h>

namespace scopecheck::campaign {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds tick{100};  // how often runners are looked at; their deaths wake us at once
constexpr milliseconds tick_without_pidfd{10};
// ---- stopping at the first finding -------------------------------------------------------------------

/// Up to where the shards of a search that stops at a finding matter: a length, and a number.
struct Horizon {
  std::size_t ops = scenario::max_ops;
  std::uint64_t number = no_number;

  [[nodiscard]] bool covers(Engine engine, std::size_t cost, std::uint64_t at) const {
    // The exhaustive engine finishes a length: the same length may hold findings of other kinds.
    return engine == Engine::exhaustive ? cost <= ops : at <= number;
  }
};

Horizon horizon_of(std::span<const Tally* const> tallies) {
  Horizon horizon;
  for (const Tally* tally : tallies)
    for (std::size_t i = 0; i < findings_of(*tally); ++i) {
      const FoundSlot& slot = tally->findings[i];
      if (!plausible(slot) || !verdict::info(slot.finding.kind()).memory) continue;
      horizon.ops = std::min(horizon.ops, slot.scenario.cost());
      horizon.number = std::min(horizon.number, slot.after_scenarios);
    }
  return horizon;
}

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "it is set in a signal handler");

/// The work of supervise().
class Supervision {
 public:
  Supervision(std::span<const Job> jobs, const SupervisorOptions& options)
      : jobs_(jobs),
        options_(options),
        environment_(runner_environment(options.symbolize)),
        stop_at_finding_(!jobs.empty() &&
                         std::ranges::all_of(jobs, [](const Job& job) { return job.stop_at_finding; })) {}

  Supervised run() {
    auto last_look = Clock::now();
    auto last_progress = last_look - options_.progress_interval;
    for (;;) {
      if (stop_requested.load()) {
        for (const auto& shard : shards_) shard->stop();
        result_.interrupted = true;
        break;
      }
      fill();
      if (!any_running()) break;
      wait();
      const auto now = Clock::now();
      // No more than two ticks: after a pause of the whole machine, or ours, runners get their time anew.
      const auto elapsed = std::min(std::chrono::duration_cast<milliseconds>(now - last_look), 2 * tick);
      last_look = now;
      look(elapsed);
      if (options_.progress && now - last_progress >= options_.progress_interval) {
        last_progress = now;
        options_.progress(tallies_);
      }
    }
    return finish();
  }

  /// Of job 0; null when it could not be set up.
  [[nodiscard]] const Tally* first_tally() const { return tallies_.empty() ? nullptr : tallies_.front(); }
  [[nodiscard]] verdict::Witness first_witness() const {
    return shards_.empty() ? verdict::Witness::ledger : shards_.front()->witness();
  }

 private:
  void fill() {
    while (next_ < jobs_.size() && running_count() < std::max(options_.runners, 1u)) {
      const std::size_t index = next_++;
      auto shard = Shard::make(index, jobs_[index]);
      if (!shard) {
        result_.errors.push_back(shard.error());
        next_ = jobs_.size();
        return;
      }
      shards_.push_back(std::move(*shard));
      tallies_.push_back(&shards_.back()->tally());
      start(*shards_.back());
    }
  }

  void start(Shard& shard) {
    shard.start(options_, environment_);
    if (!shard.error().empty()) result_.errors.push_back(shard.error());
  }

  [[nodiscard]] std::size_t running_count() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(shards_, [](const auto& shard) { return shard->running(); }));
  }
  [[nodiscard]] bool any_running() const { return running_count() != 0; }

  /// Until a runner ends, a signal comes, or a tick is over.
  void wait() const {
    std::vector<pollfd> fds;
    auto timeout = tick;
    for (const auto& shard : shards_) {
      if (!shard->running()) continue;
      if (shard->pidfd() < 0) timeout = tick_without_pidfd;
      fds.push_back({.fd = shard->pidfd(), .events = POLLIN, .revents = 0});
    }
    ::poll(fds.data(), fds.size(), static_cast<int>(timeout.count()));
  }

  void look(milliseconds elapsed) {
    const Horizon horizon = stop_at_finding_ ? horizon_of(tallies_) : Horizon{};
    for (const auto& shard : shards_) {
      if (!shard->running()) continue;
      if (stop_at_finding_ && !matters(*shard, horizon)) {
        shard->stop();
        continue;
      }
      if (auto death = shard->reap(options_)) {
        result_.deaths.push_back(std::move(*death));
        result_.died_too_often = result_.died_too_often || shard->died_too_often();
      }
      if (!shard->running() && !shard->error().empty()) result_.errors.push_back(shard->error());
      if (!shard->running() && shard->wants_restart() && !past_deadline(shard->job())) start(*shard);
      if (shard->running()) shard->watch(elapsed, options_);
    }
  }

  static bool matters(const Shard& shard, const Horizon& horizon) {
    const std::uint64_t number = shard.tally().number.load();
    if (number == no_number) return true;
    return horizon.covers(shard.job().engine, shard.tally().ops.load(), number);
  }

  static bool past_deadline(const Job& job) {
    return job.deadline_ns != 0 && base::monotonic_ns() > job.deadline_ns;
  }

  Supervised finish() {
    const Horizon horizon = stop_at_finding_ ? horizon_of(tallies_) : Horizon{};
    const auto trim = [&](Merged& merged, Engine engine) {
      std::erase_if(merged.findings, [&](const Found& found) {
        return !horizon.covers(engine, found.scenario.cost(), found.number);
      });
    };
    result_.merged = merge(tallies_);
    if (stop_at_finding_) trim(result_.merged, jobs_.front().engine);
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      const std::span<const Tally* const> own(tallies_.data() + std::min(i, tallies_.size()),
                                              i < tallies_.size() ? 1 : 0);
      result_.by_job.push_back(merge(own));
      if (stop_at_finding_) trim(result_.by_job.back(), jobs_[i].engine);
      for (const std::string& error : result_.by_job.back().errors)
        result_.errors.push_back(
            fmt::format("{} ({}): {}", text_of(jobs_[i].implementation), text_of(jobs_[i].flavour), error));
    }
    std::ranges::sort(result_.deaths, {},
                      [](const Death& death) { return std::pair(death.job, death.number); });
    return std::move(result_);
  }

  std::span<const Job> jobs_;
  const SupervisorOptions& options_;
  std::vector<std::string> environment_;
  bool stop_at_finding_;
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<const Tally*> tallies_;
  Supervised result_;
};

}  // namespace

// ---- the doors ---------------------------------------------------------------------------------------

Supervised supervise(std::span<const Job> jobs, const SupervisorOptions& options) {
  // Inherited from some parents, and then the system would throw away how our children ended.
  struct sigaction child{};
  if (::sigaction(SIGCHLD, nullptr, &child) == 0 && child.sa_handler == SIG_IGN) ::signal(SIGCHLD, SIG_DFL);
  return Supervision(jobs, options).run();
}

std::expected<OneRun, std::string> run_one(const Job& job, const SupervisorOptions& options) {
  SCOPECHECK_ASSERT(job.engine == Engine::one);
  SupervisorOptions single = options;
  if (!job.free) single.deaths_limit = 1;  // of threads that run at once the next run may end otherwise
  Supervision supervision({&job, 1}, single);
  Supervised supervised = supervision.run();
  OneRun result;
  result.interrupted = supervised.interrupted;
  for (Death& death : supervised.deaths)
    if (death.kind != DeathKind::killed && death.kind != DeathKind::harness) result.death = std::move(death);
  if (!result.death && !supervised.errors.empty()) return std::unexpected(supervised.errors.front());
  const Tally* const tally = supervision.first_tally();
  if (tally == nullptr) return result;
  result.witness = supervision.first_witness();
  result.runs = tally->done.load();
  if (tally->ledger.events().size() <= ledger::max_events) result.ledger = tally->ledger;
  result.ledger_hash = tally->ledger_hash;
  result.ledgers_differing = tally->ledgers_differing;
  result.findings = std::move(supervised.merged.findings);
  result.fault = std::move(supervised.merged.fault);
  result.sanitizer_reports = tally->sanitizer_reports;
  if (tally->sanitizer_reports != 0) {
    result.sanitizer_event = tally->sanitizer_event;
    result.sanitizer_in_harness = tally->sanitizer_in_harness;
    result.sanitizer_text = text_of(tally->sanitizer_text);
    result.races.assign(tally->races.begin(),
                        tally->races.begin() + std::min<std::size_t>(tally->races_used, max_races));
  }
  if (!result.death || result.death->kind == DeathKind::ended || result.death->kind == DeathKind::stuck) {
    // Where runs of one scenario ended differently, the one that was not clean is what matters.
    for (std::size_t i = 0; i < outcome_kinds; ++i) {
      const auto& example = supervised.merged.outcome_example[i];
      if (!example) continue;
      result.outcome = static_cast<interpreter::Outcome>(i);
      result.ended_at = example->op;
      result.waiter = example->waiter;
    }
  }
  return result;
}

// ---- signals -----------------------------------------------------------------------------------------

namespace {

constexpr std::array stopping_signals = {SIGINT, SIGTERM, SIGHUP};
std::array<struct sigaction, stopping_signals.size()> actions_before;

constexpr std::uint64_t same_request_ns = 1'000'000'000;
std::atomic<std::uint64_t> signalled_at_ns{0};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "it is used in a signal handler");

/// Async-signal-safe.
void on_signal(int signal) {
  const std::uint64_t now = base::monotonic_ns();
  const std::uint64_t before = signalled_at_ns.exchange(now);
  if (before != 0 && now - before < same_request_ns) return;
  if (!stop_requested.exchange(true)) return;
  ::signal(signal, SIG_DFL);
  static_cast<void>(::raise(signal));
}

}  // namespace

StopOnSignals::StopOnSignals() {
  struct sigaction action{};
  action.sa_handler = on_signal;  // no SA_RESTART: poll() returns at once
  for (std::size_t i = 0; i < stopping_signals.size(); ++i) {
    ::sigaction(stopping_signals[i], nullptr, &actions_before[i]);
    // nohup and background jobs of a shell ask that some be ignored
    if (actions_before[i].sa_handler != SIG_IGN) ::sigaction(stopping_signals[i], &action, nullptr);
  }
}

StopOnSignals::~StopOnSignals() {
  for (std::size_t i = 0; i < stopping_signals.size(); ++i)
    ::sigaction(stopping_signals[i], &actions_before[i], nullptr);
}

bool StopOnSignals::requested() { return stop_requested.load(); }
void StopOnSignals::request() { stop_requested.store(true); }
void StopOnSignals::clear() { stop_requested.store(false); }

}  // namespace scopecheck::campaign
