#include "harness/campaign/fuzzing.hpp"

#include "harness/base/hash.hpp"
#include "harness/campaign/supervisor.hpp"
#include "harness/generator/input.hpp"
#include "harness/report/file.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <optional>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace scopecheck::campaign {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::string read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(stream)), {});
}

/// The number behind `key` in an engine's line; nothing when it is not there.
std::optional<std::uint64_t> number_after(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at + key.size());
  while (!line.empty() && (line.front() == ' ' || line.front() == ':')) line.remove_prefix(1);
  std::uint64_t value = 0;
  if (std::from_chars(line.data(), line.data() + line.size(), value).ec != std::errc{}) return std::nullopt;
  return value;
}

scenario::Scenario read_scenario(const fs::path& file, const Confirmer& confirmer) {
  const std::string text = read_file(file);
  return generator::read_input({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()},
                               confirmer.offers, generator::input_bounds());
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->is_regular_file()) files.push_back(at->path());
  std::ranges::sort(files);
  return files;
}

std::size_t count_files(const fs::path& folder) { return files_in(folder).size(); }

/// One engine process and what it said.
class EngineProcess {
 public:
  EngineProcess() = default;
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;
  ~EngineProcess() { stop(); }

  /// Errors: the system's words.
  std::string start(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fmt::format("pipe: {}", std::strerror(errno));
    output_ = Fd(ends[0]);
    const Fd write_end(ends[1]);
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
    std::vector<char*> argv;
    for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    std::vector<char*> env;
    for (const std::string& e : environment) env.push_back(const_cast<char*>(e.c_str()));
    env.push_back(nullptr);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) return fmt::format("fork: {}", std::strerror(errno));
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(127);
      ::setpgid(0, 0);  // Ctrl-C is the session's to handle
      sigset_t none;
      sigemptyset(&none);
      ::sigprocmask(SIG_SETMASK, &none, nullptr);
      ::dup2(write_end.get(), STDERR_FILENO);
      ::dup2(write_end.get(), STDOUT_FILENO);
      const int nothing = ::open("/dev/null", O_RDONLY);
      ::dup2(nothing, STDIN_FILENO);
      ::execve(argv[0], argv.data(), env.data());
      ::_exit(127);
    }
    rest_.clear();
    return "";
  }

  /// Takes what came; calls line(text) for each whole line.
  template <class Line>
  void read(Line&& line) {
    std::array<char, 4096> buffer;
    for (ssize_t got; (got = ::read(output_.get(), buffer.data(), buffer.size())) > 0;) {
      rest_.append(buffer.data(), static_cast<std::size_t>(got));
      for (std::size_t end; (end = rest_.find('\n')) != std::string::npos; rest_.erase(0, end + 1))
        line(std::string_view(rest_).substr(0, end));
    }
  }

  /// Its wait status, once it has ended.
  std::optional<int> ended() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    pid_ = 0;
    return status;
  }

  void stop() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
  }
  [[nodiscard]] int fd() const { return output_.get(); }

 private:
  pid_t pid_ = 0;
  Fd output_;
  std::string rest_;
};

class Session {
 public:
  Session(const Confirmer& confirmer, const FuzzOptions& options)
      : confirmer_(confirmer),
        options_(options),
        corpus_(options.output / "corpus"),
        running_(options.output / "running"),
        begun_(Clock::now()) {}

  Fuzzed run() {
    std::error_code error;
    fs::create_directories(corpus_, error);
    if (error) return fail(fmt::format("{}: {}", corpus_.string(), error.message()));
    collect();  // what a killed session left
    result_.corpus_before = count_files(corpus_);
    workers_ = std::vector<Worker>(options_.engines);
    for (std::size_t i = 0; i < workers_.size() && result_.error.empty(); ++i) start(i);
    while (result_.error.empty() && left() > 0 && !done_) {
      wait();
      for (std::size_t i = 0; i < workers_.size() && !done_; ++i) look_after(i);
      if (StopOnSignals::requested()) result_.interrupted = done_ = true;
      show();
    }
    for (Worker& worker : workers_) worker.process.stop();
    collect();
    show();
    result_.status.corpus = count_files(corpus_);
    return std::move(result_);
  }

 private:
  struct Worker {
    EngineProcess process;
    fs::path folder;
    std::uint64_t executions = 0;  // of the present process
  };

