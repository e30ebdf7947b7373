#include "harness/schedule/census.hpp"

#include "harness/schedule/gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace scopecheck::schedule {
namespace {

// Bare system calls: what TSan's interceptors of the library functions would note are orders between threads.
int open_in(int directory, const char* path, int flags) {
  return static_cast<int>(::syscall(SYS_openat, directory, path, flags | O_RDONLY | O_CLOEXEC, 0));
}

/// The whole of a small file of /proc, from its beginning; empty when the thread is gone.
template <std::size_t N>
std::string_view contents(int fd, std::array<char, N>& buffer) {
  const long got = ::syscall(SYS_pread64, fd, buffer.data(), buffer.size(), 0L);
  return got > 0 ? std::string_view(buffer.data(), static_cast<std::size_t>(got)) : std::string_view();
}

/// Takes a number off the front of `text`. By hand: of what a template of the library becomes, the linker may
/// keep an instrumented copy from another file, and then every look would use up one of ASan's dead frames.
std::uint64_t number_in(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  unsigned base = 10;
  if (text.size() > 2 && text[0] == '0' && text[1] == 'x') {
    base = 16;
    text.remove_prefix(2);
  }
  std::uint64_t number = 0;
  for (; !text.empty(); text.remove_prefix(1)) {
    const char c = text.front();
    const bool letter = base == 16 && c >= 'a' && c <= 'f';
    if (!letter && (c < '0' || c > '9')) break;
    number = number * base + static_cast<unsigned>(letter ? c - 'a' + 10 : c - '0');
  }
  return number;
}

pid_t caller() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

/// How many links a directory has: /proc/self/task two of its own, and one for each thread.
std::optional<std::size_t> links_of(int directory) {
  struct statx status{};
  if (::syscall(SYS_statx, directory, "", AT_EMPTY_PATH, STATX_NLINK, &status) != 0) return std::nullopt;
  return status.stx_nlink;
}
constexpr std::size_t links_without_threads = 2;

// Between two attempts.
constexpr std::chrono::nanoseconds first_pause = std::chrono::microseconds{20};
constexpr std::chrono::nanoseconds longest_pause = std::chrono::milliseconds{1};

// Counts the beginnings and the ends of reports: odd during one.
std::atomic<unsigned> reports{0};

/// The CPU clock of a thread of this process, up to this moment.
std::optional<std::uint64_t> cpu_time_ns(pid_t tid) {
  // the number of a thread's clock is made as in linux/posix-timers.h: per thread, scheduler time
  const long clock = (~static_cast<long>(tid) << 3) | 6;
  timespec time{};
  if (::syscall(SYS_clock_gettime, clock, &time) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

/// linux/dirent.h is not for programs: this is its layout, see getdents64(2).
struct Entry {
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t length;
  std::uint8_t type;
  char name[1];
};

/// What a thread waits for, by the system call it is in and that call's arguments.
std::optional<Waiter::Kind> judged(long system_call, const std::array<unsigned long, 6>& arguments) {
  if (system_call == SYS_futex) {
    // a wait for another thread, pthread_join included; with a timeout it is one for the clock as well
    return arguments[3] == 0 ? std::nullopt : std::optional(Waiter::Kind::timed);
  }
  if (system_call == SYS_nanosleep || system_call == SYS_clock_nanosleep) return Waiter::Kind::timed;
  return Waiter::Kind::outside;
}

}  // namespace

std::string to_string(const Waiter& waiter) {
  switch (waiter.kind) {
    case Waiter::Kind::timed:
      return fmt::format("a thread is in a timed wait (system call {})", waiter.system_call);
    case Waiter::Kind::outside:
      return fmt::format("a thread waits for something outside of the process (system call {})",
                         waiter.system_call);
    case Waiter::Kind::spinning:
      return "a thread spins";
    case Waiter::Kind::unknown:
      return "the kernel does not tell what a thread waits for";
  }
  return "?";
}

void keep_from_rest(bool keep) {
  if ((reports.load() % 2 != 0) != keep) reports.fetch_add(1);
}

Census::Census() : directory_(open_in(AT_FDCWD, "/proc/self/task", O_DIRECTORY)) {
  if (directory_ < 0) return;
  // TSan starts a thread of its own with the program's first, and that one sleeps in timed waits
  std::thread([] {}).join();
  self_ = caller();
  list();
  Thread own{.tid = self_};
  std::array<char, 256> buffer;
  possible_ = open(own) && read_state(own) && read_slices(own) && own.slices > 0 &&
              !contents(own.syscall, buffer).empty() && links_of(directory_).has_value();
  close(own);
  for (const Thread& thread : threads_)
    if (thread.tid != self_) foreign_.push_back(thread.tid);
  threads_.clear();
}

Census::~Census() {
  for (const Thread& thread : threads_) close(thread);
  if (directory_ >= 0) ::close(directory_);
}

bool Census::is_foreign(pid_t tid) const { return std::ranges::find(foreign_, tid) != foreign_.end(); }

/// Brings threads_ up to date with the directory. Returns whether it was.
bool Census::list() {
  for (Thread& thread : threads_) thread.listed = false;
  bool same = true;
  static_cast<void>(::syscall(SYS_lseek, directory_, 0L, SEEK_SET));
  alignas(Entry) std::array<char, 4096> buffer;
  for (long got; (got = ::syscall(SYS_getdents64, directory_, buffer.data(), buffer.size())) > 0;) {
    for (long at = 0; at < got;) {
      Entry entry;
      std::memcpy(&entry, buffer.data() + at, offsetof(Entry, name));
      std::string_view name(buffer.data() + at + offsetof(Entry, name));
      at += entry.length;
      if (name.front() == '.') continue;
      const auto tid = static_cast<pid_t>(number_in(name));
      const auto known = std::ranges::find(threads_, tid, &Thread::tid);
      if (known != threads_.end()) {
        known->listed = true;
      } else if (!is_foreign(tid)) {
        threads_.push_back({.tid = tid, .listed = true});
        same = false;
      }
    }
  }
  std::erase_if(threads_, [&](const Thread& thread) {
    if (thread.listed) return false;
    close(thread);
    same = false;
    return true;
  });
  return same;
}

void Census::close(const Thread& thread) {
  for (const int fd : {thread.stat, thread.schedstat, thread.syscall})
    if (fd >= 0) ::close(fd);
}

void Census::forget(const Thread& thread) {
  close(thread);
  threads_.erase(threads_.begin() + (&thread - threads_.data()));
}

bool Census::open(Thread& thread) const {
  const auto file = [&](std::string_view name) {
    std::array<char, 32> path{};
    *fmt::format_to_n(path.data(), path.size() - 1, "{}/{}", thread.tid, name).out = '\0';
    return open_in(directory_, path.data(), 0);
  };
  thread.stat = file("stat");
  thread.schedstat = file("schedstat");
  thread.syscall = file("syscall");
  return thread.stat >= 0 && thread.schedstat >= 0 && thread.syscall >= 0;
}

bool Census::read_state(Thread& thread) {
  std::array<char, 512> buffer;
  const std::string_view stat = contents(thread.stat, buffer);
  const std::size_t name_ends = stat.rfind(')');  // the name may contain anything
  if (name_ends == std::string_view::npos || name_ends + 2 >= stat.size()) return false;
  thread.state = stat[name_ends + 2];
  return true;
}

bool Census::read_slices(Thread& thread) {
  std::array<char, 128> buffer;
  std::string_view times = contents(thread.schedstat, buffer);
  if (times.empty()) return false;
  static_cast<void>(number_in(times));  // its clock, but as of the last tick
  static_cast<void>(number_in(times));  // how long it waited for a processor
  thread.slices = number_in(times);
  return true;
}

/// Cost: the kernel waits for a thread that is about to leave it.
bool Census::off_processor(const Thread& thread) {
  std::array<char, 256> buffer;
  const std::string_view text = contents(thread.syscall, buffer);
  return !text.empty() && !text.starts_with("running");
}

bool Census::number_is_known() const {
  const auto links = links_of(directory_);
  return foreign_.empty() && links && *links == links_without_threads + threads_.size();
}

/// Reads the counts of all. False: one that was known is gone.
bool Census::counted() {
  for (Thread& thread : threads_) {
    if (thread.tid == self_) continue;
    if ((thread.stat >= 0 || open(thread)) && read_slices(thread)) continue;
    // a number may come back with another thread: the old files then say that theirs is gone
    forget(thread);
    return false;
  }
  return true;
}

/// Looks at those that were given a processor since the last look at them. False: one has not left it.
bool Census::looked() {
  for (Thread& thread : threads_) {
    if (thread.tid == self_ || thread.off_at == thread.slices) continue;
    if (!off_processor(thread)) return false;
    thread.off_at = thread.slices;
  }
  return true;
}

/// Whether all still sleep as the look at them found them.
Census::Attempt Census::still() {
  for (Thread& thread : threads_) {
    if (thread.tid == self_) continue;
    if (!read_state(thread) || !read_slices(thread)) {
      forget(thread);
      return Attempt::changed;
    }
    if (!asleep(thread) && !gone(thread)) return Attempt::busy;
    if (thread.off_at != thread.slices) return Attempt::changed;
  }
  return Attempt::at_rest;
}

/// The four steps of the proof, see the header.
Census::Attempt Census::attempt() {
  if (!number_is_known()) list();
  if (!counted()) return Attempt::changed;
  if (!looked()) return Attempt::busy;
  if (!number_is_known() && !(list() && !foreign_.empty())) return Attempt::changed;
  return still();
}

/// What those are who do not sleep; at_rest: there are none any more.
Census::Busy Census::judge_busy(std::chrono::nanoseconds budget) {
  Busy busy = Busy::nobody;
  for (Thread& thread : threads_) {
    if (thread.tid == self_ || !read_state(thread) || asleep(thread) || gone(thread)) continue;
    const std::optional<std::uint64_t> cpu_ns = cpu_time_ns(thread.tid);
    if (!cpu_ns) continue;
    if (!thread.cpu_before) thread.cpu_before = cpu_ns;
    if (*cpu_ns - *thread.cpu_before < static_cast<std::uint64_t>(budget.count())) return Busy::working;
    busy = Busy::spinning;
  }
  return busy;
}

Rest Census::rest(std::chrono::nanoseconds budget) {
  self_ = caller();
  for (Thread& thread : threads_) thread.cpu_before.reset();
  std::chrono::nanoseconds pause = first_pause;
  for (unsigned reports_before = reports.load();;) {
    const std::uint32_t arrivals = Gate::arrivals();
    const unsigned reports_now = reports.load();
    const bool reporting = reports_now % 2 != 0;
    if (reporting || reports_now != reports_before)  // what a report costs is not the time of who makes it
      for (Thread& thread : threads_) thread.cpu_before.reset();
    reports_before = reports_now;
    if (!reporting) {
      const Attempt attempted = attempt();
      if (attempted == Attempt::at_rest && reports.load() == reports_now) return Rest::blocked;
      if (attempted != Attempt::busy) continue;
      const Busy busy = judge_busy(budget);
      if (busy == Busy::spinning) return Rest::spinning;
      if (busy == Busy::nobody) continue;
    }
    Gate::wait_for_arrival(arrivals, pause);
    pause = Gate::arrivals() != arrivals ? first_pause : std::min(pause * 2, longest_pause);
  }
}

std::optional<Waiter> Census::waiter() const {
  const pid_t self = caller();
  for (const Thread& thread : threads_) {
    if (thread.tid == self || gone(thread)) continue;
    if (!asleep(thread)) return Waiter{thread.tid, Waiter::Kind::spinning};
    std::array<char, 256> buffer;
    std::string_view text = contents(thread.syscall, buffer);
    if (text.empty()) return Waiter{thread.tid, Waiter::Kind::unknown};
    if (text.starts_with("running")) return Waiter{thread.tid, Waiter::Kind::spinning};
    if (text.starts_with("-1"))
      return Waiter{thread.tid, Waiter::Kind::unknown};  // asleep, but in no system call
    const auto system_call = static_cast<long>(number_in(text));
    std::array<unsigned long, 6> arguments{};
    for (unsigned long& argument : arguments) argument = number_in(text);
    if (const auto kind = judged(system_call, arguments)) return Waiter{thread.tid, *kind, system_call};
  }
  return std::nullopt;
}

}  // namespace scopecheck::schedule
