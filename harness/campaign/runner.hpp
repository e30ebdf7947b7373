// A runner: the process in which implementations run. It reads its job from shared memory, runs it, writes
// the tally there, and may die at any moment. Started by a supervisor as `scopecheck runner --fd N`.
#pragma once

#include "harness/campaign/search.hpp"

namespace scopecheck::campaign {

/// What a runner does once it stands; run_job except in tests.
using Loop = void (*)(const Job& job, interpreter::Implementation implementation, Tally& tally);

/// Exit codes of a runner that did not get to work. (0: it did, and the tally says the rest.)
enum RunnerExit : int {
  runner_done = 0,
  runner_memory_unusable = 80,
  runner_foreign_build = 81,  ///< supervisor and runner were built from different sources
  runner_orphaned = 82,       ///< the supervisor is gone already
  runner_not_started = 83,    ///< the program could not be started: see Shared::start_error
};

/// Runs the job in the shared memory behind `fd` and returns the process's exit code.
///
/// Requires: standard error is a file that can be read and truncated (the supervisor's memfd) or anything
/// else, which is then only written to.
/// Ensures: an abort() of the implementation on this thread ends the run as a fail-stop; one that the C
/// library calls because it found the heap or the stack corrupted, one of the harness's own assertions,
/// and one on another thread end the process. The process ends when the supervisor does.
/// Errors: an unknown implementation or flavour is tally.error.
/// Threads: the main thread, once per process.
[[nodiscard]] int runner_main(int fd, Loop loop = run_job);

/// What an abort means, by the last words on standard error.
enum class LastWords : std::uint8_t { none, corruption, assertion };
[[nodiscard]] LastWords read_last_words(std::string_view output);
/// What glibc said about a corrupted heap or stack, in one line; "" when it said nothing of the kind.
[[nodiscard]] std::string_view corruption_words(std::string_view output);

}  // namespace scopecheck::campaign
