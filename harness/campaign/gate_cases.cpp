// The table of planted defects. Programs are one line each; the canaries are in impls/canaries.
#include "harness/campaign/gate.hpp"

#include <array>

namespace scopecheck::campaign {
namespace {

using verdict::FindingKind;

// clang-format off
constexpr std::array cases = {
    // the child's step, by where the cell lives
    GateCase{"canary_detach", "stack frame", "step, write", Witness::ledger, true, FindingKind::use_after_scope,
             "cell x; spawn t0 borrow mut x { write x } as h0"},
    GateCase{"canary_detach", "stack frame", "step, write", Witness::asan, true, FindingKind::use_after_scope,
             "cell x; spawn t0 borrow mut x { write x } as h0"},
    GateCase{"canary_detach", "stack frame", "step, read", Witness::asan, true, FindingKind::use_after_scope,
             "cell x; spawn t0 borrow shared x { read x } as h0"},
    GateCase{"canary_detach", "nested stack frame", "step, write", Witness::asan, true, FindingKind::use_after_scope,
             "frame { cell x; spawn t0 borrow mut x { write x } as h0 }; settle"},
    GateCase{"canary_detach", "stack frame of a catch", "step, write", Witness::asan, true, FindingKind::use_after_scope,
             "catch { cell x; spawn t0 borrow mut x { write x } as h0 }; settle"},
    GateCase{"canary_detach", "stack frame left by unwinding", "step, write", Witness::asan, true, FindingKind::use_after_scope,
             "catch { frame { cell x; spawn t0 borrow mut x { write x } as h0; throw } }; settle"},
    GateCase{"canary_detach", "async block", "step, write", Witness::ledger, true, FindingKind::use_after_scope,
             "async b0 { cell x; spawn t0 borrow mut x { write x } as h0; suspend }; poll b0; drop b0; settle"},
    GateCase{"canary_detach", "async block", "step, write", Witness::asan, true, FindingKind::use_after_scope,
             "async b0 { cell x; spawn t0 borrow mut x { write x } as h0; suspend }; poll b0; drop b0; settle"},
    GateCase{"canary_detach", "frame in an async block", "step, write", Witness::asan, true, FindingKind::use_after_scope,
             "async b0 { frame { cell x; spawn t0 borrow mut x { write x } as h0 }; suspend }; poll b0; settle"},
    GateCase{"canary_detach", "body of inside", "step, write", Witness::asan, true, FindingKind::use_after_scope,
             "inside { cell x; spawn t0 borrow mut x { write x } as h0 }; settle"},
    GateCase{"canary_closure_forgets_on_panic", "stack frame left by unwinding", "step, write", Witness::ledger, true, FindingKind::use_after_scope,
             "cell x; enter s0 { spawn t0 in s0 borrow mut x { write x }; throw }"},
    GateCase{"canary_closure_forgets_on_panic", "stack frame of an entered block", "step, write", Witness::asan, true, FindingKind::use_after_scope,
             "catch { enter s0 { cell x; enter s1 { spawn t0 in s1 borrow mut x { write x }; throw } } }; settle"},
    GateCase{"canary_detach_on_stack", "stack frame on a suspendable stack", "step, write", Witness::ledger, true, FindingKind::use_after_scope,
             "async b0 { cell x; spawn t0 borrow mut x { write x } as h0; suspend }; poll b0; drop b0; settle"},
    GateCase{"canary_detach_on_stack", "stack frame on a suspendable stack", "step, write", Witness::asan, true, FindingKind::use_after_scope,
             "async b0 { cell x; spawn t0 borrow mut x { write x } as h0; suspend }; poll b0; drop b0; settle"},
    // the child's destructors
    GateCase{"canary_late_drop", "stack frame", "destructor of a capture", Witness::ledger, true, FindingKind::use_after_scope,
             "cell x; spawn t0 borrow mut x { touch-on-drop capture x } as h0"},
    GateCase{"canary_late_drop", "stack frame", "destructor of a capture", Witness::asan, true, FindingKind::use_after_scope,
             "cell x; spawn t0 borrow mut x { touch-on-drop capture x } as h0"},
    GateCase{"canary_late_result", "stack frame", "destructor of a result", Witness::ledger, true, FindingKind::use_after_scope,
             "frame { cell x; spawn t0 borrow mut x { touch-on-drop result x } as h0; settle }; settle"},
    GateCase{"canary_late_result", "stack frame", "destructor of a result", Witness::asan, true, FindingKind::use_after_scope,
             "frame { cell x; spawn t0 borrow mut x { touch-on-drop result x } as h0; settle }; settle"},
    // the runtime's bookkeeping: storage that the harness supplied, and the runtime's own
    GateCase{"canary_late_bookkeeping", "scope in a frame", "bookkeeping", Witness::asan, true, FindingKind::bookkeeping_after_scope,
             "scope s0; spawn t0 in s0 { }; drop s0; settle"},
    GateCase{"canary_late_bookkeeping", "boxed scope", "bookkeeping", Witness::asan, true, FindingKind::bookkeeping_after_scope,
             "scope s0 boxed; spawn t0 in s0 { }; drop s0; settle"},
    GateCase{"canary_late_bookkeeping", "scope in an async block", "bookkeeping", Witness::asan, true, FindingKind::bookkeeping_after_scope,
             "async b0 { scope s0; spawn t0 in s0 { }; suspend }; poll b0; drop b0; settle"},
    GateCase{"canary_late_handle_bookkeeping", "handle in a frame", "bookkeeping", Witness::asan, true, FindingKind::bookkeeping_after_scope,
             "spawn t0 { } as h0; drop h0; settle"},
    GateCase{"canary_late_handle_in_place", "handle whose storage is used again", "bookkeeping", Witness::asan, true, FindingKind::bookkeeping_after_scope,
             "spawn t0 { } as h0; forget h0 in-place; settle"},
    GateCase{"canary_late_handle_in_place", "handle moved to the heap", "nothing", Witness::asan, false, {},
             "spawn t0 { } as h0; forget h0; settle"},
    GateCase{"canary_stale_waker", "the runtime's heap", "waker", Witness::asan, true, FindingKind::wake_after_free,
             "spawn t0 { keep waker; park } as h0; settle; drop h0; wake t0"},
    // the child's protocol
    GateCase{"canary_double_drop", "child", "dropped twice", Witness::ledger, true, FindingKind::double_drop,
             "spawn t0 { } as h0"},
    GateCase{"canary_step_after_done", "child", "stepped when done", Witness::ledger, true, FindingKind::step_after_done,
             "spawn t0 { } as h0; poll h0"},
    GateCase{"canary_moved", "child in its handle", "moved after its start", Witness::ledger, true, FindingKind::moved_after_start,
             "spawn t0 { yield } as h0; poll h0; move h0; poll h0"},
    GateCase{"canary_never_drops", "child in its handle", "destructor skipped", Witness::ledger, true, FindingKind::never_dropped,
             "spawn t0 { park } as h0"},
    GateCase{"canary_join_lied", "child", "join reported early", Witness::ledger, true, FindingKind::join_lied,
             "spawn t0 { park } as h0; poll h0"},
    // children on threads of their own
    GateCase{"canary_detached_thread", "stack frame", "step of a thread, write", Witness::ledger, true, FindingKind::use_after_scope,
             "cell x; spawn t0 borrow mut x { write x } as h0"},
    GateCase{"canary_detached_thread", "stack frame", "step of a thread, write", Witness::asan, true, FindingKind::use_after_scope,
             "cell x; spawn t0 borrow mut x { write x } as h0"},
    GateCase{"canary_detached_thread", "nested stack frame", "destructor of a capture, on a thread", Witness::asan, true, FindingKind::use_after_scope,
             "frame { cell x; spawn t0 borrow mut x { touch-on-drop capture x } as h0; step t0 }; settle"},
    // the same, as races: with the store of whoever has the cell back, or ended it
    GateCase{"canary_detached_thread", "live cell, regained", "step of a thread, write", Witness::ledger, true, FindingKind::aliased_borrow,
             "cell x; frame { spawn t0 borrow mut x { write x } as h0 }; settle"},
    GateCase{"canary_detached_thread", "live cell, regained", "step of a thread, write", Witness::tsan, true, FindingKind::aliased_borrow,
             "cell x; frame { spawn t0 borrow mut x { write x } as h0 }; settle"},
    GateCase{"canary_detached_thread", "live cell, regained", "step of a thread, read", Witness::tsan, true, FindingKind::aliased_borrow,
             "cell x; frame { spawn t0 borrow shared x { read x } as h0 }; settle"},
    GateCase{"canary_detached_thread", "stack frame", "step of a thread, write", Witness::tsan, true, FindingKind::use_after_scope,
             "cell x; spawn t0 borrow mut x { write x } as h0"},
    GateCase{"canary_detached_thread", "stack frame left by unwinding", "step of a thread, write", Witness::tsan, true, FindingKind::use_after_scope,
             "catch { frame { cell x; spawn t0 borrow mut x { write x } as h0; throw } }; settle"},
    GateCase{"canary_detached_thread", "nested stack frame", "destructor of a capture, on a thread", Witness::tsan, true, FindingKind::use_after_scope,
             "frame { cell x; spawn t0 borrow mut x { touch-on-drop capture x } as h0; step t0 }; settle"},
    GateCase{"canary_unordered_join", "live cell, regained", "step of a thread, in time", Witness::tsan, true, FindingKind::data_race,
             "cell x; frame { spawn t0 borrow mut x { write x } as h0 }"},
    GateCase{"canary_unordered_join", "stack frame", "destructor of a capture, in time", Witness::tsan, true, FindingKind::data_race,
             "cell x; spawn t0 borrow mut x { touch-on-drop capture x } as h0"},
    // the sound twins: nothing may be reported
    GateCase{"canary_joined_thread", "live cell, regained", "nothing", Witness::tsan, false, {},
             "cell x; frame { spawn t0 borrow mut x { write x } as h0 }; write x"},
    GateCase{"canary_joined_thread", "stack frame", "nothing", Witness::tsan, false, {},
             "cell x; spawn t0 borrow mut x { touch-on-drop capture x; write x } as h0"},
    GateCase{"scoped_threads", "live cell, regained", "nothing", Witness::tsan, false, {},
             "cell x; enter s0 { spawn t0 in s0 borrow mut x { write x } as h0 }; write x"},
    GateCase{"canary_joined_thread", "stack frame", "nothing", Witness::ledger, false, {},
             "cell x; spawn t0 borrow mut x { write x } as h0"},
    GateCase{"canary_joined_thread", "stack frame", "nothing", Witness::asan, false, {},
             "cell x; spawn t0 borrow mut x { write x } as h0"},
    GateCase{"canary_sound", "stack frame", "nothing", Witness::ledger, false, {},
             "cell x; spawn t0 borrow mut x { write x } as h0; step t0; drop h0; settle"},
    GateCase{"canary_closure_forgets_on_panic", "stack frame", "nothing", Witness::asan, false, {},
             "cell x; enter s0 { spawn t0 in s0 borrow mut x { write x } }"},
    GateCase{"canary_sound", "stack frame", "nothing", Witness::asan, false, {},
             "cell x; spawn t0 borrow mut x { write x } as h0; step t0; drop h0; settle"},
};
// clang-format on

}  // namespace

std::span<const GateCase> gate_cases() { return cases; }

}  // namespace scopecheck::campaign
