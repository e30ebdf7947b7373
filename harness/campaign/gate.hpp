// The canary gate: planted defects that this very build, with the options in use, must catch before any
// "not refuted" is printed. One case per witness, frame kind and carrier of late use; and a sound twin that
// must not be reported. A case that fails names the detector that is blind here.
#pragma once

#include "harness/campaign/witness.hpp"
#include "harness/verdict/finding.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scopecheck::campaign {

/// One planted defect: what is run, who must see it, as what.
struct GateCase {
  std::string_view implementation;
  std::string_view place;    ///< where the memory lives that is used late
  std::string_view carrier;  ///< what uses it late
  Witness witness;
  bool finds = true;  ///< false: the sound twin
  verdict::FindingKind kind{};
  std::string_view program;
};

[[nodiscard]] std::span<const GateCase> gate_cases();

struct GateRow {
  const GateCase* planted = nullptr;
  bool caught = false;
  std::string detail;  ///< what was seen instead, or what the sanitizer calls it
};

/// The detection table of one build.
struct Gate {
  std::vector<GateRow> rows;
  std::string asan_missing, tsan_missing;  ///< why there is no such witness; "" when there is one

  [[nodiscard]] bool works(Witness witness) const;
  /// Names the first missing witness or failed case; "" when all were caught. What TSan misses counts only
  /// for implementations whose children run on threads.
  [[nodiscard]] std::string first_failure(bool threads = true) const;
};

/// Runs every case in the program of its witness.
[[nodiscard]] Gate run_gate(const Programs& programs);

}  // namespace scopecheck::campaign
