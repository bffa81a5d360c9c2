#include "client/topic_reader.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "base/log.h"

namespace muir::client {
namespace {

TopicFailureKind kind_of(const PollFailure& failure) {
  switch (failure.kind) {
    case PollFailureKind::offset_out_of_range:  // nobody is told: it is read on, or the offsets are asked for again
    case PollFailureKind::away: return TopicFailureKind::away;
    case PollFailureKind::unknown_topic: return TopicFailureKind::unknown_topic;
    case PollFailureKind::not_authorized: return TopicFailureKind::not_authorized;
    case PollFailureKind::damaged: return TopicFailureKind::damaged;
    case PollFailureKind::fatal: return TopicFailureKind::fatal;
  }
  return TopicFailureKind::fatal;
}

Status interrupted() { return error(Code::aborted, "woken before everything was asked"); }

}  // namespace

std::string_view to_string(ResetReason reason) {
  switch (reason) {
    case ResetReason::made_anew: return "the topic was made anew";
    case ResetReason::cut: return "the records that were to come are gone";
    case ResetReason::beyond_end: return "the partition ends before what was read";
    case ResetReason::gone: return "the topic was made anew with fewer partitions";
  }
  return "";
}

// What open() is about to do.
struct TopicReader::Plan {
  std::map<std::string, TopicDescription> topics;
  std::vector<PartitionStart> starts;
  std::map<TopicPartition, Offset> ends;
  std::vector<PartitionReset> resets;
};

TopicReader::TopicReader(Client& client, TopicReaderOptions options, TopicHandlers handlers, Clock& clock)
    : client_(client),
      options_(std::move(options)),
      handlers_(std::move(handlers)),
      clock_(clock),
      next_(options_.resume) {}

TopicReader::~TopicReader() { close(); }

void TopicReader::close() {
  std::unique_ptr<Consumer> gone;
  {
    const std::lock_guard lock(mutex_);
    gone = std::move(consumer_);
  }
}

void TopicReader::wakeup() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
  if (consumer_) consumer_->wakeup();
}

bool TopicReader::woken() {
  const std::lock_guard lock(mutex_);
  return woken_;
}

bool TopicReader::take_wakeup() {
  const std::lock_guard lock(mutex_);
  return std::exchange(woken_, false);
}

int64_t TopicReader::remaining() const {
  int64_t out = 0;
  for (const auto& [partition, end] : ends_) {
    const auto next = next_.find(partition);
    out += next == next_.end() ? 0 : std::max<int64_t>(0, end - next->second);
  }
  return out;
}

std::optional<TopicFailure> TopicReader::step(int64_t timeout_ms) {
  if (failure_ && failure_->kind == TopicFailureKind::rejected) return failure_;
  if (!pause(timeout_ms)) return failure_;
  failure_ = read(timeout_ms);
  if (!failure_) {
    backoff_.reset();
    retry_at_ms_ = 0;
  } else {
    ++failures_;
    retry_at_ms_ = clock_.steady_ms() + backoff_.next_ms();
  }
  return failure_;
}

// Whether it is time to try again.
bool TopicReader::pause(int64_t timeout_ms) {
  const int64_t left_ms = retry_at_ms_ - clock_.steady_ms();
  if (left_ms > 0) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(std::min(left_ms, timeout_ms)), [this] { return woken_; });
    if (std::exchange(woken_, false)) return false;
  }
  return clock_.steady_ms() >= retry_at_ms_;
}

std::optional<TopicFailure> TopicReader::read(int64_t timeout_ms) {
  if (!consumer_) {
    if (Failed failed = open()) return failed;
    if (!consumer_) {  // woken before it had asked for everything
      (void)take_wakeup();
      return std::nullopt;
    }
  } else if (clock_.steady_ms() >= look_at_ms_) {
    if (Failed failed = look_for_changes()) return failed;
    if (!consumer_) return read(0);  // one that differs
  }
  // Before the wait: a topic without records is read to its end at once.
  check_caught_up();
  if (take_wakeup()) timeout_ms = 0;
  Polled polled = consumer_->poll(timeout_ms, options_.batch_records_max);
  if (!polled.ok()) return take(polled.failure());
  if (Failed failed = hand_out(**polled)) return failed;
  note_positions();
  check_caught_up();
  return std::nullopt;
}

