// std::async(std::launch::async): the destructor of the last future of the shared state waits for the thread.
//
// idea:                    the future's destructor blocks
// leak vector:             forget of a future
// expected finding:        use-after-scope: the child's step
// smallest counterexample: cell c; spawn t borrow c {read c} as h; forget h; the frame ends; step
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/blocking.hpp"

#include <future>
#include <utility>

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence std_async_evidence[] = {
    platform::cpp_may_forget,
    platform::cpp_may_box,
    platform::cpp_may_move,
    platform::cpp_may_throw,
    {SCOPECHECK_CLIENT_SPAWN_NESTED, "C++: any thread may call std::async"}};
constexpr scopecheck_expectation std_async_expectations[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND,
     "only the destructor waits, and a future can be forgotten"}};

struct StdAsync {
  static constexpr kit::Description description{
      .name = "std_async",
      .summary = "std::async with launch::async: the future's destructor waits",
      .version = "libstdc++",
      .shape = SCOPECHECK_SHAPE_HANDLE,
      .carrier = SCOPECHECK_CARRIER_HANDLE,
      .child_kind = SCOPECHECK_CHILD_BLOCKS,
      .progress = SCOPECHECK_PROGRESS_THREADS,
      .promises =
          SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_JOIN_RETHROWS | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
      .move_handle = SCOPECHECK_MOVE_ALWAYS,
      .client_ops = SCOPECHECK_CLIENT_FORGET | SCOPECHECK_CLIENT_BOX | SCOPECHECK_CLIENT_MOVE |
                    SCOPECHECK_CLIENT_THROW | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_HANDLE_JOIN | SCOPECHECK_OP_HANDLE_DESTROY,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_HANDLE_DESTROY,
      .flavours = platform::thread_per_child,
      .evidence = std_async_evidence,
      .expectations = std_async_expectations};

  class Handle {
   public:
    explicit Handle(kit::Child child)
        : future_(
              std::async(std::launch::async, [body = std::move(child)]() mutable { return body.block(); })) {}

    /// `get` rethrows what the body threw.
    kit::Result join() && { return future_.get(); }

   private:
    std::future<kit::Result> future_;
  };

  struct Runtime {
    Handle spawn(kit::Child child) { return Handle(std::move(child)); }
  };
};
SCOPECHECK_REGISTER(StdAsync);

}  // namespace
}  // namespace scopecheck::designs
