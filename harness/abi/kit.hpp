// The C++ adapter kit: turns a small class into a plugin table, header-only.
//
// An implementation `I` is a class with nested types; what it does not have, its API does not offer:
//
//   struct I {
//     static constexpr kit::Description description{...};
//     struct Runtime {            // mandatory; Runtime() or Runtime(std::uint32_t flavour)
//       std::size_t run(std::size_t budget);            // -> rt_run; returns polls made
//       std::optional<Result> block_on(Child root);     // -> block_on (`inside {}`)
//       void shutdown();                                // -> rt_shutdown
//       Handle spawn(Child);  or  void spawn(Child);    // where there is no scope
//     };
//     struct Scope {              // Scope(Runtime&)
//       Handle spawn(Child);  or  void spawn(Child);  Handle reserve(Child);   // reserve: also of a Runtime
//       kit::Poll poll(WakerRef);  void join();  void cancel();  void close();
//     };
//     struct Scope {              // the closure shape, in place of the one above: Scope(Runtime&)
//       void enter(kit::Body);    // runs the client's block, which knows the scope, and waits for its
//       children Handle spawn(Child);  ...
//     };
//     struct Handle {
//       void start();  std::optional<Result> poll(WakerRef);  Result join() &&;  void cancel();  void
//       detach() &&;
//     };
//     struct Join { Join(Scope&);  kit::Poll poll(WakerRef); };
//     struct Stack {              // stackful: async blocks run on these. Stack(Runtime&, kit::Body)
//       kit::Poll resume();  void suspend();   // suspend throws where the stack is being destroyed
//     };
//   };
//   SCOPECHECK_REGISTER(I);
//
// Scopes, handles and joins are constructed in storage that the harness supplies (guaranteed elision:
// an immovable Handle may be returned by value). Move constructors are used when the type has one.
#pragma once

#include "harness/abi/plugin.h"

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

namespace scopecheck::kit {

namespace detail {
/// Set while children of an earlier runtime may look at it. Orders nothing between threads.
inline std::atomic<const scopecheck_host*> host_table = nullptr;
}  // namespace detail

/// The harness's table; valid for the rest of the process once it was set.
inline const scopecheck_host& host() { return *detail::host_table.load(std::memory_order_relaxed); }
/// Sets it: `rt_new` does.
inline void use_host(const scopecheck_host& table) {
  detail::host_table.store(&table, std::memory_order_relaxed);
}

/// Thrown by `spawn` when scope or runtime takes no more children: the door reports CLOSED.
struct Closed {};

/// What `poll` of a scope or join says.
enum class Poll : std::uint8_t { pending, ready };

class Waker;

/// A borrowed waker, valid during the call that handed it over. `clone` keeps it.
class WakerRef {
 public:
  explicit WakerRef(const scopecheck_waker& raw) : raw_(raw) {}
  [[nodiscard]] inline Waker clone() const;
  void wake() const { raw_.vtable->wake(raw_.data); }
  [[nodiscard]] const scopecheck_waker& raw() const { return raw_; }

 private:
  scopecheck_waker raw_;
};

/// An owned waker: dropped with its owner.
class Waker {
 public:
  Waker() = default;
  explicit Waker(scopecheck_waker raw) : raw_(raw) {}
  Waker(Waker&& other) noexcept : raw_(std::exchange(other.raw_, {})) {}
  Waker& operator=(Waker&& other) noexcept {
    Waker moved(std::move(other));
    std::swap(raw_, moved.raw_);
    return *this;
  }
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  ~Waker() {
    if (raw_.vtable != nullptr) raw_.vtable->drop(raw_.data);
  }
  [[nodiscard]] explicit operator bool() const { return raw_.vtable != nullptr; }
  void wake() const {
    if (raw_.vtable != nullptr) raw_.vtable->wake(raw_.data);
  }

 private:
  scopecheck_waker raw_{};
};

inline Waker WakerRef::clone() const { return Waker(raw_.vtable->clone(raw_.data)); }

/// A result or a payload: opaque, with a destructor that belongs to the client (and may panic).
class Object {
 public:
  struct Panicked {};  ///< what a destructor of a client object throws natively

