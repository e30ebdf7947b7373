// The machine allocates nothing per run: counted by a global operator new, under a design that allocates
// nothing either but its runtime.
#include "harness/generator/random.hpp"
#include "tests/interpreter/spies.hpp"
#include "tests/support/lab.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

namespace {

std::size_t allocations = 0;
bool counting = false;

void* counted(std::size_t size, std::size_t align) {
  if (counting) ++allocations;
  void* const memory = std::aligned_alloc(align, (size + align - 1) / align * align);
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

scopecheck_status new_runtime_uncounted(const scopecheck_host* host, std::uint32_t flavour, void** rt) {
  counting = false;
  const scopecheck_status status = registered_plugin("stacked_in_scope").rt_new(host, flavour, rt);
  counting = true;
  return status;
}

TEST(Machine, allocates_nothing_per_run) {
  scopecheck_plugin plugin = registered_plugin("stacked_in_scope");
  plugin.rt_new = &new_runtime_uncounted;
  Lab lab(plugin);
  const CatchFailStops fail_stops;
  generator::Random random(lab.offers(), generator::random_bounds(), 1);
  std::size_t ops = 0;
  for (int i = 0; i < 500; ++i) {
    const scenario::Scenario scenario = random.next();
    ops += scenario.cost();
    counting = true;
    lab.run(scenario);
    counting = false;
    ASSERT_EQ(allocations, 0u) << scenario::to_text(scenario);
  }
  EXPECT_GT(ops, 5000u);
}

TEST(Machine, is_counted_here_when_its_implementation_allocates) {
  Lab lab(kit::table<Spy>());
  allocations = 0;
  counting = true;
  lab.run("spawn t0 { } as h0");
  counting = false;
  EXPECT_GT(allocations, 0u);
  allocations = 0;
}

}  // namespace
}  // namespace scopecheck::tests
