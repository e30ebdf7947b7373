// Stand-ins for the program of the ASan or TSan build: this test program, whose runners run a job without any
// real access and then testify as they are told, in every build alike.
#pragma once

#include "harness/campaign/runner.hpp"

#include <filesystem>
#include <string_view>

namespace scopecheck::tests {

enum class Testimony : std::uint8_t {
  at_the_first_late_touch,  ///< what ASan says when it sees what the ledger sees
  before_it,
  after_it,
  elsewhere,  ///< at that moment, but about an access that is not the harness's own
  none,
  of_less,  ///< of a search: leaves the last length out
  of_more,  ///< of a search: goes one length further
};

/// An executable file that runs this test program with such a runner.
[[nodiscard]] std::filesystem::path program_of_witness(Testimony testimony);

/// The loop that such a file asks for by name; nothing for other names.
[[nodiscard]] campaign::Loop loop_of_witness(std::string_view name);

}  // namespace scopecheck::tests
