#include "client/internal/consumer_memory.h"

#include "base/clock.h"
#include "wire/error_code.h"

namespace muir::client::internal {
namespace {

// Keeps the cluster's records alive for the views into them.
class MemoryRecords final : public Records {
 public:
  explicit MemoryRecords(std::map<TopicPartition, std::vector<std::shared_ptr<MemoryRecord>>> taken)
      : taken_(std::move(taken)) {
    for (const auto& [partition, records] : taken_) {
      count_ += records.size();
      for (const auto& record : records) header_count_ += record->headers.size();
    }
    records_.reserve(count_);
    headers_.reserve(header_count_);
    for (const auto& [partition, records] : taken_) {
      const size_t first = records_.size();
      for (const auto& record : records) add(*record);
      partitions_.push_back({partition, std::span<const ConsumedRecord>(records_).subspan(first)});
    }
  }
  [[nodiscard]] std::span<const PartitionRecords> partitions() const override { return partitions_; }
  [[nodiscard]] size_t count() const override { return count_; }

 private:
  void add(const MemoryRecord& record) {
    const size_t first = headers_.size();
    for (const auto& [name, value] : record.headers) headers_.push_back({name, to_view(value)});
    records_.push_back({record.offset, record.timestamp_ms, LeaderEpoch(0), to_view(record.key), to_view(record.value),
                        std::span<const Header>(headers_).subspan(first)});
  }

