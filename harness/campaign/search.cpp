#include "harness/campaign/search.hpp"

#include "harness/base/clock.hpp"
#include "harness/base/hash.hpp"
#include "harness/campaign/examine.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/probes.hpp"
#include "harness/campaign/witness.hpp"
#include "harness/generator/exhaustive.hpp"
#include "harness/generator/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace scopecheck::campaign {
namespace {

constexpr std::uint64_t block_of_scenarios = 64;  // what one shard takes at a time

std::uint64_t resident_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long long size = 0;
  unsigned long long resident = 0;
  const int fields = std::fscanf(file, "%llu %llu", &size, &resident);
  std::fclose(file);
  return fields == 2 ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

std::uint64_t hash_of(const ledger::Ledger& ledger) {
  std::uint64_t hash = base::hash_of_nothing;
  for (const ledger::Event& event : ledger.events())
    for (const std::uint64_t field :
         {std::uint64_t{static_cast<std::uint8_t>(event.kind)}, std::uint64_t{event.actor},
          std::uint64_t{event.subject}, std::uint64_t{event.detail}, std::uint64_t{event.op}})
      hash = base::mix(hash, field);
  return hash;
}

template <std::size_t N>
void count_bits(std::uint64_t set, std::array<std::uint64_t, N>& counts) {
  while (set != 0) {
    ++counts[static_cast<std::size_t>(__builtin_ctzll(set))];
    set &= set - 1;
  }
}

class Search {
 public:
  Search(const Job& job, interpreter::Implementation implementation, Tally& tally)
      : job_(job),
        tally_(tally),
        offers_(interpreter::offers_of(implementation, job.discipline)),
        machine_(implementation, offers_, tally.ledger),
        examiner_(implementation, job.began_ns != 0 ? job.began_ns : base::monotonic_ns(), tally) {
    machine_.note_choices(tally.choices);
    machine_.on_unreturnable(
        [](void* self, interpreter::Outcome outcome) { static_cast<Search*>(self)->leave(outcome); }, this);
  }

  void run() {
    switch (job_.engine) {
      case Engine::exhaustive:
        exhaustive();
        break;
      case Engine::random:
        random();
        break;
      case Engine::one:
        for (std::uint64_t i = job_.skip; i < job_.runs && !failed_ && !recycle_; ++i) one(job_.scenario, i);
        break;
    }
    end();
  }

 private:
  void exhaustive() {
    generator::Exhaustive engine(job_.probes != 0 ? probe_offers(offers_) : offers_, job_.bounds);
    std::uint64_t number = job_.resumes ? job_.skip : 0;
    for (std::size_t ops = job_.resumes ? job_.resume_ops : job_.first_ops; ops <= job_.last_ops; ++ops) {
      tally_.ops.store(static_cast<std::uint8_t>(ops));
      engine.begin(ops);
      if (job_.resumes && ops == job_.resume_ops) engine.resume_after(job_.resume_after);
      while (const scenario::Scenario* scenario = engine.next())
        if (!offer(*scenario, number++)) return;
      // the shortest one is what is wanted: lengths are finished, then the search may stop
      if (job_.stop_at_finding && examiner_.memory_finding()) return;
    }
  }

  void random() {
    for (std::uint64_t number = 0; number < job_.runs; number += block_of_scenarios) {
      if (!mine(number) || number + block_of_scenarios <= job_.skip) continue;
      // a block has a seed of its own, so that shards need not draw each other's scenarios
      base::Prng seeds(job_.seed ^ (number * 0x9e3779b97f4a7c15ull));
      generator::Random engine(offers_, job_.bounds, seeds.next(), job_.length);
      for (std::uint64_t i = number; i < std::min(number + block_of_scenarios, job_.runs); ++i) {
        const scenario::Scenario& scenario = engine.next();
        if (!offer(scenario, i)) return;
      }
      if (job_.stop_at_finding && examiner_.memory_finding()) return;
    }
  }

  bool mine(std::uint64_t number) const { return number / block_of_scenarios % job_.shards == job_.shard; }

  /// What the runner's end means to the supervisor.
  void end() {
    const bool all = job_.engine == Engine::one && tally_.counted.load() == job_.runs;
    if (recycle_ && !all)
      tally_.wants_recycling.store(1);
    else
      tally_.finished.store(stopped_ ? 2 : 1);
  }

