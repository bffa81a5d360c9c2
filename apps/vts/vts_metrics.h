// What the vehicle tracking system shows of its work.
#pragma once

#include <memory>

#include "apps/vts/feed.h"
#include "apps/vts/gateway.h"
#include "apps/vts/stats.h"
#include "apps/vts/view.h"
#include "base/metrics.h"

namespace muir::vts {

struct VtsParts {
  const Gateway& gateway;
  const View& view;
  const StatsBoard& board;
  const Feed& feed;
};

// muir_vts_*, as long as the result lives; the parts outlive it.
std::unique_ptr<MetricsGroup> watch_vts(MetricsRegistry& registry, const VtsParts& parts);

}  // namespace muir::vts
