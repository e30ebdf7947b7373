#include "harness/scenario/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

namespace scopecheck::scenario {
namespace {

constexpr std::string_view cell_names = "xyzwuvpq";
static_assert(cell_names.size() == max_cells);
constexpr std::array<std::string_view, 4> value_prefix = {"s", "h", "j", "b"};

/// Calls f(value index, kind, task or none) for every value in order of declaration.
template <class F>
void for_each_value(const Scenario& scenario, F&& f) {
  base::StaticVector<std::size_t, max_ops> open;
  for (std::size_t i = 0; i < scenario.ops.size(); ++i) {
    const Op& op = scenario.ops[i];
    if (makes_scope(op.kind)) f(ValueKind::scope, none);
    if (op.kind == OpKind::join_as) f(ValueKind::join, none);
    if (opens(op.kind)) open.push_back(i);
    if (op.kind == OpKind::end && !open.empty()) {
      const Op& opener = scenario.ops[open.back()];
      open.pop_back();
      if (opener.kind == OpKind::async) f(ValueKind::async, none);
      if (makes_task(opener.kind) && opener.value != none) f(ValueKind::handle, opener.subject);
    }
  }
}

}  // namespace

std::string name(OpKind kind) {
  std::string word(info(kind).id);
  if (word.ends_with('_')) word.pop_back();  // C++ has its own throw and catch
  std::ranges::replace(word, '_', '-');
  return word;
}

Names::Names(const Scenario& scenario) {
  handles_.fill(none);
  std::array<std::uint8_t, 4> count{};
  std::size_t next = 0;
  for_each_value(scenario, [&](ValueKind kind, std::uint8_t task) {
    if (next == max_values) return;
    kinds_[next] = kind;
    ordinals_[next] = count[static_cast<std::size_t>(kind)]++;
    if (task != none) handles_[task] = static_cast<std::uint8_t>(next);
    ++next;
  });
}

Names::Names(const Scenario& scenario, std::vector<std::string> cells, std::vector<std::string> tasks,
             std::vector<std::string> values)
    : Names(scenario) {
  cells_ = std::move(cells);
  tasks_ = std::move(tasks);
  values_ = std::move(values);
}

std::string Names::cell(std::uint8_t index) const {
  return index < cells_.size() ? cells_[index] : std::string(1, cell_names[index % max_cells]);
}
std::string Names::task(std::uint8_t index) const {
  return index < tasks_.size() ? tasks_[index] : fmt::format("t{}", index);
}
std::string Names::value(std::uint8_t index) const {
  if (index >= max_values)
    return fmt::format("the await of {}", task(static_cast<std::uint8_t>(index - max_values)));
  if (index < values_.size()) return values_[index];
  return fmt::format("{}{}", value_prefix[static_cast<std::size_t>(kinds_[index])], ordinals_[index]);
}

Wording::Wording(const Scenario& scenario) : names(scenario), lines(scenario.ops.size()) {
  std::iota(lines.begin(), lines.end(), 1u);
}

std::string line_of(const Scenario& scenario, std::size_t at, const Names& names) {
  const Op& op = scenario.ops[at];
  std::string word(info(op.kind).text);
  switch (info(op.kind).operand) {
    case Operand::new_cell:
    case Operand::cell:
      return fmt::format("{} {}", word, names.cell(op.subject));
    case Operand::task:
      return fmt::format("{} {}", word, names.task(op.subject));
    case Operand::count:
      return fmt::format("{} {}", word, op.subject);
    case Operand::new_scope:
    case Operand::new_block:
      return fmt::format("{} {}{}{}", word, names.value(op.value), op.boxed ? " boxed" : "",
                         opens(op.kind) ? " {" : "");
    case Operand::value:
      if (op.kind == OpKind::join_as)
        return fmt::format("join {} as {}{}", names.value(op.subject), names.value(op.value),
                           op.boxed ? " boxed" : "");
      if (op.kind == OpKind::move_out) return fmt::format("move {} out", names.value(op.subject));
      return fmt::format("{} {}", word, names.value(op.subject));
    case Operand::vector: {
      static constexpr std::array<std::string_view, 3> suffix = {"", " cycle", " in-place"};
      return fmt::format("{} {}{}", word, names.value(op.subject), suffix[op.extra]);
    }
    case Operand::spawn: {
      std::string line = fmt::format("{} {}", word, names.task(op.subject));
      if (op.scope != none) line += fmt::format(" in {}", names.value(op.scope));
      for (std::uint8_t cell = 0; cell < max_cells; ++cell) {
        if ((op.mut >> cell & 1) != 0)
          line += fmt::format(" borrow mut {}", names.cell(cell));
        else if ((op.shared >> cell & 1) != 0)
          line += fmt::format(" borrow shared {}", names.cell(cell));
      }
      return line + " {";
    }
    case Operand::none:
      break;
  }
  if (opens(op.kind)) return word + " {";
  if (op.kind != OpKind::end) return word;
  base::StaticVector<std::size_t, max_ops> open;
  for (std::size_t i = 0; i < at; ++i) {
    if (opens(scenario.ops[i].kind)) open.push_back(i);
    if (scenario.ops[i].kind == OpKind::end) open.pop_back();
  }
  const Op& opener = scenario.ops[open.back()];
  if (!makes_task(opener.kind)) return "}";
  if (opener.extra != 0) return "} await";
  if (opener.value == none) return "}";
  return fmt::format("}} as {}{}", names.value(names.handle_of(opener.subject)),
                     opener.boxed ? " boxed" : "");
}

std::string to_text(const Scenario& scenario) {
  const Names names(scenario);
  std::string text;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < scenario.ops.size(); ++i) {
    if (scenario.ops[i].kind == OpKind::end) --depth;
    text.append(2 * depth, ' ');
    text += line_of(scenario, i, names);
    text += '\n';
    if (opens(scenario.ops[i].kind)) ++depth;
  }
  return text;
}

