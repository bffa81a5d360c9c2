// OffsetCommit, OffsetFetch, TxnOffsetCommit and the end of transactions.
#include <algorithm>

#include "base/log.h"
#include "broker/api/named_once.h"
#include "broker/groups/group_coordinator.h"
#include "broker/groups/group_records.h"
#include "broker/internal/coordinator_error.h"
#include "wire/batch_builder.h"
#include "wire/murmur2.h"

namespace muir::broker {

using wire::ErrorCode;

namespace {

// What one commit may write: the offsets of some 100,000 partitions.
constexpr size_t kCommitBytesMax = size_t{8} << 20;

// An offset that is on its way to the log.
struct Staged {
  TopicPartition partition;
  CommittedOffset offset;
};

// Answers every partition of a commit: what could not be written got its error before; the rest gets `outcome`.
template <class Response>
void settle(Response& response, ErrorCode outcome) {
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) {
      if (partition.error_code == ErrorCode::none) partition.error_code = outcome;
    }
  }
}

template <class Request, class Response>
Response response_for(const Request& request) {
  Response response;
  for (const auto& topic : request.topics) {
    auto& answer = response.topics.emplace_back();
    answer.name = topic.name;
    for (const auto& partition : topic.partitions) {
      answer.partitions.push_back({.partition_index = partition.partition_index});
    }
  }
  return response;
}

// What is right of a commit, in the order of `builder`, which gets its records; what is wrong has its error in
// `response`. `common` has what all offsets share. Nothing, and everybody's error, when it is too much for one batch.
template <class Request, class Response, class Check>
std::optional<std::vector<Staged>> stage(const Request& request, const CommittedOffset& common, const Check& check,
                                         wire::BatchBuilder& builder, Response& response) {
  std::vector<Staged> out;
  for (size_t t = 0; t < request.topics.size(); ++t) {
    for (size_t p = 0; p < request.topics[t].partitions.size(); ++p) {
      const auto& asked = request.topics[t].partitions[p];
      TopicPartition partition(request.topics[t].name, PartitionId(asked.partition_index));
      ErrorCode& answer = response.topics[t].partitions[p].error_code;
      answer = check(partition, asked.committed_metadata);
      if (answer != ErrorCode::none) continue;
      CommittedOffset offset = common;
      offset.offset = Offset(asked.committed_offset);
      offset.leader_epoch = LeaderEpoch(asked.committed_leader_epoch);
      offset.metadata = asked.committed_metadata.value_or("");
      builder.add(common.commit_timestamp_ms, offset_key(request.group_id, partition), offset_value(offset));
      if (builder.size_bytes() > kCommitBytesMax) {
        settle(response, ErrorCode::unknown_server_error);
        return std::nullopt;
      }
      out.push_back({std::move(partition), std::move(offset)});
    }
  }
  return out;
}

}  // namespace

ErrorCode GroupCoordinator::check_commit(Group* group, GenerationId generation, const std::string& member_id,
                                         const std::optional<std::string>& instance_id, bool transactional) {
  if (group == nullptr) return generation < GenerationId(0) ? ErrorCode::none : ErrorCode::illegal_generation;
  if (group->state == GroupState::dead) return ErrorCode::coordinator_not_available;
  // Tools, and consumers that manage their partitions themselves, commit without being members, to an empty group.
  if (generation < GenerationId(0) && group->state == GroupState::empty) return ErrorCode::none;
  if (generation >= GenerationId(0) || !member_id.empty() || instance_id) {
    const ErrorCode error = group->check_member(member_id, instance_id);
    if (error != ErrorCode::none) return error;
    if (generation != group->generation) return ErrorCode::illegal_generation;
  } else if (!transactional && group->state != GroupState::empty) {
    return ErrorCode::unknown_member_id;
  }
  if (!transactional && group->state == GroupState::completing_rebalance) return ErrorCode::rebalance_in_progress;
  return ErrorCode::none;
}

