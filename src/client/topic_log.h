// TopicLog: topics as the state of a program: a thread reads them to their end and follows them; what is written is
// waited for until it has been read back. Like Kafka Connect's KafkaBasedLog. Any number of programs may write to the
// same topics; each sees all records in the topic's order, its own among them.
//
//   TopicLog log(client, {.name = "schemas", .read = {.topics = {{"_schemas"}}}, .producer = Properties{}},
//                {.on_records = apply});
//   MUIR_RETURN_IF_ERROR(log.start());
//   MUIR_RETURN_IF_ERROR(log.wait_caught_up(60'000));      // everything that was there has been applied
//   auto written = MUIR_TRY(log.write({&record, 1}, 10'000));  // and this has been applied too
//
// Threads: handlers are called by the log's own thread, one at a time (topic_reader.h says what they get); they may
// block, which holds the readers of this log alone, and must not call stop(), write() or a wait. Everything else is
// thread-safe, except start().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "client/topic_reader.h"

namespace muir::client {

struct TopicLogOptions {
  std::string name;  // in messages, and as the label `log` of its metrics
  TopicReaderOptions read;
  std::optional<Properties> producer{};  // over those of the client; absent: nothing is written
  MetricsRegistry* metrics = nullptr;    // of muir_topic_log_*; outlives the log. Null: nowhere
};

class TopicLog {
 public:
  // `client` outlives the log.
  TopicLog(Client& client, TopicLogOptions options, TopicHandlers handlers);
  ~TopicLog();  // stops
  TopicLog(const TopicLog&) = delete;
  TopicLog& operator=(const TopicLog&) = delete;

  // Begins reading. Fails when the configuration of a client is wrong; a cluster that is away is waited for. Once.
  Status start();
  // Ends reading and every wait, with Code::aborted; waits for a handler that is being called, and at most for a
  // question to the cluster that is under way (1 to 8 s when it does not answer). Idempotent.
  void stop();

  // Waits until everything that was there at the start has been handed out. A cluster that is away and a topic that is
  // not there yet are waited for; one that refuses, or holds what cannot be read, is believed: that is the failure, at
  // once. Code::timed_out says why, as far as that is known.
  Status wait_caught_up(int64_t timeout_ms);
  [[nodiscard]] bool caught_up() const;
  // Waits until everything that anybody wrote before this call to the partitions known by then has been handed out
  // (with read_committed: of transactions whose markers were written, which is after the commit is answered). Fails
  // with what the cluster answers when it is asked for the ends, which stop() does not interrupt.
  Status read_to_end(int64_t timeout_ms);

  // Writes the records, of topics that this log reads, and waits until they have been handed out: where each is. All of
  // it within `timeout_ms`; Code::timed_out means that they may be written. Code::aborted: stopped, or a partition
  // began anew meanwhile.
  Result<std::vector<Delivery>> write(std::span<const ProducedRecord> records, int64_t timeout_ms);
  // For threads that must not wait: calls `done` when the record at `offset` has been handed out (OK; at once when it
  // was), or with Code::timed_out within half a second after `timeout_ms`, or with Code::aborted. From the caller's or
  // the log's thread, which it must not block.
  void call_when_read(const TopicPartition& partition, Offset offset, int64_t timeout_ms,
                      std::function<void(const Status&)> done);

  // Why nothing is read now; absent while it goes well.
  [[nodiscard]] std::optional<TopicFailure> failure() const;

 private:
  struct Shared;
  struct Outcome;
  void run();
  // What the reader has come to, for those who wait; those whose wait is over.
  void tell(const std::optional<TopicFailure>& failure);
  void begin_anew(const PartitionReset& reset);
  Status wait_read(const std::map<TopicPartition, Offset>& ends, int64_t deadline_ms, uint64_t resets);
  Status check_read(const ProducedRecord& record) const;
  [[nodiscard]] Status stopped() const;
  // With the mutex of shared_ held.
  [[nodiscard]] Status late(std::string_view what, int64_t timeout_ms) const;
  void collect(MetricSink& sink) const;

  Client& client_;
  const TopicLogOptions options_;
  std::unique_ptr<Admin> admin_;  // for those who wait; the reader has its own
  std::unique_ptr<Producer> producer_;
  // Shared with callbacks of the producer, which may come when a write has been given up.
  const std::shared_ptr<Shared> shared_;
  TopicReader reader_;
  std::thread thread_;
  MetricsGroup metrics_;  // last: it reads what is above
};

}  // namespace muir::client
