#include "harness/schedule/scheduler.hpp"

#include "harness/base/assert.hpp"

#include <bit>

namespace scopecheck::schedule {
namespace {

constexpr Lanes bit(std::size_t lane) { return Lanes{1} << lane; }

std::size_t lowest_of(Lanes candidates) {
  return (candidates & bit(client)) != 0 ? client : static_cast<std::size_t>(std::countr_zero(candidates));
}

/// The `n`th of a set.
std::size_t nth_of(Lanes candidates, std::uint32_t n) {
  for (; n > 0; --n) candidates &= candidates - 1;
  return static_cast<std::size_t>(std::countr_zero(candidates));
}

}  // namespace

void Scheduler::begin(const Order& order) {
  order_ = order;
  prng_ = base::Prng(order.seed);
  asked_.clear();
  choices_.clear();
  made_ = 0;
  last_ = lanes - 1;
  changes_ = 0;
  if (order.policy != Policy::pct) return;
  // distinct priorities above all that changes will give
  constexpr std::uint32_t spread = lanes;
  for (std::uint32_t& priority : priority_) priority = spread + prng_.below(1u << 20) * spread;
  for (std::size_t lane = 0; lane < lanes; ++lane) priority_[lane] += static_cast<std::uint32_t>(lane);
  for (unsigned change = 1; change < order.depth; ++change) changes_ |= bit(prng_.below(expected_choices));
}

void Scheduler::ask(std::size_t lane) {
  if (!asked_.full()) asked_.push_back(static_cast<std::uint8_t>(lane));
}

std::size_t Scheduler::choose(Lanes candidates, std::size_t moment) {
  SCOPECHECK_ASSERT(candidates != 0);
  if (std::has_single_bit(candidates)) return lowest_of(candidates);
  std::size_t chosen = 0;
  if (!asked_.empty() && (candidates & bit(asked_[0])) != 0) {
    chosen = asked_[0];
    asked_.erase(0);
  } else {
    chosen = drawn(candidates);
  }
  if (!choices_.full())
    choices_.push_back({static_cast<std::uint16_t>(moment), static_cast<std::uint8_t>(chosen)});
  return chosen;
}

std::size_t Scheduler::drawn(Lanes candidates) {
  switch (order_.policy) {
    case Policy::lowest:
      return lowest_of(candidates);
    case Policy::round_robin:
      do last_ = (last_ + 1) % lanes;
      while ((candidates & bit(last_)) == 0);
      return last_;
    case Policy::random:
      return nth_of(candidates, prng_.below(static_cast<std::uint32_t>(std::popcount(candidates))));
    case Policy::pct:
      break;
  }
  const std::uint32_t at = made_++;
  if (at < expected_choices && (changes_ & bit(at)) != 0)  // below all others from here on
    priority_[highest_priority(candidates)] =
        lanes - 1 - static_cast<std::uint32_t>(std::popcount(changes_ & (bit(at) - 1)));
  return highest_priority(candidates);
}

std::size_t Scheduler::highest_priority(Lanes candidates) const {
  std::size_t best = lowest_of(candidates);
  for (std::size_t lane = 0; lane < lanes; ++lane)
    if ((candidates & bit(lane)) != 0 && priority_[lane] > priority_[best]) best = lane;
  return best;
}

}  // namespace scopecheck::schedule
