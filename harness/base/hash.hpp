// FNV-1a: fingerprints that are the same in every build and process, and no defence against anybody.
// Source: http://www.isthe.com/chongo/tech/comp/fnv/
#pragma once

#include <cstdint>
#include <string_view>

namespace scopecheck::base {

inline constexpr std::uint64_t hash_of_nothing = 0xcbf29ce484222325ull;

/// `hash` with one value more, which FNV wants to be a byte; a larger one is taken as one.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  return (hash ^ value) * 0x100000001b3ull;
}

[[nodiscard]] constexpr std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = hash_of_nothing;
  for (const char c : text) hash = mix(hash, static_cast<unsigned char>(c));
  return hash;
}

}  // namespace scopecheck::base
