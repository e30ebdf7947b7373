// The exhaustive engine: every well-formed scenario of exactly n ops, symmetric ones once, in a fixed order.
#pragma once

#include "harness/generator/canonical.hpp"
#include "harness/generator/grammar.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace scopecheck::generator {

/// Which cuts are in force; without symmetry every well-formed scenario is visited.
struct ExhaustiveOptions {
  bool symmetry = true;
  bool lookahead = true;  ///< give up early where nothing can be kept; never changes what is visited
};

/// Depth-first over the grammar. Threads: one caller. Memory: one draft per level.
class Exhaustive {
 public:
  Exhaustive(const scenario::Offers& offers, const scenario::Bounds& bounds, ExhaustiveOptions options = {});
  ~Exhaustive();
  Exhaustive(const Exhaustive&) = delete;
  Exhaustive& operator=(const Exhaustive&) = delete;

  /// Calls visit(scenario) for every kept scenario of exactly `ops` counted ops, in a fixed order, until it
  /// returns false. Returns false when stopped. Requires: ops <= bounds.ops of the constructor.
  template <class Visit>
  bool visit(std::size_t ops, Visit&& visit_one) {
    begin(ops);
    while (const scenario::Scenario* scenario = next())
      if (!visit_one(*scenario)) return false;
    return true;
  }

  /// Starts over with scenarios of exactly `ops` ops.
  void begin(std::size_t ops);
  /// Goes on behind `scenario`, one that a search with the same arguments visited. Requires: begin(ops)
  /// before.
  void resume_after(const scenario::Scenario& scenario);
  /// The next scenario, or null when there are no more. Valid until the next call.
  [[nodiscard]] const scenario::Scenario* next();

 private:
  struct Level {
    Draft draft;
    Candidates candidates;
    std::size_t at = 0;
  };
  bool complete(Draft& draft) const;
  void enter(const Draft& draft);

  scenario::Offers offers_;
  scenario::Bounds bounds_;
  ExhaustiveOptions options_;
  std::vector<std::unique_ptr<Level>> levels_;
  std::size_t depth_ = 0;
  std::unique_ptr<Draft> closing_;
};

}  // namespace scopecheck::generator
