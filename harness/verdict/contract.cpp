// Theory. Promises, not memory safety: a join that reported success means that every child it stood for is
// done (join-lied) and that a panic of theirs was reported (lost-panic); a child that was woken is stepped
// while someone drives the runtime and nothing was cancelled (lost-wake). Judged only against what the
// implementation promises. Not claimed: anything about a heap spawn that swallows a panic, or about a
// forgotten parent-driven scope whose children are never polled again.
#include "harness/verdict/oracles.hpp"

#include <array>

namespace scopecheck::verdict {

using ledger::EventKind;
using scenario::none;

namespace {

struct Child {
  std::uint8_t scope = none, handle = none;
  bool reserved = false, spawned = false, done = false, threw = false, cancelled = false, woken = false;
};

/// Which scope and which handle each task was spawned with, as the program says.
std::array<Child, scenario::max_tasks> children_of(const scenario::Scenario& program) {
  std::array<Child, scenario::max_tasks> children{};
  for (const scenario::Op& op : program.ops)
    if (makes_task(op.kind))
      children[op.subject] = {
          .scope = op.scope,
          .handle = op.extra != 0 ? static_cast<std::uint8_t>(scenario::max_values + op.subject) : op.value,
          .reserved = op.kind == scenario::OpKind::reserve};
  return children;
}

/// The scope that a join object waits for, or the value itself.
std::uint8_t joined_value(const scenario::Scenario& program, std::uint8_t value) {
  for (const scenario::Op& op : program.ops)
    if (op.kind == scenario::OpKind::join_as && op.value == value) return op.subject;
  return value;
}

}  // namespace

void contract(const Evidence& evidence, Findings& findings) {
  auto children = children_of(evidence.program);
  bool shut_down = false;
  const auto add = [&](std::size_t i, const ledger::Event& e, FindingKind kind, std::uint8_t task) {
    Finding finding;
    finding.signature.kind = kind;
    finding.signature.used_by = e.kind;
    finding.task = task;
    finding.used_at = e.op;
    finding.event = static_cast<std::uint32_t>(i);
    findings.add(finding);
  };
  for (std::size_t i = 0; i < evidence.events.size(); ++i) {
    const ledger::Event& e = evidence.events[i];
    switch (e.kind) {
      case EventKind::spawned:
        children[e.subject].spawned = true;
        break;
      case EventKind::started:
        children[e.subject].reserved = false;
        break;
      case EventKind::stepped:
        children[e.subject].woken = false;
        break;
      case EventKind::finished:
      case EventKind::refused:
      case EventKind::child_dropped:
        children[e.subject].done = true;
        break;
      case EventKind::threw:
        children[e.subject].done = children[e.subject].threw = true;
        break;
      case EventKind::woken:
        if (e.detail == 0) children[e.subject].woken = true;
        break;
      case EventKind::runtime_shut_down:
        shut_down = true;
        break;
      case EventKind::cancelled:
        for (Child& child : children)
          if (child.scope == e.subject || child.handle == e.subject) child.cancelled = true;
        break;
      case EventKind::joined: {
        const std::uint8_t value = joined_value(evidence.program, e.subject);
        for (std::uint8_t task = 0; task < scenario::max_tasks; ++task) {
          const Child& child = children[task];
          if (!child.spawned || child.cancelled || (child.scope != value && child.handle != value)) continue;
          if (evidence.promises.join_waits && !child.done && !child.reserved)
            add(i, e, FindingKind::join_lied, task);
          if (evidence.promises.join_rethrows && e.detail == 0 && child.threw && child.handle == value)
            add(i, e, FindingKind::lost_panic, task);
        }
        break;
      }
      case EventKind::settled:
        if (!evidence.promises.wakes || shut_down) break;
        for (std::uint8_t task = 0; task < scenario::max_tasks; ++task) {
          const Child& child = children[task];
          if (child.spawned && child.woken && !child.done && !child.cancelled)
            add(i, e, FindingKind::lost_wake, task);
        }
        break;
      default:
        break;
    }
  }
}

}  // namespace scopecheck::verdict
