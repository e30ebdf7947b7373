#include "harness/report/style.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace scopecheck::report {
namespace {

bool continues_code_point(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// Bytes of the first `columns` code points.
std::size_t bytes_of(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  for (; at < text.size(); ++at)
    if (!continues_code_point(text[at]) && columns-- == 0) break;
  return at;
}

}  // namespace

Style style_for(const Environment& environment, bool is_terminal, std::size_t columns) {
  const bool dumb = environment("TERM") == "dumb";
  std::string locale;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (locale = environment(name); !locale.empty()) break;
  std::ranges::transform(locale, locale.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool utf8 = locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  if (columns == 0) columns = std::strtoul(environment("COLUMNS").c_str(), nullptr, 10);
  if (columns == 0) columns = Style{}.width;
  return {.unicode = utf8 && !dumb,
          .colour = is_terminal && !dumb && environment("NO_COLOR").empty(),
          .width = std::clamp(columns, min_width, max_width)};
}

Style detect_style(int fd) {
  const Environment environment = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  winsize size{};
  const bool known = ::ioctl(fd, TIOCGWINSZ, &size) == 0;
  return style_for(environment, ::isatty(fd) == 1, known ? size.ws_col : 0);
}

std::string paint(std::string_view text, Tone tone, const Style& style) {
  static constexpr std::array<std::string_view, 8> codes = {"", "2", "1", "32", "33", "1;31", "36", "35"};
  const std::string_view code = codes[static_cast<std::size_t>(tone)];
  if (!style.colour || code.empty() || text.empty()) return std::string(text);
  return std::string("\x1b[").append(code).append("m").append(text).append("\x1b[0m");
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return !continues_code_point(c); }));
}

std::string fit(std::string_view text, std::size_t width, const Style& style) {
  if (display_width(text) <= width) return std::string(text);
  const std::string_view ellipsis = style.unicode ? "…" : "..";
  const std::size_t taken = display_width(ellipsis);
  if (width <= taken) return std::string(text.substr(0, bytes_of(text, width)));
  return std::string(text.substr(0, bytes_of(text, width - taken))).append(ellipsis);
}

std::string pad(std::string_view text, std::size_t width, const Style& style) {
  std::string padded = fit(text, width, style);
  return padded.append(width - display_width(padded), ' ');
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  width = std::max<std::size_t>(width, 1);
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    if (word.empty()) continue;
    if (!line.empty() && display_width(line) + 1 + display_width(word) > width) {
      lines.push_back(std::move(line));
      line.clear();
    }
    if (!line.empty()) line += ' ';
    while (display_width(line) + display_width(word) > width) {
      const std::size_t piece = bytes_of(word, width);
      lines.emplace_back(word.substr(0, piece));
      word.remove_prefix(piece);
    }
    line += word;
  }
  if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

std::string printable(std::string_view text, const Style& style) {
  std::string clean;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 && !style.unicode)
      clean += continues_code_point(c) ? std::string_view() : std::string_view("?");
    else if ((byte >= 0x20 || c == '\n' || c == '\t') && byte != 0x7f)
      clean += c;
  }
  return clean;
}

}  // namespace scopecheck::report
