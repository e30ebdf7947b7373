// The text form of scenarios (`.scn`): one op a line, blocks in braces, the outermost frame implicit.
//
//   # impl: stacked_in_scope        <- `# key: value` before the first op is the file's header; several pairs
//                                      on a line are separated by `;`
//   cell x
//   spawn t0 borrow mut x {
//     write x
//   } as h0 boxed
//   forget h0
//
// Several ops may share a line, separated by `;`. Canonical names follow the order of declaration (cells x y
// z ..., t0, s0, h0, j0, b0); the parser accepts any names, `leak` for `forget`, and `touch read|write c` for
// `read|write c`.
#pragma once

#include "harness/scenario/rules.hpp"
#include "harness/scenario/scenario.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scopecheck::scenario {

/// The one word for an op where no operands stand: in signatures and as a key of the JSON's `reach`. "throw",
/// "join-as". Not its first word in the text form: two ops begin with "join" and two with "move".
[[nodiscard]] std::string name(OpKind kind);

/// Names of the things of one scenario: canonical ones, or those that its author gave.
class Names {
 public:
  explicit Names(const Scenario& scenario);
  /// The author's names, by index; what has none keeps its canonical one.
  Names(const Scenario& scenario, std::vector<std::string> cells, std::vector<std::string> tasks,
        std::vector<std::string> values);
  [[nodiscard]] std::string cell(std::uint8_t index) const;
  [[nodiscard]] std::string task(std::uint8_t index) const;
  [[nodiscard]] std::string value(std::uint8_t index) const;
  [[nodiscard]] ValueKind kind(std::uint8_t value) const { return kinds_[value]; }
  /// The value that holds `task`'s handle, or `none`.
  [[nodiscard]] std::uint8_t handle_of(std::uint8_t task) const { return handles_[task]; }

 private:
  std::array<ValueKind, max_values> kinds_{};
  std::array<std::uint8_t, max_values> ordinals_{};
  std::array<std::uint8_t, max_tasks> handles_{};
  std::vector<std::string> cells_, tasks_, values_;  // the author's
};

/// How a scenario is written: its names, and the line of each op.
struct Wording {
  Names names;
  std::vector<std::uint32_t> lines;

  /// As its canonical text has it.
  explicit Wording(const Scenario& scenario);
  Wording(Names given, std::vector<std::uint32_t> at) : names(std::move(given)), lines(std::move(at)) {}
  /// Requires: op is one of the scenario's.
  [[nodiscard]] std::uint32_t line(std::size_t op) const { return lines[op]; }
};

/// One op as its line of text, without indentation. An `end` prints what its opener asks for.
[[nodiscard]] std::string line_of(const Scenario& scenario, std::size_t at, const Names& names);

/// The canonical text. Ends with a newline unless empty.
[[nodiscard]] std::string to_text(const Scenario& scenario);

/// A parsed file: the scenario, where each op stood, and the header's `# key: value` pairs.
struct Parsed {
  Scenario scenario;
  std::vector<std::uint32_t> lines;
  std::vector<std::pair<std::string, std::string>> header;
  std::vector<std::string> cells, tasks, values;  ///< their names, by index

  /// As the file has it.
  [[nodiscard]] Wording wording() const { return {Names(scenario, cells, tasks, values), lines}; }

  /// The header's value for `key`, or "".
  [[nodiscard]] std::string_view get(std::string_view key) const;
};

/// What is wrong with a text, for people: line (1-based) and a sentence, with a suggestion if there is one.
struct TextError {
  std::uint32_t line;
  std::string message;
};

/// Parses a `.scn` text: syntax, names and capacity only; well-formedness is the business of `check`.
[[nodiscard]] std::expected<Parsed, TextError> parse(std::string_view text);

/// The candidate nearest to `word` by edit distance, or "" when none is near enough to suggest.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace scopecheck::scenario
