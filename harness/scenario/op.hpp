// One step of a client program or of a task body, as a value of eight bytes.
// Read by everything after the generator; ops.def is the one table behind it.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace scopecheck::scenario {

enum class OpKind : std::uint8_t {
#define SCOPECHECK_OP(id, text, operand, opens, cost, doc) id,
#include "harness/scenario/ops.def"
#undef SCOPECHECK_OP
};

enum class Operand : std::uint8_t {
  none,
  cell,
  value,
  task,
  count,
  vector,
  spawn,
  new_cell,
  new_scope,
  new_block
};

/// A row of the op table.
struct OpInfo {
  std::string_view id;
  std::string_view text;
  Operand operand;
  bool opens;
  std::uint8_t cost;
  std::string_view doc;
};

inline constexpr std::array op_table = {
#define SCOPECHECK_OP(id, text, operand, opens, cost, doc) \
  OpInfo{#id, text, Operand::operand, opens != 0, cost, doc},
#include "harness/scenario/ops.def"
#undef SCOPECHECK_OP
};
inline constexpr std::size_t op_kinds = op_table.size();
static_assert(op_kinds <= 64, "kinds are collected in 64-bit sets");

namespace detail {
consteval std::uint64_t kinds_where(bool (*wanted)(const OpInfo&)) {
  std::uint64_t set = 0;
  for (std::size_t i = 0; i < op_kinds; ++i)
    if (wanted(op_table[i])) set |= std::uint64_t{1} << i;
  return set;
}
inline constexpr std::uint64_t opening = kinds_where([](const OpInfo& row) { return row.opens; });
inline constexpr std::uint64_t counted = kinds_where([](const OpInfo& row) { return row.cost != 0; });
}  // namespace detail

/// Whether the op opens a block. Cost: a shift; for the hot loops.
[[nodiscard]] constexpr bool opens(OpKind kind) {
  return (detail::opening >> static_cast<unsigned>(kind) & 1) != 0;
}
/// Whether --ops counts the op.
[[nodiscard]] constexpr bool counted(OpKind kind) {
  return (detail::counted >> static_cast<unsigned>(kind) & 1) != 0;
}

/// Whether the op hands a child over, whose body is its block.
[[nodiscard]] constexpr bool makes_task(OpKind kind) {
  return kind == OpKind::spawn || kind == OpKind::reserve;
}

[[nodiscard]] constexpr const OpInfo& info(OpKind kind) { return op_table[static_cast<std::size_t>(kind)]; }

/// Whether the op makes a scope.
[[nodiscard]] constexpr bool makes_scope(OpKind kind) {
  return kind == OpKind::scope || kind == OpKind::enter;
}

/// Whether the op calls the implementation even though its block is empty.
[[nodiscard]] constexpr bool opens_a_call(OpKind kind) { return makes_task(kind) || kind == OpKind::enter; }

/// Capacities of the model: indices of cells, values and tasks are below these.
inline constexpr std::size_t max_cells = 8;
inline constexpr std::size_t max_values = 16;
inline constexpr std::size_t max_tasks = 8;
inline constexpr std::size_t max_ops = 128;    ///< lines of a scenario, braces included
inline constexpr std::size_t max_blocks = 12;  ///< nesting of open blocks
inline constexpr std::uint8_t none = 0xff;

/// How a value comes to be forgotten.
enum class LeakVector : std::uint8_t { forget, cycle, in_place };

/// One op. Fields that an op does not use are zero, so that equality is memberwise.
struct Op {
  OpKind kind = OpKind::end;
  /// value, cell or task index; the new index for declarations; the count of `run`.
  std::uint8_t subject = 0;
  /// spawn, reserve: the scope's value index, or `none`.
  std::uint8_t scope = 0;
  /// spawn, reserve, join_as, scope, enter, async: the new value's index (`none`: the API gives no handle).
  std::uint8_t value = 0;
  std::uint8_t shared = 0;  ///< spawn, reserve: cells borrowed shared, a bit each
  std::uint8_t mut = 0;     ///< spawn, reserve: cells borrowed mutably
  bool boxed = false;       ///< the new value lives on the heap
  /// spawn: the await that the API attaches; forget: the leak vector.
  std::uint8_t extra = 0;

  friend constexpr auto operator<=>(const Op&, const Op&) = default;
};
static_assert(sizeof(Op) == 8);

}  // namespace scopecheck::scenario
