#include "harness/abi/registry.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/select.hpp"
#include "harness/interpreter/implementation.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <string>
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

/// "spawn t [in s] [borrow shared|mut x]... {": the op with its operands, in names that stand for any.
std::string form_of(const scenario::OpInfo& op) {
  using scenario::Operand;
  const auto with = [&](std::string_view operands) { return fmt::format("{} {}", op.text, operands); };
  switch (op.operand) {
    case Operand::new_cell:
    case Operand::cell:
      return with("x");
    case Operand::value:
      if (op.id == "join_as") return with("s as j [boxed]");
      return op.id == "move_out" ? "move v out" : with("v");
    case Operand::task:
      return with("t");
    case Operand::count:
      return with("n");
    case Operand::vector:
      return with("v [cycle/in-place]");
    case Operand::spawn:
      return with("t [in s] [borrow shared/mut x]... {");
    case Operand::new_scope:
      return with(op.opens ? "s {" : "s [boxed]");
    case Operand::new_block:
      return with("b [boxed] {");
    case Operand::none:
      break;
  }
  return std::string(op.text) + (op.opens ? " {" : "");
}

std::vector<std::string_view> operations(const scopecheck_plugin& p) {
  const scenario::Offers o = interpreter::offers_of({&p, 0}, scenario::Discipline::safe);
  std::vector<std::string_view> ops;
  const auto add = [&](bool offered, std::string_view name) {
    if (offered) ops.push_back(name);
  };
  add(o.scope, "scope");
  add(o.scope_enter, "enter");
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
  add(o.stack, "async blocks on suspendable stacks");
  add(o.run, "run the runtime");
  return ops;
}

std::vector<std::string_view> progress_by(const scopecheck_plugin& p) {
  constexpr std::array words = {std::pair{SCOPECHECK_PROGRESS_THREADS, "threads of its own"},
                                std::pair{SCOPECHECK_PROGRESS_RUN, "run"},
                                std::pair{SCOPECHECK_PROGRESS_DRIVE, "polling the scope"},
                                std::pair{SCOPECHECK_PROGRESS_POLL, "polling the handle"},
                                std::pair{SCOPECHECK_PROGRESS_JOIN, "a blocking join"}};
  std::vector<std::string_view> result;
  for (const auto& [bit, word] : words)
    for (std::uint32_t flavour = 0; flavour < p.flavour_count; ++flavour)
      if ((interpreter::progress_of({&p, flavour}) & bit) != 0) {
        result.emplace_back(word);
        break;
      }
  return result;
}

/// The flavours whose children run on threads of their own.
std::vector<std::string_view> threaded_flavours(const scopecheck_plugin& p) {
  std::vector<std::string_view> result;
  for (std::uint32_t flavour = 0; flavour < p.flavour_count; ++flavour)
    if ((interpreter::progress_of({&p, flavour}) & SCOPECHECK_PROGRESS_THREADS) != 0)
      result.emplace_back(p.flavours[flavour].name);
  return result;
}

/// Per flavour and discipline, where clients can do something else under it than under `safe`.
nlohmann::ordered_json expected(const scopecheck_plugin& p) {
  constexpr auto& words = scenario::discipline_names;
  nlohmann::ordered_json result;
  for (std::uint32_t flavour = 0; flavour < p.flavour_count; ++flavour) {
    const scenario::Offers safe = interpreter::offers_of({&p, flavour}, scenario::Discipline::safe);
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto discipline = static_cast<scenario::Discipline>(i);
      if (i != 0 && interpreter::offers_of({&p, flavour}, discipline) == safe) continue;
      result[p.flavours[flavour].name][words[i]] =
          interpreter::expects_unsound(p, flavour, discipline) ? "unsound" : "not-refuted";
    }
  }
  return result;
}

}  // namespace

int list_ops() {
  fmt::print(
      "# The ops\n\nWhat a scenario (`.scn`) is written in: one op a line, or several on one, separated by "
      "`;`. Made by "
      "`scopecheck list --ops`\nfrom `harness/scenario/ops.def`; who may use which op where stands in "
      "[client-rules.md](client-rules.md).\n\n| op | counted | |\n|---|---|---|\n");
  for (const scenario::OpInfo& op : scenario::op_table)
    fmt::print("| `{}` | {} | {} |\n", form_of(op), op.cost != 0 ? "yes" : "", op.doc);
  fmt::print(
      "\n*Counted*: by `--ops`. `forget` can be written `leak`, `read x` and `write x` also `touch read x` "
      "and "
      "`touch write x`.\nA `spawn` is closed by `}}`, by `}} as h` or `}} as h boxed` where the API gives a "
      "handle, by "
      "`}} await` where it is awaited\non the spot.\n");
  return exit_ok;
}

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
    entry["threaded_flavours"] = threaded_flavours(*p);
    entry["version"] = p->version;
    entry["build"] = p->build;
    entry["operations"] = operations(*p);
    entry["progress"] = progress_by(*p);
    entry["client_ops"] = nlohmann::ordered_json::array();
    for (const ClientOp& op : client_ops)
      if ((p->client_ops & op.bit) != 0)
        entry["client_ops"].push_back({{"op", op.name}, {"source", source_of(*p, op.bit)}});
    entry["expected"] = expected(*p);
    array.push_back(entry);
    if (json) continue;
    fmt::print("{}\n  {}\n", p->name, p->summary);
    fmt::print("  shape {}; loans carried by {}; flavours: {}\n", shape_of(*p), carriers[p->carrier],
               fmt::join(entry["flavours"].get<std::vector<std::string>>(), ", "));
    fmt::print("  children make progress by: {}\n", fmt::join(progress_by(*p), ", "));
    fmt::print("  offers: {}\n  safe clients can also:\n", fmt::join(operations(*p), ", "));
    for (const ClientOp& op : client_ops)
      if ((p->client_ops & op.bit) != 0) fmt::print("    {:<20} {}\n", op.name, source_of(*p, op.bit));
    fmt::print("\n");
  }
  if (json) fmt::print("{}\n", array.dump(2));
  return exit_ok;
}

}  // namespace scopecheck::cli
