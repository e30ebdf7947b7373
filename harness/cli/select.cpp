#include "harness/cli/select.hpp"

#include "harness/abi/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <unistd.h>

namespace scopecheck::cli {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20;

std::string suggestion(std::string_view word, bool with_hidden) {
  std::vector<std::string> names;
  for (const scopecheck_plugin* plugin : abi::registered())
    if (plugin->name != nullptr && (with_hidden || plugin->hidden == 0)) names.emplace_back(plugin->name);
  const std::string near = scenario::nearest(word, names);
  return near.empty() ? "`scopecheck list` shows what there is" : fmt::format("did you mean '{}'?", near);
}

std::expected<const scopecheck_plugin*, std::string> find(const std::string& name) {
  const scopecheck_plugin* plugin = abi::find_registered(name);
  if (plugin == nullptr)
    return std::unexpected(fmt::format("unknown implementation '{}'; {}", name, suggestion(name, false)));
  if (const auto valid = interpreter::validate(*plugin); !valid) return std::unexpected(valid.error());
  return plugin;
}

/// The number of the plugin's flavour of this name.
std::expected<std::uint32_t, std::string> flavour_called(const scopecheck_plugin& plugin,
                                                         const std::string& name) {
  std::vector<std::string> flavours;
  for (std::uint32_t i = 0; i < plugin.flavour_count; ++i) flavours.emplace_back(plugin.flavours[i].name);
  const auto found = std::ranges::find(flavours, name);
  if (found == flavours.end())
    return std::unexpected(fmt::format("{} has no flavour '{}'; {}it has: {}", plugin.name, name,
                                       did_you_mean(name, flavours), fmt::join(flavours, ", ")));
  return static_cast<std::uint32_t>(found - flavours.begin());
}

std::expected<std::string, std::string> read_all(const std::string& file) {
  std::string text;
  if (file == "-") {
    std::array<char, 4096> buffer;
    ssize_t got = 0;
    while (text.size() <= largest_file && (got = ::read(STDIN_FILENO, buffer.data(), buffer.size())) != 0) {
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return std::unexpected(fmt::format("standard input: {}", std::strerror(errno)));
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
  } else {
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored))
      return std::unexpected(fmt::format("{}: is a directory", file));
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return std::unexpected(fmt::format("{}: {}", file, std::strerror(errno)));
    text.resize(largest_file + 1);
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad()) return std::unexpected(fmt::format("{}: cannot be read", file));
    text.resize(static_cast<std::size_t>(stream.gcount()));
  }
  if (text.size() > largest_file)
    return std::unexpected(fmt::format("{}: larger than a scenario can be (1 MiB)", file));
  return text;
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& names) {
  const std::string near = scenario::nearest(word, names);
  return near.empty() || near == word ? "" : fmt::format("did you mean '{}'? ", near);
}

// Not by fmt, which throws when standard error takes no more: there is nobody to tell then.
void complain(const std::string& message) {
  std::string line = message.substr(0, 2000);
  for (char& c : line)  // what was typed may be quoted in it
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  std::fprintf(stderr, "scopecheck: %s\n", line.c_str());
}

std::filesystem::path own_executable() {
  std::error_code error;
  std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path("/proc/self/exe") : path;
}

scenario::Discipline discipline_of(std::string_view name) {
  if (name == "documented") return scenario::Discipline::documented;
  if (name == "no-leak") return scenario::Discipline::no_leak;
  return scenario::Discipline::safe;
}

