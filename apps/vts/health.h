// Health: whether positions are processed, for those who watch over the process or send requests to it.
#pragma once

#include <string>

#include "base/status.h"
#include "net/http_server.h"
#include "streams/kafka_streams.h"

namespace muir::vts {

struct Health {
  bool ok = false;
  std::string_view processing;  // "starting", "running", "rebalancing" or "stopped"
  std::string why{};            // of what is not ok
};

// `failing`: ClusterWatch::silence(), or KafkaStreams::failing(). `has_run`: whether it has been running since the
// start.
Health health_of(streams::StreamsState state, const Status& failing, bool has_run);

// {"status":"ok","processing":"running"}: 200, or 503 with the reason.
net::HttpResponse answer(const Health& health);

}  // namespace muir::vts
