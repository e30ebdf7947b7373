// The lifeline picture in the terminal: one run of one scenario, for people.
//
//   line  client                        x→t0  t0
//      1  cell x                        ╻
//      2  spawn t0 borrow mut x {       ┃ ╥   ○ spawned
//         ...                           ┃ ╨   ┊
//         outermost frame ends          ╹     ┊
//         final settle                  ✗     ✗ write x  ← use-after-scope
//
// Rows are moments in the order in which they happened; see timeline.hpp.
#pragma once

#include "harness/ledger/ledger.hpp"
#include "harness/report/style.hpp"
#include "harness/scenario/text.hpp"
#include "harness/verdict/finding.hpp"

#include <span>
#include <string>

namespace scopecheck::report {

/// Draws the picture, a key to its glyphs and, with a finding, the finding in words, in the names and lines
/// of `wording`. Ensures: no line is wider than `style.width` (at least `min_width`); what found no room is
/// named below the picture; ends with a newline; empty when nothing happened.
[[nodiscard]] std::string lifeline(const scenario::Scenario& scenario, std::span<const ledger::Event> events,
                                   const verdict::Finding* finding_or_null, const Style& style,
                                   const scenario::Wording& wording);
/// The same in the names and lines of the canonical text.
[[nodiscard]] std::string lifeline(const scenario::Scenario& scenario, std::span<const ledger::Event> events,
                                   const verdict::Finding* finding_or_null, const Style& style);

}  // namespace scopecheck::report
