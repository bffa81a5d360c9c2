#include "streams/runtime/stream_task.h"

#include <algorithm>

#include "base/log.h"
#include "streams/group/subscription_info.h"
#include "streams/nodes/runner.h"

namespace muir::streams::internal {
namespace {

constexpr int64_t kCheckpointEvery = 10'000;  // changelog records; Kafka Streams' threshold
constexpr int64_t kLagFreshMs = 100;          // as long as "nothing more on the broker" is believed

const SubtopologyPlan& find_plan(const TopologyPlan& plan, int32_t id) {
  for (const auto& sub : plan.subtopologies()) {
    if (sub.id == id) return sub;
  }
  CHECK(false, "no subtopology {}", id);
  return plan.subtopologies().front();
}

}  // namespace

StreamTask::StreamTask(TaskId id, std::vector<client::TopicPartition> partitions, const RuntimeContext& context,
                       RecordCollector& sink, store::CacheBudget& cache, std::shared_ptr<TaskCounters> counters)
    : id_(id),
      partitions_(std::move(partitions)),
      context_(context),
      sink_(sink),
      cache_(cache),
      counters_(std::move(counters)),
      folder_(context.directory->task_folder(id)),
      group_(partitions_,
             [this](const std::string& topic, const client::ConsumedRecord& record, int64_t partition_time) {
               return runner_->extract_timestamp(topic, record, partition_time);
             }),
      inputs_(partitions_.size()) {
  ++context_.counters->tasks_created;
  counters_->thread.tasks_created.add();
}

StreamTask::~StreamTask() {
  if (runner_) close_dirty(false);
  ++context_.counters->tasks_closed;
  counters_->thread.tasks_closed.add();
}

Status StreamTask::open(const TaskStart& start) {
  const SubtopologyPlan& plan = find_plan(*context_.plan, id_.subtopology);
  std::optional<Checkpoint> checkpoint = context_.directory->read_checkpoint(folder_);
  if (context_.config->exactly_once) {
    // Without a checkpoint the stores may hold what an aborted transaction wrote.
    MUIR_RETURN_IF_ERROR(checkpoint ? context_.directory->remove_checkpoint(folder_)
                                    : context_.directory->wipe(folder_));
  }
  MUIR_RETURN_IF_ERROR(context_.directory->make_folder(folder_));

  RunnerEnvironment environment;
  environment.application_id = context_.config->application_id;
  environment.task = id_;
  environment.state_dir = folder_;
  environment.files = &context_.directory->files();
  environment.sink = &sink_;
  environment.clock = context_.clock;
  environment.serdes = context_.serdes;
  environment.on_failure = context_.on_failure;
  environment.exactly_once = context_.config->exactly_once;
  environment.cache = &cache_;
  environment.request_commit = [this] { commit_requested_ = true; };
  environment.global_store = context_.global_store;
  runner_ = MUIR_TRY(make_runner(context_.plan, id_.subtopology, std::move(environment)));
  MUIR_RETURN_IF_ERROR(runner_->open_stores());
  runner_->restore_metadata(start.store_times);

  plan_changelogs(plan, start, checkpoint);
  const auto& queues = group_.queues();
  for (size_t i = 0; i < queues.size(); ++i) {
    const auto& tp = queues[i]->partition();
    const auto offset = start.committed.find(tp);
    if (offset != start.committed.end()) {
      inputs_[i].start = offset->second;
      committed_[tp] = offset->second;
    } else {
      const bool earliest = context_.plan->source_settings(tp.topic).earliest.value_or(context_.config->reset_earliest);
      inputs_[i].start = earliest ? client::kOffsetEarliest : client::kOffsetLatest;
    }
    const auto time = start.partition_times.find(tp);
    if (time != start.partition_times.end()) group_.set_partition_time(*queues[i], time->second);
  }
  return {};
}

void StreamTask::plan_changelogs(const SubtopologyPlan& plan, const TaskStart& start,
                                 const std::optional<Checkpoint>& checkpoint) {
  for (const auto& store : plan.stores) {
    if (store.changelog_topic.empty()) continue;
    Changelog changelog{.store = store.name, .partition = {store.changelog_topic, id_.partition}};
    store::StateStore* opened = runner_->store(store.name);
    if (checkpoint && opened != nullptr && opened->persistent()) {
      const auto known = checkpoint->find(changelog.partition);
      if (known != checkpoint->end() && known->second >= Offset(0)) changelog.start = known->second + 1;
    }
    // A table's own topic is its changelog: up to the committed offset its records belong into the store. The rest
    // comes as input, and must, as what stands behind the table has not seen it.
    if (store.source_topic_is_changelog) {
      const auto committed = start.committed.find(changelog.partition);
      changelog.end_limit = committed == start.committed.end() ? Offset(0) : committed->second;
    }
    changelogs_.push_back(std::move(changelog));
  }
}

Status StreamTask::restore(const Changelog& changelog, std::span<const client::ConsumedRecord> records) {
  const Status restored = runner_->restore_store(changelog.store, records);
  if (restored.ok()) {
    context_.counters->records_restored += records.size();
    counters_->restored.add(records.size());
  }
  return restored;
}

void StreamTask::on_restore_progress() {
  int64_t remaining = 0;
  for (const Changelog& changelog : changelogs_) remaining += changelog.remaining();
  counters_->restore_remaining.set(remaining);
}

Status StreamTask::run() {
  MUIR_RETURN_IF_ERROR(runner_->init_processors());
  for (const auto& store : find_plan(*context_.plan, id_.subtopology).stores) {
    if (store::StateStore* opened = runner_->store(store.name)) context_.stores->add(store.name, id_.partition, opened);
  }
  for (const auto& changelog : changelogs_)
    last_checkpoint_sum_ += std::max(changelog_offset(changelog), Offset(0)).value();
  running_ = true;
  return {};
}

std::vector<client::PartitionStart> StreamTask::starts() const {
  std::vector<client::PartitionStart> out;
  for (size_t i = 0; i < inputs_.size(); ++i) out.push_back({group_.queues()[i]->partition(), inputs_[i].start});
  return out;
}

size_t StreamTask::index_of(const client::TopicPartition& partition) const {
  const auto& queues = group_.queues();
  for (size_t i = 0; i < queues.size(); ++i) {
    if (queues[i]->partition() == partition) return i;
  }
  return queues.size();
}

void StreamTask::add(const client::TopicPartition& partition, std::shared_ptr<client::Records> owner,
                     std::span<const client::ConsumedRecord> records, std::vector<client::TopicPartition>& pause) {
  const size_t index = index_of(partition);
  if (index == inputs_.size()) return;
  PartitionQueue& queue = *group_.queues()[index];
  const uint64_t dropped = queue.dropped();
  group_.add(queue, std::move(owner), records);
  commit_needed_ |= queue.dropped() != dropped;
  count_drops();
  Input& input = inputs_[index];
  input.caught_up = false;
  if (!input.paused && full(queue)) {
    input.paused = true;
    pause.push_back(partition);
  }
}

bool StreamTask::full(const PartitionQueue& queue) const {
  return queue.size() > static_cast<size_t>(context_.config->buffered_records_per_partition) ||
         (queue.bytes() > buffer_bytes_ && !queue.empty());
}

// Whether the record with the lowest timestamp may be processed although some partitions are empty.
bool StreamTask::ready(int64_t now_ms) {
  const int64_t idle_ms = context_.config->max_task_idle_ms;
  if (group_.next() == nullptr) return false;
  // KIP-695: -1 never waits; 0 waits for data that the broker is known to have; more also waits for producers.
  if (idle_ms < 0) return true;
  if (group_.all_buffered()) {
    idle_since_ms_ = -1;
    return true;
  }
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (!group_.queues()[i]->empty()) continue;
    if (!inputs_[i].caught_up || now_ms - inputs_[i].caught_up_at_ms > kLagFreshMs) return false;
  }
  if (idle_ms == 0) return true;
  if (idle_since_ms_ < 0) idle_since_ms_ = now_ms;
  return now_ms - idle_since_ms_ >= idle_ms;
}

