// Storage that the harness supplies to implementations: values, and the cells that do not live in a stack
// frame. Nothing is reused within a run: dead storage stays mapped (a late touch cannot take the process
// down), and under ASan it is poisoned from the moment it dies until the run ends. Code that ASan does not
// see, of a library or of the system, does not mind poison: where such code matters, each piece of storage
// has pages of its own, which nobody can touch once it died.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace scopecheck::interpreter {

class Arena {
 public:
  /// `guarded`: dead storage is inaccessible, if this build watches memory at all.
  explicit Arena(bool guarded = false);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Fresh storage with a poisoned red zone behind it. Requires: align is a power of two up to 64.
  [[nodiscard]] void* allocate(std::size_t size, std::size_t align);
  /// The storage died: any use of it from now on is reported by ASan.
  void kill(void* storage, std::size_t size);
  /// Forgets everything: a new run begins.
  void reset();
  /// Whether `address` lies in the arena.
  [[nodiscard]] bool contains(const void* address) const;
  /// Whether `address` lies in storage that died in this run. For sanitizer callbacks: reads only its own
  /// memory.
  [[nodiscard]] bool has_died(const void* address) const;

 private:
  static constexpr std::size_t capacity = std::size_t{512} << 10;
  static constexpr std::size_t red_zone = 32;
  static constexpr std::size_t most_deaths = 256;  ///< two for each op of the longest scenario
  static constexpr std::size_t page = 4096;
  static constexpr std::size_t guarded_capacity = 1024 * page;

  struct Dead {
    std::byte* begin;
    std::size_t size;
  };

  void protect(std::byte* storage, std::size_t size, bool accessible) const;

  std::byte* bytes_;
  std::size_t capacity_;
  bool guarded_;
  std::size_t used_ = 0;
  std::array<Dead, most_deaths> dead_{};
  std::size_t deaths_ = 0;
};

}  // namespace scopecheck::interpreter
