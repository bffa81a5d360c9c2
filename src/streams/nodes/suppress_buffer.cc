#include "streams/nodes/suppress_buffer.h"

#include "base/check.h"
#include "base/cursor.h"

namespace muir::streams::internal {
namespace {

constexpr int32_t kNothing = -1;
constexpr int32_t kSameAsPrior = -2;
constexpr uint8_t kForm = 3;
// Kafka Streams 2.4.0 to 2.5.0 called form 3 by this number.
constexpr uint8_t kFormMisnamed = 2;

void append_sized(OptBytesView value, ByteWriter& writer) {
  writer.i32(value ? static_cast<int32_t>(value->size()) : kNothing);
  if (value) writer.bytes(*value);
}

BytesView read_sized(int32_t size, ByteReader& reader) {
  if (size < 0) {
    reader.fail();
    return {};
  }
  return reader.bytes(static_cast<size_t>(size));
}
OptBytesView read_optional(ByteReader& reader) {
  const int32_t size = reader.i32();
  return size == kNothing ? OptBytesView() : OptBytesView(read_sized(size, reader));
}

BufferedContext read_context(ByteReader& reader) {
  BufferedContext out;
  out.timestamp_ms = reader.i64();
  out.offset = reader.i64();
  out.topic = read_sized(reader.i32(), reader);
  out.partition = reader.i32();
  int32_t headers = reader.i32();
  if (headers < kNothing) reader.fail();
  for (; headers > 0 && reader.ok(); --headers) {
    client::Header header{.name = read_sized(reader.i32(), reader)};
    header.value = read_optional(reader);
    out.headers.push_back(header);
  }
  return out;
}

class SuppressSupplier final : public store::StoreSupplier {
 public:
  explicit SuppressSupplier(std::string name) : name_(std::move(name)) {}
  const std::string& name() const override { return name_; }
  bool provides(const store::StoreFacet& facet) const override { return &facet == &SuppressBuffer::kFacet; }
  std::unique_ptr<store::StateStore> make() const override { return std::make_unique<SuppressBuffer>(name_); }

