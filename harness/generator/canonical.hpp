// Which of many equivalent scenarios the exhaustive search runs. Two scenarios are equivalent when the
// implementation sees the same calls in the same order and every touch stands the same way to the lives
// it depends on; of each class one member is kept, never a longer one. docs/exhaustive.md lists the cuts,
// and a test compares the findings with and without them.
#pragma once

#include "harness/generator/grammar.hpp"

namespace scopecheck::generator {

/// Whether extending `draft` by the legal `op` can lead to a kept scenario.
[[nodiscard]] bool canonical_next(const Draft& draft, const scenario::Op& op);

/// A lower bound on the ops that a kept completion of `draft` still needs: whatever was declared has to be
/// used. Searches give up where it exceeds what is left.
[[nodiscard]] std::size_t ops_still_needed(const Draft& draft);

/// Whether `draft`, all blocks closed, is kept as a whole.
[[nodiscard]] bool canonical_stop(const Draft& draft);

}  // namespace scopecheck::generator
