// What a judge gets to see: the program, the ledger, and what the implementation promises. Never the
// implementation itself.
#pragma once

#include "harness/base/static_vector.hpp"
#include "harness/verdict/finding.hpp"

#include <span>

namespace scopecheck::verdict {

/// Promises that contract findings are judged against.
struct Promises {
  bool join_waits = false;
  bool join_rethrows = false;
  bool wakes = false;
};

struct Evidence {
  const scenario::Scenario& program;
  std::span<const ledger::Event> events;
  std::uint16_t alarms = 0;
  Promises promises;
};

/// Findings of one run; one per signature, the first.
class Findings {
 public:
  void add(const Finding& finding) {
    for (const Finding& known : list_)
      if (known.signature == finding.signature) return;
    if (!list_.full()) list_.push_back(finding);
  }
  void clear() { list_.clear(); }
  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] std::size_t size() const { return list_.size(); }
  [[nodiscard]] const Finding* begin() const { return list_.begin(); }
  [[nodiscard]] const Finding* end() const { return list_.end(); }

 private:
  base::StaticVector<Finding, 16> list_;
};

/// What happened at an op index of a program, as a cause.
struct CauseOp {
  Cause cause;
  scenario::OpKind op;
};
[[nodiscard]] CauseOp cause_at(const scenario::Scenario& program, std::size_t op);

/// The last event of `kind` about `subject` before index `before` (by `actor` unless it is `any_actor`).
inline constexpr std::uint8_t any_actor = 0xfe;
[[nodiscard]] const ledger::Event* last_before(const Evidence& evidence, std::size_t before,
                                               ledger::EventKind kind, std::uint8_t subject,
                                               std::uint8_t actor = any_actor);

}  // namespace scopecheck::verdict
