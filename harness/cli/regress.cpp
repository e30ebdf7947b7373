#include "harness/campaign/regress.hpp"

#include "harness/campaign/supervisor.hpp"
#include "harness/cli/fuzzing.hpp"
#include "harness/cli/select.hpp"

#include <fmt/format.h>

#include <array>
#include <thread>

namespace scopecheck::cli {

int regress(const RegressArguments& arguments) {
  const auto files = campaign::regression_files(arguments.folder);
  if (!files) {
    complain(files.error());
    return exit_usage;
  }
  if (files->empty()) {
    complain(fmt::format("{}: no .scn file in it", arguments.folder));
    return exit_usage;
  }
  const campaign::StopOnSignals signals;
  campaign::RegressOptions options{.programs = campaign::find_programs(own_executable())};
  options.runners =
      arguments.runners != 0 ? arguments.runners : std::max(1u, std::thread::hardware_concurrency());
  const auto results = campaign::regress(*files, options);
  constexpr std::array<std::string_view, 6> words = {"as expected", "another finding",      "not reproduced",
                                                     "new finding", "no longer applicable", "error"};
  std::array<std::size_t, 6> count{};
  for (const campaign::Regression& r : results) {
    ++count[static_cast<std::size_t>(r.state)];
    if (r.state != campaign::RegressionState::as_expected)
      fmt::print("{}: {}: {}\n", r.file.string(), words[static_cast<std::size_t>(r.state)], r.detail);
  }
  fmt::print("{} regressions: {} as expected, {} not\n", results.size(), count[0], results.size() - count[0]);
  if (campaign::StopOnSignals::requested()) return exit_harness;
  if (count[static_cast<std::size_t>(campaign::RegressionState::error)] != 0) return exit_harness;
  return count[0] == results.size() ? exit_ok : exit_differs;
}

}  // namespace scopecheck::cli
