// impls/rust/reference/reference.rs as a string: the build copies it in (CMakeLists.txt).
#pragma once

#include <string_view>

namespace scopecheck::report {

extern const std::string_view rust_reference;

}  // namespace scopecheck::report
