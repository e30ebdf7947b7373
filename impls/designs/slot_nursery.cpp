// Slot nursery: our answer to the open question. On one thread and without an allocation, a task that
// borrows from its parent's frame is sound if nothing but the parent's own poll, and the nursery's end, can
// step it, drop it or drop what it returned:
//
//   parent --poll--> nursery [ seat | seat | seat | ... ]     seats are part of the pinned nursery
//                                ^
//   waker, handle = ticket --- find --- static table (slot, generation)     no pointer to go stale
//
// - Forget the nursery: it can only be forgotten boxed; it is never polled again, so no child is.
// - Forget a handle: a handle is a number. Its seat stays taken until the nursery ends, no more.
// - Drop a handle: detaches. Cancel through it: asks. Both only leave a note for the nursery's next poll, so
//   they may come from anywhere: from within the child's own step, or after the nursery was forgotten.
// - Drop in any order: the ticket of a seat ends with it; a handle whose nursery is gone says Cancelled.
// - Drop the nursery from within a step of its children: `poll` has it borrowed exclusively, so safe Rust
//   cannot write that; here it is a fail-stop. Polling it there throws, as a RefCell would.
// - Late wakes find no ticket. Wake-ups are selective: only woken seats are polled.
// - Panics: to the handle, if there still is one, else out of the nursery's poll; siblings stay.
// - Destructors that panic: of what nobody takes, swallowed, as by a JoinHandle's drop.
//
// The price: parallelism (no child runs without its parent's poll), and a fixed number of seats.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/block_on.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/tickets.hpp"

#include <array>
#include <stdexcept>

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence nursery_evidence[] = {
    platform::may_forget,
    platform::may_box,
    {SCOPECHECK_CLIENT_MOVE, "handles are Unpin; the nursery is not"},
    platform::may_live_in_async_block,
    platform::may_keep_waker,
    platform::may_throw,
    platform::may_be_inside,
    {SCOPECHECK_CLIENT_SPAWN_NESTED, platform::token_by_value}};

struct SlotNursery {
  static constexpr kit::Description description{
      .name = "slot_nursery",
      .summary = "pinned scope with inline seats, polled only by its parent; wakers and handles are tickets",
      .shape = SCOPECHECK_SHAPE_PARENT_DRIVEN,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .progress = SCOPECHECK_PROGRESS_DRIVE,
      .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_JOIN_RETHROWS |
                  SCOPECHECK_PROMISE_WAKES | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_CANCELS,
      .move_handle = SCOPECHECK_MOVE_ALWAYS,
      .client_ops = platform::movable_client_ops | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_BLOCK_ON,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_SCOPE_INIT | SCOPECHECK_OP_SCOPE_DESTROY |
                   SCOPECHECK_OP_SCOPE_DRIVE | SCOPECHECK_OP_SCOPE_CANCEL | SCOPECHECK_OP_HANDLE_DESTROY |
                   SCOPECHECK_OP_HANDLE_POLL | SCOPECHECK_OP_HANDLE_CANCEL,
      .flavours = platform::current_thread,
      .evidence = nursery_evidence};

  class Scope;

  /// Room for one child. vacant (no ticket) -> live (child) -> ended (outcome, until the handle takes it).
  struct Seat {
    Scope* scope = nullptr;
    platform::Ticket ticket = 0;
    kit::Child child;
    platform::Completion outcome;
    kit::Waker awaiter;
    bool woken = false;
    bool busy = false;  // the child is being stepped or dropped
    bool cancelled = false;
    bool attached = false;  // a handle exists

    void wake();
    void end(platform::Completion how);
    void vacate();
  };
  using Tickets = platform::Tickets<Seat>;

  struct Runtime : platform::RootOnly {
    Runtime() { Tickets::revoke_all(); }
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;
  };

  class Handle {
   public:
    explicit Handle(platform::Ticket ticket) : ticket_(ticket) {}
    Handle(Handle&& other) noexcept : ticket_(std::exchange(other.ticket_, 0)) {}
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      Seat* const seat = Tickets::find(ticket_);
      if (seat == nullptr) return;
      seat->attached = false;
      seat->awaiter = {};
    }

