#include "log/producer_state.h"

#include <algorithm>

#include "base/cursor.h"
#include "log/kafka_error.h"
#include "wire/crc32c.h"

namespace muir::storage {
namespace {

constexpr int16_t kSnapshotVersion = 1;
constexpr size_t kSnapshotCrcEnd = 6;

// Sequence numbers go from 2^31-1 to 0.
int32_t sequence_after(int32_t sequence) { return sequence == INT32_MAX ? 0 : sequence + 1; }

int32_t sequence_before(int32_t sequence, int32_t count) {
  const int64_t value = static_cast<int64_t>(sequence) - count;
  return static_cast<int32_t>(value < 0 ? value + (int64_t{1} << 31) : value);
}

std::optional<ProducerEntry::Batch> find_repeated(const ProducerEntry& entry, const ProducerBatch& batch) {
  for (const auto& known : entry.batches) {
    if (known.last_sequence == batch.last_sequence &&
        sequence_before(known.last_sequence, known.offset_delta) == batch.first_sequence) {
      return known;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<ProducerEntry::Batch>> ProducerState::check(const ProducerBatch& batch) const {
  using Found = std::optional<ProducerEntry::Batch>;
  const auto it = producers_.find(batch.producer_id);
  // A producer whose records have all expired may continue with any sequence.
  if (it == producers_.end()) return Found();
  const ProducerEntry& entry = it->second;
  if (batch.epoch < entry.epoch) {
    return kafka_error(wire::ErrorCode::invalid_producer_epoch, "producer {} has epoch {}, not {}", batch.producer_id,
                       entry.epoch, batch.epoch);
  }
  const bool numbered = batch.first_sequence >= 0;
  if (numbered && batch.epoch == entry.epoch) {
    if (const auto repeated = find_repeated(entry, batch)) return Found(repeated);
  }
  if (entry.txn_first_offset >= Offset(0) && !batch.transactional) {
    return kafka_error(wire::ErrorCode::invalid_txn_state, "producer {} wrote outside of its open transaction",
                       batch.producer_id);
  }
  if (numbered) {
    const int32_t expected =
        batch.epoch > entry.epoch || entry.batches.empty() ? 0 : sequence_after(entry.last_sequence());
    if (batch.first_sequence != expected) {
      return kafka_error(wire::ErrorCode::out_of_order_sequence_number,
                         "producer {} epoch {}: sequence {} where {} is next", batch.producer_id, batch.epoch,
                         batch.first_sequence, expected);
    }
  }
  return Found();
}

void ProducerState::append(const ProducerBatch& batch) {
  ProducerEntry& entry = producers_[batch.producer_id];
  if (batch.epoch != entry.epoch) entry.batches.clear();
  entry.epoch = batch.epoch;
  entry.last_timestamp = batch.timestamp;
  if (batch.first_sequence >= 0) {
    if (entry.batches.size() == ProducerEntry::kBatchesMax) entry.batches.pop_front();
    entry.batches.push_back({batch.last_sequence, batch.last_offset,
                             static_cast<int32_t>(batch.last_offset - batch.first_offset), batch.timestamp});
  }
  if (batch.transactional && entry.txn_first_offset < Offset(0)) {
    entry.txn_first_offset = batch.first_offset;
    open_[batch.first_offset] = batch.producer_id;
  }
}

Status ProducerState::check_marker(ProducerId producer_id, ProducerEpoch epoch, LeaderEpoch coordinator_epoch) const {
  const auto it = producers_.find(producer_id);
  if (it == producers_.end()) return {};
  if (epoch < it->second.epoch) {
    return kafka_error(wire::ErrorCode::invalid_producer_epoch, "marker of producer {} epoch {}: its epoch is {}",
                       producer_id, epoch, it->second.epoch);
  }
  if (coordinator_epoch < it->second.coordinator_epoch) {
    return kafka_error(wire::ErrorCode::transaction_coordinator_fenced,
                       "marker of producer {}: coordinator epoch {} below {}", producer_id, coordinator_epoch,
                       it->second.coordinator_epoch);
  }
  return {};
}

std::optional<Offset> ProducerState::append_marker(ProducerId producer_id, ProducerEpoch epoch,
                                                   LeaderEpoch coordinator_epoch, Offset offset, int64_t timestamp) {
  ProducerEntry& entry = producers_[producer_id];
  if (epoch != entry.epoch) entry.batches.clear();
  entry.epoch = epoch;
  entry.coordinator_epoch = coordinator_epoch;
  entry.last_timestamp = timestamp;
  if (entry.txn_first_offset < Offset(0)) return std::nullopt;
  const Offset first_offset = entry.txn_first_offset;
  entry.txn_first_offset = kNoOffset;
  open_.erase(first_offset);
  ending_[first_offset] = offset;
  return first_offset;
}

std::optional<Offset> ProducerState::first_unstable_offset() const {
  std::optional<Offset> first;
  if (!open_.empty()) first = open_.begin()->first;
  if (!ending_.empty()) first = first ? std::min(*first, ending_.begin()->first) : ending_.begin()->first;
  return first;
}

std::optional<Offset> ProducerState::first_open_offset() const {
  return open_.empty() ? std::nullopt : std::optional(open_.begin()->first);
}

void ProducerState::forget_transaction(ProducerId producer_id) {
  const auto it = producers_.find(producer_id);
  if (it == producers_.end() || it->second.txn_first_offset < Offset(0)) return;
  open_.erase(it->second.txn_first_offset);
  it->second.txn_first_offset = kNoOffset;
}

void ProducerState::on_high_watermark(Offset high_watermark) {
  std::erase_if(ending_, [&](const auto& txn) { return txn.second < high_watermark; });
}

void ProducerState::expire(int64_t timestamp) {
  std::erase_if(producers_, [&](const auto& producer) {
    return producer.second.txn_first_offset < Offset(0) && producer.second.last_timestamp < timestamp;
  });
}

void ProducerState::clear() {
  producers_.clear();
  open_.clear();
  ending_.clear();
}

// One entry per remembered batch, oldest first. Kafka writes only the newest and, reading, lets a later entry of a
// producer replace an earlier one; so it reads ours, and we keep the whole window of repetitions across restarts.
Bytes ProducerState::encode_snapshot() const {
  Bytes out;
  ByteWriter writer(out);
  writer.i16(kSnapshotVersion);
  writer.u32(0);  // checksum, patched below
  writer.i32(0);  // count, patched below
  int32_t count = 0;
  const auto write = [&](ProducerId producer_id, const ProducerEntry& entry, const ProducerEntry::Batch& batch) {
    ++count;
    writer.i64(producer_id.value());
    writer.i16(entry.epoch.value());
    writer.i32(batch.last_sequence);
    writer.i64(batch.last_offset.value());
    writer.i32(batch.offset_delta);
    writer.i64(entry.last_timestamp);
    writer.i32(entry.coordinator_epoch.value());
    writer.i64(entry.txn_first_offset.value());
  };
  for (const auto& [producer_id, entry] : producers_) {
    for (const auto& batch : entry.batches) write(producer_id, entry, batch);
    if (entry.batches.empty()) write(producer_id, entry, {});
  }
  writer.patch_be<int32_t>(kSnapshotCrcEnd, count);
  writer.patch_be<uint32_t>(kSnapshotCrcEnd - sizeof(uint32_t), wire::crc32c(BytesView(out).substr(kSnapshotCrcEnd)));
  return out;
}

Result<ProducerState> ProducerState::decode_snapshot(BytesView bytes) {
  ByteReader reader(bytes);
  const int16_t version = reader.i16();
  const uint32_t crc = reader.u32();
  if (!reader.ok() || version != kSnapshotVersion)
    return muir::error(Code::data_loss, "producer snapshot: version {}", version);
  if (wire::crc32c(bytes.substr(kSnapshotCrcEnd)) != crc)
    return muir::error(Code::data_loss, "producer snapshot: checksum differs");
  ProducerState out;
  for (int32_t left = reader.i32(); left > 0 && reader.ok(); --left) {
    const ProducerId producer_id(reader.i64());
    ProducerEntry& entry = out.producers_[producer_id];
    entry.epoch = ProducerEpoch(reader.i16());
    ProducerEntry::Batch batch;
    batch.last_sequence = reader.i32();
    batch.last_offset = Offset(reader.i64());
    batch.offset_delta = reader.i32();
    batch.timestamp = entry.last_timestamp = reader.i64();
    entry.coordinator_epoch = LeaderEpoch(reader.i32());
    entry.txn_first_offset = Offset(reader.i64());
    if (batch.last_sequence >= 0) entry.batches.push_back(batch);
    if (entry.batches.size() > ProducerEntry::kBatchesMax) entry.batches.pop_front();
  }
  // Of several entries of a producer the last one says whether a transaction is open.
  for (const auto& [producer_id, entry] : out.producers_) {
    if (entry.txn_first_offset >= Offset(0)) out.open_[entry.txn_first_offset] = producer_id;
  }
  if (!reader.ok() || reader.remaining() > 0) return muir::error(Code::data_loss, "producer snapshot: wrong length");
  return out;
}

int fuzz_producer_snapshot(BytesView input) {
  if (input.size() < kSnapshotCrcEnd) return ProducerState::decode_snapshot(input).ok() ? 1 : 0;
  // With the right checksum, so that the entries are read as well.
  Bytes bytes(input);
  ByteWriter(bytes).patch_be<uint32_t>(kSnapshotCrcEnd - sizeof(uint32_t), wire::crc32c(input.substr(kSnapshotCrcEnd)));
  const auto state = ProducerState::decode_snapshot(bytes);
  if (!state.ok()) return 0;
  const Bytes once = state->encode_snapshot();
  const auto again = ProducerState::decode_snapshot(once);
  CHECK(again.ok() && again->encode_snapshot().size() == once.size() &&
            again->first_open_offset() == state->first_open_offset(),
        "a producer snapshot does not survive: {}", hex(once));
  return 1;
}

}  // namespace muir::storage
