// Fetch with long poll and sessions.
//
// While a fetch waits it holds no records: by the index it is known how many bytes there may be, and only when they may
// be enough the log is read, to find whole batches. They are read in small parts, between which other requests have
// their turn, and are not kept (see FoundRecords).
#include <algorithm>

#include "broker/api/fetch_sessions.h"
#include "broker/api/found_records.h"
#include "broker/api/handlers.h"
#include "broker/api/wide_requests.h"
#include "broker/internal/broker_context.h"
#include "log/kafka_error.h"

namespace muir::broker {
namespace {

using wire::ErrorCode;
using wire::FetchRequest;
using wire::FetchResponse;

// One fetch, from its first look at the logs until its answer. Thread-safe.
class PendingFetch : public std::enable_shared_from_this<PendingFetch> {  // partitions and the timer wake it
 public:
  PendingFetch(BrokerContext& context, FetchRequest request, FetchSessions::Fetch fetch, Reply<FetchResponse> reply)
      : context_(context),
        loop_(is_wide(fetch) ? context.wide_requests->loop(fetch.partitions.size()) : *context.loop),
        request_(std::move(request)),
        fetch_(std::move(fetch)),
        reply_(std::move(reply)) {
    isolation_ =
        request_.isolation_level == 1 ? storage::Isolation::read_committed : storage::Isolation::read_uncommitted;
    bytes_max_ = std::min<int64_t>(std::max(request_.max_bytes, 0), context_.settings.fetch_bytes_max);
  }

  ~PendingFetch() { context_.fetch_sessions->end_waiting(waiting_share_); }
  PendingFetch(const PendingFetch&) = delete;
  PendingFetch& operator=(const PendingFetch&) = delete;

  // To look at its partitions takes long, so that no network thread does.
  static bool is_wide(const FetchSessions::Fetch& fetch) {
    return fetch.partitions.size() > WideRequests::kElementsOfFirstLane / 3;
  }

  void start() {
    if (!is_wide(fetch_)) return begin();
    loop_.post([self = shared_from_this()] { self->begin(); });
  }

 private:
  void begin() {
    find_partitions();
    const std::lock_guard guard(mutex_);
    timed_out_ = request_.max_wait_ms <= 0;
    if (may_be_enough() || timed_out_) return gather();
    if (may_wait()) return wait();
    timed_out_ = true;
    gather();
  }
  // What waits takes memory for each partition: when too much of it does, or this one is too large, it is answered with
  // what there is, and the consumer asks again.
  bool may_wait() {
    if (!is_wide(fetch_) && context_.fetch_sessions->begin_waiting(targets_.size())) waiting_share_ = targets_.size();
    return waiting_share_ > 0;
  }

  // Read at a time; in one turn; both about.
  static constexpr int64_t kPieceBytes = 512 * 1024;
  static constexpr int64_t kTurnBytes = 1024 * 1024;

  struct Target {
    const FetchRequest::Partition* wanted = nullptr;
    std::shared_ptr<storage::Partition> partition;
    ErrorCode missing = ErrorCode::none;
    ErrorCode error = ErrorCode::none;
    storage::Offsets offsets;  // as of the last look
    FoundRecords found;
    uint64_t estimate = 0;       // bytes that there may be, by the index
    uint64_t overestimate = 0;   // known to be too many in the estimate
    std::optional<size_t> full;  // so many were found, and more do not fit into the answer
    storage::Partition::WatchId watch = 0;
  };

  void find_partitions() {
    storage::TopicPtr topic;  // that of the partition before, as a rule also the next one's
    for (size_t i = 0; i < fetch_.partitions.size(); ++i) {
      const FetchedPartition& asked = fetch_.partitions[i];
      if (i == 0 || !same_topic(asked, fetch_.partitions[i - 1])) {
        topic = fetch_.by_topic_id ? context_.logs->find_topic(asked.topic_id) : context_.logs->find_topic(asked.topic);
      }
      Target target;
      target.wanted = &asked.wanted;
      const auto index = static_cast<size_t>(asked.wanted.partition);  // a negative one is larger than any
      if (topic == nullptr) {
        target.missing = fetch_.by_topic_id ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition;
      } else if (index >= topic->partitions.size()) {
        target.missing = ErrorCode::unknown_topic_or_partition;
      } else {
        target.partition = topic->partitions[index];
      }
      targets_.push_back(std::move(target));
    }
  }
  static bool same_topic(const FetchedPartition& a, const FetchedPartition& b) {
    return a.topic == b.topic && a.topic_id == b.topic_id;
  }

