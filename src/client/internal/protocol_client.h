// ProtocolClient: finds the brokers, leaders and coordinators of a cluster and keeps a connection to each. Owned by one
// thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/internal/broker_connection.h"
#include "client/internal/reachability.h"
#include "client/records.h"
#include "wire/messages/metadata.h"

namespace muir::client::internal {

struct ProtocolClientOptions {
  std::vector<Endpoint> bootstrap;
  std::string client_id = "muir";
  int64_t connect_timeout_ms = 10'000;
  int64_t request_timeout_ms = 30'000;
  int64_t retry_backoff_ms = 100;
  std::shared_ptr<const net::TlsContext> tls{};  // shared by all connections; null: plaintext
};
// From Kafka's keys. Code::unsupported for a security.protocol with SASL.
Result<ProtocolClientOptions> protocol_options(const Properties& properties);

// Whether the same call may succeed later: Kafka's retriable codes, and connections that failed.
bool may_retry(const Status& status);

class ProtocolClient {
 public:
  explicit ProtocolClient(ProtocolClientOptions options);

  // A connection to any broker: one that is open, else one of the known and the bootstrap brokers.
  Result<BrokerConnection*> any(const Deadline& deadline);
  Result<BrokerConnection*> at(const Endpoint& endpoint, const Deadline& deadline);
  // nullopt: all topics. Topics are never created by asking.
  Result<wire::MetadataResponse> metadata(const std::optional<std::vector<std::string>>& topics,
                                          const Deadline& deadline);
  Result<BrokerConnection*> controller(const Deadline& deadline);
  // Where the group's coordinator is, asked anew each time.
  Result<Endpoint> coordinator(const std::string& group, const Deadline& deadline);

  // Calls `attempt` () -> Result<T> or Status until it succeeds, fails for good, or the deadline has passed. Then
  // Kafka's last answer is the reason of a timed_out, also when the very last attempt got none.
  template <class Attempt>
  auto retry(const Deadline& deadline, Attempt attempt) -> decltype(attempt()) {
    Status answer;
    while (true) {
      auto result = attempt();
      const Status status = muir::internal::status_of(result);
      if (status.ok() || !may_retry(status)) return result;
      if (wire::kafka_code_of(status) != wire::ErrorCode::none) answer = status;
      if (back_off(deadline)) continue;
      if (answer.ok()) return result;
      return answer.with(Code::timed_out);
    }
  }
  // Waits retry.backoff.ms; false when the deadline would pass.
  [[nodiscard]] bool back_off(const Deadline& deadline) const;
  [[nodiscard]] const ProtocolClientOptions& options() const { return options_; }
  [[nodiscard]] int64_t request_ms(const Deadline& deadline) const {
    return std::min(deadline.left_ms(), options_.request_timeout_ms);
  }

 private:
  Result<BrokerConnection*> connect(const Endpoint& endpoint, int64_t timeout_ms);

  const ProtocolClientOptions options_;
  std::map<Endpoint, std::unique_ptr<BrokerConnection>> connections_;
  std::vector<Endpoint> known_;  // from the last metadata
  Reachability reachability_;
};

}  // namespace muir::client::internal
