// StateRestorer: fills the stores of new tasks from their changelogs, with a consumer of its own.
//
// A store is complete when the consumer's position has reached the partition's end as it was when the task began. The
// end is asked for without regard to transactions, and the consumer reads committed records only: a transaction that
// was pending when the last owner died holds the position back until its outcome is known (KAFKA-10167).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/client.h"
#include "streams/plan/subtopology.h"

namespace muir::streams::internal {

// One store of a task and where its changelog is read from.
struct Changelog {
  std::string store;
  client::TopicPartition partition;
  Offset start = client::kOffsetEarliest;  // the next offset to apply
  // A source topic that serves as changelog is read up to the committed offset; what follows is processed.
  std::optional<Offset> end_limit{};

  Offset end = kNoOffset;         // set when restoring begins
  Offset applied_to = kNoOffset;  // of the last record applied
  bool done = false;
  // The checkpoint lies behind the topic's end: it is another topic's, the store must be wiped.
  bool beyond_end = false;

  // Records that are still to be applied, as far as offsets tell.
  [[nodiscard]] int64_t remaining() const;
};

// What a restored store is part of. Borrowed by the restorer until the task is done or removed.
class RestoredTask {
 public:
  virtual ~RestoredTask() = default;
  [[nodiscard]] virtual TaskId id() const = 0;
  [[nodiscard]] virtual std::vector<Changelog>& changelogs() = 0;
  virtual Status restore(const Changelog& changelog, std::span<const client::ConsumedRecord> records) = 0;
  // What remains to be restored of it has become known, or less.
  virtual void on_restore_progress() {}
};

// Owned by its thread.
class StateRestorer {
 public:
  StateRestorer(client::Client& client, Properties properties, client::Admin& admin, Clock& clock)
      : client_(client), properties_(std::move(properties)), admin_(admin), clock_(clock) {}

  // Asks for the ends of the changelogs of all `tasks` at once and begins to read them.
  Status add(const std::vector<RestoredTask*>& tasks);
  void remove(RestoredTask& task);
  // How many changelogs there will be when all tasks are added.
  void expect(size_t changelogs) { expected_ = changelogs; }
  [[nodiscard]] bool idle() const { return active_.empty(); }
  // Applies what can be had within `timeout_ms`; the tasks that became complete. Code::out_of_range when a changelog
  // was shortened behind the checkpoint: the task in `failed` must be wiped and begun anew.
  Result<std::vector<RestoredTask*>> step(int64_t timeout_ms, RestoredTask** failed);
  [[nodiscard]] uint64_t records_restored() const { return records_restored_; }
  // Records that remain, as far as offsets tell.
  [[nodiscard]] int64_t remaining() const;
  void wakeup();

 private:
  struct Active {
    RestoredTask* task;
    size_t changelog;
  };
  Status ask_ends(const std::vector<RestoredTask*>& tasks);
  // What a failed poll means: OK to go on, else why not, and of which task when it is one's.
  Status take(const client::PollFailure& failure, RestoredTask** failed) const;
  Status finish_changelogs();
  void log_progress();

  client::Client& client_;
  const Properties properties_;
  client::Admin& admin_;
  Clock& clock_;
  std::unique_ptr<client::Consumer> consumer_;
  std::map<client::TopicPartition, Active> active_;
  std::vector<RestoredTask*> waiting_;  // added and not yet complete
  size_t expected_ = 0;
  uint64_t records_restored_ = 0;
  int64_t last_log_ms_ = 0;
};

}  // namespace muir::streams::internal
