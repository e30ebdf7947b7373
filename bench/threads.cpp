// What it costs to prove that threads are at rest: gated scenarios against the bare hand-off of as many
// permits to as many threads, and one settle beside idle threads. scripts/thread-figures prints the ratios of
// one run.
#include "harness/abi/registry.hpp"
#include "harness/interpreter/machine.hpp"
#include "harness/ledger/ledger.hpp"
#include "harness/scenario/text.hpp"
#include "harness/schedule/census.hpp"
#include "harness/schedule/gate.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <memory>
#include <thread>
#include <vector>

namespace {

using namespace scopecheck;

// Two tasks of two steps each; the destructor of a child waits for a permit, too.
constexpr std::size_t tasks = 2;
constexpr std::size_t permits_per_task = 3;
constexpr const char* two_tasks =
    "spawn t0 { yield; yield } as h0; spawn t1 { yield; yield } as h1; "
    "step t0; step t1; step t0; step t1; step t0; step t1; drop h1; drop h0";

void gated_scenario(benchmark::State& state, const char* name) {
  const scopecheck_plugin* const plugin = abi::find_registered(name);
  const scenario::Offers offers = interpreter::offers_of({plugin, 0}, scenario::Discipline::safe);
  const auto ledger = std::make_unique<ledger::Ledger>();
  interpreter::Machine machine({plugin, 0}, offers, *ledger);
  const scenario::Scenario scenario = scenario::parse(two_tasks).value().scenario;
  for (auto _ : state)
    if (machine.run(scenario, {}) != interpreter::Outcome::clean) state.SkipWithError("not clean");
  const auto permitted =
      std::ranges::count(ledger->events(), ledger::EventKind::permitted, &ledger::Event::kind);
  if (permitted != static_cast<std::ptrdiff_t>(tasks * permits_per_task))
    state.SkipWithError("the hand-off beside it has another number of permits");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(gated_scenario, join_guard, "join_guard")->UseRealTime();

/// The same threads and permits, and nothing but gates: each says that it has taken its step.
void bare_hand_off(benchmark::State& state) {
  schedule::Gate taken;
  std::array<schedule::Gate, tasks> gates;
  for (auto _ : state) {
    std::vector<std::thread> threads;
    for (schedule::Gate& gate : gates)
      threads.emplace_back([&] {
        for (std::size_t step = 0; step < permits_per_task; ++step) {
          gate.pass();
          taken.open();
        }
      });
    for (std::size_t step = 0; step < permits_per_task; ++step)
      for (schedule::Gate& gate : gates) {
        gate.open();
        taken.pass();
      }
    for (std::thread& thread : threads) thread.join();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(bare_hand_off)->UseRealTime();

/// One proof beside so many threads that wait at a gate.
void settle(benchmark::State& state) {
  schedule::Census census;
  schedule::Gate gate;
  const auto idle = static_cast<std::uint32_t>(state.range(0));
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < idle; ++i) threads.emplace_back([&] { gate.pass(); });
  for (auto _ : state) benchmark::DoNotOptimize(census.rest());
  gate.open(idle);
  for (std::thread& thread : threads) thread.join();
}
BENCHMARK(settle)->Arg(0)->Arg(1)->Arg(2)->Arg(4)->Arg(8)->UseRealTime();

}  // namespace
