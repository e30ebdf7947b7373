// A scenario as a Rust client: safe code against the reference crate (impls/rust/reference), for bug reports
// and for holding the client rules against rustc. One op is one statement, in the order of the text; what
// only the schedule sees is a call without loans.
#pragma once

#include "harness/scenario/offers.hpp"
#include "harness/scenario/scenario.hpp"

#include <string>
#include <string_view>

namespace scopecheck::report {

/// Why clients of such an API have no Rust form, as a sentence; "" where they have one.
[[nodiscard]] std::string_view no_rust_form(const scenario::Offers& offers);

/// The reference crate as a module, and the facts of this API as its types show them. Stands before the
/// functions that to_rust_function renders for the same offers.
[[nodiscard]] std::string rust_prelude(const scenario::Offers& offers);

/// The scenario as the function `name`. Also renders what is ill-formed, so that a borrow checker can refuse
/// it. Requires: no_rust_form(offers) is empty, blocks are closed, values are numbered in order of
/// declaration.
[[nodiscard]] std::string to_rust_function(const scenario::Scenario& scenario, const scenario::Offers& offers,
                                           std::string_view name);

/// One self-contained file: `rustc --edition 2021 --crate-type lib --emit metadata` accepts it.
[[nodiscard]] std::string to_rust(const scenario::Scenario& scenario, const scenario::Offers& offers);

}  // namespace scopecheck::report
