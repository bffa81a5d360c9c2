// FaultyProducer: a producer behind a Link. What is sent waits in it, as in a real one, and is written later, or never.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "simulation/network.h"

namespace muir::simulation {

// Owned by one thread, on which callbacks come.
class FaultyProducer final : public client::Producer {
 public:
  FaultyProducer(Link& link, std::unique_ptr<client::Producer> inner, bool transactional);
  ~FaultyProducer() override;

  Status send(std::span<const client::ProducedRecord> records, client::DeliveryCallback on_done) override;
  Status flush(int64_t timeout_ms) override;
  Result<int32_t> partition_count(const std::string& topic) override;
  Status init_transactions(int64_t timeout_ms) override;
  Status begin_transaction() override;
  Status send_offsets_to_transaction(const client::Offsets& offsets, const client::GroupMetadata& group,
                                     int64_t timeout_ms) override;
  Status transaction_failure() override { return inner_->transaction_failure(); }
  Status commit_transaction(int64_t timeout_ms) override;
  Status abort_transaction(int64_t timeout_ms) override;

  void turn();  // see Link

 private:
  struct Owned {
    std::string topic;
    std::optional<PartitionId> partition;
    OptBytes key;
    OptBytes value;
    int64_t timestamp_ms;
    std::vector<std::pair<Bytes, OptBytes>> headers;
  };
  struct Batch {
    std::vector<Owned> records;
    int64_t since_ms;
    client::DeliveryCallback on_done;
  };
  void deliver(bool with_changelogs = true);
  void deliver(Batch& batch);
  static void give_up(Batch& batch, const Status& why);

  Link& link_;
  std::unique_ptr<client::Producer> inner_;
  const bool transactional_;
  std::deque<Batch> waiting_;
  bool open_ = false;        // a transaction
  bool unanswered_ = false;  // it was committed, and our user does not know
};

}  // namespace muir::simulation
