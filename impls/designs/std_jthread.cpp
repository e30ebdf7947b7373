// std::jthread: its destructor asks the thread to stop and joins it. Blocking, and so sound wherever the
// destructor runs; but a handle can be detached, and forgotten.
//
// idea:                    joining in the destructor
// leak vector:             detach; forget of a handle
// expected finding:        use-after-scope: the child's step
// smallest counterexample: cell c; spawn t borrow c {read c} as h; detach h; the frame ends; step
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/blocking.hpp"

#include <thread>
#include <utility>

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence std_jthread_evidence[] = {
    platform::cpp_may_forget,
    platform::cpp_may_box,
    platform::cpp_may_move,
    platform::cpp_may_throw,
    {SCOPECHECK_CLIENT_SPAWN_NESTED, "C++: any thread may construct a std::jthread"}};
constexpr scopecheck_expectation std_jthread_expectations[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND, "detach: the thread outlives the frame"},
    {nullptr, SCOPECHECK_DISCIPLINE_NO_LEAK, SCOPECHECK_EXPECT_UNSOUND,
     "detach is an operation, not a leak"}};

struct StdJthread {
  static constexpr kit::Description description{
      .name = "std_jthread",
      .summary = "std::jthread: the destructor joins",
      .version = "libstdc++",
      .shape = SCOPECHECK_SHAPE_HANDLE,
      .carrier = SCOPECHECK_CARRIER_HANDLE,
      .child_kind = SCOPECHECK_CHILD_BLOCKS,
      .progress = SCOPECHECK_PROGRESS_THREADS,
      .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
      .move_handle = SCOPECHECK_MOVE_ALWAYS,
      .client_ops = SCOPECHECK_CLIENT_FORGET | SCOPECHECK_CLIENT_BOX | SCOPECHECK_CLIENT_MOVE |
                    SCOPECHECK_CLIENT_THROW | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_HANDLE_JOIN | SCOPECHECK_OP_HANDLE_DESTROY,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_HANDLE_DESTROY | SCOPECHECK_OP_HANDLE_CANCEL,
      .flavours = platform::thread_per_child,
      .evidence = std_jthread_evidence,
      .expectations = std_jthread_expectations};

  class Handle {
   public:
    explicit Handle(kit::Child child)
        : thread_([body = std::move(child)]() mutable { static_cast<void>(body.block()); }) {}

    /// std::jthread returns nothing.
    kit::Result join() && {
      thread_.join();
      return {};
    }
    void cancel() { thread_.request_stop(); }
    void detach() && { thread_.detach(); }

   private:
    std::jthread thread_;
  };

  struct Runtime {
    Handle spawn(kit::Child child) { return Handle(std::move(child)); }
  };
};
SCOPECHECK_REGISTER(StdJthread);

}  // namespace
}  // namespace scopecheck::designs
