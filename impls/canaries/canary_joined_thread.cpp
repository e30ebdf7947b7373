// No defect: the twin of canary_detached_thread, whose handle joins. Must not be reported.
#include "harness/abi/kit.hpp"
#include "harness/abi/registry.hpp"
#include "impls/platform/canary.hpp"
#include "impls/platform/threads.hpp"

#include <utility>

namespace scopecheck::canaries {
namespace {

struct JoinedThread {
  static constexpr kit::Description description =
      platform::thread_canary("canary_joined_thread", "threads that their handles join: nothing to report",
                              SCOPECHECK_DESTROY_BLOCKS, {});

  class Handle {
   public:
    explicit Handle(kit::Child child)
        : thread_([body = std::move(child)]() mutable { static_cast<void>(body.block()); }) {}
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() { thread_.join(); }

   private:
    platform::Thread thread_;
  };

  struct Runtime {
    Handle spawn(kit::Child child) { return Handle(std::move(child)); }
  };
};
SCOPECHECK_REGISTER(JoinedThread);

}  // namespace
}  // namespace scopecheck::canaries
