#include "harness/report/table.hpp"

#include "harness/report/progress.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace scopecheck::report {
namespace {

constexpr std::string_view indent = "    ";

Tone tone_of(const Result& result) {
  if (result.as_expected() == false) return Tone::bad;
  switch (result.verdict) {
    case Verdict::unsound:
      return result.as_expected() ? Tone::warning : Tone::bad;
    case Verdict::not_refuted:
      return Tone::good;
    case Verdict::inconclusive:
      return Tone::warning;
    case Verdict::error:
      return Tone::bad;
  }
  return Tone::plain;
}

std::string_view in_words(Verdict verdict) {
  return verdict == Verdict::not_refuted ? "not refuted" : to_string(verdict);
}

/// What a row says beside its first columns: the counterexample, or why there is no verdict.
std::string detail(const Result& result, const Style& style) {
  if (const Counterexample* headline = result.headline(); headline != nullptr)
    return printable(scenario_in_one_line(headline->scenario), style);
  return printable(result.why, style);
}

std::string difference(const Result& result) {
  if (result.as_expected() != false) return "";
  return fmt::format("differs: {} expected, {} found", in_words(*result.expected), in_words(result.verdict));
}

using Cells = std::array<std::string, 6>;  // implementation, flavour, discipline, verdict, letters, effort
constexpr std::size_t verdict_column = 3;
constexpr std::size_t effort_column = 5;

/// The widths of a table that fits, and whether effort and counterexample stand below.
struct Layout {
  std::array<std::size_t, std::tuple_size_v<Cells>> width{};
  bool below = false;
};

Layout layout_for(const std::vector<Cells>& rows, std::size_t width) {
  constexpr std::size_t room_for_detail = 30;
  Layout layout;
  for (const Cells& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      layout.width[i] = std::max(layout.width[i], display_width(row[i]));
  const auto sum = [&](std::size_t columns) {
    std::size_t total = 0;
    for (std::size_t i = 0; i < columns; ++i) total += layout.width[i] + (i == 0 ? 0 : 2);
    return total;
  };
  layout.below = sum(layout.width.size()) + 2 + room_for_detail > width;
  // The names give way, the longest first; a verdict is never cut.
  while (sum(effort_column) > width)
    --*std::max_element(layout.width.begin(), layout.width.begin() + verdict_column);
  return layout;
}

std::string one_row(const Result& result, const Cells& cells, const Layout& layout, const Style& style) {
  std::string line;
  for (std::size_t i = 0; i < effort_column; ++i) {
    if (i != 0) line += "  ";
    const std::string cell = pad(cells[i], layout.width[i], style);
    line += i == verdict_column ? paint(cell, tone_of(result), style) : cell;
  }
  const std::string more = detail(result, style);
  if (!layout.below) {
    line += "  " + pad(cells[effort_column], layout.width[effort_column], style);
    std::size_t used = 2;
    for (const std::size_t width : layout.width) used += width + 2;
    line += "  " + fit(more, style.width - used + 2, style);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  line += "\n";
  if (layout.below) {
    const std::size_t room = style.width - indent.size();
    line += fmt::format("{}{}\n", indent, paint(fit(cells[effort_column], room, style), Tone::dim, style));
    if (!more.empty()) line += fmt::format("{}{}\n", indent, fit(more, room, style));
  }
  if (const std::string differs = difference(result); !differs.empty())
    line += fmt::format("{}{}\n", indent,
                        paint(fit(differs, style.width - indent.size(), style), Tone::bad, style));
  return line;
}

/// `text` line by line behind `margin`, cut at the width unless `whole`.
std::string indented(std::string_view text, std::string_view margin, const Style& style, bool whole = false) {
  std::string out;
  while (!text.empty()) {
    const std::size_t eol = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, eol);
    out += fmt::format("{}{}\n", margin,
                       whole ? std::string(line) : fit(line, style.width - margin.size(), style));
    text.remove_prefix(std::min(eol + 1, text.size()));
  }
  return out;
}

std::string wrapped(std::string_view text, std::string_view first, std::string_view margin,
                    const Style& style) {
  std::string out;
  std::string_view before = first;
  for (const std::string& line :
       wrap(printable(text, style), style.width - std::max(first.size(), margin.size()))) {
    out += fmt::format("{}{}\n", before, line);
    before = margin;
  }
  return out;
}

std::string name_of(const Result& result) {
  return fmt::format("{}/{} ({})", result.implementation, result.flavour, result.discipline);
}

/// What is said about a result beside its verdict; "" when there is nothing to say.
std::string notes_of(const Result& result, const Style& style) {
  std::vector<std::string> lines = result.notes;
  const auto times = [](std::uint64_t n) {
    return n == 1 ? std::string("1 run") : fmt::format("{} runs", n);
  };
  if (result.outcomes.hang != 0) lines.push_back(fmt::format("hangs: {}", times(result.outcomes.hang)));
  if (result.outcomes.hang_suspected != 0)
    lines.push_back(fmt::format("hangs, suspected: {}", times(result.outcomes.hang_suspected)));
  if (result.outcomes.fail_stop != 0)
    lines.push_back(fmt::format("stops the process: {}", times(result.outcomes.fail_stop)));
  if (result.outcomes.discard != 0)
    lines.push_back(
        fmt::format("discarded, judged up to where the client broke a documented precondition: {} of {}",
                    times(result.outcomes.discard), result.outcomes.total()));
  if (result.outcomes.crash != 0) lines.push_back(fmt::format("crashes: {}", times(result.outcomes.crash)));
  if (!result.unmet_goals.empty())
    lines.push_back(fmt::format("never reached: {}", fmt::join(result.unmet_goals, ", ")));
  if (!result.why.empty() && result.headline() != nullptr) lines.push_back(result.why);
  if (lines.empty()) return "";
  std::string out = wrapped(name_of(result) + ":", "", "", style);
  for (const std::string& line : lines) out += wrapped(line, "  - ", "    ", style);
  return out;
}

std::string closing(std::span<const Result> results, const Style& style) {
  std::string out;
  const auto is = [](Verdict verdict) { return [verdict](const Result& r) { return r.verdict == verdict; }; };
  if (std::ranges::any_of(results, is(Verdict::not_refuted))) {
    std::vector<std::string> bounds;
    for (const Result& result : results)
      if (result.verdict == Verdict::not_refuted && !result.bounds.empty() &&
          std::ranges::find(bounds, result.bounds) == bounds.end())
        bounds.push_back(result.bounds);
    const std::string within = bounds.size() == 1 ? fmt::format(" (bounds: {})", bounds.front()) : "";
    out += wrapped("not refuted: none of the clients that were tried broke it" + within +
                       ". It is not a proof: longer clients, and other interleavings, were not tried.",
                   "", "", style);
  }
  std::size_t same = 0, different = 0, open = 0;
  for (const Result& result : results) ++(!result.expected ? open : *result.as_expected() ? same : different);
  std::string counts = fmt::format("{} result{}: ", results.size(), results.size() == 1 ? "" : "s");
  std::vector<std::string> parts;
  if (same != 0) parts.push_back(fmt::format("{} as expected", same));
  if (different != 0)
    parts.push_back(
        fmt::format("{} {} from the expectation", different, different == 1 ? "differs" : "differ"));
  if (open != 0) parts.push_back(fmt::format("{} without an expectation", open));
  if (parts.empty()) return out + "no results\n";
  const Tone tone = different != 0 ? Tone::bad : Tone::bold;
  for (const std::string& line : wrap(counts + fmt::format("{}", fmt::join(parts, ", ")), style.width))
    out += paint(line, tone, style) + "\n";
  return out;
}

Style at_least_minimal(Style style) {
  style.width = std::max(style.width, min_width);
  return style;
}

/// "12,345"
std::string grouped(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

}  // namespace

std::string scenario_in_one_line(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t eol = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, eol);
    text.remove_prefix(std::min(eol + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line.empty()) continue;
    if (!out.empty()) out += out.ends_with('{') || line.starts_with('}') ? " " : "; ";
    out += line;
  }
  return out;
}

std::string effort_in_words(const Effort& effort) {
  std::vector<std::string> parts;
  if (effort.exhaustive_ops != 0)
    parts.push_back(
        fmt::format("all {} of <= {} ops", grouped(effort.exhaustive_scenarios), effort.exhaustive_ops));
  else if (effort.exhaustive_scenarios != 0)
    parts.push_back(fmt::format("{} scenarios", grouped(effort.exhaustive_scenarios)));
  if (effort.random_scenarios != 0)
    parts.push_back(fmt::format("{} random", grouped(effort.random_scenarios)));
  if (effort.stress_runs != 0) parts.push_back(fmt::format("{} under stress", grouped(effort.stress_runs)));
  parts.push_back(duration_in_words(effort.seconds));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string table(std::span<const Result> results, const Style& asked) {
  const Style style = at_least_minimal(asked);
  if (results.empty()) return "";
  std::vector<Cells> rows{{"implementation", "flavour", "discipline", "verdict", "C P B", "effort"}};
  for (const Result& r : results)
    rows.push_back({printable(r.implementation, style), printable(r.flavour, style),
                    printable(r.discipline, style), std::string(in_words(r.verdict)),
                    r.trilemma ? r.trilemma->in_letters() : "?", effort_in_words(r.effort)});
  const Layout layout = layout_for(rows, style.width);
  std::string head;
  for (std::size_t i = 0; i < (layout.below ? effort_column : rows[0].size()); ++i)
    head += (i == 0 ? "" : "  ") + pad(rows[0][i], layout.width[i], style);
  if (!layout.below) head += "  shortest counterexample";
  head = fit(head, style.width, style);
  head.erase(head.find_last_not_of(' ') + 1);
  std::string out = paint(head, Tone::dim, style) + "\n";
  for (std::size_t i = 0; i < results.size(); ++i) out += one_row(results[i], rows[i + 1], layout, style);
  return out;
}

std::string counterexample_block(const Result& result, const Counterexample& finding, const Style& asked) {
  const Style style = at_least_minimal(asked);
  const std::string title =
      fmt::format("{}: {}, {} op{}", finding.kind, name_of(result), finding.ops, finding.ops == 1 ? "" : "s");
  std::string out;
  for (const std::string& line : wrap(printable(title, style), style.width))
    out += paint(line, Tone::bold, style) + "\n";
  out += "\n" + indented(printable(finding.scenario, style), indent, style) + "\n";
  if (!finding.lifeline.empty()) out += indented(finding.lifeline, "", style, true) + "\n";
  out += wrapped(fmt::format("found after {} scenario{}, {}", grouped(finding.found_after_scenarios),
                             finding.found_after_scenarios == 1 ? "" : "s",
                             duration_in_words(finding.found_after_seconds)),
                 "  ", "  ", style);
  if (!finding.confirmed_by.empty())
    out +=
        wrapped(fmt::format("confirmed by {}", fmt::join(finding.confirmed_by, " and ")), "  ", "  ", style);
  if (!finding.sanitizer_report.empty()) {
    // The summaries say enough here, one per sanitizer; the whole text is one command away.
    std::string_view rest = finding.sanitizer_report;
    rest = rest.substr(std::min(rest.find("SUMMARY: "), rest.size()));
    if (rest.empty()) rest = finding.sanitizer_report;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      out += indented(printable(line, style), "  ", style);
      rest = rest.substr(std::min(rest.find("SUMMARY: ", line.size()), rest.size()));
    }
  }
  if (!finding.reproduce.empty())
    out += fmt::format("  see it again: {}\n", paint(printable(finding.reproduce, style), Tone::bold, style));
  return out;
}

std::string trilemma_clients(std::span<const Result> results, const Style& asked) {
  const Style style = at_least_minimal(asked);
  std::string out;
  for (const Result& result : results) {
    if (!result.trilemma) continue;
    out += wrapped("The first clients of " + name_of(result) + " that show:", "", "", style);
    for (std::size_t i = 0; i < verdict::letters; ++i) {
      const std::string& example = result.trilemma->examples[i];
      out += wrapped(example.empty() ? "none" : scenario_in_one_line(example),
                     fmt::format("  {}  ", verdict::letter_table[i].letter), "     ", style);
    }
  }
  return out;
}

std::string report(std::span<const Result> results, const Style& asked) {
  const Style style = at_least_minimal(asked);
  std::string out = table(results, style);
  for (const Result& result : results)
    if (result.verdict == Verdict::unsound)
      if (const Counterexample* headline = result.headline(); headline != nullptr) {
        out += "\n" + counterexample_block(result, *headline, style);
        std::vector<std::string> others;
        for (const Counterexample& other : result.findings)
          if (&other != headline) others.push_back(fmt::format("{} ({} ops)", other.kind, other.ops));
        if (!others.empty())
          out += wrapped(fmt::format("also found: {}", fmt::join(others, ", ")), "  ", "  ", style);
      }
  std::string notes;
  for (const Result& result : results) notes += notes_of(result, style);
  if (!notes.empty()) out += "\n" + notes;
  return out + (out.empty() ? "" : "\n") + closing(results, style);
}

}  // namespace scopecheck::report
