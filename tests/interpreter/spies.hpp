// Implementations for tests of the interpreter: a sound one that keeps a journal of what is done to it, and
// one that misbehaves as the test says.
#pragma once

#include "harness/abi/kit.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/heap_executor.hpp"

#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace scopecheck::tests {

/// What the spy saw, in order: "drop h0", "move h0", "drop h0 while unwinding", "wake".
inline std::vector<std::string> journal;

inline constexpr std::uint64_t everything_a_client_can =
    SCOPECHECK_CLIENT_FORGET | SCOPECHECK_CLIENT_BOX | SCOPECHECK_CLIENT_MOVE |
    SCOPECHECK_CLIENT_SPAWN_NESTED | SCOPECHECK_CLIENT_INSIDE | SCOPECHECK_CLIENT_ASYNC |
    SCOPECHECK_CLIENT_KEEP_WAKER | SCOPECHECK_CLIENT_THROW | SCOPECHECK_CLIENT_SHUTDOWN |
    SCOPECHECK_CLIENT_FORGET_IN_PLACE;

/// Heap tasks that their movable handles cancel.
struct Spy {
  static constexpr kit::Description description{
      .name = "spy",
      .summary = "keeps a journal",
      .shape = SCOPECHECK_SHAPE_HANDLE,
      .carrier = SCOPECHECK_CARRIER_HANDLE,
      .progress = SCOPECHECK_PROGRESS_RUN,
      .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_JOIN_RETHROWS | SCOPECHECK_PROMISE_WAKES,
      .on_destroy = SCOPECHECK_DESTROY_CANCELS,
      .move_handle = SCOPECHECK_MOVE_ALWAYS,
      .client_ops = everything_a_client_can,
      .may_block = SCOPECHECK_OP_BLOCK_ON,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_HANDLE_DESTROY | SCOPECHECK_OP_HANDLE_POLL,
      .flavours = platform::current_thread};

  class Handle {
   public:
    Handle(int number, platform::HeapExecutor& executor, kit::Child child)
        : number_(number), task_(executor.start(std::move(child))) {}
    Handle(Handle&& other) noexcept : number_(other.number_), task_(std::move(other.task_)) { note("move"); }
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      if (!task_) return;
      note("drop");
      task_->forsake();
      task_->cancel();
    }
    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return task_->completion().poll(waker); }

   private:
    void note(const char* what) const {
      journal.push_back(std::string(what) + " h" + std::to_string(number_) +
                        (std::uncaught_exceptions() > 0 ? " while unwinding" : ""));
    }
    int number_;
    platform::TaskRef task_;
  };

  struct Runtime : platform::HeapExecutor {
    Runtime() { journal.clear(); }
    Handle spawn(kit::Child child) { return Handle(made_++, *this, std::move(child)); }

   private:
    int made_ = 0;
  };
};

/// A scope of heap tasks, with every way to wait that the door knows; its end cancels them.
struct GuardSpy {
  static constexpr kit::Description description{
      .name = "guard_spy",
      .summary = "a scope with join, close and join objects",
      .shape = SCOPECHECK_SHAPE_GUARD,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .progress = SCOPECHECK_PROGRESS_RUN | SCOPECHECK_PROGRESS_JOIN,
      .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_WAKES,
      .on_destroy = SCOPECHECK_DESTROY_CANCELS,
      .move_scope = SCOPECHECK_MOVE_UNTIL_STARTED,
      .move_join = SCOPECHECK_MOVE_ALWAYS,
      .client_ops = everything_a_client_can & ~SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_BLOCK_ON | SCOPECHECK_OP_SCOPE_JOIN,
      .flavours = platform::current_thread};

  struct Runtime : platform::HeapExecutor {};

  class Scope {
   public:
    explicit Scope(Runtime& runtime) : runtime_(&runtime) {}
    Scope(Scope&&) = default;
    Scope& operator=(Scope&&) = delete;
    ~Scope() { cancel(); }