std::expected<std::vector<interpreter::Implementation>, std::string> select(
    const std::vector<std::string>& names, const std::string& flavour) {
  std::vector<interpreter::Implementation> chosen;
  const auto add = [&](const scopecheck_plugin* plugin) {
    const auto known = [&](const auto& i) { return i.plugin == plugin; };
    if (std::ranges::any_of(chosen, known)) return;
    for (std::uint32_t i = 0; i < plugin->flavour_count; ++i)
      if (flavour.empty() || flavour == plugin->flavours[i].name) chosen.push_back({plugin, i});
  };
  for (const std::string& name : names) {
    const auto plugin = find(name);
    if (!plugin) return std::unexpected(plugin.error());
    if (!flavour.empty())
      if (const auto has = flavour_called(**plugin, flavour); !has) return std::unexpected(has.error());
    add(*plugin);
  }
  if (names.empty())
    for (const scopecheck_plugin* plugin : abi::registered()) {
      if (plugin->hidden != 0) continue;
      if (const auto valid = interpreter::validate(*plugin); !valid) return std::unexpected(valid.error());
      add(plugin);
    }
  if (chosen.empty()) return std::unexpected(fmt::format("no implementation has a flavour '{}'", flavour));
  return chosen;
}

std::expected<Chosen, std::string> choose(const ScenarioArguments& arguments) {
  if (arguments.file.empty() && arguments.text.empty())
    return std::unexpected("no scenario: name a .scn file, - for standard input, or give it with -e");
  std::string source = !arguments.text.empty() ? "-e"
                       : arguments.file == "-" ? "standard input"
                                               : arguments.file;
  std::string text = arguments.text;
  if (text.empty()) {
    auto read = read_all(arguments.file);
    if (!read) return std::unexpected(read.error());
    text = std::move(*read);
  }
  auto parsed = scenario::parse(text);
  if (!parsed)
    return std::unexpected(fmt::format("{}:{}: {}", source, parsed.error().line, parsed.error().message));
  scenario::Wording wording = parsed->wording();
  // one line for everything says nothing: there the lines are those of the picture that `explain` draws
  if (text.find('\n') == std::string::npos) wording.lines = scenario::Wording(parsed->scenario).lines;
  Chosen chosen{.implementation = {},
                .discipline = scenario::Discipline::safe,
                .offers = {},
                .parsed = std::move(*parsed),
                .wording = std::move(wording),
                .source = std::move(source)};
  const auto or_header = [&](const std::string& argument, std::string_view key) {
    return argument.empty() ? std::string(chosen.parsed.get(key)) : argument;
  };
  const std::string name = or_header(arguments.implementation, "impl");
  if (name.empty())
    return std::unexpected(fmt::format(
        "{}: which implementation? give --impl NAME, or a first line `# impl: NAME`", chosen.source));
  const auto plugin = find(name);
  if (!plugin)
    return std::unexpected(arguments.implementation.empty() ? chosen.source + ": " + plugin.error()
                                                            : plugin.error());
  chosen.implementation.plugin = *plugin;
  const std::string flavour = or_header(arguments.flavour, "flavour");
  if (!flavour.empty()) {
    const auto found = flavour_called(**plugin, flavour);
    if (!found) return std::unexpected(found.error());
    chosen.implementation.flavour = *found;
  }
  const std::string discipline = or_header(arguments.discipline, "discipline");
  if (!discipline.empty() && discipline != "safe" && discipline != "documented" && discipline != "no-leak")
    return std::unexpected(fmt::format("{}: '{}' is not a discipline; {}there are: safe, documented, no-leak",
                                       chosen.source, discipline,
                                       did_you_mean(discipline, {"safe", "documented", "no-leak"})));
  chosen.discipline = discipline_of(discipline);
  chosen.offers = interpreter::offers_of(chosen.implementation, chosen.discipline);
  if (const auto formed = scenario::check(chosen.parsed.scenario, chosen.offers, &chosen.wording); !formed) {
    const std::size_t op = formed.error().op;
    const std::uint32_t line = op < chosen.wording.lines.size() ? chosen.wording.line(op) : 0;
    return std::unexpected(fmt::format("{}:{}: not a client of {} under {}: {}", chosen.source, line, name,
                                       discipline.empty() ? "safe" : discipline, formed.error().message));
  }
  return chosen;
}

}  // namespace scopecheck::cli
