#include "harness/report/lifeline.hpp"

#include "harness/report/explain.hpp"
#include "harness/report/timeline.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace scopecheck::report {

using scenario::none;

namespace {

/// How the first, middle and last row of a bar look.
struct BarGlyphs {
  std::string_view first, middle, last, only;
};
struct Glyphs {
  BarGlyphs memory, mut, shared;
  std::string_view alive, spawned, ran, over, wrong, lent_to, because, points_at;
};
constexpr Glyphs unicode_glyphs = {.memory = {"╻", "┃", "╹", "╏"},
                                   .mut = {"╥", "║", "╨", "╫"},
                                   .shared = {"┬", "│", "┴", "┼"},
                                   .alive = "┊",
                                   .spawned = "○",
                                   .ran = "●",
                                   .over = "■",
                                   .wrong = "✗",
                                   .lent_to = "→",
                                   .because = "↳ ",
                                   .points_at = "← "};
constexpr Glyphs ascii_glyphs = {.memory = {".", "|", "'", "|"},
                                 .mut = {"+", "M", "-", "M"},
                                 .shared = {"+", "S", "-", "S"},
                                 .alive = ":",
                                 .spawned = "o",
                                 .ran = "*",
                                 .over = "#",
                                 .wrong = "X",
                                 .lent_to = ">",
                                 .because = "-> ",
                                 .points_at = "<- "};

/// A memory bar with the loans of it beside it: "x→t0,t1" above "┃ ╥  ╥".
struct Lane {
  const Bar* memory;
  std::vector<const Bar*> loans;
  bool essential = false;  ///< the finding is about it
};
struct Column {
  const Bar* task;
  std::size_t width;
  bool essential;
};

class Picture {
 public:
  Picture(const Timeline& line, const verdict::Finding* finding, const Style& style)
      : line_(line),
        finding_(finding),
        style_(style),
        glyphs_(style.unicode ? unicode_glyphs : ascii_glyphs) {
    style_.width = std::max(style_.width, min_width);
    for (const Row& row : line_.rows) {
      number_width_ = std::max(number_width_, fmt::formatted_size("{}", row.line));
      client_width_ = std::max(client_width_, display_width(client_text(row)));
    }
    make_lanes();
    for (const Bar& task : line_.tasks) {
      std::size_t width = task.name.size();
      for (const Act& act : line_.acts)
        if (act.task == task.borrower) width = std::max(width, 2 + display_width(act.text));
      columns_.push_back({&task, width, finding_ != nullptr && finding_->task == task.borrower});
    }
    make_room();
  }

  std::string draw() const {
    std::string out = header();
    for (std::size_t row = 0; row < line_.rows.size(); ++row) out += draw_row(row);
    out += key();
    return out;
  }

 private:
  // ---- what there is to draw ----------------------------------------------------------------------

  std::string client_text(const Row& row) const {
    std::string text(2 * row.depth, ' ');
    if (row.consequence) text += glyphs_.because;
    return text + row.text;
  }

  void make_lanes() {
    for (const Bar& memory : line_.memory) {
      Lane lane{.memory = &memory, .loans = {}, .essential = false};
      if (memory.cell != none)
        for (const Bar& loan : line_.loans)
          if (loan.cell == memory.cell) lane.loans.push_back(&loan);
      if (finding_ != nullptr)
        lane.essential = finding_->cell != none ? memory.cell == finding_->cell
                                                : memory.carrier != none && memory.carrier == finding_->value;
      lanes_.push_back(std::move(lane));
    }
  }

  // ---- making it fit ------------------------------------------------------------------------------

