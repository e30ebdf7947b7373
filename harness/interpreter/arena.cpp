#include "harness/interpreter/arena.hpp"

#include "harness/base/assert.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define SCOPECHECK_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCOPECHECK_HAS_ASAN 1
#endif
#endif

#include <sys/mman.h>

#ifdef SCOPECHECK_HAS_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   (static_cast<void>(address), static_cast<void>(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) (static_cast<void>(address), static_cast<void>(size))
#endif

namespace scopecheck::interpreter {
namespace {

#ifdef SCOPECHECK_HAS_ASAN
constexpr bool watched = true;
#else
constexpr bool watched = false;
#endif

}  // namespace

Arena::Arena(bool guarded)
    : capacity_(guarded && watched ? guarded_capacity : capacity), guarded_(guarded && watched) {
  void* const memory = ::mmap(nullptr, capacity_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SCOPECHECK_ASSERT(memory != MAP_FAILED);
  bytes_ = static_cast<std::byte*>(memory);
  ASAN_POISON_MEMORY_REGION(bytes_, capacity_);
}

Arena::~Arena() {
  ASAN_UNPOISON_MEMORY_REGION(bytes_, capacity_);
  ::munmap(bytes_, capacity_);
}

void Arena::protect(std::byte* storage, std::size_t size, bool accessible) const {
  if (guarded_)  // storage begins its first page, and nothing else is on its last
    SCOPECHECK_ASSERT(::mprotect(storage, size, accessible ? PROT_READ | PROT_WRITE : PROT_NONE) == 0);
}

void* Arena::allocate(std::size_t size, std::size_t align) {
  if (guarded_) align = page;
  const std::size_t begin = (used_ + align - 1) & ~(align - 1);
  SCOPECHECK_ASSERT(begin + size + red_zone <= capacity_);
  used_ = (begin + size + red_zone + 7) & ~std::size_t{7};
  void* storage = bytes_ + begin;
  ASAN_UNPOISON_MEMORY_REGION(storage, size);
  return storage;
}

void Arena::kill(void* storage, std::size_t size) {
  ASAN_POISON_MEMORY_REGION(storage, size);
  SCOPECHECK_ASSERT(deaths_ < most_deaths);
  dead_[deaths_++] = {static_cast<std::byte*>(storage), size};
  protect(static_cast<std::byte*>(storage), size, false);
}

void Arena::reset() {
  for (std::size_t i = 0; i < deaths_; ++i) protect(dead_[i].begin, dead_[i].size, true);
  ASAN_POISON_MEMORY_REGION(bytes_, used_);
  used_ = 0;
  deaths_ = 0;
}

bool Arena::contains(const void* address) const {
  const auto* byte = static_cast<const std::byte*>(address);
  return byte >= bytes_ && byte < bytes_ + capacity_;
}

bool Arena::has_died(const void* address) const {
  const auto* byte = static_cast<const std::byte*>(address);
  for (std::size_t i = 0; i < deaths_; ++i)
    if (byte >= dead_[i].begin && byte < dead_[i].begin + dead_[i].size) return true;
  return false;
}

}  // namespace scopecheck::interpreter
