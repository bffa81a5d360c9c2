// TopicLane: what a producer knows of one topic, and the records it holds back so that no batch outgrows the topic.
//
// librdkafka cuts the batches of all topics by one limit and gives up one that a broker refuses. A topic that takes
// less is therefore narrow: it is given one group of records at a time, which cannot make a larger batch. A group that
// is refused all the same is halved, down to the record at fault. Order is kept: while a group is on its way nothing
// else of the topic is.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <vector>

#include "client/producer.h"

namespace muir::client::internal {

struct ProducerSlot;  // where the fate of a record is noted

// A record with memory of its own.
struct HeldRecord {
  HeldRecord(const ProducedRecord& record, ProducerSlot* where);
  [[nodiscard]] bool keyless() const { return !key.has_value(); }

  ProducerSlot* slot = nullptr;
  std::optional<PartitionId> partition{};
  OptBytes key{};
  OptBytes value{};
  int64_t timestamp_ms = -1;
  std::vector<std::pair<Bytes, OptBytes>> headers{};
  int64_t bytes = 0;  // wire_bytes()
};

// Bytes of a record in an uncompressed batch of its own, and those of such a batch.
int64_t wire_bytes(const ProducedRecord& record);
constexpr int64_t kBatchOverhead = 61;

struct TopicLimits {
  int64_t batch_bytes = std::numeric_limits<int64_t>::max();  // max.message.bytes
  bool needs_key = false;                                     // cleanup.policy has compact
};

// Not thread-safe: the producer guards it. Times are steady.
class TopicLane {
 public:
  // `batch_bytes`: the largest batch that librdkafka makes. `compressed`: so a record may become smaller than it is.
  TopicLane(int64_t batch_bytes, bool compressed) : batch_bytes_(batch_bytes), compressed_(compressed) {}

  // Records go to librdkafka as they come, unless suspicious(): the topic might refuse them, and next() decides.
  [[nodiscard]] bool open() const { return !waiting_for_answer_ && !narrow() && idle(); }
  [[nodiscard]] bool suspicious(const ProducedRecord& record, size_t bytes_at_most) const;
  [[nodiscard]] bool idle() const { return held_.empty() && returned_.empty() && in_flight_ == 0; }

  // The topic's limits are asked for when they were not yet, or long ago; asked() says that they have been.
  [[nodiscard]] bool wants_to_ask(int64_t now_us, int64_t max_age_us) const;
  void asked(int64_t now_us);
  void answered(const TopicLimits& limits, int64_t now_us);
  void not_answered(bool no_such_topic, int64_t now_us);

  void hold(HeldRecord record) { held_.push_back(std::move(record)); }
  // A refused record that may have been in a batch with others: it goes before all that is held.
  void take_back(HeldRecord record);

  struct Group {
    std::vector<HeldRecord> records;
    bool alone = false;  // its records are settled by settled(); otherwise they are not the lane's any more
    std::vector<std::pair<HeldRecord, int>> refused;  // here and now, with Kafka's error code
  };
  // What may go to librdkafka; `nothing_outside`: it has no record of the topic but those of groups.
  Group next(bool nothing_outside, int64_t now_us);
  [[nodiscard]] bool group_in_flight() const { return in_flight_ != 0; }
  [[nodiscard]] size_t group_size() const { return group_size_; }
  // One record of the group came back: written or refused for good, or (`refused`) to be tried in a smaller group.
  void settled(std::optional<HeldRecord> refused = std::nullopt);

  // A batch of the topic was refused as too large: one of the group in flight, or one from before there was a group.
  void refused_as_too_large();
  // The topic itself was refused (it is not there, or not for us): its records are, for a while, without asking.
  void refuse_all(int error, int64_t now_us);
  // A refusal ended a transaction: until as many records as that one had are committed, every record goes alone, so
  // that the one at fault is known.
  void be_careful() { suspected_ = careful_ = true; }
  void count(size_t records) { transaction_records_ += static_cast<int64_t>(records); }
  void committed();
  void aborted();
  // Gives up what is held; what is in flight still comes back.
  std::vector<HeldRecord> drop();

 private:
  enum class Verdict : unsigned char { fits, refused, ask };
  [[nodiscard]] bool narrow() const { return careful_ || limit() < batch_bytes_ || cap_ != kNoCap; }
  [[nodiscard]] int64_t limit() const { return std::min(limits_.batch_bytes, learned_bytes_); }
  [[nodiscard]] Verdict judge(const HeldRecord& record, int64_t now_us, int& error) const;
  HeldRecord take_front();
  void learn(int64_t refused_bytes);
  void rest();

  static constexpr size_t kNoCap = std::numeric_limits<size_t>::max();
  const int64_t batch_bytes_;
  const bool compressed_;
  TopicLimits limits_;
  int64_t learned_bytes_ = std::numeric_limits<int64_t>::max();  // by refusals, where the topic's limit is not known
  bool careful_ = false;
  bool suspected_ = false;  // in this transaction
  int64_t transaction_records_ = 0;
  int64_t careful_records_ = 0;
  size_t cap_ = kNoCap;  // records in a group

  bool asking_ = false;
  bool waiting_for_answer_ = true;
  int64_t asked_at_us_ = -1;
  int64_t known_at_us_ = -1;  // when the last answer came
  int refusal_ = 0;           // of the whole topic
  int64_t refused_until_us_ = 0;

  std::deque<HeldRecord> held_;
  std::deque<HeldRecord> returned_;
  std::deque<HeldRecord> refused_;  // of the group in flight
  size_t in_flight_ = 0;
  size_t group_size_ = 0;
  int64_t group_bytes_ = 0;
  bool too_large_ = false;  // the group in flight
};

}  // namespace muir::client::internal
