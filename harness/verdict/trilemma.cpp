// Theory. A sound API of scoped tasks offers at most two of three: concurrency, parallelizability, borrowing.
// Each is shown by one child of one run:
//
//   C  the body that spawned the child got control back between two steps of the child, and went on to its
//   next op.
//      Not counted: an op inside of the `enter` of the child's scope, for that call keeps the spawner's frame
//      from going on until the child has ended; nor an `await` that was asked again, for its body stands
//      still.
//   P  the child took a step while no call on a value was in progress: in `step`, `run` or `settle`, where
//   the client
//      lets the runtime go, or while a client in `inside` had suspended.
//   B  the child touched a cell of its spawner under a loan that was live.
//
// What happens from the first finding on shows nothing: what is stolen is not offered. Not claimed: that a
// letter that no run shows is not to be had, nor P of what happens within a call on a value (a destructor, a
// blocking join), even where the step was taken by a thread of the runtime: the ledger does not know threads.
// A spawner that is a child itself shows no C: where it goes on is not in the ledger. Source:
// https://without.boats/blog/the-scoped-task-trilemma/
#include "harness/verdict/trilemma.hpp"

#include "harness/verdict/oracles.hpp"

#include <algorithm>
#include <utility>

namespace scopecheck::verdict {

using ledger::EventKind;
using scenario::OpKind;

namespace {

constexpr std::uint8_t bit(Letter letter) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(letter));
}

constexpr bool opens_a_body(OpKind kind) {
  return kind == OpKind::async || kind == OpKind::inside || scenario::makes_task(kind);
}

/// Lets the runtime go, and is no call on a value.
constexpr bool drives_the_runtime(OpKind kind) {
  return kind == OpKind::step || kind == OpKind::run || kind == OpKind::settle || kind == OpKind::inside;
}

constexpr std::uint8_t outermost =
    scenario::max_ops;  // as a body; the others are named by the op that opens them

/// What the text says of a child.
struct Birth {
  std::uint8_t body = outermost;  ///< that spawned it
  std::uint8_t entered = 0,
               left = 0;  ///< the `enter` of its scope and that block's end; equal: there is none
};

struct Places {
  std::array<std::uint8_t, scenario::max_ops> body_of{};
  std::array<Birth, scenario::max_tasks> births{};

  explicit Places(const scenario::Scenario& program) {
    base::StaticVector<std::uint8_t, scenario::max_blocks + 1> bodies;  // of the blocks that are open
    std::array<std::uint8_t, scenario::max_values> entered{};
    std::array<std::uint8_t, scenario::max_values> left{};
    bodies.push_back(outermost);
    for (std::uint8_t i = 0; i < program.ops.size(); ++i) {
      const scenario::Op& op = program.ops[i];
      body_of[i] = bodies.back();
      if (op.kind == OpKind::end) bodies.pop_back();
      if (op.kind == OpKind::enter) {
        entered[op.value] = i;
        left[op.value] = static_cast<std::uint8_t>(program.matching_end(i));
      }
      if (scenario::makes_task(op.kind)) {
        births[op.subject].body = body_of[i];
        if (op.scope != scenario::none) {
          births[op.subject].entered = entered[op.scope];
          births[op.subject].left = left[op.scope];
        }
      }
      if (scenario::opens(op.kind)) bodies.push_back(opens_a_body(op.kind) ? i : bodies.back());
    }
  }
};

/// What has happened to a child so far.
struct Child {
  bool begun = false;
  bool spawner_went_on = false;       ///< since it began
  std::uint8_t spawner_stood_at = 0;  ///< when it began
  std::uint8_t borrows = 0;           ///< cells, a bit each
};

class Reader {
 public:
  explicit Reader(const scenario::Scenario& program) : program_(program), places_(program) {}

  void event(const ledger::Event& e) {
    switch (e.kind) {
      case EventKind::op_begun:
        begun(static_cast<std::uint8_t>(e.op));
        break;
      case EventKind::stepped:
        stepped(children_[e.subject], places_.births[e.subject], e.op);
        break;
      case EventKind::loan_taken:
        children_[e.actor].borrows = static_cast<std::uint8_t>(children_[e.actor].borrows | 1u << e.subject);
        break;
      case EventKind::touched_read:
      case EventKind::touched_write:
        // under a live loan, for a late touch is a finding
        if ((children_[e.actor].borrows >> e.subject & 1) != 0) show(Letter::borrowing);
        break;
      default:
        break;
    }
  }
  [[nodiscard]] std::uint8_t shown() const { return shown_; }

 private:
  void begun(std::uint8_t op) {
    const std::uint8_t body = places_.body_of[op];
    for (std::size_t task = 0; task < children_.size(); ++task) {
      const Birth& birth = places_.births[task];
      Child& child = children_[task];
      const bool in_the_call = birth.entered < op && op < birth.left;
      if (birth.body == body && child.begun && op > child.spawner_stood_at && !in_the_call)
        child.spawner_went_on = true;
    }
    stands_at_[body] = op;
  }

  void stepped(Child& child, const Birth& birth, std::size_t op) {
    if (op < program_.ops.size() && drives_the_runtime(program_.ops[op].kind))
      show(Letter::parallelizability);
    if (child.spawner_went_on) show(Letter::concurrency);
    if (!std::exchange(child.begun, true)) child.spawner_stood_at = stands_at_[birth.body];
  }

  void show(Letter letter) { shown_ = static_cast<std::uint8_t>(shown_ | bit(letter)); }

  const scenario::Scenario& program_;
  const Places places_;
  std::array<Child, scenario::max_tasks> children_{};
  std::array<std::uint8_t, outermost + 1> stands_at_{};  // the last op that each body began
  std::uint8_t shown_ = 0;
};

}  // namespace

std::uint8_t letters_of(const Evidence& evidence) {
  Findings findings;
  judge(evidence, findings);
  std::size_t until = evidence.events.size();
  for (const Finding& finding : findings) until = std::min<std::size_t>(until, finding.event);
  Reader reader(evidence.program);
  for (const ledger::Event& event : evidence.events.first(until)) reader.event(event);
  return reader.shown();
}

}  // namespace scopecheck::verdict
