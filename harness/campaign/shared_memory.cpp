#include "harness/campaign/shared_memory.hpp"

#include "harness/base/hash.hpp"
#include "harness/verdict/finding.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace scopecheck::campaign {
namespace {

using base::mix;

constexpr std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = mix(hash, static_cast<unsigned char>(c));
  return mix(hash, text.size());
}

constexpr std::uint64_t fingerprint() {
  std::uint64_t hash = base::hash_of_nothing;
  for (const std::size_t size : {sizeof(Job), sizeof(Tally), sizeof(FoundSlot), sizeof(scenario::Scenario),
                                 sizeof(ledger::Ledger), sizeof(verdict::Finding)})
    hash = mix(hash, size);
  for (const auto& op : scenario::op_table) hash = mix(hash, op.text);
  for (const auto& event : ledger::event_table) hash = mix(hash, event.id);
  for (const auto& goal : ledger::goal_table) hash = mix(hash, goal.id);
  for (const auto& kind : verdict::kind_table) hash = mix(hash, kind.text);
  return hash;
}

}  // namespace

std::uint64_t layout_fingerprint() {
  static constexpr std::uint64_t value = fingerprint();
  return value;
}

std::expected<SharedMemory, std::string> SharedMemory::create() {
  const auto failed = [](std::string_view what, int fd) {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    return std::unexpected(fmt::format("shared memory for a runner: {}: {}", what, std::strerror(error)));
  };
  const int fd = ::memfd_create("scopecheck-runner", MFD_CLOEXEC);
  if (fd < 0) return failed("memfd_create", fd);
  if (::ftruncate(fd, sizeof(Shared)) != 0) return failed("ftruncate", fd);
  void* const at = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return failed("mmap", fd);
  return SharedMemory(new (at) Shared, fd);
}

std::expected<SharedMemory, SharedMemory::OpenError> SharedMemory::open(int fd) {
  struct stat file{};
  if (::fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) ||
      static_cast<std::size_t>(file.st_size) < sizeof(std::uint64_t))
    return std::unexpected(OpenError::unusable);
  if (static_cast<std::size_t>(file.st_size) != sizeof(Shared))
    return std::unexpected(OpenError::foreign_build);
  void* const at = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return std::unexpected(OpenError::unusable);
  auto* const shared = std::launder(static_cast<Shared*>(at));
  if (shared->layout != layout_fingerprint()) {
    ::munmap(at, sizeof(Shared));
    return std::unexpected(OpenError::foreign_build);
  }
  return SharedMemory(shared, fd);
}

SharedMemory::~SharedMemory() {
  if (shared_ != nullptr) ::munmap(shared_, sizeof(Shared));
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace scopecheck::campaign
