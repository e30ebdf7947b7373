// What a plugin may say about itself: tables that contradict themselves, or claim what the rest of them makes
// unreachable, are refused with a sentence.
#include "harness/interpreter/implementation.hpp"

#include "tests/support/lab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scopecheck::tests {
namespace {

using testing::HasSubstr;

/// What the harness says about heap_spawn, changed.
template <class Change>
std::string refusal(Change change) {
  scopecheck_plugin plugin = registered_plugin("heap_spawn");
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
  EXPECT_EQ(refusal([](scopecheck_plugin&) {}), "accepted");
  for (const std::uint64_t missing : {SCOPECHECK_OP_SPAWN, SCOPECHECK_OP_HANDLE_DESTROY,
                                      SCOPECHECK_OP_HANDLE_POLL, SCOPECHECK_OP_HANDLE_CANCEL})
    EXPECT_THAT(refusal([&](scopecheck_plugin& p) { p.reentrant &= ~missing; }), HasSubstr("SPAWN_NESTED"));
  EXPECT_EQ(refusal([](scopecheck_plugin& p) {
              p.reentrant = 0;
              p.client_ops &= ~SCOPECHECK_CLIENT_SPAWN_NESTED;
            }),
            "accepted");
  EXPECT_THAT(refusal([](scopecheck_plugin& p) {
                p.client_ops |= SCOPECHECK_CLIENT_INSIDE;
                p.block_on = nullptr;
              }),
              HasSubstr("INSIDE"));
  EXPECT_THAT(refusal([](scopecheck_plugin& p) { p.rt_shutdown = nullptr; }), HasSubstr("SHUTDOWN"));
  EXPECT_THAT(refusal([](scopecheck_plugin& p) { p.handle_move = nullptr; }), HasSubstr("move_handle"));
  EXPECT_THAT(refusal([](scopecheck_plugin& p) { p.move_scope = 9; }), HasSubstr("move_scope"));
}

TEST(Validate, refuses_words_that_cannot_be_printed_or_say_nothing) {
  EXPECT_THAT(refusal([](scopecheck_plugin& p) { p.name = nullptr; }), HasSubstr("name"));
  EXPECT_THAT(refusal([](scopecheck_plugin& p) { p.version = nullptr; }), HasSubstr("version"));
  EXPECT_THAT(refusal([](scopecheck_plugin& p) { p.name = "two\nlines"; }), HasSubstr("printable"));
  static constexpr scopecheck_evidence no_source[] = {{SCOPECHECK_CLIENT_FORGET, nullptr}};
  EXPECT_THAT(refusal([](scopecheck_plugin& p) {
                p.evidence = no_source;
                p.evidence_count = 1;
              }),
              HasSubstr("evidence"));
  static constexpr scopecheck_flavour twins[] = {{.name = "a"}, {.name = "a"}};
  EXPECT_THAT(refusal([](scopecheck_plugin& p) {
                p.flavours = twins;
                p.flavour_count = 2;
              }),
              HasSubstr("two flavours"));
  static constexpr scopecheck_expectation of_nobody[] = {
      {"no-such-flavour", SCOPECHECK_DISCIPLINE_SAFE, SCOPECHECK_EXPECT_UNSOUND, "why"}};
  EXPECT_THAT(refusal([](scopecheck_plugin& p) {
                p.expectations = of_nobody;
                p.expectation_count = 1;
              }),
              HasSubstr("no-such-flavour"));
  static constexpr scopecheck_expectation unheard_of[] = {{nullptr, 77, SCOPECHECK_EXPECT_UNSOUND, "why"}};
  EXPECT_THAT(refusal([](scopecheck_plugin& p) {
                p.expectations = unheard_of;
                p.expectation_count = 1;
              }),
              HasSubstr("unknown discipline"));
}

}  // namespace
}  // namespace scopecheck::tests
