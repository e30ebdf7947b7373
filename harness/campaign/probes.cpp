#include "harness/campaign/probes.hpp"

#include "harness/campaign/jobs.hpp"

#include <algorithm>

namespace scopecheck::campaign {

scenario::Offers probe_offers(scenario::Offers offers) {
  offers.box = offers.move = offers.forget = offers.forget_in_place = false;
  offers.throws = offers.keep_waker = offers.shutdown = false;
  offers.scope_cancel = offers.handle_cancel = offers.handle_detach = false;
  offers.async = offers.async && offers.spawn_awaited;  // whatever else can be awaited can be polled
  return offers;
}

std::array<Job, verdict::letters> probe_jobs(interpreter::Implementation implementation,
                                             scenario::Discipline discipline) {
  const bool threads = interpreter::offers_of(implementation, discipline).threads;
  std::array<Job, verdict::letters> jobs;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    jobs[i] = job_for(implementation, discipline);
    jobs[i].probes = static_cast<std::uint8_t>(1u << i);
    jobs[i].bounds = probe_bounds[i];
    jobs[i].last_ops = threads ? std::min(probe_bounds[i].ops, probe_ops_threads) : probe_bounds[i].ops;
  }
  return jobs;
}

}  // namespace scopecheck::campaign
