// How words and pictures look on this terminal, and the few text measures that every picture needs.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace scopecheck::report {

/// What the reader's terminal can show.
struct Style {
  bool unicode = true;     ///< false: no byte >= 0x80 is written
  bool colour = false;     ///< false: no escape sequence is written
  std::size_t width = 80;  ///< columns; at least `min_width` are used
};

inline constexpr std::size_t min_width = 60;
inline constexpr std::size_t max_width = 160;

/// Looks up an environment variable; "" when unset.
using Environment = std::function<std::string(const char*)>;

/// The style that an environment asks for. `columns`: what the terminal says, 0 when unknown.
/// LC_ALL, LC_CTYPE, LANG (the first that is set) decide about unicode; TERM=dumb and NO_COLOR about colour.
[[nodiscard]] Style style_for(const Environment& environment, bool is_terminal, std::size_t columns);
/// The style for what is written to `fd`.
[[nodiscard]] Style detect_style(int fd);

enum class Tone { plain, dim, bold, good, warning, bad, memory, loan };

/// `text` in the tone's colour; unchanged where `style` has no colour.
[[nodiscard]] std::string paint(std::string_view text, Tone tone, const Style& style);

/// Columns that `text` takes: code points, since every glyph of ours is one column wide.
[[nodiscard]] std::size_t display_width(std::string_view text);
/// `text` cut to `width` columns, with an ellipsis when something was cut.
[[nodiscard]] std::string fit(std::string_view text, std::size_t width, const Style& style);
/// `fit`, then padded with spaces to exactly `width` columns.
[[nodiscard]] std::string pad(std::string_view text, std::size_t width, const Style& style);
/// Breaks `text` at spaces into lines of at most `width` columns; longer words are cut in pieces.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t width);
/// `text` without control characters other than newline and tab; without unicode, other bytes become '?'.
[[nodiscard]] std::string printable(std::string_view text, const Style& style);

}  // namespace scopecheck::report
