#include "harness/campaign/supervisor.hpp"

#include "harness/campaign/runner.hpp"
#include "harness/campaign/sanitizer.hpp"
#include "harness/campaign/shared_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <map>
#include <memory>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

extern char** environ;

namespace scopecheck::campaign {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds tick{100};  // how often runners are looked at; their deaths wake us at once
constexpr milliseconds tick_without_pidfd{10};
constexpr int runner_fd = 3;  // where a runner finds its memory
constexpr unsigned kill_strikes = 3;
constexpr double starved_factor = 10;   // patience with a runner that gets no CPU time
constexpr double skipping_factor = 30;  // and with one that looks for its place in the enumeration
constexpr double exit_seconds = 2;      // for a runner that has finished but does not end
constexpr off_t output_limit = 1 << 20;
constexpr std::size_t output_kept = 4096;

// ---- reading a tally that a dying process may have scribbled over -----------------------------------

bool plausible(const scenario::Scenario& scenario) {
  return scenario.ops.size() <= scenario.ops.capacity() &&
         std::ranges::all_of(scenario.ops, [](const scenario::Op& op) {
           return static_cast<std::size_t>(op.kind) < scenario::op_kinds;
         });
}

template <std::size_t N>
std::string text_of(const std::array<char, N>& field) {
  return {field.data(), ::strnlen(field.data(), N)};
}

std::size_t findings_of(const Tally& tally) {
  return std::min<std::size_t>(tally.findings_used, max_findings);
}

bool usable(const FoundSlot& slot) {
  return static_cast<std::size_t>(slot.finding.kind()) < verdict::kind_table.size() &&
         plausible(slot.scenario);
}

// ---- processes ---------------------------------------------------------------------------------------

/// Closes a descriptor at the end of its life.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::string tail_of(int fd) {
  struct stat file{};
  if (::fstat(fd, &file) != 0) return {};
  std::string text(output_kept, '\0');
  const off_t from = std::max<off_t>(0, file.st_size - static_cast<off_t>(output_kept));
  const ssize_t got = ::pread(fd, text.data(), text.size(), from);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

/// What /proc says about a process; state '?' when it says nothing.
struct ProcessState {
  char state = '?';
  double cpu_seconds = 0;
};

ProcessState state_of(pid_t pid) {
  ProcessState result;
  std::FILE* const file = std::fopen(fmt::format("/proc/{}/stat", pid).c_str(), "re");
  if (file == nullptr) return result;
  std::array<char, 1024> line{};
  if (std::fgets(line.data(), static_cast<int>(line.size()), file) != nullptr) {
    unsigned long user = 0;
    unsigned long system = 0;
    const char* const after_name = std::strrchr(line.data(), ')');  // the name may contain anything
    if (after_name != nullptr &&
        std::sscanf(after_name + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &result.state,
                    &user, &system) == 3)
      result.cpu_seconds = static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
  std::fclose(file);
  return result;
}

/// The environment of runners: ours, with the sanitizers' options replaced.
std::vector<std::string> runner_environment(bool symbolize) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with("ASAN_OPTIONS=") && !text.starts_with("UBSAN_OPTIONS=") &&
        !text.starts_with("LSAN_OPTIONS=") && !text.starts_with("TSAN_OPTIONS="))
      result.emplace_back(text);
  }
  const std::filesystem::path symbolizer = symbolize ? find_symbolizer() : std::filesystem::path();
  result.push_back("ASAN_OPTIONS=" + asan_options(symbolize, symbolizer));
  result.push_back(fmt::format("UBSAN_OPTIONS=print_stacktrace={:d}", symbolize));
  result.push_back(
      fmt::format("TSAN_OPTIONS=report_thread_leaks=0:atexit_sleep_ms=0:exitcode={}", sanitizer_exit_code));
  return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::expected<pid_t, std::string> spawn_runner(const std::filesystem::path& executable,
                                               std::vector<std::string>& environment, int memory,
                                               int output) {
  std::vector<std::string> arguments = {"scopecheck", "runner", "--fd", std::to_string(runner_fd)};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, memory,
                                   runner_fd);  // also when they are equal: clears close-on-exec
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, executable.c_str(), &actions, &attributes,
                                  pointers_to(arguments).data(), pointers_to(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return std::unexpected(fmt::format("cannot start {}: {}", executable.string(), std::strerror(error)));
  return pid;
}

