#include "harness/campaign/runner.hpp"

#include "harness/abi/registry.hpp"
#include "harness/campaign/sanitizer.hpp"
#include "harness/campaign/shared_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <pthread.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace scopecheck::campaign {
namespace {

Shared* forked_from = nullptr;

/// In a child that an implementation forked. It ends with the runner, and what it writes into the tally is
/// its own affair: it gets a private copy in the same place.
void after_fork() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fd = ::memfd_create("scopecheck-fork", MFD_CLOEXEC);
  static_cast<void>(::ftruncate(fd, sizeof(Shared)) == 0 &&
                    ::pwrite(fd, forked_from, sizeof(Shared), 0) == static_cast<ssize_t>(sizeof(Shared)) &&
                    ::mmap(forked_from, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
                           0) != MAP_FAILED);
  ::close(fd);
}

/// The end of what was written to standard error, when that is a file.
std::string_view last_output(std::array<char, 512>& buffer) {
  struct stat file{};
  if (::fstat(STDERR_FILENO, &file) != 0 || !S_ISREG(file.st_mode)) return {};
  const auto size = static_cast<off_t>(buffer.size());
  const off_t from = std::max<off_t>(0, file.st_size - size);
  const ssize_t got = ::pread(STDERR_FILENO, buffer.data(), buffer.size(), from);
  return got > 0 ? std::string_view(buffer.data(), static_cast<std::size_t>(got)) : std::string_view();
}

/// Async-signal-safe, except that it may leave by longjmp: the machine gives the frames up as they stand.
void on_abort(int) {
  std::array<char, 512> buffer;
  if (read_last_words(last_output(buffer)) != LastWords::none)
    return;  // abort goes on, the supervisor reads them
  // "terminate called ..." once per run would fill memory, and would be taken for the next abort's words
  static_cast<void>(!::ftruncate(STDERR_FILENO, 0));
  interpreter::Machine::abandon_as_fail_stop();
}

void set_up_process() {
  struct sigaction action{};
  action.sa_handler = on_abort;
  action.sa_flags = SA_NODEFER;  // the handler does not return, and the next abort must reach it too
  ::sigaction(SIGABRT, &action, nullptr);
  // Ctrl-C goes to the whole foreground group; only the supervisor decides what it means.
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGPIPE, SIG_DFL);
  const rlimit no_core{};
  ::setrlimit(RLIMIT_CORE, &no_core);
}

void fail(Tally& tally, std::string_view why) {
  const auto text = fmt::format_to_n(tally.error.data(), tally.error.size() - 1, "{}", why);
  *text.out = '\0';
  tally.finished.store(1);
}

template <std::size_t N>
std::string_view text_of(const std::array<char, N>& field) {
  return {field.data(), ::strnlen(field.data(), N)};
}

}  // namespace

std::string_view corruption_words(std::string_view output) {
  // glibc's malloc and its fortified functions; each precedes an abort()
  for (const std::string_view words :
       {"double free", "free(): ", "malloc(): ", "realloc(): ", "munmap_chunk(): ", "malloc_consolidate(): ",
        "corrupted size vs. prev_size", "corrupted double-linked list", "corrupted unsorted chunks",
        "*** stack smashing detected ***", "*** buffer overflow detected ***"})
    if (const std::size_t at = output.find(words); at != std::string_view::npos) {
      const std::string_view line = output.substr(at);
      return line.substr(0, line.find('\n'));
    }
  return {};
}

LastWords read_last_words(std::string_view output) {
  if (output.find("scopecheck: internal error") != std::string_view::npos) return LastWords::assertion;
  return corruption_words(output).empty() ? LastWords::none : LastWords::corruption;
}

int runner_main(int fd, Loop loop) {
  const auto memory = SharedMemory::open(fd);
  if (!memory)
    return memory.error() == SharedMemory::OpenError::foreign_build ? runner_foreign_build
                                                                    : runner_memory_unusable;
  Shared& shared = **memory;

  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != shared.supervisor) return runner_orphaned;  // it died before the line above
  set_up_process();

  const Job job = shared.job;  // a copy: what the implementation scribbles over stays out of the loop
  Tally& tally = shared.tally;
  install_sanitizer_callbacks(tally);
  forked_from = &shared;
  ::pthread_atfork(nullptr, nullptr, after_fork);
  shared.witness.store(built_with());
  shared.started.fetch_add(1);

  const scopecheck_plugin* const plugin = abi::find_registered(text_of(job.implementation));
  if (plugin == nullptr) {
    fail(tally, fmt::format("no implementation is called '{}'", text_of(job.implementation)));
    return runner_done;
  }
  for (std::uint32_t i = 0; i < plugin->flavour_count; ++i) {
    if (text_of(job.flavour) != plugin->flavours[i].name) continue;
    loop(job, {.plugin = plugin, .flavour = i}, tally);
    return runner_done;
  }
  fail(tally, fmt::format("'{}' has no flavour '{}'", text_of(job.implementation), text_of(job.flavour)));
  return runner_done;
}

}  // namespace scopecheck::campaign