  // True when the answer need not wait: perhaps enough bytes, or an error, or nothing was asked for.
  bool may_be_enough() {
    int64_t total = 0;
    failed_ = targets_.empty();
    for (Target& target : targets_) {
      target.error = target.missing;
      if (target.error == ErrorCode::none) target.error = check_epoch(target);
      if (target.error == ErrorCode::none) estimate(target);
      failed_ = failed_ || target.error != ErrorCode::none;
      const auto most = static_cast<uint64_t>(std::max(target.wanted->partition_max_bytes, 1));
      const uint64_t there = target.estimate - std::min(target.estimate, target.overestimate);
      total += static_cast<int64_t>(target.full.value_or(std::min(there, most)));
    }
    return failed_ || std::min(total, std::max<int64_t>(bytes_max_, 1)) >= request_.min_bytes;
  }

  void estimate(Target& target) const {
    target.offsets = target.partition->offsets();
    const auto most = target.overestimate + static_cast<uint64_t>(std::max(target.wanted->partition_max_bytes, 1));
    const auto bytes = target.partition->readable_bytes(Offset(target.wanted->fetch_offset), isolation_, most);
    target.estimate = bytes.ok() ? *bytes : 0;
    if (!bytes.ok()) target.error = storage::kafka_code(bytes.status());
  }

  // KIP-320: a client that names an epoch must name ours.
  static ErrorCode check_epoch(const Target& target) {
    const LeaderEpoch named(target.wanted->current_leader_epoch);
    if (named < LeaderEpoch(0)) return ErrorCode::none;
    const LeaderEpoch ours = target.partition->leader_epoch();
    if (named < ours) return ErrorCode::fenced_leader_epoch;
    return named > ours ? ErrorCode::unknown_leader_epoch : ErrorCode::none;
  }

  // Reads what there is, from the beginning.
  void gather() {
    next_target_ = 0;
    at_gap_ = false;
    total_ = 0;
    memory_bytes_ = 0;
    for (Target& target : targets_) {
      target.found = {};
      target.full.reset();
    }
    gather_some();
  }

  void gather_some() {
    for (int64_t turn_end = total_ + kTurnBytes; next_target_ < targets_.size();) {
      Target& target = targets_[next_target_];
      if (!read_piece(target)) {
        ++next_target_;
        next_offset_ = kNoOffset;
      } else if (total_ >= turn_end) {
        return loop_.post([self = shared_from_this()] {
          const std::lock_guard guard(self->mutex_);
          self->gather_some();
        });
      }
    }
    if (failed_ || timed_out_ || at_gap_ || total_ >= request_.min_bytes) return answer();
    for (Target& target : targets_) {
      target.overestimate = target.estimate - std::min<uint64_t>(target.estimate, target.found.bytes());
      target.found = {};
    }
    if (waiting_share_ > 0 || may_wait()) return wait();
    timed_out_ = true;
    gather();
  }

  // Reads on in the partition. False when there is nothing more for this answer.
  bool read_piece(Target& target) {
    if (target.error != ErrorCode::none) {
      if (target.partition != nullptr) target.offsets = target.partition->offsets();
      return false;
    }
    // KIP-74: the first batch of the response is returned whatever its size.
    const bool first = total_ == 0 && bytes_max_ > 0;
    const auto found = static_cast<int64_t>(target.found.bytes());
    const int64_t left =
        std::max<int64_t>(std::min(bytes_max_ - total_, target.wanted->partition_max_bytes - found), 0);
    if (left == 0 && !first) {
      target.full = target.found.bytes();
      return false;
    }
    storage::ReadRequest wanted;
    wanted.offset = next_offset_ == kNoOffset ? Offset(target.wanted->fetch_offset) : next_offset_;
    wanted.isolation = isolation_;
    wanted.at_least_one_batch = true;
    wanted.bytes_max = static_cast<size_t>(std::min(left, kPieceBytes));
    auto read = target.partition->read(wanted);
    if (!read.ok()) {
      // What came before it is worth an answer; the next fetch meets it again.
      if (found > 0) return false;
      target.error = storage::kafka_code(read.status());
      target.offsets = target.partition->offsets();
      failed_ = true;
      return false;
    }
    target.offsets = read->offsets;
    const auto size = static_cast<int64_t>(read->records.size());
    if (size == 0) return false;
    if (size > left && !first) {
      target.full = target.found.bytes();
      return false;
    }
    // Clients drop what a producer wrote in an aborted transaction until its marker comes, or the answer ends.
    if (read->behind_gap && found > 0) {
      at_gap_ = true;
      return false;
    }
    next_offset_ = read->next_offset;
    total_ += size;
    target.found.add(*std::move(read), memory_bytes_);
    return next_offset_ < readable(target.offsets);
  }

