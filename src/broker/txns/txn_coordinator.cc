#include "broker/txns/txn_coordinator.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "broker/api/named_once.h"
#include "wire/batch_builder.h"
#include "wire/murmur2.h"

namespace muir::broker {

using wire::ErrorCode;

namespace {

// The file of producer ids cannot be written or read: the producer asks again later, as in Kafka, where the next block
// of ids has not come. COORDINATOR_NOT_AVAILABLE would have Java's producer look for the coordinator of no id at all.
constexpr ErrorCode kNoProducerIds = ErrorCode::coordinator_load_in_progress;

// PRODUCER_FENCED is newer than the APIs: earlier versions are told INVALID_PRODUCER_EPOCH (KIP-588).
ErrorCode fenced_for(ErrorCode error, int16_t version, int16_t since) {
  return error == ErrorCode::producer_fenced && version < since ? ErrorCode::invalid_producer_epoch : error;
}

bool being_completed(TxnState state) { return state == TxnState::prepare_commit || state == TxnState::prepare_abort; }

}  // namespace

TxnCoordinator::TxnCoordinator(TxnConfig config, PartitionLog& log, ProducerIds& producer_ids, GroupCoordinator& groups,
                               Scheduler& scheduler, Clock& clock)
    : config_(config), log_(log), producer_ids_(producer_ids), groups_(groups), scheduler_(scheduler), clock_(clock) {}

Result<PartitionId> TxnCoordinator::partition_for(const std::string& transactional_id) {
  return wire::partition_for_id(transactional_id, MUIR_TRY(log_.open_internal_topic(kTransactionState)));
}

std::function<void()> TxnCoordinator::on_strand(std::function<void()> task) {
  return [this, alive = std::weak_ptr<char>(alive_), task = std::move(task)] {
    if (!alive.expired()) strand_.run(task);
  };
}

Txn* TxnCoordinator::find(const std::string& id) {
  const auto at = txns_.find(id);
  return at == txns_.end() ? nullptr : at->second.get();
}

// ---- InitProducerId

void TxnCoordinator::init_producer_id(int16_t version, wire::InitProducerIdRequest request, InitReply reply) {
  strand_.run([this, version, request = std::move(request), reply = std::move(reply)]() mutable {
    init(request, [version, reply = std::move(reply)](wire::InitProducerIdResponse response) {
      response.error_code = fenced_for(response.error_code, version, 4);
      if (response.error_code != ErrorCode::none) response.producer_epoch = kNoProducerEpoch.value();
      reply(std::move(response));
    });
  });
}

void TxnCoordinator::init(wire::InitProducerIdRequest& request, InitReply reply) {
  const auto refuse = [&](ErrorCode error) { reply({.error_code = error}); };
  if (!request.transactional_id) {
    const auto producer_id = producer_ids_.next();
    if (!producer_id.ok()) {
      log::error("producer id: {}", producer_id.status().message());
      return refuse(kNoProducerIds);
    }
    return reply({.producer_id = producer_id->value(), .producer_epoch = 0});
  }
  const std::string& id = *request.transactional_id;
  if (id.empty()) return refuse(ErrorCode::invalid_request);
  if ((ProducerId(request.producer_id) == kNoProducerId) !=
      (ProducerEpoch(request.producer_epoch) == kNoProducerEpoch)) {
    return refuse(ErrorCode::invalid_request);
  }
  if (request.transaction_timeout_ms <= 0 || request.transaction_timeout_ms > config_.timeout_ms_max) {
    return refuse(ErrorCode::invalid_transaction_timeout);
  }
  if (find(id) == nullptr) {
    const auto producer_id = producer_ids_.next();
    if (!producer_id.ok()) {
      log::error("producer id of {}: {}", id, producer_id.status().message());
      return refuse(kNoProducerIds);
    }
    auto txn = std::make_unique<Txn>();
    txn->id = id;
    txn->fields.producer_id = *producer_id;
    txn->fields.updated_ms = clock_.now_ms();
    txns_[id] = std::move(txn);
  }
  init_existing(*find(id), request, std::move(reply));
}

void TxnCoordinator::init_existing(Txn& txn, wire::InitProducerIdRequest& request, InitReply reply) {
  const auto refuse = [&](ErrorCode error) { reply({.error_code = error}); };
  if (txn.pending || being_completed(txn.fields.state)) return refuse(ErrorCode::concurrent_transactions);
  std::optional<ProducerEpoch> expected_epoch;
  const ProducerId named(request.producer_id);
  if (named != kNoProducerId) {
    const ProducerEpoch epoch(request.producer_epoch);
    if (!txn.knows(named, epoch)) return refuse(ErrorCode::producer_fenced);
    expected_epoch = epoch;
  }
  if (txn.fields.state == TxnState::ongoing) {
    // The producer asks again while the abort goes on, until it is over.
    return fence_and_abort(txn, [reply = std::move(reply)](ErrorCode error) {
      reply({.error_code = error == ErrorCode::none ? ErrorCode::concurrent_transactions : error});
    });
  }
  const int64_t now = clock_.now_ms();
  TxnFields next;
  // After a rotation, a producer that repeats itself still names the previous id and its last epoch.
  const bool repeats_rotation =
      expected_epoch && named == txn.fields.previous_producer_id && named != txn.fields.producer_id;
  if (!repeats_rotation && txn.epoch_exhausted() && (!expected_epoch || *expected_epoch == txn.fields.epoch)) {
    const auto producer_id = producer_ids_.next();
    if (!producer_id.ok()) return refuse(kNoProducerIds);
    next = txn.with_new_producer_id(*producer_id, request.transaction_timeout_ms, expected_epoch.has_value(), now);
  } else {
    auto bumped = txn.with_bumped_epoch(expected_epoch, request.transaction_timeout_ms, now);
    if (!bumped.ok()) return refuse(ErrorCode::producer_fenced);
    next = std::move(*bumped);
  }
  wire::InitProducerIdResponse response{.producer_id = next.producer_id.value(), .producer_epoch = next.epoch.value()};
  transit(txn, std::move(next), [response, reply = std::move(reply)](ErrorCode error) mutable {
    if (error != ErrorCode::none) response = {.error_code = error};
    reply(std::move(response));
  });
}

// ---- AddPartitionsToTxn and AddOffsetsToTxn

void TxnCoordinator::add(const std::string& id, ProducerId producer_id, ProducerEpoch epoch,
                         std::vector<TopicPartition> partitions, Outcome outcome) {
  if (id.empty()) return outcome(ErrorCode::invalid_request);
  Txn* txn = find(id);
  if (txn == nullptr || txn->fields.producer_id != producer_id) return outcome(ErrorCode::invalid_producer_id_mapping);
  if (txn->fields.epoch != epoch) return outcome(ErrorCode::producer_fenced);
  if (txn->completing()) {
    // EndTxn is answered before the markers are written, so that the next transaction often begins meanwhile. Kafka
    // answers CONCURRENT_TRANSACTIONS, and the client asks again 20 ms later; the rest takes a few ms here.
    txn->waiting.push_back([this, id, producer_id, epoch, partitions = std::move(partitions),
                            outcome = std::move(outcome)](ErrorCode error) mutable {
      if (error != ErrorCode::none) return outcome(error);
      add(id, producer_id, epoch, std::move(partitions), std::move(outcome));
    });
    return;
  }
  if (txn->pending || being_completed(txn->fields.state)) return outcome(ErrorCode::concurrent_transactions);
  const bool ongoing = txn->fields.state == TxnState::ongoing;
  const auto known = [&](const TopicPartition& partition) { return txn->fields.partitions.contains(partition); };
  if (ongoing && std::all_of(partitions.begin(), partitions.end(), known)) return outcome(ErrorCode::none);
  TxnFields next = txn->fields;
  next.partitions.insert(partitions.begin(), partitions.end());
  const int64_t now = clock_.now_ms();
  next.state = TxnState::ongoing;
  next.updated_ms = now;
  if (!ongoing) {
    next.start_ms = now;
    next.partitions = {partitions.begin(), partitions.end()};
  }
  transit(*txn, std::move(next), std::move(outcome));
}

namespace {

using Topics = std::vector<wire::AddPartitionsToTxnRequest::Topic>;
using TopicResults = std::vector<wire::AddPartitionsToTxnResponse::TopicResult>;

TopicResults results_for(const Topics& topics, const std::function<ErrorCode(const TopicPartition&)>& error_of) {
  TopicResults results;
  for (const auto& topic : topics) {
    auto& result = results.emplace_back();
    result.name = topic.name;
    for (const int32_t partition : topic.partitions) {
      result.results_by_partition.push_back(
          {.partition_index = partition, .partition_error_code = error_of({topic.name, PartitionId(partition)})});
    }
  }
  return results;
}

}  // namespace

void TxnCoordinator::add_topics(const wire::AddPartitionsToTxnRequest::Transaction& asked,
                                std::function<void(TopicResults)> done) {
  const auto exists = [&](const TopicPartition& p) {
    return p.second >= PartitionId(0) && p.second < PartitionId(log_.partition_count(p.first));
  };
  std::vector<TopicPartition> partitions;
  bool all_exist = true;
  for (const auto& topic : asked.topics) {
    for (const int32_t partition : topic.partitions) {
      partitions.emplace_back(topic.name, PartitionId(partition));
      all_exist = all_exist && exists(partitions.back());
    }
  }
  if (!all_exist) {
    return done(results_for(asked.topics, [&](const TopicPartition& p) {
      return exists(p) ? ErrorCode::operation_not_attempted : ErrorCode::unknown_topic_or_partition;
    }));
  }
  if (asked.verify_only) {
    const Txn* txn = find(asked.transactional_id);
    return done(results_for(asked.topics, [&](const TopicPartition& p) {
      if (txn == nullptr || txn->fields.producer_id != ProducerId(asked.producer_id))
        return ErrorCode::invalid_producer_id_mapping;
      if (txn->fields.epoch != ProducerEpoch(asked.producer_epoch)) return ErrorCode::producer_fenced;
      if (txn->pending || being_completed(txn->fields.state)) return ErrorCode::concurrent_transactions;
      return txn->fields.partitions.contains(p) ? ErrorCode::none : ErrorCode::invalid_txn_state;
    }));
  }
  add(asked.transactional_id, ProducerId(asked.producer_id), ProducerEpoch(asked.producer_epoch), std::move(partitions),
      [topics = asked.topics, done = std::move(done)](ErrorCode error) {
        done(results_for(topics, [error](const TopicPartition&) { return error; }));
      });
}

void TxnCoordinator::add_partitions(int16_t version, wire::AddPartitionsToTxnRequest request,
                                    Reply<wire::AddPartitionsToTxnResponse> reply) {
  strand_.run([this, version, request = std::move(request), reply = std::move(reply)] {
    if (version < 4) {
      const wire::AddPartitionsToTxnRequest::Transaction only{.transactional_id = request.v3_and_below_transactional_id,
                                                              .producer_id = request.v3_and_below_producer_id,
                                                              .producer_epoch = request.v3_and_below_producer_epoch,
                                                              .topics = request.v3_and_below_topics};
      return add_topics(only, [version, reply](TopicResults results) {
        for (auto& topic : results) {
          for (auto& p : topic.results_by_partition)
            p.partition_error_code = fenced_for(p.partition_error_code, version, 2);
        }
        reply({.results_by_topic_v3_and_below = std::move(results)});
      });
    }
    struct Gathering {  // shared by the transactions' callbacks; the last one answers
      wire::AddPartitionsToTxnResponse response;
      size_t left = 0;
    };
    auto gathering = std::make_shared<Gathering>();
    gathering->left = request.transactions.size();
    if (gathering->left == 0) return reply({});
    gathering->response.results_by_transaction.resize(request.transactions.size());
    for (size_t i = 0; i < request.transactions.size(); ++i) {
      gathering->response.results_by_transaction[i].transactional_id = request.transactions[i].transactional_id;
      add_topics(request.transactions[i], [gathering, i, reply](TopicResults results) {
        gathering->response.results_by_transaction[i].topic_results = std::move(results);
        if (--gathering->left == 0) reply(std::move(gathering->response));
      });
    }
  });
}

void TxnCoordinator::add_offsets(int16_t version, wire::AddOffsetsToTxnRequest request,
                                 Reply<wire::AddOffsetsToTxnResponse> reply) {
  strand_.run([this, version, request = std::move(request), reply = std::move(reply)] {
    const auto partition = groups_.partition_for(request.group_id);
    if (!partition.ok()) return reply({.error_code = ErrorCode::coordinator_not_available});
    add(request.transactional_id, ProducerId(request.producer_id), ProducerEpoch(request.producer_epoch),
        {{kConsumerOffsets, *partition}},
        [version, reply](ErrorCode error) { reply({.error_code = fenced_for(error, version, 2)}); });
  });
}

void TxnCoordinator::end_txn(int16_t version, wire::EndTxnRequest request, Reply<wire::EndTxnResponse> reply) {
  strand_.run([this, version, request = std::move(request), reply = std::move(reply)] {
    end(request, [version, reply](ErrorCode error) { reply({.error_code = fenced_for(error, version, 2)}); });
  });
}

// ---- DescribeTransactions and ListTransactions

void TxnCoordinator::describe_transactions(wire::DescribeTransactionsRequest request,
                                           Reply<wire::DescribeTransactionsResponse> reply) {
  keep_named_once(request.transactional_ids, [](const std::string& id) { return std::string_view(id); });
  strand_.run([this, request = std::move(request), reply = std::move(reply)] {
    wire::DescribeTransactionsResponse response;
    for (const std::string& id : request.transactional_ids) response.transaction_states.push_back(describe(id));
    reply(std::move(response));
  });
}

wire::DescribeTransactionsResponse::TransactionState TxnCoordinator::describe(const std::string& id) const {
  wire::DescribeTransactionsResponse::TransactionState out{.transactional_id = id};
  const auto at = txns_.find(id);
  if (at == txns_.end()) {
    out.error_code = id.empty() ? ErrorCode::invalid_request : ErrorCode::transactional_id_not_found;
    return out;
  }
  const TxnFields& fields = at->second->fields;
  out.transaction_state = to_string(fields.state);
  out.transaction_timeout_ms = fields.timeout_ms;
  out.transaction_start_time_ms = fields.start_ms;
  out.producer_id = fields.producer_id.value();
  out.producer_epoch = fields.epoch.value();
  for (const auto& [topic, partition] : fields.partitions) {
    if (out.topics.empty() || out.topics.back().topic != topic) out.topics.emplace_back().topic = topic;
    out.topics.back().partitions.push_back(partition.value());
  }
  return out;
}

void TxnCoordinator::list_transactions(wire::ListTransactionsRequest request,
                                       Reply<wire::ListTransactionsResponse> reply) {
  strand_.run([this, request = std::move(request), reply = std::move(reply)] {
    const auto has = [](const auto& set, const auto& value) { return set.empty() || set.contains(value); };
    const std::set<int64_t> producers(request.producer_id_filters.begin(), request.producer_id_filters.end());
    const std::set<std::string_view> states(request.state_filters.begin(), request.state_filters.end());
    wire::ListTransactionsResponse response;
    for (const std::string& name : request.state_filters) {
      if (!parse_txn_state(name)) response.unknown_state_filters.push_back(name);
    }
    const int64_t now = clock_.now_ms();
    for (const auto& [id, txn] : txns_) {
      const TxnFields& fields = txn->fields;
      if (!has(producers, fields.producer_id.value())) continue;
      if (!has(states, to_string(fields.state))) continue;
      if (request.duration_filter >= 0 && now - fields.start_ms <= request.duration_filter) continue;
      response.transaction_states.push_back({.transactional_id = id,
                                             .producer_id = fields.producer_id.value(),
                                             .transaction_state = std::string(to_string(fields.state))});
    }
    reply(std::move(response));
  });
}

// ---- loading

Status TxnCoordinator::load() {
  Status status;
  strand_.run([&] {
    status = read_topic(log_, kTransactionState,
                        [this](PartitionId partition, const wire::BatchHeader& batch, const wire::Record& record) {
                          return load_record(partition, batch, record);
                        });
    if (!status.ok()) return;
    for (const auto& [_, txn] : txns_) {
      open_.set(txn->fields);
      if (being_completed(txn->fields.state)) complete(*txn);
    }
  });
  MUIR_RETURN_IF_ERROR(status);
  repeat(config_.abort_check_ms, [this] { abort_expired_transactions(); });
  repeat(config_.expiration_check_ms, [this] { forget_unused(); });
  return {};
}

Status TxnCoordinator::load_record(PartitionId partition, const wire::BatchHeader& batch, const wire::Record& record) {
  if (batch.control()) return {};
  auto stored = parse_txn_record(record);
  if (!stored.ok()) {
    // One record of a newer format must not keep every transactional id from working.
    log::warn("{}-{}: record at offset {} is skipped: {}", kTransactionState, partition, record.offset,
              stored.status().message());
    return {};
  }
  if (!*stored) return {};
  if (!(*stored)->fields) {
    txns_.erase((*stored)->id);
    return {};
  }
  auto& txn = txns_[(*stored)->id];
  if (!txn) txn = std::make_unique<Txn>();
  txn->id = (*stored)->id;
  txn->fields = std::move(*(*stored)->fields);
  return {};
}

void TxnCoordinator::repeat(int64_t every_ms, std::function<void()> task) {
  scheduler_.schedule(every_ms, on_strand([this, every_ms, task] {
                        task();
                        repeat(every_ms, task);
                      }));
}

}  // namespace muir::broker
