// Runs one future on the caller's stack and nothing else: the runtime of designs that need no executor,
// since their children progress inside their parent's poll.
#pragma once

#include "impls/platform/completion.hpp"
#include "impls/platform/tickets.hpp"

#include <optional>
#include <utility>

namespace scopecheck::platform {

/// Source: https://docs.rs/futures/latest/futures/executor/fn.block_on.html, with a ticket for its waker.
class RootOnly {
 public:
  /// Requires: no other runtime of this kind is in use on this thread.
  RootOnly() { Tickets<Root>::revoke_all(); }

  /// Errors: throws the root's Panic; kit::Closed when no ticket is left.
  std::optional<kit::Result> block_on(kit::Child root) {
    Root state;
    while (!state.completion.ended()) {
      while (!std::exchange(state.woken, false)) kit::host().idle();
      state.completion.step(root, kit::WakerRef(Tickets<Root>::waker(state.ticket)));
    }
    root.drop();
    return state.completion.take();
  }

 private:
  struct Root {
    Root() {
      if (ticket == 0) throw kit::Closed{};
    }
    Root(const Root&) = delete;
    Root& operator=(const Root&) = delete;
    ~Root() noexcept(false) { Tickets<Root>::revoke(ticket); }
    void wake() { woken = true; }

    Completion completion;
    bool woken = true;
    Ticket ticket = Tickets<Root>::issue(*this);
  };
};

}  // namespace scopecheck::platform
