// Must fail: proves that a crash of a fuzz target is noticed. An implementation with a planted defect, under
// the same engine and options as the others.
#define SCOPECHECK_FUZZ_IMPLEMENTATION "canary_detach"
#include "fuzz_targets/scenario.cpp"  // NOLINT: the target itself, once more
