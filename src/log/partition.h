// Partition: the durable log of one topic partition.
//
// Appends assign offsets, go to the page cache and can be read at once: as on an Apache Kafka of one node, the high
// watermark is the end of the log. flush() makes them durable, which is what waits for when_durable(); with
// `sync_before_confirm` off, nothing waits. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/metrics.h"
#include "log/internal/checkpoint.h"
#include "log/internal/quarantine.h"
#include "log/internal/segment.h"
#include "log/producer_state.h"
#include "log/topic_config.h"
#include "wire/batch_builder.h"
#include "wire/record_batch.h"

namespace muir::storage {

class Partition;

// What a partition gets from the log that owns it. The references outlive it.
struct PartitionEnv {
  Env* env = nullptr;
  Clock* clock = nullptr;
  // Asks for a flush() of the partition, soon; called with the partition's lock held.
  std::function<void(Partition&)> request_flush;
  bool sync_before_confirm = true;
  Histogram* flush_seconds = nullptr;  // null: not measured
};

// What went into a partition and was sent from it since it was opened. Thread-safe.
struct PartitionTraffic {
  std::atomic<uint64_t> records_in{0};
  std::atomic<uint64_t> bytes_in{0};
  std::atomic<uint64_t> records_out{0};
  std::atomic<uint64_t> bytes_out{0};
};

// How the disk takes a partition's writes.
struct PartitionWrites {
  uint64_t refused = 0;   // since it was opened
  bool refusing = false;  // the last one was refused, as a rule because the disk is full
  bool offline = false;   // a sync failed: nothing is appended any more
};

// Where a partition's log was when it was last known to be durable.
struct RecoveryHint {
  bool clean_shutdown = false;
  Offset recovery_point;
  Offset log_start_offset;
  Offset cleaned_to;  // compaction had come so far
};

struct Appended {
  Offset base_offset = kNoOffset;
  Offset last_offset = kNoOffset;
  int64_t log_append_time_ms = -1;  // -1 with CreateTime
  Offset log_start_offset;
  bool repeated = false;  // an idempotent producer's batch that is already there
};

struct Offsets {
  Offset log_start;
  Offset last_stable;
  Offset high_watermark;
  Offset log_end;
};

enum class Isolation : int8_t { read_uncommitted = 0, read_committed = 1, log_end = 2 };

struct ReadRequest {
  Offset offset;
  size_t bytes_max = 1 << 20;
  // Return the first batch even when it is larger than bytes_max.
  bool at_least_one_batch = true;
  Isolation isolation = Isolation::read_uncommitted;
};

struct ReadResult {
  std::unique_ptr<char[]> buffer;  // holds what `records` shows
  BytesView records;               // whole batches
  Offsets offsets;
  std::vector<AbortedTxn> aborted;  // read_committed only: those that touch `records`
  Offset next_offset;               // behind the last batch of `records`, if there are any
  uint64_t record_count = 0;        // of `records`, as their batches say
  // read_committed only: what lay between the wanted offset and `records` cannot be read, or `records` stand for it.
  // Markers may have been there: what came before must not be joined with this into one answer, as `aborted` of the
  // former would hide what the same producers wrote since.
  bool behind_gap = false;
  // Where `records` are stored: byte `position` of segment->file(), as long as this is held. Null when the bytes there
  // differ.
  std::shared_ptr<const Segment> segment;
  uint64_t position = 0;
};

struct TimestampOffset {
  int64_t timestamp = -1;
  Offset offset = kNoOffset;
};

struct PartitionSize {
  uint64_t bytes = 0;
  size_t segments = 0;
};

// What of a partition cannot be read any more.
struct Damage {
  uint64_t ranges = 0;
  uint64_t bytes = 0;
  uint64_t offsets = 0;
  uint64_t undecided = 0;  // transactions that may have ended there: read_committed does not show them
};

class Partition : public std::enable_shared_from_this<Partition> {  // the flusher holds what it was asked to flush
 public:
  // Opens the log in `folder`, making it when it is not there, and recovers it as `hint` demands.
  static Result<std::shared_ptr<Partition>> open(PartitionEnv env, std::string folder, std::string topic,
                                                 PartitionId index, wire::Uuid topic_id,
                                                 std::shared_ptr<const TopicConfig> config, const RecoveryHint& hint);

  [[nodiscard]] const std::string& topic() const { return topic_; }
  [[nodiscard]] PartitionId index() const { return index_; }
  [[nodiscard]] const wire::Uuid& topic_id() const { return topic_id_; }
  [[nodiscard]] std::string name() const;  // "positions-3"

