// StrongId: an integer that means one thing and does not convert to another one silently.
#pragma once

#include <compare>
#include <functional>

namespace muir {

template <class Tag, class Int>
class StrongId {
 public:
  using value_type = Int;
  constexpr StrongId() = default;
  constexpr explicit StrongId(Int value) : value_(value) {}
  [[nodiscard]] constexpr Int value() const { return value_; }
  constexpr auto operator<=>(const StrongId&) const = default;

 private:
  Int value_{};
};

}  // namespace muir

template <class Tag, class Int>
struct std::hash<muir::StrongId<Tag, Int>> {
  size_t operator()(muir::StrongId<Tag, Int> id) const noexcept { return std::hash<Int>()(id.value()); }
};
