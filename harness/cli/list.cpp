#include "harness/abi/registry.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/select.hpp"
#include "harness/interpreter/implementation.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <string_view>

namespace scopecheck::cli {
namespace {

constexpr std::array<std::string_view, 7> shapes = {"?",         "guard",         "handle",      "closure",
                                                    "awaitable", "parent-driven", "process-wide"};
constexpr std::array<std::string_view, 3> carriers = {"nobody", "the scope", "the handle"};

std::string_view shape_of(const scopecheck_plugin& p) {
  return shapes[p.shape < shapes.size() ? p.shape : 0];
}

struct ClientOp {
  std::uint64_t bit;
  std::string_view name;
};
constexpr std::array client_ops = {
    ClientOp{SCOPECHECK_CLIENT_FORGET, "forget"},
    ClientOp{SCOPECHECK_CLIENT_BOX, "box"},
    ClientOp{SCOPECHECK_CLIENT_MOVE, "move"},
    ClientOp{SCOPECHECK_CLIENT_SPAWN_NESTED, "spawn from a child"},
    ClientOp{SCOPECHECK_CLIENT_INSIDE, "inside"},
    ClientOp{SCOPECHECK_CLIENT_ASYNC, "async"},
    ClientOp{SCOPECHECK_CLIENT_KEEP_WAKER, "keep waker"},
    ClientOp{SCOPECHECK_CLIENT_THROW, "throw"},
    ClientOp{SCOPECHECK_CLIENT_SHUTDOWN, "shutdown"},
    ClientOp{SCOPECHECK_CLIENT_FORGET_IN_PLACE, "forget in place"},
    ClientOp{SCOPECHECK_CLIENT_OTHER_THREAD, "spawn from another thread"},
};

std::string_view source_of(const scopecheck_plugin& p, std::uint64_t bit) {
  for (std::uint32_t i = 0; i < p.evidence_count; ++i)
    if ((p.evidence[i].client_op & bit) != 0) return p.evidence[i].source;
  return "";
}

std::vector<std::string_view> operations(const scopecheck_plugin& p) {
  const scenario::Offers o = interpreter::offers_of(p, scenario::Discipline::safe);
  std::vector<std::string_view> ops;
  const auto add = [&](bool offered, std::string_view name) {
    if (offered) ops.push_back(name);
  };
  add(o.scope, "scope");
  add(!o.spawn_awaited, "spawn");
  add(o.spawn_awaited, "spawn with its await attached");
  add(o.reserve, "reserve, start");
  add(o.scope_poll, "poll a scope");
  add(o.handle_poll, "poll and await a handle");
  add(o.scope_join || o.handle_join, "join, blocking");
  add(o.scope_join_as, "join, awaitable");
  add(o.scope_cancel || o.handle_cancel, "cancel");
  add(o.handle_detach, "detach");
  add(o.scope_close, "close");
  add(o.run, "run the runtime");
  return ops;
}

}  // namespace

int list(bool json) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const scopecheck_plugin* p : abi::registered()) {
    if (p->hidden != 0) continue;
    if (const auto valid = interpreter::validate(*p); !valid) {
      complain(valid.error());
      return exit_usage;
    }
    nlohmann::ordered_json entry;
    entry["name"] = p->name;
    entry["summary"] = p->summary;
    entry["shape"] = shape_of(*p);
    entry["carrier"] = carriers[p->carrier];
    entry["flavours"] = nlohmann::ordered_json::array();
    for (std::uint32_t i = 0; i < p->flavour_count; ++i) entry["flavours"].push_back(p->flavours[i].name);
    entry["version"] = p->version;
    entry["build"] = p->build;
    entry["operations"] = operations(*p);
    entry["client_ops"] = nlohmann::ordered_json::array();
    for (const ClientOp& op : client_ops)
      if ((p->client_ops & op.bit) != 0)
        entry["client_ops"].push_back({{"op", op.name}, {"source", source_of(*p, op.bit)}});
    array.push_back(entry);
    if (json) continue;
    fmt::print("{}\n  {}\n", p->name, p->summary);
    fmt::print("  shape {}; loans carried by {}; flavours: {}\n", shape_of(*p), carriers[p->carrier],
               fmt::join(entry["flavours"].get<std::vector<std::string>>(), ", "));
    fmt::print("  offers: {}\n  safe clients can also:\n", fmt::join(operations(*p), ", "));
    for (const ClientOp& op : client_ops)
      if ((p->client_ops & op.bit) != 0) fmt::print("    {:<20} {}\n", op.name, source_of(*p, op.bit));
    fmt::print("\n");
  }
  if (json) fmt::print("{}\n", array.dump(2));
  return exit_ok;
}

}  // namespace scopecheck::cli
