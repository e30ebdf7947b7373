// What the API under test lets a client do: the alphabet of generated scenarios. Derived from the
// door's table by the interpreter; the rules and the grammar know nothing else of an implementation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace scopecheck::scenario {

enum class Carrier : std::uint8_t { none, scope, handle };
enum class Mobility : std::uint8_t { always, until_started, never };
enum class Discipline : std::uint8_t { safe, documented, no_leak };
inline constexpr std::array<std::string_view, 3> discipline_names = {"safe", "documented", "no-leak"};
[[nodiscard]] constexpr std::string_view to_string(Discipline discipline) {
  return discipline_names[static_cast<std::size_t>(discipline)];
}

/// Which ops exist for this API, and the facts about its values that well-formedness depends on.
struct Offers {
  // scopes
  bool scope = false;        ///< clients make scopes that they own
  bool scope_enter = false;  ///< closure shape: `enter` lends the client a scope for the time of a block
  bool scope_poll = false;   ///< parent-driven: `poll s` drives the children
  bool scope_join = false;
  bool scope_join_as = false;
  bool scope_cancel = false;
  bool scope_close = false;
  Mobility scope_mobility = Mobility::never;
  // handles
  bool handle = false;
  bool handle_poll = false;
  bool handle_join = false;
  bool handle_cancel = false;
  bool handle_detach = false;
  bool handle_embeds_child = false;  ///< the child lives in the handle, which so carries its loans too
  bool handle_borrows_scope =
      false;  ///< its type names the lifetime of its scope, which so cannot end before it
  Mobility handle_mobility = Mobility::never;
  Mobility join_mobility = Mobility::never;
  // children
  bool spawn_awaited = false;         ///< the API forces an await on the spot
  bool spawn_without_handle = false;  ///< spawn yields no handle, only reserve does
  bool reserve = false;               ///< a child can be made first and started later
  bool spawn_nested = false;          ///< children can spawn into their own scope, or their runtime
  bool child_scopes = false;          ///< children can open scopes of their own
  bool threads = false;               ///< children progress on threads of the runtime
  bool blocks = false;                ///< they block such a thread instead of suspending
  bool yields = false;                ///< those threads stop at yield points, too
  bool keep_waker = false;
  bool throws = false;
  Carrier carrier = Carrier::none;
  bool destroy_cancels = false;  ///< destroying the carrier destroys a child that is suspended
  // the client
  bool run = false;     ///< the client drives the runtime: run
  bool inside = false;  ///< the client can run as a task of the runtime
  bool async = false;   ///< values can live inside async blocks
  bool stack = false;   ///< which run on suspendable stacks of the implementation's: they suspend anywhere
  bool box = false;
  bool move = false;
  bool forget = false;
  bool forget_in_place = false;
  bool shutdown = false;
  // documented preconditions in force (discipline `documented` only)
  bool pre_runtime_outlives_scope = false;
  bool pre_worker_only = false;
  bool pre_join_before_destroy = false;
  bool pre_join_once = false;
  bool pre_no_spawn_after_join = false;

  /// A spawn names a scope.
  [[nodiscard]] bool has_scopes() const { return scope || scope_enter; }
  /// `spawn` declares a handle.
  [[nodiscard]] bool spawn_yields_handle() const { return handle && !spawn_awaited && !spawn_without_handle; }
  /// Children can borrow from their spawner's frame.
  [[nodiscard]] bool borrows() const { return carrier != Carrier::none; }
  /// Children progress when they are permitted to: step, settle.
  [[nodiscard]] bool steps() const { return run || threads; }

  friend bool operator==(const Offers&, const Offers&) = default;
};

/// How much of everything a generated scenario may have.
struct Bounds {
  std::uint8_t ops = 8;  ///< counted ops (--ops)
  std::uint8_t tasks = 2;
  std::uint8_t cells = 2;
  std::uint8_t scopes = 2;
  std::uint8_t frames = 2;  ///< nested ones; the outermost is free
  std::uint8_t async_blocks = 1;
  std::uint8_t steps = 2;    ///< ops of one task body
  std::uint8_t borrows = 1;  ///< cells borrowed by one spawn

  friend bool operator==(const Bounds&, const Bounds&) = default;
};

}  // namespace scopecheck::scenario
