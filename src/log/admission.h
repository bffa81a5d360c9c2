// admit(): what a broker checks of a producer's batch before it may be appended, and what it changes in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "base/status.h"
#include "log/topic_config.h"
#include "wire/record_batch.h"

namespace muir::log {

// A batch that may be appended. Borrows the producer's bytes, or shows `rewritten` when the topic stores another codec
// or the producer's max timestamp was wrong.
struct Admitted {
  Bytes rewritten;
  wire::BatchView batch;
};

// A record for which its batch is refused.
struct RefusedRecord {
  int32_t index = 0;  // in the batch
  std::string why;
};

// Where a batch is meant for, and what is found wrong with its records.
struct AdmissionNotes {
  std::string_view topic;
  PartitionId partition;
  std::vector<RefusedRecord> refused;
};

// `records` is what a produce request holds for one partition: it must be one whole valid batch. Failures carry
// Kafka's code in detail(); those of single records are in `notes`. `scratch` is reused between calls.
Result<Admitted> admit(OptBytesView records, const TopicConfig& config, int64_t now_ms, wire::RecordIterator& scratch,
                       AdmissionNotes& notes);

// Takes any bytes; what decodes must survive being written. Returns 1 for what decodes.
int fuzz_admission(BytesView input);

}  // namespace muir::log
