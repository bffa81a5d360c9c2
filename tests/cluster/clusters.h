// The clusters that contracts of the client are held to: in memory, Muir's broker, Apache Kafka. Each is started at its
// first use and shared by the tests, which have topics and groups of their own.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "client/client.h"

namespace muir::client {

inline const auto kClusters = ::testing::Values("Memory", "MuirBroker", "ApacheKafka");

// Null when the cluster did not start; the test has failed then.
std::unique_ptr<Client> client_of(const std::string& kind);
// Of its broker; 0 for the cluster in memory.
uint16_t port_of(const std::string& kind);

}  // namespace muir::client
