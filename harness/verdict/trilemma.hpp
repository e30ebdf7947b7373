// What one run shows of the scoped task trilemma: that children progress while their spawner goes on, that
// they can run without it, that they borrow from it. A program and its ledger enter, letters leave;
// campaign/probes.hpp says which programs are asked.
#pragma once

#include "harness/verdict/evidence.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace scopecheck::verdict {

/// In the order in which they are printed.
enum class Letter : std::uint8_t { concurrency, parallelizability, borrowing };
struct LetterInfo {
  char letter;
  std::string_view id;
};
inline constexpr std::array letter_table = {
    LetterInfo{'C', "concurrency"}, LetterInfo{'P', "parallelizability"}, LetterInfo{'B', "borrowing"}};
inline constexpr std::size_t letters = letter_table.size();

/// The letters that a run shows before its first finding, a bit each.
[[nodiscard]] std::uint8_t letters_of(const Evidence& evidence);

}  // namespace scopecheck::verdict
