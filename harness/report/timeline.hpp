// The lives of one run as rows and bars: what a lifeline picture draws, before anyone draws it. Made from
// the ledger alone; the terminal picture and later ones are drawn from the same timeline.
//
//   row    a moment: an op the client reached, an end of its program, or a step of a child below it
//   bar    from a row to a row: memory (cells, nested frames, a value's storage), or a loan of a cell
//   act    what a child did in a row
#pragma once

#include "harness/ledger/ledger.hpp"
#include "harness/scenario/text.hpp"
#include "harness/verdict/finding.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace scopecheck::report {

/// A moment. Rows without a line are ends of the program, consequences of the row above, or steps of
/// children.
struct Row {
  std::size_t line = 0;  ///< in the scenario's text, from 1; 0: none
  std::size_t depth = 0;
  std::string text;
  bool quiet = false;        ///< program text without an effect of its own: the body of a child
  bool consequence = false;  ///< followed from the row above
};

struct Bar {
  std::string name;
  std::size_t first = 0;
  std::optional<std::size_t> last;         ///< the row in which it ended
  std::uint8_t cell = scenario::none;      ///< cells and loans
  std::uint8_t borrower = scenario::none;  ///< loans: the task
  bool mut = false;                        ///< loans
  std::uint8_t carrier = scenario::none;   ///< loans: the value whose end ends it
  std::uint16_t opened_at = 0;             ///< index of the op
  bool frame = false;                      ///< a nested frame
};

enum class ActTone { spawned, ran, ended, wrong };
struct Act {
  std::size_t row = 0;
  std::uint8_t task = scenario::none;  ///< `none`: the client itself
  std::string text;
  ActTone tone = ActTone::ran;
};

struct Timeline {
  std::vector<Row> rows;
  std::vector<Bar> memory;
  std::vector<Bar> loans;
  std::vector<Bar> tasks;  ///< `borrower` is the task
  std::vector<Act> acts;
  /// Where the finding's use is; nothing without a finding.
  std::optional<std::size_t> late_row;
  /// The client's op or moment (see ledger/moments.hpp) during which the last event happened.
  std::size_t last_moment = 0;
};

/// Builds the timeline, up to the finding's use when there is a finding. Tolerates ledgers that end early.
[[nodiscard]] Timeline timeline(const scenario::Scenario& scenario, std::span<const ledger::Event> events,
                                const verdict::Finding* finding, const scenario::Wording& wording);

/// "final settle": a moment after the last op, in words.
[[nodiscard]] std::string moment_in_words(const scenario::Scenario& scenario, std::size_t op);

}  // namespace scopecheck::report
