// Admission: what a broker checks of a producer's batch before it may be appended, and what it changes in it.
//
// A batch of a few kB may hold gigabytes. Apache Kafka takes it when its records are sound, and so do we; but it is
// walked through in pieces, with some hundred kB of it in memory, and the walk can be interrupted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "base/status.h"
#include "log/topic_config.h"
#include "wire/record_walk.h"

namespace muir::storage {

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

// Where a batch is meant for, and what is found wrong with its records: of the first kRefusedMax that are refused.
struct AdmissionNotes {
  static constexpr size_t kRefusedMax = 10'000;
  std::string_view topic;
  PartitionId partition;
  std::vector<RefusedRecord> refused{};
};

// One batch on its way in. Borrows everything it is given. Owned by one thread at a time.
class Admission {
 public:
  // `records` is what a produce request holds for one partition: it must be one whole valid batch. `walk` is reused
  // between admissions; `history_max` is what codecs may keep (wire/block_stream.h).
  Admission(OptBytesView records, const TopicConfig& config, int64_t now_ms, wire::RecordWalk& walk,
            AdmissionNotes& notes, size_t history_max = wire::kHistoryBytesMax);
  ~Admission();
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // Goes on until `allowance` bytes or some more have been decompressed, and takes them off it. True when it is done.
  bool run(size_t& allowance);
  // Done, and refused for no other reason than `history_max`.
  [[nodiscard]] bool needs_more_history() const;
  // When it is done. Failures carry Kafka's code; those of single records are in the notes.
  Result<Admitted> take() { return std::move(*result_); }

 private:
  class Recompression;

  Status begin();
  Result<bool> walk_some(size_t& allowance);
  Result<bool> finish(size_t& allowance);
  void look_at(const wire::RecordOutline& record);
  [[nodiscard]] Status refusals() const;

  const OptBytesView records_;
  const TopicConfig& config_;
  const int64_t now_ms_;
  wire::RecordWalk& walk_;
  AdmissionNotes& notes_;
  const size_t history_max_;
  wire::BatchView batch_;
  wire::BatchFacts facts_;
  int64_t refused_ = 0;
  bool timestamps_refused_ = false;
  bool begun_ = false;
  bool walked_ = false;
  std::unique_ptr<Recompression> recompression_;
  std::optional<Result<Admitted>> result_;
};

// All of it at once.
Result<Admitted> admit(OptBytesView records, const TopicConfig& config, int64_t now_ms, wire::RecordWalk& walk,
                       AdmissionNotes& notes);

// Takes any bytes; what decodes must survive being written. Returns 1 for what decodes.
int fuzz_admission(BytesView input);

}  // namespace muir::storage
