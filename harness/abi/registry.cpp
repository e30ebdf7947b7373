#include "harness/abi/registry.hpp"

#include "harness/abi/names.hpp"

#include <algorithm>
#include <iterator>

namespace scopecheck::abi {
namespace {

std::vector<const scopecheck_plugin*>& list() {
  static std::vector<const scopecheck_plugin*> plugins;
  return plugins;
}

/// Of a table that nobody has validated yet.
std::string_view name_of(const scopecheck_plugin* plugin) {
  return plugin->name != nullptr ? std::string_view(plugin->name) : std::string_view();
}

}  // namespace

Registrar::Registrar(const scopecheck_plugin& plugin) {
  const auto by_name = [](const scopecheck_plugin* a, const scopecheck_plugin* b) {
    return name_of(a) < name_of(b);
  };
  list().insert(std::upper_bound(list().begin(), list().end(), &plugin, by_name), &plugin);
}

const std::vector<const scopecheck_plugin*>& registered() { return list(); }

std::expected<void, std::string> names_are_unique() {
  const auto same_name = [](const scopecheck_plugin* a, const scopecheck_plugin* b) {
    return name_of(a) == name_of(b);
  };
  const auto twice = std::ranges::adjacent_find(list(), same_name);  // the list is sorted
  if (twice == list().end()) return {};
  const auto summary = [](const scopecheck_plugin* p) {
    return std::string(p->summary != nullptr ? p->summary : "");
  };
  return std::unexpected("two implementations are called '" + std::string(name_of(*twice)) + "' (\"" +
                         summary(*twice) + "\" and \"" + summary(*std::next(twice)) +
                         "\"); give one of them another name");
}

const scopecheck_plugin* find_registered(std::string_view name) {
  const auto found = std::ranges::find_if(list(), [&](const auto* p) { return name == name_of(p); });
  return found == list().end() ? nullptr : *found;
}

}  // namespace scopecheck::abi
