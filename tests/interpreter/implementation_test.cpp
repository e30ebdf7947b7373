// What a plugin may say about itself: tables that contradict themselves, or claim what the rest of them makes
// unreachable, are refused with a sentence.
#include "harness/interpreter/implementation.hpp"

#include "tests/support/lab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scopecheck::tests {
namespace {

using testing::HasSubstr;

/// What the harness says about a plugin of the tree, changed.
template <class Change>
std::string refusal(const char* name, Change change) {
  scopecheck_plugin plugin = registered_plugin(name);
  change(plugin);
  const auto valid = interpreter::validate(plugin);
  return valid ? "accepted" : valid.error();
}

TEST(Validate, accepts_every_implementation_in_the_tree) {
  for (const scopecheck_plugin* plugin : abi::registered()) {
    const auto valid = interpreter::validate(*plugin);
    EXPECT_TRUE(valid.has_value()) << valid.error();
  }
}

TEST(Validate, refuses_a_claim_about_clients_that_no_client_could_use) {
  EXPECT_EQ(refusal("heap_spawn", [](scopecheck_plugin&) {}), "accepted");
  for (const std::uint64_t missing : {SCOPECHECK_OP_SPAWN, SCOPECHECK_OP_HANDLE_DESTROY,
                                      SCOPECHECK_OP_HANDLE_POLL, SCOPECHECK_OP_HANDLE_CANCEL})
    EXPECT_THAT(refusal("heap_spawn", [&](scopecheck_plugin& p) { p.reentrant &= ~missing; }),
                HasSubstr("SPAWN_NESTED"));
  EXPECT_EQ(refusal("heap_spawn",
                    [](scopecheck_plugin& p) {
                      p.reentrant = 0;
                      p.client_ops &= ~SCOPECHECK_CLIENT_SPAWN_NESTED;
                    }),
            "accepted");
  EXPECT_THAT(refusal("heap_spawn",
                      [](scopecheck_plugin& p) {
                        p.client_ops |= SCOPECHECK_CLIENT_INSIDE;
                        p.block_on = nullptr;
                      }),
              HasSubstr("INSIDE"));
  EXPECT_THAT(refusal("heap_spawn", [](scopecheck_plugin& p) { p.rt_shutdown = nullptr; }),
              HasSubstr("SHUTDOWN"));
  EXPECT_THAT(refusal("heap_spawn", [](scopecheck_plugin& p) { p.handle_move = nullptr; }),
              HasSubstr("move_handle"));
  EXPECT_THAT(refusal("heap_spawn", [](scopecheck_plugin& p) { p.move_handle = 9; }),
              HasSubstr("move_handle"));
  EXPECT_EQ(refusal("heap_spawn",
                    [](scopecheck_plugin& p) { p.move_scope = p.move_join = SCOPECHECK_MOVE_ALWAYS; }),
            "accepted")
      << "what a C table leaves out is 0, and there are no such values";
}

TEST(Validate, refuses_a_closure_whose_table_contradicts_itself) {
  EXPECT_EQ(refusal("draining_closure", [](scopecheck_plugin&) {}), "accepted");
  EXPECT_THAT(refusal("draining_closure", [](scopecheck_plugin& p) { p.scope_enter = nullptr; }),
              HasSubstr("needs scope_enter"));
  EXPECT_THAT(refusal("draining_closure", [](scopecheck_plugin& p) { p.shape = SCOPECHECK_SHAPE_GUARD; }),
              HasSubstr("shape"));
  EXPECT_THAT(refusal("draining_closure", [](scopecheck_plugin& p) { p.scope_size = 0; }),
              HasSubstr("scope_size"));
  EXPECT_THAT(refusal("draining_closure",
                      [](scopecheck_plugin& p) {
                        p.carrier = SCOPECHECK_CARRIER_NONE;
                        p.client_ops |= SCOPECHECK_CLIENT_SPAWN_NESTED;
                      }),
              HasSubstr("SPAWN_NESTED"));
  EXPECT_THAT(refusal("draining_closure",
                      [](scopecheck_plugin& p) {
                        const scopecheck_plugin& guard = registered_plugin("reentrant_drain");
                        p.scope_init = guard.scope_init;
                        p.scope_destroy = guard.scope_destroy;
                      }),
              HasSubstr("never own a scope"));
  EXPECT_THAT(
      refusal("draining_closure",
              [](scopecheck_plugin& p) { p.scope_drive = registered_plugin("parent_driven").scope_drive; }),
      HasSubstr("shared reference"));
  EXPECT_THAT(refusal("draining_closure", [](scopecheck_plugin& p) { p.may_block = 0; }),
              HasSubstr("may_block"));
  EXPECT_THAT(refusal("draining_closure",
                      [](scopecheck_plugin& p) {
                        const scopecheck_plugin& threads = registered_plugin("scoped_threads");
                        p.handle_size = threads.handle_size;
                        p.handle_align = threads.handle_align;
                        p.handle_destroy = threads.handle_destroy;
                        p.carrier = SCOPECHECK_CARRIER_HANDLE;
                      }),
              HasSubstr("carrier HANDLE"));
}

TEST(Validate, refuses_suspendable_stacks_that_contradict_the_rest) {
  const auto without = [](auto member) {
    return refusal("suspendable_stack", [&](scopecheck_plugin& p) { p.*member = nullptr; });
  };
  EXPECT_EQ(refusal("suspendable_stack", [](scopecheck_plugin&) {}), "accepted");
  EXPECT_THAT(without(&scopecheck_plugin::stack_init), HasSubstr("go together"));
  EXPECT_THAT(without(&scopecheck_plugin::stack_resume), HasSubstr("go together"));
  EXPECT_THAT(without(&scopecheck_plugin::stack_suspend), HasSubstr("go together"));
  EXPECT_THAT(without(&scopecheck_plugin::stack_destroy), HasSubstr("go together"));
  EXPECT_THAT(refusal("suspendable_stack", [](scopecheck_plugin& p) { p.stack_size = 0; }),
              HasSubstr("stack_size and the functions"));
  EXPECT_THAT(refusal("draining_closure", [](scopecheck_plugin& p) { p.stack_size = 8; }),
              HasSubstr("stack_size and the functions"));
  EXPECT_THAT(refusal("suspendable_stack", [](scopecheck_plugin& p) { p.stack_align = 3; }),
              HasSubstr("stack_align"));
  EXPECT_THAT(refusal("suspendable_stack", [](scopecheck_plugin& p) { p.stack_size = 4097; }),
              HasSubstr("at most 4096"));
  EXPECT_THAT(
      refusal("suspendable_stack", [](scopecheck_plugin& p) { p.client_ops &= ~SCOPECHECK_CLIENT_ASYNC; }),
      HasSubstr("claim client op ASYNC"));
  EXPECT_THAT(refusal("blocking_closure",
                      [](scopecheck_plugin& p) {
                        const scopecheck_plugin& stacks = registered_plugin("suspendable_stack");
                        p.stack_size = stacks.stack_size;
                        p.stack_align = stacks.stack_align;
                        p.stack_init = stacks.stack_init;
                        p.stack_resume = stacks.stack_resume;
                        p.stack_suspend = stacks.stack_suspend;
                        p.stack_destroy = stacks.stack_destroy;
                        p.client_ops |= SCOPECHECK_CLIENT_ASYNC;
                      }),
              HasSubstr("beside threads"));
}

TEST(Validate, refuses_words_that_cannot_be_printed_or_say_nothing) {
  EXPECT_THAT(refusal("heap_spawn", [](scopecheck_plugin& p) { p.name = nullptr; }), HasSubstr("name"));
  EXPECT_THAT(refusal("heap_spawn", [](scopecheck_plugin& p) { p.version = nullptr; }), HasSubstr("version"));
  EXPECT_THAT(refusal("heap_spawn", [](scopecheck_plugin& p) { p.name = "two\nlines"; }),
              HasSubstr("printable"));
  static constexpr scopecheck_evidence no_source[] = {{SCOPECHECK_CLIENT_FORGET, nullptr}};
  EXPECT_THAT(refusal("heap_spawn",
                      [](scopecheck_plugin& p) {
                        p.evidence = no_source;
                        p.evidence_count = 1;
                      }),
              HasSubstr("evidence"));
  static constexpr scopecheck_flavour twins[] = {{.name = "a"}, {.name = "a"}};
  EXPECT_THAT(refusal("heap_spawn",
                      [](scopecheck_plugin& p) {
                        p.flavours = twins;
                        p.flavour_count = 2;
                      }),
              HasSubstr("two flavours"));
  static constexpr scopecheck_expectation of_nobody[] = {
      {"no-such-flavour", SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND, "why"}};
  EXPECT_THAT(refusal("heap_spawn",
                      [](scopecheck_plugin& p) {
                        p.expectations = of_nobody;
                        p.expectation_count = 1;
                      }),
              HasSubstr("no-such-flavour"));
  static constexpr scopecheck_expectation unheard_of[] = {{nullptr, 77, SCOPECHECK_EXPECT_UNSOUND, "why"}};
  EXPECT_THAT(refusal("heap_spawn",
                      [](scopecheck_plugin& p) {
                        p.expectations = unheard_of;
                        p.expectation_count = 1;
                      }),
              HasSubstr("unknown discipline"));
}

}  // namespace
}  // namespace scopecheck::tests
