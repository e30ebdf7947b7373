#include "harness/generator/mutate.hpp"

#include "harness/generator/mend.hpp"

#include <algorithm>
#include <iterator>
#include <span>

namespace scopecheck::generator {

using scenario::none;
using scenario::Op;
using scenario::Operand;
using scenario::OpKind;
using scenario::Scenario;

namespace {

using Ops = std::vector<Op>;

std::uint8_t below(base::Prng& prng, std::size_t bound) {
  return static_cast<std::uint8_t>(bound == 0 ? 0 : prng.below(static_cast<std::uint32_t>(bound)));
}

/// One behind the statement that begins at `at`.
std::size_t after_statement(std::span<const Op> ops, std::size_t at) {
  std::size_t depth = 0;
  for (std::size_t i = at; i < ops.size(); ++i) {
    if (scenario::opens(ops[i].kind)) ++depth;
    if (ops[i].kind == OpKind::end && depth > 0) --depth;
    if (depth == 0) return i + 1;
  }
  return ops.size();
}

/// Index of a random op that is not an `end`; ops.size() when there is none.
std::size_t any_statement(std::span<const Op> ops, base::Prng& prng) {
  for (int tries = 0; tries < 8 && !ops.empty(); ++tries)
    if (const std::size_t at = below(prng, ops.size()); ops[at].kind != OpKind::end) return at;
  return ops.size();
}

auto at(Ops& ops, std::size_t index) { return ops.begin() + static_cast<std::ptrdiff_t>(index); }

void erase_statement(Ops& ops, base::Prng& prng) {
  const std::size_t from = any_statement(ops, prng);
  if (from < ops.size()) ops.erase(at(ops, from), at(ops, after_statement(ops, from)));
}

/// Only the braces: what was in the block happens around it.
void unwrap(Ops& ops, base::Prng& prng) {
  const std::size_t from = any_statement(ops, prng);
  if (from == ops.size() || !scenario::opens(ops[from].kind)) return erase_statement(ops, prng);
  ops.erase(at(ops, after_statement(ops, from) - 1));
  ops.erase(at(ops, from));
}

/// A statement goes elsewhere: a drop across a poll, a touch out of a body.
void move_statement(Ops& ops, base::Prng& prng) {
  const std::size_t from = any_statement(ops, prng);
  if (from == ops.size()) return;
  const std::size_t end = after_statement(ops, from);
  const Ops statement(at(ops, from), at(ops, end));
  ops.erase(at(ops, from), at(ops, end));
  // mostly not far: the neighbours are what its order matters to
  std::size_t to = below(prng, ops.size() + 1);
  if (below(prng, 2) == 0) {
    to = from + below(prng, 5);
    to = std::min(to > 2 ? to - 2 : 0, ops.size());
  }
  ops.insert(at(ops, to), statement.begin(), statement.end());
}

void swap_neighbours(Ops& ops, base::Prng& prng) {
  const std::size_t first = any_statement(ops, prng);
  if (first == ops.size()) return;
  const std::size_t second = after_statement(ops, first);
  if (second >= ops.size() || ops[second].kind == OpKind::end) return move_statement(ops, prng);
  std::rotate(at(ops, first), at(ops, second), at(ops, after_statement(ops, second)));
}

/// The same statement once more, here or elsewhere: a second spawn like the first, one more step.
void repeat_statement(Ops& ops, base::Prng& prng) {
  const std::size_t from = any_statement(ops, prng);
  if (from == ops.size()) return;
  const std::size_t end = after_statement(ops, from);
  const Ops statement(at(ops, from), at(ops, end));
  const std::size_t to = below(prng, 2) == 0 ? end : below(prng, ops.size() + 1);
  ops.insert(at(ops, to), statement.begin(), statement.end());
}

/// Another kind with the same operands: drop and forget, read and write, poll and await, yield and park.
OpKind sibling(OpKind kind, base::Prng& prng) {
  const auto alike = [](Operand a, Operand b) {
    const auto value = [](Operand o) { return o == Operand::value || o == Operand::vector; };
    return a == b || (value(a) && value(b));
  };
  const scenario::OpInfo& row = scenario::info(kind);
  OpKind other = kind;
  std::uint32_t seen = 0;
  for (std::size_t i = 1; i < scenario::op_kinds; ++i) {
    const auto candidate = static_cast<OpKind>(i);
    const scenario::OpInfo& its = scenario::info(candidate);
    if (candidate == kind || its.opens != row.opens || !alike(its.operand, row.operand)) continue;
    if (prng.below(++seen) == 0) other = candidate;
  }
  return other;
}

/// One op becomes another: its kind, what it is about, its leak vector, what it borrows, where it lives.
void change(Ops& ops, base::Prng& prng) {
  const std::size_t index = any_statement(ops, prng);
  if (index == ops.size()) return;
  Op& op = ops[index];
  const auto bit = static_cast<std::uint8_t>(1u << below(prng, 4));
  switch (below(prng, 4)) {
    case 0:
      op.kind = sibling(op.kind, prng);
      break;
    case 1:
      if (scenario::info(op.kind).operand == Operand::spawn) {
        op.scope = below(prng, 4);
        (below(prng, 3) == 0 ? op.shared : op.mut) ^= bit;
      } else if (scenario::info(op.kind).operand != Operand::new_cell) {
        op.subject = below(prng, 6);
      }
      break;
    case 2:
      op.boxed = !op.boxed;
      if (scenario::info(op.kind).operand == Operand::vector) op.extra = below(prng, 3);
      break;
    default:
      if (scenario::info(op.kind).operand == Operand::spawn)
        std::swap(op.shared, op.mut);
      else
        op.kind = sibling(op.kind, prng);
      break;
  }
}

/// Some statements in a row come into a block of their own.
void wrap(Ops& ops, base::Prng& prng) {
  const std::size_t from = any_statement(ops, prng);
  if (from == ops.size()) return;
  std::size_t end = after_statement(ops, from);
  for (std::uint8_t more = below(prng, 3); more > 0 && end < ops.size() && ops[end].kind != OpKind::end;
       --more)
    end = after_statement(ops, end);
  OpKind kind = OpKind::frame;
  std::uint32_t seen = 0;
  for (std::size_t i = 1; i < scenario::op_kinds; ++i) {
    const auto candidate = static_cast<OpKind>(i);
    if (scenario::opens(candidate) && scenario::info(candidate).operand != Operand::spawn &&
        prng.below(++seen) == 0)
      kind = candidate;
  }
  ops.insert(at(ops, end), Op{});
  ops.insert(at(ops, from), Op{.kind = kind, .value = 200, .boxed = below(prng, 2) == 0});
}

using Edit = void (*)(Ops&, base::Prng&);
constexpr Edit edits[] = {erase_statement, unwrap,          move_statement,
                          move_statement,  swap_neighbours, repeat_statement,
                          change,          change,          wrap};

}  // namespace

void Mutator::edit(Ops& ops, base::Prng& prng) const { edits[below(prng, std::size(edits))](ops, prng); }

/// `ops` with up to four ops more at one place, drawn as the random engine draws them.
Scenario Mutator::grown(const Ops& ops, base::Prng& prng) const {
  // at the end of a block or of the program more often than a place there has its share
  std::size_t place = below(prng, ops.size() + 1);
  if (below(prng, 3) == 0) place = ops.size();
  std::size_t wanted = 1 + below(prng, 4);
  Mender mender(offers_, bounds_);
  for (std::size_t i = 0; i < place; ++i) mender.take(ops[i]);
  Draft& draft = mender.draft();
  const std::size_t depth = draft.rules().blocks().size();
  for (std::size_t tries = 0; wanted > 0 && tries < 48; ++tries) {
    const Op op = propose(draft, prng, swarm_);
    if (op.subject == none || !draft.admits(op)) continue;
    if (op.kind == OpKind::end && draft.rules().blocks().size() == depth) continue;
    draft.push(op);
    --wanted;
  }
  while (draft.rules().blocks().size() > depth) draft.push(Op{});
  for (std::size_t i = place; i < ops.size(); ++i) mender.take(ops[i]);
  return mender.finish();
}

Scenario Mutator::mutate(const Scenario& from, std::uint64_t seed) {
  base::Prng prng(seed);
  if (calls_++ % swarm_period == 0) {
    swarm_ = Swarm::draw(prng);
    // mostly short ones: they run several times as fast, and what they find needs less shrinking
    constexpr std::size_t lengths[] = {8, 12, 12, 16, 24, scenario::max_ops};
    longest_ = lengths[below(prng, std::size(lengths))];
  }
  Ops& ops = buffer_;
  Scenario result = from;
  for (int tries = 0; tries < 8; ++tries) {
    ops.assign(from.ops.begin(), from.ops.end());
    for (int cuts = 0; cuts < 8 && ops.size() > longest_; ++cuts) erase_statement(ops, prng);
    const bool grow = ops.size() < 2 || (ops.size() < longest_ && below(prng, 2) == 0);
    for (int stacked = 0; stacked < 4; ++stacked) {
      if (!grow || stacked > 0) edit(ops, prng);
      if (below(prng, 2) == 0) break;
    }
    result = grow ? grown(ops, prng) : mend(ops, offers_, bounds_);
    if (!(result == from)) break;
  }
  return result;
}

Scenario Mutator::cross(const Scenario& a, const Scenario& b, std::uint64_t seed) {
  base::Prng prng(seed);
  const std::span<const Op> first(a.ops.begin(), a.ops.end());
  const std::span<const Op> second(b.ops.begin(), b.ops.end());
  const std::size_t cut = below(prng, std::min(first.size(), longest_) + 1);
  std::size_t from = any_statement(second, prng);
  std::size_t end = from;
  for (std::uint8_t more = 1 + below(prng, 4);
       more > 0 && end < second.size() && second[end].kind != OpKind::end; --more)
    end = after_statement(second, end);
  if (below(prng, 4) == 0) from = 0, end = second.size();
  const bool keep_end = below(prng, 2) == 0;
  Mender mender(offers_, bounds_);
  const auto take = [&](std::span<const Op> ops) {
    for (const Op& op : ops)
      if (mender.draft().scenario().ops.size() < longest_) mender.take(op);
  };
  take(first.first(cut));
  take(second.subspan(from, end - from));
  if (keep_end) take(first.subspan(cut));
  return mender.finish();
}

}  // namespace scopecheck::generator
