// What send() costs its caller in front of librdkafka (CPU time; the mock cluster runs in this process too), and how
// fast the in-memory cluster is.
#include <benchmark/benchmark.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <string>
#include <vector>

#include "client/cluster_memory.h"
#include "client/kafka_client.h"

namespace muir::client {
namespace {

constexpr size_t kBatch = 1000;

// One mock cluster for all benchmarks; it keeps a bounded number of messages per partition.
class MockCluster {
 public:
  MockCluster() {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", nullptr, 0);
    rk_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    mock_ = rd_kafka_mock_cluster_new(rk_, 1);
    rd_kafka_mock_topic_create(mock_, "t", 3, 1);
  }
  ~MockCluster() {
    rd_kafka_mock_cluster_destroy(mock_);
    rd_kafka_destroy(rk_);
  }
  std::unique_ptr<Client> client() {
    return connect_kafka({{"bootstrap.servers", rd_kafka_mock_cluster_bootstraps(mock_)}}).value();
  }

 private:
  rd_kafka_t* rk_;
  rd_kafka_mock_cluster_t* mock_;
};

struct Batch {
  explicit Batch(size_t value_bytes) : value(value_bytes, 'v') {
    for (size_t i = 0; i < kBatch; ++i) keys.push_back("vehicle-" + std::to_string(i));
    for (size_t i = 0; i < kBatch; ++i)
      records.push_back({.topic = "t", .key = keys[i], .value = value, .timestamp_ms = 1'000});
  }
  std::string value;
  std::vector<std::string> keys;
  std::vector<ProducedRecord> records;
};

void send_all(benchmark::State& state, Client& client) {
  const Batch batch(static_cast<size_t>(state.range(0)));
  auto producer = client.producer({}).value();
  for (auto _ : state) {
    while (producer->send(batch.records).code() == Code::resource_exhausted) (void)producer->flush(10'000);
  }
  (void)producer->flush(60'000);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kBatch) * state.range(0));
}

void SendThroughLibrdkafka(benchmark::State& state) {
  MockCluster cluster;
  auto client = cluster.client();
  send_all(state, *client);
}
BENCHMARK(SendThroughLibrdkafka)->Arg(100)->Arg(1000)->UseRealTime();

void SendInMemory(benchmark::State& state) {
  ManualClock clock;
  MemoryCluster cluster(clock, {.default_partitions = 3, .auto_create_topics = true});
  auto client = cluster.client();
  const Batch batch(static_cast<size_t>(state.range(0)));
  auto producer = client->producer({}).value();
  auto admin = client->admin({}).value();
  for (auto _ : state) {
    (void)producer->send(batch.records);
    state.PauseTiming();
    (void)admin->delete_records(
        {{{"t", PartitionId(0)}, kNoOffset}, {{"t", PartitionId(1)}, kNoOffset}, {{"t", PartitionId(2)}, kNoOffset}});
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}
BENCHMARK(SendInMemory)->Arg(100);

void PollInMemory(benchmark::State& state) {
  ManualClock clock;
  MemoryCluster cluster(clock, {.default_partitions = 3, .auto_create_topics = true});
  auto client = cluster.client();
  const Batch batch(static_cast<size_t>(state.range(0)));
  auto producer = client->producer({}).value();
  for (int i = 0; i < 20; ++i) (void)producer->send(batch.records);
  auto consumer = client->consumer({}).value();
  const std::vector<PartitionStart> starts = {{{"t", PartitionId(0)}, kOffsetEarliest},
                                              {{"t", PartitionId(1)}, kOffsetEarliest},
                                              {{"t", PartitionId(2)}, kOffsetEarliest}};
  (void)consumer->assign(starts);
  int64_t records = 0;
  for (auto _ : state) {
    const auto polled = consumer->poll(0).value();
    records += static_cast<int64_t>(polled->count());
    if (!polled->empty()) continue;
    for (const PartitionStart& start : starts) (void)consumer->seek(start);
  }
  state.SetItemsProcessed(records);
}
BENCHMARK(PollInMemory)->Arg(100);

}  // namespace
}  // namespace muir::client
