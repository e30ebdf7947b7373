// Two implementations of the same promise must not differ in what their clients see. The body of the fuzz
// target `differential`.
#pragma once

#include "harness/fuzz/scenario_target.hpp"

#include <optional>
#include <string>

namespace scopecheck::fuzz {

/// What a client of `implementation` sees of a run: the answers of its polls and joins, refused spawns,
/// panics that reach it. Nothing when the run did not end as programs do (a hang, a fail-stop), or something
/// was wrong with it.
class View {
 public:
  /// Requires: registered. Errors: ends the process with a sentence when it is not.
  explicit View(std::string_view implementation);
  [[nodiscard]] const scenario::Offers& offers() const { return offers_; }
  [[nodiscard]] std::optional<std::string> of(const scenario::Scenario& scenario);

 private:
  interpreter::Implementation implementation_;
  scenario::Offers offers_;
  std::unique_ptr<ledger::Ledger> ledger_;
  interpreter::Machine machine_;
};

/// Asserts that both views are the same, where the input is a client of both; prints scenario and views
/// otherwise.
void check_same_view(View& one, View& other, std::span<const std::uint8_t> bytes);

}  // namespace scopecheck::fuzz
