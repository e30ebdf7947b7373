// Scoped threads: std::thread::scope of Rust. A call runs the client's block with a scope, each child has a
// thread of its own, and the call returns when all of them ended. A panic that no join has handed over is
// passed on then.
//
// idea:        the thread that spawned cannot go on before the call returns; nobody owns what makes it wait
// leak vector: none that frees anything
// price:       the last of thread and handle tells the scope what the thread ended with, so that a forgotten
//              handle makes the call wait for ever: a hang
// Source: https://github.com/rust-lang/rust/blob/1.83.0/library/std/src/thread/mod.rs (Packet, its Drop) and
// library/std/src/thread/scoped.rs
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/blocking.hpp"
#include "impls/platform/latch.hpp"
#include "impls/platform/threads.hpp"

#include <memory>
#include <utility>

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence scoped_threads_evidence[] = {
    platform::may_forget,
    platform::may_box,
    platform::may_move,
    platform::may_throw,
    {SCOPECHECK_CLIENT_SPAWN_NESTED, platform::scope_by_reference}};

struct ScopedThreads {
  static constexpr kit::Description description{
      .name = "scoped_threads",
      .summary = "a call that returns when the threads spawned in it ended (std::thread::scope of Rust)",
      .shape = SCOPECHECK_SHAPE_CLOSURE,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .child_kind = SCOPECHECK_CHILD_BLOCKS,
      .progress = SCOPECHECK_PROGRESS_THREADS,
      .promises =
          SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_JOIN_RETHROWS | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
      .move_handle = SCOPECHECK_MOVE_ALWAYS,
      .client_ops = SCOPECHECK_CLIENT_FORGET | SCOPECHECK_CLIENT_BOX | SCOPECHECK_CLIENT_MOVE |
                    SCOPECHECK_CLIENT_THROW | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_SCOPE_ENTER | SCOPECHECK_OP_HANDLE_JOIN,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_HANDLE_DESTROY | SCOPECHECK_OP_SCOPE_ENTER,
      .flavours = platform::thread_per_child,
      .evidence = scoped_threads_evidence};

  struct Runtime {};
  class Scope;

  /// How a thread ended: shared by the thread and its handle.
  class Packet {
   public:
    explicit Packet(Scope& scope) : scope_(scope) {}
    Packet(const Packet&) = delete;
    Packet& operator=(const Packet&) = delete;
    /// The result goes before the count falls, since it may borrow (rust-lang/rust#94644). Where its
    /// destructor panics the process ends, as it does in Rust.
    ~Packet() {
      const bool unhandled = ending_.panicked() && !taken_;
      {
        const kit::Object dropped = ending_.take_object();
      }
      scope_.ended(unhandled);
    }

    void run(kit::Child child) { ending_.run(child); }
    /// Requires: the thread has been joined.
    kit::Result take() {
      taken_ = true;
      return ending_.take();
    }

   private:
    Scope& scope_;
    platform::Ending ending_;
    bool taken_ = false;
  };

  class Handle {
   public:
    explicit Handle(std::shared_ptr<Packet> packet, kit::Child child)
        : packet_(packet), thread_([shared = std::move(packet), body = std::move(child)]() mutable {
            shared->run(std::move(body));
            shared.reset();
          }) {}
    Handle(Handle&&) = default;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      if (thread_.joinable()) thread_.detach();
    }

    kit::Result join() && {
      thread_.join();
      return packet_->take();
    }

   private:
    std::shared_ptr<Packet> packet_;
    platform::Thread thread_;
  };

  class Scope {
   public:
    struct ThreadPanicked {};

    explicit Scope(Runtime& /*runtime*/) {}

    void enter(kit::Body body) {
      {
        const platform::WaitOnExit wait(running_);
        body();
      }
      if (panicked_.load()) throw ThreadPanicked{};
    }
    Handle spawn(kit::Child child) {
      running_.add();
      return Handle(std::make_shared<Packet>(*this), std::move(child));
    }

   private:
    friend Packet;
    void ended(bool panicked) {
      if (panicked) panicked_.store(true);
      running_.done();
    }

    platform::Latch running_;
    platform::Atomic<bool> panicked_{false};
  };
};
SCOPECHECK_REGISTER(ScopedThreads);

}  // namespace
}  // namespace scopecheck::designs
