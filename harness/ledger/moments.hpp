// Moments after the last op of a scenario, as offsets from ops.size(): Event::op counts on through them.
#pragma once

#include <cstddef>

namespace scopecheck::ledger {

inline constexpr std::size_t at_outermost_end = 0;  ///< the outermost frame ends
inline constexpr std::size_t at_final_settle = 1;   ///< whatever still runs gets its chance
inline constexpr std::size_t at_runtime_end = 2;    ///< the runtime is destroyed

}  // namespace scopecheck::ledger
