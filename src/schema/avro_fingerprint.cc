#include <openssl/evp.h>

#include <array>

#include "base/check.h"
#include "schema/avro_text.h"

namespace muir::schema::avro {
namespace {

// CRC-64-AVRO of the specification: right-shifting, and the polynomial is also the start value.
constexpr uint64_t kRabinEmpty = 0xc15d213aa4d7a795;

constexpr std::array<uint64_t, 256> make_rabin_table() {
  std::array<uint64_t, 256> table{};
  for (uint64_t i = 0; i < 256; ++i) {
    uint64_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (kRabinEmpty & (~(value & 1) + 1));
    table[i] = value;
  }
  return table;
}
constexpr auto kRabinTable = make_rabin_table();

template <size_t kSize>
std::array<unsigned char, kSize> digest(BytesView bytes, const EVP_MD* algorithm) {
  std::array<unsigned char, kSize> out{};
  MUIR_CHECK(EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, algorithm, nullptr) == 1, "digest failed");
  return out;
}

}  // namespace

uint64_t rabin(std::string_view canonical) {
  uint64_t value = kRabinEmpty;
  for (const char c : canonical) value = (value >> 8) ^ kRabinTable[(value ^ static_cast<unsigned char>(c)) & 0xff];
  return value;
}

std::array<unsigned char, 16> md5(BytesView bytes) { return digest<16>(bytes, EVP_md5()); }

std::array<unsigned char, 32> sha256(BytesView bytes) { return digest<32>(bytes, EVP_sha256()); }

}  // namespace muir::schema::avro
