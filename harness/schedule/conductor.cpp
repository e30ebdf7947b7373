#include "harness/schedule/conductor.hpp"

#include "harness/base/assert.hpp"

#include <chrono>

namespace scopecheck::schedule {
namespace {

/// Processor time that whoever spins must have used up before a hang is suspected for it.
constexpr std::chrono::milliseconds patience{200};

}  // namespace

Conductor::Conductor(Stuck stuck, void* context) : stuck_(stuck), context_(context) {
  controller_ = std::thread([this] { control(); });
}

Conductor::~Conductor() {
  over_.store(true);
  turn_.open();
  controller_.join();
}

void Conductor::begin() {
  depth_ = 0;
  root_drives_.store(false);
  for (Gate& gate : gates_) {
    SCOPECHECK_ASSERT(gate.waiting() == 0);
    gate.reset();
  }
}

void Conductor::settle() { static_cast<void>(census_.rest()); }

void Conductor::permit(std::size_t lane) { gates_[lane].open(); }

bool Conductor::permit_lowest() {
  for (Gate& gate : gates_) {
    if (gate.waiting() == 0) continue;
    gate.open();
    return true;
  }
  return false;
}

std::size_t Conductor::begin_call() {
  SCOPECHECK_ASSERT(depth_ < max_depth);
  const std::size_t call = depth_++;
  returned_[call].store(false);
  turn_.open();
  return call;
}

void Conductor::end_call(std::size_t call) {
  returned_[call].store(true);
  return_[call].pass();
}

void Conductor::arrive(std::size_t lane) { gates_[lane].pass(); }

void Conductor::arrive_as_driver() {
  root_drives_.store(true);
  gates_[root].pass();
  root_drives_.store(false);
}

void Conductor::depart_as_driver() { turn_.open(); }

void Conductor::control() {
  for (;;) {
    turn_.pass();
    if (over_.load()) return;
    for (;;) {
      const Rest rest = census_.rest();
      if (returned_[depth_ - 1].load()) {
        return_[--depth_].open();
        break;
      }
      if (gates_[root].waiting() != 0 && root_drives_.load()) {
        gates_[root].open();
        break;
      }
      if (permit_lowest()) continue;
      if (rest == Rest::spinning && census_.rest(patience) == Rest::blocked) continue;
      const auto waiter = census_.waiter();
      stuck_(context_, {.proved = !waiter.has_value(), .waiter = waiter ? to_string(*waiter) : ""});
    }
  }
}

}  // namespace scopecheck::schedule
