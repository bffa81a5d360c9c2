#include "streams/nodes/cached_context.h"

#include "base/cursor.h"

namespace muir::streams::internal {
namespace {

void append_text(ByteWriter& writer, BytesView text) {
  writer.uvarint(static_cast<uint32_t>(text.size()));
  writer.bytes(text);
}
BytesView read_text(ByteReader& reader) {
  const uint32_t size = reader.uvarint();
  return reader.bytes(size);
}

}  // namespace

// Whether there is a record; its topic, partition and offset; the number of headers, each a name, whether it has a
// value, and the value.
void append_cached_context(const TaskContext& task, Bytes& out) {
  ByteWriter writer(out);
  writer.i8(task.record != nullptr ? 1 : 0);
  if (task.record != nullptr) {
    append_text(writer, task.record_topic);
    writer.varint(task.record_partition.value());
    writer.varlong(task.record->offset.value());
  }
  writer.uvarint(static_cast<uint32_t>(task.row_headers.size()));
  for (const auto& header : task.row_headers) {
    append_text(writer, header.name);
    writer.i8(header.value ? 1 : 0);
    if (header.value) append_text(writer, *header.value);
  }
}

Result<CachedContext> parse_cached_context(BytesView bytes) {
  ByteReader reader(bytes);
  CachedContext out;
  if (reader.i8() != 0) {
    out.topic = read_text(reader);
    out.partition = PartitionId(reader.varint());
    out.offset = Offset(reader.varlong());
  }
  for (uint32_t more = reader.uvarint(); more > 0 && reader.ok(); --more) {
    client::Header header{.name = read_text(reader)};
    if (reader.i8() != 0) header.value = read_text(reader);
    out.headers.push_back(header);
  }
  if (!reader.ok()) return error(Code::data_loss, "record cache: context of {} bytes ends too early", bytes.size());
  return out;
}

ResumedRecord::ResumedRecord(TaskContext& task, const CachedContext& context, int64_t timestamp_ms)
    : task_(task),
      outer_record_(task.record),
      outer_topic_(task.record_topic),
      outer_partition_(task.record_partition) {
  task.record = nullptr;
  task.record_topic = context.topic;
  task.record_partition = context.partition;
  if (!context.offset) return;
  // Key and value of the source record are gone.
  record_.offset = *context.offset;
  record_.timestamp_ms = timestamp_ms;
  record_.headers = context.headers;
  task.record = &record_;
}

ResumedRecord::~ResumedRecord() {
  task_.record = outer_record_;
  task_.record_topic = outer_topic_;
  task_.record_partition = outer_partition_;
}

}  // namespace muir::streams::internal
