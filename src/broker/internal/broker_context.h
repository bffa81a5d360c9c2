// BrokerContext: what the handlers of requests work with. Lives as long as the broker; thread-safe through its parts.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "broker/broker_config.h"
#include "log/log_manager.h"
#include "net/byte_budget.h"
#include "net/connection_memory.h"
#include "net/event_loop.h"

namespace muir::broker {

class BrokerMetrics;
class FetchSessions;
class GroupCoordinator;
class LongRequests;
class PartitionLog;
class TxnCoordinator;
class WideRequests;

struct BrokerContext {
  BrokerConfig config;
  BrokerSettings settings;  // what config.properties say
  storage::LogManager* logs = nullptr;
  Clock* clock = nullptr;
  // Runs short work and timers; must not block.
  net::EventLoop* loop = nullptr;
  // Runs what waits for the disk: changes of topics and their settings, one at a time.
  net::EventLoop* admin = nullptr;
  // The same for the coordinators: their topics, and new producer ids. Clients begin with these, and do not stand
  // behind whatever topics are being made.
  net::EventLoop* coordination = nullptr;
  GroupCoordinator* groups = nullptr;
  TxnCoordinator* txns = nullptr;
  PartitionLog* partition_log = nullptr;
  FetchSessions* fetch_sessions = nullptr;
  BrokerMetrics* metrics = nullptr;
  LongRequests* long_requests = nullptr;
  WideRequests* wide_requests = nullptr;
  // What requests that are being received take, over all connections (queued.max.request.bytes).
  std::shared_ptr<net::ByteBudget> request_budget{};
  // What answers take that clients have not read, over all connections (queued.max.response.bytes).
  std::shared_ptr<net::ConnectionMemory> answer_memory{};

  [[nodiscard]] int32_t node_id() const { return config.node_id; }
};

// Kafka's limit of what one request may make.
constexpr int64_t kPartitionsPerRequestMax = 10'000;

constexpr std::string_view kOffsetsTopic = "__consumer_offsets";
constexpr std::string_view kTransactionsTopic = "__transaction_state";
inline bool is_internal_topic(std::string_view name) { return name == kOffsetsTopic || name == kTransactionsTopic; }

}  // namespace muir::broker
