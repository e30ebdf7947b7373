// The second witness: a counterexample once more, in a fresh process, with the real access, under ASan.
#pragma once

#include "harness/campaign/supervisor.hpp"
#include "harness/interpreter/implementation.hpp"
#include "harness/report/style.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace scopecheck::campaign {

struct Confirmation {
  std::vector<std::string> confirmed_by;  ///< "ledger", "asan"; empty: it did not show itself again
  bool conflict = false;                  ///< both witnesses exist and disagree
  std::string conflict_text;
  std::string sanitizer_text;
  std::string lifeline;
};

/// Whether only a sanitizer can see findings of this kind: the runtime used memory that the ledger does not
/// own.
[[nodiscard]] bool seen_by_sanitizer_alone(verdict::FindingKind kind);

/// Confirms and shrinks findings of one implementation under one discipline.
struct Confirmer {
  interpreter::Implementation implementation;
  scenario::Discipline discipline;
  const scenario::Offers& offers;
  const std::filesystem::path& program;
  const std::filesystem::path& asan_program;
  bool has_asan;

  [[nodiscard]] Confirmation confirm(const Found& found, const report::Style& style) const;
  /// A locally minimal scenario with the same signature. Cost: a process per candidate.
  [[nodiscard]] Found shrunk(const Found& found) const;
  struct How {
    bool asan = false;         ///< in the ASan build
    bool real_access = false;  ///< touch dead memory for real
    bool symbolize = false;    ///< reports name functions and lines: dear, so only when people read them
  };
  /// One run of `scenario` in a fresh process.
  [[nodiscard]] std::expected<OneRun, std::string> once(const scenario::Scenario& scenario, How how) const;
};

}  // namespace scopecheck::campaign
