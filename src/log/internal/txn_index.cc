#include "log/internal/txn_index.h"

#include "base/cursor.h"

namespace muir::storage {
namespace {
constexpr size_t kEntryBytes = 34;
constexpr int16_t kVersion = 0;
}  // namespace

Bytes encode_txn_index(const std::vector<AbortedTxn>& aborted) {
  Bytes out;
  ByteWriter writer(out);
  for (const AbortedTxn& txn : aborted) {
    writer.i16(kVersion);
    writer.i64(txn.producer_id.value());
    writer.i64(txn.first_offset.value());
    writer.i64(txn.last_offset.value());
    writer.i64(txn.last_stable_offset.value());
  }
  return out;
}

Result<std::vector<AbortedTxn>> decode_txn_index(BytesView bytes) {
  if (bytes.size() % kEntryBytes != 0)
    return muir::error(Code::data_loss, "transaction index: {} bytes are not whole entries", bytes.size());
  std::vector<AbortedTxn> out;
  ByteReader reader(bytes);
  while (reader.remaining() > 0) {
    const int16_t version = reader.i16();
    if (version != kVersion)
      return muir::error(Code::data_loss, "transaction index: entry {} has version {}", out.size(), version);
    AbortedTxn txn;
    txn.producer_id = ProducerId(reader.i64());
    txn.first_offset = Offset(reader.i64());
    txn.last_offset = Offset(reader.i64());
    txn.last_stable_offset = Offset(reader.i64());
    out.push_back(txn);
  }
  return out;
}

int fuzz_txn_index(BytesView input) {
  const auto decoded = decode_txn_index(input);
  if (!decoded.ok()) return 0;
  CHECK(encode_txn_index(*decoded) == input, "a transaction index does not survive: {}", hex(input));
  return 1;
}

}  // namespace muir::storage
