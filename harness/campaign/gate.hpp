// The canary gate: planted defects that this very build, with the options in use, must catch before any
// "not refuted" is printed. One case per witness, frame kind and carrier of late use; and a sound twin that
// must not be reported. A case that fails names the detector that is blind here.
#pragma once

#include "harness/verdict/finding.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scopecheck::campaign {

enum class Witness : std::uint8_t { ledger, asan };

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
  std::string detail;  ///< what was seen instead, or what ASan calls it
};

/// The detection table of one build.
struct Gate {
  std::vector<GateRow> rows;
  std::string asan_missing;  ///< why there is no ASan witness; "" when there is one

  [[nodiscard]] bool ledger_works() const;
  [[nodiscard]] bool asan_works() const;
  /// Names the first case that failed; "" when all were caught.
  [[nodiscard]] std::string first_failure() const;
};

/// Runs every case: ledger cases in `program`, ASan cases in `asan_program`.
[[nodiscard]] Gate run_gate(const std::filesystem::path& program, const std::filesystem::path& asan_program,
                            std::string asan_missing);

}  // namespace scopecheck::campaign
