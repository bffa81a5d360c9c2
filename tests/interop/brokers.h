// The two brokers that foreign clients are tried against: Muir's in this process and a real Apache Kafka. Each starts
// at its first use and serves all tests of the binary; tests name their topics, groups and ids so that they do not
// meet. Owned by the test's thread.
#pragma once

#include <ostream>
#include <string>

#include <gtest/gtest.h>

namespace muir::interop {

enum class Vendor : unsigned char { muir, apache };

// "host:port"; a failure to start ends the binary, there is nothing to test then.
const std::string& bootstrap_servers(Vendor vendor);

class OnBothBrokers : public ::testing::TestWithParam<Vendor> {
 protected:
  [[nodiscard]] const std::string& bootstrap() const { return bootstrap_servers(GetParam()); }
};

// "Muir" or "ApacheKafka".
std::string vendor_name(const ::testing::TestParamInfo<Vendor>& info);
inline const auto kBothVendors = ::testing::Values(Vendor::muir, Vendor::apache);

}  // namespace muir::interop
