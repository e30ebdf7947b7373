// Root parked: another answer to "can a task be blocked without blocking the thread?". A scope remembers
// the task that opened it; while it has children, the executor refuses to poll that task, and keeps its
// completion back. So every await of the spawner is a join, forgetting the scope skips nothing, and its
// destructor cancels what is left. Children live in the pinned scope; nothing is allocated. Outside of a
// task there is nobody to park: spawn refuses.
//
// What it overlooks: a task is parked only at its next suspension. Within one step it can forget the scope
// and end the function frame, block or the whole body that owns the borrowed memory.
//
// idea:                    block the task, not the thread: do not poll it while it has children
// leak vector:             forget of a boxed scope, then the frame ends before the next suspension
// expected finding:        use-after-scope: the child's step
// smallest counterexample: inside {cell c; scope boxed s; spawn t in s borrow c {read c}; forget s}
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/local_executor.hpp"

#include <array>

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence parked_evidence[] = {
    platform::may_forget,
    platform::may_box,
    platform::may_live_in_async_block,
    platform::may_keep_waker,
    platform::may_throw,
    platform::may_be_inside,
    {SCOPECHECK_CLIENT_SPAWN_NESTED, platform::token_by_value}};
constexpr scopecheck_precondition parked_preconditions[] = {
    {SCOPECHECK_PRE_WORKER_ONLY, 0,
     "this file: a scope that was opened outside of a task has nobody to park, and refuses to spawn"}};
constexpr scopecheck_expectation parked_expectations[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND,
     "a frame can end within the very step that forgot the scope, before the task can be parked"},
    {nullptr, SCOPECHECK_DISCIPLINE_DOCUMENTED, SCOPECHECK_EXPECT_UNSOUND,
     "the same: nothing forbids to forget"}};

struct RootParked {
  static constexpr kit::Description description{
      .name = "root_parked",
      .summary = "the executor does not poll the task that opened a scope until its children ended",
      .shape = SCOPECHECK_SHAPE_GUARD,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .progress = SCOPECHECK_PROGRESS_RUN,
      .promises = SCOPECHECK_PROMISE_WAKES | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_CANCELS,
      .client_ops = platform::pinned_client_ops | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_BLOCK_ON,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_SCOPE_INIT | SCOPECHECK_OP_SCOPE_DESTROY,
      .flavours = platform::current_thread,
      .evidence = parked_evidence,
      .preconditions = parked_preconditions,
      .expectations = parked_expectations};

  struct Runtime : platform::LocalExecutor {};

  class Scope {
   public:
    explicit Scope(Runtime& runtime)
        : runtime_(runtime), owner_(runtime.current() != nullptr ? runtime.current()->ticket() : 0) {}
    Scope(Scope&&) = delete;
    Scope& operator=(Scope&&) = delete;
    ~Scope() {
      closed_ = true;
      for (std::optional<Task>& place : places_) {
        if (!place || place->gone()) continue;
        place.reset();
        release_owner();
      }
    }

    /// Errors: throws kit::Closed outside of a task, and when all places are taken.
    void spawn(kit::Child child) {
      platform::LocalTask* const owner = platform::Tickets<platform::LocalTask>::find(owner_);
      if (owner == nullptr || closed_) throw kit::Closed{};
      for (std::optional<Task>& place : places_) {
        if (place && !place->gone()) continue;
        place.emplace(*this, std::move(child));
        owner->hold();
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
        scope_.release_owner();
      }
      Scope& scope_;
      bool gone_ = false;
    };

    void release_owner() {
      if (platform::LocalTask* owner = platform::Tickets<platform::LocalTask>::find(owner_)) owner->release();
    }

    Runtime& runtime_;
    platform::Ticket owner_;
    bool closed_ = false;
    std::array<std::optional<Task>, 8> places_;
  };
};
SCOPECHECK_REGISTER(RootParked);

}  // namespace
}  // namespace scopecheck::designs
