// Strong ids: integers that mean something, which the compiler keeps apart.
//
//   using PartitionId = StrongId<struct PartitionIdTag, int32_t>;
//   PartitionId partition{3};
//   partition.value();                    // 3
//   void fetch(PartitionId, Offset);      // the arguments cannot change places
//
// A StrongId names a thing: it compares, hashes and prints, and has no arithmetic. An Ordinal also counts: a distance
// can be added to it, and two of them have a distance. Both are one integer to the machine, construct to zero and
// convert only when asked. Values; safe wherever an integer is.
#pragma once

#include <fmt/core.h>

#include <compare>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <type_traits>

namespace muir {

template <class Tag, std::signed_integral Rep>
class StrongId {
 public:
  using rep = Rep;
  using tag = Tag;

  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep value) : value_(value) {}

  [[nodiscard]] constexpr Rep value() const { return value_; }

  friend constexpr auto operator<=>(StrongId, StrongId) = default;

 private:
  Rep value_ = 0;
};

// `distance` is in the id's own unit (records, for an offset).
template <class Tag, std::signed_integral Rep>
class Ordinal {
 public:
  using rep = Rep;
  using tag = Tag;

  constexpr Ordinal() = default;
  constexpr explicit Ordinal(Rep value) : value_(value) {}

  [[nodiscard]] constexpr Rep value() const { return value_; }

  constexpr Ordinal& operator++() {
    ++value_;
    return *this;
  }
  constexpr Ordinal& operator+=(Rep distance) {
    value_ += distance;
    return *this;
  }
  friend constexpr Ordinal operator+(Ordinal id, Rep distance) { return Ordinal(id.value_ + distance); }
  friend constexpr Ordinal operator-(Ordinal id, Rep distance) { return Ordinal(id.value_ - distance); }
  friend constexpr Rep operator-(Ordinal later, Ordinal earlier) { return later.value_ - earlier.value_; }
  friend constexpr auto operator<=>(Ordinal, Ordinal) = default;

 private:
  Rep value_ = 0;
};

namespace internal {
template <class T>
concept AnyStrongId = requires(const T id) {
  typename T::tag;
  typename T::rep;
  { id.value() } -> std::same_as<typename T::rep>;
};
}  // namespace internal

// Readable in the messages of failed tests.
template <internal::AnyStrongId Id, class Stream>
requires std::derived_from<Stream, std::ostream> Stream& operator<<(Stream& out, Id id) {
  out << id.value();
  return out;
}

}  // namespace muir

template <muir::internal::AnyStrongId Id>
struct std::hash<Id> {
  size_t operator()(Id id) const noexcept { return std::hash<typename Id::rep>{}(id.value()); }
};

// Without a format specification: fmt/core.h alone can print an integer, not lay it out.
template <muir::internal::AnyStrongId Id>
struct fmt::formatter<Id> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  auto format(Id id, fmt::format_context& context) const { return fmt::format_to(context.out(), "{}", id.value()); }
};
