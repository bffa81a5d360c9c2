#include "apps/vts/topic_follower.h"

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"

namespace muir::vts {
namespace {

constexpr int64_t kPollMs = 100;
constexpr auto kRetryAfter = std::chrono::milliseconds(500);

}  // namespace

TopicFollower::TopicFollower(client::Client& client, std::vector<FollowedTopic> topics, OnRecords on_records,
                             std::function<void()> on_caught_up)
    : client_(client),
      topics_(std::move(topics)),
      on_records_(std::move(on_records)),
      on_caught_up_(std::move(on_caught_up)) {}

TopicFollower::~TopicFollower() { stop(); }

void TopicFollower::start() {
  thread_ = std::thread([this] { run(); });
}

void TopicFollower::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  {
    const std::lock_guard lock(consumer_mutex_);
    if (consumer_) consumer_->wakeup();
  }
  if (thread_.joinable()) thread_.join();
}

bool TopicFollower::wait_caught_up(int64_t timeout_ms) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] { return caught_up_ || stopping_; });
  return caught_up_;
}

Status TopicFollower::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void TopicFollower::call_when_read(const client::TopicPartition& partition, Offset offset, int64_t timeout_ms,
                                   std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    const auto it = read_.find(partition);
    if (it == read_.end() || it->second <= offset) {
      waiting_.push_back({partition, offset, system_clock().steady_ms() + timeout_ms, std::move(done)});
      return;
    }
  }
  done();
}

void TopicFollower::call_waiting() {
  std::vector<std::function<void()>> done;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return;
    const int64_t now = system_clock().steady_ms();
    std::erase_if(waiting_, [&](Waiting& waiting) {
      const auto it = read_.find(waiting.partition);
      const bool over = (it != read_.end() && it->second > waiting.offset) || waiting.deadline_ms <= now;
      if (over) done.push_back(std::move(waiting.done));
      return over;
    });
  }
  for (const auto& call : done) call();
}

void TopicFollower::run() {
  while (!stopping_) {
    const Status status = follow();
    if (status.ok() || stopping_) continue;
    log::warn("following {}: {}; trying again", topics_.front().name, status.to_string());
    {
      const std::lock_guard lock(mutex_);
      failure_ = status;
    }
    call_waiting();
    wait_before_retry();
  }
  const std::lock_guard lock(consumer_mutex_);
  consumer_.reset();
}

void TopicFollower::wait_before_retry() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kRetryAfter, [this] { return stopping_.load(); });
}

Status TopicFollower::open() {
  auto admin = MUIR_TRY(client_.admin());
  std::vector<client::TopicPartition> partitions;
  std::map<std::string, int64_t> tails;
  for (const FollowedTopic& topic : topics_) {
    const auto description = MUIR_TRY(admin->describe_topic(topic.name));
    tails[topic.name] = topic.tail;
    for (int32_t p = 0; p < description.partitions; ++p) partitions.push_back({topic.name, PartitionId(p)});
  }
  const auto begins =
      MUIR_TRY(admin->list_offsets(partitions, client::OffsetSpec::earliest(), client::IsolationLevel::read_committed));
  const auto ends =
      MUIR_TRY(admin->list_offsets(partitions, client::OffsetSpec::latest(), client::IsolationLevel::read_committed));
  auto consumer = MUIR_TRY(client_.consumer({{"isolation.level", "read_committed"}}));
  std::vector<client::PartitionStart> starts;
  for (const client::TopicPartition& partition : partitions) {
    const Offset begin = begins.at(partition);
    const Offset end = ends.at(partition);
    const int64_t tail = tails[partition.topic];
    const auto known = next_.find(partition);
    const Offset first = tail < 0 ? begin : std::max(begin, end - tail);
    const Offset from = known == next_.end() ? first : std::max(begin, known->second);
    starts.push_back({partition, from});
    next_[partition] = from;
    if (!caught_up_ && from < end) ends_.insert_or_assign(partition, end);
  }
  MUIR_RETURN_IF_ERROR(consumer->assign(starts));
  const std::lock_guard lock(consumer_mutex_);
  consumer_ = std::move(consumer);
  return {};
}

Status TopicFollower::follow() {
  if (!consumer_) MUIR_RETURN_IF_ERROR(open());
  MUIR_RETURN_IF_ERROR(check_caught_up());
  while (!stopping_) {
    auto polled = consumer_->poll(kPollMs);
    if (!polled.ok()) {
      const std::lock_guard lock(consumer_mutex_);
      consumer_.reset();
      return polled.status();
    }
    for (const client::PartitionRecords& records : (*polled)->partitions()) {
      if (records.records.empty()) continue;
      on_records_(records);
      next_[records.partition] = records.records.back().offset + 1;
      const std::lock_guard lock(mutex_);
      read_[records.partition] = next_[records.partition];
    }
    call_waiting();
    MUIR_RETURN_IF_ERROR(check_caught_up());
  }
  return {};
}

Status TopicFollower::check_caught_up() {
  if (caught_up_) return {};
  std::erase_if(ends_, [this](const auto& entry) {
    const auto position = consumer_->position(entry.first);
    return position.ok() && *position >= entry.second;
  });
  if (!ends_.empty()) return {};
  if (on_caught_up_) on_caught_up_();
  const std::lock_guard lock(mutex_);
  caught_up_ = true;
  changed_.notify_all();
  return {};
}

}  // namespace muir::vts
