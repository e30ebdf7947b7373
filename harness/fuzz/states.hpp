// Ledger states as coverage: what was happening x how the lives stood then. They go into libFuzzer's extra
// counters, so that the search is guided also where the implementation is not instrumented.
// Source: https://llvm.org/docs/LibFuzzer.html, __libfuzzer_extra_counters.
#pragma once

#include "harness/ledger/ledger.hpp"
#include "harness/scenario/scenario.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace scopecheck::fuzz {

/// The (op, state) pairs of one run, a number each, in the order of its events.
[[nodiscard]] std::vector<std::size_t> states_of(const scenario::Scenario& program,
                                                 std::span<const ledger::Event> events);

/// Counts every (op, state) pair of one run. Cost: a pass over the events.
void count_states(const scenario::Scenario& program, std::span<const ledger::Event> events);

/// How many pairs this process has seen.
[[nodiscard]] std::size_t states_reached();
/// How many pairs there can be.
[[nodiscard]] std::size_t states_possible();

}  // namespace scopecheck::fuzz
