// Join guard: Rust's thread::scoped before 1.0. The handle of a scoped thread joins in its destructor, and
// passes the thread's panic on.
//
// idea:                    the borrow lives as long as the guard, and the guard joins when it dies
// leak vector:             forget of a guard (rust-lang/rust#24292: a reference cycle)
// expected finding:        use-after-scope: the child's step
// smallest counterexample: cell c; spawn t borrow c {read c} as h; forget h; the frame ends; step
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/blocking.hpp"
#include "impls/platform/threads.hpp"

#include <exception>
#include <memory>
#include <utility>

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence join_guard_evidence[] = {
    platform::may_forget,
    platform::may_box,
    platform::may_move,
    platform::may_throw,
    {SCOPECHECK_CLIENT_SPAWN_NESTED,
     "a free function, of any thread: thread::scoped(|| { thread::scoped(other); })"}};
constexpr scopecheck_expectation join_guard_expectations[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND,
     "only the destructor joins, and a guard can be forgotten"}};

struct JoinGuard {
  static constexpr kit::Description description{
      .name = "join_guard",
      .summary = "a thread whose handle joins in its destructor (thread::scoped before Rust 1.0)",
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
      .evidence = join_guard_evidence,
      .expectations = join_guard_expectations};

  class Handle {
   public:
    explicit Handle(kit::Child child)
        : ending_(std::make_shared<platform::Ending>()),
          thread_([ending = ending_, body = std::move(child)]() mutable { ending->run(body); }) {}
    Handle(Handle&&) = default;
    Handle& operator=(Handle&&) = delete;
    ~Handle() noexcept(false) {
      if (!thread_.joinable()) return;
      thread_.join();
      if (ending_->panicked() && std::uncaught_exceptions() == 0) static_cast<void>(ending_->take());
    }

    kit::Result join() && {
      thread_.join();
      return ending_->take();
    }

   private:
    std::shared_ptr<platform::Ending> ending_;
    platform::Thread thread_;
  };

  struct Runtime {
    Handle spawn(kit::Child child) { return Handle(std::move(child)); }
  };
};
SCOPECHECK_REGISTER(JoinGuard);

}  // namespace
}  // namespace scopecheck::designs
