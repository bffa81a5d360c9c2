// MetricsService: the metrics of one process, and where they are shown.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/config_def.h"
#include "base/metrics.h"
#include "base/status.h"
#include "net/http_server.h"
#include "net/metrics_endpoint.h"

namespace muir::app {

// metrics.listeners; keys of TLS of these listeners are metrics.ssl.*, see is_metrics_tls_key().
struct MetricsSettings {
  std::vector<std::string> listeners{};
};
const ConfigDefOf<MetricsSettings>& metrics_config();
bool is_metrics_tls_key(std::string_view key);

struct MetricsListener {
  std::string host;
  uint16_t port = 0;  // 0: any free one
  std::shared_ptr<const net::TlsContext> tls{};
  bool must = true;  // whether the program ends when the port is taken
};

// Where /metrics is.
struct MetricsPlaces {
  bool on_servers = false;  // on each HTTP server of the process
  bool is_empty = false;    // the list names nothing, not even none
  std::vector<MetricsListener> listeners{};
};
// `has_servers`: whether the process has an HTTP server; one without has a listener on localhost instead. The error
// names the key and what it may be.
Result<MetricsPlaces> metrics_places(const Properties& properties, bool has_servers);

// start() and stop() by one thread.
class MetricsService {
 public:
  explicit MetricsService(const std::string& version);
  ~MetricsService() { stop(); }
  MetricsService(const MetricsService&) = delete;
  MetricsService& operator=(const MetricsService&) = delete;

  // Opens the listeners. `limits` are those of the other servers of the process.
  Status start(const MetricsPlaces& places, const net::HttpServerOptions& limits);
  // From then on no server's /metrics is answered: before servers, and what they run on, are gone.
  void stop();

  // All that is collected; outlives every part of the process.
  [[nodiscard]] MetricsRegistry& registry() { return registry_; }
  // For HTTP servers of the process; null when they have no /metrics.
  [[nodiscard]] net::MetricsEndpoint* for_servers() { return on_servers_ ? &endpoint_ : nullptr; }
  // Of the listeners: "http://127.0.0.1:9404/metrics".
  [[nodiscard]] const std::vector<std::string>& urls() const { return urls_; }

 private:
  Status listen(const MetricsListener& listener, net::HttpServerOptions options);

  MetricsRegistry registry_;
  std::unique_ptr<MetricsGroup> process_;
  net::MetricsEndpoint endpoint_{registry_};
  bool on_servers_ = false;
  std::vector<std::string> urls_;
  std::unique_ptr<net::EventLoop> loop_;
  std::vector<std::unique_ptr<net::HttpServer>> servers_;
};

}  // namespace muir::app
