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

}  // namespace

Registrar::Registrar(const scopecheck_plugin& plugin) {
  const auto by_name = [](const scopecheck_plugin* a, const scopecheck_plugin* b) {
    return std::string_view(a->name) < std::string_view(b->name);
  };
  list().insert(std::upper_bound(list().begin(), list().end(), &plugin, by_name), &plugin);
}

const std::vector<const scopecheck_plugin*>& registered() { return list(); }

std::expected<void, std::string> names_are_unique() {
  const auto same_name = [](const scopecheck_plugin* a, const scopecheck_plugin* b) {
    return std::string_view(a->name) == b->name;
  };
  const auto twice = std::ranges::adjacent_find(list(), same_name);  // the list is sorted
  if (twice == list().end()) return {};
  return std::unexpected("two implementations are called '" + std::string((*twice)->name) + "' (\"" +
                         (*twice)->summary + "\" and \"" + (*std::next(twice))->summary +
                         "\"); give one of them another name");
}

const scopecheck_plugin* find_registered(std::string_view name) {
  const auto found = std::ranges::find_if(list(), [&](const auto* p) { return name == p->name; });
  return found == list().end() ? nullptr : *found;
}

}  // namespace scopecheck::abi
