// Linked children: a scope that owns no child. Each child lives in its own pinned handle, which links
// itself into the scope; only the scope's `poll` polls children, all of them, each with the very waker the
// parent was polled with, so there is no waker of our own that could be late. Nothing is allocated.
// Whoever ends first leaves the other consistent: a handle's destructor unlinks and drops its child, a
// scope's destructor drops the children in place. Whatever is forgotten is merely never polled again, or
// still polled only while the scope is: sound as long as the child's borrows outlive handle *and* scope.
//
// A child's panic leaves through the scope's poll; that child is gone, its siblings stay. A result is
// dropped where its child ended. The wake-up is not selective: see slot_nursery.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/block_on.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/link.hpp"

#include <stdexcept>

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence linked_evidence[] = {
    platform::may_forget,
    platform::may_box,
    platform::may_live_in_async_block,
    platform::may_keep_waker,
    platform::may_throw,
    platform::may_be_inside,
    {SCOPECHECK_CLIENT_SPAWN_NESTED, platform::token_by_value}};

struct LinkedChildren {
  static constexpr kit::Description description{
      .name = "linked_children",
      .summary = "children embedded in pinned handles, linked into a scope and polled only by it",
      .shape = SCOPECHECK_SHAPE_PARENT_DRIVEN,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .progress = SCOPECHECK_PROGRESS_DRIVE,
      .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_JOIN_RETHROWS |
                  SCOPECHECK_PROMISE_WAKES | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_CANCELS,
      .handle_embeds_child = 1,
      .client_ops = platform::pinned_client_ops | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_BLOCK_ON,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_SCOPE_INIT | SCOPECHECK_OP_SCOPE_DESTROY |
                   SCOPECHECK_OP_SCOPE_DRIVE | SCOPECHECK_OP_HANDLE_DESTROY | SCOPECHECK_OP_HANDLE_CANCEL,
      .flavours = platform::current_thread,
      .evidence = linked_evidence};

  struct Runtime : platform::RootOnly {};

  class Handle : public platform::Link<Handle> {
   public:
    Handle(platform::List<Handle, Handle>& siblings, kit::Child child) : child_(std::move(child)) {
      siblings.push_back(*this);
    }
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      if (running_) platform::fail_stop("a handle was destroyed from within its child's step");
      cancel();
    }

    /// One poll by the scope. Errors: throws its Panic, or its result's.
    void step(const kit::WakerRef& waker) {
      running_ = true;
      std::optional<kit::Result> result;
      try {
        result = child_.poll(waker);
      } catch (...) {
        cancel();
        running_ = false;
        throw;
      }
      if (result) cancel();
      running_ = false;
      if (result) const kit::Result dropped_here = std::move(*result);
    }
    void cancel() {
      unlink();
      child_.drop();
    }

   private:
    kit::Child child_;
    bool running_ = false;
  };

  class Scope {
   public:
    explicit Scope(Runtime&) {}
    Scope(Scope&&) = delete;
    Scope& operator=(Scope&&) = delete;
    ~Scope() {
      if (polling_) platform::fail_stop("a scope was destroyed from within its own poll");
      while (!children_.empty()) children_.front().cancel();
    }

    Handle spawn(kit::Child child) {
      spawned_ = true;
      return Handle(children_, std::move(child));
    }

    /// Polls every child once. Ready when there is none left.
    /// Errors: throws the Panic of a child, or of a result's destructor; to be polled again after it.
    kit::Poll poll(const kit::WakerRef& waker) {
      if (polling_) throw std::logic_error("a scope is polled from within its own poll");
      Round round{*this};
      spawned_ = false;
      while (!children_.empty()) round.todo.push_back(children_.pop_front());
      // Steps may spawn (into children_) and destroy handles (which leave either list).
      while (!round.todo.empty()) {
        Handle& child = round.todo.pop_front();
        children_.push_back(child);
        child.step(waker);
      }
      if (children_.empty()) return kit::Poll::ready;
      if (spawned_) waker.wake();
      return kit::Poll::pending;
    }

   private:
    /// The children still to be polled; an exception leaves them to the next poll.
    struct Round {
      explicit Round(Scope& s) : scope(s) { scope.polling_ = true; }
      Round(const Round&) = delete;
      Round& operator=(const Round&) = delete;
      ~Round() {
        scope.polling_ = false;
        while (!todo.empty()) scope.children_.push_back(todo.pop_front());
      }
      Scope& scope;
      platform::List<Handle, Handle> todo;
    };

    platform::List<Handle, Handle> children_;
    bool polling_ = false;
    bool spawned_ = false;
  };
};
SCOPECHECK_REGISTER(LinkedChildren);

}  // namespace
}  // namespace scopecheck::designs
