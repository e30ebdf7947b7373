// A movable handle that its task points back to: moving it moves the pointer, dropping it clears it. Only a
// handle whose storage is used again without its destructor (which C++ allows) is written to after its end.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/heap_executor.hpp"

namespace scopecheck::canaries {
namespace {

constexpr scopecheck_evidence in_place_evidence[] = {
    platform::may_box,
    platform::may_keep_waker,
    platform::may_throw,
    platform::may_live_in_async_block,
    platform::may_be_inside,
    platform::may_move,
    {SCOPECHECK_CLIENT_FORGET, "`new Handle(std::move(handle))` that nobody deletes"},
    {SCOPECHECK_CLIENT_FORGET_IN_PLACE,
     "https://eel.is/c++draft/basic.life: lifetime ends by reuse of storage"}};
constexpr scopecheck_expectation in_place_expectations[] = {
    {nullptr, SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND, "planted"},
    {nullptr, SCOPECHECK_DISCIPLINE_DOCUMENTED, SCOPECHECK_EXPECT_UNSOUND, "planted"}};

struct LateHandleInPlace {
  static constexpr kit::Description description = [] {
    kit::Description d =
        platform::handle_canary("canary_late_handle_in_place", "a task notes its end in its handle, wherever",
                                SCOPECHECK_PROGRESS_RUN, in_place_expectations);
    d.shape = SCOPECHECK_SHAPE_PROCESS_WIDE;
    d.carrier = SCOPECHECK_CARRIER_NONE;
    d.on_destroy = SCOPECHECK_DESTROY_DETACHES;
    d.move_handle = SCOPECHECK_MOVE_ALWAYS;
    d.client_ops |= SCOPECHECK_CLIENT_MOVE | SCOPECHECK_CLIENT_FORGET | SCOPECHECK_CLIENT_FORGET_IN_PLACE;
    d.evidence = in_place_evidence;
    return d;
  }();

  class Handle {
   public:
    explicit Handle(platform::TaskRef task) : task_(std::move(task)) { link(); }
    Handle(Handle&& other) noexcept : task_(std::move(other.task_)), done_(other.done_) {
      if (!done_) link();
    }
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      if (task_) task_->forsake();
    }

   private:
    void link() { static_cast<void>(task_->completion().poll(kit::WakerRef({&back_pointer_, this}))); }
    static scopecheck_waker same(const void* handle) { return {&back_pointer_, handle}; }
    static void note_end(const void* handle) {
      static_cast<Handle*>(const_cast<void*>(handle))->done_ = true;
    }
    static constexpr scopecheck_waker_vtable back_pointer_{&same, &note_end, [](const void*) {}};

    platform::TaskRef task_;
    bool done_ = false;
  };

  struct Runtime : platform::HeapExecutor {
    Handle spawn(kit::Child child) { return Handle(start(std::move(child))); }
  };
};
SCOPECHECK_REGISTER(LateHandleInPlace);

}  // namespace
}  // namespace scopecheck::canaries
