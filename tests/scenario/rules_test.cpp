// The client rules from both sides: for every rule programs that break it first, each beside its nearest
// twin that a borrow checker accepts. A rule without a pair fails the suite.
#include "harness/scenario/rules.hpp"

#include "harness/scenario/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace scopecheck::scenario {
namespace {

/// An API with scopes and polled handles: everything is offered, the scope carries the loans.
Offers everything() {
  return {.scope = true,
          .scope_poll = true,
          .scope_join = true,
          .scope_join_as = true,
          .scope_cancel = true,
          .scope_close = true,
          .scope_mobility = Mobility::until_started,
          .handle = true,
          .handle_poll = true,
          .handle_join = true,
          .handle_cancel = true,
          .handle_detach = true,
          .handle_mobility = Mobility::always,
          .join_mobility = Mobility::until_started,
          .reserve = true,
          .spawn_nested = true,
          .child_scopes = true,
          .keep_waker = true,
          .throws = true,
          .carrier = Carrier::scope,
          .run = true,
          .inside = true,
          .async = true,
          .box = true,
          .move = true,
          .forget = true,
          .forget_in_place = true,
          .shutdown = true};
}

/// The closure shape: a scope lives as long as the block of its `enter`, and belongs to the call.
Offers closure() {
  Offers offers = everything();
  offers.scope = offers.scope_poll = false;
  offers.scope_enter = true;
  offers.scope_mobility = Mobility::never;
  return offers;
}

/// The closure shape where async blocks run on suspendable stacks.
Offers on_stacks() {
  Offers offers = closure();
  offers.stack = true;
  return offers;
}

/// No scopes; the handle embeds the child, is pinned and carries the loans.
Offers embedded() {
  Offers offers = everything();
  offers.scope = offers.scope_poll = offers.scope_join = offers.scope_join_as = false;
  offers.scope_cancel = offers.scope_close = offers.child_scopes = false;
  offers.carrier = Carrier::handle;
  offers.handle_embeds_child = true;
  offers.handle_mobility = Mobility::never;
  return offers;
}

/// No scopes; a movable handle carries the loans.
Offers by_handle() {
  Offers offers = embedded();
  offers.handle_embeds_child = false;
  offers.handle_mobility = Mobility::always;
  return offers;
}

/// No scopes, nothing borrowed: children own what they use.
Offers process_wide() {
  Offers offers = by_handle();
  offers.carrier = Carrier::none;
  return offers;
}

/// The scope only names where children run.
Offers scope_with_lending_handles() {
  Offers offers = everything();
  offers.carrier = Carrier::handle;
  return offers;
}

/// Each spawn is awaited on the spot.
Offers awaited() {
  Offers offers = embedded();
  offers.spawn_awaited = true;
  return offers;
}

Offers without(bool Offers::* member, Offers offers = everything()) {
  offers.*member = false;
  return offers;
}
Offers with(bool Offers::* member, Offers offers = everything()) {
  offers.*member = true;
  return offers;
}

/// Handles are movable until their child is started.
Offers reserved_pinned() {
  Offers offers = everything();
  offers.handle_mobility = Mobility::until_started;
  return offers;
}

/// A program of a table: a text, or something that no text can say.
struct Program {
  Program(const char* source) : text(source) {}                      // NOLINT(google-explicit-constructor)
  Program(Scenario (*builder)()) : text("built"), build(builder) {}  // NOLINT(google-explicit-constructor)
  std::string text;
  Scenario (*build)() = nullptr;

