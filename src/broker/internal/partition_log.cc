#include "broker/internal/partition_log.h"

#include <algorithm>

#include "base/log.h"
#include "wire/block_stream.h"

namespace muir::broker {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;
// A batch that expands to more is read piece by piece. The coordinators write none, but a client's tools might.
constexpr size_t kUnpackedMax = size_t{4} << 20;
// A record that is larger is none of a coordinator's.
constexpr size_t kRecordMax = size_t{64} << 20;

// The records of a compressed batch as batches without compression, each of about kReadBytes.
class Pieces {
 public:
  explicit Pieces(const wire::BatchView& batch) : header_(batch.bytes().substr(0, wire::kBatchHeaderBytes)) {
    stream_.open(batch.header().compression(), batch.payload());
  }

  // Empty at the end.
  Result<Bytes> next() {
    for (;;) {
      size_t whole = 0;
      int32_t records = 0;
      size_t wanted = kReadBytes;
      while (whole < unpacked_.size()) {
        ByteReader reader(BytesView(unpacked_).substr(whole));
        const int32_t length = reader.varint();
        const bool known = reader.ok();
        if (known && (length < 0 || static_cast<size_t>(length) > kRecordMax))
          return error(Code::resource_exhausted, "a record of {} bytes", length);
        const size_t end = unpacked_.size() - reader.remaining() + (known ? static_cast<size_t>(length) : 0);
        if (!known || end > unpacked_.size()) {
          wanted = std::max(wanted, known ? end - unpacked_.size() : size_t{0});
          break;
        }
        whole = end;
        ++records;
      }
      if (records > 0) return take(whole, records);
      const size_t had = unpacked_.size();
      unpacked_.resize(had + wanted);
      const size_t got = MUIR_TRY(stream_.read(unpacked_.data() + had, wanted));
      unpacked_.resize(had + got);
      if (got == 0 && had > 0) return error(Code::data_loss, "truncated record");
      if (got == 0) return Bytes();
    }
  }

 private:
  Bytes take(size_t bytes, int32_t records) {
    constexpr size_t kRecordCountAt = wire::kBatchHeaderBytes - sizeof(int32_t);
    Bytes out = header_.substr(0, kRecordCountAt);
    ByteWriter(out).i32(records);
    out.append(unpacked_, 0, bytes);
    unpacked_.erase(0, bytes);
    wire::finish_payload(out, wire::Compression::none);
    return out;
  }

  const Bytes header_;
  wire::BlockStream stream_;
  Bytes unpacked_;
};

Status visit_records(wire::RecordIterator& records, PartitionId partition, const wire::BatchHeader& header,
                     const RecordVisitor& visit) {
  wire::Record record;
  while (records.next(record)) MUIR_RETURN_IF_ERROR(visit(partition, header, record));
  return records.status();
}

Status visit_in_pieces(PartitionId partition, const wire::BatchView& batch, const RecordVisitor& visit) {
  Pieces pieces(batch);
  wire::RecordIterator records;
  for (;;) {
    const auto piece = pieces.next();
    if (!piece.ok()) {
      // Nobody but its writer lacks the rest.
      log::error("batch at offset {} of a coordinator's partition {}: the rest of its records is left out: {}",
                 batch.header().base_offset, partition, piece.status().message());
      return {};
    }
    if (piece->empty()) return {};
    MUIR_RETURN_IF_ERROR(records.reset(MUIR_TRY(wire::BatchView::parse(*piece))));
    MUIR_RETURN_IF_ERROR(visit_records(records, partition, batch.header(), visit));
  }
}

}  // namespace

Status read_partition(PartitionLog& log, const std::string& topic, PartitionId partition, const RecordVisitor& visit) {
  Offset offset = MUIR_TRY(log.log_start_offset(topic, partition));
  wire::RecordIterator records;
  while (true) {
    const Bytes bytes = MUIR_TRY(log.read(topic, partition, offset, kReadBytes));
    wire::BatchReader batches(bytes);
    bool progress = false;
    while (const auto batch = MUIR_TRY(batches.next())) {
      if (batch->header().next_offset() <= offset) continue;
      offset = batch->header().next_offset();
      progress = true;
      const Status unpacked = records.reset(*batch, kUnpackedMax);
      if (unpacked.code() == Code::resource_exhausted) {
        MUIR_RETURN_IF_ERROR(visit_in_pieces(partition, *batch, visit));
        continue;
      }
      MUIR_RETURN_IF_ERROR(unpacked);
      MUIR_RETURN_IF_ERROR(visit_records(records, partition, batch->header(), visit));
    }
    if (!progress) return {};
  }
}

Status read_topic(PartitionLog& log, const std::string& topic, const RecordVisitor& visit) {
  const int32_t partitions = log.partition_count(topic);
  for (int32_t i = 0; i < partitions; ++i) {
    MUIR_RETURN_IF_ERROR(read_partition(log, topic, PartitionId(i), visit).annotate("load " + topic));
  }
  return {};
}

}  // namespace muir::broker
