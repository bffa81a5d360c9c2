#include "streams/runtime/state_manager_restore.h"

#include <algorithm>

#include "base/log.h"

namespace muir::streams::internal {
namespace {
constexpr size_t kRestoreRecordsMax = 10'000;
constexpr int64_t kProgressEveryMs = 10'000;
}  // namespace

int64_t Changelog::remaining() const {
  if (done) return 0;
  const Offset at = applied_to >= Offset(0) ? applied_to + 1 : std::max(start, Offset(0));
  return std::max<int64_t>(0, end - at);
}

Status StateRestorer::ask_ends(const std::vector<RestoredTask*>& tasks) {
  std::vector<client::TopicPartition> partitions;
  for (auto* task : tasks) {
    for (const auto& changelog : task->changelogs()) partitions.push_back(changelog.partition);
  }
  if (partitions.empty()) return {};
  // To the very end, open transactions included, and the consumer reads committed records only: it gets there once the
  // writer before, alive or dead, has been decided. Ending at the last stable offset would lose what it commits later.
  using client::IsolationLevel;
  const auto first =
      MUIR_TRY(admin_.list_offsets(partitions, client::OffsetSpec::earliest(), IsolationLevel::read_uncommitted));
  const auto last =
      MUIR_TRY(admin_.list_offsets(partitions, client::OffsetSpec::latest(), IsolationLevel::read_uncommitted));
  for (auto* task : tasks) {
    for (auto& changelog : task->changelogs()) {
      const auto begin = first.find(changelog.partition);
      const auto end = last.find(changelog.partition);
      if (begin == first.end() || end == last.end()) {
        return error(Code::unavailable, "restore store {}: no offsets of changelog {}-{}", changelog.store,
                     changelog.partition.topic, changelog.partition.partition);
      }
      changelog.end = end->second;
      changelog.beyond_end = changelog.start > end->second;
      if (changelog.end_limit) changelog.end = std::min(changelog.end, *changelog.end_limit);
      const Offset start = changelog.start < Offset(0) ? begin->second : changelog.start;
      changelog.done = start >= changelog.end;
    }
  }
  return {};
}

Status StateRestorer::add(const std::vector<RestoredTask*>& tasks) {
  if (tasks.empty()) return {};
  if (!consumer_) consumer_ = MUIR_TRY(client_.consumer(properties_));
  consumer_->expect(expected_);
  MUIR_RETURN_IF_ERROR(ask_ends(tasks));
  std::vector<client::PartitionStart> starts;
  for (auto* task : tasks) {
    auto& changelogs = task->changelogs();
    for (size_t i = 0; i < changelogs.size(); ++i) {
      if (changelogs[i].done) continue;
      starts.push_back({changelogs[i].partition, changelogs[i].start});
    }
  }
  if (!starts.empty()) MUIR_RETURN_IF_ERROR(consumer_->assign(starts));
  for (auto* task : tasks) {
    auto& changelogs = task->changelogs();
    for (size_t i = 0; i < changelogs.size(); ++i) {
      if (!changelogs[i].done) active_[changelogs[i].partition] = {task, i};
    }
    waiting_.push_back(task);
    task->on_restore_progress();
  }
  if (!starts.empty()) {
    log::info("restoring {} changelog partitions of {} tasks, about {} records", starts.size(), tasks.size(),
              remaining());
    last_log_ms_ = clock_.steady_ms();
  }
  return {};
}

void StateRestorer::remove(RestoredTask& task) {
  std::vector<client::TopicPartition> gone;
  for (auto it = active_.begin(); it != active_.end();) {
    if (it->second.task == &task) {
      gone.push_back(it->first);
      it = active_.erase(it);
    } else {
      ++it;
    }
  }
  std::erase(waiting_, &task);
  if (!gone.empty()) {
    const Status removed = consumer_->unassign(gone);
    if (!removed.ok()) log::warn("restore of task {}: {}", streams::to_string(task.id()), removed.message());
  }
}

Result<std::vector<RestoredTask*>> StateRestorer::step(int64_t timeout_ms, RestoredTask** failed) {
  *failed = nullptr;
  std::vector<RestoredTask*> complete;
  if (!active_.empty()) {
    client::Polled polled = consumer_->poll(timeout_ms, kRestoreRecordsMax);
    if (!polled.ok()) {
      MUIR_RETURN_IF_ERROR(take(polled.failure(), failed));
      return complete;
    }
    for (const auto& part : (*polled)->partitions()) {
      const auto found = active_.find(part.partition);
      if (found == active_.end()) continue;
      Changelog& changelog = found->second.task->changelogs()[found->second.changelog];
      auto records = part.records;
      // Records past the end belong to the task's normal processing, or to writers that have been fenced.
      while (changelog.end_limit && !records.empty() && records.back().offset >= changelog.end) {
        records = records.first(records.size() - 1);
      }
      if (records.empty()) continue;
      MUIR_RETURN_IF_ERROR(found->second.task->restore(changelog, records));
      changelog.applied_to = records.back().offset;
      records_restored_ += records.size();
    }
    MUIR_RETURN_IF_ERROR(finish_changelogs());
    for (auto* task : waiting_) task->on_restore_progress();
    log_progress();
  }
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto& changelogs = (*it)->changelogs();
    if (std::all_of(changelogs.begin(), changelogs.end(), [](const Changelog& c) { return c.done; })) {
      complete.push_back(*it);
      it = waiting_.erase(it);
    } else {
      ++it;
    }
  }
  return complete;
}

Status StateRestorer::take(const client::PollFailure& failure, RestoredTask** failed) const {
  switch (failure.kind) {
    // The consumer goes on trying: nothing that was restored is given up for it.
    case client::PollFailureKind::away: log::debug("restore: {}", failure.status.message()); return {};
    // The topic was shortened or made anew behind the checkpoint: the local store is older than anything there is.
    case client::PollFailureKind::offset_out_of_range:
      if (failure.partition() != nullptr) {
        const auto lost = active_.find(*failure.partition());
        if (lost != active_.end()) *failed = lost->second.task;
      }
      break;
    case client::PollFailureKind::unknown_topic:
    case client::PollFailureKind::not_authorized:
    case client::PollFailureKind::damaged:
    case client::PollFailureKind::fatal: break;
  }
  return failure.status;
}

Status StateRestorer::finish_changelogs() {
  std::vector<client::TopicPartition> finished;
  for (auto& [tp, active] : active_) {
    Changelog& changelog = active.task->changelogs()[active.changelog];
    const Result<Offset> position = consumer_->position(tp);
    if (!position.ok() || *position < changelog.end) continue;
    changelog.done = true;
    changelog.applied_to =
        std::max(changelog.applied_to, changelog.end - 1);  // what follows the last record is no record
    finished.push_back(tp);
  }
  if (finished.empty()) return {};
  for (const auto& tp : finished) active_.erase(tp);
  return consumer_->unassign(finished);
}

int64_t StateRestorer::remaining() const {
  int64_t out = 0;
  for (const auto& [tp, active] : active_) out += active.task->changelogs()[active.changelog].remaining();
  return out;
}

void StateRestorer::log_progress() {
  const int64_t now = clock_.steady_ms();
  if (active_.empty() || now - last_log_ms_ < kProgressEveryMs) return;
  last_log_ms_ = now;
  log::info("restoring {} changelog partitions: {} records done, about {} to go", active_.size(), records_restored_,
            remaining());
}

void StateRestorer::wakeup() {
  if (consumer_) consumer_->wakeup();
}

}  // namespace muir::streams::internal
