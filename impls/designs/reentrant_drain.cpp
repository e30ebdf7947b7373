// Reentrant drain: one answer to "can a task be blocked without blocking the thread?". The scope's
// destructor runs the executor, on top of whatever is being polled, until the scope's children ended.
// Children live in the pinned scope; nothing is allocated. A child that destroys the scope it runs in
// waits for itself: that hangs, soundly. A panic of a child ends that child and is swallowed.
//
// idea:                    block the task, not the thread: drain the executor from inside the destructor
// leak vector:             forget of a boxed scope
// expected finding:        use-after-scope: the child's step
// smallest counterexample: cell c; scope boxed s; spawn t in s borrow c {read c}; forget s; the frame ends;
// run
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/local_executor.hpp"

#include <array>

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence drain_evidence[] = {platform::may_forget,
                                                  platform::may_box,
                                                  platform::may_live_in_async_block,
                                                  platform::may_keep_waker,
                                                  platform::may_throw,
                                                  platform::may_be_inside,
                                                  {SCOPECHECK_CLIENT_SPAWN_NESTED, platform::token_by_value}};
constexpr scopecheck_precondition drain_preconditions[] = {
    {SCOPECHECK_PRE_NO_FORGET, 0,
     "https://docs.rs/async-scoped/latest/async_scoped/struct.Scope.html#method.create: unsafe, its drop "
     "must run"}};
constexpr scopecheck_expectation drain_expectations[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND,
     "only the destructor waits, and a boxed scope can be forgotten"}};

struct ReentrantDrain {
  static constexpr kit::Description description{
      .name = "reentrant_drain",
      .summary = "a scope whose destructor runs the executor re-entrantly until its children ended",
      .shape = SCOPECHECK_SHAPE_GUARD,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .progress = SCOPECHECK_PROGRESS_RUN,
      .promises = SCOPECHECK_PROMISE_WAKES | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
      .client_ops = platform::pinned_client_ops | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_BLOCK_ON | SCOPECHECK_OP_SCOPE_DESTROY,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_SCOPE_INIT | SCOPECHECK_OP_SCOPE_DESTROY,
      .flavours = platform::current_thread,
      .evidence = drain_evidence,
      .preconditions = drain_preconditions,
      .expectations = drain_expectations};

  struct Runtime : platform::LocalExecutor {};

  class Scope {
   public:
    explicit Scope(Runtime& runtime) : runtime_(runtime) {}
    Scope(Scope&&) = delete;
    Scope& operator=(Scope&&) = delete;
    ~Scope() {
      while (live_ != 0)
        if (runtime_.run(1) == 0) kit::host().idle();
    }

    /// Errors: throws kit::Closed when all places are taken.
    void spawn(kit::Child child) {
      for (std::optional<Task>& place : places_) {
        if (place && !place->gone()) continue;
        place.emplace(*this, std::move(child));
        ++live_;
        return;
      }
      throw kit::Closed{};
    }

   private:
    class Task : public platform::LocalTask {
     public:
      Task(Scope& scope, kit::Child child) : LocalTask(scope.runtime_, std::move(child)), scope_(scope) {}
      [[nodiscard]] bool gone() const { return gone_; }

     private:
      void on_end() override {
        platform::discard(completion().take_object());
        gone_ = true;
        --scope_.live_;
      }
      Scope& scope_;
      bool gone_ = false;
    };

    Runtime& runtime_;
    std::size_t live_ = 0;
    std::array<std::optional<Task>, 8> places_;
  };
};
SCOPECHECK_REGISTER(ReentrantDrain);

}  // namespace
}  // namespace scopecheck::designs
