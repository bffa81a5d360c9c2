// RecordCollector: what the tasks of one thread write, gathered into batches for the thread's producer; under
// exactly-once also that producer's transaction, which covers every task of the thread (KIP-447).
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/client.h"
#include "streams/plan/subtopology.h"
#include "streams/runtime/production_errors.h"
#include "streams/runtime/refused_records.h"
#include "streams/streams_config.h"

namespace muir::streams::internal {

struct CollectorOptions {
  Properties producer;
  bool exactly_once = false;
  std::string transactional_id;  // <application.id>-<process id>-<thread index>
  FailureHandler on_failure{};   // asked about every record that is refused; none: it fails
  bool keep_sources = false;     // the handler wants key, value and headers of the source records
  int64_t timeout_ms = 60'000;   // for init, flush, commit and abort
  size_t batch_records = 512;    // handed to the producer at one of these limits, and by push()
  size_t batch_bytes = 256 * 1024;
};

// Owned by its thread; deliveries are reported on threads of the producer.
class RecordCollector final : public RecordSink {
 public:
  RecordCollector(client::Client& client, CollectorOptions options);
  ~RecordCollector() override;

  // Makes the producer when there is none and, under exactly-once, ends what an earlier incarnation left open.
  Status open();
  [[nodiscard]] bool is_open() const { return producer_ != nullptr; }
  // Gives up the producer: after Code::fenced it is of no more use.
  void close();

  // Fails only with what ends or restarts the tasks: what is refused for the record's sake goes to the handler.
  Status send(std::string_view topic, std::optional<PartitionId> partition, OptBytesView key, OptBytesView value,
              int64_t timestamp_ms, std::span<const client::Header> headers) override;
  void set_origin(const RecordOrigin* origin) override;
  [[nodiscard]] Result<int32_t> partition_count(std::string_view topic) override;
  // Hands what is gathered to the producer. Fails with the first failure of any record sent before, until abort() or
  // close().
  Status push();
  // push(), then waits until everything is acknowledged.
  Status flush();

  // Exactly-once: adds the offsets to the transaction and commits it, beginning one when nothing was sent.
  Status commit(const client::Offsets& offsets, const client::GroupMetadata& group);
  // Aborts the open transaction, if any, and forgets what is gathered and every failure so far.
  Status abort();
  [[nodiscard]] bool in_transaction() const { return in_transaction_; }
  // The last failure of the producer since open(), abort() or close(): tells it from one of the topology.
  [[nodiscard]] Status producer_failure() const;
  // What a failure of the producer means for the tasks.
  [[nodiscard]] ProductionError meaning_of(const Status& failure) const {
    return classify(failure, options_.exactly_once);
  }

  // The offset of the last acknowledged record in a changelog partition; kNoOffset when none was written.
  [[nodiscard]] Offset acknowledged_offset(const std::string& topic, PartitionId partition) const;
  // Records that brokers have acknowledged, whatever became of their transaction. Thread-safe.
  [[nodiscard]] uint64_t records_acknowledged() const { return records_acknowledged_; }
  // Records that the handler let go. Thread-safe.
  [[nodiscard]] uint64_t records_failed() const { return records_failed_; }
  // A refused record ended a transaction, and it is not known yet which: transactions are to be short until it is.
  [[nodiscard]] bool careful() const { return careful_records_ > 0; }
  // Whether, since the last call, a record at fault was found: then the transaction that failed was not in vain.
  [[nodiscard]] bool take_learned();

 private:
  struct Topic {
    std::string name;
    int32_t partitions = 0;            // 0: not asked yet
    std::vector<Offset> acknowledged;  // by partition; guarded by mutex_
    uint64_t written_in = 0;           // the last epoch_ that had a record for it
  };
  // The topics of the records of one send(), in order, until they are acknowledged.
  struct Flight {
    std::vector<Topic*> topics;
    std::vector<Lineage> lineage;
    KeptSources sources;
    uint64_t epoch = 0;
  };
  Topic& intern(std::string_view topic);
  Status begin();
  Status hand_over();
  Status keep_failure(Status status);
  // The producer's failure so far, with the cause that a lost transaction has beyond its records.
  Status failure_so_far();
  Status keep_transaction_failure(const Status& status, std::string_view what);
  void on_delivered(Flight* flight, const Status& status, std::span<const client::Delivery> deliveries);
  void forget();
  void clear_gathered();
  Lineage lineage_of(OptBytesView key);
  // What on_delivered() does about one record; with mutex_ held.
  void on_refused(const Flight& flight, size_t record, bool past, const client::Delivery& delivery,
                  const Status& cause);
  Status ask(const FailedRecord& failed);
  // Asks the handler about what was refused outside of a transaction, or without harm to it.
  Status settle_refusals();
  // nullptr: not known as refused.
  const Status* known_refusal(const RecordIdentity& identity);
  [[nodiscard]] RecordIdentity identity_of(const KeptSource* source, const Lineage& lineage,
                                           const std::string& target) const;

  client::Client& client_;
  const CollectorOptions options_;
  std::map<std::string, std::unique_ptr<Topic>, std::less<>> topics_;
  Topic* last_topic_ = nullptr;

  // Gathered records; their views point into arena_, which never grows while it holds any.
  Bytes arena_;
  std::vector<client::ProducedRecord> records_;
  std::vector<client::Header> headers_;
  std::vector<Topic*> record_topics_;
  std::vector<Lineage> lineage_;
  KeptSources sources_;
  const RecordOrigin* origin_ = nullptr;
  uint64_t ordinal_ = 0;  // of the next record of origin_
  bool asking_ = false;   // what is sent is the handler's
  uint64_t transaction_records_ = 0;
  uint64_t let_go_ = 0;          // by the handler, in this transaction
  int64_t careful_records_ = 0;  // still to be sent in short transactions
  bool in_transaction_ = false;
  std::atomic<uint64_t> records_acknowledged_ = 0;

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Flight>> flights_;  // all that were ever needed
  std::vector<Flight*> idle_flights_;
  Status failure_{};
  std::vector<RefusedRecord> refused_;
  std::atomic<bool> any_refused_ = false;
  KnownRefusals known_;  // until the next commit
  std::atomic<bool> any_known_ = false;
  bool learned_ = false;
  bool at_large_ = false;  // a batch was refused for a record that is not known
  std::atomic<uint64_t> records_failed_ = 0;
  uint64_t epoch_ = 0;  // deliveries of an earlier epoch belong to an aborted transaction

  std::unique_ptr<client::Producer> producer_;  // last: its destructor may still report deliveries
};

}  // namespace muir::streams::internal
