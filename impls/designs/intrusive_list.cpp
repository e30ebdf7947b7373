// Intrusive list: the classic embedded executor. Task nodes live in pinned handles on the stack, the run
// queue is a list through them, and a waker is a pointer to its node: no allocation, no table, no count.
// The handle's destructor unlinks and drops the child, so a live node is always valid. But a waker is
// 'static and cloneable: whoever keeps one holds a pointer into a stack frame.
//
// idea:                    the node is the queue entry, and the waker is the node's address
// leak vector:             forget, of a boxed handle; and none at all: a waker that is kept outlives its node
// expected finding:        use-after-scope; without leaks wake-after-free: the wake links a dead node
// smallest counterexample: cell x; spawn t borrow mut x {write x} as h boxed; forget h
//                          without leaks: spawn t {keep waker} as h; run; drop h; wake t
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/completion.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/link.hpp"

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence intrusive_evidence[] = {
    platform::may_forget,
    platform::may_box,
    platform::may_live_in_async_block,
    platform::may_keep_waker,
    platform::may_throw,
    platform::may_be_inside,
    {SCOPECHECK_CLIENT_SPAWN_NESTED,
     "https://github.com/rust-embedded-community/async-on-embedded: spawn from any task"}};
constexpr scopecheck_expectation intrusive_expectations[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND,
     "a late wake uses a dead node (rust-embedded-community/async-on-embedded#6, sammhicks/nostd_async#4)"},
    {nullptr, SCOPECHECK_DISCIPLINE_DOCUMENTED, SCOPECHECK_EXPECT_UNSOUND,
     "wakers may be kept: nothing says otherwise"},
    {nullptr, SCOPECHECK_DISCIPLINE_NO_LEAK, SCOPECHECK_EXPECT_UNSOUND, "a late wake needs no leak"}};

struct IntrusiveList {
  static constexpr kit::Description description{
      .name = "intrusive_list",
      .summary = "an intrusive run queue through pinned handles, with wakers that point into them",
      .shape = SCOPECHECK_SHAPE_HANDLE,
      .carrier = SCOPECHECK_CARRIER_HANDLE,
      .progress = SCOPECHECK_PROGRESS_RUN,
      .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_JOIN_RETHROWS |
                  SCOPECHECK_PROMISE_WAKES | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_CANCELS,
      .handle_embeds_child = 1,
      .client_ops = platform::pinned_client_ops | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_BLOCK_ON,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_HANDLE_DESTROY | SCOPECHECK_OP_HANDLE_POLL,
      .flavours = platform::current_thread,
      .evidence = intrusive_evidence,
      .expectations = intrusive_expectations};

  /// A task: queue entry, child and outcome in one, with a waker that is its address.
  class Node : public platform::Link<Node> {
   public:
    Node(platform::List<Node, Node>& queue, kit::Child child) : queue_(queue), child_(child.release()) {
      queue_.push_back(*this);
    }
    ~Node() noexcept(false) {
      if (running_) platform::fail_stop("a task was destroyed from within its own step");
      unlink();
      if (!completion_.ended()) kit::Child(child_).drop();
    }
    [[nodiscard]] platform::Completion& completion() { return completion_; }

    void poll() {
      running_ = true;
      woken_ = false;
      kit::Child child(child_);
      completion_.step(child, kit::WakerRef({&vtable_, this}));
      if (!completion_.ended()) static_cast<void>(child.release());
      child.drop();
      running_ = false;
      if (completion_.ended())
        completion_.take_awaiter().wake();
      else if (woken_)
        wake();
    }

   private:
    void wake() {
      if (completion_.ended() || linked()) return;
      woken_ = true;
      if (!running_) queue_.push_back(*this);
    }
    static scopecheck_waker clone_waker(const void* data) { return {&vtable_, data}; }
    static void wake_waker(const void* data) { static_cast<Node*>(const_cast<void*>(data))->wake(); }
    static void drop_waker(const void*) {}
    static constexpr scopecheck_waker_vtable vtable_{&clone_waker, &wake_waker, &drop_waker};

    platform::List<Node, Node>& queue_;
    scopecheck_child* child_;  // dropped in place: as in Rust, its bytes stay behind
    platform::Completion completion_;
    bool running_ = false;
    bool woken_ = false;
  };

  class Handle {
   public:
    Handle(platform::List<Node, Node>& queue, kit::Child child) : node_(queue, std::move(child)) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;

    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return node_.completion().poll(waker); }

   private:
    Node node_;
  };

  class Runtime {
   public:
    Handle spawn(kit::Child child) { return Handle(queue_, std::move(child)); }
    std::size_t run(std::size_t budget) {
      std::size_t polls = 0;
      for (; polls < budget && !queue_.empty(); ++polls) queue_.pop_front().poll();
      return polls;
    }
    std::optional<kit::Result> block_on(kit::Child root) {
      Node node(queue_, std::move(root));
      while (!node.completion().ended())
        if (run(1) == 0) kit::host().idle();
      return node.completion().take();
    }

   private:
    platform::List<Node, Node> queue_;
  };
};
SCOPECHECK_REGISTER(IntrusiveList);

}  // namespace
}  // namespace scopecheck::designs