ErrorCode GroupCoordinator::check_offset(const TopicPartition& partition, const std::optional<std::string>& metadata) {
  const PartitionId end(log_.partition_count(partition.first));
  if (partition.second < PartitionId(0) || partition.second >= end) return ErrorCode::unknown_topic_or_partition;
  if (metadata && metadata->size() > config_.offset_metadata_bytes_max) return ErrorCode::offset_metadata_too_large;
  return ErrorCode::none;
}

void GroupCoordinator::commit(int16_t, wire::OffsetCommitRequest& request, Reply<wire::OffsetCommitResponse> reply) {
  auto response = response_for<wire::OffsetCommitRequest, wire::OffsetCommitResponse>(request);
  Group* group = find(request.group_id);
  const GenerationId generation(request.generation_id_or_member_epoch);
  ErrorCode error = check_commit(group, generation, request.member_id, request.group_instance_id, false);
  if (request.group_id.empty() && generation >= GenerationId(0)) error = ErrorCode::invalid_group_id;
  if (error != ErrorCode::none) {
    settle(response, error);
    return reply(std::move(response));
  }
  const auto check = [this](const TopicPartition& partition, const std::optional<std::string>& metadata) {
    return check_offset(partition, metadata);
  };
  const int64_t now = clock_.now_ms();
  CommittedOffset common{.commit_timestamp_ms = now};
  if (request.retention_time_ms >= 0) common.expire_timestamp_ms = now + request.retention_time_ms;
  wire::BatchBuilder builder;
  auto staged = stage(request, common, check, builder, response);
  if (!staged) return reply(std::move(response));
  if (group != nullptr) {
    Member* member = group->member(request.member_id);
    if (member != nullptr && !member->waits()) member->deadline_ms = clock_.steady_ms() + member->session_timeout_ms;
  }
  if (staged->empty()) return reply(std::move(response));
  const uint64_t serial = group == nullptr ? 0 : group->serial;
  if (group != nullptr) ++group->commits_on_the_way;
  append(request.group_id, builder.build(),
         [this, id = request.group_id, serial, staged = *std::move(staged), response = std::move(response),
          reply = std::move(reply)](const Status& status, Offset base_offset) mutable {
           settle(response, coordinator_error(status));
           if (Group* known = find(id); known != nullptr && known->serial == serial) --known->commits_on_the_way;
           if (status.ok()) {
             Group& committed = find_or_create(id);
             for (Staged& s : staged) {
               s.offset.log_offset = base_offset;
               ++base_offset;
               committed.offsets.commit(s.partition, std::move(s.offset));
             }
           }
           reply(std::move(response));
         });
}

void GroupCoordinator::commit_in_txn(wire::TxnOffsetCommitRequest& request,
                                     Reply<wire::TxnOffsetCommitResponse> reply) {
  auto response = response_for<wire::TxnOffsetCommitRequest, wire::TxnOffsetCommitResponse>(request);
  Group* known = find(request.group_id);
  ErrorCode error =
      check_commit(known, GenerationId(request.generation_id), request.member_id, request.group_instance_id, true);
  if (request.group_id.empty()) error = ErrorCode::invalid_group_id;
  if (error != ErrorCode::none) {
    settle(response, error);
    return reply(std::move(response));
  }
  const auto check = [this](const TopicPartition& partition, const std::optional<std::string>& metadata) {
    return check_offset(partition, metadata);
  };
  const ProducerId producer_id(request.producer_id);
  wire::BatchBuilder builder(
      {.producer_id = producer_id, .producer_epoch = ProducerEpoch(request.producer_epoch), .transactional = true});
  auto staged = stage(request, {.commit_timestamp_ms = clock_.now_ms()}, check, builder, response);
  if (!staged) return reply(std::move(response));
  if (staged->empty()) return reply(std::move(response));
  Group& group = find_or_create(request.group_id);
  for (const Staged& s : *staged) group.offsets.announce(producer_id, s.partition);
  pending_groups_[producer_id].insert(group.id);
  append(group.id, builder.build(),
         [this, id = group.id, producer_id, staged = *std::move(staged), response = std::move(response),
          reply = std::move(reply)](const Status& status, Offset base_offset) mutable {
           settle(response, coordinator_error(status));
           if (!status.ok()) log::warn("group {}: offsets of a transaction: {}", id, status.message());
           if (Group* pending = find(id)) {
             for (Staged& s : staged) {
               s.offset.log_offset = base_offset;
               ++base_offset;
               if (status.ok()) {
                 pending->offsets.stage(producer_id, s.partition, std::move(s.offset));
               } else {
                 pending->offsets.retract(producer_id, s.partition);
               }
             }
           }
           reply(std::move(response));
         });
}

