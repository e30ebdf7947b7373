#include "harness/scenario/scenario.hpp"

#include <algorithm>

namespace scopecheck::scenario {

std::size_t Scenario::cost() const {
  std::size_t cost = 0;
  for (const Op& op : ops) cost += info(op.kind).cost;
  return cost;
}

std::size_t Scenario::matching_end(std::size_t open) const {
  std::size_t depth = 0;
  for (std::size_t i = open; i < ops.size(); ++i) {
    if (opens(ops[i].kind)) ++depth;
    if (ops[i].kind == OpKind::end && --depth == 0) return i;
  }
  SCOPECHECK_ASSERT(false && "block without end");
  return ops.size();
}

bool operator==(const Scenario& a, const Scenario& b) { return std::ranges::equal(a.ops, b.ops); }

std::strong_ordering operator<=>(const Scenario& a, const Scenario& b) {
  if (const auto by_cost = a.cost() <=> b.cost(); by_cost != 0) return by_cost;
  if (const auto by_lines = a.ops.size() <=> b.ops.size(); by_lines != 0) return by_lines;
  return std::lexicographical_compare_three_way(a.ops.begin(), a.ops.end(), b.ops.begin(), b.ops.end());
}

}  // namespace scopecheck::scenario
