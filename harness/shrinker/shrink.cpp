#include "harness/shrinker/shrink.hpp"

#include "harness/scenario/rules.hpp"
#include "harness/shrinker/edit.hpp"

namespace scopecheck::shrinker {

using scenario::Op;
using scenario::OpKind;
using scenario::Scenario;

namespace {

class Shrinker {
 public:
  Shrinker(const Scenario& start, const scenario::Offers& offers, const StillShows& still_shows)
      : offers_(offers), still_shows_(still_shows), shrunk_{start} {}

  Shrunk run() {
    while (removals(2) || removals(1) || unwraps() || simplifications()) {
    }
    return shrunk_;
  }

 private:
  const Scenario& now() const { return shrunk_.scenario; }

  bool accept(const Scenario& candidate) {
    if (!(candidate < now()) || !scenario::check(candidate, offers_)) return false;
    ++shrunk_.tried;
    if (!still_shows_(candidate)) return false;
    ++shrunk_.accepted;
    shrunk_.scenario = candidate;
    return true;
  }

  /// Removes `count` ops (or whole blocks, or declarations with what mentions them) at a time.
  bool removals(int count) {
    bool any = false;
    for (std::size_t i = 0; i < now().ops.size();) {
      bool removed = false;
      if (now().ops[i].kind != OpKind::end) {
        OpSet set;
        set.set(i);
        if (count == 1) {
          removed = accept(without(now(), set));
        } else {
          for (std::size_t j = i + 1; j < now().ops.size() && !removed; ++j) {
            if (now().ops[j].kind == OpKind::end) continue;
            OpSet both = set;
            both.set(j);
            removed = accept(without(now(), both));
          }
        }
      }
      any = any || removed;
      if (!removed) ++i;
    }
    return any;
  }

  /// Takes a block away but keeps what is in it: of a task, its body becomes the body around it. Where that
  /// is not enough, what has no place outside of such a block goes too, and one op more.
  bool unwraps() {
    for (std::size_t i = 0; i < now().ops.size(); ++i) {
      const OpKind kind = now().ops[i].kind;
      if (kind != OpKind::frame && kind != OpKind::catch_ && kind != OpKind::inside &&
          kind != OpKind::enter && kind != OpKind::async && !makes_task(kind))
        continue;
      OpSet unwrapped;
      unwrapped.set(i);
      if (accept(without(now(), {}, unwrapped))) return true;
      const OpSet homeless = only_possible_in(i);
      if (homeless.any() && accept(without(now(), homeless, unwrapped))) return true;
      if (kind == OpKind::async && inherits(i, homeless, unwrapped)) return true;
      if (!makes_task(kind)) continue;
      for (std::size_t j = 0; j < now().ops.size(); ++j) {
        if (j == i || now().ops[j].kind == OpKind::end) continue;
        OpSet more = homeless;
        more.set(j);
        if (accept(without(now(), more, unwrapped))) return true;
      }
    }
    return false;
  }

  /// What is done to a future is done to all that it holds: does doing it to one value of these suffice? Ops
  /// that the value does not have go one at a time (the poll of a future, say).
  bool inherits(std::size_t block, const OpSet& homeless, const OpSet& unwrapped) {
    const Scenario& from = now();
    const std::size_t end = from.matching_end(block);
    for (std::size_t i = block + 1; i < end; ++i) {
      const Op& op = from.ops[i];
      const bool declares = op.kind == OpKind::scope || op.kind == OpKind::join_as || makes_task(op.kind);
      if (!declares || op.value == scenario::none) continue;
      const std::uint8_t heir = op.value;
      if (accept(without(from, homeless, unwrapped, heir))) return true;
      for (std::size_t j = end + 1; j < from.ops.size(); ++j) {
        if (from.ops[j].kind == OpKind::end || from.ops[j].subject != from.ops[block].value) continue;
        OpSet more = homeless;
        more.set(j);
        if (accept(without(from, more, unwrapped, heir))) return true;
      }
    }
    return false;
  }

  /// The ops in the block opened at `opener` that may have nothing to wait or stand for outside of it.
  OpSet only_possible_in(std::size_t opener) const {
    OpSet homeless;
    const bool task = makes_task(now().ops[opener].kind);
    const std::size_t end = now().matching_end(opener);
    for (std::size_t i = opener + 1; i < end; ++i) {
      switch (now().ops[i].kind) {
        case OpKind::spawn:
        case OpKind::reserve:
          i = now().matching_end(i);  // another task's
          break;
        case OpKind::suspend:
        case OpKind::await:
          homeless.set(i, !task);
          break;
        case OpKind::yield:
        case OpKind::park:
        case OpKind::keep_waker:
        case OpKind::capture:
        case OpKind::result:
        case OpKind::payload:
          homeless.set(i, task);
          break;
        default:
          break;
      }
    }
    return homeless;
  }

  /// The same number of ops, but plainer ones.
  bool simplifications() {
    bool any = false;
    for (std::size_t i = 0; i < now().ops.size(); ++i) {
      const auto with = [&](auto&& change) {
        Scenario candidate = now();
        change(candidate.ops[i]);
        return accept(candidate);
      };
      switch (now().ops[i].kind) {
        case OpKind::spawn:
        case OpKind::reserve:
          any = with([](Op& op) { op.boxed = false; }) || any;
          for (std::uint8_t cell = 0; cell < scenario::max_cells; ++cell) {
            const auto bit = static_cast<std::uint8_t>(1u << cell);
            any = with([&](Op& op) { op.mut = static_cast<std::uint8_t>(op.mut & ~bit); }) || any;
            any = with([&](Op& op) { op.shared = static_cast<std::uint8_t>(op.shared & ~bit); }) || any;
          }
          break;
        case OpKind::scope:
        case OpKind::async:
        case OpKind::join_as:
          any = with([](Op& op) { op.boxed = false; }) || any;
          break;
        case OpKind::forget:
          any = with([](Op& op) { op.extra = 0; }) || any;
          break;
        case OpKind::throw_bomb:
          any = with([](Op& op) { op.kind = OpKind::throw_; }) || any;
          break;
        case OpKind::run:
          any = with([](Op& op) { op.subject = 1; }) || any;
          break;
        default:
          break;
      }
    }
    return any;
  }

  const scenario::Offers& offers_;
  const StillShows& still_shows_;
  Shrunk shrunk_;
};

}  // namespace

Shrunk shrink(const Scenario& start, const scenario::Offers& offers, const StillShows& still_shows) {
  return Shrinker(start, offers, still_shows).run();
}

}  // namespace scopecheck::shrinker