  void wait() {
    waiting_ = true;
    if (!timer_) timer_ = loop_.schedule(request_.max_wait_ms, [self = shared_from_this()] { self->time_out(); });
    for (Target& target : targets_) {
      target.watch = target.partition->watch([weak = weak_from_this(), loop = &loop_] {
        if (const auto self = weak.lock()) loop->post([self] { self->on_change(); });
      });
      // What arrived between the look and the watch would not wake us.
      const storage::Offsets now = target.partition->offsets();
      if (readable(now) == readable(target.offsets)) continue;
      loop_.post([self = shared_from_this()] { self->on_change(); });
    }
  }
  [[nodiscard]] Offset readable(const storage::Offsets& offsets) const {
    return isolation_ == storage::Isolation::read_committed ? offsets.last_stable : offsets.high_watermark;
  }

  void stop_waiting() {
    waiting_ = false;
    for (Target& target : targets_) {
      if (target.watch != 0) target.partition->unwatch(std::exchange(target.watch, 0));
    }
  }

  void on_change() {
    const std::lock_guard guard(mutex_);
    if (!waiting_) return;
    stop_waiting();
    if (may_be_enough()) return gather();
    wait();
  }

  void time_out() {
    const std::lock_guard guard(mutex_);
    timer_.reset();
    timed_out_ = true;
    if (!waiting_) return;  // it is being gathered, or answered
    stop_waiting();
    (void)may_be_enough();
    gather();
  }

  void answer() {
    if (timer_) loop_.cancel(*std::exchange(timer_, std::nullopt));
    std::vector<FetchResponse::Partition> found;
    found.reserve(targets_.size());
    for (const Target& target : targets_) found.push_back(partition_response(target));
    const FetchSessions::Answer answer = context_.fetch_sessions->finish(fetch_, found);
    FetchResponse response;
    response.error_code = answer.error;
    response.session_id = answer.session_id;
    std::vector<std::vector<net::Piece>> records;
    const FetchedPartition* last = nullptr;
    for (size_t i = 0; i < found.size(); ++i) {
      if (!answer.told[i]) continue;
      const FetchedPartition& asked = fetch_.partitions[i];
      if (last == nullptr || !same_topic(asked, *last)) {
        auto& topic = response.responses.emplace_back();
        topic.topic = asked.topic;
        topic.topic_id = asked.topic_id;
      }
      last = &asked;
      response.responses.back().partitions.push_back(std::move(found[i]));
      count(targets_[i]);
      records.push_back(targets_[i].found.take_pieces());
    }
    reply_.with_records(response, std::move(records));
    targets_.clear();
  }

  static void count(const Target& target) {
    if (target.partition == nullptr || target.found.bytes() == 0) return;
    storage::PartitionTraffic& traffic = target.partition->traffic();
    traffic.records_out.fetch_add(target.found.records(), std::memory_order_relaxed);
    traffic.bytes_out.fetch_add(target.found.bytes(), std::memory_order_relaxed);
  }

  FetchResponse::Partition partition_response(const Target& target) const {
    FetchResponse::Partition out;
    out.partition_index = target.wanted->partition;
    out.error_code = target.error;
    const bool known = target.error == ErrorCode::none || target.error == ErrorCode::offset_out_of_range;
    out.high_watermark = known ? target.offsets.high_watermark.value() : -1;
    out.last_stable_offset = known ? target.offsets.last_stable.value() : -1;
    out.log_start_offset = known ? target.offsets.log_start.value() : -1;
    if (isolation_ == storage::Isolation::read_committed) {
      out.aborted_transactions.emplace();
      for (const auto& txn : target.found.aborted())
        out.aborted_transactions->push_back({txn.producer_id.value(), txn.first_offset.value(), {}});
    }
    out.records = wire::RecordsApart::stand_in(target.found.bytes());
    return out;
  }

  BrokerContext& context_;
  net::EventLoop& loop_;
  const FetchRequest request_;
  const FetchSessions::Fetch fetch_;
  const Reply<FetchResponse> reply_;
  storage::Isolation isolation_;
  int64_t bytes_max_;

  std::mutex mutex_;
  std::vector<Target> targets_;
  std::optional<net::EventLoop::TimerId> timer_;
  bool failed_ = false;
  bool timed_out_ = false;
  bool waiting_ = false;
  size_t waiting_share_ = 0;  // partitions that count as waiting
  // Of the gathering.
  bool at_gap_ = false;  // an answer ends before what cannot be read: more bytes are not waited for
  size_t next_target_ = 0;
  Offset next_offset_ = kNoOffset;  // where to read on in that target; kNoOffset: from what was asked for
  int64_t total_ = 0;
  size_t memory_bytes_ = 0;
};

}  // namespace

void handle_fetch(BrokerContext& context, const RequestInfo& info, FetchRequest request, Reply<FetchResponse> reply) {
  FetchSessions::Fetch fetch = context.fetch_sessions->begin(request, info.version);
  if (fetch.error != ErrorCode::none) {
    FetchResponse refused;
    refused.error_code = fetch.error;
    return reply(refused);
  }
  std::make_shared<PendingFetch>(context, std::move(request), std::move(fetch), std::move(reply))->start();
}

}  // namespace muir::broker
