// Wakers without an allocation and without a lifetime: a waker is a number, not a pointer.
//
//   waker data = [ generation : 56 | slot : 8 ]  --find-->  table[slot], if the generation still fits
//
// The table is fixed and static, as an embedded executor's is; a slot is given back when its target
// ends, and its generation is never used again. So a waker may be fired late: it finds nothing.
// One executor at a time uses a table. Threads: as many as `Mutex` allows; a target is woken under it, so
// that it cannot end meanwhile.
#pragma once

#include "harness/abi/plugin.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace scopecheck::platform {

/// Names one life of one slot; 0 names none.
using Ticket = std::uint64_t;

/// For tables that one thread uses.
struct NoMutex {
  void lock() {}
  void unlock() {}
};

/// The tickets of all live `Target`s. `Target` has `void wake()`.
template <class Target, class Mutex = NoMutex>
class Tickets {
 public:
  static constexpr std::size_t capacity = 16;

  /// Takes a slot for `target`, or 0 when all are taken.
  [[nodiscard]] static Ticket issue(Target& target) {
    const std::lock_guard lock(mutex_);
    for (std::size_t slot = 0; slot < capacity; ++slot) {
      Slot& candidate = slots_[slot];
      if (candidate.target != nullptr) continue;
      candidate.target = &target;
      candidate.ticket = (++generation_ << slot_bits) | slot;
      return candidate.ticket;
    }
    return 0;
  }
  /// The target, or null when its life is over. Requires: nothing else uses the table.
  [[nodiscard]] static Target* find(Ticket ticket) {
    const Slot& slot = slots_[ticket & slot_mask];
    return slot.ticket == ticket ? slot.target : nullptr;
  }
  static void revoke(Ticket ticket) {
    const std::lock_guard lock(mutex_);
    if (find(ticket) != nullptr) slots_[ticket & slot_mask] = Slot{};
  }
  /// A new executor starts: no ticket of an earlier one means anything any more.
  static void revoke_all() {
    const std::lock_guard lock(mutex_);
    slots_ = {};
  }
  [[nodiscard]] static scopecheck_waker waker(Ticket ticket) {
    // The number is only ever turned back into a number.
    return {&vtable_, reinterpret_cast<const void*>(static_cast<std::uintptr_t>(ticket))};
  }

 private:
  struct Slot {
    Ticket ticket = 0;
    Target* target = nullptr;
  };
  static constexpr unsigned slot_bits = 8;
  static constexpr Ticket slot_mask = capacity - 1;

  static scopecheck_waker clone(const void* data) { return {&vtable_, data}; }
  static void wake(const void* data) {
    const std::lock_guard lock(mutex_);
    if (Target* target = find(reinterpret_cast<std::uintptr_t>(data))) target->wake();
  }
  static void drop(const void*) {}

  static constexpr scopecheck_waker_vtable vtable_{&clone, &wake, &drop};
  static inline Mutex mutex_;
  static inline std::array<Slot, capacity> slots_{};
  static inline std::uint64_t generation_ = 0;
};

}  // namespace scopecheck::platform
