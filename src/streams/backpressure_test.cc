// Buffers of a task that are full all the time: what the broker sends is each record once, whichever partitions wait
// for which. Bytes are those that the kernel has received on this process's connections to the broker.
#include <gtest/gtest.h>

#include <atomic>

#include "broker/broker.h"
#include "client/kafka_client.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"
#include "testing/eventually.h"
#include "testing/received_bytes.h"
#include "testing/temp_dir.h"

namespace muir::streams {
namespace {

using Text = std::string;
constexpr int32_t kPartitions = 2;
constexpr int64_t kRecords = 60'000;  // of each topic
constexpr size_t kValueBytes = 150;
constexpr size_t kRecordBytesMax = kValueBytes + 24;  // with its key, in a batch

void fill(client::Client& client, const Text& topic, int64_t begin_ms) {
  const auto admin = client.admin().value();
  ASSERT_TRUE(admin->create_topic({.name = topic, .partitions = kPartitions, .replication_factor = 1}).ok());
  const auto producer = client.producer().value();
  const Text value(kValueBytes, 'v');
  for (int64_t i = 0; i < kRecords; ++i) {
    const Text key = std::to_string(i);
    const client::ProducedRecord record{.topic = topic, .key = key, .value = value, .timestamp_ms = begin_ms + i};
    ASSERT_TRUE(producer->send({&record, 1}).ok());
  }
  ASSERT_TRUE(producer->flush(muir::testing::kPatienceMs).ok());
}

struct Case {
  const char* name;
  const char* buffered;
  int64_t table_begin_ms;  // against the stream's: before it, so that the stream waits for all of the table, or along
};
class Backpressure : public ::testing::TestWithParam<Case> {};

TEST_P(Backpressure, ReceivesEachRecordOnce) {
  testing::TempDir folder;
  const auto broker = broker::Broker::start(
      {.port = 0, .data_dir = folder.str() + "/broker", .properties = {{"group.initial.rebalance.delay.ms", "0"}}});
  ASSERT_TRUE(broker.ok()) << broker.status().message();
  const Text bootstrap = fmt::format("127.0.0.1:{}", (*broker)->port());
  const auto client = client::connect_kafka({{"bootstrap.servers", bootstrap}}).value();
  const int64_t begin_ms = system_clock().now_ms() - 1'000'000;
  fill(*client, "in", begin_ms);
  fill(*client, "table", begin_ms + GetParam().table_begin_ms);

  std::atomic<int64_t> joined = 0;
  std::atomic<int64_t> missed = 0;
  StreamsBuilder builder;
  const auto table = builder.table<Text, Text>("table", {}, {.kind = StoreKind::in_memory, .logging = false});
  builder.stream<Text, Text>("in")
      .left_join(table, [](const Text& value, const Text* row) { return row == nullptr ? Text() : value; })
      .for_each([&](const Text& value) { ++(value.empty() ? missed : joined); });
  const auto topology = builder.build();
  ASSERT_TRUE(topology.ok()) << topology.status().message();
  const auto config = StreamsConfig::parse({{"application.id", "app"},
                                            {"bootstrap.servers", bootstrap},
                                            {"state.dir", folder.str() + "/state"},
                                            {"buffered.records.per.partition", GetParam().buffered}});
  ASSERT_TRUE(config.ok()) << config.status().message();
  const uint64_t before = testing::received_bytes((*broker)->port());
  const auto app = KafkaStreams::create(*topology, *config, *client);
  ASSERT_TRUE(app.ok()) << app.status().message();
  ASSERT_TRUE((*app)->start().ok());
  EXPECT_TRUE(testing::eventually([&] { return joined + missed == kRecords; }))
      << joined << " joined, " << missed << " missed";
  EXPECT_EQ(missed, 0) << "a row was not there before the record that wants it";
  const uint64_t received = testing::received_bytes((*broker)->port()) - before;
  EXPECT_LE(received, 2 * kRecords * kRecordBytesMax * 110 / 100);
  EXPECT_GE(received, 2 * kRecords * kValueBytes) << "the measure does not measure";
  EXPECT_TRUE((*app)->close(muir::testing::kPatienceMs).ok());
  EXPECT_TRUE((*broker)->stop().ok());
}

INSTANTIATE_TEST_SUITE_P(Joins, Backpressure,
                         ::testing::Values(Case{"TheWholeTableFirst", "100", -500'000},
                                           Case{"RowsJustBeforeTheirRecords", "100", -1},
                                           Case{"BuffersOfOneRecord", "1", -1}),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace muir::streams
