// What designs whose children block a thread say about themselves in the same words, and how a child that ran
// on a thread is joined.
#pragma once

#include "harness/abi/kit.hpp"
#include "impls/platform/completion.hpp"
#include "impls/platform/describe.hpp"
#include "impls/platform/latch.hpp"
#include "impls/platform/pool.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace scopecheck::platform {

inline constexpr scopecheck_flavour thread_per_child[] = {
    {"thread-per-child", "every child has a thread of its own"}};
inline constexpr scopecheck_flavour worker_flavours[] = {{"one-worker", "one thread runs all children"},
                                                         {"two-workers", "two threads run the children"}};
/// How many workers a flavour of `worker_flavours` has.
constexpr std::uint32_t workers_of(std::uint32_t flavour) { return flavour + 1; }

inline constexpr scopecheck_evidence may_run_on_worker{
    SCOPECHECK_CLIENT_INSIDE,
    "https://docs.rs/rayon/latest/rayon/struct.ThreadPool.html#method.install: the closure runs on a worker"};
inline constexpr scopecheck_evidence cpp_may_forget{
    SCOPECHECK_CLIENT_FORGET, "C++: release() of a std::unique_ptr, or `new` without `delete`"};
inline constexpr scopecheck_evidence cpp_may_box{SCOPECHECK_CLIENT_BOX, "C++: std::make_unique"};
inline constexpr scopecheck_evidence cpp_may_move{SCOPECHECK_CLIENT_MOVE, "C++: it has a move constructor"};
inline constexpr scopecheck_evidence cpp_may_throw{SCOPECHECK_CLIENT_THROW, "C++: `throw` in any body"};

/// How a body ended: written by the thread that ran it, read by whoever joined that thread.
class Ending {
 public:
  void run(kit::Child& child) {
    try {
      object_ = child.block();
    } catch (kit::Panic& panic) {
      panicked_ = true;
      object_ = std::move(panic.payload);
    }
  }
  [[nodiscard]] bool panicked() const { return panicked_; }
  /// Errors: throws the body's Panic.
  [[nodiscard]] kit::Result take() {
    if (panicked_) throw kit::Panic{std::move(object_)};
    return std::move(object_);
  }
  [[nodiscard]] kit::Object take_object() { return std::move(object_); }

 private:
  kit::Object object_;
  bool panicked_ = false;
};

/// Runs a child on a pool; the last thing that it touches is the latch.
class PoolTask : public Job {
 public:
  PoolTask(Latch& latch, kit::Child child, Ending* ending = nullptr)
      : latch_(latch), child_(std::move(child)), ending_(ending) {}
  void run() override {
    Ending own;
    Ending& ending = ending_ != nullptr ? *ending_ : own;
    ending.run(child_);
    child_.drop();
    if (ending_ == nullptr) discard(own.take_object());
    latch_.done();
  }

 private:
  Latch& latch_;
  kit::Child child_;
  Ending* ending_;
};

/// A pool whose clients may run on a worker themselves, as its tasks do.
class ClientPool : public Pool {
 public:
  using Pool::Pool;
  /// Errors: throws the root's Panic.
  std::optional<kit::Result> block_on(kit::Child root) {
    Latch over;
    Ending ending;
    over.add();
    submit(std::make_unique<PoolTask>(over, std::move(root), &ending));
    over.wait();
    return ending.take();
  }
};

}  // namespace scopecheck::platform
