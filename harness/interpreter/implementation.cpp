#include "harness/interpreter/implementation.hpp"

#include <fmt/format.h>

#include <string_view>

namespace scopecheck::interpreter {
namespace {

bool power_of_two_up_to_64(std::uint32_t align) {
  return align != 0 && align <= 64 && (align & (align - 1)) == 0;
}

scenario::Mobility mobility(std::uint32_t declared, bool has_move) {
  if (!has_move || declared > SCOPECHECK_MOVE_NEVER) return scenario::Mobility::never;
  return static_cast<scenario::Mobility>(declared);
}

/// What a child's step must be able to call where children spawn; with `scopes`, where they open scopes as
/// well.
std::uint64_t reentrant_for_spawns(const scopecheck_plugin& p, bool scopes) {
  std::uint64_t needed = SCOPECHECK_OP_SPAWN;
  if (p.handle_size != 0) needed |= SCOPECHECK_OP_HANDLE_DESTROY;
  if (p.handle_poll != nullptr) needed |= SCOPECHECK_OP_HANDLE_POLL;
  if (p.handle_cancel != nullptr) needed |= SCOPECHECK_OP_HANDLE_CANCEL;
  if (!scopes) return needed;
  needed |= p.scope_enter != nullptr ? SCOPECHECK_OP_SCOPE_ENTER
                                     : SCOPECHECK_OP_SCOPE_INIT | SCOPECHECK_OP_SCOPE_DESTROY;
  if (p.scope_drive != nullptr) needed |= SCOPECHECK_OP_SCOPE_DRIVE;
  if (p.scope_cancel != nullptr) needed |= SCOPECHECK_OP_SCOPE_CANCEL;
  if (p.scope_close != nullptr) needed |= SCOPECHECK_OP_SCOPE_CLOSE;
  return needed;
}

/// Text that can be printed in a table: one line, no control characters.
bool printable(const char* text) {
  if (text == nullptr) return false;
  for (; *text != '\0'; ++text)
    if (static_cast<unsigned char>(*text) < 0x20 || *text == 0x7f) return false;
  return true;
}

/// A claim about clients that the rest of the table makes unreachable would be dropped without a word, and
/// *not refuted* would stand for less than it says.
std::string unreachable_claim(const scopecheck_plugin& p) {
  const auto claims = [&](std::uint64_t bit) { return (p.client_ops & bit) != 0; };
  const std::uint64_t needed = reentrant_for_spawns(p, false);
  if (claims(SCOPECHECK_CLIENT_SPAWN_NESTED) && (p.reentrant & needed) != needed)
    return fmt::format(
        "claims client op SPAWN_NESTED, but reentrant lacks {:#x} of the SCOPECHECK_OP_* bits that a child "
        "needs "
        "to spawn: SPAWN, and HANDLE_DESTROY, HANDLE_POLL, HANDLE_CANCEL where there is such an operation",
        needed & ~p.reentrant);
  if (claims(SCOPECHECK_CLIENT_INSIDE) && p.block_on == nullptr)
    return "claims client op INSIDE without block_on";
  if (claims(SCOPECHECK_CLIENT_SHUTDOWN) && p.rt_shutdown == nullptr)
    return "claims client op SHUTDOWN without rt_shutdown";
  struct Mobile {
    const char* what;
    bool exists;  // without such values the field says nothing: 0 is ALWAYS
    std::uint32_t declared;
    bool has_move;
  };
  for (const Mobile& mobile :
       {Mobile{"move_scope", p.scope_init != nullptr, p.move_scope, p.scope_move != nullptr},
        Mobile{"move_handle", p.handle_size != 0, p.move_handle, p.handle_move != nullptr},
        Mobile{"move_join", p.join_begin != nullptr, p.move_join, p.join_move != nullptr}}) {
    if (!mobile.exists) continue;
    if (mobile.declared > SCOPECHECK_MOVE_NEVER) return fmt::format("unknown {}", mobile.what);
    if (mobile.declared != SCOPECHECK_MOVE_NEVER && !mobile.has_move)
      return fmt::format("{} is not NEVER, but there is no function that moves it", mobile.what);
  }
  return "";
}

/// What is wrong with its suspendable stacks, where it has any.
std::string bad_stack(const scopecheck_plugin& p) {
  const bool any = p.stack_init != nullptr || p.stack_resume != nullptr || p.stack_suspend != nullptr ||
                   p.stack_destroy != nullptr;
  const bool all = p.stack_init != nullptr && p.stack_resume != nullptr && p.stack_suspend != nullptr &&
                   p.stack_destroy != nullptr;
  if (any != all) return "stack_init, stack_resume, stack_suspend and stack_destroy go together";
  if (any != (p.stack_size != 0)) return "stack_size and the functions of stacks go together";
  if (!any) return "";
  if (p.stack_size > 4096 || !power_of_two_up_to_64(p.stack_align))
    return "stack_size, of the stack object, must be at most 4096 and stack_align a power of two up to 64";
  if ((p.client_ops & SCOPECHECK_CLIENT_ASYNC) == 0)
    return "suspendable stacks are what async blocks run on: claim client op ASYNC";
  if (p.child_kind == SCOPECHECK_CHILD_BLOCKS)
    return "child_kind BLOCKS: this harness cannot yet drive suspendable stacks beside threads of the "
           "runtime";
  return "";
}

/// What the tables that it points to say.
std::string bad_word(const scopecheck_plugin& p) {
  if (!printable(p.name) || !printable(p.summary) || !printable(p.version) || !printable(p.build))
    return "name, summary, version and build must be one printable line each";
  for (std::uint32_t i = 0; i < p.flavour_count; ++i) {
    if (!printable(p.flavours[i].name)) return "the name of a flavour must be printable";
    for (std::uint32_t j = 0; j < i; ++j)
      if (std::string_view(p.flavours[i].name) == p.flavours[j].name)
        return fmt::format("two flavours are called '{}'", p.flavours[i].name);
  }
  for (std::uint32_t i = 0; i < p.evidence_count; ++i)
    if (!printable(p.evidence[i].source))
      return "evidence must say where its claim is said, in one printable line";
  for (std::uint32_t i = 0; i < p.precondition_count; ++i)
    if (!printable(p.preconditions[i].source))
      return "a precondition must say where it is documented, in one printable line";
  for (std::uint32_t i = 0; i < p.expectation_count; ++i) {
    const scopecheck_expectation& e = p.expectations[i];
    if (e.discipline > SCOPECHECK_DISCIPLINE_NO_LEAK || e.verdict > SCOPECHECK_EXPECT_UNSOUND)
      return "an expectation has an unknown discipline or verdict";
    bool known = e.flavour == nullptr;
    for (std::uint32_t j = 0; j < p.flavour_count && !known; ++j)
      known = std::string_view(e.flavour) == p.flavours[j].name;
    if (!known) return fmt::format("an expectation is about a flavour that there is not: '{}'", e.flavour);
  }
  return "";
}

}  // namespace

std::expected<void, std::string> validate(const scopecheck_plugin& p) {
  const auto bad = [&](std::string_view what) {
    return std::unexpected(fmt::format("plugin '{}': {}", p.name != nullptr ? p.name : "?", what));
  };
  if (p.struct_size != sizeof(scopecheck_plugin))
    return bad(fmt::format("struct_size is {}, this harness speaks {}; rebuild it against this plugin.h",
                           p.struct_size, sizeof(scopecheck_plugin)));
  if (p.abi_major != SCOPECHECK_ABI_MAJOR) return bad("abi_major is not spoken by this harness");
  if (p.name == nullptr || p.summary == nullptr || p.build == nullptr)
    return bad("name, summary and build must be set");
  if (p.flavour_count == 0 || p.flavours == nullptr) return bad("at least one flavour must be named");
  if (std::string_view(p.name).empty() || std::string_view(p.name).size() > 63)
    return bad("the name must have 1 to 63 characters");
  for (std::uint32_t i = 0; i < p.flavour_count; ++i)
    if (p.flavours[i].name == nullptr || std::string_view(p.flavours[i].name).size() > 31)
      return bad("every flavour needs a name of at most 31 characters");
  if ((p.evidence_count != 0 && p.evidence == nullptr) ||
      (p.precondition_count != 0 && p.preconditions == nullptr) ||
      (p.expectation_count != 0 && p.expectations == nullptr))
    return bad("a count of evidence, preconditions or expectations without their array");
  if (const std::string wrong = bad_word(p); !wrong.empty()) return bad(wrong);
  if (p.child_kind > SCOPECHECK_CHILD_BLOCKS) return bad("unknown child_kind");
  if (p.on_destroy > SCOPECHECK_DESTROY_UNDEFINED) return bad("unknown on_destroy");
  const bool blocks = p.child_kind == SCOPECHECK_CHILD_BLOCKS;
  for (std::uint32_t i = 0; i < p.flavour_count; ++i) {
    const std::uint32_t progress = progress_of({&p, i});
    const bool threads = (progress & SCOPECHECK_PROGRESS_THREADS) != 0;
    if (blocks && !threads)
      return bad(
          "child_kind BLOCKS needs progress THREADS: this harness cannot yet drive children that block the "
          "client's thread");
    if (threads && (progress & SCOPECHECK_PROGRESS_RUN) != 0)
      return bad(fmt::format(
          "flavour '{}': progress RUN and THREADS; a runtime either has threads of its own or is run",
          p.flavours[i].name));
  }
  if (blocks && (p.rt_run != nullptr || p.scope_drive != nullptr || p.handle_poll != nullptr ||
                 p.join_begin != nullptr))
    return bad(
        "child_kind BLOCKS: rt_run, scope_drive, handle_poll and join_begin are for children that suspend");
  if (blocks && (p.client_ops & SCOPECHECK_CLIENT_KEEP_WAKER) != 0)
    return bad("child_kind BLOCKS: such children have no wakers to keep");
  if (blocks && p.handle_embeds_child != 0)
    return bad("child_kind BLOCKS: a child that runs on a thread does not live in its handle");
  if (p.shape < SCOPECHECK_SHAPE_GUARD || p.shape > SCOPECHECK_SHAPE_PROCESS_WIDE)
    return bad("unknown shape");
  if (p.scope_enter != nullptr && p.carrier == SCOPECHECK_CARRIER_NONE &&
      (p.client_ops & SCOPECHECK_CLIENT_SPAWN_NESTED) != 0)
    return bad(
        "a closure's scope is known by reference, and children that can borrow nothing (carrier NONE) cannot "
        "hold one: leave out client op SPAWN_NESTED");
  if (p.rt_new == nullptr || p.rt_free == nullptr || p.spawn == nullptr)
    return bad("rt_new, rt_free and spawn are mandatory");
  if ((p.scope_init != nullptr) != (p.scope_destroy != nullptr))
    return bad("scope_init and scope_destroy go together");
  if ((p.scope_init != nullptr || p.scope_enter != nullptr) &&
      (p.scope_size == 0 || p.scope_size > 4096 || !power_of_two_up_to_64(p.scope_align)))
    return bad("scope_size must be 1 to 4096 and scope_align a power of two up to 64");
  if ((p.handle_size != 0) != (p.handle_destroy != nullptr))
    return bad("handle_size and handle_destroy go together");
  if (p.handle_size != 0 && (p.handle_size > 4096 || !power_of_two_up_to_64(p.handle_align)))
    return bad("handle_size must be at most 4096 and handle_align a power of two up to 64");
  if ((p.join_begin != nullptr) != (p.join_poll != nullptr && p.join_destroy != nullptr))
    return bad("join_begin needs join_poll and join_destroy, and they need it");
  if (p.join_begin != nullptr &&
      (p.join_size == 0 || p.join_size > 4096 || !power_of_two_up_to_64(p.join_align)))
    return bad("join_size must be 1 to 4096 and join_align a power of two up to 64");
  if (p.handle_size == 0 &&
      (p.handle_poll != nullptr || p.handle_join != nullptr || p.handle_embeds_child != 0))
    return bad("operations on handles without handle_size");
  if (p.handle_borrows_scope != 0 &&
      (p.handle_size == 0 || (p.scope_init == nullptr && p.scope_enter == nullptr)))
    return bad("handle_borrows_scope without handles and scopes");
  if (p.shape == SCOPECHECK_SHAPE_PARENT_DRIVEN && p.scope_drive == nullptr)
    return bad("shape PARENT_DRIVEN needs scope_drive");
  if (p.shape == SCOPECHECK_SHAPE_GUARD && p.scope_init == nullptr)
    return bad("shape GUARD needs scope_init");
  if (p.shape == SCOPECHECK_SHAPE_AWAITABLE && (p.scope_init == nullptr || p.join_begin == nullptr))
    return bad("shape AWAITABLE needs scope_init and join_begin");
  if (p.shape == SCOPECHECK_SHAPE_HANDLE && p.handle_size == 0) return bad("shape HANDLE needs handles");
  if (p.shape == SCOPECHECK_SHAPE_CLOSURE && p.scope_enter == nullptr)
    return bad("shape CLOSURE needs scope_enter");
  if (p.scope_enter != nullptr) {
    if (p.shape != SCOPECHECK_SHAPE_CLOSURE) return bad("scope_enter is for shape CLOSURE");
    if (p.scope_init != nullptr || p.scope_move != nullptr)
      return bad("scope_enter with scope_init or scope_move: clients of shape CLOSURE never own a scope");
    if (p.scope_drive != nullptr)
      return bad(
          "scope_enter with scope_drive: clients of shape CLOSURE have a shared reference to the scope");
    if (p.carrier == SCOPECHECK_CARRIER_HANDLE)
      return bad("scope_enter with carrier HANDLE: the call is what ends the loans");
    if ((p.may_block & SCOPECHECK_OP_SCOPE_ENTER) == 0)
      return bad("scope_enter waits for the children of its scope: may_block must have SCOPE_ENTER");
  }
  if (const std::string wrong = bad_stack(p); !wrong.empty()) return bad(wrong);
  if (p.carrier == SCOPECHECK_CARRIER_SCOPE && p.scope_init == nullptr && p.scope_enter == nullptr)
    return bad("carrier SCOPE without scopes");
  if (p.carrier == SCOPECHECK_CARRIER_HANDLE && p.handle_size == 0)
    return bad("carrier HANDLE without handles");
  if (p.carrier > SCOPECHECK_CARRIER_HANDLE) return bad("unknown carrier");
  if ((p.progress & SCOPECHECK_PROGRESS_RUN) != 0 && p.rt_run == nullptr)
    return bad("progress RUN needs rt_run");
  if ((p.progress & SCOPECHECK_PROGRESS_DRIVE) != 0 && p.scope_drive == nullptr)
    return bad("progress DRIVE needs scope_drive");
  if ((p.client_ops & SCOPECHECK_CLIENT_MUST_UNDERSTAND) != 0)
    return bad("client_ops has must-understand bits that this harness does not know");
  for (std::uint32_t i = 0; i < p.precondition_count; ++i) {
    const std::uint32_t kind = p.preconditions[i].kind;
    if (kind < SCOPECHECK_PRE_JOIN_BEFORE_DESTROY || kind > SCOPECHECK_PRE_NO_FORGET)
      return bad(fmt::format("precondition {} is not in the closed list of plugin.h", kind));
    if (kind <= SCOPECHECK_PRE_NO_SPAWN_AFTER_JOIN && p.scope_join == nullptr && p.join_begin == nullptr &&
        p.scope_drive == nullptr)
      return bad("a precondition about joins, and no way to join a scope");
  }
  if ((p.reserve != nullptr) != (p.start != nullptr) || (p.reserve != nullptr && p.handle_size == 0))
    return bad("reserve and start go together, and need handles");
  if (p.spawn_without_handle != 0 && p.reserve == nullptr)
    return bad("spawn_without_handle: handles that nothing makes");
  if (p.spawn_without_handle != 0 && p.carrier == SCOPECHECK_CARRIER_HANDLE)
    return bad("spawn_without_handle: nobody would carry the loans");
  if (p.spawn_must_be_awaited != 0 && p.handle_poll == nullptr)
    return bad("spawn_must_be_awaited needs handle_poll");
  if (const std::string claim = unreachable_claim(p); !claim.empty()) return bad(claim);
  return {};
}

bool spawning_is_unsafe(const scopecheck_plugin& p) {
  return (p.unsafe_ops & SCOPECHECK_OP_SPAWN) != 0 ||
         (p.scope_init != nullptr && (p.unsafe_ops & SCOPECHECK_OP_SCOPE_INIT) != 0) ||
         (p.scope_enter != nullptr && (p.unsafe_ops & SCOPECHECK_OP_SCOPE_ENTER) != 0);
}

std::uint32_t progress_of(Implementation implementation) {
  const scopecheck_plugin& p = *implementation.plugin;
  const std::uint32_t own = p.flavours[implementation.flavour].progress;
  return own != 0 ? own : p.progress;
}

scenario::Offers offers_of(Implementation implementation, scenario::Discipline discipline) {
  const scopecheck_plugin& p = *implementation.plugin;
  const std::uint32_t progress = progress_of(implementation);
  const std::uint64_t withheld = discipline == scenario::Discipline::documented ? 0 : p.unsafe_ops;
  const auto op = [&](auto function, std::uint64_t bit) {
    return function != nullptr && (withheld & bit) == 0;
  };
  const auto client = [&](std::uint64_t bit) { return (p.client_ops & bit) != 0; };
  scenario::Offers o;
  o.scope = op(p.scope_init, SCOPECHECK_OP_SCOPE_INIT);
  o.scope_enter = op(p.scope_enter, SCOPECHECK_OP_SCOPE_ENTER);
  o.scope_poll = op(p.scope_drive, SCOPECHECK_OP_SCOPE_DRIVE);
  o.scope_join = op(p.scope_join, SCOPECHECK_OP_SCOPE_JOIN);
  o.scope_join_as = op(p.join_begin, SCOPECHECK_OP_JOIN_POLL);
  o.scope_cancel = op(p.scope_cancel, SCOPECHECK_OP_SCOPE_CANCEL);
  o.scope_close = op(p.scope_close, SCOPECHECK_OP_SCOPE_CLOSE);
  o.scope_mobility = mobility(p.move_scope, p.scope_move != nullptr);
  o.handle = p.handle_size != 0;
  o.handle_poll = op(p.handle_poll, SCOPECHECK_OP_HANDLE_POLL);
  o.handle_join = op(p.handle_join, SCOPECHECK_OP_HANDLE_JOIN);
  o.handle_cancel = op(p.handle_cancel, SCOPECHECK_OP_HANDLE_CANCEL);
  o.handle_detach = p.handle_detach != nullptr;
  o.handle_embeds_child = o.handle && p.handle_embeds_child != 0;
  o.handle_borrows_scope = o.handle && o.has_scopes() && p.handle_borrows_scope != 0;
  o.handle_mobility = mobility(p.move_handle, p.handle_move != nullptr);
  o.join_mobility = mobility(p.move_join, p.join_move != nullptr);
  o.spawn_awaited = p.spawn_must_be_awaited != 0;
  o.spawn_without_handle = p.spawn_without_handle != 0;
  o.reserve = op(p.reserve, SCOPECHECK_OP_SPAWN) && p.start != nullptr && o.handle;
  // A child's step may use the API only where every operation it could reach is declared re-entrant.
  const auto can_all = [&](std::uint64_t needed) { return (p.reentrant & needed) == needed; };
  o.spawn_nested = client(SCOPECHECK_CLIENT_SPAWN_NESTED) && can_all(reentrant_for_spawns(p, false));
  o.child_scopes = client(SCOPECHECK_CLIENT_SPAWN_NESTED) && can_all(reentrant_for_spawns(p, true));
  o.blocks = p.child_kind == SCOPECHECK_CHILD_BLOCKS;
  o.keep_waker = client(SCOPECHECK_CLIENT_KEEP_WAKER);
  o.destroy_cancels = p.on_destroy == SCOPECHECK_DESTROY_CANCELS;
  o.throws = client(SCOPECHECK_CLIENT_THROW);
  o.carrier = static_cast<scenario::Carrier>(p.carrier);
  o.threads = (progress & SCOPECHECK_PROGRESS_THREADS) != 0;
  o.yields = o.threads && (p.promises & SCOPECHECK_PROMISE_YIELDS) != 0;
  o.run = op(p.rt_run, SCOPECHECK_OP_RUN) && !o.threads;
  o.inside = op(p.block_on, SCOPECHECK_OP_BLOCK_ON) && client(SCOPECHECK_CLIENT_INSIDE);
  o.async = client(SCOPECHECK_CLIENT_ASYNC);
  o.stack = op(p.stack_init, SCOPECHECK_OP_STACK) && o.async;
  o.box = client(SCOPECHECK_CLIENT_BOX);
  o.move = client(SCOPECHECK_CLIENT_MOVE);
  o.forget = client(SCOPECHECK_CLIENT_FORGET);
  o.forget_in_place = client(SCOPECHECK_CLIENT_FORGET_IN_PLACE);
  o.shutdown = op(p.rt_shutdown, SCOPECHECK_OP_SHUTDOWN) && client(SCOPECHECK_CLIENT_SHUTDOWN);
  if (discipline == scenario::Discipline::no_leak) o.forget = o.forget_in_place = false;
  if (discipline == scenario::Discipline::documented) {
    for (std::uint32_t i = 0; i < p.precondition_count; ++i) {
      switch (p.preconditions[i].kind) {
        case SCOPECHECK_PRE_RUNTIME_OUTLIVES_SCOPE:
          o.pre_runtime_outlives_scope = true;
          break;
        case SCOPECHECK_PRE_WORKER_ONLY:
          o.pre_worker_only = true;
          break;
        case SCOPECHECK_PRE_JOIN_BEFORE_DESTROY:
          o.pre_join_before_destroy = true;
          break;
        case SCOPECHECK_PRE_JOIN_ONCE:
          o.pre_join_once = true;
          break;
        case SCOPECHECK_PRE_NO_SPAWN_AFTER_JOIN:
          o.pre_no_spawn_after_join = true;
          break;
        case SCOPECHECK_PRE_NO_FORGET:
          o.forget = o.forget_in_place = false;
          break;
        default:
          break;
      }
    }
  }
  return o;
}

bool expects_unsound(const scopecheck_plugin& p, std::uint32_t flavour, scenario::Discipline discipline) {
  for (std::uint32_t i = 0; i < p.expectation_count; ++i) {
    const scopecheck_expectation& e = p.expectations[i];
    const bool this_flavour = e.flavour == nullptr || std::string_view(e.flavour) == p.flavours[flavour].name;
    if (this_flavour && e.discipline == static_cast<std::uint32_t>(discipline))
      return e.verdict == SCOPECHECK_EXPECT_UNSOUND;
  }
  return false;
}

}  // namespace scopecheck::interpreter
