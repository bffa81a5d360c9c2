// The integers of Kafka that are easily taken for one another, as types of their own.
#pragma once

#include <cstdint>

#include "base/strong_id.h"

namespace muir {

// A record's place in its partition; also the place of the next one ("position", "end offset"). Counts records.
using Offset = Ordinal<struct OffsetTag, int64_t>;

// A partition's number within its topic, from 0.
using PartitionId = StrongId<struct PartitionIdTag, int32_t>;

// Who writes, for idempotence and transactions (KIP-98), and which of its incarnations.
using ProducerId = StrongId<struct ProducerIdTag, int64_t>;
using ProducerEpoch = StrongId<struct ProducerEpochTag, int16_t>;

// Which reign of a partition's leader wrote a batch (KIP-101); also the group and transaction coordinators' reigns.
using LeaderEpoch = StrongId<struct LeaderEpochTag, int32_t>;

// Which rebalance of a consumer group a member belongs to.
using GenerationId = StrongId<struct GenerationIdTag, int32_t>;

inline constexpr Offset kNoOffset{-1};
inline constexpr PartitionId kNoPartition{-1};
inline constexpr ProducerId kNoProducerId{-1};
inline constexpr ProducerEpoch kNoProducerEpoch{-1};
inline constexpr LeaderEpoch kNoLeaderEpoch{-1};
inline constexpr GenerationId kNoGeneration{-1};

}  // namespace muir
