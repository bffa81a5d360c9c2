// The fuzz entry point of every decoder of this module.
#include <algorithm>

#include "base/check.h"
#include "wire/batch_builder.h"
#include "wire/message_table.h"
#include "wire/record_batch.h"

namespace muir::wire {
namespace {

// Enough for any honest test input, little enough that a bomb shows as an error.
constexpr size_t kFuzzDecompressedMax = size_t{1} << 20;

void fuzz_batches(BytesView bytes) {
  BatchReader batches(bytes);
  RecordIterator records;
  RecordIterator scratch;
  while (true) {
    auto batch = batches.next();
    if (!batch.ok() || !batch->has_value()) return;
    (void)(*batch)->check_crc();
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
    (void)validate_produced_batch(**batch, scratch);
  }
}

void fuzz_message(const MessageInfo& message, int16_t version, BytesView bytes) {
  ByteReader reader(bytes);
  Bytes once;
  if (!message.recode(reader, version, once).ok()) return;
  ByteReader again(once);
  Bytes twice;
  const Status status = message.recode(again, version, twice);
  CHECK(status.ok(), "{} v{} does not decode what it encoded: {}", message.name, version, status.message());
  CHECK(once == twice && again.remaining() == 0, "{} v{} encodes to something else each time", message.name, version);
}

}  // namespace

int fuzz_wire(BytesView bytes) {
  if (bytes.size() < 2) return 0;
  const auto table = message_table();
  const size_t choice = static_cast<uint8_t>(bytes[0]);
  const size_t version = static_cast<uint8_t>(bytes[1]);
  bytes.remove_prefix(2);
  if (choice >= table.size()) {
    fuzz_batches(bytes);
    return 0;
  }
  const MessageInfo& message = table[choice];
  const size_t versions = static_cast<size_t>(message.version_max - message.version_min) + 1;
  fuzz_message(message, static_cast<int16_t>(message.version_min + static_cast<int>(version % versions)), bytes);
  return 0;
}

}  // namespace muir::wire
