// Stackful coroutines by themselves: what a switch must keep apart, and how a suspended one ends.
#include "impls/platform/stackful.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace scopecheck::tests {
namespace {

using kit::Poll;
using platform::Coroutine;
using platform::Stacks;
using testing::ElementsAre;

using Body = std::function<void(Coroutine&)>;

/// A coroutine with a body of the test's.
class Routine {
 public:
  Routine(Stacks& stacks, Body body) : body_(std::move(body)) {
    constexpr scopecheck_body run = [](void* data, void*) -> scopecheck_status {
      auto& self = *static_cast<Routine*>(data);
      try {
        self.body_(*self.coroutine_);
        return SCOPECHECK_OK;
      } catch (...) {
        return SCOPECHECK_THROWN;
      }
    };
    coroutine_.emplace(stacks, kit::Body(run, this, nullptr));
  }
  Poll resume() { return coroutine_->resume(); }
  void destroy() { coroutine_.reset(); }

 private:
  Body body_;
  std::optional<Coroutine> coroutine_;
};

struct Note {
  std::vector<std::string>& notes;
  const char* text;
  ~Note() { notes.push_back(std::string(text) + (std::uncaught_exceptions() > 0 ? ", unwinding" : "")); }
};

TEST(Stackful, goes_on_where_it_was_suspended) {
  Stacks stacks;
  std::vector<int> steps;
  Routine routine(stacks, [&](Coroutine& self) {
    for (int i = 0; i < 3; ++i) {
      steps.push_back(i);
      self.suspend();
    }
  });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(routine.resume(), Poll::pending);
    steps.push_back(10 + i);
  }
  EXPECT_EQ(routine.resume(), Poll::ready);
  EXPECT_THAT(steps, ElementsAre(0, 10, 1, 11, 2, 12));
}

TEST(Stackful, unwinds_when_it_is_destroyed_suspended) {
  Stacks stacks;
  std::vector<std::string> notes;
  Routine suspended(stacks, [&](Coroutine& self) {
    const Note outer{notes, "outer"};
    try {
      const Note inner{notes, "inner"};
      self.suspend();
    } catch (const Coroutine::Unwound&) {
      notes.emplace_back("caught");
      self.suspend();  // nobody resumes what is being destroyed
    }
    notes.emplace_back("never");
  });
  EXPECT_EQ(suspended.resume(), Poll::pending);
  suspended.destroy();
  EXPECT_THAT(notes, ElementsAre("inner, unwinding", "caught", "outer, unwinding"));

  notes.clear();
  Routine untouched(stacks, [&](Coroutine&) { notes.emplace_back("ran"); });
  untouched.destroy();
  EXPECT_THAT(notes, ElementsAre()) << "what never began has nothing to unwind";
}

TEST(Stackful, hands_a_panic_to_whoever_resumes) {
  Stacks stacks;
  Routine routine(stacks, [](Coroutine& self) {
    self.suspend();
    throw 1;
  });
  EXPECT_EQ(routine.resume(), Poll::pending);
  EXPECT_THROW(routine.resume(), kit::Body::Panicked);
}

TEST(Stackful, has_exceptions_in_flight_of_its_own) {
  Stacks stacks;
  std::vector<int> in_flight;
  Routine routine(stacks, [&](Coroutine& self) {
    in_flight.push_back(std::uncaught_exceptions());
    try {
      throw std::string("on the stack");
    } catch (const std::string&) {
      self.suspend();
      in_flight.push_back(std::uncaught_exceptions());
      try {
        throw;  // what it had caught when it was suspended
      } catch (const std::string& text) {
        EXPECT_EQ(text, "on the stack");
      }
    }
  });
  struct Resumes {
    Routine& routine;
    std::vector<int>& in_flight;
    ~Resumes() {
      EXPECT_EQ(routine.resume(), Poll::pending);
      in_flight.push_back(std::uncaught_exceptions());
    }
  };
  try {
    const Resumes resumes{routine, in_flight};
    throw 7;
  } catch (int seven) {
    EXPECT_EQ(routine.resume(), Poll::ready);
    EXPECT_EQ(seven, 7);
    try {
      throw;
    } catch (int again) {
      EXPECT_EQ(again, 7);
    }
  }
  EXPECT_THAT(in_flight, ElementsAre(0, 1, 0)) << "none on the stack, one where it was resumed";
  EXPECT_EQ(std::uncaught_exceptions(), 0);
}

TEST(Stackful, nests) {
  Stacks stacks;
  std::string trace;
  Routine inner(stacks, [&](Coroutine& self) {
    trace += 'b';
    self.suspend();
    trace += 'd';
  });
  Routine outer(stacks, [&](Coroutine& self) {
    trace += 'a';
    inner.resume();
    trace += 'c';
    self.suspend();
    trace += 'e';
  });
  outer.resume();
  inner.resume();  // from another stack than before
  outer.resume();
  EXPECT_EQ(trace, "abcde");
}

TEST(Stackful, that_is_forgotten_keeps_its_stack_until_the_next_runtime) {
  static auto& forgotten = *new std::vector<Routine*>;  // reachable: no leak for LeakSanitizer
  int* kept = nullptr;
  for (int round = 0; round < 50; ++round) {
    Stacks stacks;
    forgotten.push_back(new Routine(stacks, [&](Coroutine& self) {
      int here = round;
      kept = &here;
      self.suspend();
    }));
    forgotten.back()->resume();
    Routine other(stacks, [](Coroutine& self) {
      volatile int noise[64] = {};
      self.suspend();
      noise[0] = noise[1];
    });
    other.resume();
    other.resume();
    EXPECT_EQ(*kept, round);
  }
}

}  // namespace
}  // namespace scopecheck::tests
