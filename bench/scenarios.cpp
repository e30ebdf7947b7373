// Scenarios per second: what the machine, the ledger and the judge cost per run. Compare with an empty
// libFuzzer target built with the same flags: scripts/throughput prints the ratio of one run of both.
#include "harness/abi/registry.hpp"
#include "harness/generator/exhaustive.hpp"
#include "harness/generator/random.hpp"
#include "harness/interpreter/machine.hpp"
#include "harness/verdict/oracles.hpp"

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

namespace {

using namespace scopecheck;

/// Random scenarios of exactly `ops` ops, the same ones every time.
std::vector<scenario::Scenario> sample(const scenario::Offers& offers, std::uint8_t ops, std::size_t count) {
  generator::Random random(offers, generator::random_bounds(), 1, {.least = ops, .most = ops});
  std::vector<scenario::Scenario> scenarios;
  for (std::size_t i = 0; i < count; ++i) scenarios.push_back(random.next());
  return scenarios;
}

/// Runs and judges random scenarios of 8 ops, in this process: of clients that leak nothing and do not hang.
/// What they leave behind would fill the memory of a benchmark that runs until it is sure; the program's
/// runners are replaced for that.
void run_scenarios(benchmark::State& state, const char* name) {
  const scopecheck_plugin* plugin = abi::find_registered(name);
  const scenario::Offers offers = interpreter::offers_of({plugin, 0}, scenario::Discipline::no_leak);
  const auto ledger = std::make_unique<ledger::Ledger>();
  interpreter::Machine machine({plugin, 0}, offers, *ledger);
  std::vector<scenario::Scenario> scenarios = sample(offers, 8, 512);
  std::erase_if(scenarios, [&](const scenario::Scenario& s) {
    return machine.run(s, {}) != interpreter::Outcome::clean;
  });
  verdict::Findings findings;
  std::size_t next = 0;
  for (auto _ : state) {
    const scenario::Scenario& scenario = scenarios[next++ % scenarios.size()];
    benchmark::DoNotOptimize(machine.run(scenario, {}));
    verdict::judge({scenario, ledger->events(), ledger->alarms(), {}}, findings);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK_CAPTURE(run_scenarios, parent_driven, "parent_driven");
BENCHMARK_CAPTURE(run_scenarios, slot_nursery, "slot_nursery");
BENCHMARK_CAPTURE(run_scenarios, heap_spawn, "heap_spawn");

/// Enumerates every scenario of 6 ops without running them.
void enumerate(benchmark::State& state, const char* name) {
  const scenario::Offers offers =
      interpreter::offers_of({abi::find_registered(name), 0}, scenario::Discipline::safe);
  generator::Exhaustive engine(offers, {.ops = 6});
  std::uint64_t count = 0;
  engine.begin(6);
  for (auto _ : state) {
    if (engine.next() == nullptr) engine.begin(6);
    ++count;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}
BENCHMARK_CAPTURE(enumerate, parent_driven, "parent_driven");

/// Draws random scenarios of 9 to 40 ops without running them.
void draw(benchmark::State& state, const char* name) {
  const scenario::Offers offers =
      interpreter::offers_of({abi::find_registered(name), 0}, scenario::Discipline::safe);
  generator::Random random(offers, generator::random_bounds(), 1);
  for (auto _ : state) benchmark::DoNotOptimize(random.next());
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK_CAPTURE(draw, parent_driven, "parent_driven");

}  // namespace