void GroupCoordinator::complete_transaction(ProducerId producer_id, std::vector<PartitionId> partitions, bool commit,
                                            std::function<void()> done) {
  strand_.run([this, producer_id, partitions = std::move(partitions), commit, done = std::move(done)] {
    complete_pending(producer_id, partitions, commit);
    done();
  });
}

void GroupCoordinator::complete_pending(ProducerId producer_id, const std::vector<PartitionId>& partitions,
                                        bool commit) {
  const auto pending = pending_groups_.find(producer_id);
  if (pending == pending_groups_.end()) return;
  const int32_t count = log_.partition_count(kConsumerOffsets);
  std::erase_if(pending->second, [&](const std::string& group_id) {
    const PartitionId partition = wire::partition_for_id(group_id, std::max(count, 1));
    if (std::find(partitions.begin(), partitions.end(), partition) == partitions.end()) return false;
    if (Group* group = find(group_id)) group->offsets.complete(producer_id, commit);
    return true;
  });
  if (pending->second.empty()) pending_groups_.erase(pending);
}

// ---- OffsetFetch

namespace {

// The offset as it is answered: -1 when none is committed, an error while a transaction may change it.
template <class Partition>
Partition fetched(const Group* group, const TopicPartition& partition, bool require_stable) {
  Partition answer{.partition_index = partition.second.value(), .committed_offset = -1, .metadata = ""};
  if (group == nullptr) return answer;
  if (require_stable && group->offsets.is_unstable(partition)) {
    answer.error_code = ErrorCode::unstable_offset_commit;
    return answer;
  }
  if (const CommittedOffset* offset = group->offsets.find(partition)) {
    answer.committed_offset = offset->offset.value();
    answer.committed_leader_epoch = offset->leader_epoch.value();
    answer.metadata = offset->metadata;
  }
  return answer;
}

// Topics of a group, as versions up to 7 (one group) and from 8 on (several) both lay them out.
template <class Topic, class Partition, class AskedTopics>
std::vector<Topic> fetched_topics(const Group* group, const AskedTopics& asked, bool require_stable) {
  std::vector<Topic> topics;
  if (asked) {
    for (const auto& topic : *asked) {
      auto& answer = topics.emplace_back();
      answer.name = topic.name;
      for (const int32_t index : topic.partition_indexes) {
        answer.partitions.push_back(fetched<Partition>(group, {topic.name, PartitionId(index)}, require_stable));
      }
    }
  } else if (group != nullptr) {
    for (const auto& [partition, _] : group->offsets.committed()) {
      if (topics.empty() || topics.back().name != partition.first) topics.emplace_back().name = partition.first;
      topics.back().partitions.push_back(fetched<Partition>(group, partition, require_stable));
    }
  }
  return topics;
}

}  // namespace

wire::OffsetFetchResponse GroupCoordinator::fetch(int16_t version, const wire::OffsetFetchRequest& request) {
  using Response = wire::OffsetFetchResponse;
  Response response;
  if (version < 8) {
    response.topics = fetched_topics<Response::Topic, Response::Partition>(find(request.group_id), request.topics,
                                                                           request.require_stable);
    return response;
  }
  for (const auto& asked : request.groups) {
    response.groups.push_back({.group_id = asked.group_id,
                               .topics = fetched_topics<Response::GroupTopic, Response::GroupPartition>(
                                   find(asked.group_id), asked.topics, request.require_stable)});
  }
  return response;
}

}  // namespace muir::broker
