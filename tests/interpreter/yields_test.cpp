// Who goes first: yield points stop a thread until a schedule lets it go on, `next` says who goes on when
// several may, a policy decides where the scenario says nothing, and what it chose can be written down.
#include "harness/generator/random.hpp"
#include "impls/platform/latch.hpp"
#include "impls/platform/notify.hpp"
#include "tests/support/lab.hpp"
#include "tests/support/tsan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

namespace scopecheck::tests {
namespace {

using interpreter::Outcome;
using ledger::Event;
using ledger::EventKind;
using scenario::OpKind;
using scenario::Scenario;
using schedule::Choices;
using schedule::Policy;
using testing::Each;
using testing::ElementsAre;

// ---- an implementation that says how far its threads are ------------------------------------------------

std::mutex journal_mutex;
std::vector<std::string> journal;
void said(std::string what) {
  const std::lock_guard lock(journal_mutex);
  journal.push_back(std::move(what));
}

/// A scope whose destructor waits. Children are numbered as they are spawned.
template <bool ClientYields>
struct Stops {
  static constexpr kit::Description description{
      .name = "stops",
      .summary = "for tests",
      .shape = SCOPECHECK_SHAPE_GUARD,
      .carrier = SCOPECHECK_CARRIER_SCOPE,
      .child_kind = SCOPECHECK_CHILD_BLOCKS,
      .progress = SCOPECHECK_PROGRESS_THREADS,
      .promises = SCOPECHECK_PROMISE_YIELDS,
      .on_destroy = SCOPECHECK_DESTROY_BLOCKS,
      .client_ops = SCOPECHECK_CLIENT_BOX | SCOPECHECK_CLIENT_FORGET,
      .may_block = SCOPECHECK_OP_SCOPE_DESTROY,
      .flavours = platform::thread_per_child};
  struct Runtime : platform::Threads {
    Runtime() { journal.clear(); }
    int spawned = 0;
  };
  class Scope {
   public:
    explicit Scope(Runtime& runtime) : runtime_(runtime) {}
    ~Scope() {
      if constexpr (ClientYields) SCOPECHECK_YIELD("about to wait");
      said("client waits");
      running_.wait();
    }
    void spawn(kit::Child child) {
      SCOPECHECK_YIELD("in a call that does not block");
      running_.add();
      const std::string number = std::to_string(runtime_.spawned++);
      runtime_.start([this, number, body = std::move(child)]() mutable {
        SCOPECHECK_YIELD("has run no child");
        said("began " + number);
        static_cast<void>(body.block());
        said("ran " + number);
        body.drop();
        SCOPECHECK_YIELD("dropped its child");
        said("went on " + number);
        running_.done();
      });
    }
    void close() { said("client looks"); }

