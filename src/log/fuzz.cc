// Fuzz entry of segment files. Arbitrary bytes hardly ever have the right checksums, so these are put right first: what
// is behind them is what has to be tried.
#include "base/check.h"
#include "base/cursor.h"
#include "base/file_fault.h"
#include "log/file_names.h"
#include "log/internal/compacted_batch.h"
#include "log/internal/segment.h"
#include "wire/crc32c.h"

namespace muir::storage {
namespace {

constexpr int64_t kIndexIntervalBytes = 100;
constexpr size_t kDecompressedMax = size_t{1} << 20;
const std::string kFolder = "/fuzz";

// The batches of `bytes`, as their lengths say, each with the checksum of its bytes.
Bytes with_right_checksums(BytesView bytes) {
  constexpr size_t kCrcAt = 17;
  constexpr size_t kCrcEnd = 21;
  Bytes out(bytes);
  for (size_t at = 0; at + wire::kBatchHeaderBytes <= out.size();) {
    const auto size = wire::batch_size_bytes(BytesView(out).substr(at));
    if (!size.ok() || *size > out.size() - at) break;
    ByteWriter(out).patch_be(at + kCrcAt, wire::crc32c(BytesView(out).substr(at + kCrcEnd, *size - kCrcEnd)));
    at += *size;
  }
  return out;
}

// Every record of the batch, as compaction writes them again, must be as before.
void check_compaction(const wire::BatchView& batch) {
  wire::RecordIterator records;
  if (!records.reset(batch, kDecompressedMax).ok()) return;
  std::vector<wire::Record> kept;
  wire::Record record;
  while (records.next(record)) kept.push_back(record);
  if (!records.status().ok()) return;
  for (const std::optional<int64_t> delete_horizon_ms : {std::optional<int64_t>(), std::optional<int64_t>(7)}) {
    Bytes rewritten;
    CHECK(append_compacted_batch(batch.header(), kept, delete_horizon_ms, rewritten).ok(),
          "a batch cannot be compacted");
    const auto again = wire::BatchView::parse(rewritten);
    CHECK(again.ok() && again->check_crc().ok(), "compaction wrote a damaged batch: {}", hex(rewritten));
    wire::RecordIterator after;
    CHECK(after.reset(*again, kDecompressedMax).ok(), "compaction wrote a damaged block: {}", hex(rewritten));
    for (const wire::Record& before : kept) {
      CHECK(after.next(record) && record.offset == before.offset && record.key == before.key &&
                record.value == before.value && record.timestamp == before.timestamp,
            "compaction changed a record: {}", hex(batch.bytes()));
    }
    CHECK(!after.next(record) && after.status().ok(), "compaction added something: {}", hex(rewritten));
  }
}

}  // namespace

int fuzz_segment(BytesView input) {
  FaultEnv env;
  CHECK(env.make_folders(kFolder).ok());
  const std::string path = kFolder + "/" + segment_file({}, kLogSuffix);
  const Bytes bytes = with_right_checksums(input);
  CHECK(env.write_file(path, bytes).ok());
  Segment::Recovery how;
  how.index_interval_bytes = kIndexIntervalBytes;
  const auto recovered = Segment::recover(env, kFolder, {}, how);
  CHECK(recovered.ok(), "recovery failed: {}", recovered.status().to_string());
  CHECK((*recovered)->size_bytes() + (*recovered)->cut_bytes() == bytes.size(), "recovery lost count of its bytes");
  const auto again = Segment::recover(env, kFolder, {}, how);
  CHECK(again.ok() && (*again)->cut_bytes() == 0 && (*again)->next_offset() == (*recovered)->next_offset() &&
            (*again)->damaged() == (*recovered)->damaged(),
        "a recovered segment is not whole");
  const auto damaged = (*again)->damaged();
  (*again)->forget_damage();
  CHECK((*again)->add_damage(damaged) == damaged);
  CHECK((*again)->seal().ok() && (*again)->sync().ok());
  const auto next = (*again)->next_offset();
  for (const bool sealed : {true, false}) {
    const auto opened =
        Segment::open(env, kFolder, {}, sealed ? std::optional(next) : std::nullopt, kIndexIntervalBytes, 0);
    // The newest is trusted only when its end is whole.
    if (!opened.ok() && !sealed && !(*again)->damaged().empty()) continue;
    CHECK(opened.ok() && (*opened)->next_offset() == next, "a recovered segment does not open: {}", hex(bytes));
  }
  wire::BatchReader batches(BytesView(bytes).substr(
      0, (*recovered)->damaged().empty() ? (*recovered)->size_bytes() : (*recovered)->damaged().front().begin));
  int count = 0;
  for (auto batch = batches.next(); batch.ok() && batch->has_value(); batch = batches.next()) {
    check_compaction(**batch);
    ++count;
  }
  return count > 0 ? 1 : 0;
}

}  // namespace muir::storage
