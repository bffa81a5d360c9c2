#include "streams/nodes/held_records.h"

#include <algorithm>

#include "base/check.h"
#include "base/cursor.h"

namespace muir::streams::internal {
namespace {

constexpr uint8_t kByTime = 0;  // before the keys of Kafka Streams' stores that are ordered by time
constexpr size_t kAround = 1 + 8 + 4;

}  // namespace

void append_held_key(const HeldKey& key, Bytes& out) {
  ByteWriter writer(out);
  writer.u8(kByTime);
  writer.i64(key.timestamp_ms);
  writer.bytes(key.key);
  writer.i32(key.sequence);
}

Result<HeldKey> parse_held_key(BytesView bytes) {
  if (bytes.size() < kAround) return error(Code::data_loss, "held record: a key of {} bytes", bytes.size());
  ByteReader reader(bytes);
  const uint8_t kind = reader.u8();
  HeldKey out;
  out.timestamp_ms = reader.i64();
  out.key = reader.bytes(bytes.size() - kAround);
  out.sequence = reader.i32();
  if (kind != kByTime || out.timestamp_ms < 0 || out.sequence < 0)
    return error(Code::data_loss, "held record: {} bytes that are no key", bytes.size());
  return out;
}

int fuzz_held_key(BytesView bytes) {
  const auto key = parse_held_key(bytes);
  if (!key.ok()) return 0;
  Bytes again;
  append_held_key(*key, again);
  MUIR_CHECK(again == bytes, "key {} does not survive its round trip", hex(bytes));
  return 1;
}

Status HeldRecords::load() {
  const auto rows = MUIR_TRY(store_->all());
  while (rows->next()) {
    const HeldKey key = MUIR_TRY(parse_held_key(rows->key()));
    observed_ms_ = std::max(observed_ms_, key.timestamp_ms);
    oldest_ms_ = std::min(oldest_ms_, key.timestamp_ms);
    sequence_ = std::max(sequence_, key.sequence);
  }
  return rows->status();
}

Result<bool> HeldRecords::hold(BytesView key, BytesView value, int64_t timestamp_ms, int64_t now_ms) {
  if (observed_ms_ - grace_ms_ > timestamp_ms) return false;
  observed_ms_ = std::max(observed_ms_, timestamp_ms);
  oldest_ms_ = std::min(oldest_ms_, timestamp_ms);
  sequence_ = (sequence_ + 1) & INT32_MAX;
  key_.clear();
  append_held_key({timestamp_ms, key, sequence_}, key_);
  MUIR_RETURN_IF_ERROR(store_->put(key_, value, now_ms));
  return true;
}

Status HeldRecords::release(const Tell& tell, int64_t now_ms) {
  const int64_t until_ms = observed_ms_ - grace_ms_;
  if (oldest_ms_ > until_ms) return {};
  Bytes end;
  ByteWriter(end).u8(kByTime);
  ByteWriter(end).i64(until_ms + 1);  // no record's whole key
  const auto rows = MUIR_TRY(store_->range(std::nullopt, end));
  while (rows->next()) {
    const HeldKey key = MUIR_TRY(parse_held_key(rows->key()));
    MUIR_RETURN_IF_ERROR(tell(key.key, rows->value()));
    MUIR_RETURN_IF_ERROR(store_->put(rows->key(), std::nullopt, now_ms));
  }
  MUIR_RETURN_IF_ERROR(rows->status());
  oldest_ms_ = until_ms + 1;
  return {};
}

}  // namespace muir::streams::internal
