#include "tests/campaign/fake_witness.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <string>
#include <unistd.h>

namespace scopecheck::tests {
namespace {

using campaign::Job;
using campaign::Tally;

constexpr std::array<std::string_view, 7> names = {
    "at_the_first_late_touch", "before_it", "after_it", "elsewhere", "none", "of_less", "of_more"};

/// How many events the ledger had when the first late touch was recorded; 0: there was none.
std::uint32_t events_at_first_late_touch(const ledger::Ledger& ledger) {
  std::uint32_t events = 0;
  for (const ledger::Event& event : ledger.events()) {
    ++events;
    const bool touch = ledger::info(event.kind).id.starts_with("touched_");
    if (touch && (event.detail & ledger::touch_dead) != 0) return events;
  }
  return 0;
}

template <Testimony What>
void testify(const Job& given, interpreter::Implementation implementation, Tally& tally) {
  Job job = given;
  job.real_access = false;
  if constexpr (What == Testimony::of_less) --job.last_ops;
  if constexpr (What == Testimony::of_more) ++job.last_ops;
  campaign::run_job(job, implementation, tally);
  if (given.real_access) tally.sanitizer_reports = tally.races_used = 0;  // what a true witness has said
  const std::uint32_t events = events_at_first_late_touch(tally.ledger);
  if (!given.real_access || events == 0 || What == Testimony::none) return;
  tally.sanitizer_reports = 1;
  tally.sanitizer_in_harness = What != Testimony::elsewhere;
  tally.sanitizer_event = What == Testimony::before_it  ? events - 1
                          : What == Testimony::after_it ? events + 1
                                                        : events;
  if (What == Testimony::elsewhere) return;
  tally.races_used = 1;
  tally.races[0] = {tally.sanitizer_event, tally.ledger.events()[events - 1].subject};
}

constexpr std::array<campaign::Loop, names.size()> loops = {testify<Testimony::at_the_first_late_touch>,
                                                            testify<Testimony::before_it>,
                                                            testify<Testimony::after_it>,
                                                            testify<Testimony::elsewhere>,
                                                            testify<Testimony::none>,
                                                            testify<Testimony::of_less>,
                                                            testify<Testimony::of_more>};

}  // namespace

std::filesystem::path program_of_witness(Testimony testimony) {
  const std::string name(names[static_cast<std::size_t>(testimony)]);
  // tests run in processes of their own, side by side
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / ("witness-" + name + "-" + std::to_string(::getpid()));
  std::ofstream(path) << "#!/bin/sh\nSCOPECHECK_TEST_FAKE_LOOP=" << name << " exec '"
                      << std::filesystem::read_symlink("/proc/self/exe").string() << "' \"$@\"\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

campaign::Loop loop_of_witness(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return loops[i];
  return nullptr;
}

}  // namespace scopecheck::tests
