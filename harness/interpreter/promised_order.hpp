// The order that an API promises, told to TSan where it cannot see for itself: for implementations that are
// not built with the harness's sanitizer. Of those that are (SCOPECHECK_PROMISE_INSTRUMENTED) nothing is
// said: one that forgets to order a child's last touch before the end of its loan has a defect.
//
//   spawn, start ---> the child's steps
//   its last step, its destructor, its result's ---> whatever the API says waits for the child: a join, the
//                                                    destructor of the carrier, the return of `enter`
#pragma once

#include "harness/abi/plugin.h"
#include "harness/interpreter/tsan.hpp"

namespace scopecheck::interpreter {

class PromisedOrder {
 public:
  explicit PromisedOrder(const scopecheck_plugin& plugin)
      : told_(under_tsan && (plugin.promises & SCOPECHECK_PROMISE_INSTRUMENTED) == 0),
        join_waits_((plugin.promises & SCOPECHECK_PROMISE_JOIN_WAITS) != 0),
        destructor_waits_(plugin.on_destroy == SCOPECHECK_DESTROY_BLOCKS ||
                          plugin.on_destroy == SCOPECHECK_DESTROY_CANCELS) {}

  void handed_over(scopecheck_child& child) const {
    if (told_) tsan_release(begin_of(child));
  }
  void child_begins(scopecheck_child& child) const {
    if (told_) tsan_acquire(begin_of(child));
  }
  /// What it was to do, or to destroy, is done.
  void child_ends(scopecheck_child& child) const {
    if (told_) tsan_release(end_of(child));
  }
  void join_returned(scopecheck_child& child) const {
    if (told_ && join_waits_) tsan_acquire(end_of(child));
  }
  void carrier_destroyed(scopecheck_child& child) const {
    if (told_ && destructor_waits_) tsan_acquire(end_of(child));
  }
  /// `enter`, or block_on of a root.
  void call_returned(scopecheck_child& child) const {
    if (told_) tsan_acquire(end_of(child));
  }

 private:
  // two addresses of the child that nobody else synchronises on
  static void* begin_of(scopecheck_child& child) { return &child; }
  static void* end_of(scopecheck_child& child) { return reinterpret_cast<char*>(&child) + 8; }

  bool told_;
  bool join_waits_;
  bool destructor_waits_;
};

}  // namespace scopecheck::interpreter
