#include "schema/uuid.h"

namespace muir::schema {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

constexpr bool is_dash_place(size_t place) { return place == 8 || place == 13 || place == 18 || place == 23; }

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != kTextBytes) return std::nullopt;
  Uuid out;
  size_t digits = 0;
  for (size_t i = 0; i < kTextBytes; ++i) {
    if (is_dash_place(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int digit = digit_of(text[i]);
    if (digit < 0) return std::nullopt;
    auto& byte = out.bytes[digits / 2];
    byte = static_cast<unsigned char>((byte << 4) | digit);
    ++digits;
  }
  return out;
}

void Uuid::write(char (&text)[kTextBytes]) const {
  size_t digits = 0;
  for (size_t i = 0; i < kTextBytes; ++i) {
    if (is_dash_place(i)) {
      text[i] = '-';
      continue;
    }
    const unsigned char byte = bytes[digits / 2];
    text[i] = kDigits[digits % 2 == 0 ? byte >> 4 : byte & 15];
    ++digits;
  }
}

std::string Uuid::to_string() const {
  char text[kTextBytes];
  write(text);
  return {text, kTextBytes};
}

}  // namespace muir::schema
