// Scenarios as Rust: one statement per op, in the words of the reference crate. Whether rustc agrees with the
// rules about them is tests/rustc's business.
#include "harness/report/rust.hpp"

#include "harness/generator/random.hpp"
#include "harness/scenario/text.hpp"
#include "tests/generator/profiles.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace scopecheck::report {
namespace {

using testing::HasSubstr;

std::string rendered(const char* text, const scenario::Offers& offers) {
  const auto parsed = scenario::parse(text);
  if (!parsed.has_value() || !check(parsed->scenario, offers).has_value()) {
    ADD_FAILURE() << "not well-formed: " << text;
    return "";
  }
  return to_rust_function(parsed->scenario, offers, "client");
}

TEST(Rust, SaysTheSmallestCounterexample) {
  EXPECT_EQ(rendered("cell x; spawn t borrow mut x { write x } as h boxed; forget h", tests::handle_embedded),
            "pub fn client() {\n"
            "    let mut x = Memory::new();\n"
            "    let mut h0 = Box::pin(spawn_lending::<TestedApi, _>({\n"
            "        let x_t0 = &mut x;\n"
            "        async move {\n"
            "            let x_t0 = x_t0;\n"
            "            write(&mut *x_t0);\n"
            "        }\n"
            "    }));\n"
            "    std::mem::forget(h0);\n"
            "}\n");
}

TEST(Rust, PinsAValueInItsFrameAfterItsLastMove) {
  EXPECT_EQ(rendered("async b {\n  suspend\n}\nframe {\n  move b out\n  poll b\n}\n", tests::handle_embedded),
            "pub fn client() {\n"
            "    let mut b0 = Block::new(async {\n"
            "        suspend().await;\n"
            "    });\n"
            "    let b0_1_slot = Slot::new();\n"
            "    let mut b0_1;\n"
            "    {\n"
            "        b0_1 = b0_1_slot.pin(b0);\n"
            "        poll_once(b0_1.as_mut());\n"
            "    }\n"
            "}\n");
}

TEST(Rust, LetsAChildSpawnThroughATokenAndPassItsLoanOn) {
  EXPECT_THAT(
      rendered(
          "cell x; scope s; spawn t in s borrow mut x { spawn u in s borrow mut x { write x } as g } as h",
          tests::pinned_guard),
      AllOf(HasSubstr("let s0_token = s0.token();"), HasSubstr("s0_token.spawn({"),
            HasSubstr("let x_t1 = &mut *x_t0;")));
}

TEST(Rust, TouchesWhatADestructorHoldsThroughIt) {
  EXPECT_THAT(rendered("cell x; spawn t borrow mut x { touch-on-drop capture x; write x } as h",
                       tests::handle_embedded),
              AllOf(HasSubstr("x_capture = Touch(&mut *x_t0);"), HasSubstr("write(&mut *x_capture.0);")));
}

class Rendering : public testing::TestWithParam<tests::Profile> {};

TEST_P(Rendering, SaysEveryOpOfRandomScenariosAndClosesWhatItOpens) {
  const scenario::Bounds bounds = generator::random_bounds();
  generator::Random random(GetParam().offers, bounds, 1);
  for (int i = 0; i < 200; ++i) {
    const scenario::Scenario& scenario = random.next();
    const std::string text = to_rust_function(scenario, GetParam().offers, "client");
    for (const auto& [open, close] : {std::pair{'{', '}'}, std::pair{'(', ')'}})
      EXPECT_EQ(std::count(text.begin(), text.end(), open), std::count(text.begin(), text.end(), close))
          << text;
    EXPECT_GT(std::count(text.begin(), text.end(), '\n'), static_cast<long>(scenario.ops.size())) << text;
  }
}

TEST(RustForm, is_there_but_for_suspendable_stacks) {
  EXPECT_EQ(no_rust_form(tests::closure), "");
  EXPECT_NE(no_rust_form(tests::closure_on_stacks).find("suspendable stacks"), std::string_view::npos);
}

INSTANTIATE_TEST_SUITE_P(Profiles, Rendering, testing::ValuesIn(tests::profiles),
                         [](const auto& profile) { return std::string(profile.param.name); });

TEST(Rust, PrintsOneFileWithTheReferenceCrateInIt) {
  const auto parsed = scenario::parse("cell x");
  const std::string file = to_rust(parsed->scenario, tests::pinned_guard);
  EXPECT_THAT(file,
              AllOf(HasSubstr("pub mod reference {"), HasSubstr("pub struct Scope<"),
                    HasSubstr("impl Api for TestedApi"),
                    HasSubstr("type ScopePin = std::marker::PhantomPinned;"), HasSubstr("pub fn client()")));
  EXPECT_EQ(file.find("unsafe"), std::string::npos);
}

}  // namespace
}  // namespace scopecheck::report
