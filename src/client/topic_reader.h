// TopicReader: reads topics from their beginning, or their last records, to the end that they have now, and goes on as
// they grow. The common part of everything whose state is a topic: TopicLog (topic_log.h) gives it a thread and lets it
// write; global tables run it on a thread of their own. No group: every reader sees everything.
//
// What a partition holds may begin anew: the topic was deleted and made again, or lost the records that were to be read
// next (retention, DeleteRecords, an unclean election). Then on_reset() comes first, and after it everything that the
// partition holds now.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/config.h"
#include "client/client.h"

namespace muir::client {

struct ReadTopic {
  std::string name;
  std::optional<PartitionId> partition{};  // absent: all of them, and those that are added later
  int64_t tail = -1;                       // start so many offsets before the end of each partition; -1: at its start
};

struct TopicReaderOptions {
  std::vector<ReadTopic> topics;
  IsolationLevel isolation = IsolationLevel::read_committed;
  std::map<TopicPartition, Offset> resume{};  // where to go on instead, as long as there are such offsets
  size_t batch_records_max = 10'000;          // of all that one step() hands out
  int64_t look_every_ms = 30'000;             // for partitions that were added, and topics made anew
  Properties consumer{};                      // over those of the client
  Properties admin{};
};

enum class ResetReason : unsigned char {
  made_anew,   // another topic has the name now
  cut,         // the records that were to come are gone
  beyond_end,  // the partition ends before what was read already
  gone,        // the topic, made anew, has fewer partitions
};
std::string_view to_string(ResetReason reason);

struct PartitionReset {
  TopicPartition partition;
  Offset before;  // where reading would have gone on
  Offset from;    // where it goes on
  ResetReason reason;
};

// Called on the thread that calls step(). A failure of one ends the reader: TopicFailureKind::rejected.
struct TopicHandlers {
  // Of each partition in offset order; the views are valid during the call.
  std::function<Status(const PartitionRecords&)> on_records;
  // What is known of the partition may be of the past. Null: what comes again replaces what is there.
  std::function<Status(const PartitionReset&)> on_reset = nullptr;
  // Once, when everything that was there at the first look has been handed out.
  std::function<void()> on_caught_up = nullptr;
};

// Why nothing can be read now. All but `rejected` are tried again, with pauses from 100 ms to 5 s.
enum class TopicFailureKind : unsigned char {
  away,            // the cluster does not answer, or leaders are moving
  unknown_topic,   // a topic does not exist, any more or yet
  not_authorized,  // the cluster does not let this client read it
  damaged,         // a batch cannot be read; nothing behind it is, until somebody removes it
  fatal,           // anything else
  rejected,        // a handler failed: final
};

struct TopicFailure {
  TopicFailureKind kind;
  Status status;  // never OK
};

// Owned by one thread, except wakeup().
class TopicReader {
 public:
  // `client` and `clock` outlive the reader.
  TopicReader(Client& client, TopicReaderOptions options, TopicHandlers handlers, Clock& clock = system_clock());
  ~TopicReader();
  TopicReader(const TopicReader&) = delete;
  TopicReader& operator=(const TopicReader&) = delete;

  // Hands out one batch; waits up to `timeout_ms` for it, longer only where the cluster is asked and does not answer
  // (1 to 8 s). Why nothing can be read, as long as that lasts: also while it pauses before it tries again.
  std::optional<TopicFailure> step(int64_t timeout_ms);

  [[nodiscard]] bool caught_up() const { return caught_up_; }
  // Of each partition: everything before it has been handed out, or is no record for this reader (aborted, compacted
  // away, a marker of a transaction).
  [[nodiscard]] const std::map<TopicPartition, Offset>& positions() const { return next_; }
  // Offsets until it has caught up.
  [[nodiscard]] int64_t remaining() const;
  [[nodiscard]] uint64_t failures() const { return failures_; }
  [[nodiscard]] uint64_t resets() const { return resets_; }

  // Ends a step() that waits for records or pauses, or asks the cluster, after the question that is under way.
  // Thread-safe.
  void wakeup();

 private:
  using Failed = std::optional<TopicFailure>;

  bool pause(int64_t timeout_ms);
  Failed read(int64_t timeout_ms);
  Failed open();
  struct Plan;
  Status look(Plan& plan);
  Failed begin(Plan& plan);
  Failed look_for_changes();
  Failed hand_out(Records& records);
  Failed take(const PollFailure& failure);
  Failed ask_failed(const Status& status);
  bool woken();
  bool take_wakeup();
  void note_positions();
  void check_caught_up();
  void close();

  Client& client_;
  const TopicReaderOptions options_;
  const TopicHandlers handlers_;
  Clock& clock_;
  std::unique_ptr<Admin> admin_;
  std::map<std::string, TopicDescription> known_;  // as they were when the consumer was made
  std::map<TopicPartition, Offset> next_;
  std::map<TopicPartition, Offset> ends_;  // still to be reached
  bool looked_ = false;                    // ends_ are those of the first look
  bool caught_up_ = false;
  int64_t look_at_ms_ = 0;
  Failed failure_;
  Backoff backoff_{100, 5'000};
  Backoff patience_{1'000, 8'000};  // of one question
  int64_t patience_ms_ = 1'000;
  int64_t retry_at_ms_ = 0;
  uint64_t failures_ = 0;
  uint64_t resets_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;                  // guarded by mutex_
  std::unique_ptr<Consumer> consumer_;  // the pointer is guarded by mutex_ against wakeup()
};

}  // namespace muir::client
