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
  /// One run of `scenario` in a fresh process; `witness`: under ASan with the real access.
  [[nodiscard]] std::expected<OneRun, std::string> once(const scenario::Scenario& scenario, bool asan,
                                                        bool real_access, std::uint64_t times = 1) const;
};

}  // namespace scopecheck::campaign
