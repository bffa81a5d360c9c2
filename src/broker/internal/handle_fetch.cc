// Fetch with long poll and sessions.
#include <algorithm>

#include "broker/internal/broker_context.h"
#include "broker/internal/fetch_sessions.h"
#include "broker/internal/handlers.h"
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
      : context_(context), request_(std::move(request)), fetch_(std::move(fetch)), reply_(std::move(reply)) {
    isolation_ = request_.isolation_level == 1 ? log::Isolation::read_committed : log::Isolation::read_uncommitted;
    bytes_max_ = std::min<int64_t>(std::max(request_.max_bytes, 0), context_.number("fetch.max.bytes"));
  }

  void start() {
    find_partitions();
    const std::lock_guard guard(mutex_);
    if (look() || request_.max_wait_ms <= 0) return answer();
    wait();
    timer_ = context_.loop->schedule(request_.max_wait_ms, [self = shared_from_this()] { self->time_out(); });
  }

 private:
  struct Target {
    const FetchRequest::Partition* wanted = nullptr;
    std::shared_ptr<log::Partition> partition;
    ErrorCode missing = ErrorCode::none;
    log::ReadResult read;
    ErrorCode error = ErrorCode::none;
    log::Partition::WatchId watch = 0;
  };

  void find_partitions() {
    log::TopicPtr topic;  // that of the partition before, as a rule also the next one's
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

  // Reads what there is. True when the answer need not wait: enough bytes, or an error, or nothing was asked for.
  bool look() {
    int64_t total = 0;
    bool failed = targets_.empty();
    for (Target& target : targets_) {
      target.read = {};
      target.error = target.missing;
      if (target.error == ErrorCode::none) target.error = check_epoch(target);
      if (target.error == ErrorCode::none) read(target, total);
      failed = failed || target.error != ErrorCode::none;
      total += static_cast<int64_t>(target.read.records.size());
    }
    return failed || total >= request_.min_bytes;
  }

  // KIP-320: a client that names an epoch must name ours.
  static ErrorCode check_epoch(const Target& target) {
    const LeaderEpoch named(target.wanted->current_leader_epoch);
    if (named < LeaderEpoch(0)) return ErrorCode::none;
    const LeaderEpoch ours = target.partition->leader_epoch();
    if (named < ours) return ErrorCode::fenced_leader_epoch;
    return named > ours ? ErrorCode::unknown_leader_epoch : ErrorCode::none;
  }

  void read(Target& target, int64_t total) {
    log::ReadRequest wanted;
    wanted.offset = Offset(target.wanted->fetch_offset);
    wanted.isolation = isolation_;
    // KIP-74: the first batch of the response is returned whatever its size.
    wanted.at_least_one_batch = total == 0 && bytes_max_ > 0;
    const int64_t left = std::max<int64_t>(bytes_max_ - total, 0);
    wanted.bytes_max = static_cast<size_t>(std::min<int64_t>(left, std::max(target.wanted->partition_max_bytes, 0)));
    auto result = target.partition->read(wanted);
    if (result.ok()) {
      target.read = *std::move(result);
    } else {
      target.error = log::kafka_code(result.status());
      target.read.offsets = target.partition->offsets();
    }
  }

  void wait() {
    for (Target& target : targets_) {
      target.watch = target.partition->watch([weak = weak_from_this(), loop = context_.loop] {
        if (const auto self = weak.lock()) loop->post([self] { self->on_change(); });
      });
      // What arrived between the look and the watch would not wake us.
      const log::Offsets now = target.partition->offsets();
      if (readable(now) == readable(target.read.offsets)) continue;
      context_.loop->post([self = shared_from_this()] { self->on_change(); });
    }
  }
  [[nodiscard]] Offset readable(const log::Offsets& offsets) const {
    return isolation_ == log::Isolation::read_committed ? offsets.last_stable : offsets.high_watermark;
  }

  void stop_waiting() {
    for (Target& target : targets_) {
      if (target.watch != 0) target.partition->unwatch(std::exchange(target.watch, 0));
    }
  }

  void on_change() {
    const std::lock_guard guard(mutex_);
    if (answered_) return;
    stop_waiting();
    if (look()) return answer();
    wait();
  }

  void time_out() {
    const std::lock_guard guard(mutex_);
    timer_.reset();
    if (answered_) return;
    (void)look();
    answer();
  }

  void answer() {
    answered_ = true;
    if (timer_) context_.loop->cancel(*std::exchange(timer_, std::nullopt));
    stop_waiting();
    std::vector<FetchResponse::Partition> found;
    found.reserve(targets_.size());
    for (const Target& target : targets_) found.push_back(partition_response(target));
    const FetchSessions::Answer answer = context_.fetch_sessions->finish(fetch_, found);
    FetchResponse response;
    response.error_code = answer.error;
    response.session_id = answer.session_id;
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
    }
    reply_(response);
    targets_.clear();
  }

  FetchResponse::Partition partition_response(const Target& target) const {
    FetchResponse::Partition out;
    out.partition_index = target.wanted->partition;
    out.error_code = target.error;
    const bool known = target.error == ErrorCode::none || target.error == ErrorCode::offset_out_of_range;
    out.high_watermark = known ? target.read.offsets.high_watermark.value() : -1;
    out.last_stable_offset = known ? target.read.offsets.last_stable.value() : -1;
    out.log_start_offset = known ? target.read.offsets.log_start.value() : -1;
    if (isolation_ == log::Isolation::read_committed) {
      out.aborted_transactions.emplace();
      for (const auto& txn : target.read.aborted)
        out.aborted_transactions->push_back({txn.producer_id.value(), txn.first_offset.value(), {}});
    }
    out.records = target.read.records;
    return out;
  }

  BrokerContext& context_;
  const FetchRequest request_;
  const FetchSessions::Fetch fetch_;
  const Reply<FetchResponse> reply_;
  log::Isolation isolation_;
  int64_t bytes_max_;

  std::mutex mutex_;
  std::vector<Target> targets_;
  std::optional<net::EventLoop::TimerId> timer_;
  bool answered_ = false;
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
