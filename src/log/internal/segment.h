// Segment: one .log file of a partition with its indexes.
//
// Only the newest segment of a partition, the active one, is appended to. Guarded by its partition's lock, except
// that bytes already appended may be read through file() by any thread: readers hold a reference, and a segment that
// retention or compaction has removed stays readable until the last of them is done.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "log/file_names.h"
#include "log/internal/checkpoint.h"
#include "log/internal/offset_index.h"
#include "log/internal/segment_scan.h"
#include "log/internal/segment_seal.h"
#include "log/internal/txn_index.h"
#include "wire/record_batch.h"

namespace muir::storage {

// What an earlier life of the log wrote down of a segment's aborted transactions.
struct TxnEvidence {
  std::vector<AbortedTxn> aborted;
  Offset complete_to = kNoOffset;  // of the markers below, no other one is of an aborted transaction
};

class Segment {
 public:
  // Makes an empty segment whose first offset will be `base_offset`.
  static Result<std::shared_ptr<Segment>> create(Env& env, const std::string& folder, Offset base_offset,
                                                 int64_t now_ms);
  // Opens a segment whose indexes can be trusted: one that was sealed, or closed, and is followed by `next_offset`
  // (when known). An error (data_loss, not_found) means that it must be recovered.
  static Result<std::shared_ptr<Segment>> open(Env& env, const std::string& folder, Offset base_offset,
                                               std::optional<Offset> next_offset, int64_t index_interval_bytes,
                                               int64_t now_ms);
  // Reads the whole file, checks every batch and builds the indexes. Damage inside stays where it is and is skipped
  // (damaged()). What is left of an unfinished write at the end of the newest segment is cut off.
  struct Recovery {
    // Where the next segment begins; kNoOffset for the newest.
    Offset next_offset = kNoOffset;
    // What lies below was on the disk once: it is not an unfinished write.
    Offset durable_to;
    int64_t index_interval_bytes = 4096;
    int64_t now_ms = 0;
    // That of the file while it is not yet under its final name.
    std::string_view suffix = kLogSuffix;
  };
  static Result<std::shared_ptr<Segment>> recover(Env& env, const std::string& folder, Offset base_offset,
                                                  const Recovery& how);
  // Compaction leaves gaps: the segment's offsets end where the next segment begins.
  void set_next_offset(Offset offset) { next_offset_ = offset; }

  // Appends a batch, already stamped with its offset, given in pieces.
  Status append(std::span<const BytesView> pieces, const wire::BatchHeader& header, int64_t index_interval_bytes);
  void add_aborted(const AbortedTxn& txn) { aborted_.push_back(txn); }
  void clear_aborted() { aborted_.clear(); }
  // Writes the index files. The log itself is not synced.
  Status seal();
  // Syncs the log and, once sealed, the index files, and then writes down what they are.
  Status sync();
  // Cuts what a failed append may have left behind the last whole batch.
  Status trim() { return file_->truncate(size_); }

