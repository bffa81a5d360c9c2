// Kafka's default partitioner: murmur2 of the key bytes.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/kafka_ids.h"

namespace muir::wire {

// Kafka's murmur2 (32 bits, seed 0x9747b28c).
int32_t murmur2(BytesView data);

// The partition that the Java producer picks for a record with this key; `partitions` > 0.
PartitionId partition_for_key(BytesView key, int32_t partitions);

// The partition of __consumer_offsets or __transaction_state that holds a group or transactional id:
// Java's String.hashCode() of the id, without its sign bit, modulo `partitions`.
PartitionId partition_for_id(BytesView id, int32_t partitions);

}  // namespace muir::wire
