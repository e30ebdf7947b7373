// After set-up, designs that claim it allocate nothing: counted by a global operator new while children are
// spawned, stepped, finished and, where the API can, woken late and cancelled through the door.
#include "tests/designs/fake_host.hpp"

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

namespace {

std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size, std::size_t align) {
  ++allocations;
  void* memory = std::aligned_alloc(align, (size + align - 1) / align * align);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return counted(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new(std::size_t size, std::align_val_t align) {
  return counted(size, static_cast<std::size_t>(align));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace scopecheck::tests {
namespace {

/// Allocations made while one child completes and another is cancelled, storage being there already.
std::size_t allocations_of_a_client(const char* name) {
  Runtime runtime(name);
  const scopecheck_plugin& table = runtime.table();
  FakeChild done, cancelled;
  KeptWaker kept;
  bool waits = true;
  cancelled.body = [&](FakeChild::Step step) {
    kept.keep(step.waker);
    return waits ? SCOPECHECK_PENDING : SCOPECHECK_OK;
  };
  done.body = [](FakeChild::Step) { return SCOPECHECK_OK; };
  Value scope = runtime.make_scope_storage();
  Value first = runtime.make_handle_storage();
  Value second = runtime.make_handle_storage();
  const scopecheck_waker waker = client_waker.raw();

  const auto client = [&] {
    if (runtime.has_scope()) table.scope_init(runtime.raw(), scope.get());
    EXPECT_EQ(runtime.spawn(&scope, done, first), SCOPECHECK_OK);
    EXPECT_EQ(runtime.spawn(&scope, cancelled, second), SCOPECHECK_OK);
    for (int i = 0; i < 2; ++i) {
      if (table.scope_drive != nullptr) table.scope_drive(scope.get(), &waker);
      runtime.run();
    }
    waits = false;  // or reentrant_drain's destructor would wait for ever
    kept.wake();
    runtime.drop_handle(first);
    runtime.drop_handle(second);
    if (runtime.has_scope()) table.scope_destroy(scope.get(), 0);
  };
  if (name == std::string_view("root_parked")) {
    FakeChild root;
    bool started = false;
    root.body = [&](FakeChild::Step step) {
      if (started) {
        table.scope_destroy(scope.get(), 0);
        return SCOPECHECK_OK;
      }
      started = true;
      table.scope_init(runtime.raw(), scope.get());
      runtime.spawn(&scope, done, first);
      step.waker.vtable->wake(step.waker.data);
      return SCOPECHECK_PENDING;
    };
    const std::size_t ready = allocations;  // what the fake body allocated is its own
    scopecheck_object* out = nullptr;
    table.block_on(runtime.raw(), root.raw(), &out);
    EXPECT_EQ(done.steps, 1);
    return allocations - ready;
  }
  const std::size_t before = allocations;
  client();
  const std::size_t after = allocations;
  EXPECT_EQ(done.steps, 1);
  EXPECT_EQ(done.drops, 1);
  return after - before;
}

class ZeroAllocation : public testing::TestWithParam<const char*> {};

TEST_P(ZeroAllocation, a_spawn_costs_no_allocation) { EXPECT_EQ(allocations_of_a_client(GetParam()), 0u); }

INSTANTIATE_TEST_SUITE_P(Each, ZeroAllocation,
                         testing::Values("stacked_in_scope", "forced_await", "root_parked", "reentrant_drain",
                                         "linked_children", "intrusive_list", "slot_nursery"),
                         [](const auto& each) { return std::string(each.param); });

TEST(AllocationCount, sees_heap_designs_allocate_once_per_child) {
  {
    Runtime runtime("parent_driven");
    FakeChild child;
    Value scope = runtime.make_scope_storage();
    runtime.table().scope_init(runtime.raw(), scope.get());
    const std::size_t before = allocations;
    runtime.table().spawn(runtime.raw(), scope.get(), child.raw(), nullptr);
    EXPECT_EQ(allocations - before, 1u);
    runtime.table().scope_destroy(scope.get(), 0);
  }
  {
    Runtime runtime("heap_spawn");
    FakeChild child;
    child.body = [](FakeChild::Step) { return SCOPECHECK_OK; };
    Value handle = runtime.make_handle_storage();
    const std::size_t before = allocations;
    runtime.spawn(nullptr, child, handle);
    EXPECT_EQ(allocations - before, 1u);
    runtime.run();
    runtime.drop_handle(handle);
  }
}

}  // namespace
}  // namespace scopecheck::tests
