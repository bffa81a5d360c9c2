// What clients may rely on in single requests, in the bytes of the protocol: on our broker and on Apache Kafka 4.3.1.
#include <gtest/gtest.h>

#include <string>

#include "broker/internal/scripted_client_fixture.h"
#include "brokers.h"

namespace muir::interop {
namespace {

using broker::ScriptedClient;
using broker::TestClient;
using wire::ErrorCode;

class RequestContract : public OnBothBrokers {
 protected:
  [[nodiscard]] uint16_t port() const {
    return static_cast<uint16_t>(std::stoi(bootstrap().substr(bootstrap().rfind(':') + 1)));
  }
};

TEST_P(RequestContract, PipelinedRequestsOfOneConnectionTakeEffectInOrder) {
  const struct {
    const char* name;
    const char* script;
  } cases[] = {
      {"a transaction", "ape"},
      {"offsets in a transaction", "aopcape"},
      {"an aborted one", "aapopcx"},
      {"a transaction ended before it began", "pc"},
      {"offsets are committed and asked for", "kgkgkg"},
      {"records are written and looked for", "Pl1lPl1l"},
      {"a long poll comes before the records", "wPw1w"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    ScriptedClient patient(port(), std::string("patient-") + c.script);
    ScriptedClient eager(port(), std::string("eager-") + c.script);
    EXPECT_EQ(eager.pipelined(c.script), patient.one_at_a_time(c.script));
  }
}

TEST_P(RequestContract, OwnWritesAreSeenAsSoonAsTheyAreAnswered) {
  ScriptedClient client(port(), "own-writes");
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.one_at_a_time("1l"), (std::vector<std::string>{"ProduceResponse 0@" + std::to_string(i),
                                                                    "ListOffsetsResponse @" + std::to_string(i + 1)}));
  }
}

TEST_P(RequestContract, ARequestMakesAtMostTenThousandPartitions) {
  TestClient client(port());
  wire::CreateTopicsRequest create;
  create.timeout_ms = 20'000;
  create.topics.push_back({"too-many", 6000, 1, {}, {}, {}});
  create.topics.push_back({"even-more", 4001, 1, {}, {}, {}});
  for (const auto& topic : client.call(create, 7).topics) {
    EXPECT_EQ(topic.error_code, ErrorCode::policy_violation) << topic.name;
    EXPECT_TRUE(topic.error_message.value_or("").starts_with("Excessively large number of partitions per request"));
  }
  create.topics = {{"just-one", 1, 1, {}, {}, {}}};
  EXPECT_EQ(client.call(create, 7).topics.at(0).error_code, ErrorCode::none);
  wire::CreatePartitionsRequest grow;
  grow.timeout_ms = 20'000;
  grow.topics.push_back({"just-one", 10'002, std::nullopt, {}});
  // Apache Kafka runs into the limit of its own records, and has no better word for it than UNKNOWN_SERVER_ERROR.
  const auto expected = GetParam() == Vendor::muir ? ErrorCode::policy_violation : ErrorCode::unknown_server_error;
  EXPECT_EQ(client.call(grow, 3).results.at(0).error_code, expected);
}

INSTANTIATE_TEST_SUITE_P(Brokers, RequestContract, kBothVendors, vendor_name);

}  // namespace
}  // namespace muir::interop
