// MemoryProducer: the Producer of a MemoryCluster. Thread-safe; callbacks are called by send() itself, on its way out.
#pragma once

#include <map>
#include <string>

#include "client/internal/state_memory.h"

namespace muir::client::internal {

class MemoryProducer final : public Producer {
 public:
  static Result<std::unique_ptr<Producer>> make(MemoryCluster::State& state, const Properties& properties);
  ~MemoryProducer() override;

  Status send(std::span<const ProducedRecord> records, DeliveryCallback on_done) override;
  Status flush(int64_t timeout_ms) override;
  Result<int32_t> partition_count(const std::string& topic) override;
  Status init_transactions(int64_t timeout_ms) override;
  Status begin_transaction() override;
  Status send_offsets_to_transaction(const Offsets& offsets, const GroupMetadata& group, int64_t timeout_ms) override;
  Status transaction_failure() override;
  Status commit_transaction(int64_t timeout_ms) override;
  Status abort_transaction(int64_t timeout_ms) override;

 private:
  enum class Phase : unsigned char { plain, uninitialized, ready, open, must_abort, fenced };

  MemoryProducer(MemoryCluster::State& state, std::string transactional_id, int64_t timeout_ms)
      : state_(state),
        transactional_id_(std::move(transactional_id)),
        timeout_ms_(timeout_ms),
        phase_(transactional_id_.empty() ? Phase::plain : Phase::uninitialized) {}
  // With the cluster's mutex held:
  Status check_phase(Phase wanted, std::string_view what);
  Status check_epoch(std::string_view what);
  static Status check_limits(const ProducedRecord& record, const MemoryTopic& topic, Delivery& delivery);
  Status write(const ProducedRecord& record, Delivery& delivery);
  Result<PartitionId> choose_partition(const ProducedRecord& record, const MemoryTopic& topic);
  void end(bool committed);

  MemoryCluster::State& state_;
  const std::string transactional_id_;
  const int64_t timeout_ms_;
  Phase phase_;
  ProducerEpoch epoch_ = kNoProducerEpoch;
  bool unanswered_ = false;  // the last commit took place but its caller was told nothing
  Status failure_;
  Status lost_;         // why the transaction must be aborted
  int32_t sticky_ = 0;  // moves on with each send()
};

}  // namespace muir::client::internal
