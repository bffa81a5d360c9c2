// Bytes of a log that could not be read as batches, kept for a person to look at when they must leave their segment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/kafka_ids.h"
#include "log/internal/segment_scan.h"

namespace muir::storage {

// Copies the bytes from `begin` to `end` of `file` into a new file of `folder`: <offset>.quarantine, or
// <offset>.2.quarantine and so on while the name is taken. Durable on return.
Status keep_aside(Env& env, const std::string& folder, Offset offset, const File& file, uint64_t begin, uint64_t end);

// What compaction has taken out of a log because it could not be read. It is lost for as long as its file lies there:
// removing the file says that somebody has seen to it.
struct Quarantined {
  std::string path;
  Offset first_offset;
  Offset next_offset;
  uint64_t bytes = 0;
};

// The same for a range that leaves the log for good: <first offset>-<next offset>.quarantine, without bytes when none
// are left. A copy of the range that an interrupted compaction has made already is taken over.
Result<Quarantined> keep_range_aside(Env& env, const std::string& folder, const File& file, const DamagedRange& range);

// The files of keep_range_aside() in `folder`.
Result<std::vector<Quarantined>> find_quarantined(Env& env, const std::string& folder);

// A name in `folder` that no file has yet, made from `stem` and `suffix`.
std::string free_name(Env& env, const std::string& folder, const std::string& stem, std::string_view suffix);

}  // namespace muir::storage
