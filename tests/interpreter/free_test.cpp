// Free runs: the gates stand open and the system orders the threads. What is clean stays clean, every run
// ends, and a sanitizer sees what no order of steps shows.
#include "harness/generator/random.hpp"
#include "tests/support/asan.hpp"
#include "tests/support/lab.hpp"
#include "tests/support/tsan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace scopecheck::tests {
namespace {

using interpreter::Outcome;
using interpreter::RunOptions;
using ledger::EventKind;
using scenario::OpKind;
using scenario::Scenario;
using testing::IsEmpty;

constexpr bool slow_build = asan::built_with_asan || tsan::built_with_tsan;

/// A run that cannot be left ends the process and says why.
void end_with_reason(Lab& lab) {
  lab.machine().on_unreturnable(
      [](void*, Outcome outcome) {
        std::fprintf(stderr, "a run that cannot be left: outcome %d\n", static_cast<int>(outcome));
        std::_Exit(EXIT_FAILURE);
      },
      nullptr);
}

RunOptions free_run(std::uint64_t seed) {
  return {.real_access = true, .order = {.seed = seed}, .free = true};
}

struct Clean {
  const char* implementation;
  std::uint32_t flavour;
  scenario::Discipline discipline;
};
void PrintTo(const Clean& clean, std::ostream* out) { *out << clean.implementation << '.' << clean.flavour; }

/// What clients cannot break: by the design, or because this discipline forbids what breaks it.
constexpr Clean clean[] = {{"blocking_closure", 0, scenario::Discipline::safe},
                           {"blocking_closure", 1, scenario::Discipline::safe},
                           {"scoped_threads", 0, scenario::Discipline::safe},
                           {"canary_notify_under_lock", 0, scenario::Discipline::safe},
                           {"blocking_guard", 1, scenario::Discipline::no_leak},
                           {"join_guard", 0, scenario::Discipline::no_leak},
                           {"heap_spawn", 1, scenario::Discipline::safe},
                           {"stacked_in_scope", 1, scenario::Discipline::no_leak},
                           {"forced_await", 1, scenario::Discipline::no_leak}};

class FreeRuns : public testing::TestWithParam<Clean> {};

/// Not what waits for itself, nor what ends the process.
bool comes_to_an_end(const Scenario& program) {
  return std::ranges::none_of(program.ops, [](const scenario::Op& op) {
    return op.kind == OpKind::inside || op.kind == OpKind::throw_bomb || op.kind == OpKind::park;
  });
}

TEST_P(FreeRuns, OfWhatClientsCannotBreakAreCleanAndEnd) {
  const auto& [name, flavour, discipline] = GetParam();
  Lab lab(registered_plugin(name), discipline, flavour);
  end_with_reason(lab);
  scenario::Offers offers = lab.offers();
  offers.inside = offers.child_scopes = false;           // a worker that waits for itself waits for ever
  offers.forget = offers.forget && !offers.scope_enter;  // of a thread's handle: the scope waits for ever
  generator::Random random(offers, generator::random_bounds(), 1, {.least = 3, .most = 12});
  const int programs = slow_build ? 150 : 400;
  std::size_t steps = 0;
  for (int i = 0; i < programs; ++i) {
    const Scenario program = random.next();
    if (!comes_to_an_end(program)) continue;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      ASSERT_EQ(lab.run(program, free_run(seed)), Outcome::clean) << scenario::to_text(program);
      ASSERT_THAT(lab.signatures(), IsEmpty()) << scenario::to_text(program);
      steps += lab.count(EventKind::stepped);
    }
  }
  EXPECT_GT(steps, 5u) << "next to no child ran";
}

INSTANTIATE_TEST_SUITE_P(Designs, FreeRuns, testing::ValuesIn(clean), [](const auto& info) {
  return std::string(info.param.implementation) + "_" + std::to_string(info.param.flavour);
});

