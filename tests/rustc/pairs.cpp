#include "tests/rustc/pairs.hpp"

#include <algorithm>

namespace scopecheck::tests {

using scenario::none;
using scenario::Op;
using scenario::OpKind;
using scenario::Rule;
using scenario::Rules;
using scenario::Scenario;
using scenario::ValueKind;
using scenario::Violation;

namespace {

/// Every op of the table with every operand that exists, legal or not.
std::vector<Op> every_op(const Rules& rules) {
  std::vector<Op> ops;
  const scenario::Offers& offers = rules.offers();
  const auto boxed = [&](Op op) {
    ops.push_back(op);
    op.boxed = true;
    ops.push_back(op);
  };
  for (std::size_t i = 0; i < scenario::op_kinds; ++i) {
    const auto kind = static_cast<OpKind>(i);
    switch (scenario::info(kind).operand) {
      case scenario::Operand::none:
        if (kind != OpKind::end) ops.push_back({.kind = kind});
        break;
      case scenario::Operand::cell:
        for (std::uint8_t c = 0; c < rules.cells(); ++c) ops.push_back({.kind = kind, .subject = c});
        break;
      case scenario::Operand::value:
      case scenario::Operand::vector:
        for (std::uint8_t v = 0; v < rules.values(); ++v) {
          if (kind == OpKind::join_as)
            boxed({.kind = kind, .subject = v, .value = rules.values()});
          else
            ops.push_back({.kind = kind, .subject = v});
          if (kind == OpKind::forget) ops.push_back({.kind = kind, .subject = v, .extra = 1});
        }
        break;
      case scenario::Operand::task:
        for (std::uint8_t t = 0; t < rules.tasks(); ++t) ops.push_back({.kind = kind, .subject = t});
        break;
      case scenario::Operand::count:
        ops.push_back({.kind = kind, .subject = 1});
        break;
      case scenario::Operand::new_cell:
        ops.push_back({.kind = kind, .subject = rules.cells()});
        break;
      case scenario::Operand::new_scope:
        boxed({.kind = kind, .value = rules.values()});
        break;
      case scenario::Operand::new_block:
        boxed({.kind = kind});
        break;
      case scenario::Operand::spawn: {
        const bool reserves = kind == OpKind::reserve;
        if (reserves && !offers.reserve) break;
        const bool handle = reserves || offers.spawn_yields_handle();
        for (int scope = offers.has_scopes() ? 0 : -1; scope < (offers.has_scopes() ? rules.values() : 0);
             ++scope) {
          if (scope >= 0 && rules.value(static_cast<std::size_t>(scope)).kind != ValueKind::scope) continue;
          Op op{.kind = kind,
                .subject = rules.tasks(),
                .scope = scope < 0 ? none : static_cast<std::uint8_t>(scope),
                .value = handle ? rules.values() : none,
                .extra = static_cast<std::uint8_t>(offers.spawn_awaited && !reserves ? 1 : 0)};
          ops.push_back(op);
          for (std::uint8_t c = 0; offers.borrows() && c < rules.cells(); ++c) {
            op.shared = scenario::bit8(c);
            op.mut = 0;
            ops.push_back(op);
            std::swap(op.shared, op.mut);
            ops.push_back(op);
          }
        }
        break;
      }
    }
  }
  return ops;
}

Scenario with_last(Scenario prefix, const Op& op) {
  prefix.ops.push_back(op);
  return closed(std::move(prefix));
}

Scenario prefix_of(const Scenario& whole, std::size_t length) {
  Scenario prefix;
  for (std::size_t i = 0; i < length; ++i) prefix.ops.push_back(whole.ops[i]);
  return prefix;
}

}  // namespace

bool nested(const Scenario& scenario) {
  return std::any_of(scenario.ops.begin(), scenario.ops.end(), [](const Op& op) {
    return op.kind == OpKind::async || op.kind == OpKind::inside || op.kind == OpKind::frame;
  });
}

namespace {

/// The operation exists for values of this kind.
bool fits(const Op& op, ValueKind kind) {
  switch (op.kind) {
    case OpKind::join_as:
    case OpKind::close:
      return kind == ValueKind::scope;
    case OpKind::join:
    case OpKind::cancel:
      return kind == ValueKind::scope || kind == ValueKind::handle;
    case OpKind::detach:
    case OpKind::start:
      return kind == ValueKind::handle;
    default:
      return true;
  }
}

/// A rule about loans can be broken by such an op.
bool meets_loans(OpKind kind) {
  using enum OpKind;
  return kind == spawn || kind == reserve || kind == start || kind == poll || kind == await || kind == join ||
         kind == join_as || kind == close || kind == cancel || kind == detach || kind == move ||
         kind == move_out || kind == drop || kind == forget || kind == read || kind == write ||
         kind == capture || kind == result || kind == payload;
}

bool declares(OpKind kind) {
  return kind == OpKind::cell || kind == OpKind::scope || kind == OpKind::join_as || kind == OpKind::async ||
         scenario::makes_task(kind);
}

/// The same with a frame around what follows the op at `from` in its block: its place ends earlier.
Scenario in_frame(const Scenario& whole, std::size_t from) {
  Scenario framed = prefix_of(whole, from);
  framed.ops.push_back({.kind = OpKind::frame});
  std::size_t inner = 0;  // blocks in the frame that are open
  bool open = true;
  for (std::size_t i = from; i < whole.ops.size(); ++i) {
    const OpKind kind = whole.ops[i].kind;
    if (open && kind == OpKind::end && inner == 0) {
      framed.ops.push_back({.kind = OpKind::end});
      open = false;
    }
    if (open && scenario::opens(kind)) ++inner;
    if (open && kind == OpKind::end) --inner;
    framed.ops.push_back(whole.ops[i]);
  }
  return closed(std::move(framed));
}

/// What the value that `op` works on borrows: 0 nothing, 1 something, 2 something of the innermost block.
std::size_t borrowing(const Rules& rules, const Op& op) {
  if (scenario::info(op.kind).operand != scenario::Operand::value &&
      scenario::info(op.kind).operand != scenario::Operand::vector)
    return 0;
  const scenario::ValueState& value = rules.value(op.subject);
  const auto cells = value.shared | value.mut;
  const auto values = value.borrows_shared | value.borrows_mut;
  for (std::size_t i = rules.block().first_decl; i < rules.decls().size(); ++i) {
    const scenario::Declaration& decl = rules.decls()[i];
    if (((decl.is_cell ? cells : values) >> decl.index & 1) != 0) return 2;
  }
  return cells != 0 || values != 0 ? 1 : 0;
}

bool needs_movable(OpKind kind) {
  return kind == OpKind::move || kind == OpKind::move_out || kind == OpKind::forget || kind == OpKind::join ||
         kind == OpKind::detach;
}

}  // namespace

bool comparable(const Rules& rules, const Violation& violation, const Op& op) {
  if (scenario::info(violation.rule).rustc.empty()) return false;
  const bool on_value = scenario::info(op.kind).operand == scenario::Operand::value ||
                        scenario::info(op.kind).operand == scenario::Operand::vector;
  switch (violation.rule) {
    case Rule::unknown:  // a task that captures values of its spawner: not in the model
      return violation.cell != none;
    case Rule::await_outside_async:  // a task's body is async in Rust; it has `yield` instead
      return !(op.kind == OpKind::suspend && rules.in_task());
    case Rule::used_after_end:
      if (op.kind == OpKind::await && (rules.body().kind == scenario::BlockKind::root ||
                                       rules.body().kind == scenario::BlockKind::catch_))
        return false;
      return !on_value || fits(op, rules.value(op.subject).kind);
    case Rule::value_borrowed:
      if (scenario::makes_task(op.kind) && (op.shared | op.mut) != 0)
        return false;  // its cells may be gone, too
      return !needs_movable(op.kind) || rules.movable(rules.value(op.subject));
    case Rule::consumed_through_capture:
      return !needs_movable(op.kind) || rules.movable(rules.value(op.subject));
    default:
      return true;
  }
}

Scenario closed(Scenario program) {
  std::vector<std::size_t> open;
  std::uint8_t values = 0;
  for (std::size_t i = 0; i < program.ops.size() || !open.empty(); ++i) {
    if (i == program.ops.size()) program.ops.push_back(Op{});
    Op& at = program.ops[i];
    if (scenario::makes_scope(at.kind) || at.kind == OpKind::join_as) at.value = values++;
    if (at.kind == OpKind::end) {
      Op& opener = program.ops[open.back()];
      open.pop_back();
      if (opener.kind == OpKind::async || (scenario::makes_task(opener.kind) && opener.value != none))
        opener.value = values++;
    }
    if (scenario::opens(at.kind)) open.push_back(i);
  }
  return program;
}

Pairs::Pairs(const scenario::Offers& offers, std::uint64_t seed)
    : offers_(offers),
      prng_(seed),
      bounds_{.ops = 14,
              .tasks = 4,
              .cells = 4,
              .scopes = 3,
              .frames = 3,
              .async_blocks = 3,
              .steps = 6,
              .borrows = 2},
      random_(offers_, bounds_, seed, {.least = 3, .most = 14}) {}

void Pairs::draw(std::vector<Case>& out, std::map<Rule, std::size_t>& made) {
  const Scenario whole = random_.next();
  out.push_back({.scenario = whole});
  for (int i = 0; i < 2; ++i) pair_in(whole, out, made);
  out.push_back({.scenario = with_any_op(whole), .any_op = true});
}

Scenario Pairs::with_any_op(const Scenario& random) {
  // What moves out of a frame, and what it borrows in it, is rare: half of them get a frame before a
  // declaration.
  std::vector<std::size_t> declarations;
  for (std::size_t i = 0; i < random.ops.size(); ++i)
    if (declares(random.ops[i].kind)) declarations.push_back(i);
  Scenario whole = random;
  if (!declarations.empty() && prng_.below(2) == 0)
    whole = in_frame(random, declarations[prng_.below(static_cast<std::uint32_t>(declarations.size()))]);
  if (!scenario::check(whole, offers_)) whole = random;
  std::vector<std::pair<std::size_t, Op>> choice;  // of the class taken least: after so many ops, this one
  std::size_t chosen = 0;
  Rules rules(offers_);
  for (std::size_t length = 0; length <= whole.ops.size(); ++length) {
    if (length > 0) rules.apply(whole.ops[length - 1]);
    for (const Op& op : every_op(rules)) {
      if (!meets_loans(op.kind) || rules.check(op)) continue;
      const std::size_t its_class = static_cast<std::size_t>(op.kind) * 3 + borrowing(rules, op);
      if (!choice.empty() && its_class != chosen) {
        if (taken_[its_class] >= taken_[chosen]) continue;
        choice.clear();
      }
      chosen = its_class;
      choice.emplace_back(length, op);
    }
  }
  if (choice.empty()) return whole;
  const auto& [length, op] = choice[prng_.below(static_cast<std::uint32_t>(choice.size()))];
  ++taken_[chosen];
  return with_last(prefix_of(whole, length), op);
}

void Pairs::pair_in(const Scenario& whole, std::vector<Case>& out, std::map<Rule, std::size_t>& made) {
  struct Broken {
    std::size_t length;
    Op op;
    Violation violation;
  };
  std::vector<Broken> broken;  // of the rule made least
  Rules rules(offers_);
  for (std::size_t length = 0; length <= whole.ops.size(); ++length) {
    if (length > 0) rules.apply(whole.ops[length - 1]);
    for (const Op& op : every_op(rules)) {
      const auto violation = rules.check(op);
      if (!violation || !comparable(rules, *violation, op)) continue;
      if (!broken.empty() && violation->rule != broken[0].violation.rule) {
        if (made[violation->rule] >= made[broken[0].violation.rule]) continue;
        broken.clear();
      }
      broken.push_back({length, op, *violation});
    }
  }
  if (broken.empty()) return;
  const Broken& chosen = broken[prng_.below(static_cast<std::uint32_t>(broken.size()))];
  const Rule rule = chosen.violation.rule;
  ++made[rule];
  const Scenario prefix = prefix_of(whole, chosen.length);
  out.push_back({.scenario = with_last(prefix, chosen.op), .broken = rule, .about = rule});
  out.push_back({.scenario = kept(prefix, chosen.op, chosen.violation), .about = rule});
}

Scenario Pairs::kept(const Scenario& prefix, const Op& op, const Violation& violation) {
  Rules rules(offers_);
  for (const Op& earlier : prefix.ops) rules.apply(earlier);
  if (violation.carrier != none) {
    const Op drop{.kind = OpKind::drop, .subject = violation.carrier};
    if (!rules.check(drop)) {
      Rules after = rules;
      after.apply(drop);
      Scenario longer = prefix;
      longer.ops.push_back(drop);
      if (!after.check(op)) return with_last(longer, op);
    }
  }
  std::vector<Op> legal;
  std::vector<Op> alike;
  for (const Op& other : every_op(rules)) {
    if (rules.check(other)) continue;
    legal.push_back(other);
    if (other.kind == op.kind) alike.push_back(other);
  }
  const std::vector<Op>& choice = alike.empty() ? legal : alike;
  if (choice.empty()) return closed(prefix);
  return with_last(prefix, choice[prng_.below(static_cast<std::uint32_t>(choice.size()))]);
}

}  // namespace scopecheck::tests