void StreamTask::collect_unknown_lags(int64_t now_ms, std::vector<client::TopicPartition>& out) const {
  if (!running_ || context_.config->max_task_idle_ms < 0 || group_.next() == nullptr || group_.all_buffered()) return;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (!group_.queues()[i]->empty()) continue;
    if (!inputs_[i].caught_up || now_ms - inputs_[i].caught_up_at_ms > kLagFreshMs) {
      out.push_back(group_.queues()[i]->partition());
    }
  }
}

void StreamTask::set_caught_up(const client::TopicPartition& partition, bool caught_up, int64_t now_ms) {
  const size_t index = index_of(partition);
  if (index == inputs_.size()) return;
  inputs_[index].caught_up = caught_up;
  inputs_[index].caught_up_at_ms = now_ms;
}

Result<size_t> StreamTask::process(size_t records_max, int64_t now_ms, std::vector<client::TopicPartition>& resume) {
  if (!ready(now_ms)) return 0;
  const int64_t began_us = context_.clock->steady_us();
  size_t count = 0;
  while (count < records_max && ready(now_ms)) {
    PartitionQueue& queue = *group_.next();
    const auto& tp = queue.partition();
    MUIR_RETURN_IF_ERROR(runner_->process(tp.topic, tp.partition, *queue.head()));
    group_.pop();
    commit_needed_ = true;
    ++count;
    Input& input = inputs_[queue.index()];
    if (input.paused && !full(queue)) {
      input.paused = false;
      resume.push_back(tp);
    }
  }
  context_.counters->records_processed += count;
  counters_->process.add(count, context_.clock->steady_us() - began_us);
  counters_->buffered.set(static_cast<int64_t>(group_.buffered()));
  count_drops();
  return count;
}

