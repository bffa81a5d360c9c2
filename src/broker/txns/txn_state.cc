#include "broker/txns/txn_state.h"

#include <algorithm>

#include "wire/messages/coordinator_records.h"

namespace muir::broker {

using wire::ErrorCode;

namespace {
constexpr std::string_view kStateNames[] = {"Empty",          "Ongoing",       "PrepareCommit", "PrepareAbort",
                                            "CompleteCommit", "CompleteAbort", "Dead",          "PrepareEpochFence"};
constexpr int16_t kKeyVersion = 0;
constexpr int16_t kValueVersion = 1;
}  // namespace

std::string_view to_string(TxnState state) { return kStateNames[static_cast<size_t>(state)]; }

std::optional<TxnState> parse_txn_state(std::string_view name) {
  const auto at = std::find(std::begin(kStateNames), std::end(kStateNames), name);
  if (at == std::end(kStateNames)) return std::nullopt;
  return static_cast<TxnState>(at - std::begin(kStateNames));
}

Result<TxnFields> Txn::with_bumped_epoch(std::optional<ProducerEpoch> expected_epoch, int32_t timeout_ms,
                                         int64_t now_ms) const {
  TxnFields next = fields;
  next.state = TxnState::empty;
  next.partitions.clear();
  next.start_ms = -1;
  next.timeout_ms = timeout_ms;
  next.updated_ms = now_ms;
  const bool current = !expected_epoch || fields.epoch == kNoProducerEpoch || *expected_epoch == fields.epoch;
  if (current && !epoch_exhausted()) {
    next.epoch = ProducerEpoch(static_cast<int16_t>(fields.epoch.value() + 1));
    // A fresh producer leaves none that may repeat itself.
    next.last_epoch = expected_epoch ? fields.epoch : kNoProducerEpoch;
    return next;
  }
  // The answer to the first request was lost: the same question gets the same answer (KIP-360).
  if (expected_epoch && *expected_epoch == fields.last_epoch) return next;
  return wire::to_status(ErrorCode::producer_fenced, fmt::format("init producer id of {}", id));
}

TxnFields Txn::with_new_producer_id(ProducerId producer_id, int32_t timeout_ms, bool remember_epoch,
                                    int64_t now_ms) const {
  return {.state = TxnState::empty,
          .producer_id = producer_id,
          .previous_producer_id = fields.producer_id,
          .epoch = ProducerEpoch(0),
          .last_epoch = remember_epoch ? fields.epoch : kNoProducerEpoch,
          .timeout_ms = timeout_ms,
          .partitions = {},
          .start_ms = -1,
          .updated_ms = now_ms};
}

TxnFields Txn::fenced(int64_t now_ms) const {
  TxnFields next = fields;
  next.state = TxnState::prepare_abort;
  next.epoch = ProducerEpoch(static_cast<int16_t>(std::min(fields.epoch.value() + 1, int{INT16_MAX})));
  next.last_epoch = kNoProducerEpoch;
  next.updated_ms = now_ms;
  return next;
}

bool Txn::knows(ProducerId producer_id, ProducerEpoch epoch) const {
  return fields.epoch == kNoProducerEpoch || producer_id == fields.producer_id ||
         (producer_id == fields.previous_producer_id && is_exhausted(epoch));
}

// ---- records

Bytes txn_key(const std::string& id) {
  Bytes out;
  ByteWriter writer(out);
  writer.i16(kKeyVersion);
  encode(wire::TransactionLogKey{.transactional_id = id}, kKeyVersion, writer);
  return out;
}

Bytes txn_value(const TxnFields& fields) {
  wire::TransactionLogValue value{.producer_id = fields.producer_id.value(),
                                  .previous_producer_id = fields.previous_producer_id.value(),
                                  .producer_epoch = fields.epoch.value(),
                                  .transaction_timeout_ms = fields.timeout_ms,
                                  .transaction_status = static_cast<int8_t>(fields.state),
                                  .transaction_last_update_timestamp_ms = fields.updated_ms,
                                  .transaction_start_timestamp_ms = fields.start_ms};
  if (fields.state != TxnState::empty) {  // as Kafka: null while there is no transaction
    auto& topics = value.transaction_partitions.emplace();
    for (const auto& [topic, partition] : fields.partitions) {
      if (topics.empty() || topics.back().topic != topic) topics.emplace_back().topic = topic;
      topics.back().partition_ids.push_back(partition.value());
    }
  }
  Bytes out;
  ByteWriter writer(out);
  writer.i16(kValueVersion);
  encode(value, kValueVersion, writer);
  return out;
}

Result<std::optional<TxnRecord>> parse_txn_record(const wire::Record& record) {
  if (!record.key) return error(Code::data_loss, "transaction record at offset {}: no key", record.offset);
  ByteReader key_reader(*record.key);
  if (key_reader.i16() != kKeyVersion || !key_reader.ok()) return std::optional<TxnRecord>();
  wire::TransactionLogKey key;
  MUIR_RETURN_IF_ERROR(decode(key_reader, kKeyVersion, key));
  TxnRecord out{.id = key.transactional_id, .fields = {}};
  if (!record.value) return std::optional(std::move(out));
  ByteReader reader(*record.value);
  const int16_t version = reader.i16();
  wire::TransactionLogValue value;
  MUIR_RETURN_IF_ERROR(decode(reader, version, value));
  if (value.transaction_status < 0 || value.transaction_status >= static_cast<int8_t>(std::size(kStateNames))) {
    return error(Code::data_loss, "transaction record at offset {}: status {}", record.offset,
                 value.transaction_status);
  }
  TxnFields& fields = out.fields.emplace();
  fields.state = static_cast<TxnState>(value.transaction_status);
  fields.producer_id = ProducerId(value.producer_id);
  fields.previous_producer_id = ProducerId(value.previous_producer_id);
  fields.epoch = ProducerEpoch(value.producer_epoch);
  fields.timeout_ms = value.transaction_timeout_ms;
  fields.start_ms = value.transaction_start_timestamp_ms;
  fields.updated_ms = value.transaction_last_update_timestamp_ms;
  if (value.transaction_partitions) {
    for (const auto& topic : *value.transaction_partitions) {
      for (const int32_t partition : topic.partition_ids)
        fields.partitions.emplace(topic.topic, PartitionId(partition));
    }
  }
  return std::optional(std::move(out));
}

int fuzz_txn_record(BytesView bytes) {
  if (bytes.empty()) return 0;
  const size_t key_size = std::min(static_cast<size_t>(static_cast<uint8_t>(bytes[0])), bytes.size() - 1);
  wire::Record record;
  record.key = bytes.substr(1, key_size);
  if (key_size + 1 < bytes.size()) record.value = bytes.substr(1 + key_size);
  return parse_txn_record(record).ok() ? 1 : 0;
}

}  // namespace muir::broker
