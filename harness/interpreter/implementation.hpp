// A plugin table in one of its flavours, checked for contradictions, with what it offers to clients.
#pragma once

#include "harness/abi/plugin.h"
#include "harness/scenario/offers.hpp"

#include <expected>
#include <string>

namespace scopecheck::interpreter {

/// One implementation under test: a table and an index into its flavours.
struct Implementation {
  const scopecheck_plugin* plugin = nullptr;
  std::uint32_t flavour = 0;

  [[nodiscard]] std::string name() const { return plugin->name; }
  [[nodiscard]] std::string flavour_name() const { return plugin->flavours[flavour].name; }
};

/// Checks a table's own consistency: versions, sizes, flags against pointers.
/// Errors: a sentence that says what to change in the plugin.
[[nodiscard]] std::expected<void, std::string> validate(const scopecheck_plugin& plugin);

/// The alphabet that clients of this implementation have under a discipline.
[[nodiscard]] scenario::Offers offers_of(Implementation implementation, scenario::Discipline discipline);

/// Who makes the children of this flavour progress: SCOPECHECK_PROGRESS_* bits.
[[nodiscard]] std::uint32_t progress_of(Implementation implementation);

/// Whether the API declares unsafe what a client needs to spawn at all: nothing is offered under `safe`.
[[nodiscard]] bool spawning_is_unsafe(const scopecheck_plugin& plugin);

/// The verdict that the plugin declares for itself: true = unsound is expected.
[[nodiscard]] bool expects_unsound(const scopecheck_plugin& plugin, std::uint32_t flavour,
                                   scenario::Discipline discipline);

}  // namespace scopecheck::interpreter
