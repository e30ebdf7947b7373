// A laboratory for tests: runs scenarios against one implementation in this process, keeps the ledger and
// judges it, as a runner does, without a campaign around it.
#pragma once

#include "harness/abi/registry.hpp"
#include "harness/interpreter/machine.hpp"
#include "harness/scenario/rules.hpp"
#include "harness/scenario/text.hpp"
#include "harness/verdict/oracles.hpp"

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace scopecheck::tests {

/// While it lives an abort() of an implementation ends its run as a fail-stop, as in a runner, and what it
/// says about that goes nowhere.
class CatchFailStops {
 public:
  CatchFailStops() {
    struct sigaction action{};
    action.sa_handler = [](int) { interpreter::Machine::abandon_as_fail_stop(); };
    action.sa_flags = SA_NODEFER;
    ::sigaction(SIGABRT, &action, &before_);
    stderr_ = ::dup(STDERR_FILENO);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDERR_FILENO);
    ::close(nowhere);
  }
  ~CatchFailStops() {
    ::dup2(stderr_, STDERR_FILENO);
    ::close(stderr_);
    ::sigaction(SIGABRT, &before_, nullptr);
  }
  CatchFailStops(const CatchFailStops&) = delete;
  CatchFailStops& operator=(const CatchFailStops&) = delete;

 private:
  struct sigaction before_{};
  int stderr_ = -1;
};

inline const scopecheck_plugin& registered_plugin(std::string_view name) {
  const scopecheck_plugin* const plugin = abi::find_registered(name);
  if (plugin == nullptr) throw std::invalid_argument("no implementation is called " + std::string(name));
  return *plugin;
}

inline scenario::Scenario scenario_of(std::string_view text) {
  const auto parsed = scenario::parse(text);
  if (!parsed) throw std::invalid_argument(parsed.error().message + " in: " + std::string(text));
  return parsed->scenario;
}

/// One implementation and everything that its runs need.
class Lab {
 public:
  explicit Lab(const scopecheck_plugin& plugin, scenario::Discipline discipline = scenario::Discipline::safe,
               std::uint32_t flavour = 0)
      : plugin_(plugin),
        flavour_(flavour),
        offers_(interpreter::offers_of({&plugin_, flavour}, discipline)),
        machine_({&plugin_, flavour_}, offers_, ledger_) {}
  explicit Lab(std::string_view name, scenario::Discipline discipline = scenario::Discipline::safe)
      : Lab(registered_plugin(name), discipline) {}
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  /// Runs and judges. Errors: throws for a text that is not a well-formed scenario here.
  interpreter::Outcome run(std::string_view text, bool real_access = false) {
    const scenario::Scenario program = scenario_of(text);
    if (const auto formed = scenario::check(program, offers_); !formed)
      throw std::invalid_argument(formed.error().message + " in: " + std::string(text));
    return run(program, real_access);
  }
  interpreter::Outcome run(const scenario::Scenario& program, bool real_access = false) {
    return run(program, interpreter::RunOptions{.real_access = real_access});
  }
  interpreter::Outcome run(const scenario::Scenario& program, const interpreter::RunOptions& options) {
    program_ = program;
    const interpreter::Outcome outcome = machine_.run(program_, options);
    verdict::judge(evidence(), findings_);
    return outcome;
  }

  [[nodiscard]] const scenario::Offers& offers() const { return offers_; }
  [[nodiscard]] const scopecheck_plugin& plugin() const { return plugin_; }
  [[nodiscard]] const ledger::Ledger& ledger() const { return ledger_; }
  [[nodiscard]] const interpreter::Machine& machine() const { return machine_; }
  [[nodiscard]] interpreter::Machine& machine() { return machine_; }
  [[nodiscard]] const verdict::Findings& findings() const { return findings_; }
  [[nodiscard]] verdict::Evidence evidence() const {
    const auto promises = [&](std::uint32_t bit) { return (plugin_.promises & bit) != 0; };
    return {program_,
            ledger_.events(),
            ledger_.alarms(),
            {.join_waits = promises(SCOPECHECK_PROMISE_JOIN_WAITS),
             .join_rethrows = promises(SCOPECHECK_PROMISE_JOIN_RETHROWS),
             .wakes = promises(SCOPECHECK_PROMISE_WAKES)}};
  }

  /// The ledger of the last run, as a value.
  [[nodiscard]] std::vector<ledger::Event> events() const {
    return {ledger_.events().begin(), ledger_.events().end()};
  }
  [[nodiscard]] std::vector<ledger::Event> events(ledger::EventKind kind) const {
    std::vector<ledger::Event> result;
    std::ranges::copy_if(ledger_.events(), std::back_inserter(result),
                         [&](const ledger::Event& event) { return event.kind == kind; });
    return result;
  }
  [[nodiscard]] std::size_t count(ledger::EventKind kind) const { return events(kind).size(); }
  /// Position in the ledger of the first event of this kind about `subject`; size() when there is none.
  [[nodiscard]] std::size_t at(ledger::EventKind kind, std::uint8_t subject) const {
    const auto all = ledger_.events();
    return static_cast<std::size_t>(
        std::ranges::find_if(
            all, [&](const ledger::Event& event) { return event.kind == kind && event.subject == subject; }) -
        all.begin());
  }
  [[nodiscard]] bool happened(ledger::EventKind kind, std::uint8_t subject) const {
    return at(kind, subject) < ledger_.events().size();
  }
  /// The subjects of all events of this kind, in order.
  [[nodiscard]] std::vector<int> subjects(ledger::EventKind kind) const {
    std::vector<int> result;
    for (const ledger::Event& event : events(kind)) result.push_back(event.subject);
    return result;
  }
  /// Signatures of the findings, sorted.
  [[nodiscard]] std::vector<std::string> signatures() const {
    std::vector<std::string> result;
    for (const verdict::Finding& finding : findings_) result.push_back(to_string(finding.signature));
    std::ranges::sort(result);
    return result;
  }

 private:
  scopecheck_plugin plugin_;
  std::uint32_t flavour_;
  scenario::Offers offers_;
  ledger::Ledger ledger_;
  scenario::Scenario program_;
  verdict::Findings findings_;
  interpreter::Machine machine_;
};

/// Names of all registered implementations, canaries included or alone.
inline std::vector<std::string> implementation_names(bool canaries, bool designs = true) {
  std::vector<std::string> names;
  for (const scopecheck_plugin* plugin : abi::registered())
    if (plugin->hidden != 0 ? canaries : designs) names.emplace_back(plugin->name);
  return names;
}

/// Those whose runs can all be left again: a hang or a fail-stop among threads ends the process, see
/// threads_test.
inline bool can_be_left(const scopecheck_plugin& plugin) {
  return plugin.child_kind == SCOPECHECK_CHILD_SUSPENDS;
}
inline std::vector<std::string> names_that_can_be_left(bool canaries) {
  std::vector<std::string> names = implementation_names(canaries);
  std::erase_if(names, [](const std::string& name) { return !can_be_left(registered_plugin(name)); });
  return names;
}

}  // namespace scopecheck::tests