    /// Errors: throws the child's Panic, or platform::Cancelled.
    std::optional<kit::Result> poll(const kit::WakerRef& waker) {
      Seat* const seat = Tickets::find(ticket_);
      if (seat == nullptr) throw platform::Cancelled{};
      if (!seat->outcome.ended()) {
        seat->awaiter = waker.clone();
        return std::nullopt;
      }
      platform::Completion outcome = std::move(seat->outcome);
      seat->vacate();
      return outcome.take();
    }
    /// Asks the nursery to drop the child when it is polled next.
    void cancel() {
      Seat* const seat = Tickets::find(ticket_);
      if (seat == nullptr || !seat->child) return;
      seat->cancelled = true;
      seat->wake();
    }

   private:
    platform::Ticket ticket_;
  };

  class Scope {
   public:
    explicit Scope(Runtime& /*runtime*/) {}
    Scope(Scope&&) = delete;
    Scope& operator=(Scope&&) = delete;
    ~Scope() {
      closed_ = true;
      for (const Seat& seat : seats_)
        if (seat.busy) platform::fail_stop("a nursery was destroyed from within a step of its child");
      for (Seat& seat : seats_) {
        Tickets::revoke(seat.ticket);  // from here on the handle says Cancelled
        seat.child.drop();
        platform::discard(seat.outcome.take_object());
        seat.awaiter.wake();
      }
    }

    /// Errors: throws kit::Closed when all seats are taken.
    Handle spawn(kit::Child child) {
      for (Seat& seat : seats_) {
        if (closed_ || seat.ticket != 0) continue;
        seat.ticket = Tickets::issue(seat);
        if (seat.ticket == 0) break;
        seat.scope = this;
        seat.child = std::move(child);
        seat.attached = true;
        seat.wake();
        return Handle(seat.ticket);
      }
      throw kit::Closed{};
    }

    /// Polls every child that was woken, once, and clears up behind the others. Ready when none is live.
    /// Errors: throws the Panic of a child without handle; to be polled again after it.
    kit::Poll poll(const kit::WakerRef& waker) {
      if (polling_) throw std::logic_error("a nursery is polled from within its own poll");
      struct Polling {
        bool& flag;
        ~Polling() { flag = false; }
      } const polling{polling_ = true};
      parent_ = waker.clone();
      for (Seat& seat : seats_) {
        if (std::exchange(seat.woken, false) && seat.child && !seat.busy) step(seat);
        if (seat.outcome.ended() && !seat.attached) seat.vacate();
      }
      bool live = false;
      bool woken = false;
      for (const Seat& seat : seats_) {
        live = live || seat.child;
        woken = woken || (seat.child && seat.woken);
      }
      if (woken) waker.wake();
      return live ? kit::Poll::pending : kit::Poll::ready;
    }

    /// Drops every child now; the one being stepped, if any, after its step.
    void cancel() {
      for (Seat& seat : seats_) {
        if (!seat.child) continue;
        seat.cancelled = true;
        if (!seat.busy) step(seat);
      }
    }

   private:
    friend struct Seat;

    static void step(Seat& seat) {
      platform::Completion outcome;
      if (!seat.cancelled) {
        seat.busy = true;
        outcome.step(seat.child, kit::WakerRef(Tickets::waker(seat.ticket)));
        seat.busy = false;
      }
      if (seat.cancelled) outcome.cancel();
      if (!outcome.ended()) return;
      if (outcome.panicked() && !seat.attached) {
        seat.end({});
        static_cast<void>(outcome.take());  // throws the Panic
      }
      seat.end(std::move(outcome));
    }

    kit::Waker parent_;
    bool polling_ = false;
    bool closed_ = false;
    std::array<Seat, 8> seats_;
  };
};

void SlotNursery::Seat::wake() {
  if (!child) return;
  woken = true;
  if (!scope->polling_) scope->parent_.wake();
}

/// Drops the child in place, then publishes how it ended: no handle sees an end with the child still there.
void SlotNursery::Seat::end(platform::Completion how) {
  busy = true;
  child.drop();
  busy = false;
  outcome = std::move(how);
  const kit::Waker waiting = std::move(awaiter);
  if (!attached) vacate();
  waiting.wake();
}

void SlotNursery::Seat::vacate() {
  Tickets::revoke(ticket);
  ticket = 0;
  woken = cancelled = false;
  kit::Object unclaimed = outcome.take_object();
  outcome = {};
  platform::discard(std::move(unclaimed));
}
SCOPECHECK_REGISTER(SlotNursery);

}  // namespace
}  // namespace scopecheck::designs
