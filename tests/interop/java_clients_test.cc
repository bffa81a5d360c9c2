// Kafka's Java producer, consumer and admin client; the scenarios are in Clients.java.
#include <string>

#include <gtest/gtest.h>

#include "brokers.h"
#include "java.h"

namespace muir::interop {
namespace {

using JavaClients = OnBothBrokers;

TEST_P(JavaClients, EveryScenarioHolds) {
  auto clients = testing::ChildProcess::start(java_program("Clients.java", {bootstrap()}));
  ASSERT_TRUE(clients.ok()) << clients.status().to_string();
  const auto output = clients->read_all();
  ASSERT_TRUE(output.ok()) << output.status().to_string();
  const auto code = clients->wait();
  EXPECT_TRUE(code.ok() && *code == 0) << *output;
  EXPECT_NE(output->find("ok admin-aborts-a-transaction"), std::string::npos) << "the last scenario was not reached:\n"
                                                                              << *output;
}

INSTANTIATE_TEST_SUITE_P(Of, JavaClients, kBothVendors, vendor_name);

}  // namespace
}  // namespace muir::interop