Result<bool> StreamTask::punctuate(int64_t now_ms) {
  bool any = false;
  if (group_.stream_time() >= 0) any = MUIR_TRY(runner_->punctuate_stream_time(group_.stream_time()));
  if (MUIR_TRY(runner_->punctuate_wall_clock(now_ms))) any = true;
  commit_needed_ |= any;
  if (any) count_drops();
  return any;
}

Status StreamTask::flush() {
  const Status flushed = runner_->flush();
  return flushed.ok() ? flushed : flushed.annotate("flush task " + streams::to_string(id_));
}

void StreamTask::offsets(const std::function<Result<Offset>(const client::TopicPartition&)>& position,
                         client::Offsets& out) const {
  for (const auto& queue : group_.queues()) {
    Offset next = queue->next_offset();
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    if (!queue->empty()) {
      if (next == kNoOffset) continue;  // nothing of this partition was processed yet
      next = queue->head()->offset;
      leader_epoch = queue->head()->leader_epoch;
    } else if (const Result<Offset> at = position(queue->partition()); at.ok()) {
      next = std::max(next, *at);  // past control records and aborted ones
    }
    // Nothing new is not worth a record in the coordinator's topic.
    const auto before = committed_.find(queue->partition());
    if (next == kNoOffset || (before != committed_.end() && before->second == next)) continue;
    out[queue->partition()] = {.offset = next,
                               .leader_epoch = leader_epoch,
                               .metadata = encode_commit_metadata(
                                   {.partition_time_ms = queue->partition_time(), .store_times = runner_->metadata()})};
  }
}

void StreamTask::offsets_again(client::Offsets& out) const {
  for (const auto& queue : group_.queues()) {
    const auto before = committed_.find(queue->partition());
    if (before == committed_.end()) continue;
    out[queue->partition()] = {.offset = before->second,
                               .metadata = encode_commit_metadata(
                                   {.partition_time_ms = queue->partition_time(), .store_times = runner_->metadata()})};
    return;
  }
}