  [[nodiscard]] Parsed parsed() const {
    Parsed parsed;
    if (build != nullptr) {
      parsed.scenario = build();
      for (std::uint32_t line = 1; line <= parsed.scenario.ops.size() + 1; ++line)
        parsed.lines.push_back(line);
      return parsed;
    }
    auto result = parse(text);
    if (!result.has_value()) {
      ADD_FAILURE() << text << "\nline " << result.error().line << ": " << result.error().message;
      return parsed;
    }
    return *result;
  }
};

struct Twin {
  Rule rule;
  Offers offers;
  Program refused;
  Program accepted;
  std::string_view message = {};  ///< exact; empty: any
};

Scenario left_open() {
  Scenario scenario;
  scenario.ops.push_back({.kind = OpKind::frame});
  return scenario;
}
Scenario closed_again() {
  Scenario scenario = left_open();
  scenario.ops.push_back({});
  return scenario;
}

/// `scopes` scopes, then an async block with one more inside: the block's own value needs room, too.
template <int Scopes>
Scenario async_after_scopes() {
  Scenario scenario;
  for (std::uint8_t i = 0; i < Scopes; ++i) scenario.ops.push_back({.kind = OpKind::scope, .value = i});
  scenario.ops.push_back({.kind = OpKind::async, .value = Scopes + 1});
  scenario.ops.push_back({.kind = OpKind::scope, .value = Scopes});
  scenario.ops.push_back({});
  return scenario;
}

/// The same with a spawn whose handle needs room at the end of its block.
template <int Scopes>
Scenario spawn_after_scopes() {
  Scenario scenario = async_after_scopes<Scopes>();
  scenario.ops[Scopes] = {.kind = OpKind::spawn, .scope = 0, .value = Scopes + 1};
  return scenario;
}

template <int Frames>
Scenario nested_frames() {
  Scenario scenario;
  for (int i = 0; i < Frames; ++i) scenario.ops.push_back({.kind = OpKind::frame});
  for (int i = 0; i < Frames; ++i) scenario.ops.push_back({});
  return scenario;
}

template <int Reads>
Scenario many_reads() {
  Scenario scenario;
  scenario.ops.push_back({.kind = OpKind::cell});
  for (int i = 0; i < Reads; ++i) scenario.ops.push_back({.kind = OpKind::read});
  return scenario;
}

const std::vector<Twin>& twins() {
  static const std::vector<Twin> table = {
      // ---- not_offered: the same program under an API that has the operation is fine ----------------------
      {Rule::not_offered, without(&Offers::throws), "catch {\n}\n", "frame {\n}\n"},
      {Rule::not_offered, without(&Offers::inside), "inside {\n}\n", "frame {\n}\n"},
      {Rule::not_offered, without(&Offers::async), "async b {\n}\n", "frame {\n}\n"},
      {Rule::not_offered, everything(), "enter s {\n}\n", "scope s\n"},
      {Rule::not_offered, closure(), "scope s\n", "enter s {\n}\n"},
      {Rule::not_offered, closure(), "spawn t {\n} as h\n", "enter s {\n  spawn t in s {\n  } as h\n}\n"},
      {Rule::not_offered, without(&Offers::child_scopes, closure()),
       "enter s {\n  spawn t in s {\n    enter r {\n    }\n  } as h\n}\n",
       "enter s {\n  spawn t in s {\n  } as h\n  enter r {\n  }\n}\n"},
      {Rule::not_offered, without(&Offers::box), "async b boxed {\n}\n", "async b {\n}\n"},
      {Rule::not_offered, without(&Offers::box), "scope s boxed\n", "scope s\n"},
      {Rule::not_offered, without(&Offers::box), "scope s\nspawn t in s {\n} as h boxed\n",
       "scope s\nspawn t in s {\n} as h\n"},
      {Rule::not_offered, without(&Offers::box), "scope s\njoin s as j boxed\n", "scope s\njoin s as j\n"},
      {Rule::not_offered, embedded(), "scope s\n", "spawn t {\n} as h\n"},
      {Rule::not_offered, everything(), "spawn t {\n} as h\n", "scope s\nspawn t in s {\n} as h\n"},
      {Rule::not_offered, everything(), "scope s\nspawn t in s {\n}\n", "scope s\nspawn t in s {\n} as h\n"},
      {Rule::not_offered, without(&Offers::handle), "scope s\nspawn t in s {\n} as h\n",
       "scope s\nspawn t in s {\n}\n"},
      {Rule::not_offered, awaited(), "inside {\n  spawn t {\n  } as h\n}\n",
       "inside {\n  spawn t {\n  } await\n}\n"},
      {Rule::not_offered, embedded(), "inside {\n  spawn t {\n  } await\n}\n",
       "inside {\n  spawn t {\n  } as h\n}\n"},
      {Rule::not_offered, process_wide(), "cell x\nspawn t borrow shared x {\n} as h\n",
       "cell x\nspawn t {\n} as h\n"},
      {Rule::not_offered, without(&Offers::spawn_nested),
       "scope s\nspawn t in s {\n  spawn u in s {\n  } as g\n} as h\n",
       "scope s\nspawn t in s {\n} as h\nspawn u in s {\n} as g\n"},
      {Rule::not_offered, without(&Offers::spawn_nested, embedded()),
       "spawn t {\n  spawn u {\n  } as g\n} as h\n", "spawn t {\n} as h\nspawn u {\n} as g\n"},
      {Rule::not_offered, without(&Offers::child_scopes), "scope s\nspawn t in s {\n  scope r\n} as h\n",
       "scope s\nspawn t in s {\n} as h\nscope r\n"},
      {Rule::not_offered, without(&Offers::scope_poll), "scope s\npoll s\n", "scope s\njoin s\n"},
      {Rule::not_offered, without(&Offers::scope_poll), "scope s\ninside {\n  await s\n}\n",
       "scope s\ninside {\n  cancel s\n}\n"},
      {Rule::not_offered, without(&Offers::scope_join), "scope s\njoin s\n", "scope s\njoin s as j\n"},
      {Rule::not_offered, without(&Offers::scope_join_as), "scope s\njoin s as j\n", "scope s\njoin s\n"},
      {Rule::not_offered, without(&Offers::scope_close), "scope s\nclose s\n", "scope s\ncancel s\n"},
      {Rule::not_offered, without(&Offers::scope_cancel), "scope s\ncancel s\n", "scope s\nclose s\n"},
      {Rule::not_offered, without(&Offers::handle_poll, embedded()), "spawn t {\n} as h\npoll h\n",
       "spawn t {\n} as h\ncancel h\n"},
      {Rule::not_offered, without(&Offers::handle_join, by_handle()), "spawn t {\n} as h\njoin h\n",
       "spawn t {\n} as h\npoll h\n"},
      {Rule::not_offered, without(&Offers::handle_cancel, embedded()), "spawn t {\n} as h\ncancel h\n",
       "spawn t {\n} as h\npoll h\n"},
      {Rule::not_offered, without(&Offers::handle_detach, by_handle()), "spawn t {\n} as h\ndetach h\n",
       "spawn t {\n} as h\ndrop h\n"},
      {Rule::not_offered, without(&Offers::move), "scope s\nmove s\n", "scope s\nforget s\n"},
      {Rule::not_offered, without(&Offers::move), "frame {\n  scope s\n  move s out\n}\n",
       "frame {\n  scope s\n  drop s\n}\n"},
      {Rule::not_offered, without(&Offers::forget), "scope s\nforget s\n", "scope s\ndrop s\n"},
      {Rule::not_offered, without(&Offers::forget_in_place), "scope s\nforget s in-place\n",
       "scope s\nforget s\n"},
      {Rule::not_offered, without(&Offers::keep_waker), "scope s\nspawn t in s {\n  keep waker\n} as h\n",
       "scope s\nspawn t in s {\n  park\n} as h\n"},
      {Rule::not_offered, without(&Offers::throws),
       "scope s\nspawn t in s {\n  cell y\n  touch-on-drop payload y\n} as h\n",
       "scope s\nspawn t in s {\n  cell y\n  touch-on-drop result y\n} as h\n"},
      {Rule::not_offered, without(&Offers::throws), "throw\n", "settle\n"},
      {Rule::not_offered, without(&Offers::throws), "throw bomb\n", "run 1\n"},
      {Rule::not_offered, without(&Offers::run), "settle\n", "shutdown\n"},
      {Rule::not_offered, without(&Offers::run), "run 3\n", "shutdown\n"},
      {Rule::not_offered, without(&Offers::shutdown), "shutdown\n", "settle\n"},

      // ---- wrong_kind
      // --------------------------------------------------------------------------------------
      {Rule::wrong_kind, everything(), "scope s\nspawn t in s {\n} as h\njoin h as j\n",
       "scope s\nspawn t in s {\n} as h\njoin s as j\n"},
      {Rule::wrong_kind, everything(), "async b {\n}\njoin b\n", "scope s\njoin s\n"},
      {Rule::wrong_kind, everything(), "scope s\nspawn t in s {\n} as h\nclose h\n",
       "scope s\nspawn t in s {\n} as h\nclose s\n"},
      {Rule::wrong_kind, everything(), "scope s\njoin s as j\ncancel j\n",
       "scope s\njoin s as j\ncancel s\n"},
      {Rule::wrong_kind, everything(), "scope s\ndetach s\n", "scope s\nspawn t in s {\n} as h\ndetach h\n"},
      {Rule::wrong_kind, everything(), "async b {\n}\nforget b in-place\n", "async b {\n}\nforget b\n"},
      {Rule::wrong_kind, everything(), "scope s boxed\nforget s in-place\n",
       "scope s boxed\nforget s cycle\n"},

      // ---- wrong_place
      // -------------------------------------------------------------------------------------
      {Rule::wrong_place, everything(), "inside {\n  catch {\n  }\n}\n", "catch {\n  inside {\n  }\n}\n"},
      {Rule::wrong_place, everything(), "async b {\n  inside {\n  }\n}\n", "inside {\n  async b {\n  }\n}\n"},
      {Rule::wrong_place, everything(), "inside {\n  settle\n}\n", "catch {\n  settle\n}\n"},
      {Rule::wrong_place, everything(), "scope s\ninside {\n  join s\n}\n",
       "scope s\nframe {\n  join s\n}\n"},
      {Rule::wrong_place, everything(), "scope s\nmove s out\n", "frame {\n  scope s\n  move s out\n}\n"},
      {Rule::wrong_place, everything(), "catch {\n  scope s\n  move s out\n}\n",
       "catch {\n  frame {\n    scope s\n    move s out\n  }\n}\n"},
      {Rule::wrong_place, everything(), "yield\n", "scope s\nspawn t in s {\n  yield\n} as h\n"},
      {Rule::wrong_place, everything(), "scope s\nspawn t in s {\n  async b {\n    park\n  }\n} as h\n",
       "scope s\nspawn t in s {\n  frame {\n    park\n  }\n} as h\n"},
      {Rule::wrong_place, everything(),
       "cell x\nscope s\nspawn t in s borrow mut x {\n  frame {\n    touch-on-drop capture x\n  }\n} as h\n",
       "cell x\nscope s\nspawn t in s borrow mut x {\n  frame {\n  }\n  touch-on-drop capture x\n} as h\n"},
      {Rule::wrong_place, everything(), "scope s\nspawn t in s {\n  park\n  wake t\n} as h\n",
       "scope s\nspawn t in s {\n  park\n} as h\nwake t\n"},
      {Rule::wrong_place, everything(), "scope s\nspawn t in s {\n  shutdown\n} as h\n",
       "scope s\nspawn t in s {\n} as h\nshutdown\n"},

      {Rule::wrong_place, closure(), "async b {\n  enter s {\n  }\n}\n", "inside {\n  enter s {\n  }\n}\n"},
      {Rule::wrong_place, closure(),
       "enter s {\n  spawn t in s {\n    async b {\n      enter r {\n      }\n    }\n  } as h\n}\n",
       "enter s {\n  async b {\n    spawn t in s {\n      enter r {\n      }\n    } as h\n  }\n}\n"},
      {Rule::wrong_place, closure(),
       "enter s {\n  spawn t in s {\n    enter r {\n      yield\n    }\n  } as h\n}\n",
       "enter s {\n  spawn t in s {\n    enter r {\n    }\n    yield\n  } as h\n}\n"},
      {Rule::wrong_place, on_stacks(), "async b {\n  catch {\n  }\n}\n", "async b {\n  enter s {\n  }\n}\n"},
      {Rule::wrong_place, on_stacks(), "async b {\n  enter s {\n    join s\n  }\n}\n",
       "async b {\n  enter s {\n    suspend\n  }\n}\n"},
      {Rule::wrong_place, closure(), "inside {\n  enter s {\n    join s\n  }\n}\n",
       "enter s {\n  join s\n}\n"},
      {Rule::write_while_borrowed, closure(),
       "cell x\nenter s {\n  spawn t in s borrow mut x {\n  } as h\n  drop h\n  write x\n}\n",
       "cell x\nenter s {\n  spawn t in s borrow mut x {\n  } as h\n}\nwrite x\n",
       "cannot write x: mutably borrowed by t through s until line 7"},
      {Rule::borrow_mut_while_borrowed, closure(),
       "cell x\nenter s {\n  enter r {\n    spawn t in s borrow mut x {\n    } as h\n  }\n  spawn u in s "
       "borrow "
       "mut x {\n  } as g\n}\n",
       "cell x\nenter s {\n  enter r {\n    spawn t in r borrow mut x {\n    } as h\n  }\n  spawn u in s "
       "borrow "
       "mut x {\n  } as g\n}\n"},
      {Rule::used_after_end, closure(), "enter s {\n}\nspawn t in s {\n} as h\n",
       "enter s {\n  spawn t in s {\n  } as h\n}\n"},
      {Rule::after_shutdown, closure(), "shutdown\nenter s {\n}\n", "enter s {\n  shutdown\n}\n"},

      // ---- await_outside_async
      // -----------------------------------------------------------------------------
      {Rule::await_outside_async, everything(), "suspend\n", "async b {\n  suspend\n}\n"},
      {Rule::await_outside_async, everything(), "scope s\nspawn t in s {\n  suspend\n} as h\n",
       "scope s\nspawn t in s {\n  yield\n} as h\n"},
      {Rule::await_outside_async, everything(), "scope s\njoin s as j\nawait j\n",
       "inside {\n  scope s\n  join s as j\n  await j\n}\n"},
      {Rule::await_outside_async, everything(), "catch {\n  async b {\n  }\n  await b\n}\n",
       "async c {\n  async b {\n  }\n  await b\n}\n"},
      {Rule::await_outside_async, awaited(), "spawn t {\n} await\n",
       "async b {\n  spawn t {\n  } await\n}\n"},
      {Rule::await_outside_async, awaited(), "catch {\n  spawn t {\n  } await\n}\n",
       "inside {\n  spawn t {\n  } await\n}\n"},

      {Rule::await_outside_async, closure(), "inside {\n  enter s {\n    suspend\n  }\n}\n",
       "inside {\n  enter s {\n  }\n  suspend\n}\n"},
      {Rule::await_outside_async, closure(),
       "inside {\n  enter s {\n    spawn t in s {\n    } as h\n    await h\n  }\n}\n",
       "inside {\n  enter s {\n    spawn t in s {\n    } as h\n    poll h\n  }\n}\n"},

      // on a suspendable stack the calls that an async block stands in are suspended with it
      {Rule::await_outside_async, on_stacks(), "enter s {\n  suspend\n}\n",
       "async b {\n  frame {\n    enter s {\n      enter r {\n        frame {\n          suspend\n        "
       "}\n      }\n    }\n "
       " }\n}\n"},
      {Rule::await_outside_async, on_stacks(), "inside {\n  enter s {\n    suspend\n  }\n}\n",
       "inside {\n  async b {\n    enter s {\n      suspend\n    }\n  }\n}\n"},
      {Rule::await_outside_async, on_stacks(),
       "async b {\n  enter s {\n    spawn t in s {\n      suspend\n    } as h\n  }\n}\n",
       "enter s {\n  spawn t in s {\n    async b {\n      enter r {\n        suspend\n      }\n    }\n  } as "
       "h\n}\n"},
      {Rule::await_outside_async, on_stacks(), "enter s {\n  spawn t in s {\n  } as h\n  await h\n}\n",
       "async b {\n  enter s {\n    spawn t in s {\n    } as h\n    await h\n  }\n}\n"},
      {Rule::write_while_borrowed, on_stacks(),
       "cell x\nasync b boxed {\n  enter s {\n    spawn t in s borrow mut x {\n    } as h\n    suspend\n  "
       "}\n}\npoll "
       "b\nwrite x\n",
       "cell x\nasync b boxed {\n  enter s {\n    spawn t in s borrow mut x {\n    } as h\n    suspend\n  "
       "}\n}\npoll "
       "b\nforget b\nwrite x\n"},

      // ---- unreachable
      // -------------------------------------------------------------------------------------
      {Rule::unreachable, everything(), "throw\nsettle\n", "settle\nthrow\n"},
      {Rule::unreachable, closure(), "enter s {\n  throw\n}\nsettle\n",
       "enter s {\n  catch {\n    throw\n  }\n}\nsettle\n"},
      {Rule::unreachable, everything(), "throw bomb\ncell x\n", "cell x\nthrow bomb\n"},
      {Rule::unreachable, everything(), "frame {\n  throw\n}\nsettle\n", "catch {\n  throw\n}\nsettle\n"},
      {Rule::unreachable, everything(), "inside {\n  frame {\n    throw\n  }\n}\nsettle\n",
       "async b {\n  frame {\n    throw\n  }\n}\nsettle\n"},

      // ---- unknown
      // -----------------------------------------------------------------------------------------
      {Rule::unknown, everything(), "frame {\n  cell x\n}\nread x\n", "frame {\n  cell x\n  read x\n}\n",
       "cannot read: x is not in scope here"},
      {Rule::unknown, everything(), "scope s\nspawn t in s {\n  cancel s\n} as h\n",
       "scope s\nspawn t in s {\n} as h\ncancel s\n", "cannot cancel: s is not in scope here"},
      {Rule::unknown, everything(), "scope s\nscope r\nspawn t in s {\n  spawn u in r {\n  } as g\n} as h\n",
       "scope s\nscope r\nspawn t in s {\n  spawn u in s {\n  } as g\n} as h\n"},
      {Rule::unknown, everything(),
       "scope s\nspawn t in s {\n  async b {\n    spawn u in s {\n    } as g\n  }\n} as h\n",
       "scope s\nspawn t in s {\n  frame {\n    spawn u in s {\n    } as g\n  }\n} as h\n"},
      {Rule::unknown, everything(), "scope s\nframe {\n  cell x\n}\nspawn t in s borrow shared x {\n} as h\n",
       "cell x\nscope s\nspawn t in s borrow shared x {\n} as h\n"},

      // ---- used_after_end
      // ----------------------------------------------------------------------------------
      {Rule::used_after_end, everything(), "scope s\ndrop s\nclose s\n", "scope s\nclose s\ndrop s\n",
       "cannot close s: it was dropped, forgotten, moved away or consumed"},
      {Rule::used_after_end, everything(), "scope s boxed\nforget s\nspawn t in s {\n} as h\n",
       "scope s boxed\nspawn t in s {\n} as h\nforget s\n"},
      {Rule::used_after_end, everything(), "scope s\nspawn t in s {\n} as h\ndetach h\npoll h\n",
       "scope s\nspawn t in s {\n} as h\npoll h\ndetach h\n"},
      {Rule::used_after_end, everything(), "scope s\nspawn t in s {\n} as h\njoin h\ndrop h\n",
       "scope s\nspawn t in s {\n} as h\njoin s\ndrop h\n"},
      {Rule::used_after_end, everything(), "inside {\n  async b {\n  }\n  await b\n  poll b\n}\n",
       "inside {\n  async b {\n  }\n  poll b\n  await b\n}\n"},
      {Rule::used_after_end, everything(), "catch {\n  scope s\n}\njoin s\n",
       "catch {\n  scope s\n  join s\n}\n"},

      // ---- read_while_mut_borrowed
      // -------------------------------------------------------------------------
      {Rule::read_while_mut_borrowed, everything(),
       "cell x\nscope s\nspawn t in s borrow mut x {\n  write x\n} as h\nread x\n",
       "cell x\nscope s\nspawn t in s borrow shared x {\n  read x\n} as h\nread x\n",
       "cannot read x: mutably borrowed by t through s until the end"},
      {Rule::read_while_mut_borrowed, embedded(), "cell x\nspawn t borrow mut x {\n} as h\nread x\n",
       "cell x\nspawn t borrow mut x {\n} as h\ndrop h\nread x\n",
       "cannot read x: mutably borrowed by t through h until the end"},
      {Rule::read_while_mut_borrowed, embedded(), "cell x\nasync b {\n  write x\n}\nread x\n",
       "cell x\nasync b {\n  read x\n}\nread x\n", "cannot read x: mutably borrowed by b until the end"},
      {Rule::read_while_mut_borrowed, embedded(),
       "cell x\nasync b {\n  spawn t borrow mut x {\n  } as h\n}\npoll b\nread x\n",
       "cell x\nasync b {\n  spawn t borrow shared x {\n  } as h\n}\npoll b\nread x\n"},
      {Rule::read_while_mut_borrowed, embedded(),
       "cell x\nspawn t borrow mut x {\n  spawn u borrow mut x {\n  } as g\n  read x\n} as h\n",
       "cell x\nspawn t borrow mut x {\n  spawn u borrow mut x {\n  } as g\n  drop g\n  read x\n} as h\n"},
      // the result of a child borrows: its handle carries that loan beyond the scope
      {Rule::read_while_mut_borrowed, everything(),
       "cell x\nscope s\nspawn t in s borrow mut x {\n  touch-on-drop result x\n} as h\ndrop s\nread x\n",
       "cell x\nscope s\nspawn t in s borrow mut x {\n  touch-on-drop capture x\n} as h\ndrop s\nread x\n"},

      // ---- write_while_borrowed
      // ----------------------------------------------------------------------------
      {Rule::write_while_borrowed, everything(),
       "cell x\nframe {\n  scope s\n  spawn t in s borrow mut x {\n    write x\n  } as h\n  write x\n}\n",
       "cell x\nframe {\n  scope s\n  spawn t in s borrow mut x {\n    write x\n  } as h\n}\nwrite x\n",
       "cannot write x: mutably borrowed by t through s until line 8"},
      {Rule::write_while_borrowed, everything(),
       "cell x\nscope s\nspawn t in s borrow shared x {\n} as h\nwrite x\ndrop s\n",
       "cell x\nscope s\nspawn t in s borrow shared x {\n} as h\ndrop s\nwrite x\n",
       "cannot write x: shared borrowed by t through s until line 6"},
      // a handle that carries nothing frees nothing
      {Rule::write_while_borrowed, everything(),
       "cell x\nscope s\nspawn t in s borrow shared x {\n} as h\ndrop h\nwrite x\n",
       "cell x\nscope s\nspawn t in s borrow shared x {\n} as h\ndrop s\nwrite x\n"},
      // a join that returned ends no loan of a scope
      {Rule::write_while_borrowed, everything(),
       "cell x\nscope s\nspawn t in s borrow mut x {\n} as h\njoin s\nwrite x\n",
       "cell x\nscope s\nspawn t in s borrow mut x {\n} as h\njoin s\ndrop s\nwrite x\n"},
      {Rule::write_while_borrowed, by_handle(),
       "cell x\nspawn t borrow shared x {\n} as h\nmove h\nwrite x\n",
       "cell x\nspawn t borrow shared x {\n} as h\njoin h\nwrite x\n"},
      {Rule::write_while_borrowed, by_handle(),
       "cell x\nframe {\n  spawn t borrow shared x {\n  } as h\n  move h out\n}\nwrite x\n",
       "cell x\nframe {\n  spawn t borrow shared x {\n  } as h\n}\nwrite x\n"},
      // scope and embedding handle both carry: the loan ends with the later one
      {Rule::write_while_borrowed, with(&Offers::handle_embeds_child),
       "cell x\nscope s\nspawn t in s borrow mut x {\n} as h\ndrop s\nwrite x\n",
       "cell x\nscope s\nspawn t in s borrow mut x {\n} as h\ndrop s\ndrop h\nwrite x\n",
       "cannot write x: mutably borrowed by t through h until the end"},
      // a result, capture or payload takes a cell of the task's own with it: nothing may borrow that
      {Rule::write_while_borrowed, embedded(),
       "spawn t {\n  cell y\n  spawn u borrow mut y {\n  } as g\n  touch-on-drop result y\n} as h\n",
       "spawn t {\n  cell y\n  spawn u borrow mut y {\n  } as g\n  drop g\n  touch-on-drop result y\n} as "
       "h\n"},
      {Rule::write_while_borrowed, embedded(),
       "spawn t {\n  cell y\n  spawn u borrow shared y {\n  } as g\n  touch-on-drop payload y\n} as h\n",
       "spawn t {\n  cell y\n  spawn u borrow shared y {\n  } as g\n  drop g\n  touch-on-drop payload y\n} "
       "as h\n"},
      // a future borrows what it mentions from its creation on, also what its nested futures mention
      {Rule::write_while_borrowed, everything(),
       "cell x\nasync b {\n  async c {\n    read x\n  }\n}\nwrite x\n",
       "cell x\nasync b {\n  async c {\n    read x\n  }\n}\ndrop b\nwrite x\n"},
      {Rule::write_while_borrowed, everything(),
       "cell x\nscope s\nasync b {\n  spawn t in s borrow shared x {\n  } as h\n}\ndrop b\nwrite x\n",
       "cell x\nscope s\nasync b {\n  spawn t in s borrow shared x {\n  } as h\n}\ndrop b\ndrop s\nwrite "
       "x\n"},
      // lent shared through a mutable capture, it is the scope's alone
      {Rule::read_while_mut_borrowed, everything(),
       "cell x\nscope s\ncatch {\n  write x\n  spawn t in s borrow shared x {\n  } as h\n}\nread x\n",
       "cell x\nscope s\ncatch {\n  read x\n  spawn t in s borrow shared x {\n  } as h\n}\nread x\n"},
      {Rule::borrow_while_mut_borrowed, everything(),
       "cell x\nscope s\nasync b {\n  write x\n  async c {\n    spawn t in s borrow shared x {\n    } as h\n "
       " "
       "}\n}\ndrop b\nspawn u in s borrow shared x {\n} as g\n",
       "cell x\nscope s\nwrite x\nasync b {\n  async c {\n    spawn t in s borrow shared x {\n    } as h\n  "
       "}\n}\ndrop b\nspawn u in s borrow shared x {\n} as g\n"},
      // lent through a capture, also mutably, it is the scope's from then on, not only the block's
      {Rule::write_while_borrowed, everything(),
       "cell x\nscope s\nasync b {\n  spawn t in s borrow mut x {\n  } as h\n}\ndrop b\nwrite x\n",
       "cell x\nscope s\nasync b {\n  spawn t in s borrow mut x {\n  } as h\n}\ndrop b\ndrop s\nwrite "
       "x\n"},
      {Rule::write_while_borrowed, everything(),
       "cell x\nscope s\ncatch {\n  spawn t in s borrow mut x {\n  } as h\n  write x\n}\n",
       "cell x\nscope s\ncatch {\n  write x\n  spawn t in s borrow mut x {\n  } as h\n}\n"},
      {Rule::write_while_borrowed, embedded(),
       "cell x\nspawn t borrow mut x {\n} as h boxed\nwrite x\nforget h\n",
       "cell x\nspawn t borrow mut x {\n} as h boxed\nforget h\nwrite x\n",
       "cannot write x: mutably borrowed by t through h until line 5"},
      {Rule::write_while_borrowed, embedded(),
       "cell x\nasync b boxed {\n  spawn t borrow mut x {\n  } as h\n  suspend\n}\npoll b\nwrite x\n",
       "cell x\nasync b boxed {\n  spawn t borrow mut x {\n  } as h\n  suspend\n}\npoll b\nforget b\nwrite "
       "x\n"},
      {Rule::write_while_borrowed, everything(),
       "cell x\nscope s\nspawn t in s borrow mut x {\n  scope r\n  spawn u in r borrow shared x {\n  } as "
       "g\n  write x\n} as h\n",
       "cell x\nscope s\nspawn t in s borrow mut x {\n  scope r\n  spawn u in r borrow shared x {\n  } as "
       "g\n  drop r\n  write x\n} as h\n"},

      // ---- borrow_while_mut_borrowed / borrow_mut_while_borrowed
      // ----------------------------------------------
      {Rule::borrow_while_mut_borrowed, everything(),
       "cell x\nscope s\nspawn t in s borrow mut x {\n} as h\nspawn u in s borrow shared x {\n} as g\n",
       "cell x\nscope s\nspawn t in s borrow shared x {\n} as h\nspawn u in s borrow shared x {\n} as g\n",
       "cannot borrow x: mutably borrowed by t through s until the end"},
      {Rule::borrow_while_mut_borrowed, by_handle(),
       "cell x\nspawn t borrow mut x {\n} as h\nspawn u borrow shared x {\n} as g\n",
       "cell x\nspawn t borrow mut x {\n} as h\nforget h\nspawn u borrow shared x {\n} as g\n"},
      {Rule::borrow_while_mut_borrowed, embedded(),
       "cell x\nasync b {\n  write x\n}\nspawn t borrow shared x {\n} as h\n",
       "cell x\nasync b {\n  read x\n}\nspawn t borrow shared x {\n} as h\n"},
      {Rule::borrow_mut_while_borrowed, everything(),
       "cell x\nscope s\nspawn t in s borrow shared x {\n} as h\nspawn u in s borrow mut x {\n} as g\n",
       "cell x\ncell y\nscope s\nspawn t in s borrow shared x {\n} as h\nspawn u in s borrow mut y {\n} as "
       "g\n",
       "cannot mutably borrow x: shared borrowed by t through s until the end"},
      {Rule::borrow_mut_while_borrowed, everything(),
       "cell x\nscope s\nspawn t in s borrow mut x {\n} as h\nspawn u in s borrow mut x {\n} as g\n",
       "cell x\nscope s\nspawn t in s borrow mut x {\n} as h\ndrop s\nscope r\nspawn u in r borrow mut x "
       "{\n} as g\n"},
      {Rule::borrow_mut_while_borrowed, embedded(),
       "cell x\nasync b {\n  read x\n}\nspawn t borrow mut x {\n} as h\n",
       "cell x\nasync b {\n  read x\n}\ndrop b\nspawn t borrow mut x {\n} as h\n"},

      // ---- not_borrowed
      // ------------------------------------------------------------------------------------
      {Rule::not_borrowed, embedded(), "cell x\nspawn t {\n  read x\n} as h\n",
       "cell x\nspawn t borrow shared x {\n  read x\n} as h\n",
       "cannot touch x: t did not borrow it; add `borrow mut x` to its spawn"},
      {Rule::not_borrowed, embedded(), "cell x\nspawn t {\n  async b {\n    write x\n  }\n} as h\n",
       "cell x\nspawn t borrow mut x {\n  async b {\n    write x\n  }\n} as h\n"},
      {Rule::not_borrowed, embedded(), "cell x\nspawn t {\n  spawn u borrow shared x {\n  } as g\n} as h\n",
       "cell x\nspawn t borrow shared x {\n  spawn u borrow shared x {\n  } as g\n} as h\n"},
      {Rule::not_borrowed, embedded(), "cell x\nspawn t {\n  touch-on-drop capture x\n} as h\n",
       "cell x\nspawn t borrow shared x {\n  touch-on-drop capture x\n} as h\n"},
      // an exclusive loan that moved on to a sibling is gone
      {Rule::not_borrowed, everything(),
       "cell x\nscope s\nspawn t in s borrow mut x {\n  spawn u in s borrow mut x {\n  } as g\n  read x\n} "
       "as h\n",
       "cell x\nscope s\nspawn t in s borrow mut x {\n  read x\n  spawn u in s borrow mut x {\n  } as g\n} "
       "as h\n"},

      // ---- write_through_shared
      // ----------------------------------------------------------------------------
      {Rule::write_through_shared, embedded(), "cell x\nspawn t borrow shared x {\n  write x\n} as h\n",
       "cell x\nspawn t borrow mut x {\n  write x\n} as h\n", "cannot write x: t borrowed it shared"},
      {Rule::write_through_shared, embedded(),
       "cell x\nspawn t borrow shared x {\n  spawn u borrow mut x {\n  } as g\n} as h\n",
       "cell x\nspawn t borrow mut x {\n  spawn u borrow mut x {\n  } as g\n} as h\n"},
      // lent on shared into its own scope, an exclusive loan is a shared one from then on
      {Rule::write_through_shared, everything(),
       "cell x\nscope s\nspawn t in s borrow mut x {\n  spawn u in s borrow shared x {\n    read x\n  } as "
       "g\n  write x\n} as h\n",
       "cell x\nscope s\nspawn t in s borrow mut x {\n  spawn u in s borrow shared x {\n    read x\n  } as "
       "g\n  read x\n} as h\n"},
      {Rule::write_through_shared, everything(),
       "cell x\nscope s\nspawn t in s borrow mut x {\n  spawn u in s borrow shared x {\n  } as g\n  spawn v "
       "in s borrow mut x {\n  } as f\n} as h\n",
       "cell x\nscope s\nspawn t in s borrow mut x {\n  spawn u in s borrow shared x {\n  } as g\n  spawn v "
       "in s borrow shared x {\n  } as f\n} as h\n"},

      // ---- declared_after_carrier
      // --------------------------------------------------------------------------
      {Rule::declared_after_carrier, everything(), "scope s\ncell x\nspawn t in s borrow mut x {\n} as h\n",
       "cell x\nscope s\nspawn t in s borrow mut x {\n} as h\n",
       "cannot borrow x: it would die before s, which carries the loan; declare x first"},
      {Rule::declared_after_carrier, everything(),
       "scope s\ncatch {\n  cell x\n  spawn t in s borrow shared x {\n  } as h\n}\n",
       "catch {\n  cell x\n  scope s\n  spawn t in s borrow shared x {\n  } as h\n}\n"},
      {Rule::declared_after_carrier, everything(),
       "scope s\ncell x\nasync b {\n  spawn t in s borrow shared x {\n  } as h\n}\n",
       "cell x\nscope s\nasync b {\n  spawn t in s borrow shared x {\n  } as h\n}\n"},
      {Rule::declared_after_carrier, everything(),
       "cell x\nframe {\n  scope s\n  move s out\n  cell y\n  spawn t in s borrow shared y {\n  } as h\n}\n",
       "cell x\nframe {\n  scope s\n  move s out\n  cell y\n  spawn t in s borrow shared x {\n  } as h\n}\n"},
      {Rule::declared_after_carrier, everything(),
       "scope s\nspawn t in s {\n  cell x\n  spawn u in s borrow shared x {\n  } as g\n} as h\n",
       "cell x\nscope s\nspawn t in s borrow shared x {\n  spawn u in s borrow shared x {\n  } as g\n} as "
       "h\n"},

      // a cell of the block dies before the call returns
      {Rule::declared_after_carrier, closure(),
       "enter s {\n  cell x\n  spawn t in s borrow mut x {\n  } as h\n}\n",
       "cell x\nenter s {\n  spawn t in s borrow mut x {\n  } as h\n}\n",
       "cannot borrow x: it would die before s, which carries the loan; declare x first"},
      {Rule::declared_after_carrier, closure(),
       "enter s {\n  cell x\n  enter r {\n    spawn t in s borrow shared x {\n    } as h\n  }\n}\n",
       "enter s {\n  cell x\n  enter r {\n    spawn t in r borrow shared x {\n    } as h\n  }\n}\n"},

      // ---- moved_to_longer_life
      // ----------------------------------------------------------------------------
      {Rule::moved_to_longer_life, by_handle(),
       "frame {\n  cell x\n  spawn t borrow shared x {\n  } as h\n  move h out\n}\n",
       "cell x\nframe {\n  spawn t borrow shared x {\n  } as h\n  move h out\n}\n",
       "cannot move h out: it borrows x, which dies with this frame"},
      {Rule::moved_to_longer_life, everything(), "frame {\n  scope s\n  join s as j\n  move j out\n}\n",
       "scope s\nframe {\n  join s as j\n  move j out\n}\n",
       "cannot move j out: it borrows s, which dies with this frame"},
      {Rule::moved_to_longer_life, by_handle(),
       "frame {\n  spawn t {\n  } as h\n  async b {\n    poll h\n  }\n  move b out\n}\n",
       "spawn t {\n} as h\nframe {\n  async b {\n    poll h\n  }\n  move b out\n}\n"},
      {Rule::moved_to_longer_life, everything(),
       "frame {\n  cell x\n  scope s boxed\n  spawn t in s borrow shared x {\n  } as h\n  move s out\n}\n",
       "frame {\n  cell x\n  scope s boxed\n  spawn t in s borrow shared x {\n  } as h\n  move s\n}\n"},
      {Rule::moved_to_longer_life, everything(),
       "frame {\n  cell x\n  scope s\n  spawn t in s borrow mut x {\n    touch-on-drop result x\n  } as h\n  "
       "move h out\n}\n",
       "cell x\nframe {\n  scope s\n  spawn t in s borrow mut x {\n    touch-on-drop result x\n  } as h\n  "
       "move h out\n}\n"},

      // ---- consumed_through_capture
      // ------------------------------------------------------------------------
      {Rule::consumed_through_capture, everything(), "scope s\nasync b {\n  drop s\n}\n",
       "scope s\nasync b {\n  close s\n}\n", "cannot drop s here: this block uses it by reference"},
      {Rule::consumed_through_capture, by_handle(), "spawn t {\n} as h\ncatch {\n  forget h\n}\n",
       "spawn t {\n} as h\nframe {\n  forget h\n}\n"},
      {Rule::consumed_through_capture, by_handle(), "spawn t {\n} as h\ninside {\n  await h\n}\n",
       "spawn t {\n} as h\ninside {\n  poll h\n}\n"},
      {Rule::consumed_through_capture, by_handle(), "spawn t {\n} as h\ninside {\n  move h\n}\n",
       "spawn t {\n} as h\nframe {\n  move h\n}\n"},
      {Rule::consumed_through_capture, by_handle(), "spawn t {\n} as h\ncatch {\n  detach h\n}\n",
       "spawn t {\n} as h\ncatch {\n  cancel h\n}\n"},

      {Rule::consumed_through_capture, closure(), "enter s {\n  drop s\n}\n", "enter s {\n  close s\n}\n",
       "cannot drop s: the client has a reference to it, it is the call's"},
      {Rule::consumed_through_capture, closure(), "enter s {\n  forget s\n}\n", "enter s {\n  cancel s\n}\n"},
      {Rule::consumed_through_capture, closure(), "enter s {\n  move s\n}\n",
       "enter s {\n  join s\n  join s as j\n  move j\n}\n"},
      {Rule::consumed_through_capture, closure(), "enter s {\n  frame {\n    move s out\n  }\n}\n",
       "enter s {\n  frame {\n    spawn t in s {\n    } as h\n    move h out\n  }\n}\n"},
      {Rule::consumed_through_capture, closure(), "enter s {\n  catch {\n    drop s\n  }\n}\n",
       "enter s {\n  catch {\n    join s\n  }\n}\n"},
      {Rule::consumed_through_capture, closure(),
       "enter s {\n  spawn t in s {\n  } as h\n  enter r {\n    drop h\n  }\n}\n",
       "enter s {\n  spawn t in s {\n  } as h\n  enter r {\n    cancel h\n  }\n  drop h\n}\n"},

      // ---- value_borrowed
      // ----------------------------------------------------------------------------------
      {Rule::value_borrowed, everything(), "scope s\njoin s as j\ndrop s\n",
       "scope s\njoin s as j\ndrop j\ndrop s\n", "cannot drop s: j borrows it until the end"},
      {Rule::value_borrowed, everything(), "scope s boxed\njoin s as j\nforget s\n",
       "scope s boxed\njoin s as j\nforget j\nforget s\n"},
      {Rule::value_borrowed, everything(), "scope s\njoin s as j\npoll s\n",
       "scope s\njoin s as j\nclose s\n"},
      {Rule::value_borrowed, everything(), "scope s\njoin s as j\nmove s\n",
       "scope s\njoin s as j\nmove j\n"},
      {Rule::value_borrowed, embedded(), "spawn t {\n} as h\nasync b {\n  poll h\n}\npoll h\n",
       "spawn t {\n} as h\nasync b {\n  poll h\n}\ndrop b\npoll h\n"},
      {Rule::value_borrowed, embedded(), "spawn t {\n} as h\nasync b {\n  poll h\n}\ncancel h\n",
       "spawn t {\n} as h\nasync b {\n  cancel h\n}\ncancel h\n"},
      {Rule::value_borrowed, everything(), "scope s\nasync b {\n  spawn t in s {\n  } as h\n}\ndrop s\n",
       "scope s\nasync b {\n  spawn t in s {\n  } as h\n}\ndrop b\ndrop s\n"},
      {Rule::value_borrowed, everything(), "scope s\nasync b {\n  async c {\n    close s\n  }\n}\nmove s\n",
       "scope s\nasync b {\n  async c {\n    close s\n  }\n}\nmove b\n"},
      {Rule::value_borrowed, embedded(), "async b {\n}\nasync c {\n  poll b\n}\ndrop b\n",
       "async b {\n}\nasync c {\n  poll b\n}\ndrop c\ndrop b\n"},

      // a handle that names the lifetime of its scope
      {Rule::value_borrowed, with(&Offers::handle_borrows_scope),
       "scope s\nspawn t in s {\n} as h\ndrop s\npoll h\n",
       "scope s\nspawn t in s {\n} as h\npoll h\ndrop h\ndrop s\n",
       "cannot drop s: h borrows it until the end"},
      {Rule::value_borrowed, with(&Offers::handle_borrows_scope),
       "scope s boxed\nspawn t in s {\n} as h\nforget s\n",
       "scope s boxed\nspawn t in s {\n} as h\nforget h\nforget s\n"},
      {Rule::moved_to_longer_life, with(&Offers::handle_borrows_scope),
       "frame {\n  scope s\n  spawn t in s {\n  } as h\n  move h out\n}\n",
       "scope s\nframe {\n  spawn t in s {\n  } as h\n  move h out\n}\n"},
      // also from within a future; a child has its token from somewhere else
      {Rule::value_borrowed, with(&Offers::handle_borrows_scope),
       "async b {\n  scope s\n  spawn t in s {\n  } as h\n  drop s\n}\n",
       "scope s\nspawn t in s {\n  spawn u in s {\n  } as g\n} as h\ndrop h\ndrop s\n"},

      // ---- pinned
      // ------------------------------------------------------------------------------------------
      {Rule::pinned, embedded(), "spawn t {\n} as h\nforget h\n", "spawn t {\n} as h boxed\nforget h\n",
       "cannot forget h: it is pinned in its frame; a boxed one can be"},
      {Rule::pinned, embedded(), "spawn t {\n} as h\nmove h\n", "spawn t {\n} as h boxed\nmove h\n"},
      {Rule::pinned, embedded(), "spawn t {\n} as h\nforget h in-place\n", "spawn t {\n} as h\ndrop h\n"},
      {Rule::pinned, everything(), "scope s\nspawn t in s {\n} as h\nforget s\n", "scope s\nforget s\n"},
      {Rule::pinned, everything(), "scope s\npoll s\nmove s\n", "scope s\nclose s\nmove s\n"},
      {Rule::pinned, embedded(), "async b {\n  suspend\n}\npoll b\nforget b\n",
       "async b boxed {\n  suspend\n}\npoll b\nforget b\n"},
      {Rule::pinned, embedded(), "async b {\n  suspend\n}\npoll b\nmove b\n",
       "async b {\n  suspend\n}\nmove b\npoll b\n"},
      {Rule::pinned, everything(), "scope s\njoin s as j\npoll j\nforget j\n",
       "scope s\njoin s as j\nforget j\n"},
      {Rule::pinned, embedded(), "spawn t {\n} as h\njoin h\n", "spawn t {\n} as h boxed\njoin h\n"},

      // ---- polled_after_done
      // -------------------------------------------------------------------------------
      {Rule::polled_after_done, embedded(), "inside {\n  spawn t {\n  } as h\n  await h\n  poll h\n}\n",
       "inside {\n  spawn t {\n  } as h\n  await h\n  drop h\n}\n"},
      {Rule::polled_after_done, embedded(), "inside {\n  async b {\n  }\n  poll b\n  await b\n  await b\n}\n",
       "inside {\n  async b {\n  }\n  poll b\n  poll b\n  await b\n}\n"},

      // ---- scope_closed, after_shutdown
      // --------------------------------------------------------------------
      {Rule::scope_closed, everything(), "scope s\nclose s\nspawn t in s {\n} as h\n",
       "scope s\nspawn t in s {\n} as h\nclose s\n"},
      {Rule::after_shutdown, everything(), "shutdown\nscope s\n", "scope s\nshutdown\n"},
      {Rule::after_shutdown, embedded(), "shutdown\nspawn t {\n} as h\n", "spawn t {\n} as h\nshutdown\n"},
      {Rule::after_shutdown, embedded(), "shutdown\ninside {\n}\n", "inside {\n}\nshutdown\n"},
      {Rule::after_shutdown, embedded(), "shutdown\nsettle\n", "settle\nshutdown\n"},
      {Rule::after_shutdown, embedded(), "spawn t {\n} as h\nshutdown\nstep t\n",
       "spawn t {\n} as h\nshutdown\npoll h\n"},
      {Rule::after_shutdown, embedded(), "shutdown\nshutdown\n", "shutdown\n"},

      // ---- payload_must_own
      // --------------------------------------------------------------------------------
      {Rule::payload_must_own, embedded(),
       "cell x\nspawn t borrow mut x {\n  touch-on-drop payload x\n  throw\n} as h\n",
       "spawn t {\n  cell x\n  touch-on-drop payload x\n  throw\n} as h\n",
       "a panic payload of t cannot touch x: a payload outlives every frame, so it must own it"},

      // ---- held_by_destructor
      // ------------------------------------------------------------------------------
      {Rule::held_by_destructor, embedded(),
       "cell x\nspawn t borrow mut x {\n  touch-on-drop result x\n  spawn u borrow mut x {\n  } as g\n} as "
       "h\n",
       "cell x\nspawn t borrow mut x {\n  spawn u borrow mut x {\n  } as g\n  drop g\n  touch-on-drop result "
       "x\n} as h\n",
       "cannot spawn with x: a destructor of t holds it"},
      {Rule::held_by_destructor, embedded(),
       "spawn t {\n  cell y\n  touch-on-drop capture y\n  touch-on-drop result y\n} as h\n",
       "spawn t {\n  cell y\n  cell x\n  touch-on-drop capture y\n  touch-on-drop result x\n} as h\n"},
      {Rule::held_by_destructor, everything(),
       "cell x\nscope s\nspawn t in s borrow mut x {\n  touch-on-drop capture x\n  spawn u in s borrow mut x "
       "{\n  } as g\n} as h\n",
       "cell x\nscope s\nspawn t in s borrow mut x {\n  touch-on-drop capture x\n  write x\n  spawn u in s "
       "{\n  } as g\n} as h\n"},
      // a shared loan is copied: another destructor may hold it, and it may be lent on
      {Rule::held_by_destructor, embedded(),
       "cell x\nspawn t borrow mut x {\n  touch-on-drop capture x\n  touch-on-drop result x\n} as h\n",
       "cell x\nspawn t borrow shared x {\n  touch-on-drop capture x\n  touch-on-drop result x\n} as h\n"},
      {Rule::held_by_destructor, embedded(),
       "cell x\nspawn t borrow mut x {\n  touch-on-drop result x\n  spawn u borrow shared x {\n  } as g\n} "
       "as "
       "h\n",
       "cell x\nspawn t borrow shared x {\n  touch-on-drop result x\n  spawn u borrow shared x {\n  } as "
       "g\n} as "
       "h\n"},
      // also where a future of the task does the lending
      {Rule::held_by_destructor, embedded(),
       "spawn t {\n  cell y\n  touch-on-drop payload y\n  async b {\n    spawn u borrow mut y {\n    } as "
       "g\n    suspend\n  }\n  poll b\n  throw\n} as h\n",
       "spawn t {\n  cell y\n  async b {\n    spawn u borrow mut y {\n    } as g\n    suspend\n  }\n  poll "
       "b\n  drop b\n  touch-on-drop payload y\n  throw\n} as h\n"},

      // ---- reserve and start
      {Rule::not_offered, without(&Offers::reserve), "scope s\nreserve t in s {\n} as h\n",
       "scope s\nspawn t in s {\n} as h\n"},
      {Rule::not_offered, everything(), "scope s\nreserve t in s {\n}\n",
       "scope s\nreserve t in s {\n} as h\n"},
      {Rule::not_offered, with(&Offers::spawn_without_handle), "scope s\nspawn t in s {\n} as h\n",
       "scope s\nspawn t in s {\n}\nreserve u in s {\n} as h\n"},
      {Rule::not_offered, awaited(), "inside {\n  reserve t {\n  } await\n}\n",
       "inside {\n  reserve t {\n  } as h\n}\n"},
      {Rule::wrong_kind, everything(), "scope s\nstart s\n", "scope s\nreserve t in s {\n} as h\nstart h\n"},
      {Rule::already_started, everything(), "scope s\nspawn t in s {\n} as h\nstart h\n",
       "scope s\nreserve t in s {\n} as h\nstart h\n"},
      {Rule::already_started, everything(), "scope s\nreserve t in s {\n} as h\nstart h\nstart h\n",
       "scope s\nreserve t in s {\n} as h\nstart h\npoll h\n"},
      {Rule::not_started, everything(), "scope s\nreserve t in s {\n} as h\npoll h\n",
       "scope s\nreserve t in s {\n} as h\nstart h\npoll h\n"},
      {Rule::not_started, everything(), "scope s\ninside {\n  reserve t in s {\n  } as h\n  await h\n}\n",
       "scope s\ninside {\n  reserve t in s {\n  } as h\n  start h\n  await h\n}\n"},
      {Rule::not_started, everything(), "scope s\nreserve t in s {\n} as h\njoin h\n",
       "scope s\nreserve t in s {\n} as h\nstart h\njoin h\n"},
      {Rule::not_started, everything(), "scope s\nreserve t in s {\n} as h\ncancel h\n",
       "scope s\nreserve t in s {\n} as h\nstart h\ncancel h\n"},
      {Rule::not_started, everything(), "scope s\nreserve t in s {\n} as h\ndetach h\n",
       "scope s\nreserve t in s {\n} as h\nstart h\ndetach h\n"},
      {Rule::after_shutdown, everything(), "scope s\nreserve t in s {\n} as h\nshutdown\nstart h\n",
       "scope s\nreserve t in s {\n} as h\nstart h\nshutdown\n"},
      // movable until it is started
      {Rule::pinned, reserved_pinned(), "scope s\nreserve t in s {\n} as h\nstart h\nmove h\n",
       "scope s\nreserve t in s {\n} as h\nmove h\nstart h\n"},
      {Rule::pinned, reserved_pinned(), "scope s\nreserve t in s {\n} as h\nstart h\nforget h\n",
       "scope s\nreserve t in s {\n} as h\nforget h\n"},
      // an unstarted child borrows already; its handle holds it, and names its scope
      {Rule::write_while_borrowed, everything(),
       "cell x\nscope s\nreserve t in s borrow mut x {\n} as h\nwrite x\n",
       "cell x\nscope s\nreserve t in s borrow mut x {\n} as h\ndrop h\ndrop s\nwrite x\n"},
      {Rule::value_borrowed, everything(), "scope s\nreserve t in s {\n} as h\ndrop s\n",
       "scope s\nspawn t in s {\n} as h\ndrop s\n", "cannot drop s: h borrows it until the end"},
      {Rule::moved_to_longer_life, everything(),
       "scope s\nframe {\n  cell x\n  scope r\n  reserve t in r borrow mut x {\n  } as h\n  move h out\n}\n",
       "scope s\nframe {\n  cell x\n  reserve t in s {\n  } as h\n  move h out\n}\n"},
      {Rule::borrow_mut_while_borrowed, by_handle(),
       "cell x\nreserve t borrow mut x {\n} as h\nspawn u borrow mut x {\n} as g\n",
       "cell x\nreserve t borrow mut x {\n} as h\ndrop h\nspawn u borrow mut x {\n} as g\n"},
      // the token of a task's own scope borrows nothing
      {Rule::not_offered, without(&Offers::spawn_nested),
       "scope s\nspawn t in s {\n  reserve u in s {\n  } as g\n} as h\n",
       "scope s\nspawn t in s {\n} as h\nreserve u in s {\n} as g\n"},

      // ---- bookkeeping that only a longer program shows
      {Rule::write_while_borrowed, everything(),
       "cell x\nscope s\nspawn t in s borrow shared x {\n  touch-on-drop result x\n} as h\ndrop s\nwrite x\n",
       "cell x\nscope s\nspawn t in s borrow shared x {\n  touch-on-drop result x\n} as h\ndrop s\ndrop "
       "h\nwrite x\n"},
      {Rule::write_while_borrowed, scope_with_lending_handles(),
       "cell x\nscope s\nspawn t in s borrow mut x {\n  spawn u in s borrow shared x {\n  } as g\n  write "
       "x\n} as h\n",
       "cell x\nscope s\nspawn t in s borrow mut x {\n  spawn u in s borrow shared x {\n  } as g\n  drop g\n "
       " write x\n} as h\n"},
      {Rule::value_borrowed, everything(),
       "scope s\nreserve t in s {\n} as h\nasync b {\n  start h\n}\ndrop h\n",
       "scope s\nreserve t in s {\n} as h\nasync b {\n  start h\n}\ndrop b\ndrop h\n"},
      {Rule::value_borrowed, everything(), "scope s\nasync b {\n  await s\n}\ncancel s\n",
       "scope s\nasync b {\n  await s\n}\ndrop b\ncancel s\n"},
      {Rule::value_borrowed, everything(), "scope s\nasync b {\n  join s as j\n}\npoll s\n",
       "scope s\nasync b {\n  join s as j\n}\ndrop b\npoll s\n"},
      {Rule::value_borrowed, everything(), "scope s\nasync b {\n  cancel s\n}\npoll s\n",
       "scope s\nasync b {\n  cancel s\n}\ncancel s\n"},
      {Rule::precondition, with(&Offers::pre_no_spawn_after_join),
       "scope s\njoin s\ncatch {\n  join s\n}\nspawn t in s {\n} as h\n",
       "scope s\ncatch {\n  join s\n}\nspawn t in s {\n} as h\n"},
      {Rule::precondition, with(&Offers::pre_join_before_destroy),
       "scope s\nspawn t in s {\n} as h\ndrop s\n", "scope s\nspawn t in s {\n} as h\npoll s\ndrop s\n"},
      {Rule::precondition, with(&Offers::pre_join_before_destroy),
       "scope s\nspawn t in s {\n} as h\ndrop s\n",
       "scope s\nspawn t in s {\n} as h\njoin s as j\ndrop j\ndrop s\n"},
      // ---- precondition
      // ------------------------------------------------------------------------------------
      {Rule::precondition, with(&Offers::pre_runtime_outlives_scope), "scope s\nshutdown\n",
       "scope s\ndrop s\nshutdown\n"},
      {Rule::precondition, with(&Offers::pre_worker_only), "scope s\n", "inside {\n  scope s\n}\n"},
      {Rule::precondition, with(&Offers::pre_worker_only, embedded()), "spawn t {\n} as h\n",
       "inside {\n  spawn t {\n  } as h\n}\n"},
      // what the text alone says about joins; the rest ends a run (tests/interpreter/preconditions_test.cpp)
      {Rule::precondition, with(&Offers::pre_join_before_destroy),
       "scope s\nspawn t in s {\n} as h\ndrop s\n", "scope s\nspawn t in s {\n} as h\njoin s\ndrop s\n"},
      {Rule::precondition, with(&Offers::pre_join_before_destroy),
       "scope s\nspawn t in s {\n} as h\nscope r\njoin r\ndrop s\n",
       "scope s\nspawn t in s {\n} as h\nscope r\njoin r\ndrop r\n"},
      {Rule::precondition, with(&Offers::pre_join_once), "scope s\njoin s\njoin s\n",
       "scope s\njoin s\nscope r\njoin r\n"},
      {Rule::precondition, with(&Offers::pre_join_once), "scope s\nframe {\n  join s\n}\njoin s\n",
       "scope s\ncatch {\n  join s\n}\njoin s\n"},
      {Rule::precondition, with(&Offers::pre_join_once),
       "scope s\njoin s as j\njoin s as k\npoll j\npoll k\n",
       "scope s\njoin s as j\njoin s as k\npoll j\npoll j\n"},
      {Rule::precondition, with(&Offers::pre_join_once),
       "scope s\njoin s\ninside {\n  join s as j\n  await j\n}\n",
       "scope s\ninside {\n  join s as j\n  await j\n}\n"},
      {Rule::precondition, with(&Offers::pre_no_spawn_after_join),
       "scope s\njoin s\nspawn t in s {\n} as h\n", "scope s\nspawn t in s {\n} as h\njoin s\n"},
      {Rule::precondition, with(&Offers::pre_no_spawn_after_join),
       "scope s\njoin s as j\npoll j\nspawn t in s {\n} as h\n",
       "scope s\njoin s as j\nspawn t in s {\n} as h\npoll j\n"},
      {Rule::precondition, with(&Offers::pre_no_spawn_after_join),
       "scope s\ninside {\n  join s as j\n  poll j\n}\nspawn t in s {\n} as h\n",
       "scope s\nasync b {\n  join s as j\n  poll j\n}\nspawn t in s {\n} as h\n"},

      // ---- not_closed, too_large: no text gets this far
      // ------------------------------------------------------
      {Rule::not_closed, everything(), &left_open, &closed_again, "a block was left open"},
      {Rule::too_large, everything(), &nested_frames<12>, &nested_frames<11>},
      {Rule::too_large, everything(), &many_reads<127>, &many_reads<126>},
      {Rule::too_large, everything(), &async_after_scopes<15>, &async_after_scopes<14>},
      {Rule::too_large, everything(), &spawn_after_scopes<15>, &spawn_after_scopes<14>},
  };
  return table;
}

std::string describe(const Twin& twin) { return std::string(info(twin.rule).id); }

TEST(Rules, EveryRuleHasATwinPair) {
  std::set<Rule> covered;
  for (const Twin& twin : twins()) covered.insert(twin.rule);
  for (std::size_t i = 0; i < rule_table.size(); ++i)
    EXPECT_TRUE(covered.contains(static_cast<Rule>(i))) << rule_table[i].id << " has no pair of twins";
}

TEST(Rules, RefuseWithExactlyTheBrokenRuleInTheLastLineNeeded) {
  for (const Twin& twin : twins()) {
    const Parsed parsed = twin.refused.parsed();
    const Wording wording = parsed.wording();
    const auto verdict = check(parsed.scenario, twin.offers, &wording);
    if (verdict.has_value()) {
      ADD_FAILURE() << describe(twin) << ": accepted, must be refused:\n" << to_text(parsed.scenario);
      continue;
    }
    EXPECT_EQ(info(verdict.error().violation.rule).id, info(twin.rule).id)
        << twin.refused.text << verdict.error().message;
    EXPECT_FALSE(verdict.error().message.empty());
    if (!twin.message.empty()) {
      EXPECT_EQ(verdict.error().message, twin.message) << twin.refused.text;
    }
  }
}

TEST(Rules, AcceptTheNearestTwin) {
  for (const Twin& twin : twins()) {
    const Parsed parsed = twin.accepted.parsed();
    const Wording wording = parsed.wording();
    const auto verdict = check(parsed.scenario, twin.offers, &wording);
    EXPECT_TRUE(verdict.has_value()) << describe(twin) << ": " << verdict.error().message << "\n"
                                     << twin.accepted.text;
  }
}

TEST(Rules, NameLinesOfTheFileNotOpsOfTheScenario) {
  const auto parsed = parse(
      "# impl: x\n\ncell x\nframe {\n\n  scope s\n  spawn t in s borrow mut x {\n  }\n  # why\n  write "
      "x\n\n}\n");
  ASSERT_TRUE(parsed.has_value());
  const Wording wording = parsed->wording();
  const auto verdict = check(parsed->scenario, without(&Offers::handle), &wording);
  ASSERT_FALSE(verdict.has_value());
  EXPECT_EQ(parsed->lines[verdict.error().op], 10u);
  EXPECT_EQ(verdict.error().message, "cannot write x: mutably borrowed by t through s until line 12");
}

TEST(NotOffered, SaysWhatTheApiDoesNotHave) {
  const auto refusal = [](const Offers& offers, const char* text) {
    const auto formed = check(parse(text)->scenario, offers);
    return formed ? std::string("accepted") : formed.error().message;
  };
  const Offers owning{.handle = true};
  const Offers scoped{.scope = true, .carrier = Carrier::scope};
  const Offers on_the_spot{.handle = true, .handle_poll = true, .spawn_awaited = true, .async = true};
  EXPECT_EQ(refusal(owning, "spawn t { } as h"), "accepted");
  EXPECT_EQ(refusal(owning, "spawn t { }"),
            "cannot spawn: a spawn of this API gives a handle; end it with `} as NAME`");
  EXPECT_EQ(refusal(owning, "cell x; spawn t borrow mut x { } as h"),
            "cannot spawn: children of this API can borrow nothing; leave out `borrow`");
  EXPECT_EQ(refusal(owning, "spawn t { } as h boxed"), "cannot spawn: values of this API cannot be boxed");
  EXPECT_EQ(refusal(owning, "spawn t { spawn u { } as g } as h"),
            "cannot spawn: children of this API cannot spawn into what they run in");
  EXPECT_EQ(refusal(scoped, "scope s; spawn t in s { }"), "accepted");
  EXPECT_EQ(refusal(scoped, "scope s; spawn t { }"),
            "cannot spawn: this API spawns into scopes; add `in SCOPE`");
  EXPECT_EQ(refusal(scoped, "scope s; spawn t in s { } as h"),
            "cannot spawn: a spawn of this API gives no handle; leave out `as`");
  EXPECT_EQ(refusal(on_the_spot, "async b { spawn t { } await }"), "accepted");
  EXPECT_EQ(refusal(on_the_spot, "async b { spawn t { } as h }"),
            "cannot spawn: this API awaits its spawns on the spot; end it with `} await`");
  EXPECT_EQ(refusal(owning, "spawn t { } await"),
            "cannot spawn: this API does not await on the spot; leave out `await`");
}

TEST(Next, IsOfferedWhereThreadsAreAndSaidByTheClientAloneOfATaskThatThereIs) {
  Offers threads = everything();
  threads.threads = true;
  const auto broken = [](const Offers& offers, const OpList& ops) -> std::optional<Rule> {
    const auto formed = check(Scenario{.ops = ops}, offers);
    return formed ? std::nullopt : std::optional(formed.error().violation.rule);
  };
  const Scenario program = parse("scope s0; spawn t0 in s0 { } as h0; next t0; drop s0").value().scenario;
  EXPECT_EQ(broken(threads, program.ops), std::nullopt);
  EXPECT_EQ(broken(everything(), program.ops), Rule::not_offered);
  OpList ops = program.ops;
  std::ranges::find(ops, OpKind::next, &Op::kind)->subject = 1;
  EXPECT_EQ(broken(threads, ops), Rule::unknown);
  EXPECT_EQ(broken(threads, parse("scope s0; spawn t0 in s0 { next t0 } as h0").value().scenario.ops),
            Rule::wrong_place);
}

}  // namespace
}  // namespace scopecheck::scenario
