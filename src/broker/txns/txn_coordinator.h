// TxnCoordinator: producer ids and transactions.
//
// State is stored in __transaction_state in Kafka's format and loaded from there at start, when transactions that were
// being completed are completed. One method per API takes the request and answers through a callback, which runs on the
// coordinator's strand and must not block. Transactions version 1 (EndTxn up to version 4, Produce up to 11).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/groups/group_coordinator.h"
#include "broker/internal/partition_log.h"
#include "broker/internal/scheduler.h"
#include "broker/internal/strand.h"
#include "broker/txns/txn_open.h"
#include "broker/txns/txn_producer_ids.h"
#include "broker/txns/txn_state.h"
#include "wire/messages/add_offsets_to_txn.h"
#include "wire/messages/add_partitions_to_txn.h"
#include "wire/messages/describe_transactions.h"
#include "wire/messages/end_txn.h"
#include "wire/messages/init_producer_id.h"
#include "wire/messages/list_transactions.h"

namespace muir::broker {

// Kafka's keys and defaults.
struct TxnConfig {
  int64_t timeout_ms_max = 900'000;         // transaction.max.timeout.ms
  int64_t id_expiration_ms = 604'800'000;   // transactional.id.expiration.ms
  int64_t abort_check_ms = 10'000;          // transaction.abort.timed.out.transaction.cleanup.interval.ms
  int64_t expiration_check_ms = 3'600'000;  // transaction.remove.expired.transaction.cleanup.interval.ms
};

// Thread-safe. Destroy it after the log and the scheduler have stopped calling back.
class TxnCoordinator {
 public:
  template <class Response>
  using Reply = std::function<void(Response)>;

  // The references outlive the coordinator.
  TxnCoordinator(TxnConfig config, PartitionLog& log, ProducerIds& producer_ids, GroupCoordinator& groups,
                 Scheduler& scheduler, Clock& clock);
  TxnCoordinator(const TxnCoordinator&) = delete;
  TxnCoordinator& operator=(const TxnCoordinator&) = delete;

  // Reads __transaction_state, if it exists, goes on with what was being completed, and starts the timers. After
  // GroupCoordinator::load() and before any request.
  Status load();

  // The partition of __transaction_state that holds the id; creates the topic.
  Result<PartitionId> partition_for(const std::string& transactional_id);

  void init_producer_id(int16_t version, wire::InitProducerIdRequest request,
                        Reply<wire::InitProducerIdResponse> reply);
  void add_partitions(int16_t version, wire::AddPartitionsToTxnRequest request,
                      Reply<wire::AddPartitionsToTxnResponse> reply);
  void add_offsets(int16_t version, wire::AddOffsetsToTxnRequest request, Reply<wire::AddOffsetsToTxnResponse> reply);
  void end_txn(int16_t version, wire::EndTxnRequest request, Reply<wire::EndTxnResponse> reply);
  void describe_transactions(wire::DescribeTransactionsRequest request,
                             Reply<wire::DescribeTransactionsResponse> reply);
  void list_transactions(wire::ListTransactionsRequest request, Reply<wire::ListTransactionsResponse> reply);

  // Whether the producer may write to the partition as part of its transaction: NONE, INVALID_PRODUCER_EPOCH for one
  // that is fenced, INVALID_TXN_STATE when the partition is not in an open transaction of its. Asked before every
  // append of a transactional batch, since a batch that arrives after the end would open a transaction that nobody
  // ends. Any thread.
  [[nodiscard]] wire::ErrorCode check_write(ProducerId producer_id, ProducerEpoch epoch, const std::string& topic,
                                            PartitionId partition) const {
    return open_.check(producer_id, epoch, {topic, partition});
  }

  // Aborts transactions that have run too long; also runs by itself.
  void abort_timed_out();
  // Forgets ids that nobody has used for long; also runs by itself.
  void expire_ids();

 private:
  using InitReply = Reply<wire::InitProducerIdResponse>;
  using Outcome = std::function<void(wire::ErrorCode)>;

  // Requests, in txn_coordinator.cc. All of it on the strand.
  void init(wire::InitProducerIdRequest& request, InitReply reply);
  void init_existing(Txn& txn, wire::InitProducerIdRequest& request, InitReply reply);
  void add(const std::string& id, ProducerId producer_id, ProducerEpoch epoch, std::vector<TopicPartition> partitions,
           Outcome outcome);
  void add_topics(const wire::AddPartitionsToTxnRequest::Transaction& asked,
                  std::function<void(std::vector<wire::AddPartitionsToTxnResponse::TopicResult>)> done);
  [[nodiscard]] wire::DescribeTransactionsResponse::TransactionState describe(const std::string& id) const;

  // The end of transactions, in txn_completion.cc.
  void end(const wire::EndTxnRequest& request, Outcome outcome);
  void fence_and_abort(Txn& txn, Outcome outcome);
  void complete(Txn& txn);
  void write_marker(const std::string& id, const TopicPartition& partition);
  void marker_done(const std::string& id, const TopicPartition& partition, const Status& status);
  void marker_written(const std::string& id, const TopicPartition& partition);
  void finish(Txn& txn);
  // Lets the requests go on that wait for the completion.
  void wake(Txn& txn, wire::ErrorCode error);
  // The transaction's fields are now these, for other threads too.
  void set_fields(Txn& txn, TxnFields fields);
  // Stores `next` and makes it the transaction's state when it is durable.
  void transit(Txn& txn, TxnFields next, Outcome outcome);
  void store(const std::string& id, const std::optional<TxnFields>& fields, std::function<void(const Status&)> done);
  void abort_expired_transactions();
  void forget_unused();

  Status load_record(PartitionId partition, const wire::BatchHeader& batch, const wire::Record& record);
  void repeat(int64_t every_ms, std::function<void()> task);
  Txn* find(const std::string& id);
  std::function<void()> on_strand(std::function<void()> task);

  const TxnConfig config_;
  PartitionLog& log_;
  ProducerIds& producer_ids_;
  GroupCoordinator& groups_;
  Scheduler& scheduler_;
  Clock& clock_;
  Strand strand_;
  std::map<std::string, std::unique_ptr<Txn>> txns_;
  OpenTxns open_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  // timers hold it weakly
};

}  // namespace muir::broker