// ---- one job -----------------------------------------------------------------------------------------

/// A job with its memory and the process that works on it, if any.
class Shard {
 public:
  Shard(std::size_t index, const Job& job, SharedMemory memory, Fd output)
      : index_(index), job_(job), memory_(std::move(memory)), output_(std::move(output)) {
    memory_->supervisor = ::getpid();
  }
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  ~Shard() { stop(); }

  [[nodiscard]] const Tally& tally() const { return memory_->tally; }
  [[nodiscard]] const Job& job() const { return job_; }
  [[nodiscard]] bool running() const { return pid_ > 0; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] const std::string& error() const { return error_; }

  /// Starts a runner at job().skip.
  void start(const SupervisorOptions& options, std::vector<std::string>& environment) {
    memory_->job = job_;
    memory_->tally.number.store(no_number);
    started_before_ = memory_->started.load();
    const auto pid = spawn_runner(options.executable, environment, memory_.fd(), output_.get());
    if (!pid) {
      error_ = pid.error();
      return;
    }
    pid_ = *pid;
    // by number: glibc 2.36 declares pidfd_open() without C linkage
    pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    stuck_at_.reset();
    mark_progress();
  }

  /// Kills the runner, if there is one, and waits until it is gone.
  void stop() {
    if (!running()) return;
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    gone();
  }

  /// Takes notice of a runner that has ended. Returns how it died if it did not just finish; then
  /// wants_restart() says whether the job goes on.
  std::optional<Death> reap(const SupervisorOptions& options) {
    int status = 0;
    const pid_t got = ::waitpid(pid_, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) return std::nullopt;
    const bool started = memory_->started.load() != started_before_;
    gone();
    Tally& tally = memory_->tally;
    if (tally.finished.load() != 0) return std::nullopt;  // however it ended after that
    Death death = examine(got < 0 ? SIGKILL : status, started);
    decide(death, started, options);
    return death;
  }
  [[nodiscard]] bool wants_restart() const { return wants_restart_; }

  /// Ends a runner that makes no progress. `elapsed`: time in which it could have made some.
  void watch(milliseconds elapsed, const SupervisorOptions& options) {
    trim_output();
    const Tally& tally = memory_->tally;
    const std::uint64_t number = tally.number.load();
    const std::uint64_t done = tally.done.load();
    const std::uint8_t finished = tally.finished.load();
    if (number != seen_number_ || done != seen_done_ || finished != seen_finished_) {
      mark_progress();
      return;
    }
    quiet_ += elapsed;
    const double quiet = std::chrono::duration<double>(quiet_).count();
    const bool in_scenario = number != no_number && tally.counted.load() != number + 1;
    const double limit = finished != 0 ? exit_seconds
                         : in_scenario ? options.stuck_seconds
                                       : options.stuck_seconds * skipping_factor;
    if (quiet < limit) {
      // CPU time is counted from the first quiet tick on: asking for it at every step of progress is dear
      if (quiet_ == elapsed) cpu_at_progress_ = state_of(pid_).cpu_seconds;
      return;
    }
    const ProcessState state = state_of(pid_);
    if (state.state == 't') return;  // somebody debugs it
    const bool starved = (state.state == 'R' || state.state == 'D') &&
                         state.cpu_seconds - cpu_at_progress_ < 0.1 * options.stuck_seconds;
    if (finished == 0 && starved && quiet < limit * starved_factor) return;
    // One that somebody has stopped is not stuck: its death counts as a kill from outside.
    if (state.state != 'T') stuck_at_ = {number, in_scenario};
    ::kill(pid_, SIGKILL);
  }