void StreamTask::look_past_the_last(const std::function<Result<Offset>(const client::TopicPartition&)>& position) {
  if (commit_needed_ || !running_) return;
  for (const auto& queue : group_.queues()) {
    const auto before = committed_.find(queue->partition());
    if (!queue->empty() || queue->next_offset() == kNoOffset || before == committed_.end()) continue;
    const Result<Offset> at = position(queue->partition());
    commit_needed_ |= at.ok() && *at > before->second;
  }
}

Status StreamTask::committed(const client::Offsets& committed) {
  commit_needed_ = false;
  for (const auto& tp : partitions_) {
    if (const auto found = committed.find(tp); found != committed.end()) committed_[tp] = found->second.offset;
  }
  // Under exactly-once there is no checkpoint while the store is open: what a transaction wrote before it was aborted
  // is in the store already, and only a clean close knows that there is none of it.
  if (context_.config->exactly_once || changelogs_.empty()) return {};
  int64_t sum = 0;
  for (const auto& changelog : changelogs_) sum += std::max(changelog_offset(changelog), Offset(0)).value();
  if (sum - last_checkpoint_sum_ < kCheckpointEvery) return {};
  last_checkpoint_sum_ = sum;
  MUIR_RETURN_IF_ERROR(runner_->sync_stores());
  return context_.directory->write_checkpoint(folder_, checkpoint());
}

// The offset of the last changelog record that the store holds; -1: none.
Offset StreamTask::changelog_offset(const Changelog& changelog) const {
  Offset offset = std::max(changelog.applied_to, changelog.start - 1);
  if (changelog.end_limit) {
    const auto committed = committed_.find(changelog.partition);
    if (running_ && committed != committed_.end()) offset = std::max(offset, committed->second - 1);
  } else if (running_) {
    offset = std::max(offset, sink_.acknowledged_offset(changelog.partition.topic, changelog.partition.partition));
  }
  return std::max(offset, kNoOffset);
}

Checkpoint StreamTask::checkpoint() const {
  Checkpoint out;
  for (const auto& changelog : changelogs_) {
    store::StateStore* opened = runner_->store(changelog.store);
    if (opened == nullptr || !opened->persistent()) continue;
    const Offset offset = changelog_offset(changelog);
    out[changelog.partition] = offset >= Offset(0) ? offset : kCheckpointUnknown;
  }
  return out;
}

void StreamTask::count_drops() {
  const uint64_t all = runner_->dropped_records() + group_.dropped();
  const uint64_t more = all - std::exchange(drops_counted_, all);
  context_.counters->records_dropped += more;
  counters_->dropped.add(more);
}

void StreamTask::close_runner() {
  count_drops();
  for (const auto& store : find_plan(*context_.plan, id_.subtopology).stores)
    context_.stores->remove(store.name, id_.partition);
  const Status closed = runner_->close();
  if (!closed.ok()) log::warn("close task {}: {}", streams::to_string(id_), closed.message());
  runner_.reset();
  running_ = false;
}

void StreamTask::sync_stores() {
  if (runner_ && running_) (void)runner_->sync_stores().ok();  // close_clean() meets and tells the failure
}

Status StreamTask::close_clean(Closed& out) {
  if (!runner_) return {};
  const Status synced = runner_->sync_stores();
  const Checkpoint reached = checkpoint();
  close_runner();
  if (!synced.ok()) return synced.annotate("close task " + streams::to_string(id_));
  out = {.folder = folder_, .checkpoint = reached};
  return {};
}

void StreamTask::close_dirty(bool wipe) {
  if (runner_) close_runner();
  if (!wipe) return;
  const Status wiped = context_.directory->wipe(folder_);
  if (!wiped.ok()) log::warn("wipe task {}: {}", streams::to_string(id_), wiped.message());
}

int64_t StreamTask::offset_sum() const {
  if (running_) return kOffsetSumRunning;
  int64_t sum = 0;
  for (const auto& changelog : changelogs_) sum += std::max(changelog_offset(changelog), Offset(0)).value();
  return sum;
}

}  // namespace muir::streams::internal
