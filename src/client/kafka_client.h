// The Client for a real cluster: Apache Kafka or Muir's broker, found by bootstrap.servers.
#pragma once

#include <memory>

#include "client/client.h"

namespace muir::client {

// Fails when bootstrap.servers is missing or malformed. Keys that librdkafka names differently are translated;
// unknown keys are warned about by name.
Result<std::unique_ptr<Client>> connect_kafka(const Properties& properties);

}  // namespace muir::client