  [[nodiscard]] Offset base_offset() const { return base_offset_; }
  [[nodiscard]] Offset next_offset() const { return next_offset_; }
  [[nodiscard]] uint64_t size_bytes() const { return size_; }
  [[nodiscard]] int64_t max_timestamp() const { return max_timestamp_; }
  // Offset of the last record of the batch that has the largest timestamp.
  [[nodiscard]] Offset max_timestamp_offset() const { return max_timestamp_offset_; }
  // Of the first batch; when the segment was made, while it is empty.
  [[nodiscard]] int64_t first_timestamp() const { return first_timestamp_ >= 0 ? first_timestamp_ : created_ms_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Bytes of an unfinished write that recover() cut off.
  [[nodiscard]] uint64_t cut_bytes() const { return cut_bytes_; }
  [[nodiscard]] const File& file() const { return *file_; }
  [[nodiscard]] const std::vector<AbortedTxn>& aborted() const { return aborted_; }

  // Byte from which a scan finds the batch with `offset`. Entries of an index file, which has no checksum, are compared
  // with the log; one that does not fit has the indexes built anew.
  Result<uint32_t> floor_position(Offset offset);
  // A byte before which every batch below `offset` ends; the end of the file when the index knows no closer one.
  Result<uint64_t> ceiling_position(Offset offset);
  // Byte from which a scan finds the first record of at least `timestamp`.
  Result<uint32_t> floor_position_of_time(int64_t timestamp);
  // A scan of all batches from byte `begin`, where one starts.
  [[nodiscard]] SegmentScan scan(uint64_t begin = 0) const;

  // Stretches that no reader gets, ascending.
  [[nodiscard]] const std::vector<DamagedRange>& damaged() const { return damaged_; }
  [[nodiscard]] std::optional<DamagedRange> damage_at(uint64_t position) const;
  // Remembers them, also in a file. Returns those that were not known.
  void forget_damage() { damaged_.clear(); }
  void note_damage(const DamagedRange& range) { damaged_.push_back(range); }
  std::vector<DamagedRange> add_damage(const std::vector<DamagedRange>& found);

  // Transactions that ended, one way or the other, in a place that is damaged. For readers, they are aborted.
  [[nodiscard]] const std::vector<UndecidedTxn>& undecided() const { return listed_.undecided; }
  // Returns false when it is known already, or its end is.
  bool add_undecided(const UndecidedTxn& txn);
  // One of undecided() is known to have ended so.
  void decide(const UndecidedTxn& txn, bool committed);
  // Whether the producer's transaction that began at `first` is one that decide() was told of as committed.
  [[nodiscard]] bool was_committed(ProducerId producer, Offset first) const;
  // What was written down before the segment was recovered.
  [[nodiscard]] const TxnEvidence& evidence() const { return evidence_; }
  void set_evidence(TxnEvidence evidence) { evidence_ = std::move(evidence); }
  [[nodiscard]] const std::optional<SegmentSeal>& stored_seal() const { return stored_seal_; }

  // Unlinks the files; open readers keep them.
  Status remove();
  [[nodiscard]] std::string path(std::string_view suffix) const;

 private:
  Segment(Env& env, std::string folder, Offset base_offset, std::unique_ptr<File> file, int64_t now_ms);
  Status load_indexes();
  Status check_seal();
  void load_stored();
  void save_damage();
  void apply_listed();
  Status write_index(std::string_view suffix, const Bytes& content);
  [[nodiscard]] Bytes current_seal();
  Status save_seal(const Bytes& seal);
  void keep_lost(const std::vector<DamagedRange>& known);
  Status rebuild_indexes();
  // The header of the batch that ends with `offset`; data_loss when the index leads to none.
  Result<wire::BatchHeader> header_ending_at(Offset offset) const;
  Status check_against_log() const;
  Status cut_unfinished(uint64_t begin);
  void index(const wire::BatchHeader& header, uint64_t position, int64_t index_interval_bytes);
  Status scan_tail(int64_t index_interval_bytes);

  Env* env_;
  std::string folder_;
  Offset base_offset_;
  std::unique_ptr<File> file_;
  int64_t created_ms_;
  Offset next_offset_;
  uint64_t size_ = 0;
  int64_t max_timestamp_ = -1;
  Offset max_timestamp_offset_ = kNoOffset;
  int64_t first_timestamp_ = -1;
  uint64_t bytes_since_index_ = 0;
  uint64_t cut_bytes_ = 0;
  std::atomic<bool> sealed_ = false;  // sync() looks at it without the partition's lock
  // Not in memory for a sealed segment that nobody has read yet.
  bool indexes_loaded_ = true;
  bool indexes_from_file_ = false;
  OffsetIndex offset_index_;
  TimeIndex time_index_;
  std::vector<AbortedTxn> aborted_;
  std::vector<DamagedRange> damaged_;
  DamageList listed_;  // but for the ranges: what has been found of transactions
  TxnEvidence evidence_;
  std::optional<SegmentSeal> stored_seal_;  // as it was found
  // Of the seal's file: a sync, which does not hold the partition's lock, must not write it behind remove().
  std::mutex seal_mutex_;
  Bytes seal_;        // what the next sync writes
  Bytes seal_saved_;  // what stands there
  bool removed_ = false;
};

// Recovers arbitrary bytes as the file of a segment, and checks that what is left opens, and that compaction keeps its
// records. Returns 1 when a batch was left.
int fuzz_segment(BytesView input);

}  // namespace muir::storage
