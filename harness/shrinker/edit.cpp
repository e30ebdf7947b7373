#include "harness/shrinker/edit.hpp"

namespace scopecheck::shrinker {

using scenario::none;
using scenario::Op;
using scenario::Operand;
using scenario::OpKind;
using scenario::Scenario;

namespace {

class Rebuild {
 public:
  Rebuild(const Scenario& from, const OpSet& removed, const OpSet& unwrapped, std::uint8_t heir)
      : from_(from), removed_(removed), unwrapped_(unwrapped), heir_(heir) {
    cells_.fill(none);
    values_.fill(none);
    tasks_.fill(none);
  }

  Scenario run() {
    std::size_t i = 0;
    while (i < from_.ops.size()) i = take(i);
    return to_;
  }

 private:
  struct Open {
    std::size_t from;  // op index of the opener in the original
    std::size_t to;    // and in the result; none_open when only its braces are gone
  };
  static constexpr std::size_t none_open = ~std::size_t{0};

  /// Copies op i if it is kept; returns where to go on.
  std::size_t take(std::size_t i) {
    Op op = from_.ops[i];
    if (op.kind == OpKind::end) {
      close();
      return i + 1;
    }
    const bool opens = scenario::opens(op.kind);
    if (opens && unwrapped_[i]) {
      open_.push_back({i, none_open});
      return i + 1;
    }
    if (removed_[i] || !remap(op)) return opens ? from_.matching_end(i) + 1 : i + 1;
    if (heir_ != none && from_.ops[i].value == heir_ && declares_value(op.kind)) op.boxed = testator_boxed();
    if (opens) open_.push_back({i, to_.ops.size()});
    to_.ops.push_back(op);
    return i + 1;
  }

  static bool declares_value(OpKind kind) {
    return kind == OpKind::scope || kind == OpKind::join_as || makes_task(kind);
  }

  /// Whether the innermost async block around that loses its braces was boxed.
  bool testator_boxed() const {
    for (std::size_t k = open_.size(); k-- > 0;)
      if (open_[k].to == none_open && from_.ops[open_[k].from].kind == OpKind::async)
        return from_.ops[open_[k].from].boxed;
    return false;
  }

  void close() {
    const Open open = open_.back();
    open_.pop_back();
    const Op& before = from_.ops[open.from];
    if (open.to == none_open) {
      if (heir_ != none && before.kind == OpKind::async) values_[before.value] = values_[heir_];
      return;
    }
    if (before.kind == OpKind::async || (makes_task(before.kind) && before.value != none)) {
      values_[before.value] = next_value_;
      to_.ops[open.to].value = next_value_++;
    }
    to_.ops.push_back(Op{});
  }

  /// Renumbers what the op mentions and declares; false when something it mentions is gone.
  bool remap(Op& op) {
    switch (scenario::info(op.kind).operand) {
      case Operand::new_cell:
        cells_[op.subject] = next_cell_;
        op.subject = next_cell_++;
        return true;
      case Operand::cell:
        op.subject = cells_[op.subject];
        return op.subject != none;
      case Operand::task:
        op.subject = tasks_[op.subject];
        return op.subject != none;
      case Operand::new_scope:
        values_[op.value] = next_value_;
        op.value = next_value_++;
        return true;
      case Operand::value:
      case Operand::vector:
        op.subject = values_[op.subject];
        if (op.subject == none) return false;
        if (op.kind == OpKind::join_as) {
          values_[op.value] = next_value_;
          op.value = next_value_++;
        }
        return true;
      case Operand::spawn: {
        if (op.scope != none && (op.scope = values_[op.scope]) == none) return false;
        tasks_[op.subject] = next_task_;
        op.subject = next_task_++;
        std::uint8_t shared = 0;
        std::uint8_t mut = 0;
        for (std::uint8_t cell = 0; cell < scenario::max_cells; ++cell) {
          if (cells_[cell] == none) continue;
          if ((op.shared >> cell & 1) != 0) shared = static_cast<std::uint8_t>(shared | 1u << cells_[cell]);
          if ((op.mut >> cell & 1) != 0) mut = static_cast<std::uint8_t>(mut | 1u << cells_[cell]);
        }
        op.shared = shared;
        op.mut = mut;
        return true;
      }
      default:
        return true;
    }
  }

  const Scenario& from_;
  const OpSet& removed_;
  const OpSet& unwrapped_;
  std::uint8_t heir_;
  Scenario to_;
  base::StaticVector<Open, scenario::max_ops> open_;
  std::array<std::uint8_t, scenario::max_cells> cells_{};
  std::array<std::uint8_t, scenario::max_values> values_{};
  std::array<std::uint8_t, scenario::max_tasks> tasks_{};
  std::uint8_t next_cell_ = 0, next_value_ = 0, next_task_ = 0;
};

}  // namespace

Scenario without(const Scenario& scenario, const OpSet& removed, const OpSet& unwrapped, std::uint8_t heir) {
  return Rebuild(scenario, removed, unwrapped, heir).run();
}

}  // namespace scopecheck::shrinker
