#include "tests/rustc/rustc.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <sys/wait.h>

namespace scopecheck::tests {

namespace {

/// The line (from 0) on which each function of the crate begins, written in their order.
std::vector<std::size_t> write_crate(const std::filesystem::path& file, const std::string& prelude,
                                     const std::vector<std::string>& functions,
                                     const std::vector<std::size_t>& asked) {
  std::ofstream out(file);
  const auto lines = [](const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  };
  out << prelude;
  std::size_t line = lines(prelude);
  std::vector<std::size_t> begins;
  for (const std::size_t i : asked) {
    begins.push_back(line);
    out << functions[i];
    line += lines(functions[i]);
  }
  // Half a crate would be accepted for what it lacks.
  if (!out.flush()) throw std::runtime_error(fmt::format("cannot write {}", file.string()));
  return begins;
}

/// One word of a shell's command.
std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return fmt::format("killed by signal {}", WTERMSIG(status));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace

std::expected<std::vector<Codes>, std::string> ask_rustc(const std::string& rustc,
                                                         const std::filesystem::path& folder,
                                                         const std::string& prelude,
                                                         const std::vector<std::string>& functions) {
  std::vector<Codes> codes(functions.size());
  std::vector<std::size_t> asked(functions.size());
  for (std::size_t i = 0; i < asked.size(); ++i) asked[i] = i;
  const std::string crate = (folder / "batch.rs").string();
  const std::string diagnostics = (folder / "batch.json").string();
  while (!asked.empty()) {
    const std::vector<std::size_t> begins = write_crate(crate, prelude, functions, asked);
    const std::string command = fmt::format(
        "{} --edition 2021 --crate-type lib --crate-name batch --emit metadata --error-format json --out-dir "
        "{} {} 2>{}",
        quoted(rustc), quoted(folder.string()), quoted(crate), quoted(diagnostics));
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
    if (WIFSIGNALED(status)) return std::unexpected(fmt::format("{}: {}", rustc, how_it_ended(status)));
    bool refused = false;
    std::ifstream in(diagnostics);
    std::string first;
    for (std::string text; std::getline(in, text);) {
      if (first.empty()) first = text;
      const auto message = nlohmann::json::parse(text, nullptr, false);
      if (message.is_discarded() || message.value("level", "") != "error") continue;
      for (const auto& span : message.at("spans")) {
        if (!span.value("is_primary", false)) continue;
        const std::size_t line = span.at("line_start").get<std::size_t>() - 1;
        const auto after = std::upper_bound(begins.begin(), begins.end(), line);
        if (after == begins.begin())
          return std::unexpected("an error outside of the functions: " + message.value("rendered", text));
        const std::size_t which = asked[static_cast<std::size_t>(after - begins.begin()) - 1];
        codes[which].insert(message.at("code").is_null() ? "syntax"
                                                         : message.at("code").at("code").get<std::string>());
        refused = true;
      }
    }
    if (!refused) {
      if (status != 0) return std::unexpected(fmt::format("{}: {}: {}", rustc, how_it_ended(status), first));
      break;
    }
    std::erase_if(asked, [&](std::size_t i) { return !codes[i].empty(); });
  }
  return codes;
}

}  // namespace scopecheck::tests
