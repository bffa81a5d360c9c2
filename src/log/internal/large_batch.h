// LargeBatch: compaction of a batch that expands to more than should be in memory. It is read twice: to decide which of
// its records stay, and to write these.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "wire/record_stream.h"

namespace muir::storage {

// Borrows the batch and the stream. Owned by one thread.
class LargeBatch {
 public:
  LargeBatch(const wire::BatchView& batch, wire::RecordStream& records, size_t key_bytes_max)
      : batch_(batch), records_(records), key_bytes_max_(key_bytes_max) {}

  // Asks `keep` of every record. A failure is damage, or resource_exhausted for a key that is too long.
  Status decide(const std::function<bool(const wire::RecordStream::Head&)>& keep);
  [[nodiscard]] int32_t seen() const { return static_cast<int32_t>(kept_.size()); }
  [[nodiscard]] int32_t kept() const { return kept_count_; }
  [[nodiscard]] bool keeps_tombstones() const { return tombstones_; }
  // Appends the batch with what is kept to `out`, as append_compacted_batch() does.
  Status append(std::optional<int64_t> delete_horizon_ms, Bytes& out);

 private:
  const wire::BatchView batch_;
  wire::RecordStream& records_;
  const size_t key_bytes_max_;
  std::vector<bool> kept_;
  int32_t kept_count_ = 0;
  bool tombstones_ = false;
  int64_t first_timestamp_ = -1;  // of those that are kept
  int64_t max_timestamp_ = -1;
};

}  // namespace muir::storage
