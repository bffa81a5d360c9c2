// For tests of the log: a partition on a disk that can lose power, batches in a line, what is read in a line.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/file_fault.h"
#include "log/partition.h"

namespace muir::storage {

struct TestRecord {
  int64_t timestamp = 0;
  OptBytes key;
  OptBytes value;
};

inline Bytes test_batch(const std::vector<TestRecord>& records, wire::BatchOptions options = {}) {
  wire::BatchBuilder builder(options);
  for (const auto& record : records) builder.add(record.timestamp, to_view(record.key), to_view(record.value));
  Bytes out;
  EXPECT_TRUE(builder.build(out).ok());
  return out;
}
inline Bytes test_batch(const std::string& value, int64_t timestamp = 0) {
  return test_batch({{timestamp, std::nullopt, value}});
}

inline wire::BatchOptions from_producer(ProducerId id, ProducerEpoch epoch, int32_t sequence,
                                        bool transactional = false) {
  wire::BatchOptions options;
  options.producer_id = id;
  options.producer_epoch = epoch;
  options.base_sequence = sequence;
  options.transactional = transactional;
  return options;
}

// "offset:key=value" of each record; control records as "offset:commit" and "offset:abort".
inline std::vector<std::string> describe_records(BytesView bytes) {
  std::vector<std::string> out;
  wire::BatchReader batches(bytes);
  wire::RecordIterator records;
  wire::Record record;
  for (;;) {
    const auto batch = batches.next();
    EXPECT_TRUE(batch.ok()) << batch.status().to_string();
    if (!batch.ok() || !*batch) break;
    EXPECT_TRUE((*batch)->check_crc().ok());
    EXPECT_TRUE(records.reset(**batch).ok());
    while (records.next(record)) {
      std::string text = std::to_string(record.offset.value()) + ":";
      if ((*batch)->header().control()) {
        text += wire::parse_control_record(record)->type == wire::ControlType::commit ? "commit" : "abort";
      } else {
        if (record.key) text += std::string(*record.key) + "=";
        text += record.value ? std::string(*record.value) : "null";
      }
      out.push_back(text);
    }
    EXPECT_TRUE(records.status().ok()) << records.status().to_string();
  }
  EXPECT_TRUE(batches.rest().empty());
  return out;
}

// A partition "t-0" in folder /data/t-0 of a FaultEnv. Flushes happen when the test says so.
class PartitionFixture {
 public:
  explicit PartitionFixture(TopicConfig config = {}) : config_(config) {
    EXPECT_TRUE(env.make_folders("/data").ok());
    reopen({});
  }

  void reopen(const RecoveryHint& hint) {
    partition.reset();
    PartitionEnv with;
    with.env = &env;
    with.clock = &clock;
    with.request_flush = [this](Partition&) { ++flushes_asked; };
    auto opened =
        Partition::open(with, "/data/t-0", "t", PartitionId(0), {}, std::make_shared<const TopicConfig>(config_), hint);
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    partition = *opened;
  }
  void crash(uint64_t seed, RecoveryHint hint = {}) {
    env.crash(seed);
    reopen(hint);
  }
  void close_and_reopen() {
    ASSERT_TRUE(partition->close().ok());
    RecoveryHint hint;
    hint.clean_shutdown = true;
    hint.recovery_point = partition->recovery_point();
    hint.log_start_offset = partition->offsets().log_start;
    hint.cleaned_to = partition->cleaned_to();
    reopen(hint);
  }

  Result<Appended> append(const Bytes& batch) {
    auto view = wire::BatchView::parse(batch);
    EXPECT_TRUE(view.ok());
    return partition->append(*view);
  }
  void append_ok(const Bytes& batch) {
    const auto appended = append(batch);
    ASSERT_TRUE(appended.ok()) << appended.status().to_string();
  }
  void flush() { ASSERT_TRUE(partition->flush().ok()); }

  // Everything from `offset` on, as describe_records() shows it.
  std::vector<std::string> read_all(Offset offset = {}, Isolation isolation = Isolation::read_uncommitted,
                                    size_t bytes_max = 1 << 20) {
    std::vector<std::string> out;
    for (;;) {
      const auto result = partition->read({offset, bytes_max, true, isolation});
      EXPECT_TRUE(result.ok()) << result.status().to_string();
      if (!result.ok() || result->records.empty()) return out;
      for (auto& text : describe_records(result->records)) {
        if (Offset(std::stoll(text)) >= offset) out.push_back(std::move(text));
      }
      wire::BatchReader batches(result->records);
      while (const auto batch = *batches.next()) offset = batch->header().next_offset();
    }
  }

  FaultEnv env;
  ManualClock clock{1'000'000'000};
  std::shared_ptr<Partition> partition;
  int flushes_asked = 0;

 private:
  TopicConfig config_;
};

}  // namespace muir::storage
