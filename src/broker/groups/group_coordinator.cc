#include "broker/groups/group_coordinator.h"

#include <algorithm>

#include "base/log.h"
#include "broker/api/named_once.h"
#include "broker/groups/group_records.h"
#include "wire/batch_builder.h"
#include "wire/murmur2.h"

namespace muir::broker {

using wire::ErrorCode;

GroupCoordinator::GroupCoordinator(GroupConfig config, PartitionLog& log, Scheduler& scheduler, Clock& clock)
    : config_(config), log_(log), scheduler_(scheduler), clock_(clock) {}

Result<PartitionId> GroupCoordinator::partition_for(const std::string& group_id) {
  return wire::partition_for_id(group_id, MUIR_TRY(log_.open_internal_topic(kConsumerOffsets)));
}

// A task that runs on the strand, and not at all once the coordinator is gone.
std::function<void()> GroupCoordinator::on_strand(std::function<void()> task) {
  return [this, alive = std::weak_ptr<char>(alive_), task = std::move(task)] {
    if (!alive.expired()) strand_.run(task);
  };
}

void GroupCoordinator::join_group(GroupClient client, wire::JoinGroupRequest request, JoinReply reply) {
  strand_.run([this, client = std::move(client), request = std::move(request), reply = std::move(reply)]() mutable {
    join(client, request, std::move(reply));
  });
}

void GroupCoordinator::sync_group(wire::SyncGroupRequest request, SyncReply reply) {
  strand_.run(
      [this, request = std::move(request), reply = std::move(reply)]() mutable { sync(request, std::move(reply)); });
}

void GroupCoordinator::heartbeat(wire::HeartbeatRequest request, Reply<wire::HeartbeatResponse> reply) {
  strand_.run([this, request = std::move(request), reply = std::move(reply)] { reply({.error_code = beat(request)}); });
}

void GroupCoordinator::offset_commit(int16_t version, wire::OffsetCommitRequest request,
                                     Reply<wire::OffsetCommitResponse> reply) {
  strand_.run([this, version, request = std::move(request), reply = std::move(reply)]() mutable {
    commit(version, request, std::move(reply));
  });
}

void GroupCoordinator::offset_fetch(int16_t version, wire::OffsetFetchRequest request,
                                    Reply<wire::OffsetFetchResponse> reply) {
  // All offsets of a group are told once, however often they are asked for.
  const auto repeated = repeated_places(request.groups, [](const auto& group) {
    return std::make_pair(group.topics.has_value(), std::string_view(group.group_id));
  });
  size_t place = 0;
  std::erase_if(request.groups, [&](const auto& group) { return repeated[place++] && !group.topics; });
  strand_.run(
      [this, version, request = std::move(request), reply = std::move(reply)] { reply(fetch(version, request)); });
}

void GroupCoordinator::txn_offset_commit(wire::TxnOffsetCommitRequest request,
                                         Reply<wire::TxnOffsetCommitResponse> reply) {
  strand_.run([this, request = std::move(request), reply = std::move(reply)]() mutable {
    commit_in_txn(request, std::move(reply));
  });
}

void GroupCoordinator::expire_offsets() {
  strand_.run([this] { expire(); });
}

Group* GroupCoordinator::find(const std::string& group_id) {
  const auto at = groups_.find(group_id);
  return at == groups_.end() ? nullptr : at->second.get();
}

Group& GroupCoordinator::find_or_create(const std::string& group_id) {
  GroupPtr& slot = groups_[group_id];
  if (!slot) slot = std::make_unique<Group>(group_id, next_group_serial_++, counts_, members_bytes_);
  return *slot;
}

void GroupCoordinator::append(const std::string& group_id, Bytes batch,
                              std::function<void(const Status&, Offset)> done) {
  const auto partition = partition_for(group_id);
  if (!partition.ok()) return done(partition.status(), kNoOffset);
  log_.append(kConsumerOffsets, *partition, std::move(batch),
              [this, done = std::move(done)](const Status& status, Offset base_offset) {
                strand_.run([done, status, base_offset] { done(status, base_offset); });
              });
}

// ---- loading

Status GroupCoordinator::load() {
  Status status;
  strand_.run([&] {
    status = read_topic(log_, kConsumerOffsets,
                        [this](PartitionId partition, const wire::BatchHeader& batch, const wire::Record& record) {
                          return load_record(partition, batch, record);
                        });
    if (status.ok()) finish_load();
  });
  MUIR_RETURN_IF_ERROR(status);
  schedule_expiry();
  return {};
}

void GroupCoordinator::schedule_expiry() {
  scheduler_.schedule(config_.offsets_retention_check_ms, on_strand([this] {
                        expire();
                        schedule_expiry();
                      }));
}

Status GroupCoordinator::load_record(PartitionId partition, const wire::BatchHeader& batch,
                                     const wire::Record& record) {
  if (batch.control()) {
    const auto control = MUIR_TRY(wire::parse_control_record(record));
    if (control.type == wire::ControlType::unknown) return {};
    complete_pending(batch.producer_id, {partition}, control.type == wire::ControlType::commit);
    return {};
  }
  auto stored = parse_group_record(record);
  if (!stored.ok()) {
    // One record of a newer format must not keep every group of the partition from working.
    log::warn("__consumer_offsets-{}: record at offset {} is skipped: {}", partition, record.offset,
              stored.status().message());
    return {};
  }
  if (auto* offset = std::get_if<OffsetRecord>(&*stored)) {
    Group& group = find_or_create(offset->group_id);
    if (batch.transactional()) {
      load_in_txn(group, partition, batch.producer_id, *offset);
    } else if (offset->offset) {
      group.offsets.commit(offset->partition, std::move(*offset->offset));
    } else {
      group.offsets.remove(offset->partition);
    }
  } else if (const auto* metadata = std::get_if<GroupRecord>(&*stored)) {
    load_group(metadata->group_id, metadata->value);
  }
  return {};
}

// Where markers are lost, the log tells what has become of each transaction: without one, its offsets would wait for an
// end that does not come, or take that of the producer's next transaction for theirs.
void GroupCoordinator::load_in_txn(Group& group, PartitionId partition, ProducerId producer_id, OffsetRecord& record) {
  if (!record.offset) return;
  const auto fate = log_.fate(kConsumerOffsets, partition, producer_id, record.offset->log_offset);
  if (!fate || *fate == storage::TxnFate::open) {
    pending_groups_[producer_id].insert(group.id);
    return group.offsets.stage(producer_id, record.partition, std::move(*record.offset));
  }
  if (*fate == storage::TxnFate::committed) return group.offsets.commit(record.partition, std::move(*record.offset));
  if (*fate == storage::TxnFate::aborted) return;
  log::error(
      "group {}: whether its offset {} of {}-{} was committed is not known, as the end of the transaction of producer "
      "{} "
      "is lost ({}-{}, offset {}). It does not count: the group goes on from the offset before, and may see records "
      "again. If it was, set it with kafka-consumer-groups --reset-offsets",
      group.id, record.offset->offset, record.partition.first, record.partition.second, producer_id, kConsumerOffsets,
      partition, record.offset->log_offset);
}

void GroupCoordinator::load_group(const std::string& group_id, const std::optional<wire::GroupMetadataValue>& value) {
  GroupOffsets offsets = std::move(find_or_create(group_id).offsets);
  auto loaded = std::make_unique<Group>(group_id, next_group_serial_++, counts_, members_bytes_);
  loaded->offsets = std::move(offsets);
  if (value) {
    for (const auto& m : value->members) {
      loaded->add({.id = m.member_id,
                   .instance_id = m.group_instance_id,
                   .client_id = m.client_id,
                   .client_host = m.client_host,
                   .rebalance_timeout_ms = m.rebalance_timeout == -1 ? m.session_timeout : m.rebalance_timeout,
                   .session_timeout_ms = m.session_timeout,
                   .protocols = {{value->protocol.value_or(""), m.subscription}},
                   .assignment = m.assignment,
                   .synced = true});
    }
    loaded->generation = GenerationId(value->generation);
    if (!value->protocol_type.empty()) loaded->protocol_type = value->protocol_type;
    loaded->protocol = value->protocol;
    loaded->leader = value->leader;
    loaded->state = value->members.empty() ? GroupState::empty : GroupState::stable;
    loaded->state_timestamp_ms = value->current_state_timestamp;
  }
  groups_[group_id] = std::move(loaded);
}

void GroupCoordinator::finish_load() {
  const int64_t now = clock_.steady_ms();
  for (auto at = groups_.begin(); at != groups_.end();) {
    Group& group = *at->second;
    if (group.members.empty() && group.offsets.empty() && group.generation == GenerationId(0)) {
      at = groups_.erase(at);
      continue;
    }
    // Members of before the restart have one session timeout to show that they are alive.
    for (auto& [_, member] : group.members) member.deadline_ms = now + member.session_timeout_ms;
    arm_timer(group);
    ++at;
  }
}

}  // namespace muir::broker
