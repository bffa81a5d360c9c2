// The fuzz entry points of this module: every message, and record batches with their compression.
#include <algorithm>

#include "base/check.h"
#include "wire/batch_builder.h"
#include "wire/message_table.h"
#include "wire/record_walk.h"

namespace muir::wire {
namespace {

// Enough for any honest test input, little enough that a bomb shows as an error.
constexpr size_t kFuzzDecompressedMax = size_t{1} << 20;

// Whether it decoded.
bool recode_twice(const MessageInfo& message, int16_t version, BytesView bytes) {
  ByteReader reader(bytes);
  Bytes once;
  if (!message.recode(reader, version, once).ok()) return false;
  ByteReader again(once);
  Bytes twice;
  const Status status = message.recode(again, version, twice);
  CHECK(status.ok(), "{} v{} does not decode what it encoded: {}", message.name, version, status.message());
  CHECK(once == twice && again.remaining() == 0, "{} v{} encodes to something else each time", message.name, version);
  return true;
}

}  // namespace

int fuzz_message(BytesView bytes) {
  if (bytes.size() < 2) return 0;
  const auto table = message_table();
  const MessageInfo& message = table[static_cast<uint8_t>(bytes[0]) % table.size()];
  const int versions = message.version_max - message.version_min + 1;
  const int version = message.version_min + static_cast<uint8_t>(bytes[1]) % versions;
  return recode_twice(message, static_cast<int16_t>(version), bytes.substr(2)) ? 1 : 0;
}

int fuzz_batches(BytesView bytes) {
  BatchReader batches(bytes);
  RecordIterator records;
  RecordWalk scratch;
  int whole = 0;
  for (auto batch = batches.next(); batch.ok() && batch->has_value(); batch = batches.next()) {
    (void)(*batch)->check_crc();
    (void)validate_produced_batch(**batch, scratch);
    if (!records.reset(**batch, kFuzzDecompressedMax).ok()) continue;
    Record record;
    while (records.next(record)) {
      RecordHeaderView header;
      RecordHeaders headers(record);
      int32_t seen = 0;
      while (headers.next(header)) ++seen;
      CHECK(seen == record.header_count, "{} headers of {}", seen, record.header_count);
      (void)parse_control_record(record);
    }
    if (records.status().ok()) whole = 1;
  }
  return whole;
}

}  // namespace muir::wire
