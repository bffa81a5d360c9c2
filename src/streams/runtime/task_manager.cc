#include "streams/runtime/task_manager.h"

#include <algorithm>

#include "base/log.h"
#include "streams/plan/plan.h"
#include "streams/runtime/side_by_side.h"

namespace muir::streams::internal {
namespace {

constexpr int64_t kRetryAfterMs = 100;
// Tasks opened in one turn: of many, the first process while others open, and the group is looked after meanwhile.
constexpr size_t kOpenedTogether = 50;
constexpr int64_t kOpeningMs = 100;  // in one turn, and then whoever wants the thread to end is heard

bool brokers_silent(Code code) { return code == Code::timed_out || code == Code::unavailable; }

Status worse(Status first, const Status& second) { return first.ok() ? second : first; }

}  // namespace

namespace {

// The application's budget is divided over its threads, the one of global tables included, as in Kafka Streams.
size_t cache_share(const RuntimeContext& context) {
  const auto& subs = context.plan->subtopologies();
  const bool global = std::any_of(subs.begin(), subs.end(), [](const auto& sub) { return sub.is_global; });
  return static_cast<size_t>(context.config->cache_max_bytes) /
         static_cast<size_t>(context.config->num_stream_threads + (global ? 1 : 0));
}

}  // namespace

TaskManager::TaskManager(const RuntimeContext& context, int thread_index, TaskClients clients)
    : context_(context), thread_index_(thread_index), clients_(clients), cache_(cache_share(context)) {
  for (const auto& topic : context_.plan->internal_topics()) {
    if (!topic.changelog) repartition_topics_.insert(topic.name);
  }
}

TaskManager::~TaskManager() { close_all_dirty(); }

std::map<TaskId, std::vector<client::TopicPartition>> TaskManager::owned_tasks() const {
  auto out = pending_;
  for (const auto& [id, task] : tasks_) out[id] = task->partitions();
  return out;
}

std::vector<TaskOffsetSum> TaskManager::offset_sums() const {
  std::vector<TaskOffsetSum> out = context_.directory->closed_tasks();
  for (const auto& [id, task] : tasks_) out.push_back({id, task->offset_sum()});
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.task < b.task; });
  return out;
}

// The coordinator refuses commits of the old generation once this member has joined the next one.
void TaskManager::on_rebalance() {
  if (!rebalancing_ && commit_needed()) failure_ = worse(failure_, commit());
  rebalancing_ = true;
}

Result<bool> TaskManager::on_tasks_assigned(const TasksAssigned& assigned) {
  ++context_.counters->rebalances;
  rebalancing_ = false;
  std::vector<TaskId> revoked;
  size_t kept = 0;
  for (const auto& [id, task] : tasks_) {
    const auto found = assigned.active.find(id);
    if (found == assigned.active.end() || found->second != task->partitions()) {
      revoked.push_back(id);
    } else {
      ++kept;
    }
  }
  bool gave_up = !revoked.empty();
  for (auto it = pending_.begin(); it != pending_.end();) {
    if (assigned.active.contains(it->first)) {
      ++it;
    } else {
      context_.directory->unlock_task(it->first, thread_index_);  // it may have been about to open
      it = pending_.erase(it);
      gave_up = true;
    }
  }
  if (!revoked.empty()) failure_ = worse(failure_, give_up_clean(revoked));
  size_t added = 0;
  for (const auto& [id, partitions] : assigned.active) {
    if (tasks_.contains(id)) continue;
    added += pending_.insert_or_assign(id, partitions).second ? 1 : 0;
  }
  pending_not_before_ms_ = 0;
  share_buffers();
  log::info("{}-{}: generation {}: {} tasks kept, {} given up, {} new", context_.config->application_id, thread_index_,
            assigned.generation_id, kept, revoked.size(), added);
  return gave_up;
}

void TaskManager::on_tasks_lost() {
  rebalancing_ = false;
  // A commit that was refused because the place is lost, before we are told: its tasks are others' now.
  failure_ = {};
  if (empty()) return;
  log::warn("{}-{}: lost its place in the group; {} tasks are given up without a commit",
            context_.config->application_id, thread_index_, tasks_.size() + pending_.size());
  lose_all();
}

