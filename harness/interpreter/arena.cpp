#include "harness/interpreter/arena.hpp"

#include "harness/base/assert.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define SCOPECHECK_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCOPECHECK_HAS_ASAN 1
#endif
#endif

#ifdef SCOPECHECK_HAS_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   (static_cast<void>(address), static_cast<void>(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) (static_cast<void>(address), static_cast<void>(size))
#endif

namespace scopecheck::interpreter {

Arena::Arena() { ASAN_POISON_MEMORY_REGION(bytes_.data(), capacity); }

void* Arena::allocate(std::size_t size, std::size_t align) {
  const std::size_t begin = (used_ + align - 1) & ~(align - 1);
  SCOPECHECK_ASSERT(begin + size + red_zone <= capacity);
  used_ = (begin + size + red_zone + 7) & ~std::size_t{7};
  void* storage = bytes_.data() + begin;
  ASAN_UNPOISON_MEMORY_REGION(storage, size);
  return storage;
}

void Arena::kill(void* storage, std::size_t size) {
  ASAN_POISON_MEMORY_REGION(storage, size);
  SCOPECHECK_ASSERT(deaths_ < most_deaths);
  dead_[deaths_++] = {static_cast<const std::byte*>(storage), size};
}

void Arena::reset() {
  ASAN_POISON_MEMORY_REGION(bytes_.data(), used_);
  used_ = 0;
  deaths_ = 0;
}

bool Arena::contains(const void* address) const {
  const auto* byte = static_cast<const std::byte*>(address);
  return byte >= bytes_.data() && byte < bytes_.data() + capacity;
}

bool Arena::has_died(const void* address) const {
  const auto* byte = static_cast<const std::byte*>(address);
  for (std::size_t i = 0; i < deaths_; ++i)
    if (byte >= dead_[i].begin && byte < dead_[i].begin + dead_[i].size) return true;
  return false;
}

}  // namespace scopecheck::interpreter
