#include "harness/schedule/conductor.hpp"

#include "harness/base/assert.hpp"

#include <chrono>
#include <ctime>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace scopecheck::schedule {
namespace {

/// Processor time that whoever spins must have used up before a hang is suspected for it.
constexpr std::chrono::milliseconds patience{200};

void sleep_for(std::chrono::nanoseconds time) {
  const timespec span{.tv_sec = 0, .tv_nsec = time.count()};
  static_cast<void>(::syscall(SYS_nanosleep, &span, nullptr));
}

}  // namespace

Conductor::Conductor(Tasks& tasks, Choices& notes) : tasks_(tasks), scheduler_(notes) {
  looks_.open();
  controller_ = std::thread([this] { control(); });
}

Conductor::~Conductor() {
  over_.store(true);
  turn_.open();
  controller_.join();
}

void Conductor::begin(const Order& order, bool free) {
  SCOPECHECK_ASSERT(free || !free_);
  depth_ = 0;
  free_ = free;
  root_drives_.store(false);
  inside_.store(0);
  chance_.store(order.seed);
  scheduler_.begin(order);
  for (auto* gates : {&gates_, &doors_})
    for (Gate& gate : *gates) {
      SCOPECHECK_ASSERT(gate.waiting() == 0);
      gate.reset();
    }
  lock_.reset();  // the driver has it
}

// ---- the driver -------------------------------------------------------------------------------------

void Conductor::settle() {
  if (free_) {
    lock_.open();
    ++idle_;
    looks_.pass();
    static_cast<void>(census_.rest());
    looks_.open();
    end_idling();
    lock_.pass();
    return;
  }
  static_cast<void>(at_rest());
}

Rest Conductor::at_rest() {
  for (;;) {
    const Rest rest = census_.rest();
    if (!admit_one()) return rest;
  }
}

bool Conductor::admit_one() {
  for (Gate& door : doors_) {
    if (door.waiting() == 0) continue;
    door.open();
    return true;
  }
  return false;
}

void Conductor::permit(std::size_t lane) { gates_[lane].open(); }

bool Conductor::permit_next() {
  if (free_) return false;
  const Lanes suspended = tasks_.suspended();
  Lanes candidates = suspended;
  for (std::size_t lane = 0; lane < lanes; ++lane)
    if (gates_[lane].waiting() != 0) candidates |= Lanes{1} << lane;
  if (candidates == 0) return false;
  const std::size_t lane = scheduler_.choose(candidates, tasks_.moment());
  if (gates_[lane].waiting() != 0)
    gates_[lane].open();
  else
    tasks_.wake(lane);
  return true;
}

void Conductor::pass_by() {
  if (!free_) return;
  lock_.open();
  idle_by_chance(false);
  lock_.pass();
}

std::size_t Conductor::begin_call() {
  SCOPECHECK_ASSERT(depth_ < max_depth);
  const std::size_t call = depth_++;
  if (free_) {
    ++moves_;
    ++inside_;
    lock_.open();
  } else {
    returned_[call].store(false);
  }
  turn_.open();
  return call;
}

void Conductor::end_call(std::size_t call) {
  if (free_) {
    --inside_;
    ++moves_;
    lock_.pass();
    depth_ = call;
  } else {
    returned_[call].store(true);
    return_[call].pass();
  }
}

// ---- threads of the runtime -------------------------------------------------------------------------

void Conductor::arrive(std::size_t lane) {
  if (!free_) return gates_[lane].pass();
  idle_by_chance(false);
  lock_.pass();
}

void Conductor::ask(std::size_t lane) {
  if (!free_) return doors_[lane].pass();
  arrive(lane);
}

void Conductor::leave() {
  if (free_)
    lock_.open();
  else
    Gate::announce();  // it will soon rest, or is about to end
}

void Conductor::arrive_as_driver() {
  if (free_) return lock_.pass();
  root_drives_.store(true);
  gates_[root].pass();
  root_drives_.store(false);
}

void Conductor::depart_as_driver() {
  if (free_) return lock_.open();
  turn_.open();
}

void Conductor::yield(std::size_t lane) {
  if (free_)
    idle_by_chance(true);  // where it was put, an order is asked for
  else
    gates_[lane].pass();
}

void Conductor::idle_by_chance(bool often) {
  base::Prng chance(chance_.fetch_add(0x9e3779b97f4a7c15ull));
  switch (chance.below(often ? 4 : 16)) {
    case 0:
    case 1:
      ++idle_;
      sleep_for(std::chrono::microseconds{1 + chance.below(60)});
      end_idling();
      break;
    case 2:
    case 3:
      static_cast<void>(::sched_yield());
      break;
    case 4:
    case 5:
      for (std::uint32_t turns = chance.below(2000); turns > 0; --turns)
        std::atomic_signal_fence(std::memory_order_seq_cst);
      break;
    default:
      break;
  }
}

/// In this order: whoever reads that nobody idles reads afterwards that somebody moved.
void Conductor::end_idling() {
  ++moves_;
  --idle_;
}

// ---- the controller ---------------------------------------------------------------------------------

void Conductor::control() {
  for (;;) {
    turn_.pass();
    if (over_.load()) return;
    if (free_) {
      control_free();
      continue;
    }
    for (;;) {
      const Rest rest = at_rest();
      if (returned_[depth_ - 1].load()) {
        return_[--depth_].open();
        break;
      }
      if (gates_[root].waiting() != 0 && root_drives_.load()) {
        gates_[root].open();
        break;
      }
      if (permit_next()) continue;
      if (rest == Rest::spinning && census_.rest(patience) == Rest::blocked) continue;
      tasks_.stuck(hang());
    }
  }
}

/// A call of a free run: does it ever return? Most do at once.
void Conductor::control_free() {
  while (inside_.load() > 0 && !over_.load()) {
    const std::uint64_t moves = moves_.load();
    sleep_for(std::chrono::milliseconds{2});
    if (moves_.load() != moves) continue;
    looks_.pass();
    static_cast<void>(census_.rest(patience));
    const bool stuck = idle_.load() == 0 && moves_.load() == moves && inside_.load() > 0;
    const Hang how = stuck ? hang() : Hang{};
    looks_.open();
    if (stuck) tasks_.stuck(how);
  }
}

Hang Conductor::hang() const {
  const auto waiter = census_.waiter();
  return {.proved = !waiter.has_value(), .waiter = waiter ? to_string(*waiter) : ""};
}

}  // namespace scopecheck::schedule
