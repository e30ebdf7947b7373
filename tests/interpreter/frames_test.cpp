// Every place where the interpreter lets memory end, under ASan with the real access: the report must come at
// the very event that the ledger calls late. A place that does not report is a blind spot, and there were
// some (frames with inline assembly, frames that unwinding left).
#include "harness/interpreter/arena.hpp"
#include "tests/interpreter/spies.hpp"
#include "tests/support/asan.hpp"
#include "tests/support/lab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace scopecheck::tests {
namespace {

using ledger::EventKind;

/// One shape: where the memory lives, and a program after which a child touches it.
struct Shape {
  const char* name;
  const char* implementation;
  const char* program;
  const char* report;  ///< what ASan calls it
};
void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

constexpr const char* returned = "stack-use-after-return";
constexpr const char* poisoned = "use-after-poison";

// A detached child touches x; what differs is where x lived and how that ended.
const Shape shapes[] = {
    {"outermost_frame", "canary_detach", "cell x; spawn t0 borrow mut x { write x } as h0", returned},
    {"outermost_frame_read", "canary_detach", "cell x; spawn t0 borrow shared x { read x } as h0", returned},
    {"outermost_frame_last_of_eight_cells", "canary_detach",
     "cell x; cell y; cell z; cell w; cell u; cell v; cell a; cell b; spawn t0 borrow mut b { write b } as "
     "h0",
     returned},
    {"nested_frame", "canary_detach", "frame { cell x; spawn t0 borrow mut x { write x } as h0 }; settle",
     returned},
    {"frame_in_a_frame", "canary_detach",
     "frame { frame { cell x; spawn t0 borrow mut x { write x } as h0 } }; settle", returned},
    {"frame_after_which_others_ran", "canary_detach",
     "frame { cell x; spawn t0 borrow mut x { write x } as h0 }; frame { cell y; frame { cell z } }; frame { "
     "cell w; "
     "settle }",
     returned},
    {"frame_of_a_boxed_handle", "canary_detach",
     "frame { cell x; spawn t0 borrow mut x { write x } as h0 boxed; drop h0 }; settle", returned},
    {"frame_left_by_unwinding", "canary_detach",
     "catch { frame { cell x; spawn t0 borrow mut x { write x } as h0; throw } }; settle", returned},
    {"frame_left_by_a_panic_of_a_child", "canary_detach",
     "catch { frame { cell x; spawn t0 borrow mut x { park; write x } as h0; spawn t1 { throw } as h1; "
     "settle; poll "
     "h1 } }; wake t0; settle",
     returned},
    {"outermost_frame_left_by_unwinding", "canary_detach",
     "cell x; spawn t0 borrow mut x { write x } as h0; throw", returned},
    {"catch_frame", "canary_detach", "catch { cell x; spawn t0 borrow mut x { write x } as h0 }; settle",
     returned},
    {"catch_frame_left_by_unwinding", "canary_detach",
     "catch { cell x; spawn t0 borrow mut x { write x } as h0; throw }; settle", returned},
    {"async_block_that_was_dropped", "canary_detach",
     "async b0 { cell x; spawn t0 borrow mut x { write x } as h0; suspend }; poll b0; drop b0; settle",
     poisoned},
    {"async_block_that_ended", "canary_detach",
     "async b0 { cell x; spawn t0 borrow mut x { write x } as h0 }; poll b0; settle", poisoned},
    {"boxed_async_block", "canary_detach",
     "async b0 boxed { cell x; spawn t0 borrow mut x { write x } as h0; suspend }; poll b0; drop b0; settle",
     poisoned},
    {"async_block_left_by_unwinding", "canary_detach",
     "catch { async b0 { cell x; spawn t0 borrow mut x { write x } as h0; throw }; poll b0 }; settle",
     poisoned},
    {"frame_in_an_async_block", "canary_detach",
     "async b0 { frame { cell x; spawn t0 borrow mut x { write x } as h0 }; suspend }; poll b0; settle",
     poisoned},
    {"block_of_inside", "canary_detach", "inside { cell x; spawn t0 borrow mut x { write x } as h0 }; settle",
     poisoned},
    {"frame_in_inside", "canary_detach",
     "inside { frame { cell x; spawn t0 borrow mut x { park; write x } as h0; suspend } }; wake t0; settle",
     poisoned},
    {"body_of_a_task_that_ended", "stacked_in_scope",
     "spawn t0 { cell x; spawn t1 borrow mut x { write x } as h0 boxed; forget h0 } as h1; step t0; step t0; "
     "settle",
     poisoned},
    {"body_of_a_task_that_was_dropped", "stacked_in_scope",
     "spawn t0 { cell x; spawn t1 borrow mut x { write x } as h0 boxed; forget h0; park } as h1; step t0; "
     "step t0; "
     "drop h1; settle",
     poisoned},
    {"frame_in_a_task", "stacked_in_scope",
     "spawn t0 { frame { cell x; spawn t1 borrow mut x { write x } as h0 boxed; forget h0 }; park } as h1; "
     "step t0; "
     "step t0; step t0; settle",
     poisoned},
    // the child's destructors
    {"capture", "canary_late_drop", "cell x; spawn t0 borrow mut x { touch-on-drop capture x } as h0",
     returned},
    {"capture_shared", "canary_late_drop",
     "cell x; spawn t0 borrow shared x { touch-on-drop capture x } as h0", returned},
    {"capture_of_an_async_block_cell", "canary_late_drop",
     "async b0 { cell x; spawn t0 borrow mut x { touch-on-drop capture x } as h0; suspend }; poll b0; drop "
     "b0; settle",
     poisoned},
    {"block_on_a_suspendable_stack", "canary_detach_on_stack",
     "async b0 { cell x; spawn t0 borrow mut x { write x } as h0; suspend }; poll b0; poll b0; settle",
     returned},
    {"suspendable_stack_that_was_dropped", "canary_detach_on_stack",
     "async b0 { cell x; spawn t0 borrow mut x { write x } as h0; suspend }; poll b0; drop b0; settle",
     returned},
    {"frame_on_a_suspendable_stack", "canary_detach_on_stack",
     "async b0 { frame { cell x; spawn t0 borrow mut x { write x } as h0 }; suspend }; poll b0; settle",
     returned},
    {"result", "canary_late_result",
     "frame { cell x; spawn t0 borrow mut x { touch-on-drop result x } as h0; settle }; settle", returned},
};

Lab* lab_in_use = nullptr;
std::uint32_t events_so_far() { return static_cast<std::uint32_t>(lab_in_use->ledger().events().size()); }

bool is_late(const ledger::Event& event) {
  return event.kind >= EventKind::touched_read && event.kind <= EventKind::touched_by_payload &&
         (event.detail & ledger::touch_dead) != 0;
}

class Frames : public testing::TestWithParam<Shape> {};

TEST_P(Frames, are_called_dead_by_the_ledger_and_reported_by_asan_at_that_very_touch) {
  Lab lab(GetParam().implementation);
  lab_in_use = &lab;
  const asan::Listen listen(&events_so_far, &interpreter::Machine::touching_cell);
  lab.run(GetParam().program, asan::built_with_asan);
  const auto events = lab.events();
  const auto late = std::ranges::find_if(events, is_late);
  ASSERT_NE(late, events.end()) << "the ledger sees nothing late here";
  if (!asan::built_with_asan) GTEST_SKIP() << "the second half needs the asan preset";
  ASSERT_GT(asan::heard.reports, 0u) << "ASan is blind here";
  EXPECT_EQ(asan::heard.event, late - events.begin() + 1) << "it spoke at another event";
  EXPECT_TRUE(asan::heard.in_harness);
  EXPECT_EQ(asan::heard.name(), GetParam().report);
}

TEST_P(Frames, are_not_touched_late_when_the_child_runs_in_time) {
  // the same memory, alive: neither witness may speak
  Lab lab("canary_sound");
  lab_in_use = &lab;
  if (GetParam().implementation != std::string("canary_detach"))
    GTEST_SKIP() << "its programs need that canary";
  const asan::Listen listen(&events_so_far, &interpreter::Machine::touching_cell);
  lab.run(GetParam().program, asan::built_with_asan);
  EXPECT_TRUE(lab.findings().empty());
  EXPECT_EQ(asan::heard.reports, 0u) << asan::heard.text;
}

INSTANTIATE_TEST_SUITE_P(Shapes, Frames, testing::ValuesIn(shapes),
                         [](const auto& info) { return std::string(info.param.name); });

// ---- storage of values: what only the implementation touches --------------------------------------------

/// Where a value of an implementation lived; when its storage dies, whoever keeps its address is caught.
struct Storage {
  const char* name;
  const char* implementation;
  const char* program;
};
void PrintTo(const Storage& storage, std::ostream* out) { *out << storage.name; }

const Storage storages[] = {
    {"scope_in_a_frame", "canary_late_bookkeeping", "scope s0; spawn t0 in s0 { }; drop s0; settle"},
    {"scope_at_the_end_of_a_nested_frame", "canary_late_bookkeeping",
     "frame { scope s0; spawn t0 in s0 { } }; settle"},
    {"scope_left_by_unwinding", "canary_late_bookkeeping",
     "catch { scope s0; spawn t0 in s0 { }; throw }; settle"},
    {"boxed_scope", "canary_late_bookkeeping", "scope s0 boxed; spawn t0 in s0 { }; drop s0; settle"},
    {"scope_in_an_async_block", "canary_late_bookkeeping",
     "async b0 { scope s0; spawn t0 in s0 { }; suspend }; poll b0; drop b0; settle"},
    {"handle_in_a_frame", "canary_late_handle_bookkeeping", "spawn t0 { } as h0; drop h0; settle"},
    {"handle_used_again_in_place", "canary_late_handle_in_place",
     "spawn t0 { } as h0; forget h0 in-place; settle"},
    {"boxed_handle", "canary_late_handle_bookkeeping", "spawn t0 { } as h0 boxed; drop h0; settle"},
    {"handle_in_inside", "canary_late_handle_bookkeeping", "inside { spawn t0 { } as h0 }; settle"},
    {"handle_that_was_moved_from", "canary_moved", "spawn t0 { yield } as h0; poll h0; move h0; poll h0"},
    {"handle_that_an_await_ended", "intrusive_list",
     "async b0 { spawn t0 { keep waker } as h0; await h0 }; settle; poll b0; settle; poll b0; drop b0; wake "
     "t0"},
};

class StorageOfValues : public testing::TestWithParam<Storage> {};

TEST_P(StorageOfValues, is_watched_when_it_is_dead) {
  if (!asan::built_with_asan) GTEST_SKIP() << "only the asan preset watches the storage of values";
  Lab lab(GetParam().implementation);
  lab_in_use = &lab;
  const asan::Listen listen(&events_so_far, &interpreter::Machine::touching_cell);
  lab.run(GetParam().program);
  ASSERT_GT(asan::heard.reports, 0u) << "ASan is blind here";
  EXPECT_EQ(asan::heard.name(), poisoned);
  EXPECT_FALSE(asan::heard.in_harness) << "the implementation is at fault";
}

INSTANTIATE_TEST_SUITE_P(Shapes, StorageOfValues, testing::ValuesIn(storages),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Arena, gives_aligned_storage_that_does_not_overlap) {
  interpreter::Arena arena;
  char* last_end = nullptr;
  for (const std::size_t align : {1u, 8u, 16u, 64u, 2u}) {
    auto* const storage = static_cast<char*>(arena.allocate(24, align));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(storage) % align, 0u);
    EXPECT_TRUE(arena.contains(storage));
    if (last_end != nullptr) EXPECT_GT(storage, last_end) << "a red zone lies between";
    last_end = storage + 24;
  }
  EXPECT_FALSE(arena.contains(&arena + 1));
}

#ifdef SCOPECHECK_TESTS_ASAN
TEST(Arena, poisons_what_is_dead_and_what_lies_between) {
  interpreter::Arena arena;
  auto* const storage = static_cast<char*>(arena.allocate(24, 8));
  EXPECT_EQ(__asan_region_is_poisoned(storage, 24), nullptr);
  EXPECT_TRUE(__asan_address_is_poisoned(storage + 24)) << "the red zone";
  EXPECT_FALSE(arena.has_died(storage));
  arena.kill(storage, 24);
  EXPECT_TRUE(arena.has_died(storage));
  EXPECT_TRUE(arena.has_died(storage + 23));
  EXPECT_FALSE(arena.has_died(storage + 24)) << "an overflow, no late use";
  EXPECT_TRUE(__asan_address_is_poisoned(storage));
  EXPECT_TRUE(__asan_address_is_poisoned(storage + 23));
  arena.reset();
  EXPECT_EQ(arena.allocate(24, 8), storage) << "a new run begins at the beginning";
  EXPECT_EQ(__asan_region_is_poisoned(storage, 24), nullptr);
}
#endif

}  // namespace
}  // namespace scopecheck::tests
