// Housekeeping: what the log does beside reading and writing, and how often.
#pragma once

#include <cstdint>

namespace muir::storage {

// Plain values; Kafka's keys are behind the members.
struct Housekeeping {
  bool compacts = true;                          // log.cleaner.enable
  int64_t compaction_check_ms = 15'000;          // log.cleaner.backoff.ms
  int64_t compaction_key_bytes_max = 128 << 20;  // log.cleaner.dedupe.buffer.size
  int64_t retention_check_ms = 300'000;          // log.retention.check.interval.ms
  int64_t checkpoint_ms = 60'000;                // log.flush.offset.checkpoint.interval.ms
  int64_t producer_expiration_ms = 86'400'000;   // producer.id.expiration.ms
  int64_t recovery_threads = 2;                  // num.recovery.threads.per.data.dir
  int64_t verify_bytes_per_second = 0;           // log.verify.bytes.per.second; 0: nothing is verified
};

}  // namespace muir::storage
