// How many records per second one thread takes through a topology, and how long a record takes under exactly-once,
// against Muir's broker in this process.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "broker/broker.h"
#include "client/kafka_client.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"

namespace muir::streams {
namespace {

using Text = std::string;
constexpr int kRecords = 400'000;

void must(const Status& status) { CHECK(status.ok(), "{}", status.message()); }
template <class T>
T must(Result<T> result) {
  CHECK(result.ok(), "{}", result.status().message());
  return std::move(*result);
}

// A broker in a folder of its own, with topics "in" and "out".
class Cluster {
 public:
  Cluster() {
    log::set_level(log::Level::warn);
    std::string pattern = "/tmp/muir-bench-XXXXXX";
    CHECK(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    broker_ = must(broker::Broker::start(
        {.port = 0, .data_dir = folder_ + "/broker", .properties = {{"group.initial.rebalance.delay.ms", "0"}}}));
    bootstrap_ = fmt::format("127.0.0.1:{}", broker_->port());
    client_ = must(client::connect_kafka({{"bootstrap.servers", bootstrap_}}));
    const auto admin = must(client_->admin());
    for (const char* topic : {"in", "out"}) {
      must(admin->create_topic({.name = topic, .partitions = 4, .replication_factor = 1}));
    }
    producer_ = must(client_->producer());
  }
  ~Cluster() {
    producer_.reset();
    client_.reset();
    must(broker_->stop());
    broker_.reset();
    std::filesystem::remove_all(folder_);
  }
  void fill() {
    std::vector<Text> keys;
    for (int i = 0; i < 1'000; ++i) keys.push_back("vehicle-" + std::to_string(i));
    const Text value(100, 'x');
    std::vector<client::ProducedRecord> batch;
    for (int i = 0; i < kRecords; ++i) {
      batch.push_back({.topic = "in", .key = keys[static_cast<size_t>(i) % keys.size()], .value = value});
      if (batch.size() < 1'000) continue;
      if (!producer_->send(batch).ok()) {
        must(producer_->flush(30'000));
        must(producer_->send(batch));
      }
      batch.clear();
    }
    must(producer_->flush(30'000));
  }
  std::unique_ptr<KafkaStreams> start(const Topology& topology, bool exactly_once) {
    const auto config =
        must(StreamsConfig::parse({{"application.id", "bench"},
                                   {"bootstrap.servers", bootstrap_},
                                   {"state.dir", folder_ + "/state"},
                                   {"processing.guarantee", exactly_once ? "exactly_once_v2" : "at_least_once"},
                                   {"producer.linger.ms", "5"}}));
    auto app = must(KafkaStreams::create(topology, config, *client_));
    must(app->start());
    return app;
  }
  client::Client& client() { return *client_; }
  client::Producer& producer() { return *producer_; }

 private:
  std::string folder_;
  std::string bootstrap_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::Producer> producer_;
};

Topology stateless() {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in").filter([](const Text& value) { return !value.empty(); }).to("out");
  return must(builder.build());
}
Topology counting() {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in").group_by_key().count({.store = "counts"}).to_stream().to("out");
  return must(builder.build());
}

void run(benchmark::State& state, const Topology& topology, bool exactly_once) {
  for (auto iteration : state) {
    Cluster cluster;
    cluster.fill();
    const auto app = cluster.start(topology, exactly_once);
    while (app->metrics().records_processed == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const int64_t began = system_clock().steady_us();
    const uint64_t first = app->metrics().records_processed;
    while (app->metrics().records_processed < kRecords) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const double seconds = static_cast<double>(system_clock().steady_us() - began) / 1e6;
    state.SetIterationTime(seconds);
    state.counters["records/s"] = static_cast<double>(kRecords - first) / seconds;
    must(app->close(30'000));
  }
}

void Stateless(benchmark::State& state) { run(state, stateless(), state.range(0) != 0); }
void Counting(benchmark::State& state) { run(state, counting(), state.range(0) != 0); }
BENCHMARK(Stateless)
    ->ArgName("exactly_once")
    ->Arg(0)
    ->Arg(1)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(Counting)
    ->ArgName("exactly_once")
    ->Arg(0)
    ->Arg(1)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

// From send() at the input to poll() of a reader of committed records at the output, 50 records per second.
void Latency(benchmark::State& state) {
  for (auto iteration : state) {
    Cluster cluster;
    const auto app = cluster.start(stateless(), true);
    must(app->wait_until_running(30'000));
    const auto consumer = must(cluster.client().consumer({{"isolation.level", "read_committed"}}));
    std::vector<client::PartitionStart> starts;
    for (int32_t p = 0; p < 4; ++p) starts.push_back({{"out", PartitionId(p)}, client::kOffsetEarliest});
    must(consumer->assign(starts));
    std::vector<double> took;
    std::atomic<bool> stop = false;
    std::thread feeder([&] {
      for (int i = 0; i < 300 && !stop; ++i) {
        const Text now = std::to_string(system_clock().steady_us());
        const client::ProducedRecord record{.topic = "in", .key = now, .value = now};
        must(cluster.producer().send(std::span(&record, 1)));
        must(cluster.producer().flush(30'000));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
    while (took.size() < 300) {
      auto polled = consumer->poll(100);
      must(polled.status());
      for (const auto& part : (*polled)->partitions()) {
        for (const auto& record : part.records) {
          took.push_back(static_cast<double>(system_clock().steady_us() - std::stoll(Text(*record.value))) / 1e3);
        }
      }
    }
    stop = true;
    feeder.join();
    std::sort(took.begin(), took.end());
    state.counters["p50_ms"] = took[took.size() / 2];
    state.counters["p99_ms"] = took[took.size() * 99 / 100];
    must(app->close(30'000));
  }
}
BENCHMARK(Latency)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace muir::streams
