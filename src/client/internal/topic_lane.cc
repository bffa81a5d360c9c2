#include "client/internal/topic_lane.h"

#include <algorithm>

#include "wire/error_code.h"

namespace muir::client::internal {
namespace {

constexpr int64_t kFreshUs = 100'000;           // so long an answer is believed when a record would be refused by it
constexpr int64_t kRefusedTopicUs = 5'000'000;  // so long a topic that was refused is not tried again
constexpr int64_t kAskAgainUs = 2'000'000;      // after a question without answer
constexpr int64_t kDeltas = 14;                 // what time and offset relative to a batch's first may add to a record
constexpr int64_t kLearnedBytesMin = 1024;      // refusals never teach less

// The size of a zigzag varint.
int64_t varint_bytes(int64_t value) {
  auto bits = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  int64_t bytes = 1;
  for (; bits >= 0x80; bits >>= 7) ++bytes;
  return bytes;
}

int64_t sized(int64_t bytes) { return varint_bytes(bytes) + bytes; }
int64_t sized(OptBytesView bytes) { return bytes ? sized(static_cast<int64_t>(bytes->size())) : 1; }

}  // namespace

int64_t wire_bytes(const ProducedRecord& record) {
  int64_t bytes = 3;  // attributes, and one byte for each delta
  bytes += sized(record.key) + sized(record.value) + varint_bytes(static_cast<int64_t>(record.headers.size()));
  for (const Header& header : record.headers) bytes += sized(OptBytesView(header.name)) + sized(header.value);
  return sized(bytes);
}

HeldRecord::HeldRecord(const ProducedRecord& record, ProducerSlot* where)
    : slot(where),
      partition(record.partition),
      key(to_owned(record.key)),
      value(to_owned(record.value)),
      timestamp_ms(record.timestamp_ms),
      bytes(wire_bytes(record)) {
  headers.reserve(record.headers.size());
  for (const Header& header : record.headers) headers.emplace_back(Bytes(header.name), to_owned(header.value));
}

bool TopicLane::suspicious(const ProducedRecord& record, size_t bytes_at_most) const {
  return static_cast<int64_t>(bytes_at_most) > limits_.batch_bytes || (limits_.needs_key && !record.key) ||
         refusal_ != 0;
}

bool TopicLane::wants_to_ask(int64_t now_us, int64_t max_age_us) const {
  if (asking_) return false;
  if (asked_at_us_ < 0) return true;
  if (known_at_us_ < asked_at_us_) return now_us - asked_at_us_ > kAskAgainUs;
  return now_us - known_at_us_ > max_age_us;
}

void TopicLane::asked(int64_t now_us) {
  asking_ = true;
  asked_at_us_ = now_us;
}

void TopicLane::answered(const TopicLimits& limits, int64_t now_us) {
  asking_ = waiting_for_answer_ = false;
  known_at_us_ = std::max(now_us, asked_at_us_);
  if (limits.batch_bytes != limits_.batch_bytes) learned_bytes_ = std::numeric_limits<int64_t>::max();
  limits_ = limits;
  refusal_ = 0;
}

void TopicLane::not_answered(bool no_such_topic, int64_t now_us) {
  asking_ = waiting_for_answer_ = false;
  if (refusal_ == 0) return;
  if (no_such_topic) {
    refused_until_us_ = now_us + kRefusedTopicUs;
  } else {
    refusal_ = 0;
  }
}

// A record that a broker would refuse is refused here, where it costs no transaction. What is known must be fresh for
// that: the topic may have been given other limits.
TopicLane::Verdict TopicLane::judge(const HeldRecord& record, int64_t now_us, int& error) const {
  error = 0;
  if (refusal_ != 0) {
    error = refusal_;
    return now_us < refused_until_us_ ? Verdict::refused : Verdict::ask;
  }
  if (limits_.needs_key && record.keyless()) error = static_cast<int>(wire::ErrorCode::invalid_record);
  if (!compressed_ && record.bytes + kBatchOverhead > limits_.batch_bytes) {
    error = static_cast<int>(wire::ErrorCode::message_too_large);
  }
  if (error == 0) return Verdict::fits;
  if (now_us - known_at_us_ <= kFreshUs) return Verdict::refused;
  // Nobody answers: the broker shall decide.
  return now_us - asked_at_us_ <= kFreshUs ? Verdict::fits : Verdict::ask;
}

HeldRecord TopicLane::take_front() {
  auto& queue = returned_.empty() ? held_ : returned_;
  HeldRecord front = std::move(queue.front());
  queue.pop_front();
  return front;
}

// Groups begin when nothing else is on its way, so that all of these have come by then.
void TopicLane::take_back(HeldRecord record) {
  returned_.push_back(std::move(record));
  cap_ = std::max<size_t>(1, returned_.size() / 2);
}

TopicLane::Group TopicLane::next(bool nothing_outside, int64_t now_us) {
  Group group;
  if (waiting_for_answer_ || in_flight_ != 0) return group;
  group.alone = narrow();
  if (group.alone && !nothing_outside) return group;
  const size_t records_max = careful_ ? 1 : cap_;
  int64_t bytes = kBatchOverhead;
  while (!held_.empty() || !returned_.empty()) {
    const HeldRecord& front = returned_.empty() ? held_.front() : returned_.front();
    int error = 0;
    const Verdict verdict = judge(front, now_us, error);
    if (verdict == Verdict::ask) {
      waiting_for_answer_ = true;
      asked_at_us_ = asking_ ? asked_at_us_ : -1;
      break;
    }
    if (verdict == Verdict::refused) {
      group.refused.emplace_back(take_front(), error);
      continue;
    }
    const int64_t grown = bytes + front.bytes + kDeltas;
    if (group.alone && !group.records.empty() && (group.records.size() >= records_max || grown > limit())) break;
    bytes = grown;
    group.records.push_back(take_front());
  }
  if (group.alone) {
    in_flight_ = group_size_ = group.records.size();
    group_bytes_ = bytes;
    too_large_ = false;
  }
  rest();
  return group;
}

void TopicLane::settled(std::optional<HeldRecord> refused) {
  if (refused) refused_.push_back(std::move(*refused));
  if (--in_flight_ != 0) return;
  if (too_large_ && group_size_ > 1) learn(group_bytes_);
  if (!refused_.empty()) {
    cap_ = std::max<size_t>(1, refused_.size() / 2);
    returned_.insert(returned_.begin(), std::make_move_iterator(refused_.begin()),
                     std::make_move_iterator(refused_.end()));
    refused_.clear();
  } else if (cap_ != kNoCap) {
    cap_ *= 2;
  }
  rest();
}

// With nothing left to do, only the topic's limit keeps it narrow.
void TopicLane::rest() {
  if (idle() && !waiting_for_answer_) cap_ = kNoCap;
}

void TopicLane::refused_as_too_large() {
  known_at_us_ = asked_at_us_ = -1;  // what was known is wrong, or was never known
  too_large_ = true;
  if (in_flight_ == 0 && !narrow()) learn(batch_bytes_);
}

void TopicLane::learn(int64_t refused_bytes) {
  const int64_t half = std::min({refused_bytes, limit(), batch_bytes_}) / 2;
  if (refused_bytes <= limit()) learned_bytes_ = std::max(kLearnedBytesMin, half);
}

void TopicLane::refuse_all(int error, int64_t now_us) {
  refusal_ = error;
  refused_until_us_ = now_us + kRefusedTopicUs;
}

void TopicLane::committed() {
  careful_records_ -= std::exchange(transaction_records_, 0);
  careful_ = careful_records_ > 0;
  suspected_ = false;
  rest();
}

void TopicLane::aborted() {
  if (std::exchange(suspected_, false)) careful_records_ = transaction_records_;
  transaction_records_ = 0;
}

std::vector<HeldRecord> TopicLane::drop() {
  std::vector<HeldRecord> out;
  while (!held_.empty() || !returned_.empty()) out.push_back(take_front());
  return out;
}

}  // namespace muir::client::internal
