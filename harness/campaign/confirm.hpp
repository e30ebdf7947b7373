// The second witness: a counterexample once more, in a fresh process, with the real access, under a
// sanitizer.
#pragma once

#include "harness/campaign/supervisor.hpp"
#include "harness/campaign/witness.hpp"
#include "harness/interpreter/implementation.hpp"
#include "harness/report/style.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace scopecheck::campaign {

struct Confirmation {
  std::vector<std::string> confirmed_by;  ///< "ledger", "asan", "tsan"; empty: it did not show itself again
  bool conflict = false;                  ///< two witnesses exist and disagree
  std::string conflict_text;
  std::string sanitizer_text;
  std::string lifeline;
};

/// Confirms and shrinks findings of one implementation under one discipline.
struct Confirmer {
  interpreter::Implementation implementation;
  scenario::Discipline discipline;
  const scenario::Offers& offers;
  const Programs& programs;

  [[nodiscard]] Confirmation confirm(const Found& found, const report::Style& style) const;
  /// A locally minimal scenario with the same signature. Cost: a process per candidate.
  [[nodiscard]] Found shrunk(const Found& found) const;
  struct How {
    Witness witness = Witness::ledger;  ///< in whose build; where there is none, in this one
    bool real_access = false;           ///< touch dead memory for real
    bool symbolize = false;  ///< reports name functions and lines: dear, so only when people read them
  };
  /// One run of `scenario` in a fresh process.
  [[nodiscard]] std::expected<OneRun, std::string> once(const scenario::Scenario& scenario, How how) const;

 private:
  /// Whether this sanitizer can testify about findings of this kind here.
  [[nodiscard]] bool can_testify(Witness sanitizer, verdict::FindingKind kind) const;
  void testify(Witness sanitizer, const Found& found, Confirmation& confirmation) const;
};

}  // namespace scopecheck::campaign
