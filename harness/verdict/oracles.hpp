// The oracles: each a pure function from evidence to findings, in a file of its own.
#pragma once

#include "harness/verdict/evidence.hpp"

namespace scopecheck::verdict {

/// A touch of a dead cell, or of a cell whose loan is over (late_use.cpp).
void late_use(const Evidence& evidence, Findings& findings);
/// Steps and drops of children that were not there to be stepped or dropped (child_protocol.cpp).
void child_protocol(const Evidence& evidence, Findings& findings);
/// Promises broken: joins, wakes, panics (contract.cpp).
void contract(const Evidence& evidence, Findings& findings);
/// A live cell that holds what nobody wrote (late_use.cpp).
void scribble(const Evidence& evidence, Findings& findings);

/// What a sanitizer said during a run: how many ledger events there were then, and whether the harness's
/// own access was at fault (else the runtime's).
struct SanitizerReport {
  std::uint32_t event = 0;
  bool in_harness = false;
};
/// The finding behind a sanitizer's report (sanitizer.cpp).
void sanitizer(const Evidence& evidence, const SanitizerReport& report, Findings& findings);

/// All that read the ledger alone. Cost: nothing when the ledger raised no alarm.
void judge(const Evidence& evidence, Findings& findings);

}  // namespace scopecheck::verdict
