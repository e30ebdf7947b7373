// A handle whose child was pending at eight polls of it detaches the child when it is dropped. Out of reach
// of the exhaustive search: a spawn and eight polls are nine ops, and the default bound is eight.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

namespace scopecheck::canaries {
namespace {

struct DeepPatience {
  static constexpr kit::Description description = platform::handle_canary(
      "canary_deep_patience", "dropping a handle that was pending at eight polls detaches",
      SCOPECHECK_PROGRESS_RUN);

  static constexpr int polls_until_it_gives_up = 8;

  class Handle {
   public:
    Handle(platform::HeapExecutor& executor, kit::Child child) : task_(executor.start(std::move(child))) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      task_->forsake();
      if (pending_ < polls_until_it_gives_up) task_->cancel();
    }
    std::optional<kit::Result> poll(const kit::WakerRef& waker) {
      std::optional<kit::Result> result = task_->completion().poll(waker);
      if (!result) ++pending_;
      return result;
    }

   private:
    int pending_ = 0;
    platform::TaskRef task_;
  };

  struct Runtime : platform::HeapExecutor {
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
  };
};
SCOPECHECK_REGISTER(DeepPatience);

}  // namespace
}  // namespace scopecheck::canaries
