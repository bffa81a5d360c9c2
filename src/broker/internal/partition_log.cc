#include "broker/internal/partition_log.h"

namespace muir::broker {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;

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
      MUIR_RETURN_IF_ERROR(records.reset(*batch));
      wire::Record record;
      while (records.next(record)) MUIR_RETURN_IF_ERROR(visit(partition, batch->header(), record));
      MUIR_RETURN_IF_ERROR(records.status());
    }
    if (!progress) return {};
  }
}

}  // namespace

Status read_topic(PartitionLog& log, const std::string& topic, const RecordVisitor& visit) {
  const int32_t partitions = log.partition_count(topic);
  for (int32_t i = 0; i < partitions; ++i) {
    MUIR_RETURN_IF_ERROR(read_partition(log, topic, PartitionId(i), visit).annotate("load " + topic));
  }
  return {};
}

}  // namespace muir::broker
