// Hand-made ledgers for the tests of report: what the interpreter would have written.
#pragma once

#include "harness/ledger/ledger.hpp"
#include "harness/scenario/text.hpp"
#include "harness/verdict/finding.hpp"

#include <cstdlib>
#include <string_view>
#include <vector>

namespace scopecheck::report {

using ledger::client_actor;
using ledger::Event;
using ledger::EventKind;

/// A run: the program, what happened, and what the judge said.
struct Sample {
  scenario::Scenario scenario;
  std::vector<Event> events;
  verdict::Finding finding;

  void add(EventKind kind, std::uint8_t actor, std::uint8_t subject, std::uint8_t detail, std::size_t op) {
    events.push_back({kind, actor, subject, detail, static_cast<std::uint16_t>(op), 0});
  }
  void client(EventKind kind, std::size_t op, std::uint8_t subject = 0, std::uint8_t detail = 0) {
    add(kind, client_actor, subject, detail, op);
  }
};

inline scenario::Scenario scenario_of(std::string_view text) {
  auto parsed = scenario::parse(text);
  if (!parsed) std::abort();
  return parsed->scenario;
}

/// stacked_in_scope: the handle is forgotten, the child goes on.
inline Sample stacked_counterexample() {
  Sample s;
  s.scenario = scenario_of(
      "cell x\n"
      "spawn t0 borrow mut x {\n"
      "  write x\n"
      "} as h0 boxed\n"
      "forget h0\n");
  using enum EventKind;
  s.client(frame_opened, 0);
  s.client(cell_born, 0, 0);
  s.client(op_begun, 1);
  s.client(value_made, 1, 0, 1);
  s.add(spawned, 0, 0, 0, 1);
  s.add(loan_taken, 0, 0, 0, 1);
  s.add(stepped, 0, 0, 0, 1);
  s.add(suspended, 0, 0, 0, 1);
  s.client(op_begun, 4);
  s.client(value_forgotten, 4, 0);
  s.add(loan_expired, 0, 0, client_actor, 4);
  s.client(cell_died, 5, 0);
  s.client(frame_ended, 5);
  s.add(stepped, 0, 0, 0, 6);
  s.add(touched_write, 0, 0, ledger::touch_dead, 2);
  s.add(finished, 0, 0, 0, 3);
  s.add(child_dropped, 0, 0, 0, 6);
  s.client(settled, 6);
  s.client(program_ended, 6);
  s.client(runtime_freed, 7);
  s.finding.signature = {.kind = verdict::FindingKind::use_after_scope,
                         .released_by = verdict::Cause::op,
                         .released_op = scenario::OpKind::forget,
                         .ended_by = verdict::Cause::frame_end,
                         .ended_op = {},
                         .used_by = touched_write};
  s.finding.task = 0;
  s.finding.cell = 0;
  s.finding.taken_at = 1;
  s.finding.released_at = 4;
  s.finding.ended_at = 5;
  s.finding.used_at = 2;
  s.finding.event = 14;
  return s;
}

/// The same client against a sound design: the handle's drop waits for the child.
inline Sample sound_twin() {
  Sample s;
  s.scenario = scenario_of(
      "cell x\n"
      "frame {\n"
      "  spawn t0 borrow shared x {\n"
      "    read x\n"
      "    yield\n"
      "  } as h0\n"
      "  step t0\n"
      "}\n"
      "write x\n");
  using enum EventKind;
  s.client(frame_opened, 0);
  s.client(cell_born, 0, 0);
  s.client(op_begun, 1);
  s.client(frame_opened, 1);
  s.client(op_begun, 2);
  s.client(value_made, 2, 0, 1);
  s.add(spawned, 0, 0, 0, 2);
  s.add(loan_taken, 0, 0, 0, 2);
  s.client(op_begun, 6);
  s.client(permitted, 6, 0);
  s.add(stepped, 0, 0, 0, 6);
  s.add(touched_read, 0, 0, 0, 3);
  s.add(suspended, 0, 0, 0, 4);  // at its gate: the permit was for one step
  s.add(finished, 0, 0, 0, 7);
  s.add(child_dropped, 0, 0, 0, 7);
  s.client(value_dropped, 7, 0);
  s.add(loan_expired, 0, 0, client_actor, 7);
  s.client(frame_ended, 7);
  s.client(op_begun, 8);
  s.client(client_touched, 8, 0, 1);
  s.client(cell_died, 9, 0);
  s.client(frame_ended, 9);
  s.client(settled, 10);
  s.client(program_ended, 10);
  s.client(runtime_freed, 11);
  return s;
}

/// An async block is polled once and forgotten with the scope and the child in it.
inline Sample stalled_block() {
  Sample s;
  s.scenario = scenario_of(
      "cell x\n"                              // 0
      "cell y\n"                              // 1
      "async b0 boxed {\n"                    // 2
      "  scope s0\n"                          // 3
      "  spawn t0 in s0 borrow mut x {\n"     // 4
      "    write x\n"                         // 5
      "  }\n"                                 // 6
      "  spawn t1 in s0 borrow shared y {\n"  // 7
      "    yield\n"                           // 8
      "  }\n"                                 // 9
      "  suspend\n"                           // 10
      "}\n"                                   // 11
      "poll b0\n"                             // 12
      "forget b0\n"                           // 13
      "settle\n");                            // 14
  using enum EventKind;
  s.client(frame_opened, 0);
  s.client(cell_born, 0, 0);
  s.client(cell_born, 1, 1);
  s.client(op_begun, 2);
  s.client(value_made, 2, 1, 3);
  s.client(op_begun, 12);
  s.client(op_begun, 3);
  s.client(value_made, 3, 0, 0);
  s.client(op_begun, 4);
  s.add(spawned, 0, 0, scenario::none, 4);
  s.add(loan_taken, 0, 0, 0, 4);
  s.client(op_begun, 7);
  s.add(spawned, 1, 1, scenario::none, 7);
  s.add(loan_taken, 1, 1, 0, 7);
  s.client(op_begun, 10);
  s.client(polled, 12, 1);
  s.client(op_begun, 13);
  s.client(value_forgotten, 13, 1);
  s.client(value_forgotten, 13, 0);
  s.add(loan_expired, 0, 0, client_actor, 13);
  s.add(loan_expired, 1, 1, client_actor, 13);
  s.client(op_begun, 14);
  s.add(stepped, 1, 1, 0, 14);
  s.add(suspended, 1, 1, 0, 8);
  s.add(stepped, 0, 0, 0, 14);
  s.add(touched_write, 0, 0, ledger::touch_expired, 5);
  s.add(finished, 0, 0, 0, 5);
  s.finding.signature = {.kind = verdict::FindingKind::aliased_borrow,
                         .released_by = verdict::Cause::op,
                         .released_op = scenario::OpKind::forget,
                         .ended_by = verdict::Cause::nothing,
                         .ended_op = {},
                         .used_by = touched_write};
  s.finding.task = 0;
  s.finding.cell = 0;
  s.finding.taken_at = 4;
  s.finding.released_at = 13;
  s.finding.used_at = 5;
  s.finding.event = 25;
  return s;
}

}  // namespace scopecheck::report
