// What several single-threaded designs say about themselves in the same words: their one flavour, and
// what safe clients of a Rust-like API can do with any value of theirs, with where that is said.
#pragma once

#include "harness/abi/plugin.h"

#include <cstdint>

namespace scopecheck::platform {

inline constexpr scopecheck_flavour current_thread[] = {
    {"current-thread", "one thread: the client's; children run when the client lets them"}};

/// Why a child can spawn into its own scope. A reference to the scope would borrow the value that is to be
/// dropped or moved; a token borrows nothing.
inline constexpr const char* token_by_value =
    "the API hands each child a token of its scope by value: scope.spawn(async move |s| { s.spawn(other) })";

/// The same in the closure shape, where nobody owns the scope and a reference to it stays good until all its
/// children ended.
inline constexpr const char* scope_by_reference =
    "https://doc.rust-lang.org/std/thread/fn.scope.html: s.spawn(|| { s.spawn(other); })";

inline constexpr scopecheck_evidence may_forget{
    SCOPECHECK_CLIENT_FORGET, "https://doc.rust-lang.org/std/mem/fn.forget.html: forget is a safe function"};
inline constexpr scopecheck_evidence may_box{
    SCOPECHECK_CLIENT_BOX,
    "https://doc.rust-lang.org/std/boxed/struct.Box.html#method.pin: Box::pin is safe"};
inline constexpr scopecheck_evidence may_move{SCOPECHECK_CLIENT_MOVE, "the type is Unpin: `let b = a;`"};
inline constexpr scopecheck_evidence may_live_in_async_block{
    SCOPECHECK_CLIENT_ASYNC,
    "async { let v = ...; other().await; drop(v) }: any value may live across an await"};
inline constexpr scopecheck_evidence may_keep_waker{
    SCOPECHECK_CLIENT_KEEP_WAKER,
    "https://doc.rust-lang.org/std/task/struct.Context.html#method.waker: cx.waker().clone() is safe and "
    "'static"};
inline constexpr scopecheck_evidence may_throw{SCOPECHECK_CLIENT_THROW, "panic!() in any body"};
inline constexpr scopecheck_evidence may_be_inside{
    SCOPECHECK_CLIENT_INSIDE, "executor.block_on(async { ... }): the client is the root task"};

/// What any pinned value of a safe Rust-like API allows.
inline constexpr std::uint64_t pinned_client_ops = SCOPECHECK_CLIENT_FORGET | SCOPECHECK_CLIENT_BOX |
                                                   SCOPECHECK_CLIENT_ASYNC | SCOPECHECK_CLIENT_KEEP_WAKER |
                                                   SCOPECHECK_CLIENT_THROW | SCOPECHECK_CLIENT_INSIDE;
inline constexpr std::uint64_t movable_client_ops = pinned_client_ops | SCOPECHECK_CLIENT_MOVE;

}  // namespace scopecheck::platform
