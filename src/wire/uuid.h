// Uuid: 16 bytes, as topics and directories are identified by; its text is Kafka's base64url.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace muir::wire {

// Immutable value; the zero Uuid means "none".
struct Uuid {
  std::array<uint8_t, 16> bytes{};

  auto operator<=>(const Uuid&) const = default;
  [[nodiscard]] bool is_zero() const { return *this == Uuid{}; }
  // 22 characters of base64url without padding, as Kafka prints topic ids.
  [[nodiscard]] std::string to_string() const;
  static std::optional<Uuid> parse(std::string_view text);
  // A version 4 (random) UUID from 128 random bits.
  static Uuid from_random(uint64_t high, uint64_t low);
};

}  // namespace muir::wire

template <>
struct std::hash<muir::wire::Uuid> {
  size_t operator()(const muir::wire::Uuid& id) const noexcept {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
  }
};
