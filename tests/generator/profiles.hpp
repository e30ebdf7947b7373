// What APIs of different shapes offer, for tests that need an alphabet without an implementation.
#pragma once

#include "harness/scenario/offers.hpp"

#include <array>
#include <ostream>

namespace scopecheck::tests {

struct Profile {
  const char* name;
  scenario::Offers offers;
};
/// For the names of tests: the bytes of a profile differ from run to run.
inline void PrintTo(const Profile& profile, std::ostream* out) { *out << profile.name; }

/// A handle embeds its child and carries the loans; async blocks, `inside`, panics.
inline constexpr scenario::Offers handle_embedded{.handle = true,
                                                  .handle_poll = true,
                                                  .handle_cancel = true,
                                                  .handle_embeds_child = true,
                                                  .spawn_nested = true,
                                                  .keep_waker = true,
                                                  .throws = true,
                                                  .carrier = scenario::Carrier::handle,
                                                  .run = true,
                                                  .inside = true,
                                                  .async = true,
                                                  .box = true,
                                                  .move = true,
                                                  .forget = true};

/// A movable scope polls its children and carries their loans; joins are objects; children open scopes.
inline constexpr scenario::Offers parent_driven{.scope = true,
                                                .scope_poll = true,
                                                .scope_join_as = true,
                                                .scope_cancel = true,
                                                .scope_close = true,
                                                .scope_mobility = scenario::Mobility::always,
                                                .join_mobility = scenario::Mobility::until_started,
                                                .spawn_nested = true,
                                                .child_scopes = true,
                                                .carrier = scenario::Carrier::scope,
                                                .async = true,
                                                .box = true,
                                                .move = true,
                                                .forget = true,
                                                .forget_in_place = true};

/// Detached tasks that own what they use; handles are movable; the runtime can end early.
inline constexpr scenario::Offers process_wide{.handle = true,
                                               .handle_poll = true,
                                               .handle_join = true,
                                               .handle_cancel = true,
                                               .handle_detach = true,
                                               .handle_mobility = scenario::Mobility::always,
                                               .spawn_nested = true,
                                               .keep_waker = true,
                                               .throws = true,
                                               .run = true,
                                               .box = true,
                                               .move = true,
                                               .forget = true,
                                               .shutdown = true};

/// A pinned guard whose destructor waits, with handles that hand over results.
inline constexpr scenario::Offers pinned_guard{.scope = true,
                                               .scope_join = true,
                                               .scope_close = true,
                                               .handle = true,
                                               .handle_poll = true,
                                               .handle_join = true,
                                               .handle_mobility = scenario::Mobility::always,
                                               .spawn_nested = true,
                                               .child_scopes = true,
                                               .throws = true,
                                               .carrier = scenario::Carrier::scope,
                                               .run = true,
                                               .inside = true,
                                               .box = true,
                                               .move = true,
                                               .forget = true};

/// Each spawn is awaited on the spot.
inline constexpr scenario::Offers spawn_awaited{.handle = true,
                                                .handle_poll = true,
                                                .handle_embeds_child = true,
                                                .spawn_awaited = true,
                                                .spawn_nested = true,
                                                .throws = true,
                                                .carrier = scenario::Carrier::handle,
                                                .run = true,
                                                .inside = true,
                                                .async = true,
                                                .box = true,
                                                .move = true,
                                                .forget = true};

/// Handles come from reserve alone; they are movable until they are started. The scope waits.
inline constexpr scenario::Offers reserving{.scope = true,
                                            .scope_join = true,
                                            .scope_cancel = true,
                                            .handle = true,
                                            .handle_mobility = scenario::Mobility::until_started,
                                            .spawn_without_handle = true,
                                            .reserve = true,
                                            .spawn_nested = true,
                                            .child_scopes = true,
                                            .throws = true,
                                            .carrier = scenario::Carrier::scope,
                                            .run = true,
                                            .inside = true,
                                            .async = true,
                                            .box = true,
                                            .move = true,
                                            .forget = true};

/// A movable handle of a thread that joins in its destructor; children block.
inline constexpr scenario::Offers thread_guard{.handle = true,
                                               .handle_join = true,
                                               .handle_cancel = true,
                                               .handle_detach = true,
                                               .handle_mobility = scenario::Mobility::always,
                                               .spawn_nested = true,
                                               .threads = true,
                                               .blocks = true,
                                               .throws = true,
                                               .carrier = scenario::Carrier::handle,
                                               .inside = true,
                                               .async = true,
                                               .box = true,
                                               .move = true,
                                               .forget = true};

/// A scope of a pool of workers that polls its children and stops at yield points.
inline constexpr scenario::Offers worker_scope{.scope = true,
                                               .scope_cancel = true,
                                               .scope_mobility = scenario::Mobility::until_started,
                                               .handle = true,
                                               .handle_poll = true,
                                               .handle_mobility = scenario::Mobility::always,
                                               .threads = true,
                                               .yields = true,
                                               .keep_waker = true,
                                               .throws = true,
                                               .carrier = scenario::Carrier::scope,
                                               .async = true,
                                               .box = true,
                                               .forget = true};

/// Everything at once: no real API, but the whole alphabet.
inline constexpr scenario::Offers everything{.scope = true,
                                             .scope_poll = true,
                                             .scope_join = true,
                                             .scope_join_as = true,
                                             .scope_cancel = true,
                                             .scope_close = true,
                                             .scope_mobility = scenario::Mobility::until_started,
                                             .handle = true,
                                             .handle_poll = true,
                                             .handle_join = true,
                                             .handle_cancel = true,
                                             .handle_detach = true,
                                             .handle_mobility = scenario::Mobility::always,
                                             .join_mobility = scenario::Mobility::always,
                                             .reserve = true,
                                             .spawn_nested = true,
                                             .child_scopes = true,
                                             .keep_waker = true,
                                             .throws = true,
                                             .carrier = scenario::Carrier::scope,
                                             .run = true,
                                             .inside = true,
                                             .async = true,
                                             .box = true,
                                             .move = true,
                                             .forget = true,
                                             .forget_in_place = true,
                                             .shutdown = true};

/// A movable guard whose handles name its lifetime.
inline constexpr scenario::Offers tied_handles{.scope = true,
                                               .scope_join = true,
                                               .scope_mobility = scenario::Mobility::always,
                                               .handle = true,
                                               .handle_poll = true,
                                               .handle_borrows_scope = true,
                                               .handle_mobility = scenario::Mobility::always,
                                               .spawn_nested = true,
                                               .carrier = scenario::Carrier::scope,
                                               .run = true,
                                               .async = true,
                                               .box = true,
                                               .move = true,
                                               .forget = true};

/// The closure shape: scopes that calls lend to their blocks, movable handles, children that open scopes.
inline constexpr scenario::Offers closure{.scope_enter = true,
                                          .scope_cancel = true,
                                          .handle = true,
                                          .handle_poll = true,
                                          .handle_join = true,
                                          .handle_mobility = scenario::Mobility::always,
                                          .spawn_nested = true,
                                          .child_scopes = true,
                                          .throws = true,
                                          .carrier = scenario::Carrier::scope,
                                          .run = true,
                                          .inside = true,
                                          .async = true,
                                          .box = true,
                                          .move = true,
                                          .forget = true};

/// The same where async blocks run on suspendable stacks.
inline constexpr scenario::Offers closure_on_stacks = [] {
  scenario::Offers offers = closure;
  offers.stack = true;
  return offers;
}();

inline constexpr std::array profiles = {
    Profile{"handle_embedded", handle_embedded}, Profile{"parent_driven", parent_driven},
    Profile{"process_wide", process_wide},       Profile{"pinned_guard", pinned_guard},
    Profile{"spawn_awaited", spawn_awaited},     Profile{"reserving", reserving},
    Profile{"everything", everything},           Profile{"tied_handles", tied_handles},
    Profile{"thread_guard", thread_guard},       Profile{"closure", closure},
    Profile{"worker_scope", worker_scope},       Profile{"closure_on_stacks", closure_on_stacks}};

// Little is offered, so that few ops reach where loans meet: who carries them, and who holds what a result
// borrows.

inline constexpr scenario::Offers lent_to_scopes{.scope = true,
                                                 .scope_poll = true,
                                                 .scope_mobility = scenario::Mobility::always,
                                                 .spawn_nested = true,
                                                 .carrier = scenario::Carrier::scope,
                                                 .async = true,
                                                 .move = true};
inline constexpr scenario::Offers lent_to_handles{.handle = true,
                                                  .handle_poll = true,
                                                  .handle_embeds_child = true,
                                                  .handle_mobility = scenario::Mobility::until_started,
                                                  .carrier = scenario::Carrier::handle,
                                                  .async = true,
                                                  .move = true};
inline constexpr scenario::Offers lent_to_reserved{.scope = true,
                                                   .scope_join = true,
                                                   .handle = true,
                                                   .handle_mobility = scenario::Mobility::until_started,
                                                   .spawn_without_handle = true,
                                                   .reserve = true,
                                                   .carrier = scenario::Carrier::scope,
                                                   .move = true};
inline constexpr scenario::Offers lent_to_results{.scope = true,
                                                  .scope_join_as = true,
                                                  .handle = true,
                                                  .handle_poll = true,
                                                  .handle_mobility = scenario::Mobility::always,
                                                  .spawn_nested = true,
                                                  .carrier = scenario::Carrier::scope,
                                                  .move = true};
inline constexpr scenario::Offers lent_to_embedded{.scope = true,
                                                   .handle = true,
                                                   .handle_poll = true,
                                                   .handle_embeds_child = true,
                                                   .handle_mobility = scenario::Mobility::always,
                                                   .carrier = scenario::Carrier::scope,
                                                   .move = true};

inline constexpr std::array loan_profiles = {
    Profile{"lent_to_scopes", lent_to_scopes}, Profile{"lent_to_handles", lent_to_handles},
    Profile{"lent_to_reserved", lent_to_reserved}, Profile{"lent_to_results", lent_to_results},
    Profile{"lent_to_embedded", lent_to_embedded}};

}  // namespace scopecheck::tests
