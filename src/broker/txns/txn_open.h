// OpenTxns: which partitions every producer may write to now, for the threads that append.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <unordered_map>

#include "broker/txns/txn_state.h"
#include "wire/error_code.h"

namespace muir::broker {

// Thread-safe.
class OpenTxns {
 public:
  void set(const TxnFields& fields);
  void remove(ProducerId producer_id);
  // See TxnCoordinator::check_write().
  [[nodiscard]] wire::ErrorCode check(ProducerId producer_id, ProducerEpoch epoch,
                                      const TopicPartition& partition) const;

 private:
  struct Entry {
    ProducerEpoch epoch = kNoProducerEpoch;
    std::set<TopicPartition> partitions;  // of the open transaction
  };
  mutable std::mutex mutex_;
  std::unordered_map<ProducerId, Entry> producers_;
};

}  // namespace muir::broker
