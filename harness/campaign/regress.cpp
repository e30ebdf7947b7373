#include "harness/campaign/regress.hpp"

#include "harness/abi/registry.hpp"
#include "harness/campaign/confirm.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/supervisor.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

namespace scopecheck::campaign {
namespace {

/// What a file says, ready to run.
struct Case {
  Job job;
  bool unsound = false;
  std::optional<verdict::Signature> signature;
};

std::expected<Case, Regression> read_case(const std::filesystem::path& file) {
  const auto refused = [&](RegressionState state, std::string why) {
    return std::unexpected(Regression{file, state, std::move(why)});
  };
  std::ifstream stream(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  if (!stream.good() && !stream.eof()) return refused(RegressionState::error, "cannot be read");
  const auto parsed = scenario::parse(text);
  if (!parsed)
    return refused(RegressionState::error,
                   fmt::format("line {}: {}", parsed.error().line, parsed.error().message));
  const scopecheck_plugin* const plugin = abi::find_registered(parsed->get("impl"));
  if (plugin == nullptr)
    return refused(RegressionState::error,
                   fmt::format("no implementation is called '{}'", parsed->get("impl")));
  const std::string_view discipline = parsed->get("discipline");
  const std::string_view expected = parsed->get("expect");
  constexpr auto& words = scenario::discipline_names;
  const auto word = std::ranges::find(words, discipline);
  if (word == words.end() || (expected != "unsound" && expected != "not-refuted"))
    return refused(RegressionState::error,
                   "the first line must say `# impl: NAME; discipline: safe|documented|no-leak; "
                   "expect: unsound|not-refuted`");
  interpreter::Implementation implementation{plugin};
  if (const std::string_view flavour = parsed->get("flavour"); !flavour.empty()) {
    while (implementation.flavour < plugin->flavour_count && implementation.flavour_name() != flavour)
      ++implementation.flavour;
    if (implementation.flavour == plugin->flavour_count)
      return refused(RegressionState::error,
                     fmt::format("{} has no flavour '{}'", implementation.name(), flavour));
  }
  Case found;
  const auto kind = static_cast<scenario::Discipline>(word - words.begin());
  found.job = job_for(implementation, kind);
  found.job.engine = Engine::one;
  found.job.runs = 1;
  found.job.scenario = parsed->scenario;
  found.unsound = expected == "unsound";
  if (const std::string_view signature = parsed->get("finding"); !signature.empty()) {
    found.signature = verdict::parse_signature(signature);
    if (!found.signature)
      return refused(RegressionState::error, fmt::format("'{}' is not a finding's signature", signature));
  }
  const scenario::Wording wording = parsed->wording();
  if (const auto formed =
          scenario::check(parsed->scenario, interpreter::offers_of(implementation, kind), &wording);
      !formed)
    return refused(RegressionState::inapplicable, formed.error().message);
  return found;
}

Regression compare(const std::filesystem::path& file, const Case& wanted, const Merged& got,
                   const Death* death) {
  Regression result{file, RegressionState::as_expected, ""};
  const auto is = [&](RegressionState state, std::string why) {
    result.state = state;
    result.detail = std::move(why);
    return result;
  };
  if (!got.errors.empty()) return is(RegressionState::error, got.errors.front());
  const bool died =
      death != nullptr && (death->kind == DeathKind::crash || death->kind == DeathKind::sanitizer);
  const Found* memory = nullptr;
  bool same = false;
  for (const Found& found : got.findings) {
    if (verdict::info(found.finding.kind()).memory && memory == nullptr) memory = &found;
    same = same || found.finding.signature == wanted.signature;
  }
  const std::string seen = memory != nullptr  ? to_string(memory->finding.signature)
                           : death != nullptr ? describe(*death)
                                              : "no finding";
  if (!wanted.unsound) return memory == nullptr && !died ? result : is(RegressionState::new_finding, seen);
  if (memory == nullptr && !died) return is(RegressionState::not_reproduced, seen);
  if (wanted.signature && !same && !died) return is(RegressionState::other_finding, seen);
  return result;
}

}  // namespace

std::expected<std::vector<std::filesystem::path>, std::string> regression_files(
    const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  std::filesystem::directory_iterator walk(folder, error);
  for (; !error && walk != std::filesystem::directory_iterator(); walk.increment(error))
    if (walk->path().extension() == ".scn") files.push_back(walk->path());
  if (error) return std::unexpected(fmt::format("{}: {}", folder.string(), error.message()));
  std::ranges::sort(files);
  return files;
}

std::vector<Regression> regress(std::span<const std::filesystem::path> files, const RegressOptions& options) {
  std::vector<Regression> results(files.size());
  std::vector<Case> cases(files.size());
  // by the witness that sees them
  std::array<std::vector<Job>, 3> jobs;
  std::array<std::vector<std::size_t>, 3> places;
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto read = read_case(files[i]);
    if (!read) {
      results[i] = read.error();
      continue;
    }
    cases[i] = std::move(*read);
    const Witness seen_by =
        cases[i].signature ? verdict::info(cases[i].signature->kind).seen_by : Witness::ledger;
    if (!options.programs.has(seen_by)) {
      results[i] = {files[i], RegressionState::error,
                    fmt::format("needs the {} build of this program", in_words(seen_by))};
      continue;
    }
    jobs[static_cast<std::size_t>(seen_by)].push_back(cases[i].job);
    places[static_cast<std::size_t>(seen_by)].push_back(i);
  }
  for (std::size_t witness = 0; witness < jobs.size(); ++witness) {
    if (jobs[witness].empty()) continue;
    const Supervised got =
        supervise(jobs[witness], {.executable = options.programs.of(static_cast<Witness>(witness)),
                                  .runners = options.runners,
                                  .deaths_limit = 1});
    for (std::size_t job = 0; job < got.by_job.size(); ++job) {
      const std::size_t i = places[witness][job];
      const auto death = std::ranges::find_if(got.deaths, [&](const Death& d) { return d.job == job; });
      results[i] =
          compare(files[i], cases[i], got.by_job[job], death == got.deaths.end() ? nullptr : &*death);
    }
  }
  return results;
}

}  // namespace scopecheck::campaign