std::string_view Parsed::get(std::string_view key) const {
  for (const auto& [name, value] : header)
    if (name == key) return value;
  return "";
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const std::size_t above = row[j];
        row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1)});
        diagonal = above;
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

// ---- the parser -----------------------------------------------------------------------------------
namespace {

class Parser {
 public:
  std::expected<Parsed, TextError> run(std::string_view text) {
    while (!text.empty() && !error_) {
      const std::size_t eol = std::min(text.find('\n'), text.size());
      ++line_;
      if (line_ > 100'000) fail("the file has too many lines to be a scenario");
      parse_line(text.substr(0, eol));
      text.remove_prefix(std::min(eol + 1, text.size()));
    }
    if (!error_ && !open_.empty())
      fail(fmt::format("block opened in line {} is not closed", open_.back().line));
    if (error_) return std::unexpected(*error_);
    parsed_.cells = by_index(cells_);
    parsed_.tasks = by_index(tasks_);
    parsed_.values = by_index(values_);
    return std::move(parsed_);
  }

 private:
  struct Open {
    std::size_t op;
    std::uint32_t line;
    std::string name;  // of an async block
  };

  static std::vector<std::string> by_index(const std::map<std::string, std::uint8_t>& names) {
    std::vector<std::string> result(names.size());
    for (const auto& [name, index] : names) result[index] = name;
    return result;
  }

  void fail(std::string message) {
    if (!error_) error_ = TextError{line_, std::move(message)};
  }

  void parse_line(std::string_view line) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    tokens_.clear();
    if (const std::size_t hash = line.find('#'); hash != std::string_view::npos) {
      if (parsed_.scenario.ops.empty()) parse_header(line.substr(hash + 1));
      line = line.substr(0, hash);
    }
    std::size_t at = 0;
    while (at < line.size()) {
      if (line[at] == ' ' || line[at] == '\t') {
        ++at;
        continue;
      }
      const std::size_t begin = at;
      constexpr std::string_view separators = " \t{};";
      if (separators.find(line[at]) != std::string_view::npos)
        ++at;
      else
        while (at < line.size() && separators.find(line[at]) == std::string_view::npos) ++at;
      tokens_.push_back(line.substr(begin, at - begin));
    }
    next_ = 0;
    if (!tokens_.empty()) parse_op();
    if (!error_ && next_ < tokens_.size()) fail(fmt::format("unexpected '{}'", shown(tokens_[next_])));
  }

  void parse_header(std::string_view comment) {
    for (std::size_t end = 0; end < comment.size();) {
      const std::size_t begin = end;
      end = std::min(comment.find(';', begin), comment.size());
      parse_pair(comment.substr(begin, end - begin));
      if (end < comment.size()) ++end;
    }
  }

  void parse_pair(std::string_view comment) {
    const std::size_t colon = comment.find(':');
    if (colon == std::string_view::npos) return;
    const auto trim = [](std::string_view s) {
      while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
      while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
      return std::string(s);
    };
    parsed_.header.emplace_back(trim(comment.substr(0, colon)), trim(comment.substr(colon + 1)));
  }

