// The canaries do what their first line says: each planted defect is there, and it is the only one.
#include "tests/designs/fake_host.hpp"
#include "tests/support/lab.hpp"

#include <optional>

namespace scopecheck::tests {
namespace {

/// One child in one handle of a canary, spawned and let run once.
struct Planted {
  explicit Planted(const char* name) : runtime(name) {
    handle.emplace(runtime.table().handle_size, runtime.table().handle_align);
    child.body = [this](FakeChild::Step step) {
      kept.keep(step.waker);
      return body(step);
    };
    EXPECT_EQ(runtime.spawn(nullptr, child, *handle), SCOPECHECK_OK);
  }
  scopecheck_status poll() {
    const scopecheck_waker raw = client_waker.raw();
    scopecheck_object* out = nullptr;
    return runtime.table().handle_poll(handle->get(), &raw, &out);
  }
  void drop() { runtime.drop_handle(*handle); }

  FakeChild child;
  std::function<scopecheck_status(FakeChild::Step)> body = [](FakeChild::Step) { return SCOPECHECK_PENDING; };
  KeptWaker kept;
  Runtime runtime;
  std::optional<Value> handle;  // engaged at once
};

TEST(Canaries, sound_drops_its_child_with_its_handle_and_stays_quiet) {
  Planted planted("canary_sound");
  planted.runtime.run();
  planted.drop();
  EXPECT_EQ(planted.child.drops, 1);
  planted.kept.wake();
  planted.runtime.run();
  EXPECT_EQ(planted.child.steps, 1);
  EXPECT_EQ(offences.total(), 0);
}

TEST(Canaries, detach_steps_late) {
  Planted planted("canary_detach");
  planted.body = [](FakeChild::Step) { return SCOPECHECK_OK; };
  planted.drop();
  planted.runtime.run();
  EXPECT_EQ(planted.child.steps, 1);
}

TEST(Canaries, late_drop_destroys_late_but_never_steps_late) {
  Planted planted("canary_late_drop");
  planted.drop();
  EXPECT_EQ(planted.child.drops, 0);
  planted.runtime.run();
  EXPECT_EQ(planted.child.drops, 1);
  EXPECT_EQ(planted.child.steps, 0);
}

TEST(Canaries, late_result_destroys_only_the_result_late) {
  FakeObject result;
  Planted planted("canary_late_result");
  planted.body = [&](FakeChild::Step step) {
    *step.out = result.raw();
    return SCOPECHECK_OK;
  };
  planted.runtime.run();
  planted.drop();
  EXPECT_EQ(planted.child.drops, 1);
  EXPECT_EQ(result.drops, 0);
  planted.runtime.run();
  EXPECT_EQ(result.drops, 1);
}

TEST(Canaries, late_bookkeeping_writes_into_dead_storage) {
  {
    Planted planted("canary_late_handle_bookkeeping");
    std::vector<unsigned char> before(planted.runtime.table().handle_size);
    planted.drop();
    std::memcpy(before.data(), planted.handle->get(), before.size());
    EXPECT_EQ(planted.child.drops, 1);
    planted.runtime.run();
    EXPECT_NE(std::memcmp(before.data(), planted.handle->get(), before.size()), 0);
  }
  for (const bool dropped : {false, true}) {
    Planted planted("canary_late_handle_in_place");
    planted.body = [](FakeChild::Step) { return SCOPECHECK_OK; };
    if (dropped) planted.drop();
    std::vector<unsigned char> before(planted.runtime.table().handle_size);
    std::memcpy(before.data(), planted.handle->get(), before.size());
    planted.runtime.run();
    EXPECT_EQ(std::memcmp(before.data(), planted.handle->get(), before.size()) == 0, dropped);
    if (!dropped) planted.drop();
  }
  Runtime runtime("canary_late_bookkeeping");
  Value scope = runtime.make_scope_storage();
  std::vector<unsigned char> before(runtime.table().scope_size);
  FakeChild child;
  runtime.table().scope_init(runtime.raw(), scope.get());
  runtime.table().spawn(runtime.raw(), scope.get(), child.raw(), nullptr);
  runtime.table().scope_destroy(scope.get(), 0);
  std::memcpy(before.data(), scope.get(), before.size());
  EXPECT_EQ(child.drops, 1);
  runtime.run();
  EXPECT_NE(std::memcmp(before.data(), scope.get(), before.size()), 0);
}

TEST(Canaries, join_lied_says_ready_and_lets_the_child_run_on) {
  Planted planted("canary_join_lied");
  planted.body = [](FakeChild::Step) { return SCOPECHECK_OK; };
  EXPECT_EQ(planted.poll(), SCOPECHECK_OK);
  EXPECT_FALSE(planted.child.done);
  planted.drop();
  planted.runtime.run();
  EXPECT_EQ(planted.child.steps, 1);
}

TEST(Canaries, stale_waker_works_until_its_handle_is_gone) {
  Planted planted("canary_stale_waker");
  planted.runtime.run();
  planted.kept.wake();
  planted.runtime.run();
  EXPECT_EQ(planted.child.steps, 2);
  planted.drop();
  EXPECT_EQ(planted.child.drops, 1);
  // A wake now would be the planted use after free.
}

TEST(Canaries, the_lazy_ones_double_drop_step_after_done_and_never_drop) {
  {
    Planted planted("canary_double_drop");
    planted.drop();
    EXPECT_EQ(offences.double_drop, 1);
  }
  {
    Planted planted("canary_step_after_done");
    planted.body = [](FakeChild::Step) { return SCOPECHECK_OK; };
    EXPECT_EQ(planted.poll(), SCOPECHECK_OK);
    EXPECT_EQ(offences.step_after_done, 1);
    planted.drop();
  }
  Planted planted("canary_never_drops");
  planted.drop();
  EXPECT_EQ(planted.child.drops, 0);
}

TEST(Canaries, moved_leaves_a_pointer_to_where_it_was_first_polled) {
  Planted planted("canary_moved");
  EXPECT_EQ(planted.poll(), SCOPECHECK_PENDING);
  std::vector<unsigned char> before(planted.runtime.table().handle_size);
  Value moved(planted.runtime.table().handle_size, planted.runtime.table().handle_align);
  planted.runtime.table().handle_move(planted.handle->get(), moved.get());
  std::memcpy(before.data(), planted.handle->get(), before.size());
  const scopecheck_waker raw = client_waker.raw();
  scopecheck_object* out = nullptr;
  planted.runtime.table().handle_poll(moved.get(), &raw, &out);
  EXPECT_NE(std::memcmp(before.data(), planted.handle->get(), before.size()), 0);
  planted.runtime.drop_handle(moved);
  EXPECT_EQ(planted.child.drops, 1);
}

// The deep ones, by a client that is longer or wider than those of the exhaustive search by default.
void expect_deep(const char* name, const char* almost, const char* enough) {
  Lab lab(name);
  EXPECT_EQ(lab.run(almost), interpreter::Outcome::clean);
  EXPECT_TRUE(lab.findings().empty()) << name << " on what is within the default bound";
  EXPECT_EQ(lab.run(enough), interpreter::Outcome::clean);
  ASSERT_FALSE(lab.findings().empty()) << name;
  EXPECT_EQ(lab.findings().begin()->kind(), verdict::FindingKind::use_after_scope);
}

TEST(Canaries, deep_third_detaches_the_first_of_three) {
  expect_deep(
      "canary_deep_third", "cell x; spawn t0 { } as h0; spawn t1 borrow mut x { write x } as h1; drop h1",
      "cell x; spawn t0 { } as h0; spawn t1 { } as h1; spawn t2 borrow mut x { write x } as h2; drop h2");
}

TEST(Canaries, deep_patience_detaches_after_eight_polls) {
  const std::string begin = "cell x; spawn t0 borrow mut x { write x } as h0; ";
  std::string polls;
  for (int i = 0; i < 7; ++i) polls += "poll h0; ";
  expect_deep("canary_deep_patience", (begin + polls).c_str(), (begin + polls + "poll h0").c_str());
}

TEST(Canaries, deep_panics_detaches_after_two_panics) {
  expect_deep("canary_deep_panics",
              "spawn t0 { throw } as h0; settle; drop h0; cell x; spawn t1 borrow mut x { write x } as h1",
              "spawn t0 { throw } as h0; spawn t1 { throw } as h1; settle; drop h0; drop h1; cell x; "
              "spawn t2 borrow mut x { write x } as h2");
}

}  // namespace
}  // namespace scopecheck::tests
