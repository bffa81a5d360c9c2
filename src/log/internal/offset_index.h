// The sparse indexes of one segment: offset -> file position, and timestamp -> offset.
//
// Both are kept in memory while in use and written to their files when the segment is sealed or closed; entries are
// Apache Kafka's: 8 bytes {int32 offset - base, int32 position} and 12 bytes {int64 timestamp, int32 offset - base}.
// Owned by their segment, which guards them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "base/status.h"

namespace muir::storage {

class OffsetIndex {
 public:
  struct Entry {
    uint32_t relative_offset;
    uint32_t position;
    bool operator==(const Entry&) const = default;
  };

  explicit OffsetIndex(Offset base_offset = {}) : base_offset_(base_offset) {}
  // `offset` and `position` ascend from call to call.
  void append(Offset offset, uint32_t position);
  // The last entry at or below `offset`.
  [[nodiscard]] std::optional<Entry> floor_entry(Offset offset) const;
  // Position from which a scan finds `offset`: that of the last entry at or below it, else 0.
  [[nodiscard]] uint32_t floor_position(Offset offset) const;
  // Position of the first entry above `offset`; nullopt when there is none.
  [[nodiscard]] std::optional<uint32_t> ceiling_position(Offset offset) const;
  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

  [[nodiscard]] Bytes encode() const;
  // Refuses entries that do not ascend or point behind `log_bytes`.
  static Result<OffsetIndex> decode(Offset base_offset, BytesView bytes, uint64_t log_bytes);

 private:
  Offset base_offset_;
  std::vector<Entry> entries_;
};

class TimeIndex {
 public:
  struct Entry {
    int64_t timestamp;
    uint32_t relative_offset;
    bool operator==(const Entry&) const = default;
  };

  explicit TimeIndex(Offset base_offset = {}) : base_offset_(base_offset) {}
  // Remembers that the largest timestamp so far is that of the batch ending at `offset`; ignored unless it is larger
  // than the last entry's.
  void append(int64_t timestamp, Offset offset);
  // The last entry below `timestamp`.
  [[nodiscard]] std::optional<Entry> floor_entry(int64_t timestamp) const;
  // Offset from which a scan finds the first record with a timestamp of at least `timestamp`.
  [[nodiscard]] Offset floor_offset(int64_t timestamp) const;
  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

  [[nodiscard]] Bytes encode() const;
  static Result<TimeIndex> decode(Offset base_offset, BytesView bytes);

 private:
  Offset base_offset_;
  std::vector<Entry> entries_;
};

// Takes any bytes; what decodes must survive being written. Returns 1 for what decodes.
int fuzz_indexes(BytesView input);

}  // namespace muir::storage