  /// A token as it may be quoted in a message: printable and short.
  static std::string shown(std::string_view token) {
    std::string text;
    for (const char c : token.substr(0, 40)) text += (c >= 0x20 && c < 0x7f) ? c : '?';
    return token.size() > 40 ? text + "..." : text;
  }

  std::string_view peek() const { return next_ < tokens_.size() ? tokens_[next_] : std::string_view(); }
  bool accept(std::string_view word) {
    if (next_ >= tokens_.size() || tokens_[next_] != word) return false;
    ++next_;
    return true;
  }
  std::string_view take(std::string_view what) {
    if (next_ < tokens_.size()) return tokens_[next_++];
    fail(fmt::format("expected {}", what));
    return {};
  }
  void expect(std::string_view word) {
    if (!accept(word))
      fail(peek().empty() ? fmt::format("expected '{}'", word)
                          : fmt::format("expected '{}' before '{}'", word, shown(peek())));
  }

  std::string fresh_name(std::string_view what) {
    const std::string name(take(what));
    if (error_) return name;
    const auto is_name_char = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    if (!std::ranges::all_of(name, is_name_char))
      fail(fmt::format("'{}' is not a name for {}", shown(name), what));
    return name;
  }
  std::uint8_t declare(std::map<std::string, std::uint8_t>& names, std::string_view what, std::size_t limit,
                       const std::string& name) {
    if (error_) return 0;
    if (names.contains(name))
      fail(fmt::format("{} '{}' is declared twice; names are used once in a scenario", what, shown(name)));
    if (names.size() == limit) fail(fmt::format("more than {} {}s", limit, what));
    const auto index = static_cast<std::uint8_t>(names.size());
    names.emplace(name, index);
    return index;
  }
  std::uint8_t lookup(const std::map<std::string, std::uint8_t>& names, std::string_view what) {
    const std::string name(take(what));
    if (error_) return 0;
    if (const auto found = names.find(name); found != names.end()) return found->second;
    std::vector<std::string> known;
    for (const auto& entry : names) known.push_back(entry.first);
    const std::string near = nearest(name, known);
    fail(fmt::format("unknown {} '{}'{}", what, shown(name),
                     near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
    return 0;
  }
  std::uint8_t value() { return lookup(values_, "value"); }
  std::uint8_t cell() { return lookup(cells_, "cell"); }
  std::uint8_t task() { return lookup(tasks_, "task"); }

  void emit(const Op& op) {
    if (error_) return;
    if (parsed_.scenario.ops.size() + 1 >= max_ops)
      return fail(fmt::format("more than {} lines of ops", max_ops - 1));
    parsed_.scenario.ops.push_back(op);
    parsed_.lines.push_back(line_);
  }
  void open(const Op& op, std::string name = {}) {
    expect("{");
    if (error_) return;
    if (open_.size() + 1 >= max_blocks)
      return fail(fmt::format("blocks nest deeper than {}", max_blocks - 1));
    open_.push_back({parsed_.scenario.ops.size(), line_, std::move(name)});
    emit(op);
    if (!peek().empty() && !error_) parse_op();  // `frame { cell x }` on one line
  }

  void parse_op() {
    while (!error_ && next_ < tokens_.size()) {
      if (accept(";")) continue;
      parse_one();
      if (next_ < tokens_.size() && tokens_[next_] != ";" && tokens_[next_] != "}") return;
    }
  }

  void parse_one() {
    const std::string_view word = take("an op");
    if (word == "}") return close();
    if (word == "cell")
      return emit(
          {.kind = OpKind::cell, .subject = declare(cells_, "cell", max_cells, fresh_name("a cell"))});
    if (word == "frame") return open({.kind = OpKind::frame});
    if (word == "inside") return open({.kind = OpKind::inside});
    if (word == "catch") return open({.kind = OpKind::catch_});
    if (word == "scope") {
      const std::uint8_t index = declare(values_, "value", max_values, fresh_name("a scope"));
      return emit({.kind = OpKind::scope, .value = index, .boxed = accept("boxed")});
    }
    if (word == "enter") {
      const std::uint8_t index = declare(values_, "value", max_values, fresh_name("a scope"));
      return open({.kind = OpKind::enter, .value = index});
    }
    if (word == "async") {
      std::string name = fresh_name("an async block");
      const bool boxed = accept("boxed");
      return open({.kind = OpKind::async, .boxed = boxed}, std::move(name));
    }
    if (word == "spawn") return spawn(OpKind::spawn);
    if (word == "reserve") return spawn(OpKind::reserve);
    if (word == "join") {
      const std::uint8_t subject = value();
      if (!accept("as")) return emit({.kind = OpKind::join, .subject = subject});
      const std::uint8_t index = declare(values_, "value", max_values, fresh_name("a join"));
      return emit({.kind = OpKind::join_as, .subject = subject, .value = index, .boxed = accept("boxed")});
    }
    if (word == "move") {
      const std::uint8_t subject = value();
      return emit({.kind = accept("out") ? OpKind::move_out : OpKind::move, .subject = subject});
    }
    if (word == "forget" || word == "leak") {
      const std::uint8_t subject = value();
      LeakVector vector = LeakVector::forget;
      if (accept("cycle")) vector = LeakVector::cycle;
      if (accept("in-place")) vector = LeakVector::in_place;
      return emit({.kind = OpKind::forget, .subject = subject, .extra = static_cast<std::uint8_t>(vector)});
    }
    if (word == "throw") return emit({.kind = accept("bomb") ? OpKind::throw_bomb : OpKind::throw_});
    if (word == "keep") {
      expect("waker");
      return emit({.kind = OpKind::keep_waker});
    }
    if (word == "touch") {
      if (accept("read")) return emit({.kind = OpKind::read, .subject = cell()});
      expect("write");
      return emit({.kind = OpKind::write, .subject = cell()});
    }
    if (word == "touch-on-drop") {
      if (accept("capture")) return emit({.kind = OpKind::capture, .subject = cell()});
      if (accept("result")) return emit({.kind = OpKind::result, .subject = cell()});
      expect("payload");
      return emit({.kind = OpKind::payload, .subject = cell()});
    }
    if (word == "run") return run_count();
    simple(word);
  }

  void run_count() {
    const std::string count(take("a count"));
    if (error_) return;
    if (count.size() > 2 || !std::ranges::all_of(count, [](char c) { return c >= '0' && c <= '9'; }) ||
        std::stoi(count) == 0)
      return fail(fmt::format("'{}' is not a count from 1 to 99", shown(count)));
    emit({.kind = OpKind::run, .subject = static_cast<std::uint8_t>(std::stoi(count))});
  }

  /// Ops of the table that are one word and at most one operand.
  void simple(std::string_view word) {
    for (std::size_t i = 0; i < op_kinds; ++i) {
      const auto kind = static_cast<OpKind>(i);
      if (info(kind).text != word) continue;
      switch (info(kind).operand) {
        case Operand::none:
          return emit({.kind = kind});
        case Operand::value:
          return emit({.kind = kind, .subject = value()});
        case Operand::cell:
          return emit({.kind = kind, .subject = cell()});
        case Operand::task:
          return emit({.kind = kind, .subject = task()});
        default:
          break;
      }
    }
    std::vector<std::string> words{"leak"};
    for (const OpInfo& row : op_table) words.emplace_back(row.text.substr(0, row.text.find(' ')));
    const std::string near = nearest(word, words);
    fail(fmt::format("unknown op '{}'{}", shown(word),
                     near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }

  void spawn(OpKind kind) {
    Op op{.kind = kind, .scope = none, .value = none};
    op.subject = declare(tasks_, "task", max_tasks, fresh_name("a task"));
    if (accept("in")) op.scope = value();
    while (!error_ && accept("borrow")) {
      const bool mut = accept("mut");
      if (!mut) expect("shared");
      const std::uint8_t index = cell();
      if (error_) return;
      const auto bit = static_cast<CellSet>(1u << index);
      if (((op.shared | op.mut) & bit) != 0) return fail("a cell is borrowed twice by one spawn");
      (mut ? op.mut : op.shared) |= bit;
    }
    open(op);
  }

  void close() {
    if (open_.empty()) return fail("'}' without an open block");
    const Open opened = open_.back();
    open_.pop_back();
    Op& opener = parsed_.scenario.ops[opened.op];
    if (makes_task(opener.kind)) {
      if (accept("await")) {
        opener.extra = 1;
      } else if (accept("as")) {
        opener.value = declare(values_, "value", max_values, fresh_name("a handle"));
        opener.boxed = accept("boxed");
      }
    } else if (opener.kind == OpKind::async) {
      opener.value = declare(values_, "value", max_values, opened.name);
    }
    emit({.kind = OpKind::end});
  }

  Parsed parsed_;
  std::optional<TextError> error_;
  std::uint32_t line_ = 0;
  std::vector<std::string_view> tokens_;
  std::size_t next_ = 0;
  std::vector<Open> open_;
  std::map<std::string, std::uint8_t> cells_, values_, tasks_;
};

}  // namespace

std::expected<Parsed, TextError> parse(std::string_view text) { return Parser().run(text); }

}  // namespace scopecheck::scenario
