// Task group: oneTBB's `task_group` and `task_handle` on one thread, with children that may suspend. `run`
// starts a child at once; `defer` makes one that its handle owns until it is run. `wait` runs whatever is
// runnable until the group is empty, and rethrows the first panic; a panic or `cancel` drops the children
// that have not begun. The destructor of a group that is not empty cancels, waits, and says `missing_wait`.
//
// A deferred child counts from the start: a `wait` while its handle lives, or after it was forgotten, waits
// for ever.
//
// idea:                    the group waits in its destructor as well, for clients that forgot to wait
// leak vector:             forget of a boxed group
// expected finding:        use-after-scope: the child's step
// smallest counterexample: cell c; scope boxed s; spawn t in s borrow c {read c}; forget s; the frame ends;
// run
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/heap_executor.hpp"

#include <exception>
#include <memory>
#include <stdexcept>
#include <vector>

namespace scopecheck::designs {
namespace {

constexpr scopecheck_evidence group_evidence[] = {
    {SCOPECHECK_CLIENT_FORGET, "`new tbb::task_group` that nobody deletes, and `new tbb::task_handle`"},
    {SCOPECHECK_CLIENT_BOX, "std::make_unique<tbb::task_group>()"},
    {SCOPECHECK_CLIENT_MOVE, "a task_handle is movable; a task_group is not"},
    {SCOPECHECK_CLIENT_ASYNC, "a local of a coroutine may be a task_group"},
    {SCOPECHECK_CLIENT_KEEP_WAKER, "tbb::task::suspend_point is a value, to be copied and kept"},
    {SCOPECHECK_CLIENT_THROW, "throw in any body"},
    {SCOPECHECK_CLIENT_INSIDE, "tbb::task_arena::execute: the client runs inside"},
    {SCOPECHECK_CLIENT_SPAWN_NESTED, "tg.run([&] { tg.run(other); })"}};
constexpr scopecheck_precondition group_preconditions[] = {
    {SCOPECHECK_PRE_JOIN_BEFORE_DESTROY, 0,
     "https://oneapi-spec.uxlfoundation.org/specifications/oneapi/latest/elements/onetbb/source/"
     "task_scheduler/"
     "task_group/task_group_cls: wait before the destructor, or it throws"}};
constexpr scopecheck_expectation group_expectations[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND,
     "only wait and the destructor wait, and a boxed group can be forgotten"},
    {nullptr, SCOPECHECK_DISCIPLINE_DOCUMENTED, SCOPECHECK_EXPECT_UNSOUND,
     "documented is what has to come before the destructor, not that there has to be one"}};

struct TaskGroup {
  static constexpr kit::Description description{
      .name = "task_group",
      .summary = "oneTBB: wait runs the children and rethrows, the destructor waits too; deferred children",
      .shape = SCOPECHECK_SHAPE_GUARD,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .progress = SCOPECHECK_PROGRESS_RUN | SCOPECHECK_PROGRESS_JOIN,
      .promises = SCOPECHECK_PROMISE_JOIN_WAITS | SCOPECHECK_PROMISE_WAKES | SCOPECHECK_PROMISE_INSTRUMENTED,
      .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
      .move_handle = SCOPECHECK_MOVE_ALWAYS,
      .client_ops = platform::movable_client_ops | SCOPECHECK_CLIENT_SPAWN_NESTED,
      .may_block = SCOPECHECK_OP_BLOCK_ON | SCOPECHECK_OP_SCOPE_JOIN | SCOPECHECK_OP_SCOPE_DESTROY,
      .reentrant = SCOPECHECK_OP_SPAWN | SCOPECHECK_OP_SCOPE_INIT | SCOPECHECK_OP_SCOPE_DESTROY |
                   SCOPECHECK_OP_SCOPE_CANCEL | SCOPECHECK_OP_HANDLE_DESTROY,
      .flavours = platform::current_thread,
      .evidence = group_evidence,
      .preconditions = group_preconditions,
      .expectations = group_expectations};

  struct Runtime : platform::HeapExecutor {};

  class Scope;

  /// `task_handle`: owns a child that was deferred, until it is run. Empty after that.
  class Handle {
   public:
    Handle(Scope& group, kit::Child child) : group_(&group), child_(std::move(child)) {}
    Handle(Handle&& other) noexcept
        : group_(std::exchange(other.group_, nullptr)), child_(std::move(other.child_)) {}
    Handle& operator=(Handle&&) = delete;
    inline ~Handle();

    /// `group.run(std::move(handle))`.
    inline void start();

   private:
    Scope* group_;
    kit::Child child_;
  };

  class Scope {
   public:
    explicit Scope(Runtime& runtime) : runtime_(runtime) {}
    Scope(Scope&&) = delete;
    Scope& operator=(Scope&&) = delete;
    ~Scope() noexcept(false) {
      const bool missing_wait = count_ != 0;
      if (missing_wait) {
        cancel();
        wait_until_empty();
      }
      platform::discard(std::move(first_panic_));
      if (missing_wait && std::uncaught_exceptions() == 0) throw std::logic_error("missing_wait");
    }

    void spawn(kit::Child child) {
      ++count_;
      run(std::move(child));
    }
    Handle reserve(kit::Child child) {
      ++count_;
      return Handle(*this, std::move(child));
    }
    /// Errors: throws the first Panic of a child.
    void join() {
      wait_until_empty();
      tasks_.clear();
      cancelled_ = false;
      if (std::exchange(panicked_, false)) throw kit::Panic{std::move(first_panic_)};
    }
    /// Children that have begun run to their end.
    void cancel() {
      cancelled_ = true;
      for (const std::unique_ptr<Task>& task : tasks_) task->drop_unless_begun();
    }

   private:
    friend class Handle;

    /// A child that was run, and whom to tell when nothing of it is left.
    struct Task {
      Task(Scope& of, platform::TaskRef what) : group(of), task(std::move(what)) {}
      void drop_unless_begun() const {
        if (!task->begun() && !task->completion().ended()) task->abort();
      }
      static scopecheck_waker again(const void* self) { return {&ended, self}; }
      static void end(const void* self) {
        const Task& ending = *static_cast<const Task*>(self);
        ending.group.over(ending);
      }
      static constexpr scopecheck_waker_vtable ended{&again, &end, [](const void*) {}};

      Scope& group;
      platform::TaskRef task;
    };

    void run(kit::Child child) {
      tasks_.push_back(std::make_unique<Task>(*this, runtime_.start(std::move(child))));
      const Task& task = *tasks_.back();
      static_cast<void>(task.task->completion().poll(kit::WakerRef({&Task::ended, &task})));
      if (cancelled_) task.drop_unless_begun();
    }
    void over(const Task& task) {
      platform::Completion& completion = task.task->completion();
      if (completion.panicked() && !panicked_) {
        panicked_ = true;
        first_panic_ = completion.take_object();
        cancel();
      } else {
        platform::discard(completion.take_object());
      }
      --count_;
    }
    void wait_until_empty() {
      while (count_ != 0)
        if (runtime_.run(1) == 0) kit::host().idle();
    }

    Runtime& runtime_;
    std::size_t count_ = 0;
    bool cancelled_ = false;
    bool panicked_ = false;
    kit::Object first_panic_;
    std::vector<std::unique_ptr<Task>> tasks_;
  };
};

TaskGroup::Handle::~Handle() {
  if (!child_) return;
  child_.drop();
  --group_->count_;
}
void TaskGroup::Handle::start() { group_->run(std::move(child_)); }
SCOPECHECK_REGISTER(TaskGroup);

}  // namespace
}  // namespace scopecheck::designs
