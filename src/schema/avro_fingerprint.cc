#include <bit>
#include <cmath>
#include <cstring>

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

// The message, a 1 bit, zeros, and its length in bits in the last 8 bytes of a 64-byte block.
template <bool kBigEndian, class Block>
void for_each_block(BytesView bytes, Block&& block) {
  size_t at = 0;
  for (; bytes.size() - at >= 64; at += 64) block(reinterpret_cast<const unsigned char*>(bytes.data() + at));
  unsigned char tail[128]{};
  const size_t rest = bytes.size() - at;
  std::memcpy(tail, bytes.data() + at, rest);
  tail[rest] = 0x80;
  const size_t tail_size = rest < 56 ? 64 : 128;
  const uint64_t bits = static_cast<uint64_t>(bytes.size()) * 8;
  for (size_t i = 0; i < 8; ++i) {
    const size_t shift = kBigEndian ? 8 * (7 - i) : 8 * i;
    tail[tail_size - 8 + i] = static_cast<unsigned char>(bits >> shift);
  }
  for (size_t i = 0; i < tail_size; i += 64) block(tail + i);
}

constexpr int kMd5Shifts[4][4]{{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

const std::array<uint32_t, 64>& md5_sines() {
  static const auto table = [] {
    std::array<uint32_t, 64> values;
    for (size_t i = 0; i < 64; ++i) values[i] = static_cast<uint32_t>(std::floor(std::fabs(std::sin(static_cast<double>(i + 1))) * 4294967296.0));
    return values;
  }();
  return table;
}

void md5_block(std::array<uint32_t, 4>& state, const unsigned char* block) {
  uint32_t words[16];
  std::memcpy(words, block, 64);  // little-endian, as is this machine
  auto [a, b, c, d] = state;
  for (uint32_t i = 0; i < 64; ++i) {
    uint32_t mix = 0;
    uint32_t word = 0;
    switch (i / 16) {
      case 0: mix = (b & c) | (~b & d); word = i; break;
      case 1: mix = (d & b) | (~d & c); word = (5 * i + 1) % 16; break;
      case 2: mix = b ^ c ^ d; word = (3 * i + 5) % 16; break;
      default: mix = c ^ (b | ~d); word = (7 * i) % 16;
    }
    const uint32_t turned = std::rotl(a + mix + md5_sines()[i] + words[word], kMd5Shifts[i / 16][i % 4]);
    a = d;
    d = c;
    c = b;
    b += turned;
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
}

constexpr uint32_t kSha256Rounds[64]{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

void sha256_block(std::array<uint32_t, 8>& state, const unsigned char* block) {
  uint32_t words[64];
  for (size_t i = 0; i < 16; ++i) {
    words[i] = static_cast<uint32_t>(block[4 * i]) << 24 | static_cast<uint32_t>(block[4 * i + 1]) << 16 |
               static_cast<uint32_t>(block[4 * i + 2]) << 8 | static_cast<uint32_t>(block[4 * i + 3]);
  }
  for (size_t i = 16; i < 64; ++i) {
    const uint32_t s0 = std::rotr(words[i - 15], 7) ^ std::rotr(words[i - 15], 18) ^ (words[i - 15] >> 3);
    const uint32_t s1 = std::rotr(words[i - 2], 17) ^ std::rotr(words[i - 2], 19) ^ (words[i - 2] >> 10);
    words[i] = words[i - 16] + s0 + words[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (size_t i = 0; i < 64; ++i) {
    const uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kSha256Rounds[i] + words[i];
    const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e, state[5] + f, state[6] + g, state[7] + h};
}

}  // namespace

uint64_t rabin(std::string_view canonical) {
  uint64_t value = kRabinEmpty;
  for (const char c : canonical) value = (value >> 8) ^ kRabinTable[(value ^ static_cast<unsigned char>(c)) & 0xff];
  return value;
}

std::array<unsigned char, 16> md5(BytesView bytes) {
  std::array<uint32_t, 4> state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  for_each_block<false>(bytes, [&](const unsigned char* block) { md5_block(state, block); });
  std::array<unsigned char, 16> out;
  std::memcpy(out.data(), state.data(), out.size());
  return out;
}

std::array<unsigned char, 32> sha256(BytesView bytes) {
  std::array<uint32_t, 8> state{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for_each_block<true>(bytes, [&](const unsigned char* block) { sha256_block(state, block); });
  std::array<unsigned char, 32> out;
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<unsigned char>(state[i / 4] >> (24 - 8 * (i % 4)));
  return out;
}

}  // namespace muir::schema::avro
