// A finding in sentences: who borrowed what, what ended the loan, what ended the memory, what used it
// afterwards. Stands below a lifeline, in the terminal and elsewhere.
#pragma once

#include "harness/ledger/ledger.hpp"
#include "harness/scenario/text.hpp"
#include "harness/verdict/finding.hpp"

#include <span>
#include <string>

namespace scopecheck::report {

/// One paragraph, ASCII, without line breaks.
[[nodiscard]] std::string explain(const scenario::Scenario& scenario, std::span<const ledger::Event> events,
                                  const verdict::Finding& finding, const scenario::Wording& wording);

}  // namespace scopecheck::report
