// HeldBytes: memory of one owner, counted in a total that others see.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace muir::broker {

// What it counts is given back when it goes. The total outlives it. Of one thread at a time.
class HeldBytes {
 public:
  HeldBytes() = default;
  HeldBytes(HeldBytes&& other) noexcept
      : total_(std::exchange(other.total_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  HeldBytes& operator=(HeldBytes&& other) noexcept {
    if (this == &other) return *this;
    if (total_ != nullptr) *total_ -= bytes_;
    total_ = std::exchange(other.total_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
  }
  ~HeldBytes() {
    if (total_ != nullptr) *total_ -= bytes_;
  }
  void set(std::atomic<size_t>& total, size_t bytes) {
    if (total_ != nullptr) *total_ -= bytes_;
    total_ = &total;
    bytes_ = bytes;
    total += bytes;
  }
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  std::atomic<size_t>* total_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace muir::broker
