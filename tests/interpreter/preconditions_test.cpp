// Documented preconditions about joins, as the run decides them: a client that breaks one ends its run as a
// discard at that very op, under the discipline `documented` alone; each beside a twin that keeps it.
#include "tests/interpreter/spies.hpp"
#include "tests/support/lab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace scopecheck::tests {
namespace {

using interpreter::Outcome;
using ledger::EventKind;
using scenario::Discipline;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// The spy with a scope, as an API that documents one precondition.
scopecheck_plugin documents(std::uint32_t kind) {
  static std::array<scopecheck_precondition, 8> declared{};
  declared[kind] = {kind, 0, "https://example.org"};
  scopecheck_plugin plugin = kit::table<GuardSpy>();
  plugin.preconditions = &declared[kind];
  plugin.precondition_count = 1;
  return plugin;
}

struct Breach {
  std::uint32_t kind;
  std::string program;
  std::string broken_at;  ///< the line; "": where the outermost frame ends
};

std::string line_at(const std::string& program, std::size_t op) {
  const scenario::Scenario parsed = scenario_of(program);
  return op < parsed.ops.size() ? scenario::line_of(parsed, op, scenario::Names(parsed)) : "";
}

constexpr std::uint32_t before_destroy = SCOPECHECK_PRE_JOIN_BEFORE_DESTROY;
constexpr std::uint32_t once = SCOPECHECK_PRE_JOIN_ONCE;
constexpr std::uint32_t no_spawn = SCOPECHECK_PRE_NO_SPAWN_AFTER_JOIN;

TEST(Precondition, that_is_broken_ends_the_run_there_and_only_where_it_is_documented) {
  for (const Breach& breach : std::vector<Breach>{
           // however the scope is destroyed
           {before_destroy, "scope s0; spawn t0 in s0 { }", ""},
           {before_destroy, "frame { scope s0; spawn t0 in s0 { } }; settle", "}"},
           {before_destroy, "catch { scope s0; spawn t0 in s0 { park }; throw }", "throw"},
           {before_destroy, "async b0 { scope s0; spawn t0 in s0 { park }; suspend }; poll b0; drop b0",
            "drop b0"},
           {before_destroy, "async b0 { scope s0; spawn t0 in s0 { park }; suspend }; poll b0", ""},
           // a join that is not done, and one that was done before the last child came
           {before_destroy,
            "scope s0; spawn t0 in s0 { park }; join s0 as j0; poll j0; drop j0; drop s0; settle", "drop s0"},
           {before_destroy, "scope s0; spawn t0 in s0 { park }; join s0 as j0", ""},
           {before_destroy, "scope s0; join s0; spawn t0 in s0 { }; drop s0; settle", "drop s0"},
           // the text alone does not say that the future is polled
           {once, "scope s0; join s0 as j0; async b0 { poll j0 }; poll b0; join s0; settle", "join s0"},
           {once, "scope s0; catch { join s0 }; join s0; settle", "join s0"},
           {no_spawn, "scope s0; join s0 as j0; async b0 { poll j0 }; poll b0; spawn t0 in s0 { }; settle",
            "spawn t0 in s0 {"},
       }) {
    Lab lab(documents(breach.kind), Discipline::documented);
    EXPECT_EQ(lab.run(breach.program), Outcome::discard) << breach.program;
    ASSERT_THAT(lab.events(EventKind::discarded), SizeIs(1)) << breach.program;
    const ledger::Event last = lab.events().back();
    EXPECT_EQ(last.kind, EventKind::discarded) << "something ran on: " << breach.program;
    EXPECT_EQ(last.subject, 0) << breach.program;
    EXPECT_EQ(last.detail, breach.kind) << breach.program;
    EXPECT_EQ(line_at(breach.program, last.op), breach.broken_at) << breach.program;
    Lab safe(documents(breach.kind));
    EXPECT_EQ(safe.run(breach.program), Outcome::clean) << "under `safe` nobody asks: " << breach.program;
    EXPECT_EQ(safe.count(EventKind::discarded), 0u);
  }
}

TEST(Precondition, that_is_kept_leaves_the_run_alone) {
  for (const auto& [kind, program] : std::vector<std::pair<std::uint32_t, std::string>>{
           {before_destroy, "scope s0; drop s0; scope s1"},  // never used
           {before_destroy, "scope s0; spawn t0 in s0 { yield }; join s0; drop s0"},
           {before_destroy, "scope s0; spawn t0 in s0 { }; join s0 as j0; settle; poll j0; drop j0; drop s0"},
           {before_destroy, "catch { scope s0; spawn t0 in s0 { }; join s0; throw }"},
           // what is forgotten is not destroyed: that is another precondition
           {before_destroy, "scope s0 boxed; spawn t0 in s0 { park }; forget s0"},
           {before_destroy,
            "async b0 boxed { scope s0; spawn t0 in s0 { park }; suspend }; poll b0; forget b0"},
           {once, "scope s0; join s0 as j0; async b0 { poll j0 }; join s0; settle"},  // b0 never ran
           {once, "scope s0; spawn t0 in s0 { park }; join s0 as j0; poll j0; poll j0; drop j0"},
           {once, "scope s0; join s0 as j0; join s0 as j1; drop j0; poll j1"},
           {no_spawn, "scope s0; join s0 as j0; async b0 { poll j0 }; spawn t0 in s0 { }; settle"},
           {no_spawn, "scope s0; join s0; scope s1; spawn t0 in s1 { }; settle"},  // another scope
       }) {
    Lab lab(documents(kind), Discipline::documented);
    EXPECT_EQ(lab.run(program), Outcome::clean) << program;
    EXPECT_EQ(lab.count(EventKind::discarded), 0u) << program;
  }
}

TEST(Precondition, of_a_child_that_the_scope_refused_does_not_count) {
  scopecheck_plugin plugin = documents(before_destroy);
  plugin.spawn = [](void*, void*, scopecheck_child* child, void*) -> scopecheck_status {
    kit::host().child_drop(child);
    return SCOPECHECK_CLOSED;
  };
  Lab lab(plugin, Discipline::documented);
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { }"), Outcome::clean) << "nothing was ever in it";
}

TEST(Precondition, that_is_broken_leaves_what_was_found_before) {
  Lab lab("counting_scope", Discipline::documented);
  EXPECT_EQ(lab.run("frame { cell x; scope s0 boxed; spawn t0 in s0 borrow mut x { write x }; forget s0 }; "
                    "settle; scope s1; spawn t1 in s1 { }"),
            Outcome::discard);
  EXPECT_THAT(lab.signatures(), ElementsAre("use-after-scope(forget, frame-end, write)"));
}

TEST(Precondition, that_is_broken_leaves_a_machine_that_runs_like_a_fresh_one) {
  Lab used(documents(before_destroy), Discipline::documented);
  Lab fresh(documents(before_destroy), Discipline::documented);
  const std::string after = "cell x; scope s0; spawn t0 in s0 borrow mut x { write x }; join s0";
  ASSERT_EQ(used.run("catch { scope s0; spawn t0 in s0 { park }; throw }"), Outcome::discard);
  EXPECT_EQ(used.run(after), Outcome::clean);
  EXPECT_EQ(fresh.run(after), Outcome::clean);
  EXPECT_EQ(used.events(), fresh.events());
}

TEST(Precondition, about_joins_is_refused_at_load_where_nothing_can_be_joined) {
  scopecheck_plugin plugin = documents(before_destroy);
  const auto valid = interpreter::validate(plugin);
  EXPECT_TRUE(valid.has_value()) << valid.error();
  plugin.scope_join = nullptr;
  EXPECT_TRUE(interpreter::validate(plugin).has_value()) << "there are join objects";
  plugin.join_begin = nullptr;
  plugin.join_poll = nullptr;
  plugin.join_destroy = nullptr;
  EXPECT_FALSE(interpreter::validate(plugin).has_value());
  static constexpr scopecheck_precondition unknown{7, 0, "https://example.org"};
  plugin = kit::table<GuardSpy>();
  plugin.preconditions = &unknown;
  plugin.precondition_count = 1;
  EXPECT_FALSE(interpreter::validate(plugin).has_value()) << "the list is closed";
}

TEST(Carrier, is_never_a_join_object) {
  scopecheck_plugin plugin = kit::table<GuardSpy>();
  plugin.carrier = SCOPECHECK_CARRIER_HANDLE + 1;
  EXPECT_FALSE(interpreter::validate(plugin).has_value());
}

// ---- counting_scope: the awaitable shape ---------------------------------------------------------------

TEST(CountingScope, is_joined_by_an_object_that_wakes_whoever_awaits_it) {
  Lab lab("counting_scope");
  const std::string text =
      "scope s0; spawn t0 in s0 { park }; settle; inside { join s0 as j0; wake t0; await j0 }; drop s0";
  EXPECT_EQ(lab.run(text), Outcome::clean);
  EXPECT_LT(lab.at(EventKind::child_dropped, 0), lab.at(EventKind::joined, 1));
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { park }; inside { join s0 as j0; await j0 }"), Outcome::hang);
}

TEST(CountingScope, terminates_when_it_is_destroyed_and_not_joined) {
  const CatchFailStops fail_stops;
  Lab lab("counting_scope");
  EXPECT_EQ(lab.run("scope s0"), Outcome::clean) << "unused";
  EXPECT_EQ(lab.run("scope s0; close s0"), Outcome::clean) << "unused and closed";
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { }; settle"), Outcome::fail_stop) << "all done, not joined";
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { park }; join s0 as j0; poll j0"), Outcome::fail_stop);
  EXPECT_EQ(lab.run("catch { scope s0; spawn t0 in s0 { park }; throw }"), Outcome::fail_stop);
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { }; join s0 as j0; drop j0; join s0"), Outcome::clean);
}

TEST(CountingScope, takes_children_while_it_is_being_joined_but_not_when_closed_or_joined) {
  const CatchFailStops fail_stops;
  Lab lab("counting_scope");
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { park }; settle; join s0 as j0; poll j0; spawn t1 in s0 { }; "
                    "wake t0; settle; poll j0"),
            Outcome::clean);
  EXPECT_TRUE(lab.happened(EventKind::finished, 1));
  EXPECT_TRUE(lab.happened(EventKind::joined, 1));
  EXPECT_EQ(lab.run("scope s0; join s0; spawn t0 in s0 { }"), Outcome::clean);
  EXPECT_THAT(lab.subjects(EventKind::refused), ElementsAre(0));
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { yield; spawn t1 in s0 { } }; join s0"), Outcome::clean);
  EXPECT_TRUE(lab.happened(EventKind::finished, 1)) << "a child of a child is waited for";
  EXPECT_EQ(lab.run("scope s0; spawn t0 in s0 { park; spawn t1 in s0 { } }; close s0; settle; wake t0; "
                    "join s0"),
            Outcome::clean);
  EXPECT_THAT(lab.subjects(EventKind::refused), ElementsAre(1));
}

TEST(CountingScope, that_is_forgotten_lets_its_children_run_on) {
  Lab lab("counting_scope");
  lab.run("cell x; scope s0 boxed; spawn t0 in s0 borrow mut x { write x }; forget s0");
  EXPECT_THAT(lab.signatures(), ElementsAre("use-after-scope(forget, frame-end, write)"));
  Lab no_leak("counting_scope", Discipline::no_leak);
  EXPECT_FALSE(no_leak.offers().forget);
  EXPECT_EQ(no_leak.run("cell x; scope s0 boxed; spawn t0 in s0 borrow mut x { write x }; join s0"),
            Outcome::clean);
  EXPECT_THAT(no_leak.signatures(), IsEmpty());
}

}  // namespace
}  // namespace scopecheck::tests
