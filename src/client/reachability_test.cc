#include "client/internal/reachability.h"

#include <gtest/gtest.h>

#include "client/internal/protocol_client.h"

namespace muir::client::internal {
namespace {

struct Row {
  int64_t at_ms;
  bool fails;
  std::string want;  // what the sentence contains; empty: nothing is said
};

TEST(Reachability, IsSpokenOfAfterAMomentThenSeldomAndWhenItIsOver) {
  Reachability one("kafka-1:9092,kafka-2:9092");
  for (const Row& row :
       {Row{0, true, ""}, Row{100, true, ""}, Row{1'499, true, ""},
        Row{1'500, true,
            "no broker of bootstrap.servers=kafka-1:9092,kafka-2:9092 can be reached for "
            "1500 ms, trying again: connect kafka-2:9092: refused"},
        Row{2'000, true, ""}, Row{31'499, true, ""}, Row{31'500, true, "for 31500 ms"},
        Row{40'000, false, "kafka-1:9092,kafka-2:9092 is reached again"}, Row{40'001, false, ""}, Row{50'000, true, ""},
        Row{50'500, false, ""}, Row{51'600, true, ""}, Row{53'100, true, "for 1500 ms"}}) {
    const std::string said =
        row.fails ? one.failed(error(Code::unavailable, "connect kafka-2:9092: refused"), row.at_ms, row.at_ms)
                  : one.reached();
    EXPECT_EQ(said.empty(), row.want.empty()) << row.at_ms << ": " << said;
    EXPECT_NE(said.find(row.want), std::string::npos) << row.at_ms << ": " << said;
  }
}

TEST(Reachability, OfAClusterThatIsNotThereIsToldWhileTheCallIsStillTrying) {
  ProtocolClient client({.bootstrap = {{"127.0.0.1", 1}}});  // nobody listens there
  ::testing::internal::CaptureStderr();
  const Deadline deadline(Reachability::kSayAfterMs + 1'000);
  const auto answer = client.retry(deadline, [&] { return client.metadata(std::nullopt, deadline); });
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_FALSE(answer.ok());
  EXPECT_NE(log.find("no broker of bootstrap.servers=127.0.0.1:1 can be reached"), std::string::npos) << log;
  EXPECT_NE(log.find("efused"), std::string::npos) << log;
}

}  // namespace
}  // namespace muir::client::internal