  Object() = default;
  explicit Object(scopecheck_object* raw) : raw_(raw) {}
  Object(Object&& other) noexcept : raw_(other.release()) {}
  Object& operator=(Object&& other) noexcept(false) {
    Object moved(std::move(other));
    std::swap(raw_, moved.raw_);
    return *this;
  }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  ~Object() noexcept(false) {
    if (raw_ != nullptr && host().object_drop(release()) == SCOPECHECK_THROWN) throw Panicked{};
  }
  /// Gives the object up without destroying it.
  [[nodiscard]] scopecheck_object* release() noexcept { return std::exchange(raw_, nullptr); }

 private:
  scopecheck_object* raw_ = nullptr;
};

/// What a finished child returned.
using Result = Object;

/// A panic of a child, raised natively inside the task.
struct Panic {
  Object payload;
};

/// A task body with its captures: a future owned by whoever holds this.
class Child {
 public:
  Child() = default;
  explicit Child(scopecheck_child* raw) : raw_(raw) {}
  Child(Child&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Child& operator=(Child&& other) noexcept {
    Child moved(std::move(other));
    std::swap(raw_, moved.raw_);
    return *this;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { drop(); }

  [[nodiscard]] explicit operator bool() const { return raw_ != nullptr; }
  /// Polls the body: a result when finished, nothing while pending.
  /// Errors: throws Panic when the body panics. Not to be polled after a result or a Panic.
  [[nodiscard]] std::optional<Result> poll(const WakerRef& waker) {
    scopecheck_object* out = nullptr;
    const scopecheck_status status = host().child_step(raw_, &waker.raw(), &out);
    if (status == SCOPECHECK_PENDING) return std::nullopt;
    if (status == SCOPECHECK_THROWN) throw Panic{Object(out)};
    return Result(out);
  }
  /// Runs the body on this thread to its end: for children that block.
  /// Errors: throws Panic when the body panics. Not to be called twice.
  [[nodiscard]] Result block() {
    scopecheck_object* out = nullptr;
    if (host().child_block(raw_, &out) == SCOPECHECK_THROWN) throw Panic{Object(out)};
    return Result(out);
  }
  /// Gives the body up without destroying it.
  [[nodiscard]] scopecheck_child* release() noexcept { return std::exchange(raw_, nullptr); }
  /// Destroys the body and its captures now.
  void drop() {
    if (raw_ != nullptr) host().child_drop(std::exchange(raw_, nullptr));
  }

 private:
  scopecheck_child* raw_ = nullptr;
};

/// See scopecheck_host::yield_point.
inline void yield_point(const char* name) { host().yield_point(name); }

/// A block of the client's: what `enter` must run, once, or a stack from its first resume on.
class Body {
 public:
  struct Panicked {};  ///< what unwinds out of a block that panicked

  Body(scopecheck_body raw, void* data, void* scope) : raw_(raw), data_(data), scope_(scope) {}
  void operator()() const {
    if (raw_(data_, scope_) == SCOPECHECK_THROWN) throw Panicked{};
  }

 private:
  scopecheck_body raw_;
  void* data_;
  void* scope_;
};

/// What a plugin says about itself; see plugin.h for each field's meaning.
struct Description {
  const char* name;
  const char* summary;
  const char* version = "in-tree";
  std::uint32_t shape;
  std::uint32_t carrier;
  std::uint32_t child_kind = SCOPECHECK_CHILD_SUSPENDS;
  std::uint32_t progress;
  std::uint32_t promises = 0;
  std::uint32_t on_destroy;
  std::uint32_t move_scope = SCOPECHECK_MOVE_NEVER;
  std::uint32_t move_handle = SCOPECHECK_MOVE_NEVER;
  std::uint32_t move_join = SCOPECHECK_MOVE_NEVER;
  std::uint32_t handle_embeds_child = 0;
  std::uint32_t handle_borrows_scope = 0;
  std::uint32_t spawn_must_be_awaited = 0;
  std::uint32_t hidden = 0;
  std::uint64_t client_ops;
  std::uint64_t may_block = 0;
  std::uint64_t reentrant = 0;
  std::uint64_t unsafe_ops = 0;
  std::span<const scopecheck_flavour> flavours;
  std::span<const scopecheck_evidence> evidence;
  std::span<const scopecheck_precondition> preconditions = {};
  std::span<const scopecheck_expectation> expectations = {};
};

#if defined(__SANITIZE_ADDRESS__)
#define SCOPECHECK_KIT_SANITIZER " asan"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCOPECHECK_KIT_SANITIZER " asan"
#elif __has_feature(thread_sanitizer)
#define SCOPECHECK_KIT_SANITIZER " tsan"
#endif
#endif
#ifndef SCOPECHECK_KIT_SANITIZER
#define SCOPECHECK_KIT_SANITIZER ""
#endif
#ifdef NDEBUG
#define SCOPECHECK_KIT_ASSERTS " NDEBUG"
#else
#define SCOPECHECK_KIT_ASSERTS ""
#endif

namespace detail {

template <class I>
concept HasScope = requires { typename I::Scope; };
template <class I>
concept HasHandle = requires { typename I::Handle; };
template <class I>
concept HasJoin = requires { typename I::Join; };
template <class I>
concept HasStack = requires { typename I::Stack; };
template <class I>
concept SpawnsFromRuntime = requires(typename I::Runtime& r, Child c) { r.spawn(std::move(c)); };
template <class I>
concept SpawnsWithoutHandle = requires(typename I::Scope& s, Child c) {
  { s.spawn(std::move(c)) } -> std::same_as<void>;
} || requires(typename I::Runtime& r, Child c) {
  { r.spawn(std::move(c)) } -> std::same_as<void>;
};
template <class T>
concept EntersScope = requires(T& t, Body b) { t.enter(b); };
template <class T>
concept PollsScope = requires(T& t, const WakerRef& w) {
  { t.poll(w) } -> std::same_as<Poll>;
};
template <class T>
concept PollsResult = requires(T& t, const WakerRef& w) {
  { t.poll(w) } -> std::same_as<std::optional<Result>>;
};

/// Runs `f` and turns whatever unwinds out of it into a status.
template <class F>
scopecheck_status guarded(scopecheck_object** out, F&& f) noexcept {
  try {
    return std::forward<F>(f)();
  } catch (Panic& panic) {
    scopecheck_object* const payload = panic.payload.release();
    if (out != nullptr)
      *out = payload;
    else if (payload != nullptr)  // nobody takes it: the client's catch drops it, and its panic ends there
      static_cast<void>(host().object_drop(payload));
    return SCOPECHECK_THROWN;
  } catch (const Closed&) {
    return SCOPECHECK_CLOSED;
  } catch (const std::bad_alloc&) {
    return SCOPECHECK_E_NOMEM;
  } catch (...) {
    return SCOPECHECK_THROWN;
  }
}

template <class T>
struct DestroyOnExit {
  T* object;
  ~DestroyOnExit() noexcept(noexcept(std::declval<T&>().~T())) { object->~T(); }
};

/// Runs ~T, inside a real unwind when asked to.
template <class T>
scopecheck_status destroy(void* object, std::int32_t unwinding) noexcept {
  T* typed = static_cast<T*>(object);
  if (unwinding == 0)
    return guarded(nullptr, [&] {
      typed->~T();
      return SCOPECHECK_OK;
    });
  struct Unwinding {};
  try {
    const DestroyOnExit<T> on_exit{typed};
    throw Unwinding{};
  } catch (const Unwinding&) {
    return SCOPECHECK_OK;
  } catch (...) {
    return SCOPECHECK_THROWN;
  }
}

template <class T>
scopecheck_status move(void* from, void* to) noexcept {
  return guarded(nullptr, [&] {
    T* source = static_cast<T*>(from);
    ::new (to) T(std::move(*source));
    source->~T();
    return SCOPECHECK_OK;
  });
}

template <class T>
scopecheck_status poll_scope(void* object, const scopecheck_waker* waker) noexcept {
  return guarded(nullptr, [&] {
    return static_cast<T*>(object)->poll(WakerRef(*waker)) == Poll::ready ? SCOPECHECK_OK
                                                                          : SCOPECHECK_PENDING;
  });
}

template <class I>
struct Table {
  using Runtime = typename I::Runtime;

  static scopecheck_status rt_new(const scopecheck_host* table, std::uint32_t flavour, void** rt) noexcept {
    use_host(*table);
    return guarded(nullptr, [&] {
      if constexpr (std::constructible_from<Runtime, std::uint32_t>)
        *rt = new Runtime(flavour);
      else
        *rt = new Runtime();
      return SCOPECHECK_OK;
    });
  }
  static void rt_free(void* rt) noexcept { delete static_cast<Runtime*>(rt); }
  static scopecheck_status rt_run(void* rt, std::uint64_t budget, std::uint64_t* used) noexcept {
    return guarded(nullptr, [&] {
      *used = static_cast<Runtime*>(rt)->run(budget);
      return SCOPECHECK_OK;
    });
  }
  static scopecheck_status block_on(void* rt, scopecheck_child* root, scopecheck_object** out) noexcept {
    return guarded(out, [&] {
      std::optional<Result> result = static_cast<Runtime*>(rt)->block_on(Child(root));
      *out = result->release();
      return SCOPECHECK_OK;
    });
  }
  static scopecheck_status rt_shutdown(void* rt) noexcept {
    return guarded(nullptr, [&] {
      static_cast<Runtime*>(rt)->shutdown();
      return SCOPECHECK_OK;
    });
  }

  /// Constructs what `make` returns in the handle's storage, or runs it where there is no handle.
  template <class Make>
  static scopecheck_status make_handle(void* handle, Make&& make) noexcept {
    return guarded(nullptr, [&] {
      if constexpr (!std::is_void_v<std::invoke_result_t<Make>>) {
        ::new (handle) typename I::Handle(std::forward<Make>(make)());
      } else {
        static_cast<void>(handle);
        std::forward<Make>(make)();
      }
      return SCOPECHECK_OK;
    });
  }
  static scopecheck_status spawn([[maybe_unused]] void* rt, [[maybe_unused]] void* scope,
                                 scopecheck_child* child, void* handle) noexcept {
    if constexpr (HasScope<I>)
      return make_handle(handle, [&] { return static_cast<typename I::Scope*>(scope)->spawn(Child(child)); });
    else
      return make_handle(handle, [&] { return static_cast<Runtime*>(rt)->spawn(Child(child)); });
  }
  static scopecheck_status reserve([[maybe_unused]] void* rt, [[maybe_unused]] void* scope,
                                   scopecheck_child* child, void* handle) noexcept {
    if constexpr (HasScope<I>)
      return make_handle(handle,
                         [&] { return static_cast<typename I::Scope*>(scope)->reserve(Child(child)); });
    else
      return make_handle(handle, [&] { return static_cast<Runtime*>(rt)->reserve(Child(child)); });
  }
};

template <class I>
void fill_scope(scopecheck_plugin& p) {
  using Scope = typename I::Scope;
  p.scope_size = sizeof(Scope);
  p.scope_align = alignof(Scope);
  if constexpr (EntersScope<Scope>) {
    p.scope_enter = [](void* rt, void* storage, scopecheck_body body, void* data) noexcept {
      return guarded(nullptr, [&] {
        const DestroyOnExit<Scope> scope{::new (storage) Scope(*static_cast<typename I::Runtime*>(rt))};
        scope.object->enter(Body(body, data, storage));
        return SCOPECHECK_OK;
      });
    };
  } else {
    p.scope_init = [](void* rt, void* storage) noexcept {
      return guarded(nullptr, [&] {
        ::new (storage) Scope(*static_cast<typename I::Runtime*>(rt));
        return SCOPECHECK_OK;
      });
    };
    p.scope_destroy = &destroy<Scope>;
    if constexpr (std::is_move_constructible_v<Scope>) p.scope_move = &move<Scope>;
  }
  if constexpr (PollsScope<Scope>) p.scope_drive = &poll_scope<Scope>;
  if constexpr (requires(Scope& s) { s.join(); })
    p.scope_join = [](void* scope) noexcept {
      return guarded(nullptr, [&] {
        static_cast<Scope*>(scope)->join();
        return SCOPECHECK_OK;
      });
    };
  if constexpr (requires(Scope& s) { s.cancel(); })
    p.scope_cancel = [](void* scope) noexcept {
      return guarded(nullptr, [&] {
        static_cast<Scope*>(scope)->cancel();
        return SCOPECHECK_OK;
      });
    };
  if constexpr (requires(Scope& s) { s.close(); })
    p.scope_close = [](void* scope) noexcept {
      return guarded(nullptr, [&] {
        static_cast<Scope*>(scope)->close();
        return SCOPECHECK_OK;
      });
    };
}

template <class I>
void fill_handle(scopecheck_plugin& p) {
  using Handle = typename I::Handle;
  p.handle_size = sizeof(Handle);
  p.handle_align = alignof(Handle);
  p.handle_destroy = &destroy<Handle>;
  if constexpr (std::is_move_constructible_v<Handle>) p.handle_move = &move<Handle>;
  if constexpr (requires(Handle& h) { h.start(); }) {
    p.reserve = &Table<I>::reserve;
    p.start = [](void* handle) noexcept {
      return guarded(nullptr, [&] {
        static_cast<Handle*>(handle)->start();
        return SCOPECHECK_OK;
      });
    };
    p.spawn_without_handle = SpawnsWithoutHandle<I> ? 1 : 0;
  }
  if constexpr (PollsResult<Handle>)
    p.handle_poll = [](void* handle, const scopecheck_waker* waker, scopecheck_object** out) noexcept {
      return guarded(out, [&] {
        std::optional<Result> result = static_cast<Handle*>(handle)->poll(WakerRef(*waker));
        if (!result) return SCOPECHECK_PENDING;
        *out = result->release();
        return SCOPECHECK_OK;
      });
    };
  if constexpr (requires(Handle&& h) {
                  { std::move(h).join() } -> std::same_as<Result>;
                })
    p.handle_join = [](void* handle, scopecheck_object** out) noexcept {
      return guarded(out, [&] {
        const DestroyOnExit<Handle> consumed{static_cast<Handle*>(handle)};
        *out = std::move(*static_cast<Handle*>(handle)).join().release();
        return SCOPECHECK_OK;
      });
    };
  if constexpr (requires(Handle& h) { h.cancel(); })
    p.handle_cancel = [](void* handle) noexcept {
      return guarded(nullptr, [&] {
        static_cast<Handle*>(handle)->cancel();
        return SCOPECHECK_OK;
      });
    };
  if constexpr (requires(Handle&& h) { std::move(h).detach(); })
    p.handle_detach = [](void* handle) noexcept {
      return guarded(nullptr, [&] {
        const DestroyOnExit<Handle> consumed{static_cast<Handle*>(handle)};
        std::move(*static_cast<Handle*>(handle)).detach();
        return SCOPECHECK_OK;
      });
    };
}

template <class I>
void fill_join(scopecheck_plugin& p) {
  using Join = typename I::Join;
  p.join_size = sizeof(Join);
  p.join_align = alignof(Join);
  p.join_begin = [](void* scope, void* storage) noexcept {
    return guarded(nullptr, [&] {
      ::new (storage) Join(*static_cast<typename I::Scope*>(scope));
      return SCOPECHECK_OK;
    });
  };
  p.join_poll = &poll_scope<Join>;
  p.join_destroy = &destroy<Join>;
  if constexpr (std::is_move_constructible_v<Join>) p.join_move = &move<Join>;
}

template <class I>
void fill_stack(scopecheck_plugin& p) {
  using Stack = typename I::Stack;
  p.stack_size = sizeof(Stack);
  p.stack_align = alignof(Stack);
  p.stack_init = [](void* rt, void* storage, scopecheck_body body, void* data) noexcept {
    return guarded(nullptr, [&] {
      ::new (storage) Stack(*static_cast<typename I::Runtime*>(rt), Body(body, data, storage));
      return SCOPECHECK_OK;
    });
  };
  p.stack_resume = [](void* stack) noexcept {
    return guarded(nullptr, [&] {
      return static_cast<Stack*>(stack)->resume() == Poll::ready ? SCOPECHECK_OK : SCOPECHECK_PENDING;
    });
  };
  p.stack_suspend = [](void* stack) noexcept {
    return guarded(nullptr, [&] {
      static_cast<Stack*>(stack)->suspend();
      return SCOPECHECK_OK;
    });
  };
  p.stack_destroy = &destroy<Stack>;
}

template <class I>
scopecheck_plugin make() {
  const Description& d = I::description;
  scopecheck_plugin p{};
  p.struct_size = sizeof(scopecheck_plugin);
  p.abi_major = SCOPECHECK_ABI_MAJOR;
  p.abi_minor = SCOPECHECK_ABI_MINOR;
  p.name = d.name;
  p.summary = d.summary;
  p.version = d.version;
  p.build = __VERSION__ SCOPECHECK_KIT_SANITIZER SCOPECHECK_KIT_ASSERTS;
  p.flavours = d.flavours.data();
  p.flavour_count = static_cast<std::uint32_t>(d.flavours.size());
  p.evidence = d.evidence.data();
  p.evidence_count = static_cast<std::uint32_t>(d.evidence.size());
  p.preconditions = d.preconditions.data();
  p.precondition_count = static_cast<std::uint32_t>(d.preconditions.size());
  p.expectations = d.expectations.data();
  p.expectation_count = static_cast<std::uint32_t>(d.expectations.size());
  p.shape = d.shape;
  p.carrier = d.carrier;
  p.child_kind = d.child_kind;
  p.progress = d.progress;
  p.promises = d.promises;
  p.on_destroy = d.on_destroy;
  p.move_scope = d.move_scope;
  p.move_handle = d.move_handle;
  p.move_join = d.move_join;
  p.handle_embeds_child = d.handle_embeds_child;
  p.handle_borrows_scope = d.handle_borrows_scope;
  p.spawn_must_be_awaited = d.spawn_must_be_awaited;
  p.hidden = d.hidden;
  p.client_ops = d.client_ops;
  p.may_block = d.may_block;
  p.reentrant = d.reentrant;
  p.unsafe_ops = d.unsafe_ops;
  using T = Table<I>;
  using Runtime = typename I::Runtime;
  p.rt_new = &T::rt_new;
  p.rt_free = &T::rt_free;
  if constexpr (requires(Runtime& r) {
                  { r.run(std::size_t{1}) } -> std::convertible_to<std::size_t>;
                })
    p.rt_run = &T::rt_run;
  if constexpr (requires(Runtime& r, Child c) { r.block_on(std::move(c)); }) p.block_on = &T::block_on;
  if constexpr (requires(Runtime& r) { r.shutdown(); }) p.rt_shutdown = &T::rt_shutdown;
  static_assert(HasScope<I> || SpawnsFromRuntime<I>, "either a Scope, or a Runtime with spawn");
  p.spawn = &T::spawn;
  if constexpr (HasScope<I>) fill_scope<I>(p);
  if constexpr (HasHandle<I>) fill_handle<I>(p);
  if constexpr (HasJoin<I>) fill_join<I>(p);
  if constexpr (HasStack<I>) fill_stack<I>(p);
  return p;
}

}  // namespace detail

/// The table of implementation `I`, built once.
template <class I>
const scopecheck_plugin& table() {
  static const scopecheck_plugin plugin = detail::make<I>();
  return plugin;
}

}  // namespace scopecheck::kit

/// A point between two lines of an implementation where the schedule may let somebody else go on: nothing
/// outside of ScopeCheck. Promise SCOPECHECK_PROMISE_YIELDS where it is used.
#define SCOPECHECK_YIELD(name) ::scopecheck::kit::yield_point(name)
