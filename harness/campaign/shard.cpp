#include "harness/campaign/shard.hpp"

#include "harness/abi/registry.hpp"
#include "harness/base/clock.hpp"
#include "harness/campaign/examine.hpp"
#include "harness/campaign/jobs.hpp"
#include "harness/campaign/runner.hpp"
#include "harness/campaign/sanitizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char** environ;

namespace scopecheck::campaign {
namespace {

using std::chrono::milliseconds;

constexpr int runner_fd = 3;               // where a runner finds its memory
constexpr unsigned kills_in_scenario = 3;  // of one scenario: perhaps it eats up the memory of the system
constexpr unsigned kills_elsewhere = 20;   // at one place between two: that was nobody's fault
constexpr double starved_factor = 10;      // patience with a runner that gets no CPU time
constexpr double skipping_factor = 30;     // and with one that looks for its place in the enumeration
constexpr double exit_seconds = 2;         // for a runner that has finished but does not end
constexpr off_t output_limit = 1 << 20;
constexpr std::size_t output_kept = 4096;

std::string tail_of(int fd) {
  struct stat file{};
  if (::fstat(fd, &file) != 0) return {};
  std::string text(output_kept, '\0');
  const off_t from = std::max<off_t>(0, file.st_size - static_cast<off_t>(output_kept));
  const ssize_t got = ::pread(fd, text.data(), text.size(), from);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

/// What /proc says about a process, or a thread; state '?' when it says nothing.
struct ProcessState {
  char state = '?';
  double cpu_seconds = 0;
};

ProcessState read_stat(const std::filesystem::path& path) {
  ProcessState result;
  std::FILE* const file = std::fopen(path.c_str(), "re");
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

/// Its state is that of its main thread; where that sleeps, of one that does not, if there is one: in a
/// runner the one may wait for the other, and the other for a processor.
ProcessState state_of(pid_t pid) {
  const std::filesystem::path process = fmt::format("/proc/{}", pid);
  ProcessState result = read_stat(process / "stat");
  if (result.state != 'S') return result;
  std::error_code gone;
  for (std::filesystem::directory_iterator thread(process / "task", gone), end; !gone && thread != end;
       thread.increment(gone)) {
    const char state = read_stat(thread->path() / "stat").state;
    if (state == 'R' || state == 'D') result.state = state;
  }
  return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// What a runner is before it is one. In the child of a fork: only what is async-signal-safe.
struct Start {
  const char* executable;
  char* const* arguments;
  char* const* environment;
  int memory;
  int output;
  Shared& shared;
};

[[noreturn]] void become_runner(const Start& start) {
  // Also before the exec: whoever is stopped there ends with the supervisor, too.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != start.shared.supervisor) ::_exit(runner_orphaned);
  // A group of its own: what an implementation forks is in it, and ends with it.
  ::setpgid(0, 0);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const bool ready = ::dup2(start.output, STDOUT_FILENO) >= 0 && ::dup2(start.output, STDERR_FILENO) >= 0 &&
                     ::dup2(nothing, STDIN_FILENO) >= 0 &&
                     (start.memory == runner_fd ? ::fcntl(start.memory, F_SETFD, 0) >= 0
                                                : ::dup2(start.memory, runner_fd) >= 0);
  if (ready) ::execve(start.executable, start.arguments, start.environment);
  start.shared.start_error.store(errno);
  ::_exit(runner_not_started);
}

/// Why not posix_spawn: it waits until its child has called exec, and so for ever for one that is stopped
/// before that. Here nobody waits: whether the exec succeeded stands in start_error when the child has ended.
std::expected<pid_t, std::string> spawn_runner(const std::filesystem::path& executable,
                                               std::vector<std::string>& environment, int output,
                                               const SharedMemory& memory) {
  std::vector<std::string> arguments = {"scopecheck", "runner", "--fd", std::to_string(runner_fd)};
  const std::vector<char*> argv = pointers_to(arguments);
  const std::vector<char*> envp = pointers_to(environment);
  const Start start{executable.c_str(), argv.data(), envp.data(), memory.fd(), output, *memory};
  memory->start_error.store(0);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);  // our handlers are not for the child
  const pid_t pid = ::fork();
  if (pid == 0) become_runner(start);
  const int error = errno;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return std::unexpected(fmt::format("cannot start a runner: {}", std::strerror(error)));
  return pid;
}

}  // namespace

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
  result.push_back("TSAN_OPTIONS=" + tsan_options(symbolize, symbolizer));
  return result;
}

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

std::string cause_of(const Death& death) {
  std::string said = sanitizer_summary(death.sanitizer_text.empty() ? death.output : death.sanitizer_text);
  if (death.kind == DeathKind::sanitizer) return said;
  std::string how = death.signal != 0 ? fmt::format("signal {} ({})", death.signal, ::strsignal(death.signal))
                                      : fmt::format("exit code {}", death.exit_code);
  const std::string_view words = corruption_words(death.output);
  return words.empty() ? how : fmt::format("{}: {}", how, words);
}

std::expected<std::unique_ptr<Shard>, std::string> Shard::make(std::size_t index, const Job& job) {
  auto memory = SharedMemory::create();
  if (!memory) return std::unexpected(memory.error());
  Fd output(::memfd_create("scopecheck-output", MFD_CLOEXEC));
  if (output.get() < 0) return std::unexpected(fmt::format("memfd_create: {}", std::strerror(errno)));
  // Two writers and whoever truncates it meanwhile: every write goes to the present end.
  ::fcntl(output.get(), F_SETFL, O_APPEND);
  Job begun = job;
  if (begun.began_ns == 0) begun.began_ns = base::monotonic_ns();
  return std::make_unique<Shard>(index, begun, std::move(*memory), std::move(output));
}

namespace {

std::string start_failure(const Death& death) {
  if (death.signal == 0 && death.exit_code == runner_foreign_build)
    return "the runner's program was built from other sources than this one; build both again";
  if (death.signal == 0 && death.exit_code == runner_memory_unusable)
    return "the runner could not read its job";
  return fmt::format("the runner did not start: {}\n{}", describe(death), death.output);
}

}  // namespace

void Shard::start(const SupervisorOptions& options, std::vector<std::string>& environment) {
  memory_->job = job_;
  memory_->tally.number.store(no_number);
  started_before_ = memory_->started.load();
  const auto pid = spawn_runner(options.executable, environment, output_.get(), memory_);
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

void Shard::stop() {
  if (!running()) return;
  end_group();
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  gone();
}

std::optional<Death> Shard::reap(const SupervisorOptions& options) {
  int status = 0;
  // Looked at before it is reaped: as long as it is not, nobody else can have its number.
  siginfo_t ended{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == 0)
    return std::nullopt;
  end_group();
  const pid_t got = ::waitpid(pid_, &status, WNOHANG);
  if (got == 0 || (got < 0 && errno == EINTR)) return std::nullopt;
  const bool started = memory_->started.load() != started_before_;
  gone();
  if (const int error = memory_->start_error.load(); error != 0) {
    error_ = fmt::format("cannot start {}: {}", options.executable.string(), std::strerror(error));
    return std::nullopt;
  }
  Tally& tally = memory_->tally;
  if (tally.finished.load() != 0) return std::nullopt;  // however it ended after that
  if (tally.wants_recycling.exchange(0) != 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    again(tally.counted.load(), Runs::all);
    return std::nullopt;
  }
  Death death = examine(got < 0 ? SIGKILL : status, started);
  decide(death, started, options);
  return death;
}

void Shard::watch(milliseconds elapsed, const SupervisorOptions& options) {
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
  // CPU time is counted from the first quiet tick on: asking for it at every step of progress is dear
  if (quiet < limit && quiet_ == elapsed) cpu_at_progress_ = state_of(pid_).cpu_seconds;
  if (quiet < std::min(limit, options.stuck_seconds)) return;
  const ProcessState state = state_of(pid_);
  if (quiet < limit && state.state != 'T') return;
  if (state.state == 't') return;  // somebody debugs it
  const bool starved = (state.state == 'R' || state.state == 'D') &&
                       state.cpu_seconds - cpu_at_progress_ < 0.1 * options.stuck_seconds;
  if (finished == 0 && starved && quiet < limit * starved_factor) return;
  // One that somebody has stopped is not stuck: its death counts as a kill from outside.
  if (state.state != 'T') stuck_at_ = {number, in_scenario};
  ::kill(pid_, SIGKILL);
}

void Shard::end_group() const {
  ::kill(pid_, SIGKILL);
  ::kill(-pid_, SIGKILL);
}

void Shard::gone() {
  pid_ = 0;
  pidfd_ = Fd();
  wants_restart_ = false;
}

void Shard::mark_progress() {
  const Tally& tally = memory_->tally;
  seen_number_ = tally.number.load();
  seen_done_ = tally.done.load();
  seen_finished_ = tally.finished.load();
  quiet_ = milliseconds{0};
}

void Shard::trim_output() const {
  struct stat file{};
  if (::fstat(output_.get(), &file) == 0 && file.st_size > output_limit)
    static_cast<void>(!::ftruncate(output_.get(), 0));
}

Death Shard::examine(int status, bool started) const {
  const Tally& tally = memory_->tally;
  Death death;
  death.job = index_;
  death.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  death.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  death.number = tally.number.load();
  death.in_scenario = started && death.number != no_number && tally.counted.load() != death.number + 1;
  death.output = tail_of(output_.get());
  if (plausible(tally.current)) death.scenario = scheduled(tally);
  const auto events = tally.ledger.events();
  if (!events.empty() && events.size() <= ledger::max_events) death.op = events.back().op;
  if (tally.sanitizer_reports != 0) death.sanitizer_text = text_of(tally.sanitizer_text);
  death.kind = kind_of(death, started);
  if (death.kind == DeathKind::sanitizer && death.sanitizer_text.empty()) death.sanitizer_text = death.output;
  return death;
}

DeathKind Shard::kind_of(const Death& death, bool started) const {
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
      // The exit code alone proves nothing: anybody can exit with it.
      return death.exit_code == sanitizer_exit_code &&
                     (!death.sanitizer_text.empty() || !sanitizer_summary(death.output).empty())
                 ? DeathKind::sanitizer
                 : DeathKind::ended;
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

void Shard::decide(const Death& death, bool started, const SupervisorOptions& options) {
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
    if (std::exchange(killed_at_, place) != place) kills_in_scenario_ = kills_elsewhere_ = 0;
    if (!death.in_scenario && ++kills_elsewhere_ >= kills_elsewhere) {
      give_up(fmt::format("{}, {} times; is the system out of memory?", describe(death), kills_elsewhere));
      return;
    }
    // So often in one scenario is that scenario's doing, whoever sent the signal: it is passed over.
    if (!death.in_scenario || ++kills_in_scenario_ < kills_in_scenario) {
      again(place, Runs::of_one_process);
      return;
    }
  }
  if (!death.in_scenario && death.number == no_number) {  // the harness died on its way to the first scenario
    give_up(describe(death));
    return;
  }
  if (death.in_scenario) count(death);
  if (++deaths_ >= options.deaths_limit) {
    died_too_often_ = true;
    give_up(fmt::format("given up after {} deaths of its runners; the last: {}", deaths_, describe(death)));
    return;
  }
  again(std::max(place, death.number + 1), Runs::of_one_process);
}

void Shard::count(const Death& death) {
  Tally& tally = memory_->tally;
  const std::size_t cost = death.scenario.cost();
  if (cost < tally.per_length.size()) ++tally.per_length[cost];
  if (death.kind == DeathKind::stuck)
    Examiner::note_outcome(tally, interpreter::Outcome::hang_suspected, death.scenario, death.op,
                           "the wall-clock watchdog ended it");
  if (death.kind == DeathKind::ended)
    Examiner::note_outcome(tally, interpreter::Outcome::fail_stop, death.scenario, death.op, "");
  // What the run had proved before it ended is kept, whatever it died of.
  const bool accounted = examine_dead(death);
  if (death.kind == DeathKind::crash || death.kind == DeathKind::sanitizer) {
    ++tally.crashes;
    if (!accounted) Examiner::note_fault(tally, death.scenario, cause_of(death));
  }
  if (death.kind == DeathKind::killed) {
    ++tally.crashes;
    Examiner::note_fault(
        tally, death.scenario,
        fmt::format("{}, {} times; is the system out of memory?", cause_of(death), kills_in_scenario));
  }
  tally.done.fetch_add(1);
  tally.counted.store(death.number + 1);
}

/// The scenario that it died in, as it was run.
scenario::Scenario Shard::scheduled(const Tally& tally) const {
  const scopecheck_plugin* const plugin = abi::find_registered(text_of(job_.implementation));
  if (plugin == nullptr || tally.choices.size() > tally.choices.capacity()) return tally.current;
  for (std::uint32_t flavour = 0; flavour < plugin->flavour_count; ++flavour)
    if (text_of(job_.flavour) == plugin->flavours[flavour].name)
      return as_run(job_, tally, interpreter::offers_of({plugin, flavour}, job_.discipline));
  return tally.current;
}

/// Returns whether a sanitizer's report before the death is a late use.
bool Shard::examine_dead(const Death& death) {
  Tally& tally = memory_->tally;
  const scopecheck_plugin* const plugin = abi::find_registered(text_of(job_.implementation));
  if (plugin == nullptr || !plausible(tally.current) || !plausible(tally.ledger)) return false;
  const bool reported = tally.sanitizer_reports != 0;
  const std::uint64_t faults_before = tally.faults;
  const bool accounted =
      Examiner({.plugin = plugin}, job_.began_ns, tally).examine(death.scenario, death.number);
  return reported && (accounted || tally.faults != faults_before);
}

void Shard::again(std::uint64_t place, Runs compared) {
  // A replay compares its runs with one another: after a death it cannot go on in the middle.
  if (job_.engine == Engine::one && compared == Runs::of_one_process && !job_.free) {
    std::destroy_at(&memory_->tally);
    std::construct_at(&memory_->tally);
  } else {
    const Tally& tally = memory_->tally;
    job_.skip = place;
    job_.resumes = job_.engine == Engine::exhaustive && tally.number.load() != no_number &&
                   place == tally.number.load() + 1;
    job_.resume_ops = tally.ops.load();
    job_.resume_after = tally.current;
  }
  wants_restart_ = true;
  static_cast<void>(!::ftruncate(output_.get(), 0));
}

}  // namespace scopecheck::campaign