 private:
  void gone() {
    pid_ = 0;
    pidfd_ = Fd();
    wants_restart_ = false;
  }

  void mark_progress() {
    const Tally& tally = memory_->tally;
    seen_number_ = tally.number.load();
    seen_done_ = tally.done.load();
    seen_finished_ = tally.finished.load();
    quiet_ = milliseconds{0};
  }

  void trim_output() const {
    struct stat file{};
    if (::fstat(output_.get(), &file) == 0 && file.st_size > output_limit)
      static_cast<void>(!::ftruncate(output_.get(), 0));
  }

  Death examine(int status, bool started) const {
    const Tally& tally = memory_->tally;
    Death death;
    death.job = index_;
    death.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    death.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    death.number = tally.number.load();
    death.in_scenario = started && death.number != no_number && tally.counted.load() != death.number + 1;
    death.output = tail_of(output_.get());
    if (plausible(tally.current)) death.scenario = tally.current;
    const auto events = tally.ledger.events();
    if (!events.empty() && events.size() <= ledger::max_events) death.op = events.back().op;
    if (tally.sanitizer_reports != 0) death.sanitizer_text = text_of(tally.sanitizer_text);
    death.kind = kind_of(death, started);
    if (death.kind == DeathKind::sanitizer && death.sanitizer_text.empty())
      death.sanitizer_text = death.output;
    return death;
  }

  DeathKind kind_of(const Death& death, bool started) const {
    const LastWords words = read_last_words(death.output);
    switch (death.signal) {
      case SIGKILL:
        // If it moved on between the last look and the kill, then it was not stuck.
        if (stuck_at_ == std::pair(death.number, death.in_scenario))
          return death.in_scenario ? DeathKind::stuck : DeathKind::harness;
        return DeathKind::killed;
      case SIGTERM:
      case SIGINT:
      case SIGHUP:
      case SIGQUIT:
        return DeathKind::killed;
      default:
        break;
    }
    if (!started) return DeathKind::harness;
    switch (death.signal) {
      case 0:
        return death.exit_code == sanitizer_exit_code ? DeathKind::sanitizer : DeathKind::ended;
      case SIGSEGV:
      case SIGBUS:
      case SIGFPE:
        return DeathKind::crash;
      case SIGABRT:
        if (words == LastWords::assertion) return DeathKind::harness;
        return words == LastWords::corruption ? DeathKind::crash : DeathKind::ended;
      default:
        return DeathKind::ended;
    }
  }

  /// Counts the scenario that it died of, and says where the next runner begins.
  void decide(const Death& death, bool started, const SupervisorOptions& options) {
    Tally& tally = memory_->tally;
    const std::uint64_t place = death.in_scenario ? death.number : std::max(job_.skip, tally.counted.load());
    const auto give_up = [&](std::string why) {
      error_ = fmt::format("{} ({}), shard {} of {}: {}", text_of(job_.implementation), text_of(job_.flavour),
                           job_.shard + 1, job_.shards, why);
    };
    if (death.kind == DeathKind::harness) {
      give_up(started ? describe(death) : start_failure(death));
      return;
    }
    if (death.kind == DeathKind::killed) {
      strikes_ = place == killed_at_ ? strikes_ + 1 : 1;
      killed_at_ = place;
      if (strikes_ >= kill_strikes) {
        give_up(fmt::format("{}, for the {}rd time at the same place; is the system out of memory?",
                            describe(death), kill_strikes));
        return;
      }
      again(place);
      return;
    }
    if (!death.in_scenario &&
        death.number == no_number) {  // the harness died on its way to the first scenario
      give_up(describe(death));
      return;
    }
    if (death.in_scenario) count(death);
    if (++deaths_ >= options.deaths_limit) {
      give_up(fmt::format("given up after {} deaths of its runners; the last: {}", deaths_, describe(death)));
      return;
    }
    again(std::max(place, death.number + 1));
  }

