#include "harness/campaign/witness.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace scopecheck::campaign {
namespace {

struct Twin {
  std::string_view name, words, full_name;
  const char* variable;
};
constexpr std::array<Twin, 3> twins = {{{"ledger", "the ledger", "", nullptr},
                                        {"asan", "ASan", "AddressSanitizer", "SCOPECHECK_ASAN_PROGRAM"},
                                        {"tsan", "TSan", "ThreadSanitizer", "SCOPECHECK_TSAN_PROGRAM"}}};
const Twin& twin(Witness witness) { return twins[static_cast<std::size_t>(witness)]; }

}  // namespace

std::string_view to_string(Witness witness) { return twin(witness).name; }
std::string_view in_words(Witness witness) { return twin(witness).words; }

std::expected<std::filesystem::path, std::string> twin_executable(Witness sanitizer) {
  if (built_with() == sanitizer) return "/proc/self/exe";
  const auto runs = [](const std::filesystem::path& path) { return ::access(path.c_str(), X_OK) == 0; };
  const auto& [name, words, full_name, variable] = twin(sanitizer);
  std::error_code error;
  if (const char* named = std::getenv(variable); named != nullptr && *named != '\0') {
    std::filesystem::path path = std::filesystem::absolute(named, error);
    if (!error && runs(path)) return path;
    return std::unexpected(fmt::format("{}={}: no such program", variable, named));
  }
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return std::unexpected(fmt::format("/proc/self/exe: {}", error.message()));
  const std::filesystem::path bin = self.parent_path();
  const std::filesystem::path candidates[] = {
      (bin / fmt::format("../../{}/bin/scopecheck", name)).lexically_normal(),
      (bin / fmt::format("../libexec/scopecheck/scopecheck-{}", name)).lexically_normal(),
  };
  for (const std::filesystem::path& candidate : candidates)
    if (runs(candidate)) return candidate;
  return std::unexpected(
      fmt::format("no {} build of scopecheck: neither {} nor {}. Build one with `cmake --preset {} && "
                  "cmake --build --preset {}`, or name one in {}",
                  full_name, candidates[0].string(), candidates[1].string(), name, name, variable));
}

Programs find_programs(std::filesystem::path own) {
  Programs programs{.own = std::move(own)};
  if (auto asan = twin_executable(Witness::asan))
    programs.asan = std::move(*asan);
  else
    programs.asan_missing = asan.error();
  if (auto tsan = twin_executable(Witness::tsan))
    programs.tsan = std::move(*tsan);
  else
    programs.tsan_missing = tsan.error();
  return programs;
}

}  // namespace scopecheck::campaign