    void spawn(kit::Child child) {
      if (closed_) throw kit::Closed{};
      tasks_.push_back(runtime_->start(std::move(child)));
      tasks_.back()->forsake();
    }
    void close() { closed_ = true; }
    void cancel() {
      for (const platform::TaskRef& task : tasks_) task->cancel();
    }
    void join() {
      while (!ended())
        if (runtime_->run(1) == 0) kit::host().idle();
    }
    [[nodiscard]] bool ended() const {
      for (const platform::TaskRef& task : tasks_)
        if (!task->completion().ended()) return false;
      return true;
    }

   private:
    Runtime* runtime_;
    bool closed_ = false;
    std::vector<platform::TaskRef> tasks_;
  };

  class Join {
   public:
    explicit Join(Scope& scope) : scope_(&scope) {}
    kit::Poll poll(const kit::WakerRef&) { return scope_->ended() ? kit::Poll::ready : kit::Poll::pending; }

   private:
    Scope* scope_;
  };
};

namespace rogue {

/// Steps and drops as the test says, with a waker that calls `hooks.woken`.
inline scopecheck_status step(scopecheck_child* child, scopecheck_object** out);
inline scopecheck_status step(scopecheck_child* child) {
  scopecheck_object* out = nullptr;
  return step(child, &out);
}
inline void drop(scopecheck_child* child) { kit::host().child_drop(child); }

/// What it does with its one child; a well-behaved handle that polls it unless the test changes that.
struct Hooks {
  std::function<void(scopecheck_child*)> spawned = [](scopecheck_child*) {};
  std::function<void(scopecheck_child*)> destroyed = [](scopecheck_child* child) { drop(child); };
  std::function<std::optional<kit::Result>(scopecheck_child*)> polled = [](scopecheck_child* child) {
    scopecheck_object* out = nullptr;
    const scopecheck_status status = step(child, &out);
    return status == SCOPECHECK_PENDING ? std::nullopt : std::optional(kit::Result(out));
  };
  std::function<std::size_t(std::size_t)> run = [](std::size_t) { return std::size_t{0}; };
  std::function<void(scopecheck_child*)> block_on = [](scopecheck_child* root) {
    while (step(root) == SCOPECHECK_PENDING) {
    }
    drop(root);
  };
  std::function<void()> woken = [] {};
};
inline Hooks hooks;

inline scopecheck_waker waker();
inline constexpr scopecheck_waker_vtable waker_vtable{[](const void*) { return waker(); },
                                                      [](const void*) { hooks.woken(); }, [](const void*) {}};
inline scopecheck_waker waker() { return {&waker_vtable, nullptr}; }
inline scopecheck_status step(scopecheck_child* child, scopecheck_object** out) {
  const scopecheck_waker waking = waker();
  return kit::host().child_step(child, &waking, out);
}

}  // namespace rogue

/// A handle around a child that is never touched but by the test's own hooks.
struct Rogue {
  static constexpr kit::Description description{
      .name = "rogue",
      .summary = "misbehaves as told",
      .shape = SCOPECHECK_SHAPE_HANDLE,
      .carrier = SCOPECHECK_CARRIER_HANDLE,
      .progress = SCOPECHECK_PROGRESS_RUN,
      .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_JOIN_RETHROWS | SCOPECHECK_PROMISE_WAKES,
      .on_destroy = SCOPECHECK_DESTROY_CANCELS,
      .move_handle = SCOPECHECK_MOVE_ALWAYS,
      .client_ops = everything_a_client_can,
      .may_block = SCOPECHECK_OP_BLOCK_ON,
      .flavours = platform::current_thread};

  class Handle {
   public:
    explicit Handle(kit::Child child) : child_(child.release()) { rogue::hooks.spawned(child_); }
    Handle(Handle&& other) noexcept : child_(std::exchange(other.child_, nullptr)) {}
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      if (child_ != nullptr) rogue::hooks.destroyed(child_);
    }
    std::optional<kit::Result> poll(const kit::WakerRef&) { return rogue::hooks.polled(child_); }

   private:
    scopecheck_child* child_;
  };

  struct Runtime {
    Handle spawn(kit::Child child) { return Handle(std::move(child)); }
    std::size_t run(std::size_t budget) { return rogue::hooks.run(budget); }
    std::optional<kit::Result> block_on(kit::Child root) {
      rogue::hooks.block_on(root.release());
      return kit::Result();
    }
  };
};

}  // namespace scopecheck::tests
