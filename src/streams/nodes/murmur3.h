// Murmur3 of 128 bits (x64), as Kafka Streams' foreign-key joins have it.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace muir::streams::internal {

using Hash128 = std::array<uint64_t, 2>;

inline constexpr uint32_t kForeignKeySeed = 104729;

Hash128 murmur3_128(BytesView bytes, uint32_t seed = kForeignKeySeed);

}  // namespace muir::streams::internal