Status TaskManager::begin_tasks(int64_t timeout_ms) {
  if (!pending_.empty() && context_.clock->steady_ms() >= pending_not_before_ms_) MUIR_RETURN_IF_ERROR(open_pending());
  if (restoring_count_ == 0) return {};
  RestoredTask* failed = nullptr;
  Result<std::vector<RestoredTask*>> complete = clients_.restorer->step(timeout_ms, &failed);
  if (!complete.ok()) {
    if (failed != nullptr) return restart_from_scratch(*tasks_.at(failed->id()));
    return complete.status().annotate("restore");
  }
  std::vector<client::PartitionStart> starts;
  for (auto* done : *complete) MUIR_RETURN_IF_ERROR(begin_running(*tasks_.at(done->id()), starts));
  if (!complete->empty()) share_buffers();
  // All at once: each assignment asks the cluster for offsets and leaders before the first record can come.
  return starts.empty() ? Status() : clients_.consumer->assign(starts);
}

Status TaskManager::open_pending() {
  std::map<TaskId, Partitions> ready;
  bool refused = false;
  for (const auto& [id, partitions] : pending_) {
    if (ready.size() == kOpenedTogether) break;
    if (context_.directory->lock_task(id, thread_index_)) {
      ready.emplace(id, partitions);
    } else {
      refused = true;
    }
  }
  if (refused && ready.size() < kOpenedTogether) pending_not_before_ms_ = context_.clock->steady_ms() + kRetryAfterMs;
  if (ready.empty()) return {};
  // Before the offsets are asked for: it ends a transaction that an earlier process with our id left open.
  MUIR_RETURN_IF_ERROR(clients_.collector->open());
  const auto starts = MUIR_TRY(ask_starts(ready));
  std::vector<StreamTask*> opened;
  const int64_t until_ms = context_.clock->steady_ms() + kOpeningMs;
  for (const auto& [id, partitions] : ready) {
    if (!opened.empty() && context_.clock->steady_ms() >= until_ms) {  // the others stay ours, for the next turn
      pending_not_before_ms_ = 0;
      break;
    }
    auto task = std::make_unique<StreamTask>(id, partitions, context_, *clients_.collector, cache_,
                                             context_.counters->parts.task(id, *clients_.counters));
    MUIR_RETURN_IF_ERROR(task->open(starts.at(id)));
    opened.push_back(task.get());
    tasks_[id] = std::move(task);
    ++restoring_count_;
    pending_.erase(id);
  }
  return begin_restore(opened);
}

Result<std::map<TaskId, TaskStart>> TaskManager::ask_starts(const std::map<TaskId, Partitions>& tasks) const {
  Partitions all;
  for (const auto& [id, partitions] : tasks) all.insert(all.end(), partitions.begin(), partitions.end());
  // Stable: an offset in a pending transaction of the last owner is waited for, or its records would come twice.
  const Result<client::Offsets> committed =
      clients_.admin->committed_offsets(context_.config->application_id, all, true);
  if (!committed.ok()) return committed.status().annotate("committed offsets of " + context_.config->application_id);
  std::map<TaskId, TaskStart> out;
  for (const auto& [id, partitions] : tasks) {
    TaskStart& start = out[id];
    for (const auto& tp : partitions) {
      const auto found = committed->find(tp);
      if (found == committed->end() || found->second.offset < Offset(0)) continue;
      start.committed[tp] = found->second.offset;
      if (found->second.metadata.empty()) continue;
      const Result<CommitMetadata> metadata = decode_commit_metadata(found->second.metadata);
      if (metadata.ok()) {
        start.partition_times[tp] = metadata->partition_time_ms;
        // Every partition of the task carries them; the newest commit wins.
        for (const auto& [store, time] : metadata->store_times) {
          int64_t& known = start.store_times.try_emplace(store, time).first->second;
          known = std::max(known, time);
        }
      } else {
        log::warn("topic={} partition={}: {}; its time is unknown until the next record", tp.topic, tp.partition,
                  metadata.status().message());
      }
    }
  }
  return out;
}

Status TaskManager::begin_restore(const std::vector<StreamTask*>& opened) {
  std::vector<RestoredTask*> tasks(opened.begin(), opened.end());
  MUIR_RETURN_IF_ERROR(clients_.restorer->add(tasks));
  for (auto* task : opened) {
    const auto& changelogs = task->changelogs();
    if (std::any_of(changelogs.begin(), changelogs.end(), [](const Changelog& c) { return c.beyond_end; })) {
      MUIR_RETURN_IF_ERROR(restart_from_scratch(*task));
    }
  }
  return {};
}

// The checkpoint does not fit the changelog: the local state belongs to another history of the topic.
Status TaskManager::restart_from_scratch(StreamTask& task) {
  const TaskId id = task.id();
  log::warn("task {}: local state does not fit its changelog topics and is restored from the beginning",
            streams::to_string(id));
  const Partitions partitions = task.partitions();
  clients_.restorer->remove(task);
  task.close_dirty(true);
  tasks_.erase(id);
  --restoring_count_;
  pending_[id] = partitions;
  return {};
}

