// The probes of the trilemma: three small experiments, one per letter. Each runs small clients of one child
// through the door, as all others are, until a ledger shows the letter (verdict/trilemma.hpp) or there are no
// more. They are clients of the exhaustive engine, shortest first, over what it takes to start a child, let
// it run and wait for it: no shape of API needs a program of its own.
#pragma once

#include "harness/campaign/tally.hpp"
#include "harness/interpreter/implementation.hpp"
#include "harness/verdict/trilemma.hpp"

#include <array>

namespace scopecheck::campaign {

/// What the probes use of what the API offers: no leak, panic, move, cancellation or shutdown.
[[nodiscard]] scenario::Offers probe_offers(scenario::Offers offers);

/// Which clients can show a letter, by Letter. The longest that any needs is one that lives in a task
/// (`inside`) and opens a scope, of a child that needs nothing more than the letter does, with as many ops
/// again to let it run.
inline constexpr std::array<scenario::Bounds, verdict::letters> probe_bounds = {{
    {.ops = 6, .tasks = 1, .cells = 0, .scopes = 1, .frames = 0, .async_blocks = 1, .steps = 2, .borrows = 0},
    {.ops = 5, .tasks = 1, .cells = 0, .scopes = 1, .frames = 0, .async_blocks = 1, .steps = 1, .borrows = 0},
    {.ops = 5, .tasks = 1, .cells = 1, .scopes = 1, .frames = 0, .async_blocks = 1, .steps = 1, .borrows = 1},
}};

/// No more where children block a thread: such a client cannot suspend in a task, so it needs no op to go on
/// there, and its runs cost a thousand times as much.
inline constexpr std::uint8_t probe_ops_threads = 5;

/// The experiments, by Letter.
[[nodiscard]] std::array<Job, verdict::letters> probe_jobs(interpreter::Implementation implementation,
                                                           scenario::Discipline discipline);

}  // namespace scopecheck::campaign
