#include "harness/fuzz/differential.hpp"

#include "harness/abi/registry.hpp"
#include "harness/base/assert.hpp"
#include "harness/generator/input.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace scopecheck::fuzz {

namespace {

const scopecheck_plugin& registered(std::string_view name) {
  const scopecheck_plugin* const plugin = abi::find_registered(name);
  SCOPECHECK_ASSERT(plugin != nullptr && interpreter::validate(*plugin).has_value());
  return *plugin;
}

}  // namespace

View::View(std::string_view implementation)
    : implementation_{&registered(implementation), 0},
      offers_(interpreter::offers_of(implementation_, scenario::Discipline::safe)),
      ledger_(std::make_unique<ledger::Ledger>()),
      machine_(implementation_, offers_, *ledger_) {}

std::optional<std::string> View::of(const scenario::Scenario& scenario) {
  using ledger::EventKind;
  if (machine_.run(scenario, {}) != interpreter::Outcome::clean || ledger_->alarms() != 0)
    return std::nullopt;
  std::string view;
  for (const ledger::Event& event : ledger_->events()) {
    if (event.actor != ledger::client_actor && event.kind != EventKind::refused) continue;
    switch (event.kind) {
      case EventKind::polled:
      case EventKind::joined:
      case EventKind::refused:
      case EventKind::client_threw:
      case EventKind::caught:
        view += fmt::format("op {}: {} {} {}\n", event.op, ledger::info(event.kind).id, event.subject,
                            event.detail);
        break;
      default:
        break;
    }
  }
  return view;
}

void check_same_view(View& one, View& other, std::span<const std::uint8_t> bytes) {
  const scenario::Scenario scenario = generator::read_input(bytes, one.offers(), generator::input_bounds());
  if (!scenario::check(scenario, other.offers())) return;
  const auto first = one.of(scenario);
  if (!first) return;
  const auto second = other.of(scenario);
  if (!second || *first == *second) return;
  fmt::print(stderr, "scopecheck: two implementations of one promise differ:\n{}--\n{}--\n{}",
             to_text(scenario), *first, *second);
  std::fflush(stderr);
  SCOPECHECK_ASSERT(*first == *second);
}

}  // namespace scopecheck::fuzz
