#include "harness/campaign/jobs.hpp"

#include <fmt/format.h>

namespace scopecheck::campaign {
namespace {

template <std::size_t N>
void copy_name(std::string_view name, std::array<char, N>& to) {
  SCOPECHECK_ASSERT(name.size() < N);
  const auto text = fmt::format_to_n(to.data(), N - 1, "{}", name);
  *text.out = '\0';
}

}  // namespace

Job job_for(interpreter::Implementation implementation, scenario::Discipline discipline) {
  Job job;
  copy_name(implementation.name(), job.implementation);
  copy_name(implementation.flavour_name(), job.flavour);
  job.discipline = discipline;
  return job;
}

scenario::Scenario as_run(const Job& job, const Tally& tally, const scenario::Offers& offers) {
  if (job.order.policy == schedule::Policy::lowest || job.free) return tally.current;
  const scenario::Scenario written = interpreter::as_scheduled(tally.current, tally.choices);
  return scenario::check(written, offers) ? written : tally.current;
}

std::vector<Job> shards_of(const Job& job, unsigned shards) {
  std::vector<Job> jobs(shards, job);
  for (unsigned i = 0; i < shards; ++i) {
    jobs[i].shard = i;
    jobs[i].shards = shards;
  }
  return jobs;
}

}  // namespace scopecheck::campaign
