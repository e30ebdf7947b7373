// Whole-scenario check: runs the rules over the ops and puts the first broken rule into words.
#include "harness/scenario/rules.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>

namespace scopecheck::scenario {
namespace {

/// Words for a violation, given the state before the offending op.
class Explainer {
 public:
  Explainer(const Scenario& scenario, const Rules& rules, std::size_t at, Wording wording)
      : scenario_(scenario), rules_(rules), at_(at), wording_(std::move(wording)) {}

  std::string sentence(const Violation& bad) const {
    const Op& op = scenario_.ops[at_];
    const std::string verb(info(op.kind).text);
    const std::string cell = bad.cell == none ? "" : names_.cell(bad.cell);
    const std::string value = bad.value == none ? "" : names_.value(bad.value);
    const std::string task = bad.task == none ? "" : names_.task(bad.task);
    switch (bad.rule) {
      case Rule::read_while_mut_borrowed:
      case Rule::write_while_borrowed:
      case Rule::borrow_while_mut_borrowed:
      case Rule::borrow_mut_while_borrowed: {
        const bool is_mut = (rules_.value(bad.carrier).mut >> bad.cell & 1) != 0;
        const char* what = bad.rule == Rule::read_while_mut_borrowed     ? "read"
                           : bad.rule == Rule::write_while_borrowed      ? "write"
                           : bad.rule == Rule::borrow_while_mut_borrowed ? "borrow"
                                                                         : "mutably borrow";
        return fmt::format("cannot {} {}: {} borrowed by {} until {}", what, cell,
                           is_mut ? "mutably" : "shared", holder(bad.carrier, bad.cell), end_of(bad.carrier));
      }
      case Rule::not_borrowed:
        return fmt::format("cannot touch {}: {} did not borrow it; add `borrow mut {}` to its spawn", cell,
                           task, cell);
      case Rule::write_through_shared:
        return fmt::format("cannot write {}: {} borrowed it shared", cell, task);
      case Rule::declared_after_carrier:
        return fmt::format(
            "cannot borrow {}: it would die before {}, which carries the loan; declare {} first", cell,
            names_.value(bad.carrier), cell);
      case Rule::moved_to_longer_life:
        return fmt::format("cannot move {} out: it borrows {}, which dies with this frame", value,
                           bad.cell == none ? names_.value(bad.carrier) : cell);
      case Rule::consumed_through_capture:
        if (rules_.value(bad.value).lent)
          return fmt::format("cannot {} {}: the client has a reference to it, it is the call's", verb, value);
        return fmt::format("cannot {} {} here: this block uses it by reference", verb, value);
      case Rule::value_borrowed:
        return fmt::format("cannot {} {}: {} borrows it until {}", verb, value, names_.value(bad.carrier),
                           end_of(bad.carrier));
      case Rule::pinned:
        return fmt::format("cannot {} {}: it is pinned in its frame; a boxed one can be", verb, value);
      case Rule::used_after_end:
        return fmt::format("cannot {} {}: it was dropped, forgotten, moved away or consumed", verb, value);
      case Rule::unknown:
        return fmt::format("cannot {}: {} is not in scope here", verb,
                           !cell.empty()    ? cell
                           : !value.empty() ? value
                           : !task.empty()  ? task
                                            : "that");
      case Rule::held_by_destructor:
        return fmt::format("cannot {} with {}: a destructor of {} holds it", verb, cell, task);
      case Rule::payload_must_own:
        return fmt::format(
            "a panic payload of {} cannot touch {}: a payload outlives every frame, so it must own it", task,
            cell);
      case Rule::not_offered:
        return fmt::format("cannot {}: {}", verb, missing(op));
      default: {
        std::string text = fmt::format("cannot {}: {}", verb, info(bad.rule).doc);
        if (!value.empty()) text += fmt::format(" ({})", value);
        return text;
      }
    }
  }

