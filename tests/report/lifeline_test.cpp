#include "harness/report/lifeline.hpp"

#include "harness/report/explain.hpp"
#include "tests/report/ledgers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace scopecheck::report {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string draw(const Sample& s, const Style& style) {
  return lifeline(s.scenario, s.events, &s.finding, style);
}

bool is_ascii(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void expect_within(const std::string& text, std::size_t width) {
  for (const std::string& line : lines_of(text)) EXPECT_LE(display_width(line), width) << line;
}

/// As large as the model allows: 8 cells, 8 tasks, every task borrows every cell, all of them touch late.
Sample crowd() {
  Sample s;
  std::string text;
  for (const char cell : std::string_view("xyzwuvpq")) text += std::string("cell ") + cell + "\n";
  for (int task = 0; task < 8; ++task) {
    text += "spawn t" + std::to_string(task);
    for (const char cell : std::string_view("xyzwuvpq")) text += std::string(" borrow shared ") + cell;
    text += " {\n  read x\n  read y\n} as h" + std::to_string(task) + " boxed\n";
  }
  for (int task = 0; task < 8; ++task) text += "forget h" + std::to_string(task) + "\n";
  s.scenario = scenario_of(text);
  using enum EventKind;
  s.client(frame_opened, 0);
  for (std::uint8_t cell = 0; cell < 8; ++cell) s.client(cell_born, cell, cell);
  for (std::uint8_t task = 0; task < 8; ++task) {
    const std::size_t op = 8 + 4u * task;
    s.client(op_begun, op);
    s.add(spawned, task, task, task, op);
    for (std::uint8_t cell = 0; cell < 8; ++cell) s.add(loan_taken, task, cell, task, op);
  }
  for (std::uint8_t task = 0; task < 8; ++task) {
    s.client(op_begun, 40u + task);
    for (std::uint8_t cell = 0; cell < 8; ++cell) s.add(loan_expired, task, cell, client_actor, 40u + task);
  }
  for (std::uint8_t cell = 8; cell-- > 0;) s.client(cell_died, 48, cell);
  s.client(frame_ended, 48);
  for (std::uint8_t task = 0; task < 8; ++task) {
    s.add(stepped, task, task, 0, 49);
    s.add(touched_read, task, 0, ledger::touch_dead, 9 + 4u * task);
    s.add(touched_read, task, 1, ledger::touch_dead, 10 + 4u * task);
  }
  s.finding = stacked_counterexample().finding;
  s.finding.signature.used_by = touched_read;
  s.finding.task = 6;
  s.finding.cell = 1;
  s.finding.taken_at = 32;
  s.finding.released_at = 46;
  s.finding.ended_at = 48;
  s.finding.used_at = 34;
  s.finding.event = static_cast<std::uint32_t>(s.events.size() - 4);
  return s;
}

TEST(Lifeline, shows_the_stacked_counterexample_at_first_sight) {
  EXPECT_EQ(draw(stacked_counterexample(), {}), R"(    client                   x→t0  t0
 1  cell x                   ╻
 2  spawn t0 borrow mut x {  ┃ ╥   ○ spawned
 3    write x                ┃ ║   ┊
 4  } as h0 boxed            ┃ ║   ┊
 5  forget h0                ┃ ╨   ┊
    outermost frame ends     ╹     ┊
    final settle             ✗     ✗ write x  ← use-after-scope
    ┃ memory   ║ mutable loan   ┊ child alive   ✗ too late
    t0 borrowed x mutably at line 2, for as long as h0 lives. `forget h0` (line
    5) ended that loan: no destructor runs, so nobody stops t0. The end of the
    outermost frame ended x. Then t0 wrote x (line 3), during the final settle:
    use-after-scope (a child touched borrowed memory after it ended).
)");
  EXPECT_LE(lines_of(draw(stacked_counterexample(), {})).size(), 15u);
}

TEST(Lifeline, shows_the_stacked_counterexample_in_ascii) {
  const std::string picture = draw(stacked_counterexample(), {.unicode = false});
  EXPECT_TRUE(picture.starts_with(R"(    client                   x>t0  t0
 1  cell x                   .
 2  spawn t0 borrow mut x {  | +   o spawned
 3    write x                | M   :
 4  } as h0 boxed            | M   :
 5  forget h0                | -   :
    outermost frame ends     '     :
    final settle             X     X write x  <- use-after-scope
)")) << picture;
}

TEST(Lifeline, draws_a_sound_run_to_its_end) {
  const Sample s = sound_twin();
  EXPECT_EQ(lifeline(s.scenario, s.events, nullptr, {}), R"(    client                        x→t0  {2  t0
 1  cell x                        ╻
 2  frame {                       ┃     ╻
 3    spawn t0 borrow shared x {  ┃ ┬   ┃   ○ spawned
 4      read x                    ┃ │   ┃   ┊
 5      yield                     ┃ │   ┃   ┊
 6    } as h0                     ┃ │   ┃   ┊
 7    step t0                     ┃ │   ┃   ● read x
 8  }                             ┃ │   ┃   ■ done
      ↳ h0 dropped                ┃ ┴   ╹
 9  write x                       ┃
    outermost frame ends          ╹
    ┃ memory   │ shared loan   ┊ child alive
)");
}

TEST(Lifeline, shows_an_async_body_where_it_is_polled) {
  const auto lines = lines_of(draw(stalled_block(), {.width = 100}));
  const auto at = [&](std::string_view text) {
    return std::ranges::find_if(
               lines, [&](const std::string& line) { return line.find(text) != std::string::npos; }) -
           lines.begin();
  };
  EXPECT_LT(at("async b0 boxed { ... }"), at("poll b0"));
  EXPECT_LT(at("poll b0"), at("scope s0"));
  EXPECT_LT(at("suspend"), at("14  forget b0"));
  EXPECT_LT(at("14  forget b0"), at("↳ s0 forgotten"));
  EXPECT_LT(at("● yield"), at("✗ write x"));
  EXPECT_EQ(at("← aliased-borrow"), at("✗ write x"));
}

TEST(Lifeline, closes_a_catch_where_the_panic_stopped) {
  Sample s;
  s.scenario = scenario_of("catch {\n  cell x\n  throw\n}\nsettle\n");
  s.client(EventKind::frame_opened, 0);
  s.client(EventKind::op_begun, 0);
  s.client(EventKind::cell_born, 1, 0);
  s.client(EventKind::op_begun, 2);
  s.client(EventKind::client_threw, 2);
  s.client(EventKind::cell_died, 2, 0);
  s.client(EventKind::caught, 2);
  s.client(EventKind::op_begun, 4);
  s.client(EventKind::frame_ended, 5);
  const std::string picture = lifeline(s.scenario, s.events, nullptr, {});
  EXPECT_NE(picture.find(" 4  } panic caught\n 5  settle\n"), std::string::npos) << picture;
}

TEST(Lifeline, shows_what_a_child_does_to_values_in_its_own_column) {
  Sample s;
  s.scenario = scenario_of(
      "cell x\nspawn t0 borrow mut x {\n  spawn t1 borrow mut x {\n    write x\n  } as h0 boxed\n  forget "
      "h0\n} as "
      "h1\nsettle\n");
  using enum EventKind;
  s.client(frame_opened, 0);
  s.client(cell_born, 0, 0);
  s.client(op_begun, 1);
  s.add(spawned, 0, 0, 1, 1);
  s.add(loan_taken, 0, 0, 1, 1);
  s.client(op_begun, 7);
  s.add(stepped, 0, 0, 0, 7);
  s.add(spawned, 1, 1, 0, 2);
  s.add(loan_taken, 1, 0, 0, 2);
  s.client(value_forgotten, 5, 0);
  s.add(loan_expired, 1, 0, client_actor, 5);
  s.add(finished, 0, 0, 0, 6);
  const std::string picture = lifeline(s.scenario, s.events, nullptr, {.width = 100});
  EXPECT_NE(picture.find("8  settle                     ┃ ║  ╫   ● spawn t1, forget h0  ○ spawned\n    "),
            std::string::npos)
      << picture;
}

TEST(Lifeline, marks_uses_of_storage_that_has_no_cell) {
  Sample s = stacked_counterexample();
  s.scenario = scenario_of("spawn t0 {\n  yield\n} as h0\nforget h0\n");
  s.events.clear();
  using enum EventKind;
  s.client(frame_opened, 0);
  s.client(op_begun, 0);
  s.client(value_made, 0, 0, 1);
  s.add(spawned, 0, 0, 0, 0);
  s.client(op_begun, 3);
  s.client(value_forgotten, 3, 0);
  s.client(storage_died, 3, 0);
  s.client(frame_ended, 4);
  s.add(stepped, 0, 0, 0, 5);
  s.finding = {};
  s.finding.signature = {.kind = verdict::FindingKind::future_after_free,
                         .released_by = verdict::Cause::nothing,
                         .released_op = {},
                         .ended_by = verdict::Cause::op,
                         .ended_op = scenario::OpKind::forget,
                         .used_by = stepped};
  s.finding.task = 0;
  s.finding.value = 0;
  s.finding.taken_at = 0;
  s.finding.ended_at = 3;
  s.finding.used_at = 5;
  s.finding.event = 8;
  const std::string picture = draw(s, {});
  EXPECT_NE(picture.find(" 4  forget h0             ╹   ┊\n    outermost frame ends      ┊\n    final settle "
                         "         ✗   ✗ stepped  ← future-after-free\n"),
            std::string::npos)
      << picture;
  EXPECT_NE(picture.find("lives in the storage of h0."), std::string::npos) << picture;
}

TEST(Lifeline, keeps_to_the_width_and_to_ascii) {
  for (const Sample& s : {stacked_counterexample(), stalled_block(), crowd()})
    for (const std::size_t width : {60u, 61u, 72u, 80u, 100u, 120u, 160u}) {
      expect_within(draw(s, {.width = width}), width);
      expect_within(draw(s, {.unicode = false, .width = width}), width);
      EXPECT_TRUE(is_ascii(draw(s, {.unicode = false, .width = width})));
    }
  expect_within(draw(stacked_counterexample(), {.width = 1}), min_width);
}

TEST(Lifeline, names_what_found_no_room_and_keeps_the_culprit) {
  const std::string picture = draw(crowd(), {.width = 60});
  EXPECT_NE(picture.find("not drawn, for want of room: "), std::string::npos) << picture;
  EXPECT_NE(picture.find("✗ read y"), std::string::npos) << picture;
  EXPECT_NE(picture.find("use-after-scope"), std::string::npos);
}

TEST(Lifeline, has_colour_only_when_asked) {
  EXPECT_EQ(draw(stacked_counterexample(), {}).find('\x1b'), std::string::npos);
  EXPECT_NE(draw(stacked_counterexample(), {.colour = true}).find("\x1b[1;31m✗ write x"), std::string::npos);
}

TEST(Lifeline, survives_every_prefix_of_a_ledger_and_every_culprit) {
  for (Sample s : {stacked_counterexample(), sound_twin(), stalled_block(), crowd()})
    for (std::size_t size = 0; size <= s.events.size(); ++size) {
      const std::span<const Event> prefix(s.events.data(), size);
      expect_within(lifeline(s.scenario, prefix, nullptr, {.width = 60}), 60);
      s.finding.event = static_cast<std::uint32_t>(size);
      s.finding.task = size % 2 == 0 ? std::uint8_t{0} : scenario::none;
      expect_within(draw(s, {.width = 60}), 60);
    }
  EXPECT_EQ(lifeline({}, {}, nullptr, {}), "");
}

TEST(Lifeline, survives_a_full_scenario) {
  Sample s;
  std::string text = "cell x\n";
  for (int i = 0; i < 11; ++i) text += "frame {\n";
  for (int i = 0; i < 100; ++i) text += "write x\n";
  for (int i = 0; i < 11; ++i) text += "}\n";
  s.scenario = scenario_of(text);
  s.client(EventKind::frame_opened, 0);
  s.client(EventKind::cell_born, 0, 0);
  for (std::size_t op = 1; op < 112; ++op) {
    s.client(EventKind::op_begun, op);
    if (op < 12) s.client(EventKind::frame_opened, op);
  }
  for (std::size_t op = 112; op < s.scenario.ops.size(); ++op) s.client(EventKind::frame_ended, op);
  const std::string picture = lifeline(s.scenario, s.events, nullptr, {.width = 60});
  expect_within(picture, 60);
  EXPECT_GE(lines_of(picture).size(), s.scenario.ops.size());
}

TEST(Explain, says_who_borrowed_what_ended_and_what_used_it) {
  const Sample s = stacked_counterexample();
  EXPECT_EQ(
      explain(s.scenario, s.events, s.finding, scenario::Wording(s.scenario)),
      "t0 borrowed x mutably at line 2, for as long as h0 lives. `forget h0` (line 5) ended that loan: no "
      "destructor runs, so nobody stops t0. The end of the outermost frame ended x. Then t0 wrote x (line "
      "3), "
      "during the final settle: use-after-scope (a child touched borrowed memory after it ended).");
}

TEST(Explain, has_a_sentence_for_every_kind_and_every_event) {
  Sample s = stacked_counterexample();
  for (std::size_t kind = 0; kind < verdict::kind_table.size(); ++kind)
    for (std::size_t event = 0; event < ledger::event_kinds; ++event) {
      s.finding.signature.kind = static_cast<verdict::FindingKind>(kind);
      s.finding.signature.used_by = static_cast<EventKind>(event);
      for (const std::uint8_t cell : {std::uint8_t{0}, scenario::none})
        for (const std::uint8_t value : {std::uint8_t{0}, scenario::none}) {
          s.finding.cell = cell;
          s.finding.value = value;
          const std::string text = explain(s.scenario, s.events, s.finding, scenario::Wording(s.scenario));
          EXPECT_TRUE(is_ascii(text));
          EXPECT_NE(text.find(verdict::kind_table[kind].text), std::string::npos);
        }
    }
}

}  // namespace
}  // namespace scopecheck::report
