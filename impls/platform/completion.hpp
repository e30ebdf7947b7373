// Where a task's end is written down and where whoever awaits it looks: result, panic or cancellation.
#pragma once

#include "harness/abi/kit.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

namespace scopecheck::platform {

/// Thrown by awaiting a task that was cancelled.
struct Cancelled {};

/// Ends the process: what a design does when safe code asked for something that cannot be done soundly.
[[noreturn]] inline void fail_stop(const char* why) {
  static_cast<void>(std::fprintf(stderr, "fail-stop: %s\n", why));
  std::abort();
}

/// Destroys an object that nobody asked for. A panic of its destructor ends here, as in a JoinHandle's drop.
inline void discard(kit::Object object) noexcept {
  if (scopecheck_object* raw = object.release()) static_cast<void>(kit::host().object_drop(raw));
}

class Completion {
 public:
  enum class Outcome : std::uint8_t { none, returned, panicked, cancelled };

  [[nodiscard]] bool ended() const { return outcome_ != Outcome::none; }
  [[nodiscard]] bool panicked() const { return outcome_ == Outcome::panicked; }

  /// Polls the child once and notes how it ended, if it did. The child is still to be dropped.
  void step(kit::Child& child, const kit::WakerRef& waker) {
    try {
      if (std::optional<kit::Result> result = child.poll(waker)) end(Outcome::returned, std::move(*result));
    } catch (kit::Panic& panic) {
      end(Outcome::panicked, std::move(panic.payload));
    }
  }
  void cancel() {
    if (!ended()) end(Outcome::cancelled, {});
  }
  /// What a handle's `poll` answers. Errors: throws kit::Panic or Cancelled.
  [[nodiscard]] std::optional<kit::Result> poll(const kit::WakerRef& waker) {
    if (!ended()) {
      awaiter_ = waker.clone();
      return std::nullopt;
    }
    return take();
  }
  /// Requires: ended, and not taken before.
  [[nodiscard]] std::optional<kit::Result> take() {
    if (outcome_ == Outcome::panicked) throw kit::Panic{std::move(object_)};
    if (outcome_ == Outcome::cancelled) throw Cancelled{};
    return std::move(object_);
  }
  /// Gives the result or payload up to the caller without a word about how the task ended.
  [[nodiscard]] kit::Object take_object() { return std::move(object_); }
  /// The waker of whoever polled last; wake it when nothing of the task is touched any more.
  [[nodiscard]] kit::Waker take_awaiter() { return std::move(awaiter_); }

 private:
  void end(Outcome outcome, kit::Object object) {
    outcome_ = outcome;
    object_ = std::move(object);
  }

  kit::Waker awaiter_;
  kit::Object object_;
  Outcome outcome_ = Outcome::none;
};

}  // namespace scopecheck::platform
