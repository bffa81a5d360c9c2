// Uuid: 128 bits and their text, RFC 9562.
#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace muir::schema {

struct Uuid {
  static constexpr size_t kTextBytes = 36;
  std::array<unsigned char, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;

  // "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"; upper case is read, too.
  static std::optional<Uuid> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  void write(char (&text)[kTextBytes]) const;
};

}  // namespace muir::schema
