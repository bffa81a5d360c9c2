// Vts: the vehicle tracking system, running: ingest, topology, view, REST, feed and page.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "apps/vts/config.h"
#include "base/metrics.h"
#include "base/status.h"
#include "client/client.h"
#include "net/metrics_endpoint.h"
#include "serde/registry_port.h"

namespace muir::vts {

struct VtsOptions {
  VtsConfig config;
  std::string cluster_name;  // as the page shows it
  std::string web_dir{};     // the built page; empty: none is served
  std::string demo_dir{};    // served under /demo; empty: not
  // Whether waits of the start are to end; empty: never. Thread-safe.
  std::function<bool()> given_up{};
  // Where muir_vts_* and muir_streams_* are collected, and who answers /metrics; both outlive it. Null: nowhere,
  // nobody.
  MetricsRegistry* metrics = nullptr;
  net::MetricsEndpoint* metrics_endpoint = nullptr;
};

// Thread-safe.
class Vts {
 public:
  // `client` and `registry` outlive it. Returns when requests are served; the topology may still be starting.
  static Result<std::unique_ptr<Vts>> start(VtsOptions options, client::Client& client, RegistryPort& registry);
  virtual ~Vts() = default;

  [[nodiscard]] virtual uint16_t port() const = 0;
  [[nodiscard]] virtual std::string url() const = 0;
  // Waits until positions are processed; the failure when they never will be.
  virtual Status wait_until_running(int64_t timeout_ms) = 0;
  // Loads districts and vehicles of `demo_dir` where there are none, and replays its recording in a loop.
  virtual Status start_demo() = 0;
  // Ends in order: what was acknowledged stays. Idempotent.
  virtual void stop() = 0;
};

}  // namespace muir::vts
