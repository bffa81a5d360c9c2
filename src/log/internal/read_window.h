// ReadWindow: which bytes of a piece of a segment a reader gets.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "log/internal/checkpoint.h"

namespace muir::storage {

struct WindowRequest {
  Offset offset;  // the first that is wanted
  Offset bound;   // nothing at or above it is shown
  size_t bytes_max = 0;
  bool at_least_one = true;  // the first batch may be larger than bytes_max
  uint64_t position = 0;     // of the piece in the file; a batch starts there
  uint64_t file_end = 0;
  Offset expected = kNoOffset;  // where the batch at `position` begins, or a later one after a gap; if known
  Offset segment_end;           // no batch reaches beyond
  // The batch before `position`, when only its header has been looked at.
  std::optional<uint64_t> unverified;
  // A batch at this byte of the file has been looked at closely, and is whole.
  std::optional<uint64_t> approved;
  // The epochs of the batches, which no checksum covers; null: as they stand in the file.
  const EpochEntries* epochs = nullptr;
};

struct ReadWindow {
  size_t begin = 0;
  size_t end = 0;  // begin == end: nothing here
  // Set when so many bytes from `begin` on are needed to know the first wanted batch.
  size_t first_batch_bytes = 0;
  bool behind = false;     // every batch here is below the wanted offset; `end` is behind them
  bool too_large = false;  // the first wanted batch is larger than the limit
  // Byte of the file where no whole batch was found, or one that must be looked at closely.
  std::optional<uint64_t> suspect;
  // For the next piece: as in the request.
  Offset expected = kNoOffset;
  std::optional<uint64_t> unverified;
  Offset next_offset;      // behind the last batch shown
  uint64_t records = 0;    // of the batches shown, as they say
  bool corrected = false;  // what is shown is not what stands in the file
};

// The whole batches in the `size` bytes at `piece` that hold wanted offsets. Every batch that is shown has been
// checked: its checksum, and that its offsets follow those before it. Corrects leader epochs in place.
ReadWindow cut_window(char* piece, size_t size, const WindowRequest& request);

}  // namespace muir::storage
