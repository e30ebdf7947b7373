// The nearest well-formed client: takes ops that may be anything (cut out of another scenario, edited, read
// from bytes) and keeps those that the grammar admits, in order.
//
//   ops in the numbering of their source --> renumber --> admitted? --> draft
//                                                           no: left out; of a block its braces,
//                                                           of a task its body too
#pragma once

#include "harness/generator/grammar.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace scopecheck::generator {

/// Follows one source of ops. What an op mentions is what its source declared under that number; where that
/// was left out, or belongs to another source, something of the same kind that is there.
class Mender {
 public:
  /// Requires: offers and bounds outlive it.
  Mender(const scenario::Offers& offers, const scenario::Bounds& bounds);

  /// Takes the next op, whatever it is, or leaves it out.
  void take(scenario::Op op);
  /// For ops in the numbering of the result, between two of the source. Requires: the caller closes what it
  /// opens there.
  [[nodiscard]] Draft& draft() { return draft_; }
  /// Ensures: well-formed and within the bounds.
  [[nodiscard]] const scenario::Scenario& finish();

 private:
  enum class Fate : std::uint8_t { kept, unwrapped, skipped };
  struct Open {
    Fate fate;
    std::uint8_t declares;  // the source's number of the value that the block's end declares, or none
  };
  void open(const scenario::Op& source);
  void close();
  [[nodiscard]] bool translate(scenario::Op& op) const;
  [[nodiscard]] std::uint8_t cell(std::uint8_t index) const;
  [[nodiscard]] std::uint8_t value(std::uint8_t index) const;
  [[nodiscard]] std::uint8_t scope(std::uint8_t index) const;
  [[nodiscard]] std::uint8_t cells(std::uint8_t set) const;

  Draft draft_;
  std::size_t skipped_ = 0;  // open blocks that are left out, bodies and all
  base::StaticVector<Open, scenario::max_ops> open_;
  std::array<std::uint8_t, 256> cells_;
  std::array<std::uint8_t, 256> values_;
  std::array<std::uint8_t, 256> tasks_;
};

/// All of `ops` through one Mender.
[[nodiscard]] scenario::Scenario mend(std::span<const scenario::Op> ops, const scenario::Offers& offers,
                                      const scenario::Bounds& bounds);

}  // namespace scopecheck::generator