  void count(const Death& death) {
    Tally& tally = memory_->tally;
    const std::size_t cost = death.scenario.cost();
    if (cost < tally.per_length.size()) ++tally.per_length[cost];
    const auto outcome = [&](interpreter::Outcome kind) {
      const auto slot = static_cast<std::size_t>(kind);
      if (tally.outcomes[slot]++ == 0) tally.outcome_example[slot] = death.scenario;
    };
    if (death.kind == DeathKind::stuck) outcome(interpreter::Outcome::hang_suspected);
    if (death.kind == DeathKind::ended) outcome(interpreter::Outcome::fail_stop);
    tally.done.fetch_add(1);
    tally.counted.store(death.number + 1);
  }

  void again(std::uint64_t place) {
    // A replay compares its runs with one another: it cannot go on in the middle.
    if (job_.engine == Engine::one) {
      std::destroy_at(&memory_->tally);
      std::construct_at(&memory_->tally);
    } else {
      job_.skip = place;
    }
    wants_restart_ = true;
    static_cast<void>(!::ftruncate(output_.get(), 0));
  }

  static std::string start_failure(const Death& death) {
    if (death.signal == 0 && death.exit_code == runner_foreign_build)
      return "the runner's program was built from other sources than this one; build both again";
    if (death.signal == 0 && death.exit_code == runner_memory_unusable)
      return "the runner could not read its job";
    return fmt::format("the runner did not start: {}\n{}", describe(death), death.output);
  }

  std::size_t index_;
  Job job_;
  SharedMemory memory_;
  Fd output_;
  pid_t pid_ = 0;
  Fd pidfd_;
  std::uint32_t started_before_ = 0;
  bool wants_restart_ = false;
  std::string error_;
  unsigned deaths_ = 0;
  unsigned strikes_ = 0;
  std::uint64_t killed_at_ = no_number;
  std::optional<std::pair<std::uint64_t, bool>>
      stuck_at_;  ///< the watchdog killed it at (number, in_scenario)
  std::uint64_t seen_number_ = 0;
  std::uint64_t seen_done_ = 0;
  std::uint8_t seen_finished_ = 0;
  milliseconds quiet_{0};
  double cpu_at_progress_ = 0;
};

std::expected<std::unique_ptr<Shard>, std::string> make_shard(std::size_t index, const Job& job) {
  auto memory = SharedMemory::create();
  if (!memory) return std::unexpected(memory.error());
  Fd output(::memfd_create("scopecheck-output", MFD_CLOEXEC));
  if (output.get() < 0) return std::unexpected(fmt::format("memfd_create: {}", std::strerror(errno)));
  // Two writers and whoever truncates it meanwhile: every write goes to the present end.
  ::fcntl(output.get(), F_SETFL, O_APPEND);
  Job begun = job;
  if (begun.began_ns == 0) {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    begun.began_ns =
        static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
  }
  return std::make_unique<Shard>(index, begun, std::move(*memory), std::move(output));
}

// ---- stopping at the first finding -------------------------------------------------------------------

/// Up to where the shards of a search that stops at a finding matter: a length, and a number.
struct Horizon {
  std::size_t ops = scenario::max_ops;
  std::uint64_t number = no_number;

  [[nodiscard]] bool covers(Engine engine, std::size_t cost, std::uint64_t at) const {
    // The exhaustive engine finishes a length: the same length may hold findings of other kinds.
    return engine == Engine::exhaustive ? cost <= ops : at <= number;
  }
};

Horizon horizon_of(std::span<const Tally* const> tallies) {
  Horizon horizon;
  for (const Tally* tally : tallies)
    for (std::size_t i = 0; i < findings_of(*tally); ++i) {
      const FoundSlot& slot = tally->findings[i];
      if (!usable(slot) || !verdict::info(slot.finding.kind()).memory) continue;
      horizon.ops = std::min(horizon.ops, slot.scenario.cost());
      horizon.number = std::min(horizon.number, slot.after_scenarios);
    }
  return horizon;
}

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "it is set in a signal handler");

