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
    Profile{"thread_guard", thread_guard},
    Profile{"closure", closure_with_joins},
};

/// Clients that random ones seldom meet, each for the APIs whose rules refuse it for this reason.
struct Known {
  scenario::Rule rule;
  const char* text;
};
inline constexpr std::array known_clients = {
    Known{scenario::Rule::value_borrowed, "scope s0\nasync b0 {\n  poll s0\n}\nclose s0\n"},
    Known{scenario::Rule::value_borrowed, "scope s0\nasync b0 {\n  join s0 as j0\n  poll s0\n}\n"},
    Known{scenario::Rule::not_borrowed,
          "cell x\nscope s0\nspawn t0 in s0 borrow mut x {\n  spawn t1 in s0 borrow "
          "mut x {\n  }\n  read x\n}\n"},
    Known{scenario::Rule::not_borrowed,
          "cell x\nscope s0\nspawn t0 in s0 borrow mut x {\n  spawn t1 in s0 borrow mut x {\n  } as h0\n  "
          "read x\n"
          "} as h1\n"},
    Known{scenario::Rule::write_through_shared,
          "cell x\nscope s0\nspawn t0 in s0 borrow mut x {\n  spawn t1 in s0 borrow shared x {\n  }\n  write "
          "x\n"
          "}\n"},
    Known{scenario::Rule::write_through_shared,
          "cell x\nscope s0\nspawn t0 in s0 borrow mut x {\n  spawn t1 in s0 borrow shared x {\n  } as h0\n  "
          "write "
          "x\n} as h1\n"},
    Known{scenario::Rule::pinned, "scope s0\nreserve t0 in s0 {\n} as h0\nstart h0\nmove h0\n"},
    Known{scenario::Rule::read_while_mut_borrowed,
          "cell x\nscope s0\nasync b0 {\n  write x\n  spawn t0 in s0 borrow shared x {\n  }\n}\ndrop "
          "b0\nread x\n"},
    Known{
        scenario::Rule::read_while_mut_borrowed,
        "cell x\nscope s0\nasync b0 {\n  write x\n  spawn t0 in s0 borrow shared x {\n  } as h0\n}\ndrop b0\n"
        "read x\n"},
    Known{scenario::Rule::held_by_destructor,
          "spawn t0 {\n  cell x\n  touch-on-drop payload x\n  async b0 {\n    spawn t1 borrow mut x {\n    } "
          "as h0\n"
          "    suspend\n  }\n  poll b0\n  throw\n} as h1\n"},
};

}  // namespace scopecheck::tests
