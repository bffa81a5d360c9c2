#include "broker/internal/broker_partition_log.h"

#include "broker/internal/internal_topics.h"
#include "broker/txns/txn_coordinator.h"
#include "log/kafka_error.h"

namespace muir::broker {
namespace {

// `done` must learn the offset, which append() returns, when the batch is durable, which may be before append()
// returns.
struct Confirmation {
  explicit Confirmation(PartitionLog::Done to_call) : done(std::move(to_call)) {}

  void set_offset(Offset offset) { step(offset, std::nullopt); }
  void set_outcome(const Status& status) { step(std::nullopt, status); }

 private:
  void step(std::optional<Offset> offset, std::optional<Status> status) {
    {
      const std::lock_guard guard(mutex);
      if (offset) base_offset = offset;
      if (status) outcome = status;
      if (!base_offset || !outcome) return;
    }
    done(*outcome, *base_offset);
  }

  std::mutex mutex;
  std::optional<Offset> base_offset;
  std::optional<Status> outcome;
  PartitionLog::Done done;
};

}  // namespace

Result<std::shared_ptr<storage::Partition>> BrokerPartitionLog::find(const std::string& topic,
                                                                     PartitionId partition) const {
  auto found = context_.logs->find_partition(topic, partition);
  if (found == nullptr)
    return storage::kafka_error(wire::ErrorCode::unknown_topic_or_partition, "{}-{} does not exist", topic, partition);
  return found;
}

int32_t BrokerPartitionLog::partition_count(const std::string& topic) {
  const auto found = context_.logs->find_topic(topic);
  return found == nullptr ? 0 : static_cast<int32_t>(found->partitions.size());
}

Result<int32_t> BrokerPartitionLog::open_internal_topic(const std::string& topic) {
  const auto found = MUIR_TRY(find_or_create_topic(context_, topic));
  return static_cast<int32_t>(found->partitions.size());
}

void BrokerPartitionLog::append(const std::string& topic, PartitionId partition, Bytes batch, Done done) {
  const auto target = find(topic, partition);
  if (!target.ok()) return done(target.status(), kNoOffset);
  const auto view = wire::BatchView::parse(batch);
  if (!view.ok()) return done(view.status(), kNoOffset);
  const auto confirmation = std::make_shared<Confirmation>(std::move(done));
  // Offsets of a transaction that has ended meanwhile would wait for an end that does not come.
  const auto in_transaction = [&]() -> Status {
    const auto& header = view->header();
    if (!header.transactional() || context_.txns == nullptr) return {};
    const auto error = context_.txns->check_write(header.producer_id, header.producer_epoch, topic, partition);
    if (error == wire::ErrorCode::none) return {};
    return storage::kafka_error(error, "producer {} has no transaction open on {}", header.producer_id,
                                (*target)->name());
  };
  const auto appended = (*target)->append(
      *view, [confirmation](const Status& status) { confirmation->set_outcome(status); }, in_transaction);
  if (!appended.ok()) confirmation->set_outcome(appended.status());
  confirmation->set_offset(appended.ok() ? appended->base_offset : kNoOffset);
}

void BrokerPartitionLog::append_marker(const std::string& topic, PartitionId partition, wire::ControlType type,
                                       ProducerId producer_id, ProducerEpoch producer_epoch,
                                       LeaderEpoch coordinator_epoch, Done done) {
  const auto target = find(topic, partition);
  if (!target.ok()) return done(target.status(), kNoOffset);
  const auto confirmation = std::make_shared<Confirmation>(std::move(done));
  const auto appended =
      (*target)->append_end_txn(type, producer_id, producer_epoch, coordinator_epoch,
                                [confirmation](const Status& status) { confirmation->set_outcome(status); });
  if (!appended.ok()) confirmation->set_outcome(appended.status());
  confirmation->set_offset(appended.ok() ? appended->base_offset : kNoOffset);
}

Result<Offset> BrokerPartitionLog::log_start_offset(const std::string& topic, PartitionId partition) {
  const auto target = MUIR_TRY(find(topic, partition));
  return target->offsets().log_start;
}

Result<Bytes> BrokerPartitionLog::read(const std::string& topic, PartitionId partition, Offset offset,
                                       size_t bytes_max) {
  const auto target = MUIR_TRY(find(topic, partition));
  const auto result = MUIR_TRY(target->read({offset, bytes_max, true, storage::Isolation::log_end}));
  return Bytes(result.records);
}

std::optional<storage::TxnFate> BrokerPartitionLog::fate(const std::string& topic, PartitionId partition,
                                                         ProducerId producer, Offset offset) {
  const auto target = find(topic, partition);
  if (!target.ok() || (*target)->damage().ranges == 0) return std::nullopt;
  return (*target)->fate(producer, offset);
}

}  // namespace muir::broker