/// The work of supervise().
class Supervision {
 public:
  Supervision(std::span<const Job> jobs, const SupervisorOptions& options)
      : jobs_(jobs),
        options_(options),
        environment_(runner_environment(options.symbolize)),
        stop_at_finding_(!jobs.empty() &&
                         std::ranges::all_of(jobs, [](const Job& job) { return job.stop_at_finding; })) {}

  Supervised run() {
    auto last_look = Clock::now();
    auto last_progress = last_look - options_.progress_interval;
    for (;;) {
      if (stop_requested.load()) {
        for (const auto& shard : shards_) shard->stop();
        result_.interrupted = true;
        break;
      }
      fill();
      if (!any_running()) break;
      wait();
      const auto now = Clock::now();
      // No more than two ticks: after a pause of the whole machine, or ours, runners get their time anew.
      const auto elapsed = std::min(std::chrono::duration_cast<milliseconds>(now - last_look), 2 * tick);
      last_look = now;
      look(elapsed);
      if (options_.progress && now - last_progress >= options_.progress_interval) {
        last_progress = now;
        options_.progress(tallies_);
      }
    }
    return finish();
  }

  /// Of job 0; null when it could not be set up.
  [[nodiscard]] const Tally* first_tally() const { return tallies_.empty() ? nullptr : tallies_.front(); }

 private:
  void fill() {
    while (next_ < jobs_.size() && running_count() < std::max(options_.runners, 1u)) {
      const std::size_t index = next_++;
      auto shard = make_shard(index, jobs_[index]);
      if (!shard) {
        result_.errors.push_back(shard.error());
        next_ = jobs_.size();
        return;
      }
      shards_.push_back(std::move(*shard));
      tallies_.push_back(&shards_.back()->tally());
      start(*shards_.back());
    }
  }

  void start(Shard& shard) {
    shard.start(options_, environment_);
    if (!shard.error().empty()) result_.errors.push_back(shard.error());
  }

  [[nodiscard]] std::size_t running_count() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(shards_, [](const auto& shard) { return shard->running(); }));
  }
  [[nodiscard]] bool any_running() const { return running_count() != 0; }

  /// Until a runner ends, a signal comes, or a tick is over.
  void wait() const {
    std::vector<pollfd> fds;
    auto timeout = tick;
    for (const auto& shard : shards_) {
      if (!shard->running()) continue;
      if (shard->pidfd() < 0) timeout = tick_without_pidfd;
      fds.push_back({.fd = shard->pidfd(), .events = POLLIN, .revents = 0});
    }
    ::poll(fds.data(), fds.size(), static_cast<int>(timeout.count()));
  }

  void look(milliseconds elapsed) {
    const Horizon horizon = stop_at_finding_ ? horizon_of(tallies_) : Horizon{};
    for (const auto& shard : shards_) {
      if (!shard->running()) continue;
      if (stop_at_finding_ && !matters(*shard, horizon)) {
        shard->stop();
        continue;
      }
      if (auto death = shard->reap(options_)) {
        result_.deaths.push_back(std::move(*death));
        if (!shard->error().empty()) result_.errors.push_back(shard->error());
        if (shard->wants_restart() && !past_deadline(shard->job())) start(*shard);
      }
      if (shard->running()) shard->watch(elapsed, options_);
    }
  }

  static bool matters(const Shard& shard, const Horizon& horizon) {
    const std::uint64_t number = shard.tally().number.load();
    if (number == no_number) return true;
    return horizon.covers(shard.job().engine, shard.tally().ops.load(), number);
  }

  static bool past_deadline(const Job& job) {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto now_ns =
        static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
    return job.deadline_ns != 0 && now_ns > job.deadline_ns;
  }

  Supervised finish() {
    const Horizon horizon = stop_at_finding_ ? horizon_of(tallies_) : Horizon{};
    const auto trim = [&](Merged& merged, Engine engine) {
      std::erase_if(merged.findings, [&](const Found& found) {
        return !horizon.covers(engine, found.scenario.cost(), found.number);
      });
    };
    result_.merged = merge(tallies_);
    if (stop_at_finding_) trim(result_.merged, jobs_.front().engine);
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      const std::span<const Tally* const> own(tallies_.data() + std::min(i, tallies_.size()),
                                              i < tallies_.size() ? 1 : 0);
      result_.by_job.push_back(merge(own));
      if (stop_at_finding_) trim(result_.by_job.back(), jobs_[i].engine);
      for (const std::string& error : result_.by_job.back().errors)
        result_.errors.push_back(
            fmt::format("{} ({}): {}", text_of(jobs_[i].implementation), text_of(jobs_[i].flavour), error));
    }
    std::ranges::sort(result_.deaths, {},
                      [](const Death& death) { return std::pair(death.job, death.number); });
    return std::move(result_);
  }

  std::span<const Job> jobs_;
  const SupervisorOptions& options_;
  std::vector<std::string> environment_;
  bool stop_at_finding_;
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<const Tally*> tallies_;
  Supervised result_;
};

}  // namespace

