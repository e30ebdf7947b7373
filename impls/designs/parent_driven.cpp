// Parent-driven: `FuturesUnordered`, moro. The scope owns one counted heap node per child and polls it
// only inside its own `poll`; a waker counts its node, queues it in the scope and wakes the parent. Dropping
// the scope drops the children; a forgotten scope is one whose children are never polled again. Sound,
// at the price of parallelism: a child cannot run without its parent.
//
//   parent --poll--> scope --poll--> ready nodes --- each --> child
//     ^                ^                 |
//     +---- wake ------+----- wake ------+        (late: the node knows no scope any more; nothing happens)
//
// A child's panic leaves through the scope's poll, as through any future that polls another; that child is
// gone, its siblings stay. A result is dropped where its child ended.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/block_on.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/link.hpp"

#include <memory>
#include <stdexcept>

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence parent_driven_evidence[] = {
    platform::may_forget,     platform::may_box,
    platform::may_move,       platform::may_live_in_async_block,
    platform::may_keep_waker, platform::may_throw,
    platform::may_be_inside,  {SCOPECHECK_CLIENT_SPAWN_NESTED, platform::token_by_value}};

struct Ready {};
struct All {};
struct Children;

/// One child. Lives until it ended and the last clone of its waker is gone.
struct Node : platform::Link<Ready>, platform::Link<All> {
  Node(Children& children, kit::Child body) : owner(&children), child(std::move(body)) {}
  void unref() {
    if (--references == 0) delete this;
  }

  Children* owner;  // null once the child is gone
  std::size_t references = 1;
  kit::Child child;
};

/// What the nodes know of their scope; on the heap, so that the scope can move.
struct Children {
  platform::List<Node, All> all;
  platform::List<Node, Ready> ready;
  kit::Waker parent;
  std::size_t count = 0;
  bool polling = false;

  void wake(Node& node) {
    if (!node.platform::Link<Ready>::linked()) ready.push_back(node);
    if (!polling) parent.wake();
  }
  void remove(Node& node) {
    node.platform::Link<Ready>::unlink();
    node.platform::Link<All>::unlink();
    node.owner = nullptr;
    --count;
    node.child.drop();
    node.unref();
  }
};

Node& node_of(const void* data) { return *static_cast<Node*>(const_cast<void*>(data)); }
scopecheck_waker clone_waker(const void* data);
void wake_waker(const void* data) {
  if (Children* owner = node_of(data).owner) owner->wake(node_of(data));
}
void drop_waker(const void* data) { node_of(data).unref(); }
constexpr scopecheck_waker_vtable node_vtable{&clone_waker, &wake_waker, &drop_waker};
scopecheck_waker clone_waker(const void* data) {
  ++node_of(data).references;
  return {&node_vtable, data};
}

struct ParentDriven {
  static constexpr kit::Description description{
      .name = "parent_driven",
      .summary = "a movable scope of heap nodes that are polled only inside the scope's own poll",
      .shape = SCOPECHECK_SHAPE_PARENT_DRIVEN,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .progress = SCOPECHECK_PROGRESS_DRIVE,
      .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_JOIN_RETHROWS |
                  SCOPECHECK_PROMISE_WAKES | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_CANCELS,
      .move_scope = SCOPECHECK_MOVE_ALWAYS,
      .client_ops = platform::movable_client_ops | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_BLOCK_ON,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_SCOPE_INIT | SCOPECHECK_OP_SCOPE_DESTROY |
                   SCOPECHECK_OP_SCOPE_DRIVE,
      .flavours = platform::current_thread,
      .evidence = parent_driven_evidence};

  struct Runtime : platform::RootOnly {};

  class Scope {
   public:
    explicit Scope(Runtime&) : children_(std::make_unique<Children>()) {}
    Scope(Scope&&) = default;
    Scope& operator=(Scope&&) = delete;
    ~Scope() {
      if (children_ == nullptr) return;
      if (children_->polling) platform::fail_stop("a scope was destroyed from within its own poll");
      // A child's destructor may spawn: that child is dropped as well.
      while (!children_->all.empty()) children_->remove(children_->all.front());
    }

    void spawn(kit::Child child) {
      Node& node = *new Node(*children_, std::move(child));
      children_->all.push_back(node);
      ++children_->count;
      children_->wake(node);
    }

    /// Polls every child that was woken, once each. Ready when there is none left.
    /// Errors: throws the Panic of a child, or of a result's destructor; to be polled again after it.
    kit::Poll poll(const kit::WakerRef& waker) {
      Children& children = *children_;
      if (children.polling) throw std::logic_error("a scope is polled from within its own poll");
      struct Polling {
        bool& flag;
        ~Polling() { flag = false; }
      } const polling{children.polling = true};
      children.parent = waker.clone();
      // Children that keep waking themselves must not starve the parent: FuturesUnordered's rule.
      for (std::size_t budget = children.count; !children.ready.empty(); --budget) {
        if (budget == 0) {
          waker.wake();
          break;
        }
        poll_child(children, children.ready.pop_front());
      }
      return children.all.empty() ? kit::Poll::ready : kit::Poll::pending;
    }

   private:
    static void poll_child(Children& children, Node& node) {
      std::optional<kit::Result> result;
      try {
        result = node.child.poll(kit::WakerRef({&node_vtable, &node}));
      } catch (...) {
        children.remove(node);
        throw;
      }
      if (!result) return;
      const kit::Result dropped_last = std::move(*result);
      children.remove(node);
    }

    std::unique_ptr<Children> children_;
  };
};
SCOPECHECK_REGISTER(ParentDriven);

}  // namespace
}  // namespace scopecheck::designs