  // Appends one valid batch. Its base offset, leader epoch and, with LogAppendTime, timestamp are written by the log.
  // Failures carry Kafka's code. When it succeeds, `durable` (if any) runs once the batch is durable, or
  // with the error that prevents it: in the order of the appends, on the flushing thread. Without sync_before_confirm
  // it runs before the return.
  using OnDurable = std::function<void(const Status&)>;
  // Asked before a new batch is appended, with the partition's lock held, so that no marker can come between the answer
  // and the append. A failure refuses the batch.
  using Gate = std::function<Status()>;
  Result<Appended> append(const wire::BatchView& batch, OnDurable durable = {}, const Gate& gate = {});
  // Appends the marker that ends a producer's transaction.
  Result<Appended> append_end_txn(wire::ControlType type, ProducerId producer_id, ProducerEpoch producer_epoch,
                                  LeaderEpoch coordinator_epoch, OnDurable durable = {});

  // `done` runs once everything below `offset` is durable, or with the error that prevents it; at once when it is.
  // It may run on the calling thread or on the flushing one.
  void when_durable(Offset offset, OnDurable done);
  // `wake` runs, once, when more can be read than at the time of the call, or when the partition is closed or deleted.
  // It may run on any thread. unwatch() takes it back.
  using WatchId = uint64_t;
  WatchId watch(std::function<void()> wake);
  void unwatch(WatchId id);

  // Syncs everything appended before the call. Called by one thread at a time.
  Status flush();

  [[nodiscard]] Offsets offsets() const;
  // Nothing is returned at or above the offset that the isolation allows; OFFSET_OUT_OF_RANGE outside of the log.
  // Damaged batches are never returned: they are gaps, as compaction leaves them. Where nothing follows a gap, an empty
  // batch carries the reader over it.
  Result<ReadResult> read(const ReadRequest& request);
  // How many bytes read() might find from `offset` on: never fewer than it would, counted up to about `bytes_max`. Does
  // not look at the records.
  [[nodiscard]] Result<uint64_t> readable_bytes(Offset offset, Isolation isolation, uint64_t bytes_max) const;
  // First record at or after `timestamp`, below what the isolation allows; kNoOffset when there is none.
  // resource_exhausted when more than `unpack_max` bytes would have to be decompressed for it; what is, is taken off.
  Result<TimestampOffset> find_timestamp(int64_t timestamp, Isolation isolation, size_t& unpack_max);
  Result<TimestampOffset> find_timestamp(int64_t timestamp, Isolation isolation);
  // The record with the largest timestamp.
  Result<TimestampOffset> find_max_timestamp(size_t& unpack_max);
  Result<TimestampOffset> find_max_timestamp();
  [[nodiscard]] LeaderEpoch leader_epoch() const;
  // That of the batch at `offset`.
  [[nodiscard]] LeaderEpoch epoch_at(Offset offset) const { return storage::epoch_at(epochs_, offset); }
  // KIP-320: the largest epoch at or below `epoch` and where it ended; kNoLeaderEpoch and kNoOffset when it is unknown.
  [[nodiscard]] EpochEntry epoch_end(LeaderEpoch epoch) const;
  // Producers with their state, for DescribeProducers.
  [[nodiscard]] std::unordered_map<ProducerId, ProducerEntry> producers() const;
  [[nodiscard]] PartitionSize size() const;
  [[nodiscard]] PartitionWrites writes() const;
  // Of the transactions whose end is lost, and what of the log's own clock is known of it: the lost marker was written
  // between these times. `after_ms` is nullopt when there is no marker before in the segments that are looked at.
  struct LostEnd {
    UndecidedTxn txn;
    std::optional<int64_t> after_ms;
    bool after_own = false;  // that marker is one of the same producer
    int64_t before_ms = INT64_MAX;
    bool before_own = false;
  };
  [[nodiscard]] Result<std::vector<LostEnd>> lost_ends() const;
  // It is known how this one ended.
  void decide(const UndecidedTxn& txn, bool committed);
  // What has become of the transaction in which `producer` wrote the batch at `offset`, as far as this partition knows.
  [[nodiscard]] TxnFate fate(ProducerId producer, Offset offset) const;
  // Counted by append(), and by whoever sends what was read to a client.
  [[nodiscard]] PartitionTraffic& traffic() { return traffic_; }
  // Known so far: recovery reads everything it cannot trust, reads and compaction what they come across. What
  // compaction has put aside counts for as long as the file lies there.
  [[nodiscard]] Damage damage() const;
  // Reads every segment but the newest, and reports what of it is damaged. `goes_on` is told of the bytes as they are
  // read, may wait, and ends it with false, which is returned.
  Result<bool> verify(const std::function<bool(size_t bytes)>& goes_on);
  // How many batches compaction leaves as they are, since they cannot be read or expand to too much.
  [[nodiscard]] size_t left_whole() const;

