// Registry: a running Schema Registry: the `_schemas` log, the service, and its HTTP server.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/status.h"
#include "client/client.h"
#include "net/metrics_endpoint.h"
#include "net/tls.h"
#include "registry/compatibility.h"
#include "registry/schema_log.h"
#include "serde/registry_port.h"

namespace muir::registry {

struct RegistryOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8081;  // 0: any free port
  Compatibility default_compatibility = Compatibility::backward;
  bool validate_new_schemas = true;  // see RegistryServiceOptions
  KafkaSchemaLogOptions log{};
  std::shared_ptr<const net::TlsContext> tls{};  // https, shared by all connections; null: http
  std::vector<std::string> allowed_hosts{};      // as net::HttpServerOptions has them
  size_t memory_bytes_max = 128 * 1024 * 1024;   // of all connections together
  size_t queued_requests_max = 1000;             // writes waiting for the log; more are answered 503
  // Where muir_registry_* are collected, and who answers /metrics; both outlive the registry. Null: nowhere, nobody.
  MetricsRegistry* metrics = nullptr;
  net::MetricsEndpoint* metrics_endpoint = nullptr;
};

// Thread-safe.
class Registry {
 public:
  // Loads the state from the cluster of `client` (borrowed; outlives the registry), then listens.
  static Result<std::unique_ptr<Registry>> start(client::Client& client, RegistryOptions options = {});
  virtual ~Registry() = default;

  [[nodiscard]] virtual uint16_t port() const = 0;
  // "http://host:port", "https://" with TLS
  [[nodiscard]] virtual std::string url() const = 0;
  // The same registry for serdes of this process, without HTTP. Lives as long as the registry.
  virtual RegistryPort& port_for_serdes() = 0;
  // Stops listening, then reading the log. Idempotent.
  virtual void stop() = 0;
};

}  // namespace muir::registry
