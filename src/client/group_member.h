// GroupMember: membership in a classic consumer group with an assignor of our own (Streams, Connect, the registry's
// leader election). librdkafka cannot run custom assignors, so this client speaks JoinGroup, SyncGroup, Heartbeat,
// LeaveGroup, OffsetCommit and OffsetFetch itself.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/producer.h"
#include "client/records.h"

namespace muir::client {

// The protocol-specific half; all bytes are the protocol's own (for Streams: ConsumerProtocolSubscription with
// SubscriptionInfo as user data). Called from GroupMember::poll() only, on its thread.
class GroupProtocol {
 public:
  virtual ~GroupProtocol() = default;
  // Names in order of preference with this member's metadata, asked again before each join ("stream" -> bytes).
  virtual std::vector<std::pair<std::string, Bytes>> metadata() = 0;
  // On the elected leader: every member's metadata -> every member's assignment.
  virtual Result<std::map<std::string, Bytes>> assign(const std::string& protocol_name,
                                                      const std::map<std::string, Bytes>& member_metadata) = 0;
  // The group is about to rebalance; with the eager protocol everything owned is given up here, before joining.
  virtual void on_prepare(GenerationId generation_id, const std::string& member_id) = 0;
  // This member's part of a new generation.
  virtual Status on_assigned(GenerationId generation_id, const std::string& member_id, BytesView assignment) = 0;
  // The member lost its place without a chance to commit (session expired, fenced).
  virtual void on_lost() = 0;
};

struct GroupMemberOptions {
  std::string group_id;
  std::string group_instance_id{};  // empty: dynamic member
  std::string protocol_type = "consumer";
  int64_t session_timeout_ms = 45'000;
  int64_t rebalance_timeout_ms = 300'000;  // max.poll.interval.ms
  int64_t heartbeat_interval_ms = 3'000;
  int64_t request_timeout_ms = 30'000;
  int64_t retry_backoff_ms = 100;
  std::map<std::string, std::string>
      properties{};  // laid over the client's: connection, client.id, and the two above where given
};

// Heartbeats are sent by a thread of its own; all other calls come from one thread (the owner), except
// request_rejoin().
class GroupMember {
 public:
  virtual ~GroupMember() = default;  // leaves the group unless static
  // Drives joins and rebalances: returns quickly when nothing is to do; at most about `timeout_ms` otherwise (a join in
  // progress is continued by the next call). Calls the protocol. Code::fenced is final.
  virtual Status poll(int64_t timeout_ms) = 0;
  // Asks for a new rebalance at the next poll (the metadata has changed). Thread-safe.
  virtual void request_rejoin() = 0;
  [[nodiscard]] virtual bool stable() const = 0;
  // Identity for transactional offset commits; kNoGeneration before the first join.
  [[nodiscard]] virtual GroupMetadata metadata() const = 0;
  // Code::aborted: this generation is over (a rebalance, an expired session) and the offsets are somebody else's now;
  // It carries Kafka's error code.
  virtual Status commit(const Offsets& offsets, int64_t timeout_ms) = 0;
  virtual Status leave() = 0;
};

}  // namespace muir::client
