// The vehicle tracking topology: from vehicle.location.raw to everything that follows from it, exactly once.
//
//   raw -------------> tracker ------+-> vehicle.location.enriched
//   vehicle.master --> vehicle rows -+-> vehicle.state
//                                    +-> vehicle.speed.avg.5min
//                                    +-> vehicle.alerts
//                                    +-> vehicle.location.dlq
//                                    +-> vehicle.location.counts
//                                    +-> +1/-1 per zone, by zone id -> zone.occupancy
//   zone.master -----> zone rows -----> vehicle.location.dlq
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "apps/vts/rules.h"
#include "apps/vts/zone_index.h"
#include "base/clock.h"
#include "serde/registry_port.h"
#include "streams/topology.h"

namespace muir::vts {

// The zones as they are now; never null. Thread-safe.
using ZoneSource = std::function<std::shared_ptr<const ZoneIndex>()>;

struct TopologyOptions {
  Limits limits{};
  // How long a repeated fix is still known as a duplicate: see seen_fixes.h.
  std::chrono::milliseconds duplicate_retention = std::chrono::hours(6);
  // How long that is known of a vehicle that sends nothing.
  std::chrono::milliseconds silent_retention = std::chrono::days(30);
  std::chrono::milliseconds counts_interval = std::chrono::milliseconds(100);
  std::chrono::milliseconds silent_sweep_interval = std::chrono::minutes(1);  // by the wall clock
  const Clock* clock = &system_clock();  // no record counts as later than it; outlives the topology
};

// `registry` outlives the topology.
Result<streams::Topology> make_topology(const TopologyOptions& options, RegistryPort& registry, ZoneSource zones);

}  // namespace muir::vts