  std::size_t lane_width(const Lane& lane) const {
    std::size_t width = lane.memory->name.size();
    if (!lane.loans.empty()) width += display_width(glyphs_.lent_to);
    for (const Bar* loan : lane.loans) width += loan->name.size() + 1;
    return lane.loans.empty() ? width : width - 1;
  }
  std::size_t total_width() const {
    std::size_t width = number_width_ + 2 + client_width_;
    for (const Lane& lane : lanes_) width += 2 + lane_width(lane);
    for (const Column& column : columns_) width += 2 + column.width;
    return width;
  }
  void cap_columns(std::size_t essential, std::size_t others) {
    for (Column& column : columns_)
      column.width = std::min(column.width, column.essential ? essential : others);
  }
  /// Takes away what matters least, until the picture fits. What is left out is named below it.
  void make_room() {
    const auto fits = [&] { return total_width() <= style_.width; };
    const auto cap_client = [&](std::size_t width) { client_width_ = std::min(client_width_, width); };
    if (!fits()) cap_client(48);
    if (!fits()) cap_columns(20, 16);
    if (!fits()) cap_client(36);
    if (!fits()) cap_columns(16, 10);
    if (!fits()) drop_lanes([](const Lane& lane) { return lane.memory->frame; });
    if (!fits()) cap_client(28);
    while (!fits() && drop_last_lane()) {
    }
    if (!fits()) drop_foreign_loans();
    if (!fits()) cap_columns(14, 6);
    if (!fits()) cap_columns(12, 2);
    if (!fits()) cap_client(22);
    while (!fits() && drop_last_column()) {
    }
    if (!fits()) cap_client(16);
  }
  void drop_lanes(auto&& which) {
    for (const Lane& lane : lanes_)
      if (which(lane)) left_out_.push_back(lane.memory->name);
    std::erase_if(lanes_, which);
  }
  bool drop_last_lane() {
    for (std::size_t i = lanes_.size(); i-- > 1;) {
      if (lanes_[i].essential) continue;
      left_out_.push_back(lanes_[i].memory->name);
      lanes_.erase(lanes_.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    }
    if (lanes_.size() == 2 && !lanes_[0].essential) {
      left_out_.push_back(lanes_[0].memory->name);
      lanes_.erase(lanes_.begin());
      return true;
    }
    return false;
  }
  void drop_foreign_loans() {
    for (Lane& lane : lanes_) {
      std::vector<const Bar*> kept;
      for (const Bar* loan : lane.loans) {
        const bool keep = finding_ != nullptr && finding_->task != none ? loan->borrower == finding_->task
                                                                        : kept.size() < 2;
        if (keep)
          kept.push_back(loan);
        else
          left_out_.push_back(fmt::format("{}'s loan of {}", loan->name, lane.memory->name));
      }
      lane.loans = std::move(kept);
    }
  }
  bool drop_last_column() {
    for (std::size_t i = columns_.size(); i-- > 0;) {
      if (columns_[i].essential || columns_.size() == 1) continue;
      left_out_.push_back(columns_[i].task->name);
      columns_.erase(columns_.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    }
    return false;
  }

  // ---- drawing ------------------------------------------------------------------------------------

  static std::string finish(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
  }

  std::string header() const {
    std::string line = std::string(number_width_ + 2, ' ') + pad("client", client_width_, style_);
    for (const Lane& lane : lanes_) {
      line += "  " + lane.memory->name;
      std::string_view before = glyphs_.lent_to;
      for (const Bar* loan : lane.loans) {
        line.append(before).append(loan->name);
        before = ",";
      }
    }
    for (const Column& column : columns_) line += "  " + pad(column.task->name, column.width, style_);
    std::string line_end = finish(std::move(line));
    line_end.pop_back();
    return paint(line_end, Tone::dim, style_) + "\n";
  }

  /// A glyph of a bar, a space where the bar is not.
  static std::string_view glyph(const Bar& bar, const BarGlyphs& look, std::size_t row) {
    if (row < bar.first || (bar.last && row > *bar.last)) return " ";
    if (bar.last && *bar.last == row) return bar.first == row ? look.only : look.last;
    return bar.first == row ? look.first : look.middle;
  }

  /// The late use, in the lane of the memory that is gone (or that somebody else has).
  bool late_in(const Lane& lane, std::size_t row) const {
    return lane.essential && line_.late_row == row && glyph(*lane.memory, glyphs_.memory, row) == " ";
  }

  std::string draw_lane(const Lane& lane, std::size_t row) const {
    std::string text = late_in(lane, row)
                           ? paint(glyphs_.wrong, Tone::bad, style_)
                           : paint(glyph(*lane.memory, glyphs_.memory, row), Tone::memory, style_);
    text.append(lane.memory->name.size() - 1, ' ');
    if (!lane.loans.empty()) text.append(display_width(glyphs_.lent_to), ' ');
    for (const Bar* loan : lane.loans) {
      if (loan != lane.loans.front()) text += ' ';
      text += paint(glyph(*loan, loan->mut ? glyphs_.mut : glyphs_.shared, row), Tone::loan, style_);
      text.append(loan->name.size() - 1, ' ');
    }
    return text;
  }

  const Act* act_of(std::uint8_t task, std::size_t row) const {
    const Act* found = nullptr;
    for (const Act& act : line_.acts)
      if (act.row == row && act.task == task && (found == nullptr || act.tone != ActTone::spawned))
        found = &act;
    return found;
  }

  std::string draw_task(const Column& column, std::size_t row) const {
    const Bar& bar = *column.task;
    if (const Act* act = act_of(bar.borrower, row); act != nullptr) {
      const std::string_view sign = act->tone == ActTone::wrong     ? glyphs_.wrong
                                    : act->tone == ActTone::spawned ? glyphs_.spawned
                                    : act->tone == ActTone::ended   ? glyphs_.over
                                                                    : glyphs_.ran;
      const Tone tone = act->tone == ActTone::wrong ? Tone::bad : Tone::good;
      return paint(pad(fmt::format("{} {}", sign, act->text), column.width, style_), tone, style_);
    }
    const bool alive = row >= bar.first && (!bar.last || row <= *bar.last);
    return pad(alive ? glyphs_.alive : " ", column.width, style_);
  }

  std::string draw_row(std::size_t at) const {
    const Row& row = line_.rows[at];
    std::string text =
        row.line == 0 ? std::string(number_width_, ' ') : fmt::format("{:>{}}", row.line, number_width_);
    text = paint(text, Tone::dim, style_) + "  ";
    const bool aside = row.quiet || row.line == 0;
    text += paint(pad(client_text(row), client_width_, style_), aside ? Tone::dim : Tone::plain, style_);
    for (const Lane& lane : lanes_) text += "  " + draw_lane(lane, at);
    for (const Column& column : columns_) text += "  " + draw_task(column, at);
    if (line_.late_row == at) return finish(with_kind(std::move(text)));
    return finish(std::move(text));
  }

  /// Adds "← use-after-scope" behind the row, or below it where there is no room.
  std::string with_kind(std::string text) const {
    if (finding_ == nullptr) return text;
    std::size_t used = total_width();
    if (!style_.colour) {  // trailing blanks are room
      text.erase(text.find_last_not_of(' ') + 1);
      used = display_width(text);
    }
    const std::string kind = fmt::format("{}{}", glyphs_.points_at, verdict::info(finding_->kind()).text);
    const std::string painted = paint(kind, Tone::bad, style_);
    if (used + 2 + display_width(kind) <= style_.width) return text + "  " + painted;
    text = finish(std::move(text));
    const std::size_t indent = style_.width - std::min(style_.width, display_width(kind));
    return text + std::string(indent, ' ') + painted;
  }

  /// The glyphs that occur, explained in one line; then what found no room.
  std::string key() const {
    std::vector<std::string> parts;
    if (!lanes_.empty()) parts.push_back(fmt::format("{} memory", glyphs_.memory.middle));
    const auto loan = [&](bool mut) {
      return std::ranges::any_of(lanes_, [&](const Lane& lane) {
        return std::ranges::any_of(lane.loans, [&](const Bar* bar) { return bar->mut == mut; });
      });
    };
    if (loan(true)) parts.push_back(fmt::format("{} mutable loan", glyphs_.mut.middle));
    if (loan(false)) parts.push_back(fmt::format("{} shared loan", glyphs_.shared.middle));
    if (!columns_.empty()) parts.push_back(fmt::format("{} child alive", glyphs_.alive));
    if (line_.late_row) parts.push_back(fmt::format("{} too late", glyphs_.wrong));
    const std::string margin(number_width_ + 2, ' ');
    std::string text =
        margin +
        paint(fit(fmt::format("{}", fmt::join(parts, "   ")), style_.width - margin.size(), style_),
              Tone::dim, style_) +
        "\n";
    if (!left_out_.empty()) {
      const std::string names = fmt::format("not drawn, for want of room: {}", fmt::join(left_out_, ", "));
      for (const std::string& words : wrap(names, style_.width - margin.size()))
        text += margin + words + "\n";
    }
    return text;
  }

  const Timeline& line_;
  const verdict::Finding* finding_;
  Style style_;
  const Glyphs& glyphs_;
  std::vector<Lane> lanes_;
  std::vector<Column> columns_;
  std::vector<std::string> left_out_;
  std::size_t number_width_ = 2;
  std::size_t client_width_ = 6;
};

}  // namespace

std::string lifeline(const scenario::Scenario& scenario, std::span<const ledger::Event> events,
                     const verdict::Finding* finding_or_null, const Style& style,
                     const scenario::Wording& wording) {
  const Timeline line = timeline(scenario, events, finding_or_null, wording);
  if (line.rows.empty()) return "";
  std::string text = Picture(line, finding_or_null, style).draw();
  if (finding_or_null == nullptr) return text;
  const std::size_t width = std::max(style.width, min_width);
  for (const std::string& words : wrap(explain(scenario, events, *finding_or_null, wording), width - 4))
    text += "    " + words + "\n";
  return text;
}

std::string lifeline(const scenario::Scenario& scenario, std::span<const ledger::Event> events,
                     const verdict::Finding* finding_or_null, const Style& style) {
  return lifeline(scenario, events, finding_or_null, style, scenario::Wording(scenario));
}

}  // namespace scopecheck::report
