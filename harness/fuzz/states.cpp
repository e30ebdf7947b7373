#include "harness/fuzz/states.hpp"

#include <array>
#include <bitset>
#include <cstdint>

namespace scopecheck::fuzz {
namespace {

using ledger::EventKind;

constexpr std::size_t moments = 3;  // after the last op: see ledger/moments.hpp
constexpr std::size_t abstract_states = 256;
constexpr std::size_t pairs = (scenario::op_kinds + moments) * abstract_states;

// libFuzzer reads the whole section after each run and clears it before the next.
__attribute__((used, section("__libfuzzer_extra_counters"))) std::uint8_t counters[pairs];

std::bitset<pairs> reached;

/// How the lives stand: a bit per question, each about all tasks together, so that names do not matter.
class Lives {
 public:
  void take(const ledger::Event& event) {
    const auto task = static_cast<std::uint8_t>(1u << (event.subject % scenario::max_tasks));
    switch (event.kind) {
      case EventKind::spawned:
        live_ |= task;
        break;
      case EventKind::stepped:
        started_ |= task;
        parked_ &= static_cast<std::uint8_t>(~task);
        break;
      case EventKind::parked:
        parked_ |= task;
        break;
      case EventKind::finished:
      case EventKind::threw:
        ended_ = true;
        live_ &= static_cast<std::uint8_t>(~task);
        break;
      case EventKind::child_dropped:
        live_ &= static_cast<std::uint8_t>(~task);
        break;
      case EventKind::value_forgotten:
        forgotten_ |= live_;
        break;
      case EventKind::loan_expired:
        expired_ = true;
        break;
      case EventKind::cell_died:
        orphans_ |= live_;
        break;
      case EventKind::cancelled:
      case EventKind::client_threw:
      case EventKind::runtime_shut_down:
      case EventKind::waker_kept:
        disturbed_ = true;
        break;
      default:
        break;
    }
  }

  [[nodiscard]] std::size_t state() const {
    return (((live_ & ~started_) != 0) ? 1u : 0u) | (((live_ & started_) != 0) ? 2u : 0u) |
           (((live_ & parked_) != 0) ? 4u : 0u) | (((live_ & forgotten_) != 0) ? 8u : 0u) |
           ((expired_ && live_ != 0) ? 16u : 0u) | (((live_ & orphans_) != 0) ? 32u : 0u) |
           (ended_ ? 64u : 0u) | (disturbed_ ? 128u : 0u);
  }

 private:
  std::uint8_t live_ = 0, started_ = 0, parked_ = 0;
  std::uint8_t forgotten_ = 0;  // something was forgotten while these lived
  std::uint8_t orphans_ = 0;    // memory ended while these lived
  bool expired_ = false, ended_ = false, disturbed_ = false;
};

/// The op, or the moment after the last one, at which the event happened.
std::size_t place(const scenario::Scenario& program, const ledger::Event& event) {
  if (event.op < program.ops.size()) return static_cast<std::size_t>(program.ops[event.op].kind);
  return scenario::op_kinds + (event.op - program.ops.size()) % moments;
}

template <class Visit>
void visit_pairs(const scenario::Scenario& program, std::span<const ledger::Event> events, Visit&& visit) {
  Lives lives;
  for (const ledger::Event& event : events) {
    lives.take(event);
    visit(place(program, event) * abstract_states + lives.state());
  }
}

}  // namespace

std::vector<std::size_t> states_of(const scenario::Scenario& program, std::span<const ledger::Event> events) {
  std::vector<std::size_t> found;
  visit_pairs(program, events, [&](std::size_t pair) { found.push_back(pair); });
  return found;
}

void count_states(const scenario::Scenario& program, std::span<const ledger::Event> events) {
  visit_pairs(program, events, [](std::size_t pair) {
    counters[pair] =
        1;  // not how often: an engine takes every doubling for news, and its corpus grows for ever
    reached.set(pair);
  });
}

std::size_t states_reached() { return reached.count(); }
std::size_t states_possible() { return pairs; }

}  // namespace scopecheck::fuzz