  Fuzzed fail(std::string why) {
    result_.error = std::move(why);
    return std::move(result_);
  }
  double elapsed() const { return std::chrono::duration<double>(Clock::now() - begun_).count(); }
  double left() const { return options_.seconds - elapsed(); }

  void start(std::size_t i) {
    Worker& worker = workers_[i];
    worker.folder = running_ / std::to_string(i);
    worker.executions = 0;
    std::error_code error;
    fs::create_directories(worker.folder / "new", error);
    if (error) {
      result_.error = fmt::format("{}: {}", worker.folder.string(), error.message());
      return;
    }
    ++starts_;
    const auto seconds = static_cast<unsigned>(std::max(1.0, left()));
    std::vector<std::string> arguments;
    std::vector<std::string> environment = engine_environment();
    environment.push_back(fmt::format("SCOPECHECK_FUZZ_LEFT={}", (worker.folder / "left").string()));
    if (options_.engine == FuzzEngine::libfuzzer) {
      arguments = {options_.target.string(), fmt::format("-max_total_time={}", seconds),
                   "-print_final_stats=1", fmt::format("-artifact_prefix={}/", worker.folder.string())};
      if (options_.seed != 0)
        arguments.push_back(fmt::format("-seed={}", options_.seed + starts_ * 1000 + i));
      arguments.push_back((worker.folder / "new").string());
    } else {
      const fs::path first = running_ / "first";  // afl-fuzz wants one folder, and something in it
      fs::create_directories(first, error);
      std::ofstream(first / "empty", std::ios::binary).put('\0');
      for (const fs::path& folder : options_.inputs)
        for (const fs::path& file : files_in(folder))
          fs::copy_file(file, first / file.filename(), fs::copy_options::overwrite_existing, error);
      for (const fs::path& file : files_in(corpus_))
        fs::copy_file(file, first / file.filename(), fs::copy_options::overwrite_existing, error);
      arguments = {"/usr/bin/afl-fuzz",    "-i", first.string(), "-o", (worker.folder / "afl").string(), "-V",
                   std::to_string(seconds)};
      if (options_.seed != 0)
        for (const std::string& word : {std::string("-s"), std::to_string(options_.seed)})
          arguments.push_back(word);
      for (const std::string& word : {std::string("--"), options_.target.string()}) arguments.push_back(word);
    }
    if (options_.engine == FuzzEngine::libfuzzer) {
      arguments.push_back(corpus_.string());
      for (const fs::path& folder : options_.inputs) arguments.push_back(folder.string());
    }
    result_.error = worker.process.start(arguments, environment);
  }

