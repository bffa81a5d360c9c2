// The Client for a real cluster: Apache Kafka or Muir's broker, found by bootstrap.servers.
#pragma once

#include <memory>

#include "base/metrics.h"
#include "client/client.h"

namespace muir::client {

// Fails when bootstrap.servers is missing or malformed. Keys that librdkafka names differently are translated;
// unknown keys are warned about by name.
// `metrics`: where muir_client_* of producers are collected, which outlives them; null: nowhere.
Result<std::unique_ptr<Client>> connect_kafka(const Properties& properties, MetricsRegistry* metrics = nullptr);

}  // namespace muir::client
