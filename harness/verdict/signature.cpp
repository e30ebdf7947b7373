#include "harness/ledger/names.hpp"
#include "harness/scenario/text.hpp"
#include "harness/verdict/finding.hpp"

#include <fmt/format.h>

#include <vector>

namespace scopecheck::verdict {
namespace {

std::string cause_text(Cause cause, scenario::OpKind op) {
  switch (cause) {
    case Cause::nothing:
      return "-";
    case Cause::op:
      return scenario::name(op);
    case Cause::frame_end:
      return "frame-end";
    case Cause::final_settle:
      return "final-settle";
    case Cause::runtime_end:
      return "runtime-end";
  }
  return "-";
}

/// The use, as the op that a child used the cell with; other events by their own names.
std::string use_text(ledger::EventKind use) {
  switch (use) {
    case ledger::EventKind::touched_read:
      return scenario::name(scenario::OpKind::read);
    case ledger::EventKind::touched_write:
      return scenario::name(scenario::OpKind::write);
    case ledger::EventKind::touched_by_capture:
      return scenario::name(scenario::OpKind::capture);
    case ledger::EventKind::touched_by_result:
      return scenario::name(scenario::OpKind::result);
    case ledger::EventKind::touched_by_payload:
      return scenario::name(scenario::OpKind::payload);
    default:
      return ledger::name(use);
  }
}

bool parse_cause(std::string_view text, Cause& cause, scenario::OpKind& op) {
  for (const Cause candidate : {Cause::nothing, Cause::frame_end, Cause::final_settle, Cause::runtime_end})
    if (text == cause_text(candidate, {})) {
      cause = candidate;
      return true;
    }
  for (std::size_t i = 0; i < scenario::op_kinds; ++i)
    if (const auto kind = static_cast<scenario::OpKind>(i); scenario::name(kind) == text) {
      cause = Cause::op;
      op = kind;
      return true;
    }
  return false;
}

}  // namespace

std::string to_string(const Signature& s) {
  return fmt::format("{}({}, {}, {})", info(s.kind).text, cause_text(s.released_by, s.released_op),
                     cause_text(s.ended_by, s.ended_op), use_text(s.used_by));
}

std::optional<Signature> parse_signature(std::string_view text) {
  Signature s;
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) return std::nullopt;
  bool known = false;
  for (std::size_t i = 0; i < kind_table.size(); ++i)
    if (kind_table[i].text == text.substr(0, open)) {
      s.kind = static_cast<FindingKind>(i);
      known = true;
    }
  std::vector<std::string_view> parts;
  for (std::string_view rest = text.substr(open + 1, text.size() - open - 2);;) {
    const std::size_t comma = rest.find(", ");
    parts.push_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 2);
  }
  if (!known || parts.size() != 3 || !parse_cause(parts[0], s.released_by, s.released_op) ||
      !parse_cause(parts[1], s.ended_by, s.ended_op))
    return std::nullopt;
  for (std::size_t i = 0; i < ledger::event_kinds; ++i)
    if (use_text(static_cast<ledger::EventKind>(i)) == parts[2]) {
      s.used_by = static_cast<ledger::EventKind>(i);
      return s;
    }
  return std::nullopt;
}

}  // namespace scopecheck::verdict
