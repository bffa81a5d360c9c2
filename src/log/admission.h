// admit(): what a broker checks of a producer's batch before it may be appended, and what it changes in it.
#pragma once

#include <cstdint>

#include "base/bytes.h"
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

// `records` is what a produce request holds for one partition: it must be one whole valid batch. Failures carry
// Kafka's code in detail(). `scratch` is reused between calls.
Result<Admitted> admit(OptBytesView records, const TopicConfig& config, int64_t now_ms, wire::RecordIterator& scratch);

// Takes any bytes; what decodes must survive being written. Returns 1 for what decodes.
int fuzz_admission(BytesView input);

}  // namespace muir::log
