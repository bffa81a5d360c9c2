// The memory of a KafkaConsumer: what waits to be polled stays within a budget for all partitions together.
//
// Each partition has a share of it (fetch_share.h). Brokers send whole batches, however small the share, and compressed
// ones grow: so what waits is measured, and beyond the budget partitions of which nothing waits are not fetched for a
// while. None is needed by a reader that has records to take; one that finds none gets some partitions released
// whatever waits for others, or two readers could wait for each other's partition for ever.
#include <librdkafka/rdkafka.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "client/internal/kafka_consumer.h"

namespace muir::client::internal {
namespace {

constexpr int64_t kWatchMemoryEveryMs = 100;
constexpr int64_t kWatchLagsEveryMs = 1'000;
constexpr unsigned kHalvingsMax = 4;
// A released partition has this long to bring something before it may be held again.
constexpr int64_t kGraceMs = 2'000;
// How long the last released partition may keep others from being released.
constexpr int64_t kAnswerMs = 3'000;
// How long partitions wait for a turn while others take the whole budget and the reader never runs dry.
constexpr int64_t kTurnMs = 1'000;

}  // namespace

// Made for twice as many as there are, so that partitions which come one by one make few handles.
Status KafkaConsumer::fit(size_t more) {
  const size_t partitions = std::max(assigned_.size() + more, expected_);
  if (partitions <= shared_by_) return {};
  const size_t growing = assigned_.empty() ? partitions : 2 * partitions;
  const FetchShare share = share_of(most_, budget_, growing, halvings_);
  shared_by_ = share == most_ ? partitions : growing;
  return share == handle_->share() ? Status() : replace_handle(share);
}

Status KafkaConsumer::replace_handle(const FetchShare& share) {
  log::debug("consumer: {} partitions share {} bytes: {} records, {} KiB, fetches of {} bytes each", shared_by_,
             budget_, share.messages, share.kbytes, share.fetch_bytes);
  SharedHandle handle = MUIR_TRY(FetchHandle::make(properties_, share));
  std::vector<PartitionStart> starts;
  std::map<TopicPartition, Assigned> again;
  for (auto& [one, state] : assigned_) {
    state.queue.reset();  // what waits there is fetched again
    state.held = false;
    starts.push_back({one, state.position >= Offset(0) ? state.position : state.start});
    again.emplace(one, std::move(state));
  }
  assigned_.clear();
  held_ = 0;
  ignore(handle_->events());
  handle_->retire();
  handle_ = std::move(handle);
  watch(handle_->events(), signal_);
  taken_messages_ = taken_bytes_ = 0;
  return starts.empty() ? Status() : begin(starts, std::move(again));
}

// Of partitions that are being assigned.
void KafkaConsumer::hold_some(std::map<TopicPartition, Assigned>& added) {
  if (handle_->share() == most_) return;
  size_t fetched = assigned_.size() - held_;
  std::vector<TopicPartition> held;
  for (auto& [one, state] : added) {
    if (fetched++ < begin_together_) {
      released_ = one;
      state.released_at_ms = system_clock().steady_ms();
      continue;
    }
    state.held = true;
    held.push_back(one);
  }
  held_ += held.size();
  handle_->hold(held);
}

void KafkaConsumer::watch_memory() {
  const int64_t now_ms = system_clock().steady_ms();
  if (now_ms - watched_at_ms_ < kWatchMemoryEveryMs) return;
  watched_at_ms_ = now_ms;
  if (now_ms - lags_at_ms_ >= kWatchLagsEveryMs) watch_lags(now_ms);
  const size_t bytes = measure();
  if (bytes <= budget_) {
    if (held_ > 0 && last_has_answered()) release(room_for());
    return;
  }
  std::vector<TopicPartition> idle;
  for (auto& [one, state] : assigned_) {
    if (state.held || state.queue->size() > 0 || now_ms - state.released_at_ms < kGraceMs) continue;
    state.held = true;
    idle.push_back(one);
  }
  held_ += idle.size();
  handle_->hold(idle);
  // What waits may be of partitions that the reader does not ask for before it has something of one that is held.
  if (now_ms - last_release_ms_ >= kTurnMs && last_has_answered()) release(1);
  if (bytes <= budget_ + budget_ / 4 || halvings_ == kHalvingsMax) return;
  // Compressed, or very small: what was sent has become more than was thought.
  ++halvings_;
  begin_together_ = std::max<size_t>(1, budget_ / (bytes / std::max<size_t>(filled_, 1) + 1));
  const FetchShare share = share_of(most_, budget_, shared_by_, halvings_);
  if (share == handle_->share()) return;
  if (const Status replaced = replace_handle(share); !replaced.ok() && failure_.ok()) failure_ = replaced;
}

// What waits to be polled takes about as much; before the first record nothing is known of their size.
size_t KafkaConsumer::measure() {
  size_t waiting = 0;
  filled_ = 0;
  for (const auto& [one, state] : assigned_) {
    const size_t size = state.queue->size();
    waiting += size;
    filled_ += size > 0 ? 1 : 0;
  }
  const size_t record =
      kQueuedRecordBytes + (seen_records_ == 0 ? 0 : static_cast<size_t>(seen_bytes_ / seen_records_));
  waiting_bytes_ = waiting * record;
  metrics_.waiting(waiting, waiting_bytes_);
  return waiting_bytes_;
}

// As many more as would fill what is free if they bring as much as the others did, at most twice as many as now.
size_t KafkaConsumer::room_for() const {
  const size_t fetched = std::max<size_t>(assigned_.size() - held_, 1);
  if (filled_ == 0 || waiting_bytes_ == 0) return fetched;
  return std::min(fetched, (budget_ - waiting_bytes_) / (waiting_bytes_ / filled_ + 1));
}

// Whether those that were released last have brought something, or could have: what they bring is not known before.
bool KafkaConsumer::last_has_answered() {
  const auto last = assigned_.find(released_);
  return last == assigned_.end() || last->second.held || end_offset(released_) ||
         system_clock().steady_ms() - last->second.released_at_ms >= kAnswerMs;
}

// For a reader that finds nothing.
void KafkaConsumer::release_some() {
  if (!last_has_answered()) return;
  release(measure() <= budget_ ? std::max<size_t>(room_for(), 1) : 1);
}

// In turns, those that the reader asks for.
void KafkaConsumer::release(size_t count) {
  const int64_t now_ms = system_clock().steady_ms();
  std::vector<TopicPartition> released;
  auto it = assigned_.upper_bound(released_);
  for (size_t i = 0; i < assigned_.size() && released.size() < count; ++i, ++it) {
    if (it == assigned_.end()) it = assigned_.begin();
    if (!it->second.held || it->second.paused) continue;
    it->second.held = false;
    it->second.released_at_ms = now_ms;
    released.push_back(it->first);
    released_ = it->first;
  }
  held_ -= released.size();
  if (!released.empty()) last_release_ms_ = now_ms;
  handle_->release(released);
}

void KafkaConsumer::watch_lags(int64_t now_ms) {
  lags_at_ms_ = now_ms;
  std::map<std::string, int64_t> lags;
  for (const auto& [one, state] : assigned_) {
    int64_t& lag = lags[one.topic];
    const std::optional<Offset> end = end_offset(one);
    if (end && state.position >= Offset(0)) lag += *end - state.position;
  }
  metrics_.lags(std::move(lags));
  metrics_.partitions(assigned_.size());
}

}  // namespace muir::client::internal
