// A scenario: the client program, the bodies of its tasks and the order of steps, as one flat list of
// ops. The outermost frame is implicit. Indices are canonical: cells, values and tasks are numbered in
// order of declaration, so equal programs are equal values.
#pragma once

#include "harness/base/static_vector.hpp"
#include "harness/scenario/op.hpp"

#include <compare>
#include <cstddef>

namespace scopecheck::scenario {

using OpList = base::StaticVector<Op, max_ops>;

struct Scenario {
  OpList ops;

  /// How many ops `--ops` counts: client ops and body steps, not declarations of cells nor braces.
  [[nodiscard]] std::size_t cost() const;
  /// Index of the `end` that closes the block opened at `open`.
  [[nodiscard]] std::size_t matching_end(std::size_t open) const;

  friend bool operator==(const Scenario& a, const Scenario& b);
  /// Shortlex: fewer counted ops first, then fewer lines, then op by op in the order of the table.
  friend std::strong_ordering operator<=>(const Scenario& a, const Scenario& b);
};

}  // namespace scopecheck::scenario