std::optional<TopicFailure> TopicReader::hand_out(Records& records) {
  for (const PartitionRecords& part : records.partitions()) {
    if (part.records.empty()) continue;
    const Status taken = handlers_.on_records(part);
    if (!taken.ok()) {
      return TopicFailure{TopicFailureKind::rejected,
                          taken.annotate(fmt::format("topic={} partition={} offsets={} to {}", part.partition.topic,
                                                     part.partition.partition, part.records.front().offset,
                                                     part.records.back().offset))};
    }
    next_[part.partition] = part.records.back().offset + 1;
  }
  return std::nullopt;
}

// Past what is no record for this reader: the end of a topic is reached also when it is the marker of a transaction.
void TopicReader::note_positions() {
  for (auto& [partition, next] : next_) {
    const Result<Offset> position = consumer_->position(partition);
    if (position.ok()) next = std::max(next, *position);
  }
}

void TopicReader::check_caught_up() {
  if (caught_up_) return;
  std::erase_if(ends_, [this](const auto& entry) { return next_.at(entry.first) >= entry.second; });
  if (!ends_.empty()) return;
  caught_up_ = true;
  if (handlers_.on_caught_up) handlers_.on_caught_up();
}

// A partition that stopped at an offset that is not there would have to be sought; a topic that was made anew has other
// partitions as well. Both are rare: everything but a cluster that is away is looked at anew, and goes on from next_.
std::optional<TopicFailure> TopicReader::take(const PollFailure& failure) {
  switch (failure.kind) {
    case PollFailureKind::away: break;
    case PollFailureKind::offset_out_of_range: {
      close();
      const uint64_t before = resets_;
      if (Failed failed = open()) return failed;
      // Else what the leader said and what it says now differ: asked again after a pause.
      if (resets_ > before) return std::nullopt;
      close();
      break;
    }
    case PollFailureKind::unknown_topic:
    case PollFailureKind::not_authorized:
    case PollFailureKind::damaged:
    case PollFailureKind::fatal: close(); break;
  }
  return TopicFailure{kind_of(failure), failure.status};
}

std::optional<TopicFailure> TopicReader::ask_failed(const Status& status) {
  if (status.code() == Code::timed_out) patience_ms_ = patience_.next_ms();
  const PollFailure failure = PollFailure::of(status);
  return TopicFailure{kind_of(failure), failure.status};
}

std::optional<TopicFailure> TopicReader::open() {
  Plan wanted;
  if (const Status planned = look(wanted); !planned.ok()) {
    if (planned.code() == Code::aborted && woken()) return std::nullopt;
    return ask_failed(planned);
  }
  patience_.reset();
  patience_ms_ = patience_.next_ms();
  return begin(wanted);
}

