#include "streams/nodes/murmur3.h"

#include <bit>
#include <cstring>

namespace muir::streams::internal {
namespace {

constexpr uint64_t kC1 = 0x87c37b91114253d5;
constexpr uint64_t kC2 = 0x4cf5ad432745937f;
constexpr size_t kBlock = 16;

// Little-endian, of up to eight bytes.
uint64_t word(const char* from, size_t bytes) {
  uint64_t out = 0;
  for (size_t i = bytes; i-- > 0;) out = (out << 8) | static_cast<unsigned char>(from[i]);
  return out;
}
uint64_t mixed_first(uint64_t k) { return std::rotl(k * kC1, 31) * kC2; }
uint64_t mixed_second(uint64_t k) { return std::rotl(k * kC2, 33) * kC1; }
uint64_t finished(uint64_t h) {
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  return h ^ (h >> 33);
}

}  // namespace

Hash128 murmur3_128(BytesView bytes, uint32_t seed) {
  uint64_t h1 = seed;
  uint64_t h2 = seed;
  const size_t blocks = bytes.size() / kBlock;
  for (size_t i = 0; i < blocks; ++i) {
    const char* at = bytes.data() + i * kBlock;
    h1 ^= mixed_first(word(at, 8));
    h1 = (std::rotl(h1, 27) + h2) * 5 + 0x52dce729;
    h2 ^= mixed_second(word(at + 8, 8));
    h2 = (std::rotl(h2, 31) + h1) * 5 + 0x38495ab5;
  }
  const BytesView tail = bytes.substr(blocks * kBlock);
  if (tail.size() > 8) h2 ^= mixed_second(word(tail.data() + 8, tail.size() - 8));
  if (!tail.empty()) h1 ^= mixed_first(word(tail.data(), tail.size() < 8 ? tail.size() : 8));
  h1 ^= bytes.size();
  h2 ^= bytes.size();
  h1 += h2;
  h2 += h1;
  h1 = finished(h1);
  h2 = finished(h2);
  h1 += h2;
  h2 += h1;
  return {h1, h2};
}

}  // namespace muir::streams::internal