  std::map<TopicPartition, std::vector<std::shared_ptr<MemoryRecord>>> taken_;
  size_t count_ = 0;
  size_t header_count_ = 0;
  std::vector<ConsumedRecord> records_;
  std::vector<Header> headers_;
  std::vector<PartitionRecords> partitions_;
};

}  // namespace

Result<std::unique_ptr<Consumer>> MemoryConsumer::make(MemoryCluster::State& state, const Properties& properties) {
  const auto it = properties.find("isolation.level");
  const bool committed = it != properties.end() && it->second == "read_committed";
  if (it != properties.end() && !committed && it->second != "read_uncommitted") {
    return error(Code::invalid_argument,
                 "configuration key isolation.level: \"{}\" is neither read_committed nor read_uncommitted",
                 it->second);
  }
  return std::unique_ptr<Consumer>(
      new MemoryConsumer(state, committed ? IsolationLevel::read_committed : IsolationLevel::read_uncommitted));
}

Status MemoryConsumer::check_assigned(const std::vector<TopicPartition>& partitions) const {
  for (const TopicPartition& one : partitions) {
    if (assigned_.contains(one)) continue;
    return error(Code::failed_precondition, "topic={} partition={} is not assigned to this consumer", one.topic,
                 one.partition);
  }
  return {};
}

Status MemoryConsumer::assign(const std::vector<PartitionStart>& add) {
  const std::lock_guard lock(state_.mutex);
  for (const PartitionStart& start : add) {
    const TopicPartition& one = start.partition;
    if (assigned_.contains(one)) {
      return error(Code::already_exists, "assign topic={} partition={}: already assigned", one.topic, one.partition);
    }
    if (start.offset < kOffsetEarliest) {
      return error(Code::invalid_argument, "assign topic={} partition={}: no offset {}", one.topic, one.partition,
                   start.offset);
    }
  }
  for (const PartitionStart& start : add) {
    Assigned& one = assigned_[start.partition];
    one.position = start.offset;
    if (Result<MemoryPartition*> log = state_.partition(start.partition); log.ok()) resolve(**log, one);
  }
  return {};
}

Status MemoryConsumer::unassign(const std::vector<TopicPartition>& remove) {
  const std::lock_guard lock(state_.mutex);
  MUIR_RETURN_IF_ERROR(check_assigned(remove));
  for (const TopicPartition& one : remove) assigned_.erase(one);
  return {};
}

Status MemoryConsumer::seek(const PartitionStart& to) {
  const std::lock_guard lock(state_.mutex);
  MUIR_RETURN_IF_ERROR(check_assigned({to.partition}));
  Assigned& one = assigned_[to.partition];
  one.position = to.offset;
  if (Result<MemoryPartition*> log = state_.partition(to.partition); log.ok()) resolve(**log, one);
  return {};
}

Status MemoryConsumer::pause(const std::vector<TopicPartition>& partitions) {
  const std::lock_guard lock(state_.mutex);
  MUIR_RETURN_IF_ERROR(check_assigned(partitions));
  for (const TopicPartition& one : partitions) assigned_[one].paused = true;
  return {};
}

Status MemoryConsumer::resume(const std::vector<TopicPartition>& partitions) {
  const std::lock_guard lock(state_.mutex);
  MUIR_RETURN_IF_ERROR(check_assigned(partitions));
  for (const TopicPartition& one : partitions) assigned_[one].paused = false;
  return {};
}

void MemoryConsumer::resolve(const MemoryPartition& log, Assigned& one) const {
  if (one.position == kOffsetEarliest) one.position = log.log_start;
  if (one.position == kOffsetLatest) one.position = log.end(isolation_);
}

Status MemoryConsumer::take(const TopicPartition& partition, Assigned& one, size_t limit, Taken& taken) {
  const Result<MemoryPartition*> found = state_.partition(partition);
  if (!found.ok()) return found.status().at(partition);
  if (const auto refused = state_.faults.unreadable_topics.find(partition.topic);
      refused != state_.faults.unreadable_topics.end()) {
    const std::string what = fmt::format("fetch topic={} partition={}", partition.topic, partition.partition);
    return wire::to_status(static_cast<wire::ErrorCode>(refused->second), what).at(partition);
  }
  const MemoryPartition& log = **found;
  resolve(log, one);
  if (one.position < log.log_start || one.position > log.end()) {
    return error(Code::out_of_range, "fetch topic={} partition={}: offset {} is not between {} and {}", partition.topic,
                 partition.partition, one.position, log.log_start, log.end())
        .at(partition);
  }
  const Offset end = log.end(isolation_);
  std::vector<std::shared_ptr<MemoryRecord>> records;
  while (one.position < end && records.size() < limit) {
    const auto& record = log.at(one.position);
    const bool hidden = record->state == StoredRecord::State::control ||
                        (record->state == StoredRecord::State::aborted && isolation_ == IsolationLevel::read_committed);
    if (!hidden) records.push_back(record);
    ++one.position;
  }
  // What a reader sees next may be hidden too: the position moves over it at once, as it does against a real cluster.
  while (one.position < end) {
    const auto state = log.at(one.position)->state;
    if (state != StoredRecord::State::control &&
        !(state == StoredRecord::State::aborted && isolation_ == IsolationLevel::read_committed))
      break;
    ++one.position;
  }
  if (!records.empty()) taken[partition] = std::move(records);
  return {};
}

// Partitions take turns: the one behind the last served comes first, so that a full poll starves nobody.
Result<size_t> MemoryConsumer::take_all(size_t limit, Taken& taken) {
  size_t count = 0;
  auto it = assigned_.upper_bound(served_);
  for (size_t i = 0; i < assigned_.size() && count < limit; ++i, ++it) {
    if (it == assigned_.end()) it = assigned_.begin();
    if (it->second.paused) continue;
    const Status status = take(it->first, it->second, limit - count, taken);
    if (!status.ok()) {
      if (count > 0) break;  // the records first; the next poll starts here and fails
      served_ = it->first;
      return status;
    }
    const auto found = taken.find(it->first);
    if (found == taken.end()) continue;
    count += found->second.size();
    served_ = it->first;
  }
  return count;
}

Polled MemoryConsumer::poll(int64_t timeout_ms, size_t records_max) {
  const int64_t until = system_clock().steady_us() + timeout_ms * 1000;
  std::unique_lock lock(state_.mutex);
  state_.expire();
  Taken taken;
  if (state_.draw(state_.faults.poll_away))
    return PollFailure::of(wire::to_status(wire::ErrorCode::network_exception, "fetch"));
  if (!state_.draw(state_.faults.poll_empty)) {
    while (true) {
      const Result<size_t> count = take_all(records_max, taken);
      if (!count.ok()) return PollFailure::of(count.status());
      if (*count > 0 || woken_ || !state_.wait(lock, until)) break;
    }
  }
  woken_ = false;
  return std::unique_ptr<Records>(new MemoryRecords(std::move(taken)));
}

Result<Offset> MemoryConsumer::position(const TopicPartition& partition) {
  const std::lock_guard lock(state_.mutex);
  MUIR_RETURN_IF_ERROR(check_assigned({partition}));
  const Offset position = assigned_[partition].position;
  if (position >= Offset(0)) return position;
  return error(Code::unavailable, "position topic={} partition={}: nothing has been fetched yet", partition.topic,
               partition.partition);
}

std::optional<Offset> MemoryConsumer::end_offset(const TopicPartition& partition) {
  const std::lock_guard lock(state_.mutex);
  if (!assigned_.contains(partition)) return std::nullopt;
  const Result<MemoryPartition*> log = state_.partition(partition);
  if (!log.ok()) return std::nullopt;
  return (*log)->end(isolation_);
}

void MemoryConsumer::wakeup() {
  const std::lock_guard lock(state_.mutex);
  woken_ = true;
  state_.changed.notify_all();
}

}  // namespace muir::client::internal
