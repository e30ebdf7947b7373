// What the targets tell their engine before the first run: flags that fit scenarios, unless others were
// given.
#pragma once

namespace scopecheck::fuzz {

/// For LLVMFuzzerInitialize of targets that run scenarios: no growing of inputs from a few bytes on (a record
/// is eight), a wall-clock limit per input.
void add_default_flags(int* argc, char*** argv);

}  // namespace scopecheck::fuzz
