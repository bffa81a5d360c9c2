// Gateway: takes positions over HTTP and acknowledges them when the cluster has them for good.
#pragma once

#include <atomic>
#include <memory>

#include "apps/vts/position_json.h"
#include "apps/vts/rules.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "client/producer.h"
#include "net/rest.h"
#include "serde/serde.h"

namespace muir::vts {

// What became of positions at the door; what the rules make of them afterwards is counted by the view. Thread-safe, and
// shared with acknowledgements.
struct GatewayCounters {
  Counter received;  // whole positions and items that are none
  Counter refused;   // for their structure
  Counter acknowledged;
  Counter unacknowledged;  // not taken now, or not acknowledged: answered 503
};

struct GatewayOptions {
  PositionLimits positions{};
  Limits rules{};
  size_t in_flight_max = 200'000;  // positions that wait for their acknowledgement; more are answered 503
};

// Thread-safe. Outlived by its producer.
class Gateway {
 public:
  // `raw` is configured.
  Gateway(client::Producer& producer, SerdeRef<RawPosition> raw, const Clock& clock, GatewayOptions options)
      : producer_(producer), raw_(std::move(raw)), clock_(clock), options_(options) {}

  // POST /api/v1/positions. Answers after the broker's acks=all: 200 when every position was taken, 207 with the
  // others listed when some were not, 400 when none could be, 503 when the cluster does not take them now.
  void handle(const std::shared_ptr<net::RestCall>& call);

  [[nodiscard]] size_t in_flight() const { return in_flight_->load(std::memory_order_relaxed); }
  [[nodiscard]] const GatewayCounters& counters() const { return *counters_; }

 private:
  client::Producer& producer_;
  const SerdeRef<RawPosition> raw_;
  const Clock& clock_;
  const GatewayOptions options_;
  // Shared with acknowledgements, which may arrive after the gateway has gone.
  const std::shared_ptr<std::atomic<size_t>> in_flight_ = std::make_shared<std::atomic<size_t>>(0);
  const std::shared_ptr<GatewayCounters> counters_ = std::make_shared<GatewayCounters>();
};

}  // namespace muir::vts
