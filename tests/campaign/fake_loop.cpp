#include "tests/campaign/fake_loop.hpp"

#include "harness/abi/registry.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <thread>
#include <unistd.h>

namespace scopecheck::tests {

using campaign::Job;
using campaign::Tally;

namespace {

static_assert(sizeof(Plan) <= sizeof(scenario::Op) * 4);

/// A program whose text depends on the number.
scenario::Scenario program_of(std::uint64_t number) {
  scenario::Scenario program;
  scenario::Op settle;
  settle.kind = scenario::OpKind::settle;
  for (std::uint64_t i = 0; i < number % 5; ++i) program.ops.push_back(settle);
  return program;
}

void find(Tally& tally, std::uint64_t number, const scenario::Scenario& program) {
  verdict::Finding finding;
  finding.signature.used_by = static_cast<ledger::EventKind>(number / find_every % 8);
  for (std::size_t i = 0; i < tally.findings_used; ++i)
    if (tally.findings[i].finding.signature == finding.signature) {
      ++tally.findings[i].times;
      return;
    }
  tally.findings[tally.findings_used] = {finding, program, number, 0, 1};
  ++tally.findings_used;
}

[[gnu::noinline]] void act(Act what) {
  volatile int* const nowhere = nullptr;
  switch (what) {
    case Act::run:
    case Act::find:
      break;
    case Act::segv:
      static_cast<void>(::raise(SIGSEGV));
      static_cast<void>(*nowhere);
      break;
    case Act::corrupt:
      std::fputs("free(): double free detected in tcache 2\n", stderr);
      std::abort();
    case Act::abort:
      std::abort();
    case Act::assertion:
      SCOPECHECK_ASSERT(what == Act::run);
      break;
    case Act::exit_zero:
      ::_exit(0);
    case Act::exit_three:
      ::_exit(3);
    case Act::sleep:
      for (;;) ::pause();
    case Act::spin:
      for (volatile bool forever = true; forever;) {
      }
      break;
    case Act::chatter:
      for (int i = 0; i < 1024; ++i) {
        std::array<char, 1024> line;
        line.fill('x');
        static_cast<void>(!::write(STDOUT_FILENO, line.data(), line.size()));
      }
      break;
    case Act::kill_itself:
      ::kill(::getpid(), SIGKILL);
      break;
    case Act::stop_itself:
      ::kill(::getpid(), SIGSTOP);
      break;
    case Act::abort_elsewhere:
      std::thread([] { std::abort(); }).join();
      break;
  }
}

}  // namespace

campaign::Job fake_job(std::uint64_t runs, Plan plan, std::uint32_t shard, std::uint32_t shards) {
  Job job;
  std::strcpy(job.implementation.data(), "canary_sound");
  const scopecheck_plugin* const plugin = abi::find_registered("canary_sound");
  std::strcpy(job.flavour.data(), plugin->flavours[0].name);
  job.engine = campaign::Engine::random;
  job.runs = runs;
  job.shard = shard;
  job.shards = shards;
  // engine `random` has no use for the lengths and the scenario: the plan travels there
  job.first_ops = static_cast<std::uint8_t>(plan.act);
  job.seed = std::uint64_t{plan.every} << 32 | plan.at;
  job.bounds.ops = static_cast<std::uint8_t>(plan.microseconds & 0xff);
  job.bounds.tasks = static_cast<std::uint8_t>(plan.microseconds >> 8);
  return job;
}

void fake_loop(const Job& job, interpreter::Implementation, Tally& tally) {
  const auto what = static_cast<Act>(job.first_ops);
  const std::uint64_t at = job.seed & 0xffffffffu;
  const std::uint64_t every = job.seed >> 32;
  const long pause_us = job.bounds.ops | job.bounds.tasks << 8;
  for (std::uint64_t number = job.skip; number < job.runs; ++number) {
    if (number / 64 % job.shards != job.shard) continue;
    const scenario::Scenario program = program_of(number);
    tally.current = program;
    tally.ledger.clear();
    tally.ledger.append(ledger::EventKind::op_begun, 0, 0, 0, number % 7);
    tally.number.store(number, std::memory_order_release);
    if (pause_us != 0) {
      const timespec pause{.tv_sec = 0, .tv_nsec = pause_us * 1000};
      ::nanosleep(&pause, nullptr);
    }
    if (number >= at && (number == at || (every != 0 && (number - at) % every == 0))) act(what);
    if (number % find_every == 0) find(tally, number, program);
    ++tally.outcomes[0];
    ++tally.per_length[program.cost()];
    tally.done.fetch_add(1);
    tally.counted.store(number + 1);
  }
  tally.finished.store(1);
}

}  // namespace scopecheck::tests
