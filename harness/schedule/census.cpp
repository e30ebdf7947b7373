#include "harness/schedule/census.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sched.h>
#include <string_view>
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
  const auto self = static_cast<pid_t>(::syscall(SYS_gettid));
  list();
  Thread own{.tid = self};
  possible_ = open(own) && read(own) && own.slices > 0;
  close(own);
  for (const Thread& thread : threads_)
    if (thread.tid != self) foreign_.push_back(thread.tid);
  threads_.clear();
}

Census::~Census() {
  for (const Thread& thread : threads_) close(thread);
  if (directory_ >= 0) ::close(directory_);
}

bool Census::is_foreign(pid_t tid) const { return std::ranges::find(foreign_, tid) != foreign_.end(); }

/// Brings threads_ up to date with the directory.
void Census::list() {
  for (Thread& thread : threads_) thread.listed = false;
  grown_ = false;
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
        grown_ = true;
      }
    }
  }
  std::erase_if(threads_, [](const Thread& thread) {
    if (!thread.listed) close(thread);
    return !thread.listed;
  });
}

void Census::close(const Thread& thread) {
  for (const int fd : {thread.stat, thread.schedstat, thread.syscall})
    if (fd >= 0) ::close(fd);
}

bool Census::open(Thread& thread) const {
  close(thread);
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

bool Census::read(Thread& thread) const {
  std::array<char, 512> buffer;
  const std::string_view stat = contents(thread.stat, buffer);
  const std::size_t name_ends = stat.rfind(')');  // the name may contain anything
  if (name_ends == std::string_view::npos || name_ends + 2 >= stat.size()) return false;
  const char state = stat[name_ends + 2];
  std::string_view times = contents(thread.schedstat, buffer);
  if (times.empty()) return false;
  static_cast<void>(number_in(times));  // its clock, but as of the last tick
  static_cast<void>(number_in(times));  // how long it waited for a processor
  const std::uint64_t slices = number_in(times);
  const std::optional<std::uint64_t> cpu_ns = cpu_time_ns(thread.tid);
  if (!cpu_ns) return false;
  thread.changed = thread.state != state || thread.slices != slices || thread.cpu_ns != *cpu_ns;
  thread.state = state;
  thread.cpu_ns = *cpu_ns;
  thread.slices = slices;
  return true;
}

/// Whether every thread has left its processor, or is gone. Cost: the kernel waits for a thread that is about
/// to.
bool Census::off_processor() const {
  const auto self = static_cast<pid_t>(::syscall(SYS_gettid));
  return std::ranges::all_of(threads_, [self](const Thread& thread) {
    std::array<char, 256> buffer;
    return thread.tid == self || gone(thread) || !contents(thread.syscall, buffer).starts_with("running");
  });
}

/// One collect. Returns whether nothing differs from the one before and all are asleep.
bool Census::pass() {
  const std::size_t listed_before = threads_.size();
  list();
  const auto self = static_cast<pid_t>(::syscall(SYS_gettid));
  bool still = !grown_ && threads_.size() == listed_before;
  for (Thread& thread : threads_) {
    if (thread.tid == self) continue;
    const bool fresh = thread.stat < 0;
    // a number may come back with another thread: the old files then say that theirs is gone
    if (fresh || !read(thread)) {
      if (!open(thread) || !read(thread)) {
        thread.state = 'X';  // gone since it was listed
        still = false;
        continue;
      }
      thread.cpu_before_ns = thread.cpu_ns;
      thread.changed = true;
    }
    if (thread.changed || !(asleep(thread) || gone(thread))) still = false;
  }
  return still;
}

Rest Census::rest(std::chrono::nanoseconds budget) {
  const auto self = static_cast<pid_t>(::syscall(SYS_gettid));
  bool first = true;
  unsigned reports_before = reports.load();
  for (;;) {
    static_cast<void>(pass());
    const unsigned reports_now = reports.load();
    const bool reported = reports_now != reports_before || reports_now % 2 != 0;
    reports_before = reports_now;
    if (first || reported)  // what a report costs is not the time of who makes it
      for (Thread& thread : threads_) thread.cpu_before_ns = thread.cpu_ns;
    first = false;
    if (reported) {
      ::sched_yield();
      continue;
    }
    if (off_processor() && pass() && reports.load() == reports_now) return Rest::blocked;
    bool spinning = false;
    bool busy = false;
    for (const Thread& thread : threads_) {
      if (thread.tid == self || asleep(thread) || gone(thread)) continue;
      const bool spent = thread.cpu_ns - thread.cpu_before_ns >= static_cast<std::uint64_t>(budget.count());
      (spent ? spinning : busy) = true;
    }
    if (spinning && !busy) return Rest::spinning;
    if (busy) ::sched_yield();
  }
}

std::optional<Waiter> Census::waiter() const {
  const auto self = static_cast<pid_t>(::syscall(SYS_gettid));
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