Status TaskManager::begin_running(StreamTask& task, std::vector<client::PartitionStart>& starts) {
  --restoring_count_;
  MUIR_RETURN_IF_ERROR(task.run());
  for (auto& start : task.starts()) starts.push_back(std::move(start));
  for (const auto& tp : task.partitions()) readers_[tp] = &task;
  return {};
}

// A quarter of the thread's part of input.buffer.max.bytes is for records that tasks hold, the rest for those that the
// consumer has fetched ahead: neither grows with the number of partitions.
//
// A task of one partition processes whatever comes of it at once. Where all are such, half a poll is taken of a
// partition at a time: producers send a request for each partition that they write to, and wait for few at a time, so
// that a thousand partitions of a few records each are slow. Tasks with several inputs hold what one brings until the
// others have brought something, and have to get little of each.
void TaskManager::share_buffers() {
  size_t partitions = 0;
  size_t changelogs = 0;
  bool all_single = true;
  const auto count = [&](const TaskId& id, const Partitions& inputs) {
    partitions += inputs.size();
    all_single = all_single && inputs.size() == 1;
    for (const auto& sub : context_.plan->subtopologies()) {
      if (sub.id != id.subtopology) continue;
      for (const auto& store : sub.stores) changelogs += store.changelog_topic.empty() ? 0 : 1;
    }
  };
  for (const auto& [id, task] : tasks_) count(id, task->partitions());
  for (const auto& [id, inputs] : pending_) count(id, inputs);
  const auto half_a_poll = static_cast<size_t>(context_.config->max_poll_records) / 2;
  clients_.consumer->expect(
      partitions, all_single ? std::max(half_a_poll, client::Consumer::kTogether) : client::Consumer::kTogether);
  clients_.restorer->expect(changelogs);
  const auto all = static_cast<size_t>(context_.config->input_buffer_bytes / context_.config->num_stream_threads / 4);
  for (const auto& [id, task] : tasks_) task->set_buffer_bytes(all / std::max<size_t>(partitions, 1));
}

Status TaskManager::add_records(std::unique_ptr<client::Records> records) {
  if (records->empty()) return {};
  // Shared by the queues of every task that got a part of the fetch; freed with its last record.
  const std::shared_ptr<client::Records> owner(std::move(records));
  scratch_.clear();
  for (const auto& part : owner->partitions()) {
    const auto reader = readers_.find(part.partition);
    if (reader != readers_.end()) reader->second->add(part.partition, owner, part.records, scratch_);
  }
  return scratch_.empty() ? Status() : clients_.consumer->pause(scratch_);
}

Status TaskManager::seek_after_loss(const Status& out_of_range) {
  if (out_of_range.partition() == nullptr) return out_of_range;
  for (const auto& [id, task] : tasks_) {
    for (const auto& tp : task->partitions()) {
      if (!task->running() || tp != *out_of_range.partition()) continue;
      const bool earliest = context_.plan->source_settings(tp.topic).earliest.value_or(context_.config->reset_earliest);
      log::warn("{}; reading on from the {} offset", out_of_range.message(), earliest ? "earliest" : "latest");
      return clients_.consumer->seek({tp, earliest ? client::kOffsetEarliest : client::kOffsetLatest});
    }
  }
  return out_of_range;
}

Result<size_t> TaskManager::process_round(size_t records_max) {
  const int64_t now = context_.clock->now_ms();
  size_t count = 0;
  scratch_.clear();
  for (const auto& [id, task] : tasks_) {
    if (!task->running()) continue;
    count += MUIR_TRY(task->process(records_max, now, scratch_));
  }
  if (!scratch_.empty()) MUIR_RETURN_IF_ERROR(clients_.consumer->resume(scratch_));
  return count;
}

Result<size_t> TaskManager::punctuate() {
  const int64_t now = context_.clock->now_ms();
  size_t count = 0;
  for (const auto& [id, task] : tasks_) {
    if (!task->running()) continue;
    const Result<bool> done = task->punctuate(now);
    if (!done.ok()) return done.status().annotate("punctuate task " + streams::to_string(id));
    count += *done ? 1 : 0;
  }
  return count;
}

