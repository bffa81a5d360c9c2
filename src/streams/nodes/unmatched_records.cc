#include "streams/nodes/unmatched_records.h"

#include <algorithm>

#include "base/check.h"
#include "base/cursor.h"

namespace muir::streams::internal {
namespace {

constexpr size_t kPrefixBytes = 9;        // time and side
constexpr char kVariableSize = 1;         // ListSerializer's strategy: each element with its size
constexpr size_t kListHeadBytes = 1 + 4;  // strategy and count
constexpr size_t kCountAt = 1;

}  // namespace

void append_unmatched_key(const UnmatchedKey& key, Bytes& out) {
  ByteWriter writer(out);
  writer.i64(key.timestamp_ms);
  writer.i8(key.left ? 1 : 0);
  writer.bytes(key.key);
}

Result<UnmatchedKey> parse_unmatched_key(BytesView bytes) {
  ByteReader reader(bytes);
  UnmatchedKey out;
  out.timestamp_ms = reader.i64();
  const int8_t side = reader.i8();
  if (!reader.ok() || (side != 0 && side != 1))
    return error(Code::data_loss, "key of a record without partner: {} bytes, side {}", bytes.size(), side);
  out.left = side == 1;
  out.key = bytes.substr(kPrefixBytes);
  return out;
}

void append_unmatched_value(bool left, BytesView value, Bytes& list) {
  ByteWriter writer(list);
  if (list.empty()) {
    writer.i8(kVariableSize);
    writer.i32(0);
  }
  writer.i32(static_cast<int32_t>(1 + value.size()));
  writer.i8(left ? 1 : 0);
  writer.bytes(value);
  ByteReader count(BytesView(list).substr(kCountAt));
  writer.patch_be(kCountAt, count.i32() + 1);
}

Result<std::vector<BytesView>> parse_unmatched_values(BytesView list) {
  const auto wrong = [&] {
    return error(Code::data_loss, "list of records without partner: {} bytes that are none", list.size());
  };
  ByteReader reader(list);
  const int8_t strategy = reader.i8();
  const int32_t count = reader.i32();
  if (!reader.ok() || strategy != kVariableSize || count < 0) return wrong();
  std::vector<BytesView> out;
  out.reserve(std::min<size_t>(static_cast<size_t>(count), list.size() / kListHeadBytes));
  for (int32_t i = 0; i < count; ++i) {
    const int32_t size = reader.i32();
    if (!reader.ok() || size < 1 || static_cast<size_t>(size) > reader.remaining()) return wrong();
    const int8_t side = reader.i8();
    if (side != 0 && side != 1) return wrong();
    out.push_back(reader.bytes(static_cast<size_t>(size) - 1));
  }
  if (reader.remaining() > 0) return wrong();
  return out;
}

int fuzz_unmatched_record(BytesView bytes) {
  const auto key = parse_unmatched_key(bytes);
  if (key.ok()) {
    Bytes again;
    append_unmatched_key(*key, again);
    CHECK(again == bytes, "a key does not survive: {}", hex(bytes));
  }
  const auto values = parse_unmatched_values(bytes);
  if (values.ok() && !values->empty()) {
    Bytes again;
    for (const BytesView value : *values) append_unmatched_value(*(value.data() - 1) == 1, value, again);
    CHECK(again == bytes, "a list does not survive: {}", hex(bytes));
  }
  return key.ok() || values.ok() ? 1 : 0;
}

Status UnmatchedRecords::add(const UnmatchedKey& key, BytesView value, int64_t now_ms) {
  key_.clear();
  append_unmatched_key(key, key_);
  const bool found = MUIR_TRY(store_->get(key_, row_));
  list_ = found ? std::move(row_.value) : Bytes();
  append_unmatched_value(key.left, value, list_);
  oldest_ms_ = std::min(oldest_ms_, key.timestamp_ms);
  return store_->put(key_, list_, now_ms);
}

// Read before it is deleted, so that what was never kept leaves nothing in the changelog.
Status UnmatchedRecords::matched(const UnmatchedKey& key, int64_t now_ms) {
  key_.clear();
  append_unmatched_key(key, key_);
  const bool found = MUIR_TRY(store_->get(key_, row_));
  return found ? store_->put(key_, std::nullopt, now_ms) : Status();
}

Status UnmatchedRecords::expire(const Closed& closed, const Tell& tell, int64_t now_ms) {
  oldest_ms_ = std::numeric_limits<int64_t>::max();
  bool left_open = false;
  bool right_open = false;
  const auto rows = MUIR_TRY(store_->range(std::nullopt, std::nullopt));
  while (rows->next()) {
    const UnmatchedKey key = MUIR_TRY(parse_unmatched_key(rows->key()));
    oldest_ms_ = key.timestamp_ms;
    // Later ones of a side are open when one is; the sides wait for different times.
    if (left_open && right_open) break;
    if (!closed(key)) {
      (key.left ? left_open : right_open) = true;
      continue;
    }
    for (const BytesView value : MUIR_TRY(parse_unmatched_values(rows->value()))) {
      MUIR_RETURN_IF_ERROR(tell(key, value));
    }
    MUIR_RETURN_IF_ERROR(store_->put(rows->key(), std::nullopt, now_ms));
  }
  return rows->status();
}

}  // namespace muir::streams::internal