 private:
  /// What this API does not have, in the order in which the rules ask.
  std::string missing(const Op& op) const {
    const Offers& has = rules_.offers();
    const bool reserves = op.kind == OpKind::reserve;
    if (makes_task(op.kind) && (!reserves || has.reserve)) {
      const bool awaited = op.extra != 0;
      const bool handle = reserves || has.spawn_yields_handle();
      if (awaited && !has.spawn_awaited) return "this API does not await on the spot; leave out `await`";
      if (!awaited && has.spawn_awaited && !reserves)
        return "this API awaits its spawns on the spot; end it with `} await`";
      if (op.value != none && !handle) return "a spawn of this API gives no handle; leave out `as`";
      if (op.value == none && handle) return "a spawn of this API gives a handle; end it with `} as NAME`";
      if (op.scope != none && !has.has_scopes()) return "this API has no scopes; leave out `in`";
      if (op.scope == none && has.has_scopes()) return "this API spawns into scopes; add `in SCOPE`";
      if ((op.shared | op.mut) != 0 && !has.borrows())
        return "children of this API can borrow nothing; leave out `borrow`";
      if (!op.boxed || has.box) return "children of this API cannot spawn into what they run in";
    }
    if (op.boxed && !has.box) return "values of this API cannot be boxed";
    return std::string(info(Rule::not_offered).doc);
  }

  std::uint32_t line(std::size_t op) const { return wording_.line(op); }

  /// "t0 through s0", or the carrier alone when it is no task's.
  std::string holder(std::uint8_t carrier, std::uint8_t cell) const {
    const ValueState& value = rules_.value(carrier);
    if (value.kind == ValueKind::handle)
      return fmt::format("{} through {}", names_.task(value.task), names_.value(carrier));
    for (std::size_t i = at_; i-- > 0;) {
      const Op& op = scenario_.ops[i];
      if (makes_task(op.kind) && op.scope == carrier && ((op.shared | op.mut) >> cell & 1) != 0)
        return fmt::format("{} through {}", names_.task(op.subject), names_.value(carrier));
    }
    return names_.value(carrier);
  }

  /// Where the carrier ends, looking on through the text: "line 8".
  std::string end_of(std::uint8_t carrier) const {
    int depth = 0;
    const int home = home_depth(carrier);
    for (std::size_t i = at_; i < scenario_.ops.size(); ++i) {
      const Op& op = scenario_.ops[i];
      const bool consumes = op.kind == OpKind::drop || op.kind == OpKind::forget ||
                            op.kind == OpKind::detach || op.kind == OpKind::await ||
                            (op.kind == OpKind::join && rules_.value(carrier).kind == ValueKind::handle);
      if (consumes && op.subject == carrier) return fmt::format("line {}", line(i));
      if (opens(op.kind)) ++depth;
      if (op.kind == OpKind::end && --depth < home) return fmt::format("line {}", line(i));
    }
    return "the end";
  }

  /// How many blocks must close (as a negative depth) before the carrier's own block does.
  int home_depth(std::uint8_t carrier) const {
    std::size_t position = 0;
    for (std::size_t i = 0; i < rules_.decls().size(); ++i)
      if (!rules_.decls()[i].is_cell && rules_.decls()[i].index == carrier) position = i;
    int deeper = 0;
    for (const BlockState& block : rules_.blocks())
      if (block.first_decl > position) ++deeper;
    return -deeper;
  }

  const Scenario& scenario_;
  const Rules& rules_;
  std::size_t at_;
  Wording wording_;
  const Names& names_ = wording_.names;
};

}  // namespace

std::expected<void, IllFormed> check(const Scenario& scenario, const Offers& offers, const Wording* wording) {
  Rules rules(offers);
  base::StaticVector<std::size_t, max_blocks> open;
  for (std::size_t i = 0; i < scenario.ops.size(); ++i) {
    const Op& op = scenario.ops[i];
    std::optional<Violation> bad = rules.check(op);
    if (!bad && op.kind == OpKind::end) {
      const Op& opener = scenario.ops[open.back()];
      const bool declares = opener.kind == OpKind::async || (makes_task(opener.kind) && opener.value != none);
      if (declares && opener.value != rules.values()) bad = Violation{.rule = Rule::unknown};
      open.pop_back();
    }
    if (bad) {
      Wording words = wording != nullptr ? *wording : Wording(scenario);
      return std::unexpected(
          IllFormed{i, *bad, Explainer(scenario, rules, i, std::move(words)).sentence(*bad)});
    }
    if (opens(op.kind)) open.push_back(i);
    rules.apply(op);
  }
  if (rules.blocks().size() != 1)
    return std::unexpected(
        IllFormed{scenario.ops.size(), Violation{.rule = Rule::not_closed}, "a block was left open"});
  return {};
}

}  // namespace scopecheck::scenario