   private:
    Runtime& runtime_;
    platform::Latch running_;
  };
};

/// What was said of a run, without how threads began: that is not ordered by us.
template <bool ClientYields>
std::vector<std::string> story(std::string_view text, const interpreter::RunOptions& options = {}) {
  Lab lab(kit::table<Stops<ClientYields>>());
  const Scenario program = scenario_of(text);
  EXPECT_TRUE(scenario::check(program, lab.offers())) << text;
  EXPECT_EQ(lab.run(program, options), Outcome::clean) << text;
  std::erase_if(journal, [](const std::string& line) { return line.starts_with("began"); });
  return journal;
}

TEST(YieldPoint, stops_its_thread_until_a_step_of_the_task_that_it_ran_last) {
  EXPECT_THAT(story<false>("scope s0; spawn t0 in s0 { }; step t0; step t0; close s0; step t0; close s0"),
              ElementsAre("ran 0", "client looks", "went on 0", "client looks", "client waits"));
}

TEST(YieldPoint, lets_its_thread_go_on_in_the_final_settle) {
  EXPECT_THAT(story<false>("scope s0 boxed; spawn t0 in s0 { }; step t0; step t0; close s0; forget s0"),
              ElementsAre("ran 0", "client looks", "went on 0"));
}

TEST(YieldPoint, does_not_stop_who_ran_no_child_nor_the_client_where_it_may_not_block) {
  Lab lab(kit::table<Stops<false>>());
  // no step, no waiting call: whoever stopped at a point would still stand there when the client looks
  ASSERT_EQ(lab.run("scope s0 boxed; spawn t0 in s0 { }; close s0; forget s0"), Outcome::clean);
  EXPECT_THAT(journal, ElementsAre("began 0", "client looks", "ran 0", "went on 0"));
}

TEST(YieldPoint, stops_the_client_inside_of_a_call_that_waits_where_it_goes_first_unless_told_otherwise) {
  EXPECT_THAT(story<true>("scope s0; spawn t0 in s0 { }; drop s0"),
              ElementsAre("client waits", "ran 0", "went on 0"));
  EXPECT_THAT(story<true>("scope s0; spawn t0 in s0 { }; next t0; drop s0"),
              ElementsAre("ran 0", "client waits", "went on 0"));
  EXPECT_THAT(story<true>("scope s0; spawn t0 in s0 { }; next t0; next t0; next t0; drop s0"),
              ElementsAre("ran 0", "went on 0", "client waits"));
}

// ---- next -------------------------------------------------------------------------------------------

TEST(Next, puts_a_child_before_one_that_would_go_first_and_only_once) {
  EXPECT_THAT(story<false>("scope s0; spawn t0 in s0 { }; spawn t1 in s0 { }; drop s0"),
              ElementsAre("client waits", "ran 0", "went on 0", "ran 1", "went on 1"));
  EXPECT_THAT(story<false>("scope s0; spawn t0 in s0 { }; spawn t1 in s0 { }; next t1; drop s0"),
              ElementsAre("client waits", "ran 1", "ran 0", "went on 0", "went on 1"));
}

TEST(Next, is_kept_for_who_does_not_wait_yet) {
  const auto told = story<false>(
      "scope s0; scope s1; spawn t0 in s0 { }; spawn t1 in s0 { }; spawn t2 in s1 { }; spawn t3 in s1 { park "
      "};"
      "step t3; next t3; drop s0; close s1; wake t3; drop s1");
  EXPECT_THAT(told, ElementsAre("client waits", "ran 0", "went on 0", "ran 1", "went on 1", "client looks",
                                "client waits", "ran 3", "ran 2", "went on 2", "went on 3"));
}

// ---- policies ---------------------------------------------------------------------------------------

TEST(Policies, decide_where_the_scenario_says_nothing) {
  constexpr auto text = "scope s0; spawn t0 in s0 { }; spawn t1 in s0 { }; drop s0";
  // each in its turn: first steps, then destructors, then what lies behind the yield points
  EXPECT_THAT(story<false>(text, {.order = {.policy = Policy::round_robin}}),
              ElementsAre("client waits", "ran 0", "ran 1", "went on 0", "went on 1"));
  for (const Policy policy : {Policy::random, Policy::pct}) {
    std::set<std::vector<std::string>> seen;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      const interpreter::RunOptions drawn{.order = {.policy = policy, .seed = seed}};
      seen.insert(story<false>(text, drawn));
      EXPECT_EQ(story<false>(text, drawn), story<false>(text, drawn));
    }
    EXPECT_GE(seen.size(), 3u);
  }
}

/// The ledger without what `next` itself leaves in it, its ops numbered as in the scenario without any.
std::vector<Event> without_next(const Lab& lab, const Scenario& program) {
  std::vector<Event> events;
  for (Event event : lab.ledger().events()) {
    const bool in_program = event.op < program.ops.size();
    if (in_program && program.ops[event.op].kind == OpKind::next) continue;
    const auto before = program.ops.begin() +
                        static_cast<std::ptrdiff_t>(std::min<std::size_t>(event.op, program.ops.size()));
    event.op = static_cast<decltype(event.op)>(
        event.op - std::ranges::count(program.ops.begin(), before, OpKind::next, &scenario::Op::kind));
    events.push_back(event);
  }
  return events;
}

struct Subject {
  const char* implementation;
  std::uint32_t flavour;
  bool several_threads;  ///< that wait at once
};

/// Not what could wait for ever, nor what ends the process: neither can be run twice here. And nothing that
/// says itself who goes first.
bool can_be_compared(const Scenario& program) {
  return std::ranges::none_of(program.ops, [](const scenario::Op& op) {
    return op.kind == OpKind::park || op.kind == OpKind::throw_bomb || op.kind == OpKind::next;
  });
}

TEST(Policies, choose_what_can_be_written_into_the_scenario_and_then_happens_again) {
  const tsan::ExpectRaces race;  // scopes are forgotten
  for (const auto& [name, flavour, several] :
       {Subject{"blocking_guard", 0, false}, Subject{"blocking_guard", 1, true},
        Subject{"scoped_threads", 0, true}}) {
    Choices notes;
    Lab lab(registered_plugin(name), scenario::Discipline::safe, flavour);
    lab.machine().note_choices(notes);
    scenario::Offers offers = lab.offers();
    offers.inside = offers.child_scopes =
        false;  // a worker that waits for itself hangs, which ends the process
    offers.forget = offers.forget && !offers.scope_enter;
    generator::Random random(offers, generator::random_bounds(), 1, {.least = 3, .most = 14});
    int replayed = 0;
    int misplaced = 0;
    for (int i = 0; i < 400; ++i) {
      const Scenario program = random.next();
      if (!can_be_compared(program)) continue;
      for (const Policy policy : {Policy::round_robin, Policy::random, Policy::pct}) {
        ASSERT_EQ(lab.run(program, {.order = {.policy = policy, .seed = static_cast<std::uint64_t>(i)}}),
                  Outcome::clean)
            << scenario::to_text(program);
        // A choice for the client cannot be written down, but there is none: these have no yield points.
        for (const schedule::Choice& choice : notes) ASSERT_LT(choice.lane, scenario::max_tasks);
        if (notes.empty() || notes.full()) continue;
        const std::vector<Event> events = lab.events();
        const Scenario written = interpreter::as_scheduled(program, notes);
        if (!scenario::check(written, lab.offers())) {
          ++misplaced;  // a choice made in the midst of a body that is not the client's
          continue;
        }
        ASSERT_EQ(lab.run(written, {}), Outcome::clean);
        ASSERT_TRUE(without_next(lab, written) == events)
            << schedule::policy_names[static_cast<std::size_t>(policy)] << " chose something else in\n"
            << scenario::to_text(written);
        ++replayed;
      }
    }
    if (several)
      EXPECT_GE(replayed, 40) << name << '.' << flavour << " has next to no choices";
    else
      EXPECT_EQ(replayed, 0) << "one thread never leaves a choice";
    EXPECT_LE(misplaced * 10, replayed) << name << '.' << flavour;
  }
}

TEST(Policies, choose_the_client_at_times_which_a_scenario_says_by_asking_for_nobody) {
  // `next` names tasks: where a policy let a task go first only now and then, the choices in between, which
  // were for the client, are nobody's in the written scenario, and it goes first by itself.
  Choices notes;
  Lab lab(kit::table<Stops<true>>());
  lab.machine().note_choices(notes);
  const Scenario program = scenario_of("scope s0; spawn t0 in s0 { }; spawn t1 in s0 { }; drop s0");
  int client_first = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    ASSERT_EQ(lab.run(program, {.order = {.policy = Policy::random, .seed = seed}}), Outcome::clean);
    if (notes.empty() || notes[0].lane != schedule::client) continue;
    ++client_first;
    const Scenario written = interpreter::as_scheduled(program, notes);
    EXPECT_EQ(std::ranges::count(written.ops, OpKind::next, &scenario::Op::kind),
              static_cast<std::ptrdiff_t>(notes.size()) - 1);
  }
  EXPECT_GT(client_first, 3);
}

}  // namespace
}  // namespace scopecheck::tests
