// Wakers point to a heap task that the handle's destructor frees: a waker fired late writes into it.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/completion.hpp"

#include <vector>

namespace scopecheck::canaries {
namespace {

struct StaleWaker {
  static constexpr kit::Description description = [] {
    kit::Description d = platform::handle_canary(
        "canary_stale_waker", "wakers point to a task that its handle frees", SCOPECHECK_PROGRESS_RUN);
    d.client_ops &= ~SCOPECHECK_CLIENT_INSIDE;  // it runs tasks, but waits for none
    return d;
  }();

  struct Task {
    kit::Child child;
    platform::Completion completion;
    bool woken = true;

    static scopecheck_waker clone(const void* data) { return {&vtable, data}; }
    static void wake(const void* data) { static_cast<Task*>(const_cast<void*>(data))->woken = true; }
    static void drop(const void*) {}
    static constexpr scopecheck_waker_vtable vtable{&clone, &wake, &drop};
  };

  struct Executor {
    std::vector<Task*> tasks;
    std::size_t run(std::size_t budget) {
      std::size_t polls = 0;
      for (std::size_t i = 0; i < tasks.size() && polls < budget; ++i) {
        Task& task = *tasks[i];
        if (!std::exchange(task.woken, false) || task.completion.ended()) continue;
        ++polls;
        task.completion.step(task.child, kit::WakerRef({&Task::vtable, &task}));
        if (!task.completion.ended()) continue;
        task.child.drop();
        task.completion.take_awaiter().wake();
      }
      return polls;
    }
  };

  class Handle {
   public:
    Handle(Executor& executor, kit::Child child)
        : executor_(executor), task_(new Task{std::move(child), {}}) {
      executor_.tasks.push_back(task_);
    }
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      std::erase(executor_.tasks, task_);
      platform::discard(task_->completion.take_object());
      delete task_;
    }

    std::optional<kit::Result> poll(const kit::WakerRef& waker) { return task_->completion.poll(waker); }

   private:
    Executor& executor_;
    Task* task_;
  };

  struct Runtime : Executor {
    Handle spawn(kit::Child child) { return Handle(*this, std::move(child)); }
  };
};
SCOPECHECK_REGISTER(StaleWaker);

}  // namespace
}  // namespace scopecheck::canaries
