#include "harness/report/place.hpp"

#include "harness/ledger/moments.hpp"

#include <fmt/format.h>

namespace scopecheck::report {
namespace {

/// The op that opens what ends at `end`.
std::size_t opener_of(const scenario::Scenario& scenario, std::size_t end) {
  std::size_t open = end;
  while (!scenario::opens(scenario.ops[open].kind) || scenario.matching_end(open) != end) --open;
  return open;
}

/// A moment that stands in no line.
std::string moment(const scenario::Scenario& scenario, std::uint16_t op) {
  if (op == scenario.ops.size() + ledger::at_outermost_end) return "when the outermost frame ends";
  if (op == scenario.ops.size() + ledger::at_final_settle) return "in the final settle";
  return "when the runtime ends";
}

}  // namespace

std::string place(const scenario::Scenario& scenario, std::uint16_t op, const scenario::Names& names) {
  if (op >= scenario.ops.size()) return moment(scenario, op);
  if (scenario.ops[op].kind != scenario::OpKind::end)
    return fmt::format("at `{}`", scenario::line_of(scenario, op, names));
  return fmt::format("at the end of `{}`", scenario::line_of(scenario, opener_of(scenario, op), names));
}

std::string place_in_file(const scenario::Scenario& scenario, std::uint16_t op,
                          const scenario::Wording& wording) {
  if (op >= scenario.ops.size()) return moment(scenario, op);
  return fmt::format("at line {}: {}", wording.line(op), scenario::line_of(scenario, op, wording.names));
}

}  // namespace scopecheck::report
