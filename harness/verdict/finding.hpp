// A finding: one broken rule with its culprit, and what makes two findings the same (the signature).
#pragma once

#include "harness/ledger/ledger.hpp"
#include "harness/ledger/moments.hpp"
#include "harness/scenario/scenario.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scopecheck::verdict {

/// Who testifies about a run: the ledger in every build, a sanitizer in the build that has it.
enum class Witness : std::uint8_t { ledger, asan, tsan };

enum class FindingKind : std::uint8_t {
#define SCOPECHECK_FINDING(id, text, memory, ends_storage, seen_by, asan_confirms, tsan_confirms, doc) id,
#include "harness/verdict/kinds.def"
#undef SCOPECHECK_FINDING
};
struct KindInfo {
  std::string_view text;
  bool memory;
  bool ends_storage;
  Witness seen_by;
  bool asan_confirms;
  bool tsan_confirms;
  std::string_view doc;
};
inline constexpr std::array kind_table = {
#define SCOPECHECK_FINDING(id, text, memory, ends_storage, seen_by, asan_confirms, tsan_confirms, doc)     \
  KindInfo{text, memory != 0, ends_storage != 0, Witness::seen_by, asan_confirms != 0, tsan_confirms != 0, \
           doc},
#include "harness/verdict/kinds.def"
#undef SCOPECHECK_FINDING
};
[[nodiscard]] constexpr const KindInfo& info(FindingKind kind) {
  return kind_table[static_cast<std::size_t>(kind)];
}
/// The row of a kind by its text; null for other words.
[[nodiscard]] constexpr const KindInfo* kind_called(std::string_view text) {
  for (const KindInfo& row : kind_table)
    if (row.text == text) return &row;
  return nullptr;
}

/// What ended a lifetime or used it: an op of the scenario, or a moment after it.
enum class Cause : std::uint8_t { nothing, op, frame_end, final_settle, runtime_end };

/// What makes two findings the same. Never addresses, indices or seeds.
struct Signature {
  FindingKind kind{};
  Cause released_by = Cause::nothing;  ///< what ended the loan's carrier, or the storage's owner
  scenario::OpKind released_op{};
  Cause ended_by = Cause::nothing;  ///< what ended the memory
  scenario::OpKind ended_op{};
  ledger::EventKind used_by{};  ///< the event that used it afterwards

  friend auto operator<=>(const Signature&, const Signature&) = default;
};

/// "use-after-scope(forget, frame-end, write)"
[[nodiscard]] std::string to_string(const Signature& signature);
/// The inverse of to_string; nothing for other texts.
[[nodiscard]] std::optional<Signature> parse_signature(std::string_view text);

/// One broken rule. Indices are `scenario::none`, ops `no_op`, where they do not apply.
struct Finding {
  static constexpr std::uint16_t no_op = 0xffff;

  Signature signature;
  std::uint8_t task = scenario::none;
  std::uint8_t cell = scenario::none;
  std::uint8_t value = scenario::none;
  std::uint16_t taken_at = no_op;     ///< op that took the loan or spawned the child
  std::uint16_t released_at = no_op;  ///< op (or moment) that ended the carrier
  std::uint16_t ended_at = no_op;     ///< op (or moment) that ended the memory
  std::uint16_t used_at = no_op;      ///< op (or moment) of the use
  std::uint32_t event = 0;            ///< index in the ledger of the use

  [[nodiscard]] FindingKind kind() const { return signature.kind; }
};

}  // namespace scopecheck::verdict
