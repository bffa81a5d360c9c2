// What is fetched ahead of a reader that does not keep up is bounded for all partitions together, whatever the records
// are like, and the reader still gets all of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <tuple>

#include "base/metrics.h"
#include "client/kafka_client.h"
#include "clusters.h"
#include "testing/eventually.h"

namespace muir::client {
namespace {

constexpr int64_t kWaitMs = muir::testing::kPatienceMs;
constexpr int64_t kBudget = 4 << 20;

struct Case {
  const char* name;
  int32_t partitions;
  int64_t records;  // of each partition
  size_t value_bytes;
  const char* codec;
  const char* batch_size;
  double bound;  // of what waits while it keeps up, in budgets: brokers send whole batches
  bool told;     // how many partitions there will be; they come one by one otherwise
};
// Each topic is several times the budget in a reader's memory.
constexpr Case kCases[] = {
    {"FewPartitions", 3, 20'000, 100, "none", "16384", 2.5, true},
    {"ManyPartitions", 150, 500, 100, "none", "16384", 2.5, true},
    {"OneByOne", 60, 1'000, 100, "none", "16384", 2.5, false},
    {"SmallRecords", 10, 20'000, 1, "none", "16384", 8, true},
    {"BatchesAsLargeAsTheBudget", 10, 20'000, 1, "none", "100000", 8, true},
    {"LargeRecords", 20, 30, 60'000, "none", "16384", 2.5, true},
    {"CompressedTwentyfold", 10, 4'000, 1'000, "gzip", "16384", 4, true},
};

class ConsumerMemory : public ::testing::TestWithParam<std::tuple<std::string, Case>> {
 protected:
  [[nodiscard]] const Case& of() const { return std::get<1>(GetParam()); }

  void fill(Client& client, const std::string& topic) const {
    const auto producer = client.producer({{"compression.type", of().codec}, {"batch.size", of().batch_size}}).value();
    const std::string value(of().value_bytes, 'v');
    for (int32_t partition = 0; partition < of().partitions; ++partition) {
      std::vector<ProducedRecord> batch(100, {.topic = topic, .partition = PartitionId(partition), .value = value});
      for (int64_t sent = 0; sent < of().records; sent += static_cast<int64_t>(batch.size())) {
        batch.resize(std::min<size_t>(batch.size(), static_cast<size_t>(of().records - sent)));
        Status status = producer->send(batch);
        if (status.code() == Code::resource_exhausted) {
          ASSERT_TRUE(producer->flush(kWaitMs).ok());
          status = producer->send(batch);
        }
        ASSERT_TRUE(status.ok()) << status.to_string();
      }
    }
    ASSERT_TRUE(producer->flush(kWaitMs).ok());
  }
};

double waiting_bytes(MetricsRegistry& metrics) {
  const MetricFamilies families = metrics.collect();
  const auto found = families.find("muir_client_fetched_waiting_bytes");
  double sum = 0;
  if (found != families.end())
    for (const auto& [labels, value] : found->second.values) sum += value;
  return sum;
}

TEST_P(ConsumerMemory, IsBoundedForAllPartitionsTogether) {
  const auto& kind = std::get<0>(GetParam());
  const auto shared = client_of(kind);
  ASSERT_NE(shared, nullptr);
  const std::string topic = fmt::format("memory-{}", of().name);
  const auto admin = shared->admin({}).value();
  ASSERT_TRUE(admin->create_topic({.name = topic, .partitions = of().partitions, .replication_factor = 1}).ok());
  fill(*shared, topic);
  if (HasFatalFailure()) return;

  MetricsRegistry metrics;
  const auto client = connect_kafka({{"bootstrap.servers", fmt::format("127.0.0.1:{}", port_of(kind))},
                                     {"fetch.buffer.memory", std::to_string(kBudget)}},
                                    &metrics)
                          .value();
  const auto reader = client->consumer({}).value();
  if (of().told) reader->expect(static_cast<size_t>(of().partitions));
  std::vector<PartitionStart> starts;
  for (int32_t partition = 0; partition < of().partitions; ++partition)
    starts.push_back({{topic, PartitionId(partition)}, Offset(0)});
  if (of().told) {
    ASSERT_TRUE(reader->assign(starts).ok());
  }
  // It takes one record at a time and is told what waits meanwhile: the queues are as full as they get. How much that
  // is changes with what is taken, on a busy machine by many records between two measurements.
  std::map<TopicPartition, int64_t> next;
  int64_t read = 0;
  size_t given = 0;
  const auto take = [&](int64_t wait_ms, size_t records_max) {
    const auto records = reader->poll(wait_ms, records_max);
    ASSERT_TRUE(records.ok()) << records.status().to_string();
    for (const PartitionRecords& some : (*records)->partitions())
      for (const ConsumedRecord& one : some.records) ASSERT_EQ(one.offset.value(), next[some.partition]++);
    read += static_cast<int64_t>((*records)->count());
  };
  double most = 0;
  int settled = 0;  // rounds in a row in which what waits was within the bound
  const bool done = muir::testing::eventually([&] {
    if (!of().told && given < starts.size()) {
      EXPECT_TRUE(reader->assign({starts[given++]}).ok());
      settled = 0;
    }
    take(1, 1);
    const double now = waiting_bytes(metrics);
    settled = now > 0 && now <= kBudget * 1.5 ? settled + 1 : 0;
    return settled >= 100 || HasFatalFailure();
  });
  EXPECT_TRUE(done) << waiting_bytes(metrics) << " bytes wait";
  // Then it keeps up: each record once, in order, and never much more than the budget.
  const int64_t all = of().records * of().partitions;
  EXPECT_TRUE(muir::testing::eventually([&] {
    take(10, 1'000);
    most = std::max(most, waiting_bytes(metrics));
    return read >= all || HasFatalFailure();
  })) << read
      << " of " << all;
  EXPECT_LE(most, kBudget * of().bound);
  for (const auto& start : starts) {
    EXPECT_EQ(next[start.partition], of().records);
    EXPECT_TRUE(muir::testing::eventually([&] {
      take(1, 1);
      return reader->end_offset(start.partition) == Offset(of().records);
    })) << "the end is known from the answers";
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Clusters, ConsumerMemory,
                         ::testing::Combine(::testing::Values("MuirBroker", "ApacheKafka"),
                                            ::testing::ValuesIn(kCases)),
                         [](const auto& one) {
                           return fmt::format("{}{}", std::get<0>(one.param), std::get<1>(one.param).name);
                         });

}  // namespace
}  // namespace muir::client
