// MemoryPartitionLog: partitions in memory, with a disk that can be slow, broken or gone. For tests.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "broker/internal/partition_log.h"
#include "wire/record_batch.h"

namespace muir::broker {

// Owned by one thread.
class MemoryPartitionLog final : public PartitionLog {
 public:
  explicit MemoryPartitionLog(int32_t internal_partitions = 5) : internal_partitions_(internal_partitions) {}

  void create(const std::string& topic, int32_t partitions) { topics_[topic].resize(static_cast<size_t>(partitions)); }
  void remove(const std::string& topic) { topics_.erase(topic); }
  // Appends are stored but not answered until release().
  void hold() { held_ = true; }
  void release() {
    held_ = false;
    for (auto& answer : std::exchange(waiting_, {})) answer();
  }
  // Answers the oldest append that waits; the log stays slow.
  void release_one() {
    const auto answer = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    answer();
  }
  // The next `count` appends fail.
  void fail_next(int count) { failures_ = count; }
  // After `count` more appends the machine is off: nothing is stored or answered until restart().
  void stop_after(int count) { left_ = count; }
  void restart() {
    left_ = -1;
    held_ = false;
    waiting_.clear();
  }

  int32_t partition_count(const std::string& topic) override {
    const auto at = topics_.find(topic);
    return at == topics_.end() ? 0 : static_cast<int32_t>(at->second.size());
  }
  Result<int32_t> open_internal_topic(const std::string& topic) override {
    if (!topics_.contains(topic)) create(topic, internal_partitions_);
    return partition_count(topic);
  }
  void append(const std::string& topic, PartitionId partition, Bytes batch, Done done) override {
    if (left_ == 0) return;
    if (left_ > 0) --left_;
    if (failures_ > 0) {
      --failures_;
      return done(error(Code::io_error, "append {}-{}: disk", topic, partition), kNoOffset);
    }
    if (partition >= PartitionId(partition_count(topic)))
      return done(error(Code::not_found, "append {}-{}", topic, partition), kNoOffset);
    Log& log = topics_[topic][static_cast<size_t>(partition.value())];
    const Offset base = log.end;
    wire::set_base_offset(batch.data(), base);
    log.end = wire::parse_batch_header(batch)->next_offset();
    log.bytes += batch;
    if (held_) {
      waiting_.push_back([done = std::move(done), base] { done({}, base); });
    } else {
      done({}, base);
    }
  }
  void append_marker(const std::string& topic, PartitionId partition, wire::ControlType type, ProducerId producer_id,
                     ProducerEpoch producer_epoch, LeaderEpoch coordinator_epoch, Done done) override {
    append(topic, partition, wire::control_batch(type, producer_id, producer_epoch, coordinator_epoch, 0),
           std::move(done));
  }
  Result<Offset> log_start_offset(const std::string&, PartitionId) override { return Offset(0); }
  Result<Bytes> read(const std::string& topic, PartitionId partition, Offset offset, size_t bytes_max) override {
    const Log& log = topics_[topic][static_cast<size_t>(partition.value())];
    wire::BatchReader batches(log.bytes);
    Bytes out;
    while (out.size() < bytes_max) {
      const auto batch = MUIR_TRY(batches.next());
      if (!batch) break;
      if (batch->header().next_offset() > offset) out += batch->bytes();
    }
    return out;
  }

  std::optional<storage::TxnFate> fate(const std::string&, PartitionId, ProducerId, Offset offset) override {
    const auto at = fates.find(offset);
    return at == fates.end() ? std::nullopt : std::optional(at->second);
  }
  // Of records whose marker is lost.
  std::map<Offset, storage::TxnFate> fates;

  // Markers of a partition, oldest first: "commit 5/0" for producer id and epoch.
  std::vector<std::string> markers(const std::string& topic, PartitionId partition) {
    std::vector<std::string> out;
    wire::BatchReader batches(topics_[topic][static_cast<size_t>(partition.value())].bytes);
    while (true) {
      const auto batch = *batches.next();
      if (!batch) return out;
      if (!batch->header().control()) continue;
      wire::RecordIterator records;
      wire::Record record;
      if (!records.reset(*batch).ok() || !records.next(record)) continue;
      const bool commit = wire::parse_control_record(record)->type == wire::ControlType::commit;
      out.push_back(fmt::format("{} {}/{}", commit ? "commit" : "abort", batch->header().producer_id,
                                batch->header().producer_epoch));
    }
  }

 private:
  struct Log {
    Bytes bytes;
    Offset end;
  };
  const int32_t internal_partitions_;
  std::map<std::string, std::vector<Log>> topics_;
  bool held_ = false;
  int failures_ = 0;
  int left_ = -1;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace muir::broker