// ---- words -------------------------------------------------------------------------------------------

std::string_view to_string(DeathKind kind) {
  switch (kind) {
    case DeathKind::crash:
      return "crash";
    case DeathKind::sanitizer:
      return "sanitizer";
    case DeathKind::ended:
      return "ended";
    case DeathKind::stuck:
      return "stuck";
    case DeathKind::killed:
      return "killed";
    case DeathKind::harness:
      return "harness";
  }
  return "?";
}

std::string describe(const Death& death) {
  std::string how;
  switch (death.kind) {
    case DeathKind::stuck:
      how = "the runner made no progress and was ended by the wall-clock watchdog";
      break;
    case DeathKind::sanitizer:
      how = "a sanitizer ended the runner";
      break;
    default:
      how = death.signal != 0
                ? fmt::format("the runner got signal {} ({})", death.signal, ::strsignal(death.signal))
                : fmt::format("the runner exited with code {}", death.exit_code);
      break;
  }
  if (death.in_scenario) return fmt::format("{} at op {} of scenario {}", how, death.op, death.number);
  if (death.number == no_number) return how + " before its first scenario";
  return fmt::format("{} after scenario {}", how, death.number);
}

// ---- adding up ---------------------------------------------------------------------------------------

Merged merge(std::span<const Tally* const> tallies) {
  Merged merged;
  merged.per_length.resize(scenario::max_ops);
  merged.op_reach.resize(scenario::op_kinds);
  merged.event_reach.resize(ledger::event_kinds);
  merged.all_finished = !tallies.empty();
  const auto add = [](std::vector<std::uint64_t>& sums, const auto& counts) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += counts[i];
  };
  std::map<verdict::Signature, Found> found;
  for (const Tally* tally : tallies) {
    merged.done += tally->done.load();
    add(merged.per_length, tally->per_length);
    add(merged.op_reach, tally->op_reach);
    add(merged.event_reach, tally->event_reach);
    for (std::size_t i = 0; i < outcome_kinds; ++i) {
      merged.outcomes[i] += tally->outcomes[i];
      const scenario::Scenario& example = tally->outcome_example[i];
      if (tally->outcomes[i] == 0 || !plausible(example)) continue;
      if (!merged.outcome_example[i] || example < *merged.outcome_example[i])
        merged.outcome_example[i] = example;
    }
    merged.goals |= tally->goals;
    merged.findings_overflowed = merged.findings_overflowed || tally->findings_overflowed;
    for (std::size_t i = 0; i < findings_of(*tally); ++i) {
      const FoundSlot& slot = tally->findings[i];
      if (!usable(slot)) continue;
      const Found candidate{slot.finding, slot.scenario, slot.after_scenarios, slot.after_ns, slot.times};
      const auto [at, is_new] = found.try_emplace(slot.finding.signature, candidate);
      if (is_new) continue;
      Found& known = at->second;
      const std::uint64_t times = known.times + candidate.times;
      if (std::pair(candidate.scenario.cost(), candidate.number) <
          std::pair(known.scenario.cost(), known.number))
        known = candidate;
      known.times = times;
    }
    const std::uint8_t finished = tally->finished.load();
    merged.all_finished = merged.all_finished && finished == 1;
    merged.deadline_reached = merged.deadline_reached || finished == 2;
    if (std::string error = text_of(tally->error);
        !error.empty() && std::ranges::find(merged.errors, error) == merged.errors.end())
      merged.errors.push_back(std::move(error));
  }
  for (auto& [signature, one] : found) merged.findings.push_back(std::move(one));
  std::ranges::sort(merged.findings, {}, [](const Found& one) {
    return std::tuple(one.scenario.cost(), one.number, one.finding.signature);
  });
  return merged;
}