// As the answers to fetches tell it: nobody is asked. Before the first answer nothing is known, and the task waits.
void TaskManager::refresh_lags() {
  const int64_t now = context_.clock->now_ms();
  for (const auto& [id, task] : tasks_) {
    scratch_.clear();
    task->collect_unknown_lags(now, scratch_);
    for (const auto& tp : scratch_) {
      const std::optional<Offset> end = clients_.consumer->end_offset(tp);
      const Result<Offset> at = clients_.consumer->position(tp);
      task->set_caught_up(tp, end && at.ok() && *at >= *end, now);
    }
  }
}

void TaskManager::look_past_the_last() {
  const auto position = [this](const client::TopicPartition& tp) { return clients_.consumer->position(tp); };
  for (const auto& [id, task] : tasks_) task->look_past_the_last(position);
}

bool TaskManager::commit_needed() const {
  return clients_.collector->in_transaction() ||
         std::any_of(tasks_.begin(), tasks_.end(), [](const auto& entry) { return entry.second->commit_needed(); });
}

bool TaskManager::commit_requested() {
  bool requested = false;
  for (const auto& [id, task] : tasks_) requested |= task->take_commit_request();
  return requested;
}

Status TaskManager::commit() {
  if (!clients_.collector->is_open()) return {};
  const int64_t began = context_.clock->steady_us();
  client::Offsets offsets;
  const auto position = [this](const client::TopicPartition& tp) { return clients_.consumer->position(tp); };
  for (const auto& [id, task] : tasks_) {
    if (!task->running() || !task->commit_needed()) continue;
    MUIR_RETURN_IF_ERROR(task->flush());
    task->offsets(position, offsets);
  }
  if (offsets.empty() && context_.config->exactly_once) MUIR_RETURN_IF_ERROR(fence_what_timers_wrote(offsets));
  MUIR_RETURN_IF_ERROR(commit_offsets(offsets));
  failing_since_ms_ = -1;
  for (const auto& [tp, offset] : offsets) {
    if (repartition_topics_.contains(tp.topic)) purge_[tp] = offset.offset;
  }
  auto& counters = *context_.counters;
  const auto took = static_cast<uint64_t>(context_.clock->steady_us() - began);
  counters.commit_seconds.observe_us(static_cast<int64_t>(took));
  clients_.counters->commit.add(1, static_cast<int64_t>(took));
  for (uint64_t max = counters.commit_us_max; took > max && !counters.commit_us_max.compare_exchange_weak(max, took);) {
  }
  return {};
}

// A transaction without offsets is one that the group does not check: a member that it has given up, and that does not
// know it yet, would commit what its timers wrote while others have its tasks.
Status TaskManager::fence_what_timers_wrote(client::Offsets& offsets) {
  MUIR_RETURN_IF_ERROR(clients_.collector->push());
  if (!clients_.collector->in_transaction()) return {};
  for (const auto& [id, task] : tasks_) {
    if (task->running() && offsets.empty()) task->offsets_again(offsets);
  }
  return {};
}

Status TaskManager::commit_offsets(const client::Offsets& offsets) {
  if (context_.config->exactly_once) {
    MUIR_RETURN_IF_ERROR(clients_.collector->commit(offsets, clients_.member->metadata()));
  } else {
    MUIR_RETURN_IF_ERROR(clients_.collector->flush());
    const Status committed =
        offsets.empty() ? Status() : clients_.member->commit(offsets, context_.config->session_timeout_ms);
    if (committed.code() == Code::aborted || brokers_silent(committed.code())) {
      log::info("{}-{}: commit is tried again later: {}", context_.config->application_id, thread_index_,
                committed.message());
      return {};  // commit_needed() stays
    }
    if (!committed.ok()) return committed.with(Code::fenced).annotate("commit offsets");
  }
  for (const auto& [id, task] : tasks_) {
    if (task->running()) MUIR_RETURN_IF_ERROR(task->committed(offsets));
  }
  return {};
}

Status TaskManager::purge_repartition_topics() {
  if (purge_.empty()) return {};
  const auto before = std::exchange(purge_, {});
  const Status purged = clients_.admin->delete_records(before);
  if (!purged.ok()) log::warn("purge of repartition topics: {}; tried again later", purged.message());
  return {};
}

