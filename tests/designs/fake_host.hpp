// A host for driving plugin tables directly: children whose steps are lambdas, objects that count their
// destruction, wakers that count wakes. It allocates nothing on behalf of a plugin.
#pragma once

#include "harness/abi/plugin.h"
#include "harness/abi/registry.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace scopecheck::tests {

/// A result or payload.
struct FakeObject {
  int drops = 0;
  bool bomb = false;
  std::function<void()> on_drop = [] {};
  scopecheck_object* raw() { return reinterpret_cast<scopecheck_object*>(this); }
};

/// A child: `body` runs at each step. What the tests assert on is counted here.
struct FakeChild {
  struct Step {
    const scopecheck_waker& waker;
    scopecheck_object** out;
  };
  std::function<scopecheck_status(Step)> body = [](Step) { return SCOPECHECK_PENDING; };
  std::function<void()> on_drop = [] {};
  int steps = 0;
  int drops = 0;
  bool done = false;
  bool running = false;
  scopecheck_child* raw() { return reinterpret_cast<scopecheck_child*>(this); }
};

/// What a broken implementation did to its children.
struct Offences {
  int double_step = 0;
  int step_after_done = 0;
  int step_after_drop = 0;
  int double_drop = 0;
  [[nodiscard]] int total() const { return double_step + step_after_done + step_after_drop + double_drop; }
};
inline Offences offences;

/// What `idle` does: lets the test wake somebody; throws where the harness would prove a hang.
inline std::function<void()> on_idle = [] {};

inline const scopecheck_host& fake_host() {
  static const scopecheck_host host{
      .struct_size = sizeof(scopecheck_host),
      .abi_major = SCOPECHECK_ABI_MAJOR,
      .abi_minor = SCOPECHECK_ABI_MINOR,
      .child_step =
          [](scopecheck_child* raw, const scopecheck_waker* waker, scopecheck_object** out) {
            auto& child = *reinterpret_cast<FakeChild*>(raw);
            offences.double_step += child.running;
            offences.step_after_done += child.done;
            offences.step_after_drop += child.drops != 0;
            if (child.running || child.done || child.drops != 0) return SCOPECHECK_PENDING;
            ++child.steps;
            child.running = true;
            const scopecheck_status status = child.body({*waker, out});
            child.running = false;
            child.done = status != SCOPECHECK_PENDING;
            return status;
          },
      .child_block = [](scopecheck_child*, scopecheck_object**) { return SCOPECHECK_E_STATE; },
      .child_drop =
          [](scopecheck_child* raw) {
            auto& child = *reinterpret_cast<FakeChild*>(raw);
            offences.double_drop += child.drops != 0;
            if (++child.drops == 1) child.on_drop();
          },
      .object_drop =
          [](scopecheck_object* raw) {
            auto& object = *reinterpret_cast<FakeObject*>(raw);
            ++object.drops;
            object.on_drop();
            return object.bomb ? SCOPECHECK_THROWN : SCOPECHECK_OK;
          },
      .idle = [] { on_idle(); },
      .yield_point = [](const char*) {}};
  return host;
}

/// A waker that counts.
struct CountingWaker {
  int wakes = 0;
  int clones = 0;  // alive
  scopecheck_waker raw() { return {&vtable, this}; }

 private:
  static CountingWaker& self(const void* data) {
    return *static_cast<CountingWaker*>(const_cast<void*>(data));
  }
  static scopecheck_waker clone(const void* data) {
    ++self(data).clones;
    return self(data).raw();
  }
  static void wake(const void* data) { ++self(data).wakes; }
  static void drop(const void* data) { --self(data).clones; }
  static constexpr scopecheck_waker_vtable vtable{&clone, &wake, &drop};
};

/// The waker that clients poll with; outlives every client, since children may pass it on.
inline CountingWaker client_waker;

/// A clone of a waker that a child kept.
class KeptWaker {
 public:
  KeptWaker() = default;
  KeptWaker(const KeptWaker&) = delete;
  KeptWaker& operator=(const KeptWaker&) = delete;
  ~KeptWaker() {
    if (waker_.vtable != nullptr) waker_.vtable->drop(waker_.data);
  }
  void keep(const scopecheck_waker& waker) {
    if (waker_.vtable == nullptr) waker_ = waker.vtable->clone(waker.data);
  }
  void wake() const { waker_.vtable->wake(waker_.data); }

 private:
  scopecheck_waker waker_{};
};

/// A scope or handle in storage of its own, on the heap so that ASan sees every late use.
class Value {
 public:
  Value(std::size_t size, std::size_t align) : align_{align}, storage_(::operator new(size, align_)) {}
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;
  ~Value() {
    if (storage_ != nullptr) ::operator delete(storage_, align_);
  }
  void* get() { return storage_; }
  /// The storage lives for ever; the destructor of what is in it never runs.
  void forget() { storage_ = nullptr; }

 private:
  std::align_val_t align_;
  void* storage_;
};

/// One runtime of a registered implementation.
class Runtime {
 public:
  explicit Runtime(std::string_view name) : table_(abi::find_registered(name)) {
    if (table_ == nullptr) throw std::runtime_error("no such implementation");
    if (table_->rt_new(&fake_host(), 0, &rt_) != SCOPECHECK_OK) throw std::runtime_error("rt_new");
    offences = {};
    client_waker.wakes = 0;
    on_idle = [] { throw std::runtime_error("a proved hang"); };
  }
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime() { table_->rt_free(rt_); }

  [[nodiscard]] const scopecheck_plugin& table() const { return *table_; }
  [[nodiscard]] void* raw() const { return rt_; }
  [[nodiscard]] bool has_scope() const { return table_->scope_size != 0; }
  [[nodiscard]] bool has_handle() const { return table_->handle_size != 0; }
  [[nodiscard]] Value make_scope_storage() const {
    return {has_scope() ? table_->scope_size : 1, has_scope() ? table_->scope_align : 1};
  }
  [[nodiscard]] Value make_handle_storage() const {
    return {has_handle() ? table_->handle_size : 1, has_handle() ? table_->handle_align : 1};
  }
  std::uint64_t run(std::uint64_t budget = 100) const {
    std::uint64_t used = 0;
    if (table_->rt_run != nullptr) table_->rt_run(rt_, budget, &used);
    return used;
  }
  /// Spawns through the door.
  scopecheck_status spawn(Value* scope, FakeChild& child, Value& handle) const {
    return table_->spawn(rt_, scope == nullptr ? nullptr : scope->get(), child.raw(),
                         has_handle() ? handle.get() : nullptr);
  }
  void drop_handle(Value& handle) const {
    if (has_handle()) table_->handle_destroy(handle.get(), 0);
  }

 private:
  const scopecheck_plugin* table_;
  void* rt_ = nullptr;
};

}  // namespace scopecheck::tests
