// What a spawn costs: spawn + one poll to completion + drop of one child, on the heap (heap_spawn), in the
// caller's frame (stacked_in_scope), in a parent-driven scope with one allocation per child, and in a slot
// nursery. Through the door, as the harness drives designs; and directly, for what the door itself adds.
#include "harness/abi/registry.hpp"
#include "impls/platform/heap_executor.hpp"
#include "impls/platform/local_executor.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace scopecheck {
namespace {

/// Children that finish at their first step and own nothing: the implementation is all there is to measure.
const scopecheck_host& idle_host() {
  static const scopecheck_host host{
      .struct_size = sizeof(scopecheck_host),
      .abi_major = SCOPECHECK_ABI_MAJOR,
      .abi_minor = SCOPECHECK_ABI_MINOR,
      .child_step = [](scopecheck_child*, const scopecheck_waker*, scopecheck_object**) -> scopecheck_status {
        return SCOPECHECK_OK;
      },
      .child_block = [](scopecheck_child*, scopecheck_object**) -> scopecheck_status {
        return SCOPECHECK_OK;
      },
      .child_drop = [](scopecheck_child*) {},
      .object_drop = [](scopecheck_object*) -> scopecheck_status { return SCOPECHECK_OK; },
      .idle = [] {},
      .yield_point = [](const char*) {}};
  return host;
}

scopecheck_child* a_child() {
  static std::byte child;
  return reinterpret_cast<scopecheck_child*>(&child);
}

scopecheck_waker silent_waker();
constexpr scopecheck_waker_vtable silent{[](const void*) { return silent_waker(); }, [](const void*) {},
                                         [](const void*) {}};
scopecheck_waker silent_waker() { return {&silent, nullptr}; }

struct Storage {
  alignas(64) std::array<std::byte, 4096> bytes;
};

/// Handle-shaped and process-wide designs: rt_run polls.
void through_the_door(benchmark::State& state, const char* name) {
  const scopecheck_plugin* const table = abi::find_registered(name);
  if (table == nullptr) return state.SkipWithError("not registered");
  void* rt = nullptr;
  table->rt_new(&idle_host(), 0, &rt);
  Storage handle;
  for (auto _ : state) {
    std::uint64_t used = 0;
    benchmark::DoNotOptimize(table->spawn(rt, nullptr, a_child(), handle.bytes.data()));
    table->rt_run(rt, 1, &used);
    table->handle_destroy(handle.bytes.data(), 0);
  }
  table->rt_free(rt);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(through_the_door, heap_spawn, "heap_spawn");
BENCHMARK_CAPTURE(through_the_door, stacked_in_scope, "stacked_in_scope");
BENCHMARK_CAPTURE(through_the_door, intrusive_list, "intrusive_list");

/// Parent-driven designs: `children` are spawned into one scope, then the scope is driven to its end.
void driven_through_the_door(benchmark::State& state, const char* name) {
  const scopecheck_plugin* const table = abi::find_registered(name);
  if (table == nullptr) return state.SkipWithError("not registered");
  void* rt = nullptr;
  table->rt_new(&idle_host(), 0, &rt);
  const scopecheck_waker waker = silent_waker();
  const auto children = static_cast<std::size_t>(state.range(0));
  Storage scope;
  std::array<Storage, 8> handles;
  table->scope_init(rt, scope.bytes.data());
  for (auto _ : state) {
    for (std::size_t i = 0; i < children; ++i)
      table->spawn(rt, scope.bytes.data(), a_child(),
                   table->handle_size != 0 ? handles[i % handles.size()].bytes.data() : nullptr);
    while (table->scope_drive(scope.bytes.data(), &waker) == SCOPECHECK_PENDING) {
    }
    if (table->handle_destroy != nullptr)
      for (std::size_t i = 0; i < children; ++i) table->handle_destroy(handles[i].bytes.data(), 0);
    // A seat is free again when the nursery was polled after its handle.
    if (table->handle_destroy != nullptr) table->scope_drive(scope.bytes.data(), &waker);
  }
  table->scope_destroy(scope.bytes.data(), 0);
  table->rt_free(rt);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(driven_through_the_door, parent_driven, "parent_driven")->Arg(1)->Arg(8)->Arg(1024);
BENCHMARK_CAPTURE(driven_through_the_door, linked_children, "linked_children")->Arg(1)->Arg(8);
BENCHMARK_CAPTURE(driven_through_the_door, slot_nursery, "slot_nursery")->Arg(1)->Arg(8);

void heap_spawn_direct(benchmark::State& state) {
  kit::use_host(idle_host());
  platform::HeapExecutor executor;
  for (auto _ : state) {
    const platform::TaskRef task = executor.start(kit::Child(a_child()));
    executor.run(1);
    task->forsake();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(heap_spawn_direct);

void stacked_in_scope_direct(benchmark::State& state) {
  kit::use_host(idle_host());
  platform::LocalExecutor executor;
  for (auto _ : state) {
    platform::LocalTask task(executor, kit::Child(a_child()));
    executor.run(1);
    benchmark::DoNotOptimize(task.completion().ended());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(stacked_in_scope_direct);

}  // namespace
}  // namespace scopecheck