  // Records below `offset` are gone. kNoOffset: up to the high watermark. Returns the new log start offset.
  Result<Offset> delete_records_before(Offset offset);
  // Removes segments as retention.ms, retention.bytes and the log start offset say; rolls an old active segment.
  Status apply_retention();
  // Forgets producers that have been silent for `producer_expiration_ms`.
  void expire_producers(int64_t producer_expiration_ms);
  void set_config(std::shared_ptr<const TopicConfig> config);
  [[nodiscard]] std::shared_ptr<const TopicConfig> config() const;

  // Makes everything durable, writes indexes and the producer snapshot. Appends fail afterwards.
  Status close();
  // Appends and reads fail from now on; waiting callers are told. The folder stays.
  void mark_deleted();
  // Up to where the log is durable.
  [[nodiscard]] Offset recovery_point() const;
  // Up to where compaction has come.
  [[nodiscard]] Offset cleaned_to() const;
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  friend class PartitionOpener;
  friend class Cleaner;
  using SegmentPtr = std::shared_ptr<Segment>;
  struct Waiter {
    Offset offset;
    OnDurable done;
  };
  struct Woken {  // what to call once the lock is free
    std::vector<std::function<void()>> wakes;
    std::vector<Waiter> waiters;
    Status status;
    void run();
  };

  Partition(PartitionEnv env, std::string folder, std::string topic, PartitionId index, wire::Uuid topic_id,
            std::shared_ptr<const TopicConfig> config);

  // All of these need the lock.
  [[nodiscard]] Status usable() const;
  [[nodiscard]] Segment& active() const { return *segments_.rbegin()->second; }
  [[nodiscard]] Offset last_stable_offset() const;
  [[nodiscard]] Offset bound(Isolation isolation) const;
  Result<Appended> append_new(const wire::BatchView& batch, wire::BatchHeader& header);
  Status write(const wire::BatchView& batch, const wire::BatchHeader& stamped, std::optional<int64_t> append_time);
  Status roll_for(const wire::BatchHeader& header, size_t bytes);
  Status roll();
  Status roll_before_removal(std::unique_lock<std::mutex>& guard);
  void after_append(Offset end, OnDurable durable, Woken& woken);
  void raise_high_watermark(Offset offset, Woken& woken);
  void fail_all(const Status& status, Woken& woken);
  Status remove_segments_below(Offset offset, std::string_view why);
  [[nodiscard]] SegmentPtr segment_at(Offset offset) const;
  void note_quarantined(const std::vector<Quarantined>& found);
  [[nodiscard]] bool is_listed(const Quarantined& aside) const;
  Status save_durable_mark(Offset offset);
  Status sync_metadata();
  Status note_write(Status status);

  // These take it.
  struct ReadPlace;
  Result<bool> read_segment(const ReadRequest& request, const ReadPlace& place, Offset limit, ReadResult& out,
                            Offset& next_read);
  Result<std::optional<DamagedRange>> examine(Segment& segment, uint64_t position, Offset expected, uint64_t bytes,
                                              Offset segment_end);
  Status show_gap(Offset from, Offset to, ReadResult& out) const;
  void report_damage(Segment& segment, const std::vector<DamagedRange>& found);
  [[nodiscard]] std::vector<AbortedTxn> aborted_between(Offset from, Offset to) const;
  [[nodiscard]] bool lost_between(Offset from, Offset to) const;
  void remember(const wire::BatchHeader& header, const std::optional<wire::ControlRecord>& marker, Segment& segment);

  const PartitionEnv env_;
  const std::string folder_;
  const std::string topic_;
  const PartitionId index_;
  const wire::Uuid topic_id_;

  mutable std::mutex mutex_;
  std::shared_ptr<const TopicConfig> config_;
  std::map<Offset, SegmentPtr> segments_;  // by base offset; never empty once open
  std::vector<SegmentPtr> unsynced_;       // rolled and not yet durable
  EpochEntries epochs_;                    // fixed once open; never empty then
  ProducerState producers_;
  std::vector<Quarantined> quarantined_;  // by compaction, ever
  Offset log_start_;
  Offset high_watermark_;
  Offset durable_;
  Offset cleaned_to_;
  std::set<Offset> left_whole_;  // batches that the last compaction left as they are
  PartitionWrites writes_;       // but for `offline`
  int64_t refused_writes_ = 0;   // since the log began to say so
  int64_t next_complaint_ms_ = std::numeric_limits<int64_t>::min();
  bool complained_ = false;
  Offset mark_wanted_;  // both are the flushing thread's
  Offset mark_saved_;   // may lag behind on a full disk, and is tried again
  bool folder_unsynced_ = false;
  bool flush_requested_ = false;
  Status failure_;  // the disk's: nothing can be appended any more
  bool closed_ = false;
  bool deleted_ = false;
  std::vector<Waiter> waiters_;
  std::map<WatchId, std::function<void()>> watchers_;
  WatchId next_watch_ = 1;
  PartitionTraffic traffic_;
};

}  // namespace muir::storage
