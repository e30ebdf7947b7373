// The oracles: each a pure function from evidence to findings, in a file of its own.
#pragma once

#include "harness/verdict/evidence.hpp"

#include <cstdint>
#include <string_view>

namespace scopecheck::verdict {

/// A touch of a dead cell, or of a cell whose loan is over (late_use.cpp).
void late_use(const Evidence& evidence, Findings& findings);
/// Steps and drops of children that were not there to be stepped or dropped (child_protocol.cpp).
void child_protocol(const Evidence& evidence, Findings& findings);
/// Promises broken: joins, wakes, panics (contract.cpp).
void contract(const Evidence& evidence, Findings& findings);
/// A live cell that holds what nobody wrote (late_use.cpp).
void scribble(const Evidence& evidence, Findings& findings);

/// What a sanitizer said during a run: how many ledger events there were then, whether the harness's own
/// access (to `cell`, if it said so) was at fault, else the runtime's, and whether it was about memory that
/// had ended.
struct SanitizerReport {
  std::uint32_t event = 0;
  bool in_harness = false;
  bool of_ended_memory = false;
  Witness witness = Witness::asan;
  std::uint8_t cell = scenario::none;
};
/// Whether the text of a report is about memory that had ended. `in_ended_storage`: the address lies in
/// storage of the harness that had ended; poison also stands between live storage, where it is an overflow,
/// and threads may race for what lives.
[[nodiscard]] bool about_ended_memory(std::string_view report, bool in_ended_storage);
/// The finding behind a sanitizer's report, if there is one (sanitizer.cpp). Returns false when the report
/// proves no late use: an overflow, a wild pointer, whatever else the implementation did wrong.
bool sanitizer(const Evidence& evidence, const SanitizerReport& report, Findings& findings);

/// All that read the ledger alone. Cost: nothing when the ledger raised no alarm.
void judge(const Evidence& evidence, Findings& findings);

}  // namespace scopecheck::verdict
