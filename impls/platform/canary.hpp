// What canaries say about themselves: tiny implementations with one planted defect each (and one with
// none), which prove that a build and its options notice that defect. They offer no leak vector, so the
// shortest counterexample is the planted one.
#pragma once

#include "harness/abi/kit.hpp"
#include "impls/platform/blocking.hpp"
#include "impls/platform/describe.hpp"

#include <span>

namespace scopecheck::platform {

inline constexpr scopecheck_evidence canary_evidence[] = {may_box, may_keep_waker, may_throw,
                                                          may_live_in_async_block, may_be_inside};
inline constexpr scopecheck_expectation planted[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND, "planted"},
    {nullptr, SCOPECHECK_DISCIPLINE_DOCUMENTED, SCOPECHECK_EXPECT_UNSOUND, "planted"},
    {nullptr, SCOPECHECK_DISCIPLINE_NO_LEAK, SCOPECHECK_EXPECT_UNSOUND, "planted"}};

/// A pinned handle that carries the loans and promises to cancel; `progress` says who polls the child;
/// with RUN there is a runtime, of which clients can be a task.
constexpr kit::Description handle_canary(const char* name, const char* summary, std::uint32_t progress,
                                         std::span<const scopecheck_expectation> expectations = planted) {
  return {.name = name,
          .summary = summary,
          .shape = SCOPECHECK_SHAPE_HANDLE,
          .carrier = SCOPECHECK_CARRIER_HANDLE,
          .progress = progress,
          .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_INSTRUMENTED,
          .on_destroy = SCOPECHECK_DESTROY_CANCELS,
          .hidden = 1,
          .client_ops = SCOPECHECK_CLIENT_BOX | SCOPECHECK_CLIENT_KEEP_WAKER | SCOPECHECK_CLIENT_THROW |
                        SCOPECHECK_CLIENT_ASYNC |
                        (progress == SCOPECHECK_PROGRESS_RUN ? SCOPECHECK_CLIENT_INSIDE : 0),
          .flavours = current_thread,
          .evidence = canary_evidence,
          .expectations = expectations};
}

inline constexpr scopecheck_evidence thread_canary_evidence[] = {may_throw};

/// The same with children that block a thread each.
constexpr kit::Description thread_canary(const char* name, const char* summary, std::uint32_t on_destroy,
                                         std::span<const scopecheck_expectation> expectations = planted) {
  return {.name = name,
          .summary = summary,
          .shape = SCOPECHECK_SHAPE_HANDLE,
          .carrier = SCOPECHECK_CARRIER_HANDLE,
          .child_kind = SCOPECHECK_CHILD_BLOCKS,
          .progress = SCOPECHECK_PROGRESS_THREADS,
          .promises = SCOPECHECK_PROMISE_INSTRUMENTED,
          .on_destroy = on_destroy,
          .hidden = 1,
          .client_ops = SCOPECHECK_CLIENT_THROW,
          .may_block = SCOPECHECK_OP_HANDLE_DESTROY,
          .flavours = thread_per_child,
          .evidence = thread_canary_evidence,
          .expectations = expectations};
}

}  // namespace scopecheck::platform
