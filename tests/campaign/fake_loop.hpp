// A stand-in for run_job that dies, hangs and finds things at given numbers.
#pragma once

#include "harness/campaign/runner.hpp"

namespace scopecheck::tests {

/// What fake_loop does at one number.
enum class Act : std::uint8_t {
  run,
  find,  ///< a finding whose signature depends on the number
  segv,
  abort,      ///< outside any run of a machine: nobody catches it
  corrupt,    ///< says what glibc says, and aborts
  assertion,  ///< the harness's own
  exit_zero,
  exit_three,
  sleep,    ///< for ever
  spin,     ///< for ever
  chatter,  ///< a megabyte of output
  kill_itself,
  stop_itself,     ///< SIGSTOP
  abort_elsewhere  ///< on another thread
};

/// Counts numbers of this shard up to job.runs. What it does at number n is act_at(n).
void fake_loop(const campaign::Job& job, interpreter::Implementation implementation, campaign::Tally& tally);

/// The plan travels in the seed: each act stands at one number, or nowhere.
struct Plan {
  Act act = Act::run;
  std::uint32_t at = 0;
  std::uint32_t every = 0;         ///< 0: only once
  std::uint16_t microseconds = 0;  ///< per number
};
[[nodiscard]] campaign::Job fake_job(std::uint64_t runs, Plan plan = {}, std::uint32_t shard = 0,
                                     std::uint32_t shards = 1);

/// Numbers at which fake_loop makes its findings, whatever the plan.
inline constexpr std::uint64_t find_every = 97;

}  // namespace scopecheck::tests
