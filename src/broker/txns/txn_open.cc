#include "broker/txns/txn_open.h"

namespace muir::broker {

using wire::ErrorCode;

void OpenTxns::set(const TxnFields& fields) {
  const std::lock_guard lock(mutex_);
  if (fields.previous_producer_id != fields.producer_id) producers_.erase(fields.previous_producer_id);
  Entry& entry = producers_[fields.producer_id];
  entry.epoch = fields.epoch;
  if (fields.state == TxnState::ongoing) {
    entry.partitions = fields.partitions;
  } else {
    entry.partitions.clear();
  }
}

void OpenTxns::remove(ProducerId producer_id) {
  const std::lock_guard lock(mutex_);
  producers_.erase(producer_id);
}

ErrorCode OpenTxns::check(ProducerId producer_id, ProducerEpoch epoch, const TopicPartition& partition) const {
  const std::lock_guard lock(mutex_);
  const auto at = producers_.find(producer_id);
  if (at == producers_.end()) return ErrorCode::invalid_txn_state;
  if (epoch < at->second.epoch) return ErrorCode::invalid_producer_epoch;
  const bool open = epoch == at->second.epoch && at->second.partitions.contains(partition);
  return open ? ErrorCode::none : ErrorCode::invalid_txn_state;
}

}  // namespace muir::broker