  std::vector<std::string> engine_environment() const {
    std::vector<std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry)
      if (!std::string_view(*entry).starts_with("ASAN_OPTIONS=") &&
          !std::string_view(*entry).starts_with("SCOPECHECK_FUZZ=") &&
          !std::string_view(*entry).starts_with("SCOPECHECK_FUZZ_LEFT="))
        result.emplace_back(*entry);
    result.push_back(fmt::format("SCOPECHECK_FUZZ={},flavour={}", to_string(confirmer_.discipline),
                                 confirmer_.implementation.flavour_name()));
    if (options_.engine == FuzzEngine::afl) {
      result.emplace_back("ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_leaks=0");
      for (const char* setting : {"AFL_NO_UI=1", "AFL_SKIP_CPUFREQ=1", "AFL_NO_AFFINITY=1",
                                  "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1"})
        result.emplace_back(setting);
      if (!options_.go_on) result.emplace_back("AFL_BENCH_UNTIL_CRASH=1");
    } else {
      result.emplace_back("ASAN_OPTIONS=symbolize=0");
    }
    return result;
  }

  void wait() const {
    std::vector<pollfd> fds;
    for (const Worker& worker : workers_) fds.push_back({worker.process.fd(), POLLIN, 0});
    ::poll(fds.data(), fds.size(), 200);
    ::usleep(20'000);  // an engine's lines come one by one
  }

  void look_after(std::size_t i) {
    Worker& worker = workers_[i];
    const auto read = [&] { worker.process.read([&](std::string_view line) { take_line(worker, line); }); };
    read();
    const auto status = worker.process.ended();
    if (!status) return;
    read();
    past_executions_ += std::exchange(worker.executions, 0);
    const bool found = collect_findings(worker);
    const bool fine = WIFEXITED(*status) && WEXITSTATUS(*status) == 0;
    collect_inputs(worker);
    if (!fine && !found) {
      result_.error = fmt::format("{} ended with {} and left nothing to see; its last words: {}",
                                  options_.target.string(),
                                  WIFSIGNALED(*status) ? fmt::format("signal {}", WTERMSIG(*status))
                                                       : fmt::format("code {}", WEXITSTATUS(*status)),
                                  last_line_);
    } else if ((found && !options_.go_on) || left() < 1) {
      done_ = true;
    } else {
      start(i);
    }
  }

  void take_line(Worker& worker, std::string_view line) {
    if (!line.empty()) last_line_ = line;
    if (line.starts_with("#"))
      if (const auto count = number_after(line, "#")) worker.executions = std::max(worker.executions, *count);
    if (const auto count = number_after(line, "stat::number_of_executed_units")) worker.executions = *count;
    if (line.starts_with("scopecheck: "))
      if (line.ends_with(" ledger states"))
        if (const auto count = number_after(line, "scopecheck"))
          result_.status.states = std::max(result_.status.states, *count);
  }

  void show() {
    FuzzStatus& status = result_.status;
    status.executions = past_executions_;
    for (Worker& worker : workers_) {
      if (options_.engine == FuzzEngine::afl) {
        const std::string stats = read_file(worker.folder / "afl/default/fuzzer_stats");
        if (const auto count = number_after(stats, "execs_done")) worker.executions = *count;
      }
      status.executions += worker.executions;
    }
    status.seconds = elapsed();
    status.found = result_.findings.size();
    if (!result_.findings.empty()) status.newest = result_.findings.back().signature;
    if (options_.progress) {
      status.corpus = count_files(corpus_);
      for (const Worker& worker : workers_) status.corpus += count_files(worker.folder / "new");
      options_.progress(status);
    }
  }

  // ---- what engines leave ------------------------------------------------------------------------

  static bool is_finding(const fs::path& file) {
    const std::string name = file.filename().string();
    return std::ranges::any_of(std::array{"crash-", "timeout-", "oom-"},
                               [&](const char* prefix) { return name.starts_with(prefix); });
  }

  bool collect_findings(const Worker& worker) {
    std::vector<fs::path> files;
    for (const fs::path& file : files_in(worker.folder))
      if (is_finding(file)) files.push_back(file);
    for (const fs::path& file : files_in(worker.folder / "afl/default/crashes"))
      if (file.filename().string().starts_with("id:")) files.push_back(file);
    for (const fs::path& file : files) {
      examine(file);
      std::error_code ignored;
      fs::remove(file, ignored);
    }
    return !files.empty();
  }

  void collect_inputs(const Worker& worker) const {
    take_over(worker.folder / "new", corpus_, running_, confirmer_);
    take_over(worker.folder / "afl/default/queue", corpus_, running_, confirmer_);
  }

  /// Everything that is in the work folder, also of an earlier session.
  void collect() {
    std::error_code error;
    for (fs::directory_iterator at(running_, error), end; !error && at != end; at.increment(error)) {
      if (!at->is_directory()) continue;
      Worker before;
      before.folder = at->path();
      collect_findings(before);
      collect_inputs(before);
    }
    fs::remove_all(running_, error);
    fs::create_directories(running_, error);
  }

  /// An engine's finding, shrunk; where it does not show itself again, under every other witness first.
  void examine(const fs::path& file) {
    Found found;
    found.scenario = read_scenario(file, confirmer_);
    FuzzFinding finding;
    finding.scenario = found.scenario;
    std::string tried;
    const Found* shown = nullptr;
    std::expected<OneRun, std::string> run = std::unexpected(std::string());
    for (const auto& [witness, real, words] :
         {std::tuple(Witness::ledger, false, "the ledger"), std::tuple(Witness::asan, false, "ASan"),
          std::tuple(Witness::asan, true, "ASan with the real access")}) {
      if (!confirmer_.programs.has(witness)) continue;
      run = confirmer_.once(found.scenario, {.witness = witness, .real_access = real});
      tried += (tried.empty() ? "" : ", ") + std::string(words);
      if (!run) continue;
      for (const Found& f : run->findings)
        if (shown == nullptr && verdict::info(f.finding.kind()).memory) shown = &f;
      if (shown != nullptr || run->death) break;
    }
    if (shown != nullptr) {
      found.finding = shown->finding;
      finding.signature = verdict::to_string(shown->finding.signature);
      if (known(finding.signature)) return;
      const Found small = confirmer_.shrunk(found);
      finding.scenario = small.scenario;
      finding.signature = verdict::to_string(small.finding.signature);
    } else {
      finding.reproduced = run && run->death;
      finding.signature = finding.reproduced ? describe(*run->death) : file.filename().string().substr(0, 5);
      finding.detail = fmt::format("not seen again by {}", tried);
    }
    if (known(finding.signature)) return;
    write(finding);
    result_.findings.push_back(std::move(finding));
  }

  bool known(const std::string& signature) const {
    return std::ranges::any_of(result_.findings,
                               [&](const FuzzFinding& f) { return f.signature == signature; });
  }

  void write(FuzzFinding& finding) {
    const std::string text =
        fmt::format("# impl: {}; discipline: {}; expect: unsound\n{}{}\n{}", confirmer_.implementation.name(),
                    to_string(confirmer_.discipline),
                    shown_in_header(finding.signature) ? "# finding: " : "# seen: ", finding.signature,
                    scenario::to_text(finding.scenario));
    finding.file = options_.output /
                   fmt::format("{}-{:016x}.scn", confirmer_.implementation.name(), base::hash_of(text));
    if (const auto written = report::write_file(finding.file.string(), text); !written)
      result_.error = written.error();
  }

  static bool shown_in_header(const std::string& signature) {
    return verdict::parse_signature(signature).has_value();
  }

  const Confirmer& confirmer_;
  const FuzzOptions& options_;
  fs::path corpus_, running_;
  Clock::time_point begun_;
  std::vector<Worker> workers_;
  Fuzzed result_;
  std::uint64_t past_executions_ = 0;
  std::uint64_t starts_ = 0;
  std::string last_line_;
  bool done_ = false;
};

}  // namespace

