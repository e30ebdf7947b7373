#include "harness/fuzz/scenario_target.hpp"

#include "harness/abi/registry.hpp"
#include "harness/base/assert.hpp"
#include "harness/base/hash.hpp"
#include "harness/fuzz/states.hpp"
#include "harness/generator/input.hpp"
#include "harness/report/table.hpp"
#include "harness/scenario/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <unistd.h>
#include <utility>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCOPECHECK_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(SCOPECHECK_ASAN)
#define SCOPECHECK_ASAN 1
#endif
#ifdef SCOPECHECK_ASAN
#include <sanitizer/asan_interface.h>
#endif

/// libFuzzer's own mutator of bytes; absent in other engines.
extern "C" [[gnu::weak]] std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size,
                                                      std::size_t max_size);

namespace scopecheck::fuzz {
namespace {

#ifdef SCOPECHECK_ASAN
constexpr bool has_asan = true;
#else
constexpr bool has_asan = false;  // nobody would see the real access
#endif

constexpr std::size_t memory_limit_bytes = std::size_t{1} << 30;

ScenarioTarget* running = nullptr;
struct sigaction abort_before{};

[[noreturn]] void refuse(const std::string& why) {
  fmt::print(stderr, "scopecheck: {}\n", why);
  std::fflush(stderr);
  std::_Exit(2);
}

/// An abort() of the implementation in a run is a fail-stop: sound. Any other one is the engine's to report.
void on_abort(int signal, siginfo_t* info, void* context) {
  const bool dying = running == nullptr;  // of a sanitizer's report, which may end in an abort()
  if (!dying && !base::assertion_has_failed()) interpreter::Machine::abandon_as_fail_stop();
  if ((abort_before.sa_flags & SA_SIGINFO) != 0) {
    abort_before.sa_sigaction(signal, info, context);
  } else if (abort_before.sa_handler != SIG_DFL && abort_before.sa_handler != SIG_IGN) {
    abort_before.sa_handler(signal);
  }
  // abort() goes on
}

/// Engines install their own handlers before the first run; ours comes after and passes on.
void take_over_aborts() {
  struct sigaction action{};
  action.sa_sigaction = on_abort;
  action.sa_flags = SA_NODEFER | SA_SIGINFO;
  ::sigaction(SIGABRT, &action, &abort_before);
}

std::size_t resident_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long long size = 0;
  unsigned long long resident = 0;
  const int fields = std::fscanf(file, "%llu %llu", &size, &resident);
  std::fclose(file);
  return fields == 2 ? resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

interpreter::Implementation find(std::string_view name, const std::string& flavour) {
  const scopecheck_plugin* const plugin = abi::find_registered(name);
  if (plugin == nullptr) refuse(fmt::format("no implementation is called '{}'", name));
  if (const auto valid = interpreter::validate(*plugin); !valid) refuse(valid.error());
  for (std::uint32_t i = 0; i < plugin->flavour_count; ++i)
    if (flavour.empty() || flavour == plugin->flavours[i].name) return {plugin, i};
  refuse(fmt::format("'{}' has no flavour '{}'", name, flavour));
}

constexpr auto& discipline_words = scenario::discipline_names;

}  // namespace

TargetOptions TargetOptions::from_environment() {
  TargetOptions options;
  if (const char* const file = std::getenv("SCOPECHECK_FUZZ_LEFT"); file != nullptr) options.left = file;
  const char* const text = std::getenv("SCOPECHECK_FUZZ");
  for (std::string_view rest = text != nullptr ? text : ""; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view word = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const auto discipline = std::ranges::find(discipline_words, word);
    if (discipline != discipline_words.end())
      options.discipline = static_cast<scenario::Discipline>(discipline - discipline_words.begin());
    else if (word == "no-mutator")
      options.mutator = false;
    else if (word == "no-counters")
      options.counters = false;
    else if (word.starts_with("flavour="))
      options.flavour = word.substr(word.find('=') + 1);
    else
      refuse(
          fmt::format("SCOPECHECK_FUZZ: '{}' is none of safe, documented, no-leak, flavour=NAME, no-mutator, "
                      "no-counters",
                      word));
  }
  return options;
}

ScenarioTarget::ScenarioTarget(std::string_view name, const TargetOptions& options)
    : implementation_(find(name, options.flavour)),
      options_(options),
      offers_(interpreter::offers_of(implementation_, options.discipline)),
      bounds_(generator::input_bounds()),
      ledger_(std::make_unique<ledger::Ledger>()),
      machine_(implementation_, offers_, *ledger_),
      mutator_(offers_, bounds_),
      promises_{.join_waits = (implementation_.plugin->promises & SCOPECHECK_PROMISE_JOIN_WAITS) != 0,
                .join_rethrows = (implementation_.plugin->promises & SCOPECHECK_PROMISE_JOIN_RETHROWS) != 0,
                .wakes = (implementation_.plugin->promises & SCOPECHECK_PROMISE_WAKES) != 0} {
  running = this;
  take_over_aborts();
  std::ifstream left(options_.left);
  for (std::uint64_t hash = 0; left >> std::hex >> hash;) left_.push_back(hash);
  machine_.on_unreturnable(
      [](void* self, interpreter::Outcome outcome) {
        static_cast<ScenarioTarget*>(self)->leave_unreturned(outcome);
      },
      this);
#ifdef SCOPECHECK_ASAN
  // Called when the report is written and before the process dies of it.
  __asan_set_error_report_callback([](const char* text) {
    if (ScenarioTarget* const target = std::exchange(running, nullptr); target != nullptr)
      target->explain(verdict::about_ended_memory(
          text, interpreter::Machine::storage_has_ended(__asan_get_report_address())));
  });
#endif
}

ScenarioTarget::~ScenarioTarget() { running = nullptr; }

const scenario::Scenario& ScenarioTarget::read(std::span<const std::uint8_t> bytes,
                                               scenario::Scenario& into) const {
  if (!bytes.empty() && std::ranges::equal(bytes, written_)) return written_scenario_;
  return into = generator::read_input(bytes, offers_, bounds_);
}

int ScenarioTarget::run(std::span<const std::uint8_t> bytes) {
  // not sooner: the engine keeps an input only after its run has returned
  if (machine_.spent()) leave("a thread of the last run may still come back");
  scenario_ = read(bytes, read_);
  if (!left_.empty() && std::ranges::find(left_, base::hash_of(to_text(scenario_))) != left_.end()) return 0;
  const interpreter::Outcome outcome = machine_.run(scenario_, {.real_access = has_asan});
  if (options_.counters) count_states(scenario_, ledger_->events());
  if (outcome == interpreter::Outcome::error) {
    fmt::print(stderr, "scopecheck: {}: {}\n", implementation_.name(), machine_.error());
    die();
  }
  if (ledger_->alarms() != 0) examine();
  if ((++runs_ & 0xfff) == 0) {
    say_states();
    leave_when_full();
  }
  return 0;
}

/// What ASan has no say in, or nobody watched for.
void ScenarioTarget::examine() {
  verdict::Findings findings;
  verdict::judge({scenario_, ledger_->events(), ledger_->alarms(), promises_}, findings);
  for (const verdict::Finding& finding : findings)
    if (verdict::info(finding.kind()).memory) {
      explain(false);
      die();
    }
}

void ScenarioTarget::explain(bool of_ended_memory) const {
  const verdict::Evidence evidence{scenario_, ledger_->events(), ledger_->alarms(), promises_};
  verdict::Findings findings;
  verdict::judge(evidence, findings);
  const verdict::Finding* shown = nullptr;
  for (const verdict::Finding& finding : findings)
    if (shown == nullptr && verdict::info(finding.kind()).memory) shown = &finding;
  const bool alone = shown == nullptr;
  if (alone) {  // only the sanitizer saw it
    // a report that proves no late use is no finding by itself; the process dies of it all the same
    static_cast<void>(verdict::sanitizer(evidence,
                                         {.event = static_cast<std::uint32_t>(ledger_->events().size()),
                                          .in_harness = interpreter::Machine::touching_cell(),
                                          .of_ended_memory = of_ended_memory},
                                         findings));
    for (const verdict::Finding& finding : findings)
      if (verdict::info(finding.kind()).memory) shown = &finding;
  }
  const char* const typed = std::getenv("SCOPECHECK_COMMAND");
  const std::string text = scenario::to_text(scenario_);
  const auto command = [&](std::string_view verb, std::string_view more) {
    return fmt::format(
        "{} {} --impl {}{}{}{} -e '{}'", typed != nullptr ? typed : "scopecheck", verb,
        implementation_.name(),
        implementation_.plugin->flavour_count > 1 ? " --flavour " + implementation_.flavour_name() : "",
        options_.discipline == scenario::Discipline::safe
            ? ""
            : fmt::format(" --discipline {}",
                          discipline_words[static_cast<std::size_t>(options_.discipline)]),
        more, report::scenario_in_one_line(text));
  };
  fmt::print(stderr, "\nscopecheck: {}: {}\n{}see it again:  {}\nmake it small: {}\n", implementation_.name(),
             shown != nullptr ? verdict::to_string(shown->signature) : "a sanitizer's report", text,
             command("replay", alone || has_asan ? " --witness asan" : ""), command("shrink", ""));
  std::fflush(stderr);
}

void ScenarioTarget::die() const {
  std::fflush(stderr);
  ::sigaction(SIGABRT, &abort_before, nullptr);
  std::abort();
}

/// For whoever reads along: no engine prints what its extra counters saw.
void ScenarioTarget::say_states() {
  const std::size_t states = states_reached();
  if (states == states_said_) return;
  states_said_ = states;
  fmt::print(stderr, "scopecheck: {} ledger states\n", states);
}

/// Clients may leak, and what they leak stays.
void ScenarioTarget::leave_when_full() const {
  if (resident_bytes() >= memory_limit_bytes)
    leave(fmt::format("what the clients leaked fills {} MB", memory_limit_bytes >> 20));
}

void ScenarioTarget::leave_unreturned(interpreter::Outcome outcome) {
  if (ledger_->alarms() != 0) examine();
  if (!options_.left.empty())
    std::ofstream(options_.left, std::ios::app) << std::hex << base::hash_of(to_text(scenario_)) << '\n';
  leave(outcome == interpreter::Outcome::fail_stop ? "a fail-stop with threads about"
                                                   : "a hang with threads about");
}

/// An engine goes on from its corpus in another process.
void ScenarioTarget::leave(std::string_view why) const {
  fmt::print(stderr, "scopecheck: {}: start again\nstat::number_of_executed_units: {}\n", why, runs_);
  std::fflush(stderr);
  std::_Exit(0);
}

std::size_t ScenarioTarget::mutate(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                   unsigned seed) {
  if (!options_.mutator && LLVMFuzzerMutate != nullptr) return LLVMFuzzerMutate(data, size, max_size);
  return write(mutator_.mutate(read({data, std::min(size, max_size)}, read_), seed), {data, max_size});
}

std::size_t ScenarioTarget::cross(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
                                  std::span<std::uint8_t> out, unsigned seed) {
  return write(mutator_.cross(read(a, read_), read(b, second_read_), seed), out);
}

std::size_t ScenarioTarget::write(const scenario::Scenario& scenario, std::span<std::uint8_t> out) {
  generator::write_input(scenario, written_);
  written_scenario_ = scenario;
  const std::size_t fits = std::min(written_.size(), out.size());
  std::copy_n(written_.begin(), fits, out.begin());
  return fits;
}

ScenarioTarget& scenario_target(std::string_view name) {
  static ScenarioTarget target(name, TargetOptions::from_environment());
  return target;
}

}  // namespace scopecheck::fuzz
