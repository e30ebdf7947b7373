// The call of the closure shape does not wait where the client's block panics: its children run on.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

#include <utility>
#include <vector>

namespace scopecheck::canaries {
namespace {

constexpr scopecheck_evidence closure_evidence[] = {
    platform::may_throw,
    platform::may_be_inside,
    {SCOPECHECK_CLIENT_SPAWN_NESTED, platform::scope_by_reference}};

struct ClosureForgetsOnPanic {
  static constexpr kit::Description description{
      .name = "canary_closure_forgets_on_panic",
      .summary = "a block that panics leaves its scope without waiting",
      .shape = SCOPECHECK_SHAPE_CLOSURE,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .progress = SCOPECHECK_PROGRESS_RUN,
      .promises = SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
      .hidden = 1,
      .client_ops = SCOPECHECK_CLIENT_THROW | SCOPECHECK_CLIENT_SPAWN_NESTED | SCOPECHECK_CLIENT_INSIDE,
      .may_block = SCOPECHECK_OP_BLOCK_ON | SCOPECHECK_OP_SCOPE_ENTER,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_SCOPE_ENTER,
      .flavours = platform::current_thread,
      .evidence = closure_evidence,
      .expectations = platform::planted};

  struct Runtime : platform::HeapExecutor {};

  class Scope {
   public:
    explicit Scope(Runtime& runtime) : runtime_(runtime) {}

    void enter(kit::Body body) {
      body();
      for (std::size_t i = 0; i < children_.size(); ++i)
        while (!children_[i]->completion().ended())
          if (runtime_.run(1) == 0) kit::host().idle();
    }
    void spawn(kit::Child child) {
      children_.push_back(runtime_.start(std::move(child)));
      children_.back()->forsake();
    }

   private:
    Runtime& runtime_;
    std::vector<platform::TaskRef> children_;
  };
};
SCOPECHECK_REGISTER(ClosureForgetsOnPanic);

}  // namespace
}  // namespace scopecheck::canaries