// ---- the doors ---------------------------------------------------------------------------------------

Supervised supervise(std::span<const Job> jobs, const SupervisorOptions& options) {
  // Inherited from some parents, and then the system would throw away how our children ended.
  struct sigaction child{};
  if (::sigaction(SIGCHLD, nullptr, &child) == 0 && child.sa_handler == SIG_IGN) ::signal(SIGCHLD, SIG_DFL);
  return Supervision(jobs, options).run();
}

std::expected<OneRun, std::string> run_one(const Job& job, const SupervisorOptions& options) {
  SCOPECHECK_ASSERT(job.engine == Engine::one);
  SupervisorOptions single = options;
  single.deaths_limit = 1;
  Supervision supervision({&job, 1}, single);
  Supervised supervised = supervision.run();
  OneRun result;
  result.interrupted = supervised.interrupted;
  for (Death& death : supervised.deaths)
    if (death.kind != DeathKind::killed && death.kind != DeathKind::harness) result.death = std::move(death);
  if (!result.death && !supervised.errors.empty()) return std::unexpected(supervised.errors.front());
  const Tally* const tally = supervision.first_tally();
  if (tally == nullptr) return result;
  result.runs = tally->done.load();
  if (tally->ledger.events().size() <= ledger::max_events) result.ledger = tally->ledger;
  result.ledger_hash = tally->ledger_hash;
  result.ledgers_differing = tally->ledgers_differing;
  result.findings = std::move(supervised.merged.findings);
  result.sanitizer_reports = tally->sanitizer_reports;
  if (tally->sanitizer_reports != 0) {
    result.sanitizer_event = tally->sanitizer_event;
    result.sanitizer_in_harness = tally->sanitizer_in_harness;
    result.sanitizer_text = text_of(tally->sanitizer_text);
  }
  if (!result.death || result.death->kind == DeathKind::ended || result.death->kind == DeathKind::stuck) {
    // Where runs of one scenario ended differently, the one that was not clean is what matters.
    for (std::size_t i = 0; i < outcome_kinds; ++i)
      if (tally->outcomes[i] != 0) result.outcome = static_cast<interpreter::Outcome>(i);
  }
  return result;
}

// ---- signals -----------------------------------------------------------------------------------------

namespace {

constexpr std::array stopping_signals = {SIGINT, SIGTERM, SIGHUP};
std::array<struct sigaction, stopping_signals.size()> actions_before;

}  // namespace

StopOnSignals::StopOnSignals() {
  struct sigaction action{};
  action.sa_handler = [](int) { request(); };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // no SA_RESTART: poll() returns at once
  for (std::size_t i = 0; i < stopping_signals.size(); ++i) {
    ::sigaction(stopping_signals[i], nullptr, &actions_before[i]);
    // nohup and background jobs of a shell ask that some be ignored
    if (actions_before[i].sa_handler != SIG_IGN) ::sigaction(stopping_signals[i], &action, nullptr);
  }
}

StopOnSignals::~StopOnSignals() {
  for (std::size_t i = 0; i < stopping_signals.size(); ++i)
    ::sigaction(stopping_signals[i], &actions_before[i], nullptr);
}

bool StopOnSignals::requested() { return stop_requested.load(); }
void StopOnSignals::request() { stop_requested.store(true); }
void StopOnSignals::clear() { stop_requested.store(false); }

}  // namespace scopecheck::campaign