  /// The run cannot be left, because threads of the implementation stand in it: this runner ends with it, and
  /// another goes on behind it. Threads: any; whoever else is in the machine waits at a gate.
  [[noreturn]] void leave(interpreter::Outcome outcome) {
    conclude(outcome);
    recycle_ = true;
    end();
    std::_Exit(0);  // not _exit(), where TSan would look at this thread, which is hidden from it
  }

  /// Runs the scenario if it is this shard's; false: stop.
  bool offer(const scenario::Scenario& scenario, std::uint64_t number) {
    if (!mine(number) || number < job_.skip) return true;
    one(scenario, number);
    if (failed_ || recycle_) return false;
    if (job_.probes != 0 && tally_.letters == job_.probes) return false;
    ++since_clock_;
    if ((since_clock_ & 0xff) == 0 && job_.deadline_ns != 0 && base::monotonic_ns() > job_.deadline_ns) {
      stopped_ = true;
      return false;
    }
    if ((since_clock_ & 0xfff) == 0 && resident_bytes() > resident_at_begin_ + job_.leak_limit_bytes) {
      recycle_ = true;
      return false;
    }
    return true;
  }

  void one(const scenario::Scenario& scenario, std::uint64_t number) {
    tally_.current = scenario;
    tally_.sanitizer_reports = 0;
    tally_.races_used = 0;
    tally_.number.store(number, std::memory_order_release);
    running_ = &scenario;
    interpreter::RunOptions how{.real_access = job_.real_access, .order = job_.order, .free = job_.free};
    how.order.seed = base::mix(how.order.seed, number);
    conclude(machine_.run(scenario, how));
    // what TSan remembers of a run that it reported would testify against the next one, in the same places
    if (machine_.spent() || (built_with() == Witness::tsan && tally_.sanitizer_reports != 0)) recycle_ = true;
  }

  void conclude(interpreter::Outcome outcome) {
    const scenario::Scenario& scenario = *running_;
    const std::uint64_t number = tally_.number.load();
    Examiner::note_outcome(tally_, outcome, scenario, static_cast<std::uint16_t>(machine_.current_op()),
                           machine_.waiter());
    if (outcome == interpreter::Outcome::error) {
      failed_ = true;
      const auto text =
          fmt::format_to_n(tally_.error.data(), tally_.error.size() - 1, "{}", machine_.error());
      *text.out = '\0';
    }
    ++tally_.per_length[scenario.cost()];
    count_bits(machine_.ops_seen(), tally_.op_reach);
    count_bits(tally_.ledger.seen(), tally_.event_reach);
    tally_.goals |= tally_.ledger.reached();
    if (job_.engine == Engine::one) compare_ledgers(number);
    if (job_.probes != 0) note_letters(scenario);
    if (tally_.ledger.alarms() != 0 || tally_.sanitizer_reports != 0)
      examiner_.examine(as_run(job_, tally_, offers_), number);
    tally_.done.fetch_add(1, std::memory_order_release);
    tally_.counted.store(number + 1, std::memory_order_release);
  }

  void note_letters(const scenario::Scenario& scenario) {
    const auto news =
        static_cast<std::uint8_t>(examiner_.letters_of(scenario) & job_.probes & ~tally_.letters);
    for (std::size_t i = 0; i < verdict::letters; ++i)
      if ((news >> i & 1) != 0) tally_.letter_example[i] = scenario;
    tally_.letters |= news;
  }

  void compare_ledgers(std::uint64_t number) {
    const std::uint64_t hash = hash_of(tally_.ledger);
    if (number == 0) tally_.ledger_hash = hash;
    if (hash != tally_.ledger_hash) ++tally_.ledgers_differing;
  }

  const Job& job_;
  Tally& tally_;
  scenario::Offers offers_;
  interpreter::Machine machine_;
  Examiner examiner_;
  const scenario::Scenario* running_ = nullptr;
  std::uint32_t since_clock_ = 0;
  bool stopped_ = false;
  bool recycle_ = false;
  std::uint64_t resident_at_begin_ = resident_bytes();
  bool failed_ = false;
};

}  // namespace

void run_job(const Job& job, interpreter::Implementation implementation, Tally& tally) {
  Search(job, implementation, tally).run();
}

}  // namespace scopecheck::campaign
