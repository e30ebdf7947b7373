// The built-in implementations: a list of plugin tables that fills itself before main.
// Every implementation in the tree registers with one line; the harness knows none of them by name.
#pragma once

#include "harness/abi/plugin.h"

#include <string_view>
#include <vector>

namespace scopecheck::abi {

/// Adds a table to the registry. Threads: static initialisation only.
struct Registrar {
  explicit Registrar(const scopecheck_plugin& plugin);
};

/// Every registered table, sorted by name; canaries (`hidden`) included.
[[nodiscard]] const std::vector<const scopecheck_plugin*>& registered();

/// The table of that name, or null.
[[nodiscard]] const scopecheck_plugin* find_registered(std::string_view name);

}  // namespace scopecheck::abi

/// Registers implementation class `I` (see kit.hpp) under its description's name.
#define SCOPECHECK_REGISTER(I) \
  static const ::scopecheck::abi::Registrar registrar_##I { ::scopecheck::kit::table<I>() }