std::size_t take_over(const fs::path& written, const fs::path& corpus, const fs::path& scratch,
                      const Confirmer& confirmer) {
  std::size_t fresh = 0;
  for (const fs::path& file : files_in(written)) {
    const scenario::Scenario scenario = read_scenario(file, confirmer);
    const std::string text =
        fmt::format("# kept for {}\n{}", confirmer.implementation.name(), scenario::to_text(scenario));
    const fs::path kept = corpus / fmt::format("{:016x}.scn", base::hash_of(text));
    std::error_code error;
    if (!scenario.ops.empty() && !fs::exists(kept, error)) {
      // written elsewhere and renamed: what is in the corpus is whole
      const fs::path half = scratch / "half-written";
      std::ofstream stream(half, std::ios::binary);
      stream << text;
      stream.close();
      if (!stream.good()) return fresh;  // a full disk: the rest stays where it is
      fs::rename(half, kept, error);
      if (error) return fresh;
      ++fresh;
    }
    fs::remove(file, error);
  }
  return fresh;
}

Fuzzed fuzz(const Confirmer& confirmer, const FuzzOptions& options) {
  return Session(confirmer, options).run();
}

std::expected<fs::path, std::string> fuzz_target(std::string_view implementation, FuzzEngine engine) {
  const std::string_view preset = engine == FuzzEngine::afl ? "afl" : "fuzz";
  const std::string name = fmt::format("scopecheck_fuzz_{}", implementation);
  std::vector<fs::path> places;
  if (const char* named = std::getenv("SCOPECHECK_FUZZ_BIN"); named != nullptr && *named != '\0')
    places.push_back(fs::absolute(named) / name);
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  places.push_back((self.parent_path() / "../.." / preset / "bin" / name).lexically_normal());
  for (const fs::path& place : places)
    if (::access(place.c_str(), X_OK) == 0) return place;
  return std::unexpected(
      fmt::format("no {} target of {}: {} is not there. Build it with `cmake --preset {} && cmake "
                  "--build --preset {} --target {}`",
                  engine == FuzzEngine::afl ? "AFL++" : "libFuzzer", implementation, places.back().string(),
                  preset, preset, name));
}

}  // namespace scopecheck::campaign