TEST(FreeRun, shows_that_a_destructor_shares_what_its_task_lent_before) {
  Lab lab("scoped_threads");
  end_with_reason(lab);
  for (std::uint64_t seed = 1; seed <= 200; ++seed)  // two writes would race, which TSan says at the end
    lab.run(scenario_of("cell x; enter s0 { spawn t0 in s0 borrow mut x { spawn t1 in s0 borrow shared x { "
                        "touch-on-drop result x } as h0; touch-on-drop capture x } as h1 }"),
            free_run(seed));
}

TEST(FreeRun, wakes_a_parked_child_that_its_client_waits_for) {
  for (const auto& [name, text] :
       {std::pair{"scoped_threads",
                  "cell x; enter s0 { spawn t0 in s0 borrow mut x { park; write x } as h0 }"},
        std::pair{"blocking_guard", "cell x; scope s0; spawn t0 in s0 borrow mut x { park; write x }"},
        std::pair{"join_guard", "cell x; spawn t0 borrow mut x { park; write x } as h0; drop h0"}}) {
    Lab lab(name);
    end_with_reason(lab);
    ASSERT_EQ(lab.run(scenario_of(text), free_run(1)), Outcome::clean) << name;
    EXPECT_LT(lab.at(EventKind::woken, 0), lab.at(EventKind::touched_write, 0)) << name;
  }
}

// ---- storage that died, and code that ASan does not see ------------------------------------------------

#ifdef SCOPECHECK_TESTS_ASAN

constexpr int caught_in_ended_storage = 42;

/// What the kernel says of a touch: whether storage of a value that ended lies there.
void exit_by_address(int, siginfo_t* info, void*) {
  std::_Exit(interpreter::Machine::storage_has_ended(info->si_addr) ? caught_in_ended_storage : EXIT_FAILURE);
}

[[noreturn]] void run_and_exit(std::string_view name, std::string_view text) {
  struct sigaction action{};
  action.sa_sigaction = &exit_by_address;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSEGV, &action, nullptr);
  Lab lab(name);
  lab.run(text);
  std::_Exit(EXIT_SUCCESS);
}

TEST(DeadStorage, ends_a_library_that_touches_it_at_an_address_that_is_known_to_have_ended) {
  // the system's condition variable, notified when the scope is gone
  EXPECT_EXIT(run_and_exit("canary_notify_after_unlock", "scope s0; spawn t0 in s0 { }; step t0; step t0"),
              testing::ExitedWithCode(caught_in_ended_storage), "");
  EXPECT_EXIT(run_and_exit("canary_notify_under_lock", "scope s0; spawn t0 in s0 { }; step t0; step t0"),
              testing::ExitedWithCode(EXIT_SUCCESS), "");
}

__attribute__((no_sanitize("address"))) void scribble(void* storage) {
  *static_cast<volatile char*>(storage) = 1;
}

TEST(DeadStorage, is_inaccessible_where_it_is_guarded_and_only_poisoned_where_it_is_not) {
  const auto touch_the_dead = [](bool guarded) {
    interpreter::Arena arena(guarded);
    void* const storage = arena.allocate(24, 8);
    scribble(storage);
    arena.kill(storage, 24);
    std::signal(SIGSEGV, [](int) { std::_Exit(caught_in_ended_storage); });
    scribble(storage);
    std::_Exit(EXIT_SUCCESS);
  };
  EXPECT_EXIT(touch_the_dead(true), testing::ExitedWithCode(caught_in_ended_storage), "");
  EXPECT_EXIT(touch_the_dead(false), testing::ExitedWithCode(EXIT_SUCCESS), "");
}

TEST(DeadStorage, is_accessible_again_when_the_next_run_begins) {
  interpreter::Arena arena(true);
  for (int run = 0; run < 3; ++run) {
    void* const first = arena.allocate(24, 8);
    void* const second = arena.allocate(24, 8);
    scribble(first);
    arena.kill(first, 24);
    scribble(second);  // nothing else is on the pages of the dead
    EXPECT_TRUE(arena.has_died(first));
    EXPECT_FALSE(arena.has_died(second));
    arena.reset();
  }
}

#endif

}  // namespace
}  // namespace scopecheck::tests
