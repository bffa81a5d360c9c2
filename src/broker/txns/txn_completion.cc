// The end of transactions: stored transitions, markers, timeouts and expiry.
#include <algorithm>

#include "base/log.h"
#include "broker/internal/coordinator_error.h"
#include "broker/txns/txn_coordinator.h"
#include "wire/batch_builder.h"
#include "wire/murmur2.h"

namespace muir::broker {

using wire::ErrorCode;

namespace {

// One coordinator, on one node: there is no older one to fence.
constexpr LeaderEpoch kCoordinatorEpoch;
// A marker or a state that could not be written is written again after so long, until it is.
constexpr int64_t kRetryMs = 1000;

bool is_commit(TxnState state) { return state == TxnState::prepare_commit || state == TxnState::complete_commit; }

}  // namespace

void TxnCoordinator::store(const std::string& id, const std::optional<TxnFields>& fields,
                           std::function<void(const Status&)> done) {
  const auto partition = partition_for(id);
  if (!partition.ok()) return done(partition.status());
  wire::BatchBuilder builder;
  const Bytes value = fields ? txn_value(*fields) : Bytes{};
  builder.add(clock_.now_ms(), txn_key(id), fields ? OptBytesView(value) : std::nullopt);
  log_.append(
      kTransactionState, *partition, builder.build(),
      [this, done = std::move(done)](const Status& status, Offset) { strand_.run([done, status] { done(status); }); });
}

void TxnCoordinator::set_fields(Txn& txn, TxnFields fields) {
  txn.fields = std::move(fields);
  open_.set(txn.fields);
}

void TxnCoordinator::transit(Txn& txn, TxnFields next, Outcome outcome) {
  txn.pending = next.state;
  const TxnFields stored = next;
  store(txn.id, stored,
        [this, id = txn.id, next = std::move(next), outcome = std::move(outcome)](const Status& status) {
          Txn& changed = *find(id);  // stays while a transition is pending
          changed.pending.reset();
          if (!status.ok()) {
            log::warn("transactional id {}: {} cannot be stored: {}", id, to_string(next.state), status.message());
            return outcome(coordinator_error(status));
          }
          set_fields(changed, next);
          outcome(ErrorCode::none);
        });
}

void TxnCoordinator::end(const wire::EndTxnRequest& request, Outcome outcome) {
  if (request.transactional_id.empty()) return outcome(ErrorCode::invalid_request);
  Txn* txn = find(request.transactional_id);
  if (txn == nullptr || txn->fields.producer_id != ProducerId(request.producer_id)) {
    return outcome(ErrorCode::invalid_producer_id_mapping);
  }
  if (txn->fields.epoch != ProducerEpoch(request.producer_epoch)) return outcome(ErrorCode::producer_fenced);
  const TxnState state = txn->fields.state;
  const bool same_direction = is_commit(state) == request.committed;
  switch (state) {
    case TxnState::ongoing: break;
    case TxnState::complete_commit:
    case TxnState::complete_abort:  // asked again after a lost answer
      if (txn->pending) return outcome(ErrorCode::concurrent_transactions);
      return outcome(same_direction ? ErrorCode::none : ErrorCode::invalid_txn_state);
    case TxnState::prepare_commit:
    case TxnState::prepare_abort:
      return outcome(same_direction ? ErrorCode::concurrent_transactions : ErrorCode::invalid_txn_state);
    default: return outcome(txn->pending ? ErrorCode::concurrent_transactions : ErrorCode::invalid_txn_state);
  }
  if (txn->pending) return outcome(ErrorCode::concurrent_transactions);
  TxnFields next = txn->fields;
  next.state = request.committed ? TxnState::prepare_commit : TxnState::prepare_abort;
  next.updated_ms = clock_.now_ms();
  transit(*txn, std::move(next), [this, id = txn->id, outcome = std::move(outcome)](ErrorCode error) {
    // From here on the transaction will end this way whatever happens, so the client need not wait for the markers.
    outcome(error);
    if (error == ErrorCode::none) complete(*find(id));
  });
}

void TxnCoordinator::fence_and_abort(Txn& txn, Outcome outcome) {
  log::info("transactional id {}: producer {} epoch {} is fenced and its transaction aborted", txn.id,
            txn.fields.producer_id, txn.fields.epoch);
  transit(txn, txn.fenced(clock_.now_ms()), [this, id = txn.id, outcome = std::move(outcome)](ErrorCode error) {
    outcome(error);
    if (error == ErrorCode::none) complete(*find(id));
  });
}

void TxnCoordinator::complete(Txn& txn) {
  txn.pending = is_commit(txn.fields.state) ? TxnState::complete_commit : TxnState::complete_abort;
  txn.markers_left = txn.fields.partitions;
  if (txn.markers_left.empty()) return finish(txn);
  for (const TopicPartition& partition : txn.fields.partitions) write_marker(txn.id, partition);
}

void TxnCoordinator::write_marker(const std::string& id, const TopicPartition& partition) {
  const Txn& txn = *find(id);
  const auto type = is_commit(txn.fields.state) ? wire::ControlType::commit : wire::ControlType::abort;
  log_.append_marker(partition.first, partition.second, type, txn.fields.producer_id, txn.fields.epoch,
                     kCoordinatorEpoch, [this, id, partition](const Status& status, Offset) {
                       strand_.run([this, id, partition, status] { marker_done(id, partition, status); });
                     });
}

void TxnCoordinator::marker_done(const std::string& id, const TopicPartition& partition, const Status& status) {
  const Txn& txn = *find(id);
  const auto& [topic, index] = partition;
  if (status.ok() && topic == kConsumerOffsets) {
    return groups_.complete_transaction(
        txn.fields.producer_id, {index}, is_commit(txn.fields.state),
        [this, id, partition] { strand_.run([this, id, partition] { marker_written(id, partition); }); });
  }
  if (status.ok() || index >= PartitionId(log_.partition_count(topic))) return marker_written(id, partition);
  log::warn("transactional id {}: marker to {}-{}: {}", id, topic, index, status.message());
  // A newer producer has written there: its partition knows that this transaction is over.
  const ErrorCode code = wire::kafka_code_of(status);
  if (code == ErrorCode::invalid_producer_epoch || code == ErrorCode::producer_fenced ||
      code == ErrorCode::transaction_coordinator_fenced) {
    return marker_written(id, partition);
  }
  wake(*find(id), ErrorCode::concurrent_transactions);
  scheduler_.schedule(kRetryMs, on_strand([this, id, partition] { write_marker(id, partition); }));
}

void TxnCoordinator::wake(Txn& txn, ErrorCode error) {
  for (const auto& waiting : std::exchange(txn.waiting, {})) waiting(error);
}

void TxnCoordinator::marker_written(const std::string& id, const TopicPartition& partition) {
  Txn& txn = *find(id);
  txn.markers_left.erase(partition);
  if (txn.markers_left.empty()) finish(txn);
}

void TxnCoordinator::finish(Txn& txn) {
  TxnFields next = txn.fields;
  next.state = is_commit(next.state) ? TxnState::complete_commit : TxnState::complete_abort;
  next.partitions.clear();
  next.updated_ms = clock_.now_ms();
  set_fields(txn, std::move(next));
  txn.pending.reset();
  // Nobody waits for this record: should it be lost, the markers are written once more at start, and should the next
  // transaction's record follow it into the log, that one says all there is to know.
  store(txn.id, txn.fields, [id = txn.id](const Status& status) {
    if (!status.ok()) log::warn("transactional id {}: its completion cannot be stored: {}", id, status.message());
  });
  wake(txn, ErrorCode::none);
}

// ---- timeouts and expiry

void TxnCoordinator::abort_timed_out() {
  strand_.run([this] { abort_expired_transactions(); });
}

void TxnCoordinator::abort_expired_transactions() {
  const int64_t now = clock_.now_ms();
  for (const auto& [id, txn] : txns_) {
    const TxnFields& fields = txn->fields;
    if (txn->pending || fields.state != TxnState::ongoing || now < fields.start_ms + fields.timeout_ms) continue;
    log::warn("transactional id {}: its transaction is open for longer than {} ms", id, fields.timeout_ms);
    fence_and_abort(*txn, [](ErrorCode) {});
  }
}

void TxnCoordinator::expire_ids() {
  strand_.run([this] { forget_unused(); });
}

void TxnCoordinator::forget_unused() {
  const int64_t now = clock_.now_ms();
  for (const auto& [id, txn] : txns_) {
    const TxnState state = txn->fields.state;
    const bool idle =
        state == TxnState::empty || state == TxnState::complete_commit || state == TxnState::complete_abort;
    if (txn->pending || !idle || now < txn->fields.updated_ms + config_.id_expiration_ms) continue;
    txn->pending = TxnState::dead;
    store(id, std::nullopt, [this, expired = id](const Status& status) {
      if (status.ok()) {
        log::info("transactional id {} expires", expired);
        open_.remove(find(expired)->fields.producer_id);
        txns_.erase(expired);
      } else {
        find(expired)->pending.reset();
      }
    });
  }
}

}  // namespace muir::broker
