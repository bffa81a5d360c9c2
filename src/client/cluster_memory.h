// MemoryCluster: a Kafka cluster in memory, for deterministic tests and simulations of everything above this module.
//
// Topics, offsets, consumer groups with any GroupProtocol, transactions with markers and read_committed, fencing by
// transactional id and by group generation, delete_records. Time is the clock's: sessions and transactions end when it
// says so. Faults are drawn from a seed, so a run repeats exactly when one thread drives it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/kafka_ids.h"
#include "client/client.h"

namespace muir::client {

// Chances between 0 and 1, drawn anew at each call they concern.
struct FaultPlan {
  uint64_t seed = 1;
  double send_fails = 0;      // a send() is reported as timed out; nothing of it was written
  double commit_aborted = 0;  // commit_transaction() is Code::aborted; the transaction waits for abort_transaction()
  double commit_unanswered =
      0;  // commit_transaction() is Code::timed_out although the cluster committed; asking again succeeds
  double producer_fenced = 0;      // begin_transaction() finds that another producer took the transactional id
  double member_lost = 0;          // a group member's poll() finds that its session had expired
  double poll_empty = 0;           // a consumer's poll() returns nothing although there are records
  double poll_away = 0;            // a consumer's poll() fails as if brokers did not answer
  double offset_commit_fails = 0;  // GroupMember::commit() is Code::unavailable; nothing was committed
  // Certain, not drawn: records for these topics are refused with this error code of Kafka's, and an open transaction
  // is lost with them; offsets in transactions are refused with the other one (0: none).
  std::map<std::string, int> refused_topics{};
  std::map<std::string, int> unreadable_topics{};  // polls of these fail so
  int refused_offsets = 0;
};

struct MemoryClusterOptions {
  // False: nothing ever waits; a poll without result returns at once and the test moves the clock and calls again.
  // True: polls wait in real time for other threads, as against a real cluster; give it system_clock().
  bool blocking = false;
  int32_t brokers = 1;
  int32_t default_partitions = 1;
  bool auto_create_topics = false;  // on send() and partition_count()
  bool keep_history = false;        // for history(); grows with every record
};

// A record as it lies in a partition.
struct StoredRecord {
  enum class State : unsigned char { committed, pending, aborted, control };
  Offset offset;
  int64_t timestamp_ms = 0;
  OptBytes key{};
  OptBytes value{};
  std::vector<std::pair<Bytes, OptBytes>> headers{};
  State state = State::committed;
};

// Thread-safe. Outlives its clients and everything they made.
class MemoryCluster {
 public:
  explicit MemoryCluster(Clock& clock, MemoryClusterOptions options = {});
  ~MemoryCluster();
  MemoryCluster(const MemoryCluster&) = delete;
  MemoryCluster& operator=(const MemoryCluster&) = delete;

  // A client of its own, as connect_kafka() makes; `properties` as there (bootstrap.servers is not needed).
  std::unique_ptr<Client> client(const Properties& properties = {});

  // From now on; a default FaultPlan ends the faults.
  void inject(const FaultPlan& plan);
  // Ends the member's session, as if its process had died.
  void expire_member(const std::string& group, const std::string& member_id);
  // Every record of a partition, control records, pending and aborted ones too.
  [[nodiscard]] std::vector<StoredRecord> stored(const TopicPartition& partition) const;
  // The members of a group by id, with their assignments; empty when there is no such group.
  [[nodiscard]] std::map<std::string, Bytes> assignments(const std::string& group) const;
  [[nodiscard]] GenerationId generation(const std::string& group) const;
  // What went over the interfaces ("produce orders-0 offset=4"), for comparing two runs of one seed; see keep_history.
  [[nodiscard]] std::vector<std::string> history() const;
  [[nodiscard]] size_t history_size() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace muir::client
