#include "log/internal/large_batch.h"

#include <algorithm>

#include "base/cursor.h"
#include "log/internal/compacted_batch.h"
#include "wire/block_writer.h"

namespace muir::storage {

Status LargeBatch::decide(const std::function<bool(const wire::RecordStream::Head&)>& keep) {
  records_.reset(batch_, key_bytes_max_);
  wire::RecordStream::Head head;
  while (records_.next(head)) {
    kept_.push_back(keep(head));
    if (!kept_.back()) continue;
    if (kept_count_ == 0) first_timestamp_ = head.timestamp;
    ++kept_count_;
    max_timestamp_ = std::max(max_timestamp_, head.timestamp);
    tombstones_ = tombstones_ || !head.has_value;
  }
  return records_.status();
}

Status LargeBatch::append(std::optional<int64_t> delete_horizon_ms, Bytes& out) {
  const auto& header = batch_.header();
  CompactedHeader wanted;
  wanted.records = kept_count_;
  wanted.base_timestamp = delete_horizon_ms.value_or(first_timestamp_);
  wanted.max_timestamp = header.log_append_time() ? header.max_timestamp : max_timestamp_;
  wanted.has_delete_horizon = delete_horizon_ms.has_value();
  const size_t start = begin_compacted_batch(header, wanted, out);
  const bool compressed = header.compression() != wire::Compression::none;
  std::unique_ptr<wire::BlockWriter> writer;
  if (compressed) writer = MUIR_TRY(wire::BlockWriter::make(header.compression()));
  const std::function<Status(BytesView)> write = [&](BytesView piece) -> Status {
    if (compressed) return writer->write(piece, out);
    out += piece;
    return {};
  };
  records_.reset(batch_, key_bytes_max_);
  wire::RecordStream::Head head;
  Bytes front;
  Bytes numbers;
  for (size_t i = 0; records_.next(head); ++i) {
    if (i >= kept_.size() || !kept_[i]) continue;
    numbers.clear();
    front.clear();
    ByteWriter(numbers).i8(0);
    ByteWriter(numbers).varlong(timestamp_delta(head.timestamp, wanted.base_timestamp));
    ByteWriter(front).varint(static_cast<int32_t>(numbers.size() + head.rest_bytes));
    MUIR_RETURN_IF_ERROR(write(front += numbers));
    MUIR_RETURN_IF_ERROR(records_.copy_rest(write));
  }
  MUIR_RETURN_IF_ERROR(records_.status());
  if (compressed) MUIR_RETURN_IF_ERROR(writer->finish(out));
  end_compacted_batch(start, out);
  return {};
}

}  // namespace muir::storage
