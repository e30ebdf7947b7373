// One API per shape and carrier of the door, as rustc is asked about them.
#pragma once

#include "tests/generator/profiles.hpp"

namespace scopecheck::tests {

constexpr scenario::Offers with(scenario::Offers offers, auto... changes) {
  (changes(offers), ...);
  return offers;
}

inline constexpr scenario::Offers movable_handle = with(handle_embedded, [](scenario::Offers& o) {
  o.handle_embeds_child = false;
  o.handle_join = o.handle_detach = true;
  o.handle_mobility = scenario::Mobility::always;
});
/// A movable guard, whose handles hand over results and can be left.
inline constexpr scenario::Offers movable_guard = with(pinned_guard, [](scenario::Offers& o) {
  o.scope_mobility = o.handle_mobility = scenario::Mobility::always;
  o.scope_join_as = o.async = o.handle_detach = true;
});
/// A guard that embeds its children in their pinned handles.
inline constexpr scenario::Offers embedding_guard = with(everything, [](scenario::Offers& o) {
  o.handle_embeds_child = true;
  o.handle_mobility = scenario::Mobility::never;
  o.spawn_nested = false;
});
/// The scope only names where children run; their handles carry the loans.
inline constexpr scenario::Offers scope_with_lending_handles =
    with(everything, [](scenario::Offers& o) { o.carrier = scenario::Carrier::handle; });
/// A guard without handles.
inline constexpr scenario::Offers nursery = with(everything, [](scenario::Offers& o) {
  o.handle = o.handle_poll = o.handle_join = o.handle_cancel = o.handle_detach = false;
  o.scope_mobility = scenario::Mobility::never;
  o.join_mobility = scenario::Mobility::until_started;
});

/// The closure shape, with everything that can be done to a scope by reference.
inline constexpr scenario::Offers closure_with_joins = with(closure, [](scenario::Offers& o) {
  o.scope_join = o.scope_join_as = o.scope_close = o.handle_cancel = o.handle_detach = o.reserve = true;
  o.join_mobility = scenario::Mobility::until_started;
});

inline constexpr std::array rust_apis = {
    Profile{"handle_embedded", handle_embedded},
    Profile{"movable_handle", movable_handle},
    Profile{"parent_driven", parent_driven},
    Profile{"process_wide", process_wide},
    Profile{"pinned_guard", pinned_guard},
    Profile{"movable_guard", movable_guard},
    Profile{"embedding_guard", embedding_guard},
    Profile{"scope_with_lending_handles", scope_with_lending_handles},
    Profile{"nursery", nursery},
    Profile{"spawn_awaited", spawn_awaited},
    Profile{"reserving", reserving},
    Profile{"everything", everything},
    Profile{"tied_handles", tied_handles},
    Profile{"closure", closure_with_joins},
};

}  // namespace scopecheck::tests
