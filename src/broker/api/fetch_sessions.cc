#include "broker/api/fetch_sessions.h"

namespace muir::broker {

using wire::ErrorCode;
using wire::FetchRequest;
using wire::FetchResponse;
using Kind = FetchSessions::Fetch::Kind;

namespace {

constexpr int32_t kInitialEpoch = 0;  // a full fetch that wants a session
constexpr int32_t kFinalEpoch = -1;   // a full fetch that wants none, and ends the one it names
constexpr int16_t kTopicIdsSince = 13;

std::vector<FetchedPartition> partitions_of(const FetchRequest& request) {
  std::vector<FetchedPartition> out;
  for (const auto& topic : request.topics) {
    for (const auto& wanted : topic.partitions) out.push_back({topic.topic, topic.topic_id, wanted});
  }
  return out;
}

}  // namespace

FetchSessions::Key FetchSessions::key_of(const FetchedPartition& partition, bool by_topic_id) {
  const auto& id = partition.topic_id.bytes;
  return {by_topic_id ? std::string(id.begin(), id.end()) : partition.topic, PartitionId(partition.wanted.partition)};
}

FetchSessions::Fetch FetchSessions::begin(const FetchRequest& request, int16_t version) {
  Fetch out;
  out.by_topic_id = version >= kTopicIdsSince;
  out.partitions = partitions_of(request);
  const std::lock_guard guard(mutex_);
  const auto at = sessions_.find(request.session_id);
  if (request.session_epoch == kInitialEpoch || request.session_epoch == kFinalEpoch) {
    if (at != sessions_.end()) erase(at);
    if (request.session_epoch == kInitialEpoch && !out.partitions.empty()) out.kind = Kind::full;
    return out;
  }
  if (at == sessions_.end()) {
    out.error = ErrorCode::fetch_session_id_not_found;
    return out;
  }
  Session& session = at->second;
  if (session.epoch != request.session_epoch) {
    out.error = ErrorCode::invalid_fetch_session_epoch;
    return out;
  }
  if (session.by_topic_id != out.by_topic_id) {
    out.error = ErrorCode::fetch_session_topic_id_error;
    return out;
  }
  update(session, std::move(out.partitions), request);
  if (session.places.empty()) {
    erase(at);
    return out;
  }
  // Grown beyond what one, or all, may have: a full fetch follows.
  if (session.places.size() > kPartitionsOfOneMax || partitions_ > kPartitionsMax) {
    erase(at);
    out.error = ErrorCode::fetch_session_id_not_found;
    return out;
  }
  session.used_ms = clock_.steady_ms();
  session.epoch = epoch_after(session.epoch);
  out.kind = Kind::incremental;
  out.session_id = request.session_id;
  out.epoch = session.epoch;
  out.partitions.clear();
  for (const Place& place : session.places) out.partitions.push_back(place.partition);
  return out;
}

void FetchSessions::update(Session& session, std::vector<FetchedPartition> named, const FetchRequest& request) {
  for (FetchedPartition& partition : named) put(session, std::move(partition));
  for (const auto& topic : request.forgotten_topics_data) {
    for (const int32_t index : topic.partitions) {
      FetchedPartition forgotten{topic.topic, topic.topic_id, {}};
      forgotten.wanted.partition = index;
      const auto at = session.index.find(key_of(forgotten, session.by_topic_id));
      if (at == session.index.end()) continue;
      session.places.erase(at->second);
      session.index.erase(at);
      --partitions_;
    }
  }
}

void FetchSessions::put(Session& session, FetchedPartition partition) {
  const auto [at, added] = session.index.try_emplace(key_of(partition, session.by_topic_id));
  if (!added) {
    at->second->partition = std::move(partition);
    return;
  }
  at->second = session.places.insert(session.places.end(), Place{std::move(partition), kNoOffset, kNoOffset});
  ++partitions_;
}

// Whether the consumer is told of the partition. After an error it is told again, whatever has changed.
bool FetchSessions::tell(Place& place, const FetchResponse::Partition& found) {
  const Offset high_watermark(found.high_watermark);
  const Offset log_start(found.log_start_offset);
  const bool failed = found.error_code != ErrorCode::none;
  const bool changed = place.high_watermark != high_watermark || place.log_start != log_start;
  place.high_watermark = failed ? kNoOffset : high_watermark;
  place.log_start = log_start;
  return failed || changed || (found.records && !found.records->empty());
}

FetchSessions::Answer FetchSessions::finish(const Fetch& fetch, std::span<const FetchResponse::Partition> partitions) {
  Answer out;
  out.told.assign(partitions.size(), true);
  if (fetch.kind == Kind::sessionless) return out;
  const std::lock_guard guard(mutex_);
  if (fetch.kind == Kind::full) {
    out.session_id = create(fetch, partitions);
    return out;
  }
  const auto at = sessions_.find(fetch.session_id);
  if (at == sessions_.end() || at->second.epoch != fetch.epoch) {
    out.error = at == sessions_.end() ? ErrorCode::fetch_session_id_not_found : ErrorCode::invalid_fetch_session_epoch;
    out.told.assign(partitions.size(), false);
    return out;
  }
  Session& session = at->second;
  out.session_id = fetch.session_id;
  for (size_t i = 0; i < partitions.size(); ++i) {
    const auto place = session.index.find(key_of(fetch.partitions[i], session.by_topic_id));
    if (place == session.index.end()) continue;
    out.told[i] = tell(*place->second, partitions[i]);
    const bool has_records = partitions[i].records && !partitions[i].records->empty();
    if (has_records) session.places.splice(session.places.end(), session.places, place->second);
  }
  return out;
}

int32_t FetchSessions::create(const Fetch& fetch, std::span<const FetchResponse::Partition> partitions) {
  if (!make_room(fetch.partitions.size())) return 0;
  int32_t id = 0;
  while (id == 0 || sessions_.contains(id)) id = static_cast<int32_t>(random_() & INT32_MAX);
  Session& session = sessions_[id];
  session.by_topic_id = fetch.by_topic_id;
  session.created_ms = session.used_ms = clock_.steady_ms();
  for (size_t i = 0; i < fetch.partitions.size(); ++i) {
    put(session, fetch.partitions[i]);
    (void)tell(*session.index.at(key_of(fetch.partitions[i], fetch.by_topic_id)), partitions[i]);
  }
  return id;
}

// Kafka's order: first the one that has been idle longest, if it is stale; else the smallest of those that have had
// their time, unless the new one is smaller still.
bool FetchSessions::make_room(size_t partitions) {
  if (partitions > kPartitionsOfOneMax) return false;
  if (sessions_.size() < slots_ && partitions_ + partitions <= kPartitionsMax) return true;
  const int64_t now = clock_.steady_ms();
  auto idle = sessions_.end();
  auto small = sessions_.end();
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
    if (idle == sessions_.end() || it->second.used_ms < idle->second.used_ms) idle = it;
    if (now - it->second.created_ms <= kEvictionMs) continue;
    if (small == sessions_.end() || it->second.places.size() < small->second.places.size()) small = it;
  }
  if (idle != sessions_.end() && now - idle->second.used_ms > kEvictionMs) {
    erase(idle);
  } else if (small != sessions_.end() && small->second.places.size() <= partitions) {
    erase(small);
  }
  return sessions_.size() < slots_ && partitions_ + partitions <= kPartitionsMax;
}

void FetchSessions::erase(Sessions::iterator session) {
  partitions_ -= session->second.places.size();
  sessions_.erase(session);
}

bool FetchSessions::begin_waiting(size_t partitions) {
  if (waiting_.fetch_add(partitions) + partitions <= kPartitionsWaitingMax) return true;
  waiting_ -= partitions;
  return false;
}

size_t FetchSessions::size() const {
  const std::lock_guard guard(mutex_);
  return sessions_.size();
}

}  // namespace muir::broker
