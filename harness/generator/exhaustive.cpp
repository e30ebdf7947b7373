#include "harness/generator/exhaustive.hpp"

namespace scopecheck::generator {

using scenario::Op;
using scenario::Scenario;

Exhaustive::Exhaustive(const scenario::Offers& offers, const scenario::Bounds& bounds,
                       ExhaustiveOptions options)
    : offers_(offers), bounds_(bounds), options_(options) {}
Exhaustive::~Exhaustive() = default;

void Exhaustive::enter(const Draft& draft) {
  if (depth_ == levels_.size()) levels_.push_back(std::make_unique<Level>(Level{draft, {}, 0}));
  Level& level = *levels_[depth_++];
  level.draft = draft;
  level.at = 0;
  level.draft.candidates(level.candidates);
}

void Exhaustive::begin(std::size_t ops) {
  bounds_.ops = static_cast<std::uint8_t>(ops);
  depth_ = 0;
  const Draft root(offers_, bounds_);
  if (!closing_) closing_ = std::make_unique<Draft>(root);
  *closing_ = root;
  if (ops > 0) enter(root);
}

namespace {

/// Ops after which a kept scenario needs at least one more: a loan its touch, a box what
/// it is boxed for.
bool wants_more(const Op& op) {
  return op.boxed || op.mut != 0 || op.shared != 0 || (scenario::opens(op.kind) && !opens_a_call(op.kind));
}

}  // namespace

/// Closes what is open; false when a cut forbids an end on the way or the whole.
bool Exhaustive::complete(Draft& draft) const {
  while (!draft.at_root()) {
    const Op end{};
    if (draft.rules().check(end) || (options_.symmetry && !canonical_next(draft, end))) return false;
    draft.push(end);
  }
  return !options_.symmetry || canonical_stop(draft);
}

void Exhaustive::resume_after(const Scenario& scenario) {
  if (bounds_.ops == 0) {
    bounds_.ops = 1;  // the empty one was visited
    return;
  }
  for (const Op& op : scenario.ops) {
    Level& level = *levels_[depth_ - 1];
    while (!same_choice(level.candidates[level.at], op)) ++level.at;
    *closing_ = level.draft;
    closing_->push(level.candidates[level.at++]);
    if (closing_->cost() == bounds_.ops) return;  // the ends behind it closed the scenario
    enter(*closing_);
  }
}

const Scenario* Exhaustive::next() {
  if (bounds_.ops == 0) {
    bounds_.ops = 1;  // the empty scenario, once
    return &closing_->scenario();
  }
  while (depth_ > 0) {
    Level& level = *levels_[depth_ - 1];
    if (level.at == level.candidates.size()) {
      --depth_;
      continue;
    }
    const Op op = level.candidates[level.at++];
    if (options_.symmetry) {
      if (options_.lookahead && level.draft.cost() + 1u == bounds_.ops && wants_more(op)) continue;
      if (!canonical_next(level.draft, op)) continue;
    }
    *closing_ = level.draft;
    closing_->push(op);
    if (options_.symmetry && options_.lookahead &&
        closing_->cost() + ops_still_needed(*closing_) > bounds_.ops)
      continue;
    if (closing_->cost() < bounds_.ops) {
      enter(*closing_);
    } else if (complete(*closing_)) {
      return &closing_->scenario();
    }
  }
  return nullptr;
}

}  // namespace scopecheck::generator
