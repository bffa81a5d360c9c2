#include "wire/murmur2.h"

#include <bit>
#include <cstring>

#include "base/check.h"

namespace muir::wire {

int32_t murmur2(BytesView data) {
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  uint32_t hash = 0x9747b28cU ^ static_cast<uint32_t>(data.size());
  const char* at = data.data();
  size_t left = data.size();
  for (; left >= 4; at += 4, left -= 4) {
    uint32_t word;
    std::memcpy(&word, at, 4);  // little-endian, as Java assembles it
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap32(word);
    word *= kMultiplier;
    word ^= word >> 24;
    word *= kMultiplier;
    hash = hash * kMultiplier ^ word;
  }
  if (left >= 3) hash ^= static_cast<uint32_t>(static_cast<uint8_t>(at[2])) << 16;
  if (left >= 2) hash ^= static_cast<uint32_t>(static_cast<uint8_t>(at[1])) << 8;
  if (left >= 1) {
    hash ^= static_cast<uint8_t>(at[0]);
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return static_cast<int32_t>(hash);
}

PartitionId partition_for_key(BytesView key, int32_t partitions) {
  CHECK(partitions > 0, "a topic with {} partitions", partitions);
  return PartitionId((murmur2(key) & 0x7fffffff) % partitions);
}

namespace {

// The code point at `at` of UTF-8 text, and its length; a byte that is no UTF-8 counts as U+FFFD, as Java decodes it.
size_t next_code_point(BytesView text, size_t at, uint32_t& code) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(at);
  if (lead < 0x80) {
    code = lead;
    return 1;
  }
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  code = 0xfffd;
  if (lead < 0xc2 || lead > 0xf4 || at + length > text.size()) return 1;
  uint32_t value = lead & (0xffU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return i;
    value = (value << 6) | (byte(at + i) & 0x3fU);
  }
  code = value;
  return length;
}

}  // namespace

PartitionId partition_for_id(BytesView id, int32_t partitions) {
  CHECK(partitions > 0, "a topic with {} partitions", partitions);
  uint32_t hash = 0;
  for (size_t at = 0; at < id.size();) {
    uint32_t code = 0;
    at += next_code_point(id, at, code);
    if (code >= 0x10000) {
      hash = hash * 31 + (0xd800 + ((code - 0x10000) >> 10));
      code = 0xdc00 + ((code - 0x10000) & 0x3ff);
    }
    hash = hash * 31 + code;
  }
  return PartitionId(static_cast<int32_t>(hash & 0x7fffffff) % partitions);
}

}  // namespace muir::wire