 private:
  const std::string name_;
};

}  // namespace

BufferedContext context_of(const TaskContext& task, const Row& row) {
  BufferedContext out{.timestamp_ms = row.timestamp_ms,
                      .topic = task.record_topic,
                      .partition = task.record_partition.value(),
                      .headers = {row.headers.begin(), row.headers.end()}};
  if (task.record != nullptr) out.offset = task.record->offset.value();
  return out;
}

CachedContext origin_of(const BufferedContext& context) {
  CachedContext out{.topic = context.topic, .partition = PartitionId(context.partition), .headers = context.headers};
  if (context.offset >= 0) out.offset = Offset(context.offset);
  return out;
}

void append_buffered_context(const BufferedContext& context, Bytes& out) {
  ByteWriter writer(out);
  writer.i64(context.timestamp_ms);
  writer.i64(context.offset);
  append_sized(context.topic, writer);
  writer.i32(context.partition);
  writer.i32(static_cast<int32_t>(context.headers.size()));
  for (const auto& header : context.headers) {
    append_sized(header.name, writer);
    append_sized(header.value, writer);
  }
}

Result<BufferedContext> parse_buffered_context(BytesView bytes) {
  ByteReader reader(bytes);
  BufferedContext out = read_context(reader);
  if (!reader.ok() || reader.remaining() > 0)
    return error(Code::data_loss, "held change: a context of {} bytes that is none", bytes.size());
  return out;
}

void append_buffered_change(const BufferedChange& change, int64_t time_ms, Bytes& out) {
  ByteWriter writer(out);
  writer.bytes(change.context);
  append_sized(change.prior, writer);
  if (change.before && change.before == change.prior) {
    writer.i32(kSameAsPrior);
  } else {
    append_sized(change.before, writer);
  }
  append_sized(change.now, writer);
  writer.i64(time_ms);
}

Result<std::pair<BufferedChange, int64_t>> parse_buffered_change(BytesView bytes) {
  ByteReader reader(bytes);
  BufferedChange out;
  (void)read_context(reader);
  out.context = bytes.substr(0, reader.position());
  out.prior = read_optional(reader);
  const int32_t before = reader.i32();
  if (before == kSameAsPrior) {
    out.before = out.prior;
  } else if (before != kNothing) {
    out.before = read_sized(before, reader);
  }
  out.now = read_optional(reader);
  const int64_t time_ms = reader.i64();
  if (!reader.ok() || reader.remaining() > 0)
    return error(Code::data_loss, "held change: {} bytes that are none", bytes.size());
  return std::pair(out, time_ms);
}

int fuzz_buffered_change(BytesView bytes) {
  const auto change = parse_buffered_change(bytes);
  if (!change.ok()) return 0;
  Bytes again;
  append_buffered_change(change->first, change->second, again);
  const auto twice = parse_buffered_change(again);
  MUIR_CHECK(twice.ok() && twice->second == change->second && twice->first.prior == change->first.prior &&
                 twice->first.before == change->first.before && twice->first.now == change->first.now,
             "held change {} does not survive its round trip", hex(bytes));
  if (const auto context = parse_buffered_context(change->first.context); context.ok()) {
    Bytes copy;
    append_buffered_context(*context, copy);
    MUIR_CHECK(parse_buffered_context(copy).ok(), "context of {} does not survive", hex(bytes));
  }
  return 1;
}

// Its time, its key, its values, what its context takes.
size_t SuppressBuffer::size_of(const Bytes& key, const Row& row) {
  constexpr size_t kLengths = 4 + 4;  // of the topic and the headers, which Kafka Streams does not count
  const auto size = [](const OptBytes& value) { return value ? value->size() : 0; };
  size_t lengths = kLengths;
  if (const auto context = parse_buffered_context(row.context); context.ok()) lengths += 8 * context->headers.size();
  return 8 + key.size() + size(row.prior) + (row.before == row.prior ? 0 : size(row.before)) + size(row.now) +
         (row.context.size() < lengths ? 0 : row.context.size() - lengths);
}

void SuppressBuffer::put(BytesView key, int64_t time_ms, OptBytesView before, OptBytesView now, BytesView context) {
  const auto held = by_key_.find(Bytes(key));
  Row row{.before = to_owned(before), .now = to_owned(now), .context = Bytes(context)};
  row.prior = held == by_key_.end() ? row.before : held->second->second.prior;
  keep(key, time_ms, std::move(row));
  changed(key);
}

// A later change of a key stands where the first one stood.
void SuppressBuffer::keep(BytesView key, int64_t time_ms, Row row) {
  Bytes owned(key);
  const size_t size = size_of(owned, row);
  if (const auto held = by_key_.find(owned); held != by_key_.end()) {
    bytes_ += size;
    bytes_ -= size_of(owned, held->second->second);
    held->second->second = std::move(row);
    return;
  }
  const auto at = rows_.emplace(std::pair(time_ms, owned), std::move(row)).first;
  by_key_.emplace(std::move(owned), at);
  bytes_ += size;
  ++records_;
}

void SuppressBuffer::erase(Rows::iterator at) {
  bytes_ -= size_of(at->first.second, at->second);
  --records_;
  by_key_.erase(at->first.second);
  rows_.erase(at);
}

SuppressBuffer::Held SuppressBuffer::oldest() const {
  const auto& [at, row] = *rows_.begin();
  return {at.second, to_view(row.before), to_view(row.now), row.context};
}

void SuppressBuffer::erase_oldest() {
  changed(rows_.begin()->first.second);
  erase(rows_.begin());
}

bool SuppressBuffer::prior(BytesView key, OptBytes& out) const {
  const auto held = by_key_.find(Bytes(key));
  if (held == by_key_.end()) return false;
  out = held->second->second.prior;
  return true;
}

Status SuppressBuffer::restore(std::span<const store::ChangelogRecord> records) {
  for (const auto& record : records) {
    if (!record.value) {
      if (const auto held = by_key_.find(Bytes(record.key)); held != by_key_.end()) erase(held->second);
      continue;
    }
    if (record.form != kForm && record.form != kFormMisnamed) {
      return error(Code::data_loss,
                   "changelog of {}: a row of form {}; forms before 3 were written by Kafka Streams before 2.4, which "
                   "has to write its rows anew with a newer release first",
                   name_, record.form ? std::to_string(*record.form) : "0");
    }
    const auto [change, time_ms] = MUIR_TRY(parse_buffered_change(*record.value));
    keep(record.key, time_ms,
         {to_owned(change.prior), to_owned(change.before), to_owned(change.now), Bytes(change.context)});
  }
  return {};
}

Status SuppressBuffer::flush() {
  Bytes value;
  while (!changed_.empty()) {
    const Bytes& key = *changed_.begin();
    const auto held = by_key_.find(key);
    if (held == by_key_.end()) {
      MUIR_RETURN_IF_ERROR(changelog_->log_form(key, std::nullopt, std::nullopt));
    } else {
      const auto& [at, row] = *held->second;
      value.clear();
      append_buffered_change({row.context, to_view(row.prior), to_view(row.before), to_view(row.now)}, at.first, value);
      MUIR_RETURN_IF_ERROR(changelog_->log_form(key, value, kForm));
    }
    changed_.erase(changed_.begin());
  }
  return {};
}

Status SuppressBuffer::close() {
  rows_.clear();
  by_key_.clear();
  changed_.clear();
  records_ = 0;
  bytes_ = 0;
  return {};
}

std::shared_ptr<const store::StoreSupplier> suppress_supplier(std::string name) {
  return std::make_shared<SuppressSupplier>(std::move(name));
}

}  // namespace muir::streams::internal
