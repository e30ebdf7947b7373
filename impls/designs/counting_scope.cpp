// Counting scope: P3149's `counting_scope` (C++26), with coroutines on a single-threaded executor in the
// place of senders on any. The scope counts its children and neither stops nor waits for them: whoever
// owns it awaits `scope.join()` before its end; its destructor ends the process when nobody did.
//
//   unused --spawn--> open --close--> closed          unused --close--> unused-and-closed
//                      | join          | join         any of these two --join--> joined
//                      v               v
//              open-and-joining --> closed-and-joining ---- count is 0 ----> joined
//
// `join` is an awaitable object, or sync_wait(scope.join()) where the client blocks. An error that a child
// ends with is dropped: `spawn` takes none, so the client writes `upon_error` (that is done here). No
// `request_stop`: the children have no stop token to look at.
//
// idea:                    the scope counts, the client joins, and a destructor that finds a child terminates
// leak vector:             forget of a boxed scope: what is documented is what its destructor needs
// expected finding:        use-after-scope: the child's step
// smallest counterexample: cell c; scope boxed s; spawn t in s borrow c {read c}; forget s; the frame ends;
// run
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/heap_executor.hpp"

#include <exception>

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence counting_evidence[] = {
    {SCOPECHECK_CLIENT_FORGET,
     "`new counting_scope` that nobody deletes: https://eel.is/c++draft/basic.life"},
    {SCOPECHECK_CLIENT_BOX, "std::make_unique<counting_scope>()"},
    {SCOPECHECK_CLIENT_ASYNC, "task<> f() { counting_scope s; /* ... */ co_await s.join(); }"},
    {SCOPECHECK_CLIENT_KEEP_WAKER, "a waker of the executor is a counted value, to be copied and kept"},
    {SCOPECHECK_CLIENT_THROW,
     "throw in any body; https://open-std.org/jtc1/sc22/wg21/docs/papers/2026/"
     "p3296r6.html: an exception between spawn and join"},
    {SCOPECHECK_CLIENT_INSIDE, "sync_wait(f()): the client is the root task"},
    {SCOPECHECK_CLIENT_SPAWN_NESTED,
     "https://eel.is/c++draft/exec.scope.concepts: a scope_token is copyable; children hold copies"}};
constexpr scopecheck_precondition counting_preconditions[] = {
    {SCOPECHECK_PRE_JOIN_BEFORE_DESTROY, 0,
     "https://eel.is/c++draft/exec.counting.scopes: a destructor that finds a scope neither joined nor "
     "unused "
     "terminates"}};
constexpr scopecheck_expectation counting_expectations[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND,
     "a boxed scope that is never destroyed never terminates either: its children run on"},
    {nullptr, SCOPECHECK_DISCIPLINE_DOCUMENTED, SCOPECHECK_EXPECT_UNSOUND,
     "documented is what has to come before the destructor, not that there has to be one"}};

struct CountingScope {
  static constexpr kit::Description description{
      .name = "counting_scope",
      .summary = "P3149: the scope counts its children, the client joins it, an unjoined one terminates",
      .shape = SCOPECHECK_SHAPE_AWAITABLE,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .progress = SCOPECHECK_PROGRESS_RUN | SCOPECHECK_PROGRESS_JOIN,
      .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_WAKES | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_FAIL_STOP,
      .client_ops = platform::pinned_client_ops | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_BLOCK_ON | SCOPECHECK_OP_SCOPE_JOIN,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_SCOPE_INIT | SCOPECHECK_OP_SCOPE_DESTROY |
                   SCOPECHECK_OP_SCOPE_CLOSE | SCOPECHECK_OP_JOIN_POLL | SCOPECHECK_OP_JOIN_DESTROY,
      .flavours = platform::current_thread,
      .evidence = counting_evidence,
      .preconditions = counting_preconditions,
      .expectations = counting_expectations};

  struct Runtime : platform::HeapExecutor {};

  class Join;

  class Scope {
   public:
    explicit Scope(Runtime& runtime) : runtime_(runtime) {}
    Scope(Scope&&) = delete;
    Scope& operator=(Scope&&) = delete;
    ~Scope() {
      if (state_ != State::joined && state_ != State::unused && state_ != State::unused_and_closed)
        std::terminate();
    }

    /// Errors: throws kit::Closed when the scope is closed or joined; the child is dropped unrun.
    void spawn(kit::Child child) {
      if (!try_associate()) throw kit::Closed{};
      const platform::TaskRef task = runtime_.start(std::move(child));
      task->forsake();
      static_cast<void>(task->completion().poll(kit::WakerRef({&association_, this})));
    }
    void close() {
      if (state_ == State::unused) state_ = State::unused_and_closed;
      if (state_ == State::open) state_ = State::closed;
      if (state_ == State::open_and_joining) state_ = State::closed_and_joining;
    }
    /// sync_wait(join()): runs the executor meanwhile.
    void join() {
      start_join();
      while (state_ != State::joined)
        if (runtime_.run(1) == 0) kit::host().idle();
    }

   private:
    friend class Join;
    enum class State : std::uint8_t {
      unused,
      open,
      closed,
      open_and_joining,
      closed_and_joining,
      unused_and_closed,
      joined
    };

    bool try_associate() {
      if (state_ == State::unused) state_ = State::open;
      if (state_ != State::open && state_ != State::open_and_joining) return false;
      ++count_;
      return true;
    }
    /// The last thing that a child does, when nothing is left of it.
    void disassociate() {
      if (--count_ != 0) return;
      if (state_ == State::open_and_joining || state_ == State::closed_and_joining) joined();
    }
    void start_join() {
      if (state_ == State::joined) return;
      if (count_ == 0) return joined();
      if (state_ == State::open) state_ = State::open_and_joining;
      if (state_ == State::closed) state_ = State::closed_and_joining;
    }
    inline void joined();

    // An association is a child's to give up: what is woken when the child has ended.
    static scopecheck_waker associate_again(const void* scope) { return {&association_, scope}; }
    static void give_up(const void* scope) { static_cast<Scope*>(const_cast<void*>(scope))->disassociate(); }
    static constexpr scopecheck_waker_vtable association_{&associate_again, &give_up, [](const void*) {}};

    Runtime& runtime_;
    State state_ = State::unused;
    std::size_t count_ = 0;
    platform::List<Join, Join> joins_;
  };

  /// What `scope.join()` returns. Starts at its first poll; may be dropped before it is done.
  class Join : public platform::Link<Join> {
   public:
    explicit Join(Scope& scope) : scope_(scope) {}
    Join(Join&&) = delete;
    Join& operator=(Join&&) = delete;

    kit::Poll poll(const kit::WakerRef& waker) {
      scope_.start_join();
      if (scope_.state_ == Scope::State::joined) return kit::Poll::ready;
      waker_ = waker.clone();
      if (!linked()) scope_.joins_.push_back(*this);
      return kit::Poll::pending;
    }

   private:
    friend class Scope;
    Scope& scope_;
    kit::Waker waker_;
  };
};

void CountingScope::Scope::joined() {
  state_ = State::joined;
  while (!joins_.empty()) joins_.pop_front().waker_.wake();
}
SCOPECHECK_REGISTER(CountingScope);

}  // namespace
}  // namespace scopecheck::designs
