#include "client/internal/protocol_client.h"

#include <chrono>
#include <thread>

#include "base/log.h"
#include "net/tls_config.h"
#include "wire/messages/find_coordinator.h"

namespace muir::client::internal {

Result<ProtocolClientOptions> protocol_options(const Properties& properties) {
  ProtocolClientOptions options;
  const auto servers = properties.find("bootstrap.servers");
  if (servers == properties.end())
    return error(Code::invalid_argument, "configuration key bootstrap.servers is missing");
  options.bootstrap = MUIR_TRY(parse_endpoints(servers->second));
  if (const auto it = properties.find("client.id"); it != properties.end()) options.client_id = it->second;
  if (const auto it = properties.find("security.protocol");
      it != properties.end() && MUIR_TRY(net::is_tls_protocol(it->second))) {
    options.tls = MUIR_TRY(net::tls_client(properties));
  }
  options.connect_timeout_ms =
      MUIR_TRY(number_of(properties, "socket.connection.setup.timeout.ms", 10'000, 1, 3'600'000));
  options.request_timeout_ms = MUIR_TRY(number_of(properties, "request.timeout.ms", 30'000, 1, 3'600'000));
  options.retry_backoff_ms = MUIR_TRY(number_of(properties, "retry.backoff.ms", 100, 1, 60'000));
  return options;
}

bool may_retry(const Status& status) {
  if (const auto code = wire::kafka_code_of(status); code != wire::ErrorCode::none) return wire::is_retriable(code);
  return status.code() == Code::unavailable || status.code() == Code::io_error || status.code() == Code::timed_out;
}

ProtocolClient::ProtocolClient(ProtocolClientOptions options)
    : options_(std::move(options)), reachability_([this] {
        std::string servers;
        for (const Endpoint& one : options_.bootstrap) servers += (servers.empty() ? "" : ",") + to_string(one);
        return servers;
      }()) {}

bool ProtocolClient::back_off(const Deadline& deadline) const {
  if (deadline.left_ms() <= options_.retry_backoff_ms) return false;
  std::this_thread::sleep_for(std::chrono::milliseconds(options_.retry_backoff_ms));
  return true;
}

Result<BrokerConnection*> ProtocolClient::connect(const Endpoint& endpoint, int64_t timeout_ms) {
  std::unique_ptr<BrokerConnection>& slot = connections_[endpoint];
  if (slot != nullptr && !slot->broken()) return slot.get();
  slot.reset();
  slot = MUIR_TRY(BrokerConnection::open(endpoint, options_.client_id, timeout_ms, options_.tls));
  return slot.get();
}

Result<BrokerConnection*> ProtocolClient::at(const Endpoint& endpoint, const Deadline& deadline) {
  return connect(endpoint, std::min(deadline.left_ms(), options_.connect_timeout_ms));
}

Result<BrokerConnection*> ProtocolClient::any(const Deadline& deadline) {
  for (const auto& [endpoint, connection] : connections_) {
    if (connection != nullptr && !connection->broken()) return connection.get();
  }
  const int64_t began_ms = system_clock().steady_ms();
  Status failure = error(Code::unavailable, "no broker is known");
  for (const std::vector<Endpoint>& list : {known_, options_.bootstrap}) {
    for (const Endpoint& endpoint : list) {
      // One that hangs is given up soon at first, so that it can be spoken of.
      const int64_t longest_ms = reachability_.failing() ? options_.connect_timeout_ms : Reachability::kFirstConnectMs;
      Result<BrokerConnection*> connection =
          connect(endpoint, std::min({deadline.left_ms(), options_.connect_timeout_ms, longest_ms}));
      if (connection.ok()) {
        if (const std::string again = reachability_.reached(); !again.empty()) log::info("{}", again);
        return connection;
      }
      failure = connection.status();
      if (deadline.passed()) break;
    }
  }
  const std::string said = reachability_.failed(failure, began_ms, system_clock().steady_ms());
  if (!said.empty()) log::warn("{}", said);
  return failure;
}

Result<wire::MetadataResponse> ProtocolClient::metadata(const std::optional<std::vector<std::string>>& topics,
                                                        const Deadline& deadline) {
  BrokerConnection* connection = MUIR_TRY(any(deadline));
  wire::MetadataRequest request;
  request.allow_auto_topic_creation = false;
  if (topics) {
    request.topics.emplace();
    for (const std::string& name : *topics) request.topics->push_back({.name = name});
  } else {
    request.topics.reset();
  }
  // v13 only adds an error at the top.
  wire::MetadataResponse answer = MUIR_TRY(connection->call(request, request_ms(deadline), 12));
  known_.clear();
  for (const auto& broker : answer.brokers) known_.push_back({broker.host, static_cast<uint16_t>(broker.port)});
  return answer;
}

Result<BrokerConnection*> ProtocolClient::controller(const Deadline& deadline) {
  const wire::MetadataResponse answer = MUIR_TRY(metadata(std::vector<std::string>(), deadline));
  for (const auto& broker : answer.brokers) {
    if (broker.node_id == answer.controller_id) return at({broker.host, static_cast<uint16_t>(broker.port)}, deadline);
  }
  return wire::to_status(wire::ErrorCode::broker_not_available, "the cluster has no controller");
}

Result<Endpoint> ProtocolClient::coordinator(const std::string& group, const Deadline& deadline) {
  BrokerConnection* connection = MUIR_TRY(any(deadline));
  wire::FindCoordinatorRequest request;
  request.key = group;
  request.key_type = 0;
  request.coordinator_keys = {group};
  const wire::FindCoordinatorResponse answer = MUIR_TRY(connection->call(request, request_ms(deadline)));
  const std::string what = fmt::format("find the coordinator of group={}", group);
  if (answer.coordinators.empty()) {  // up to v3
    MUIR_RETURN_IF_ERROR(wire::to_status(answer.error_code, what));
    return Endpoint{answer.host, static_cast<uint16_t>(answer.port)};
  }
  MUIR_RETURN_IF_ERROR(wire::to_status(answer.coordinators[0].error_code, what));
  return Endpoint{answer.coordinators[0].host, static_cast<uint16_t>(answer.coordinators[0].port)};
}

}  // namespace muir::client::internal
