// Evidence written by hand: a program, and events as the interpreter would have written them.
#pragma once

#include "harness/scenario/text.hpp"
#include "harness/verdict/oracles.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace scopecheck::verdict {

using ledger::client_actor;
using ledger::Event;
using ledger::EventKind;
using scenario::none;

struct HandMade {
  scenario::Scenario program;
  std::vector<Event> events;
  std::uint16_t alarms = 0xffff;
  Promises promises{.join_waits = true, .join_rethrows = true, .wakes = true};

  explicit HandMade(std::string_view text) {
    const auto parsed = scenario::parse(text);
    if (!parsed) throw std::invalid_argument(parsed.error().message);
    program = parsed->scenario;
  }

  HandMade& client(EventKind kind, std::size_t op, std::uint8_t subject = 0, std::uint8_t detail = 0) {
    return task(client_actor, kind, op, subject, detail);
  }
  HandMade& task(std::uint8_t actor, EventKind kind, std::size_t op, std::uint8_t subject = 0,
                 std::uint8_t detail = 0) {
    events.push_back({kind, actor, subject, detail, static_cast<std::uint16_t>(op), 0});
    return *this;
  }
  /// An event about a task itself.
  HandMade& child(EventKind kind, std::size_t op, std::uint8_t index = 0, std::uint8_t detail = 0) {
    return task(index, kind, op, index, detail);
  }
  [[nodiscard]] std::size_t size() const { return program.ops.size(); }
  [[nodiscard]] Evidence evidence() const { return {program, events, alarms, promises}; }
};

/// How signatures name a touch: as the op that does it.
inline std::string op_of_touch(EventKind touch) {
  switch (touch) {
    case EventKind::touched_read:
      return "read";
    case EventKind::touched_write:
      return "write";
    case EventKind::touched_by_capture:
      return "capture";
    case EventKind::touched_by_result:
      return "result";
    default:
      return "payload";
  }
}

/// The signatures that an oracle finds, as text, in its order.
template <class Oracle>
std::vector<std::string> signatures(const HandMade& made, Oracle oracle) {
  Findings findings;
  oracle(made.evidence(), findings);
  std::vector<std::string> result;
  for (const Finding& finding : findings) result.push_back(to_string(finding.signature));
  return result;
}

}  // namespace scopecheck::verdict
