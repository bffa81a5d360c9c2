#include "wire/uuid.h"

namespace muir::wire {
namespace {
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
}

std::string Uuid::to_string() const {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const uint8_t byte : bytes) {
    bits = (bits << 8) | byte;
    count += 8;
    for (; count >= 6; count -= 6) out.push_back(kAlphabet[(bits >> (count - 6)) & 63]);
  }
  out.push_back(kAlphabet[(bits << (6 - count)) & 63]);  // 128 bits leave two for the last character
  return out;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 22) return std::nullopt;
  Uuid id;
  uint32_t bits = 0;
  int count = 0;
  size_t at = 0;
  for (const char c : text) {
    const size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8 && at < id.bytes.size()) {
      id.bytes[at++] = static_cast<uint8_t>(bits >> (count - 8));
      count -= 8;
    }
  }
  return id;
}

Uuid Uuid::from_random(uint64_t high, uint64_t low) {
  Uuid id;
  high = (high & ~uint64_t{0xf000}) | 0x4000;
  low = (low & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);
  for (size_t i = 0; i < 8; ++i) {
    id.bytes[i] = static_cast<uint8_t>(high >> (56 - 8 * i));
    id.bytes[8 + i] = static_cast<uint8_t>(low >> (56 - 8 * i));
  }
  return id;
}

}  // namespace muir::wire
