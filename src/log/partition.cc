#include "log/partition.h"

#include <algorithm>

#include "base/log.h"
#include "log/file_names.h"
#include "log/kafka_error.h"

namespace muir::storage {

Partition::Partition(PartitionEnv env, std::string folder, std::string topic, PartitionId index, wire::Uuid topic_id,
                     std::shared_ptr<const TopicConfig> config)
    : env_(std::move(env)),
      folder_(std::move(folder)),
      topic_(std::move(topic)),
      index_(index),
      topic_id_(topic_id),
      config_(std::move(config)) {}

std::string Partition::name() const { return partition_folder(topic_, index_); }

void Partition::Woken::run() {
  for (auto& waiter : waiters) waiter.done(status);
  for (auto& wake : wakes) wake();
}

Status Partition::usable() const {
  if (deleted_) return kafka_error(wire::ErrorCode::unknown_topic_or_partition, "{} has been deleted", name());
  if (closed_) return kafka_error(wire::ErrorCode::not_leader_or_follower, "{} is closed", name());
  return {};
}

Offset Partition::last_stable_offset() const {
  const auto unstable = producers_.first_unstable_offset();
  return unstable ? std::min(*unstable, high_watermark_) : high_watermark_;
}

Offset Partition::bound(Isolation isolation) const {
  switch (isolation) {
    case Isolation::read_uncommitted: return high_watermark_;
    case Isolation::read_committed: return last_stable_offset();
    case Isolation::log_end: return active().next_offset();
  }
  return high_watermark_;
}

Offsets Partition::offsets() const {
  const std::lock_guard guard(mutex_);
  return {log_start_, last_stable_offset(), high_watermark_, active().next_offset()};
}

LeaderEpoch Partition::leader_epoch() const {
  const std::lock_guard guard(mutex_);
  return epochs_.back().epoch;
}

EpochEntry Partition::epoch_end(LeaderEpoch epoch) const {
  const std::lock_guard guard(mutex_);
  if (epoch > epochs_.back().epoch) return {kNoLeaderEpoch, kNoOffset};
  if (epoch == epochs_.back().epoch) return {epoch, active().next_offset()};
  const auto next =
      std::find_if(epochs_.begin(), epochs_.end(), [&](const EpochEntry& entry) { return entry.epoch > epoch; });
  // What has been removed counts as what came before the log: it ended where the log begins.
  if (next == epochs_.begin() || next->start_offset <= log_start_)
    return {epoch, std::max(next->start_offset, log_start_)};
  return {std::prev(next)->epoch, next->start_offset};
}

std::unordered_map<ProducerId, ProducerEntry> Partition::producers() const {
  const std::lock_guard guard(mutex_);
  return producers_.producers();
}

PartitionSize Partition::size() const {
  const std::lock_guard guard(mutex_);
  PartitionSize out;
  out.segments = segments_.size();
  for (const auto& [base, segment] : segments_) out.bytes += segment->size_bytes();
  return out;
}

PartitionWrites Partition::writes() const {
  const std::lock_guard guard(mutex_);
  PartitionWrites out = writes_;
  out.offline = !failure_.ok();
  return out;
}

void Partition::set_config(std::shared_ptr<const TopicConfig> config) {
  const std::lock_guard guard(mutex_);
  config_ = std::move(config);
}

std::shared_ptr<const TopicConfig> Partition::config() const {
  const std::lock_guard guard(mutex_);
  return config_;
}

Offset Partition::recovery_point() const {
  const std::lock_guard guard(mutex_);
  // Below it, the next start trusts index files: those of a segment just rolled may not have reached the disk.
  return unsynced_.empty() ? durable_ : std::min(durable_, unsynced_.front()->base_offset());
}

Offset Partition::cleaned_to() const {
  const std::lock_guard guard(mutex_);
  return cleaned_to_;
}

// ---- append

Result<Appended> Partition::append(const wire::BatchView& batch, OnDurable durable, const Gate& gate) {
  Woken woken;
  Appended out;
  {
    const std::lock_guard guard(mutex_);
    MUIR_RETURN_IF_ERROR(usable());
    if (!failure_.ok()) return failure_;
    if (gate) MUIR_RETURN_IF_ERROR(gate());
    wire::BatchHeader header = batch.header();
    ProducerBatch producer;
    if (header.has_producer_id()) {
      producer = {header.producer_id,
                  header.producer_epoch,
                  header.base_sequence,
                  header.base_sequence < 0 ? -1 : header.last_sequence(),
                  kNoOffset,
                  kNoOffset,
                  header.max_timestamp,
                  header.transactional()};
      const auto repeated = MUIR_TRY(producers_.check(producer));
      if (repeated) {
        out = {repeated->last_offset - repeated->offset_delta, repeated->last_offset,
               config_->log_append_time ? repeated->timestamp : -1, log_start_, true};
      }
    }
    if (out.repeated) {
      if (durable) after_append(out.last_offset + 1, std::move(durable), woken);
    } else {
      out = MUIR_TRY(append_new(batch, header));
      after_append(header.next_offset(), std::move(durable), woken);
    }
  }
  woken.run();
  return out;
}

// Gives the batch its place. `header` becomes what is stored.
Result<Appended> Partition::append_new(const wire::BatchView& batch, wire::BatchHeader& header) {
  std::optional<int64_t> append_time;
  if (config_->log_append_time) header.max_timestamp = *(append_time = env_.clock->now_ms());
  if (Status rolled = roll_for(header, header.size_bytes()); !rolled.ok()) return note_write(std::move(rolled));
  header.base_offset = active().next_offset();
  header.partition_leader_epoch = epochs_.back().epoch;
  MUIR_RETURN_IF_ERROR(note_write(write(batch, header, append_time)));
  remember(header, std::nullopt, active());
  traffic_.records_in.fetch_add(static_cast<uint64_t>(std::max(header.record_count, 0)), std::memory_order_relaxed);
  traffic_.bytes_in.fetch_add(header.size_bytes(), std::memory_order_relaxed);
  return Appended{header.base_offset, header.last_offset(), append_time.value_or(-1), log_start_, false};
}

Result<Appended> Partition::append_end_txn(wire::ControlType type, ProducerId producer_id, ProducerEpoch producer_epoch,
                                           LeaderEpoch coordinator_epoch, OnDurable durable) {
  const Bytes bytes = wire::control_batch(type, producer_id, producer_epoch, coordinator_epoch, env_.clock->now_ms());
  const wire::BatchView batch = MUIR_TRY(wire::BatchView::parse(bytes));
  Woken woken;
  Appended out;
  {
    const std::lock_guard guard(mutex_);
    MUIR_RETURN_IF_ERROR(usable());
    if (!failure_.ok()) return failure_;
    MUIR_RETURN_IF_ERROR(producers_.check_marker(producer_id, producer_epoch, coordinator_epoch));
    wire::BatchHeader header = batch.header();
    if (Status rolled = roll_for(header, header.size_bytes()); !rolled.ok()) return note_write(std::move(rolled));
    header.base_offset = active().next_offset();
    header.partition_leader_epoch = epochs_.back().epoch;
    MUIR_RETURN_IF_ERROR(note_write(write(batch, header, std::nullopt)));
    remember(header, wire::ControlRecord{type, coordinator_epoch}, active());
    out = {header.base_offset, header.base_offset, -1, log_start_, false};
    after_append(header.next_offset(), std::move(durable), woken);
  }
  woken.run();
  return out;
}

// The disk takes no more, as a rule because it is full: clients are told so, and the log once in a while, also when
// small batches still find room between large ones. Nothing of the batch counts, and the next one that the disk takes
// goes to the same place.
Status Partition::note_write(Status status) {
  constexpr int64_t kComplaintMs = 30'000;
  writes_.refusing = !status.ok();
  writes_.refused += status.ok() ? 0 : 1;
  if (status.ok()) {
    if (complained_) log::info("{}: the disk takes writes again; {} were refused", name(), refused_writes_);
    complained_ = false;
    return status;
  }
  const int64_t now = env_.clock->steady_ms();
  refused_writes_ = complained_ || now < next_complaint_ms_ ? refused_writes_ + 1 : 1;
  if (now >= next_complaint_ms_) {
    next_complaint_ms_ = now + kComplaintMs;
    complained_ = true;
    // What the coordinators make of it (broker/internal/coordinator_error.h).
    const bool coordinators = topic_ == "__consumer_offsets" || topic_ == "__transaction_state";
    log::error("{}: {}; clients get {} until there is space ({} refused so far)", name(), status.message(),
               wire::name_of(coordinators ? wire::ErrorCode::not_coordinator : wire::ErrorCode::kafka_storage_error),
               refused_writes_);
  }
  return Status(status.code(), fmt::format("{}: {}", name(), status.message()),
                wire::kafka(wire::ErrorCode::kafka_storage_error));
}

// The payload goes to the file as it came; of the header only what the checksum does not cover is changed, unless
// the topic wants the broker's time in every batch.
Status Partition::write(const wire::BatchView& batch, const wire::BatchHeader& stamped,
                        std::optional<int64_t> append_time) {
  const int64_t interval = config_->index_interval_bytes;
  if (append_time) {
    Bytes copy(batch.bytes());
    wire::set_max_timestamp(copy, true, *append_time);
    wire::set_base_offset(copy.data(), stamped.base_offset);
    wire::set_partition_leader_epoch(copy.data(), stamped.partition_leader_epoch);
    const BytesView whole(copy);
    return active().append(std::span(&whole, 1), stamped, interval);
  }
  std::array<char, wire::kBatchHeaderBytes> front;
  std::copy_n(batch.bytes().data(), front.size(), front.data());
  wire::set_base_offset(front.data(), stamped.base_offset);
  wire::set_partition_leader_epoch(front.data(), stamped.partition_leader_epoch);
  const BytesView pieces[] = {BytesView(front.data(), front.size()), batch.payload()};
  return active().append(pieces, stamped, interval);
}

// Updates what the log knows of producers and transactions with an appended or replayed batch.
void Partition::remember(const wire::BatchHeader& header, const std::optional<wire::ControlRecord>& marker,
                         Segment& segment) {
  if (!header.has_producer_id()) return;
  if (!header.control()) {
    producers_.append({header.producer_id, header.producer_epoch, header.base_sequence,
                       header.base_sequence < 0 ? -1 : header.last_sequence(), header.base_offset, header.last_offset(),
                       header.max_timestamp, header.transactional()});
    return;
  }
  if (!marker || marker->type == wire::ControlType::unknown) return;
  const auto first = producers_.append_marker(header.producer_id, header.producer_epoch, marker->coordinator_epoch,
                                              header.base_offset, header.max_timestamp);
  if (!first || marker->type != wire::ControlType::abort) return;
  // Kafka's "last stable offset" of an entry: where the log would be stable once this transaction counted as ended.
  const auto open = producers_.first_open_offset();
  segment.add_aborted({header.producer_id, *first, header.base_offset, open.value_or(header.next_offset())});
}

Status Partition::roll_for(const wire::BatchHeader& header, size_t bytes) {
  const Segment& segment = active();
  if (segment.empty()) return {};
  const bool full = segment.size_bytes() + bytes > static_cast<uint64_t>(config_->segment_bytes) ||
                    segment.size_bytes() + bytes > INT32_MAX;
  const bool offsets_full = segment.next_offset() + header.last_offset_delta - segment.base_offset() > INT32_MAX;
  const int64_t newest = header.max_timestamp >= 0 ? header.max_timestamp : env_.clock->now_ms();
  const bool old = newest - segment.first_timestamp() > config_->segment_ms;
  if (!full && !offsets_full && !old) return {};
  return roll();
}

Status Partition::roll() {
  Segment& old = active();
  const Offset next = old.next_offset();
  MUIR_RETURN_IF_ERROR(old.trim());
  MUIR_RETURN_IF_ERROR(old.seal());
  MUIR_RETURN_IF_ERROR(
      env_.env->write_file(folder_ + "/" + segment_file(next, kSnapshotSuffix), producers_.encode_snapshot()));
  auto fresh = MUIR_TRY(Segment::create(*env_.env, folder_, next, env_.clock->now_ms()));
  unsynced_.push_back(segments_.rbegin()->second);
  segments_[next] = std::move(fresh);
  folder_unsynced_ = true;
  if (!flush_requested_) {
    flush_requested_ = true;
    env_.request_flush(*this);
  }
  return {};
}

void Partition::after_append(Offset end, OnDurable durable, Woken& woken) {
  raise_high_watermark(active().next_offset(), woken);
  const bool sync = env_.sync_before_confirm;
  // Even what is durable already (a repetition) is confirmed by the flushing thread, to keep the order.
  if (durable) (sync ? waiters_ : woken.waiters).push_back({end, std::move(durable)});
  if (flush_requested_ || (!sync && !config_->flush)) return;
  flush_requested_ = true;
  env_.request_flush(*this);
}

void Partition::raise_high_watermark(Offset offset, Woken& woken) {
  if (offset <= high_watermark_) return;
  high_watermark_ = offset;
  producers_.on_high_watermark(offset);
  for (auto& [id, wake] : watchers_) woken.wakes.push_back(std::move(wake));
  watchers_.clear();
}

// ---- durability

Status Partition::flush() {
  std::vector<SegmentPtr> targets;
  Offset end;
  bool folder = false;
  {
    const std::lock_guard guard(mutex_);
    flush_requested_ = false;
    if (deleted_ || !failure_.ok()) return failure_;
    targets = unsynced_;
    targets.push_back(segments_.rbegin()->second);
    end = active().next_offset();
    folder = std::exchange(folder_unsynced_, false);
  }
  Status status;
  const int64_t began_us = env_.clock->steady_us();
  for (const auto& segment : targets) {
    if (status.ok()) status = segment->sync();
  }
  // From here on a start knows that what these segments lack is damage, and no write that never ended.
  if (targets.size() > 1 && status.ok()) mark_wanted_ = targets.back()->base_offset();
  if (mark_saved_ < mark_wanted_ && status.ok() && save_durable_mark(mark_wanted_).ok()) mark_saved_ = mark_wanted_;
  // The name of the topic alone does not say whose records these are: the id must be there with the first of them.
  if (folder && status.ok()) status = sync_metadata();
  if (folder && status.ok()) status = env_.env->sync_folder(folder_);
  if (folder && status.ok()) status = env_.env->sync_folder(parent_folder(folder_));
  if (env_.flush_seconds != nullptr) env_.flush_seconds->observe_us(env_.clock->steady_us() - began_us);

  Woken woken;
  {
    const std::lock_guard guard(mutex_);
    if (deleted_) return {};
    if (!status.ok()) {
      // After a failed fsync the kernel may have dropped the pages: nothing that follows could be trusted.
      failure_ =
          Status(Code::io_error, name() + ": " + status.message(), wire::kafka(wire::ErrorCode::kafka_storage_error));
      high_watermark_ = std::min(high_watermark_, durable_);
      log::error("{}: the log is offline: {}", name(), status.message());
      fail_all(failure_, woken);
    } else {
      // The last one, active at the start, may have been rolled meanwhile: its index files are younger than this sync.
      const auto rolled_end = std::prev(targets.end());
      std::erase_if(unsynced_, [&](const SegmentPtr& segment) {
        return std::find(targets.begin(), rolled_end, segment) != rolled_end;
      });
      durable_ = std::max(durable_, end);
      const auto done = std::stable_partition(waiters_.begin(), waiters_.end(),
                                              [&](const Waiter& waiter) { return waiter.offset > durable_; });
      std::move(done, waiters_.end(), std::back_inserter(woken.waiters));
      waiters_.erase(done, waiters_.end());
    }
  }
  woken.run();
  return status;
}

Status Partition::sync_metadata() {
  for (const auto name : {kMetadataFile, kDurableMarkFile}) {
    const auto file = env_.env->open(folder_ + "/" + std::string(name), OpenMode::read);
    if (!file.ok() && file.status().code() == Code::not_found) continue;
    MUIR_RETURN_IF_ERROR(file);
    MUIR_RETURN_IF_ERROR((*file)->sync());
  }
  return {};
}

Status Partition::save_durable_mark(Offset offset) {
  return env_.env->replace_file(folder_ + "/" + std::string(kDurableMarkFile), encode_durable_mark(offset));
}

void Partition::fail_all(const Status& status, Woken& woken) {
  woken.status = status;
  std::move(waiters_.begin(), waiters_.end(), std::back_inserter(woken.waiters));
  waiters_.clear();
  for (auto& [id, wake] : watchers_) woken.wakes.push_back(std::move(wake));
  watchers_.clear();
}

void Partition::when_durable(Offset offset, std::function<void(const Status&)> done) {
  Status status;
  {
    const std::lock_guard guard(mutex_);
    status = failure_.ok() ? usable() : failure_;
    if (status.ok() && durable_ < offset) {
      waiters_.push_back({offset, std::move(done)});
      if (!flush_requested_) {
        flush_requested_ = true;
        env_.request_flush(*this);
      }
      return;
    }
  }
  done(status);
}

Partition::WatchId Partition::watch(std::function<void()> wake) {
  const std::lock_guard guard(mutex_);
  const WatchId id = next_watch_++;
  watchers_.emplace(id, std::move(wake));
  return id;
}

void Partition::unwatch(WatchId id) {
  const std::lock_guard guard(mutex_);
  watchers_.erase(id);
}

void Partition::mark_deleted() {
  Woken woken;
  {
    const std::lock_guard guard(mutex_);
    deleted_ = true;
    fail_all(usable(), woken);
  }
  woken.run();
}

Status Partition::close() {
  MUIR_RETURN_IF_ERROR(flush());
  Woken woken;
  {
    const std::lock_guard guard(mutex_);
    if (closed_ || deleted_) return {};
    closed_ = true;
    fail_all(usable(), woken);
    for (const auto& rolled : std::exchange(unsynced_, {})) MUIR_RETURN_IF_ERROR(rolled->sync());
    Segment& segment = active();
    MUIR_RETURN_IF_ERROR(segment.trim());
    MUIR_RETURN_IF_ERROR(segment.seal());
    MUIR_RETURN_IF_ERROR(segment.sync());
    // Only the snapshot at the end and the one before it are of use to the next start.
    MUIR_RETURN_IF_ERROR(env_.env->replace_file(folder_ + "/" + segment_file(segment.next_offset(), kSnapshotSuffix),
                                                producers_.encode_snapshot()));
    durable_ = segment.next_offset();
  }
  woken.run();
  return {};
}

}  // namespace muir::storage
