// Theory. A child is spawned, stepped one step at a time until it finishes or panics, and destroyed
// exactly once, in storage that is alive and, once it was stepped, where it was first stepped. Results and
// payloads are destroyed at most once. This oracle replays the events as that little state machine, one
// per task. Not claimed: that a child is ever destroyed: leaking is safe; only pinned storage that was
// reclaimed without its child's destructor is a finding.
#include "harness/verdict/oracles.hpp"

#include <array>

namespace scopecheck::verdict {

using ledger::EventKind;
using scenario::none;

namespace {

struct ChildState {
  std::uint8_t home = none;  // the value that embeds it
  bool started = false, running = false, done = false, dropped = false;
  std::uint16_t spawned_at = Finding::no_op;
  std::uint16_t done_at = Finding::no_op;
  std::uint16_t home_died_at = Finding::no_op;
  std::uint16_t home_moved_at = Finding::no_op;
};

class Protocol {
 public:
  Protocol(const Evidence& evidence, Findings& findings) : evidence_(evidence), findings_(findings) {}

  void run() {
    for (std::size_t i = 0; i < evidence_.events.size(); ++i) event(i, evidence_.events[i]);
  }

 private:
  void event(std::size_t i, const ledger::Event& e) {
    switch (e.kind) {
      case EventKind::spawned:
        children_[e.subject] = {.home = e.detail, .spawned_at = e.op};
        break;
      case EventKind::stepped:
        stepped(i, e, children_[e.subject]);
        break;
      case EventKind::suspended:
      case EventKind::parked:
        children_[e.subject].running = false;
        break;
      case EventKind::finished:
      case EventKind::threw: {
        ChildState& child = children_[e.subject];
        child.running = false;
        child.done = true;
        child.done_at = e.op;
        break;
      }
      case EventKind::child_dropped:
        dropped(i, e, children_[e.subject]);
        break;
      case EventKind::result_dropped:
      case EventKind::payload_dropped:
        if (e.detail != 0) add(i, e, FindingKind::double_drop, Finding::no_op);
        break;
      case EventKind::storage_died:
        for (std::uint8_t task = 0; task < scenario::max_tasks; ++task) {
          ChildState& child = children_[task];
          if (child.home != e.subject || child.spawned_at == Finding::no_op) continue;
          child.home_died_at = e.op;
          if (!child.dropped && last_before(evidence_, i, EventKind::value_forgotten, e.subject) == nullptr)
            add(i, {e.kind, task, task, 0, e.op, 0}, FindingKind::never_dropped, e.op);
        }
        break;
      case EventKind::value_moved:
      case EventKind::value_forgotten:
        for (ChildState& child : children_)
          if (child.home == e.subject && child.started && moves(e)) child.home_moved_at = e.op;
        break;
      default:
        break;
    }
  }

  /// Whether a forgotten value moved: one in a frame is moved to the heap, a boxed one stays.
  bool moves(const ledger::Event& e) const {
    if (e.kind == EventKind::value_moved) return true;
    for (const scenario::Op& op : evidence_.program.ops)
      if (makes_task(op.kind) && op.value == e.subject) return !op.boxed;
    return false;
  }

  void stepped(std::size_t i, const ledger::Event& e, ChildState& child) {
    if (child.home_died_at != Finding::no_op)
      return add(i, e, FindingKind::future_after_free, child.home_died_at);
    if (child.done || child.dropped) return add(i, e, FindingKind::step_after_done, child.done_at);
    if (child.running) return add(i, e, FindingKind::double_step, Finding::no_op);
    if (child.home_moved_at != Finding::no_op)
      return add(i, e, FindingKind::moved_after_start, child.home_moved_at);
    child.started = true;
    child.running = true;
  }

  void dropped(std::size_t i, const ledger::Event& e, ChildState& child) {
    if (child.dropped)
      add(i, e, FindingKind::double_drop, child.done_at);
    else if (child.home_died_at != Finding::no_op)
      add(i, e, FindingKind::future_after_free, child.home_died_at);
    else if (e.detail != 0)  // destroyed in the middle of its own step
      add(i, e, FindingKind::future_after_free, e.op);
    child.dropped = true;
    child.running = false;
    if (child.done_at == Finding::no_op) child.done_at = e.op;
  }

  void add(std::size_t i, const ledger::Event& e, FindingKind kind, std::uint16_t ended_at) {
    Finding finding;
    finding.signature.kind = kind;
    finding.signature.used_by = e.kind;
    finding.task = e.subject;
    finding.taken_at = children_[e.subject].spawned_at;
    finding.used_at = e.op;
    finding.event = static_cast<std::uint32_t>(i);
    finding.ended_at = ended_at;
    if (ended_at != Finding::no_op) {
      const CauseOp cause = cause_at(evidence_.program, ended_at);
      finding.signature.ended_by = cause.cause;
      finding.signature.ended_op = cause.op;
    }
    findings_.add(finding);
  }

  const Evidence& evidence_;
  Findings& findings_;
  std::array<ChildState, scenario::max_tasks> children_{};
};

}  // namespace

void child_protocol(const Evidence& evidence, Findings& findings) { Protocol(evidence, findings).run(); }

}  // namespace scopecheck::verdict
