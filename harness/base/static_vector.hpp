// A vector with inline storage and a fixed capacity: no allocation in the hot loop, trivially copyable
// for trivially copyable elements. Overflow is a programmer error and asserts.
#pragma once

#include "harness/base/assert.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace scopecheck::base {

template <class T, std::size_t N>
class StaticVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  StaticVector() = default;
  /// Copies only what is in use: states of a search are copied millions of times a second.
  StaticVector(const StaticVector& other) : size_(other.size_) {
    std::memcpy(static_cast<void*>(items_.data()), other.items_.data(), size_ * sizeof(T));
  }
  StaticVector& operator=(const StaticVector& other) {
    size_ = other.size_;
    std::memmove(static_cast<void*>(items_.data()), other.items_.data(), size_ * sizeof(T));
    return *this;
  }

  void push_back(const T& item) {
    SCOPECHECK_ASSERT(size_ < N);
    items_[size_++] = item;
  }
  void pop_back() {
    SCOPECHECK_ASSERT(size_ > 0);
    --size_;
  }
  void insert(std::size_t at, const T& item) {
    SCOPECHECK_ASSERT(size_ < N && at <= size_);
    for (std::size_t i = size_; i > at; --i) items_[i] = items_[i - 1];
    items_[at] = item;
    ++size_;
  }
  void erase(std::size_t at) {
    SCOPECHECK_ASSERT(at < size_);
    for (std::size_t i = at + 1; i < size_; ++i) items_[i - 1] = items_[i];
    --size_;
  }
  void resize_down(std::size_t size) {
    SCOPECHECK_ASSERT(size <= size_);
    size_ = static_cast<std::uint32_t>(size);
  }
  void clear() { size_ = 0; }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool full() const { return size_ == N; }
  [[nodiscard]] static constexpr std::size_t capacity() { return N; }
  [[nodiscard]] T& operator[](std::size_t i) { return items_[i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return items_[i]; }
  [[nodiscard]] T& back() { return items_[size_ - 1]; }
  [[nodiscard]] const T& back() const { return items_[size_ - 1]; }
  [[nodiscard]] T* begin() { return items_.data(); }
  [[nodiscard]] T* end() { return items_.data() + size_; }
  [[nodiscard]] const T* begin() const { return items_.data(); }
  [[nodiscard]] const T* end() const { return items_.data() + size_; }

 private:
  std::uint32_t size_ = 0;
  std::array<T, N> items_;
};

}  // namespace scopecheck::base
