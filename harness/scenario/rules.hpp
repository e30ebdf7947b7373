// The client rules: a small borrow checker. Feed it a scenario op by op; it says for every next op
// whether a borrow checker would accept it, and if not, which rule it breaks first. Generators ask the
// same question to learn which ops are legal now, so nothing ill-formed is ever generated.
//
// Theory. A client body (main, async block, inside, catch, enter, task) is one *level*. A level sees what it
// declared and, through a capture, what the levels around it declared: mentioning an outer cell or value
// inside an async block is a loan of it from the block's creation on. A task sees only what it borrowed.
// A loan lives as long as its carrier: a live value. So the whole state is the stack of declarations, and
// for every live value the set of cells and values that it borrows.
// Not claimed: that everything rustc accepts is accepted here (docs/client-rules.md names the gaps).
#pragma once

#include "harness/base/static_vector.hpp"
#include "harness/scenario/offers.hpp"
#include "harness/scenario/scenario.hpp"

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace scopecheck::scenario {

/// The rules, one line each: id and what the client did wrong.
enum class Rule : std::uint8_t {
#define SCOPECHECK_RULE(id, rustc, doc) id,
#include "harness/scenario/rules.def"
#undef SCOPECHECK_RULE
};
struct RuleInfo {
  std::string_view id;
  std::string_view rustc;  ///< the codes with which rustc refuses the same, separated by spaces; may be empty
  std::string_view doc;
};
inline constexpr std::array rule_table = {
#define SCOPECHECK_RULE(id, rustc, doc) RuleInfo{#id, rustc, doc},
#include "harness/scenario/rules.def"
#undef SCOPECHECK_RULE
};
[[nodiscard]] constexpr const RuleInfo& info(Rule rule) { return rule_table[static_cast<std::size_t>(rule)]; }

/// A broken rule, with the cell, value or task it is about and the carrier in the way (`none`: nobody).
struct Violation {
  Rule rule;
  std::uint8_t cell = none;
  std::uint8_t value = none;
  std::uint8_t task = none;
  std::uint8_t carrier = none;

  friend bool operator==(const Violation&, const Violation&) = default;
};

enum class ValueKind : std::uint8_t { scope, handle, join, async };
enum class BlockKind : std::uint8_t { root, frame, async, inside, catch_, enter, task };

using CellSet = std::uint8_t;    // a bit per cell
using ValueSet = std::uint16_t;  // a bit per value
[[nodiscard]] constexpr CellSet bit8(std::uint8_t i) { return static_cast<CellSet>(1u << i); }
[[nodiscard]] constexpr ValueSet bit16(std::uint8_t i) { return static_cast<ValueSet>(1u << i); }

struct ValueState {
  ValueKind kind;
  bool boxed = false;
  bool lent = false;     ///< scope: of an `enter`, so the client has no more than a reference to it
  bool started = false;  ///< scope: spawned into; async and join: polled; handle: its child
  bool done = false;     ///< awaited in place: not to be polled again
  bool closed = false;
  bool moved = false;   ///< it changed its place at least once
  bool joined = false;  ///< scope: some join of it stands in the text so far
  /// scope: how many blocks were open where a join of it began; 0 where the text alone cannot say that one
  /// has.
  std::uint8_t join_begun = 0;
  std::uint8_t level = 0;
  std::uint8_t scope = none;  ///< handle: the scope it was spawned in; join: what it joins
  std::uint8_t task = none;   ///< handle: its child
  CellSet shared = 0, mut = 0;
  ValueSet borrows_shared = 0, borrows_mut = 0;
};

struct TaskState {
  bool parks = false;
  bool keeps_waker = false;
};

struct BlockState {
  BlockKind kind;
  bool unreachable = false;
  std::uint8_t level = 0;
  std::uint8_t first_decl = 0;
  std::uint8_t opened_by = 0;  ///< index of the op
  std::uint8_t ops = 0;        ///< counted ops written directly or below in this block
  // captures of async, inside, catch and enter; for a task: what it may use
  CellSet shared = 0, mut = 0;
  ValueSet value_shared = 0, value_mut = 0;
  CellSet touched = 0;    ///< task: borrowed cells that its body uses
  CellSet held = 0;       ///< task: cells that a destructor of what it captured, returns or throws touches
  CellSet in_result = 0;  ///< task: borrowed cells that its result goes on borrowing
  std::uint8_t task = none;
};

struct Declaration {
  bool is_cell;
  std::uint8_t index;
};

/// The checker's state after a prefix of a scenario. A value: copied freely by searches.
class Rules {
 public:
  explicit Rules(const Offers& offers);

  /// The first rule that `op` would break as the next op, if any. Cost: O(live values).
  [[nodiscard]] std::optional<Violation> check(const Op& op) const;
  /// Takes `op`. Requires: check(op) is empty.
  void apply(const Op& op);

  // What a grammar needs to know.
  [[nodiscard]] const Offers& offers() const { return *offers_; }
  [[nodiscard]] std::uint8_t cells() const { return cells_; }
  [[nodiscard]] std::uint8_t values() const { return static_cast<std::uint8_t>(values_.size()); }
  [[nodiscard]] std::uint8_t tasks() const { return static_cast<std::uint8_t>(tasks_.size()); }
  [[nodiscard]] const ValueState& value(std::size_t v) const { return values_[v]; }
  [[nodiscard]] const TaskState& task(std::size_t t) const { return tasks_[t]; }
  [[nodiscard]] const auto& blocks() const { return blocks_; }
  [[nodiscard]] const auto& decls() const { return decls_; }
  [[nodiscard]] const BlockState& block() const { return blocks_.back(); }
  [[nodiscard]] std::uint8_t size() const { return op_count_; }
  [[nodiscard]] bool value_is_live(std::uint8_t v) const { return position(false, v) >= 0; }
  [[nodiscard]] bool cell_is_live(std::uint8_t c) const { return position(true, c) >= 0; }
  /// The body that the next op belongs to: the innermost block that is not a frame.
  [[nodiscard]] const BlockState& body() const;
  /// No async block, inside or task around: the client's own thread, outside of the runtime.
  [[nodiscard]] bool in_main() const;
  [[nodiscard]] bool in_task() const;
  /// The innermost body, or one around it up to its task, is an async block: it must not block.
  [[nodiscard]] bool in_async_block() const;
  /// The body that a suspension here is one of: the innermost; on a suspendable stack the async block around
  /// the `enter`s in it, too.
  [[nodiscard]] const BlockState& suspending_body() const;
  /// What suspends here can: an async block, inside or task.
  [[nodiscard]] bool in_async_body() const;
  [[nodiscard]] bool shut_down() const { return shut_down_; }
  /// A value that can move to another place now.
  [[nodiscard]] bool movable(const ValueState& value) const;

 private:
  using Verdict = std::optional<Violation>;
  enum Mode : std::uint8_t { shared_use, mut_use, consume };
  [[nodiscard]] int position(bool is_cell, std::uint8_t index) const;
  [[nodiscard]] bool room_for_value() const;
  [[nodiscard]] std::size_t body_index(std::uint8_t level) const;
  [[nodiscard]] const BlockState& body_of(std::uint8_t level) const;
  [[nodiscard]] BlockState& body_at(std::uint8_t level);
  [[nodiscard]] Verdict use_cell(std::uint8_t cell, bool write, Rules* commit) const;
  [[nodiscard]] Verdict use_value(std::uint8_t value, Mode mode, Rules* commit) const;
  [[nodiscard]] Verdict check_end() const;
  [[nodiscard]] Verdict check_spawn(const Op& op) const;
  [[nodiscard]] Verdict check_value_op(const Op& op) const;
  [[nodiscard]] Verdict check_consumed(const Op& op) const;
  /// Whether the text alone says that this join breaks `join once`.
  [[nodiscard]] Verdict check_join_once(std::uint8_t scope) const;
  [[nodiscard]] Verdict check_task_op(const Op& op) const;
  [[nodiscard]] Verdict check_driver_op(const Op& op) const;
  void apply_end();
  void apply_spawn(const Op& op);
  void apply_value_op(const Op& op);
  void open_block(BlockKind kind, bool new_level);
  void declare_value(const ValueState& value);
  /// From here on, in the blocks that are open now, a join of the scope has begun.
  void join_begins(ValueState& scope);
  void remove_value(std::uint8_t value);

  const Offers* offers_;
  bool shut_down_ = false;
  std::uint8_t cells_ = 0;
  std::uint8_t op_count_ = 0;
  std::array<std::uint8_t, max_cells> cell_level_{};
  base::StaticVector<ValueState, max_values> values_;
  base::StaticVector<TaskState, max_tasks> tasks_;
  base::StaticVector<BlockState, max_blocks> blocks_;
  base::StaticVector<Declaration, max_cells + max_values> decls_;
  base::StaticVector<Op, max_blocks> openers_;  // the op that opened each block
};

/// What is wrong with an ill-formed scenario: where, which rule, and a sentence for people.
struct IllFormed {
  std::size_t op;  ///< index of the offending op (== ops.size(): blocks left open)
  Violation violation;
  std::string message;  ///< "cannot write x: mutably borrowed by t0 through s0 until line 8"
};

struct Wording;  // text.hpp

/// Checks a whole scenario. Names and lines in messages are those of its canonical text unless `wording` says
/// otherwise.
[[nodiscard]] std::expected<void, IllFormed> check(const Scenario& scenario, const Offers& offers,
                                                   const Wording* wording = nullptr);

}  // namespace scopecheck::scenario