// An aborted commit leaves the tasks that stay to be revived, and those that go have nothing to save.
Status TaskManager::give_up_clean(const std::vector<TaskId>& tasks) {
  Status failure;
  if (commit_needed()) failure = commit();
  bool uncommitted = !failure.ok();
  for (const auto& id : tasks) uncommitted = uncommitted || tasks_.at(id)->commit_needed();
  const size_t helpers = context_.disk_helpers_max;
  // Their stores first, and their checkpoints last, for all of them at once: both wait for the disk.
  if (!uncommitted) side_by_side(helpers, tasks.size(), [&](size_t i) { tasks_.at(tasks[i])->sync_stores(); });
  std::vector<StreamTask::Closed> closed(tasks.size());
  for (size_t i = 0; i < tasks.size(); ++i) {
    StreamTask& task = *tasks_.at(tasks[i]);
    if (!task.running()) {
      clients_.restorer->remove(task);
      --restoring_count_;
    } else {
      for (const auto& tp : task.partitions()) readers_.erase(tp);
      failure = worse(failure, clients_.consumer->unassign(task.partitions()));
    }
    if (uncommitted) {
      task.close_dirty(false);
    } else {
      failure = worse(failure, task.close_clean(closed[i]));
    }
    tasks_.erase(tasks[i]);
  }
  side_by_side(helpers, closed.size(), [&](size_t i) {
    closed[i].written = context_.directory->write_checkpoint(closed[i].folder, closed[i].checkpoint);
  });
  for (size_t i = 0; i < tasks.size(); ++i) {
    failure = worse(failure, closed[i].written);
    context_.directory->unlock_task(tasks[i], thread_index_);
  }
  return failure;
}

void TaskManager::drop(StreamTask& task) {
  if (!task.running()) {
    clients_.restorer->remove(task);
    return;
  }
  for (const auto& tp : task.partitions()) readers_.erase(tp);
  const Status removed = clients_.consumer->unassign(task.partitions());
  if (!removed.ok()) log::debug("task {}: {}", streams::to_string(task.id()), removed.message());
}

void TaskManager::close_all_dirty() {
  for (const auto& [id, task] : tasks_) {
    drop(*task);
    task->close_dirty(false);
    context_.directory->unlock_task(id, thread_index_);
  }
  for (const auto& [id, partitions] : pending_) context_.directory->unlock_task(id, thread_index_);
  tasks_.clear();
  pending_.clear();
  restoring_count_ = 0;
}

void TaskManager::lose_all() {
  const Status aborted = clients_.collector->abort();
  if (!aborted.ok()) clients_.collector->close();
  close_all_dirty();
}

// The tasks begin anew from what was committed last; under exactly-once without their local state, which holds writes
// of the aborted transaction.
void TaskManager::revive() {
  const Status aborted = clients_.collector->abort();
  if (!aborted.ok()) {
    log::warn("{}-{}: {}; a new producer takes over", context_.config->application_id, thread_index_,
              aborted.message());
    clients_.collector->close();
  }
  auto again = owned_tasks();
  context_.counters->tasks_revived += again.size();
  close_all_dirty();
  pending_ = std::move(again);
  pending_not_before_ms_ = context_.clock->steady_ms() + kRetryAfterMs;
}

Status TaskManager::handle(const Status& failure) {
  if (failure.ok()) return failure;
  const Code code = failure.code();
  const bool of_producer = !clients_.collector->producer_failure().ok();
  const ProductionError meaning = clients_.collector->meaning_of(failure);
  if (of_producer && meaning == ProductionError::fatal) return failure;
  const bool migrated = code == Code::fenced || (of_producer && meaning == ProductionError::fenced);
  const bool retriable =
      brokers_silent(code) ||
      (of_producer && (meaning == ProductionError::aborted || meaning == ProductionError::retriable));
  if (!migrated && !retriable) return failure;
  const int64_t now = context_.clock->steady_ms();
  if (failing_since_ms_ < 0 || clients_.collector->take_learned()) {
    failing_since_ms_ = now;  // the first one, or one that has brought the tasks on, is tried again at once
    backoff_.reset();
  } else {
    rest_ms_ = backoff_.next_ms();
  }
  if (now - failing_since_ms_ > context_.config->task_timeout_ms) {
    return failure.annotate(fmt::format("no commit for task.timeout.ms={}", context_.config->task_timeout_ms));
  }
  if (migrated) {
    log::warn("{}-{}: another instance may have taken over: {}", context_.config->application_id, thread_index_,
              failure.message());
    clients_.collector->close();
    lose_all();
    rejoin_ = true;
    return {};
  }
  log::warn("{}-{}: tasks begin anew from their last commit: {}", context_.config->application_id, thread_index_,
            failure.message());
  revive();
  return {};
}

Status TaskManager::close_all_clean() {
  std::vector<TaskId> all;
  for (const auto& [id, task] : tasks_) all.push_back(id);
  const Status failure = give_up_clean(all);
  for (const auto& [id, partitions] : pending_) context_.directory->unlock_task(id, thread_index_);
  pending_.clear();
  if (!failure.ok()) lose_all();
  return failure;
}

}  // namespace muir::streams::internal