Status TopicReader::look(Plan& plan) {
  if (!admin_) admin_ = MUIR_TRY(client_.admin(options_.admin));
  std::vector<TopicPartition> partitions;
  std::map<TopicPartition, int64_t> tails;
  for (const ReadTopic& topic : options_.topics) {
    TopicDescription& found = plan.topics[topic.name];
    if (woken()) return interrupted();
    if (found.name.empty()) found = MUIR_TRY(admin_->describe_topic(topic.name, patience_ms_));
    for (int32_t p = 0; p < found.partitions; ++p) {
      if (topic.partition && *topic.partition != PartitionId(p)) continue;
      partitions.push_back({topic.name, PartitionId(p)});
      tails[partitions.back()] = topic.tail;
    }
    if (topic.partition && *topic.partition >= PartitionId(found.partitions)) {
      return error(Code::not_found, "read topic={} partition={}: it has {} partitions", topic.name, *topic.partition,
                   found.partitions);
    }
  }
  if (woken()) return interrupted();
  const auto begins =
      MUIR_TRY(admin_->list_offsets(partitions, OffsetSpec::earliest(), options_.isolation, patience_ms_));
  if (woken()) return interrupted();
  plan.ends = MUIR_TRY(admin_->list_offsets(partitions, OffsetSpec::latest(), options_.isolation, patience_ms_));
  for (const TopicPartition& partition : partitions) {
    const auto begin = begins.find(partition);
    const auto end = plan.ends.find(partition);
    if (begin == begins.end() || end == plan.ends.end()) {
      return error(Code::unavailable, "read topic={} partition={}: its offsets are unknown", partition.topic,
                   partition.partition);
    }
    const int64_t tail = tails[partition];
    const Offset first = tail < 0 ? begin->second : std::max(begin->second, end->second - tail);
    const auto next = next_.find(partition);
    const auto known = known_.find(partition.topic);
    const bool made_anew = known != known_.end() && known->second.id != plan.topics[partition.topic].id;
    const bool there = next != next_.end() && begin->second <= next->second && next->second <= end->second;
    plan.starts.push_back({partition, there && !made_anew ? next->second : first});
    if (next == next_.end() || (there && !made_anew)) continue;
    const ResetReason reason = made_anew                      ? ResetReason::made_anew
                               : next->second < begin->second ? ResetReason::cut
                                                              : ResetReason::beyond_end;
    plan.resets.push_back({partition, next->second, first, reason});
  }
  for (const auto& [partition, next] : next_) {
    if (!plan.ends.contains(partition)) plan.resets.push_back({partition, next, kNoOffset, ResetReason::gone});
  }
  return {};
}

std::optional<TopicFailure> TopicReader::begin(Plan& plan) {
  std::set<TopicPartition> anew;
  for (const PartitionReset& reset : plan.resets) {
    ++resets_;
    log::warn("topic={} partition={}: {}; reading on from offset {} instead of {}", reset.partition.topic,
              reset.partition.partition, to_string(reset.reason), reset.from, reset.before);
    if (handlers_.on_reset) {
      if (const Status told = handlers_.on_reset(reset); !told.ok())
        return TopicFailure{TopicFailureKind::rejected, told};
    }
    // Told once, also if the consumer cannot be made now.
    next_.erase(reset.partition);
    ends_.erase(reset.partition);
    if (reset.reason != ResetReason::gone) {
      next_[reset.partition] = reset.from;
      anew.insert(reset.partition);
    }
  }
  known_ = std::move(plan.topics);
  for (const auto& [partition, from] : plan.starts) {
    if (!caught_up_ && (!looked_ || anew.contains(partition) || !next_.contains(partition)))
      ends_[partition] = plan.ends.at(partition);
    next_[partition] = from;
  }
  looked_ = true;
  look_at_ms_ = clock_.steady_ms() + options_.look_every_ms;

  Properties properties = options_.consumer;
  properties["isolation.level"] =
      options_.isolation == IsolationLevel::read_committed ? "read_committed" : "read_uncommitted";
  auto made = client_.consumer(properties);
  if (!made.ok()) return TopicFailure{TopicFailureKind::fatal, made.status()};
  (*made)->expect(plan.starts.size());
  if (const Status assigned = (*made)->assign(plan.starts); !assigned.ok()) return ask_failed(assigned);
  const std::lock_guard lock(mutex_);
  consumer_ = std::move(*made);
  return std::nullopt;
}

// Closes the consumer when something differs. A cluster that does not answer this may well answer fetches.
std::optional<TopicFailure> TopicReader::look_for_changes() {
  look_at_ms_ = clock_.steady_ms() + options_.look_every_ms;
  for (const auto& [name, known] : known_) {
    if (woken()) {  // looked at in the next step instead
      look_at_ms_ = clock_.steady_ms();
      return std::nullopt;
    }
    const Result<TopicDescription> now = admin_->describe_topic(name, patience_ms_);
    if (now.ok()) {
      if (now->id == known.id && now->partitions == known.partitions) continue;
      close();
      return std::nullopt;
    }
    if (now.status().code() == Code::not_found) {
      close();
      return ask_failed(now.status());
    }
    log::debug("look for changes of topic {}: {}", name, now.status().message());
    break;
  }
  return std::nullopt;
}

}  // namespace muir::client
