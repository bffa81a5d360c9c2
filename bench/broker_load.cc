// broker_load: what a broker itself can do, without a client library in the way.
//
//   broker_load produce|fetch --broker HOST:PORT --topic T [--partitions N] [--connections N] ...
//
// The producer's batches are made once and sent again and again, several requests in flight per connection; the
// consumer looks at batch headers only. So nearly all of the machine is the broker's. Prints one JSON object with
// records and bytes per second and, for produce, percentiles of the time from a request to its answer.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "net/frame_client.h"
#include "wire/batch_builder.h"
#include "wire/frame.h"
#include "wire/messages/fetch.h"
#include "wire/messages/produce.h"

namespace muir {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int64_t kTimeoutMs = 60'000;
constexpr int16_t kProduceVersion = 8;
constexpr int16_t kFetchVersion = 11;
constexpr size_t kFrameLengthBytes = 4;

struct Options {
  std::string host = "127.0.0.1";
  uint16_t port = 9092;
  std::string topic;
  int32_t partitions = 4;
  int connections = 2;
  int in_flight = 5;
  int64_t records = 5'000'000;
  int batch_records = 1000;
  size_t record_bytes = 100;
  int32_t fetch_bytes = 1 << 20;
};

struct Outcome {
  int64_t records = 0;
  int64_t bytes = 0;
  std::vector<double> latencies_ms;
};

Bytes produce_request(const Options& options, int32_t partition) {
  wire::BatchBuilder batch;
  const Bytes value(options.record_bytes, 'v');
  for (int i = 0; i < options.batch_records; ++i) batch.add(1'700'000'000'000, std::nullopt, value);
  const Bytes records = batch.build();
  wire::ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 30'000;
  request.topic_data.push_back({.name = options.topic, .partition_data = {{.index = partition, .records = records}}});
  Bytes frame;
  wire::encode_request(request, kProduceVersion, 0, "broker_load", frame);
  return frame.substr(kFrameLengthBytes);
}

Status check_produced(BytesView answer) {
  wire::ProduceResponse response;
  if (auto decoded = wire::decode_response(answer, kProduceVersion, response); !decoded.ok()) return decoded.status();
  for (const auto& topic : response.responses) {
    for (const auto& partition : topic.partition_responses) {
      if (partition.error_code != wire::ErrorCode::none) {
        return Status(Code::internal, fmt::format("produce partition={}: error {}", partition.index,
                                                  static_cast<int>(partition.error_code)));
      }
    }
  }
  return {};
}

// One connection's share: its partitions in turn, `in_flight` requests ahead of the answers.
Result<Outcome> produce(const Options& options, int connection) {
  auto client = MUIR_TRY(net::FrameClient::connect(options.host, options.port));
  std::vector<Bytes> requests;
  for (int32_t p = connection; p < options.partitions; p += options.connections) {
    requests.push_back(produce_request(options, p));
  }
  Outcome outcome;
  std::deque<SteadyClock::time_point> sent;
  const int64_t batches = options.records / options.connections / options.batch_records;
  for (int64_t next = 0, answered = 0; answered < batches;) {
    if (next < batches && sent.size() < static_cast<size_t>(options.in_flight)) {
      sent.push_back(SteadyClock::now());
      MUIR_RETURN_IF_ERROR(client->send(requests[static_cast<size_t>(next) % requests.size()], kTimeoutMs));
      ++next;
      continue;
    }
    MUIR_RETURN_IF_ERROR(check_produced(MUIR_TRY(client->receive(kTimeoutMs))));
    outcome.latencies_ms.push_back(
        std::chrono::duration<double, std::milli>(SteadyClock::now() - sent.front()).count());
    sent.pop_front();
    ++answered;
  }
  outcome.records = batches * options.batch_records;
  outcome.bytes = outcome.records * static_cast<int64_t>(options.record_bytes);
  return outcome;
}

// What a fetch brought for one partition: counts, and where the next fetch begins.
Status take(const wire::FetchResponse::Partition& partition, int64_t& offset, Outcome& outcome) {
  if (partition.error_code != wire::ErrorCode::none) {
    return Status(Code::internal, fmt::format("fetch partition={}: error {}", partition.partition_index,
                                              static_cast<int>(partition.error_code)));
  }
  wire::BatchReader reader(partition.records.value_or(BytesView{}));
  while (auto batch = MUIR_TRY(reader.next())) {
    outcome.records += batch->header().record_count;
    outcome.bytes += static_cast<int64_t>(batch->bytes().size());
    offset = (batch->header().base_offset + batch->header().last_offset_delta + 1).value();
  }
  return {};
}

// Reads the connection's partitions from the start until its share of the records has come.
Result<Outcome> fetch(const Options& options, int connection) {
  auto client = MUIR_TRY(net::FrameClient::connect(options.host, options.port));
  wire::FetchRequest request;
  request.max_wait_ms = 500;
  request.min_bytes = 1;
  request.topics.push_back({.topic = options.topic});
  auto& partitions = request.topics.front().partitions;
  for (int32_t p = connection; p < options.partitions; p += options.connections) {
    partitions.push_back({.partition = p, .partition_max_bytes = options.fetch_bytes});
  }
  Outcome outcome;
  Bytes frame;
  wire::FetchResponse response;
  while (outcome.records < options.records / options.connections) {
    frame.clear();
    wire::encode_request(request, kFetchVersion, 0, "broker_load", frame);
    MUIR_RETURN_IF_ERROR(client->send(BytesView(frame).substr(kFrameLengthBytes), kTimeoutMs));
    const Bytes answer = MUIR_TRY(client->receive(kTimeoutMs));
    if (auto decoded = wire::decode_response(answer, kFetchVersion, response); !decoded.ok()) return decoded.status();
    for (const auto& topic : response.responses) {
      for (const auto& got : topic.partitions) {
        for (auto& asked : partitions) {
          if (asked.partition == got.partition_index) MUIR_RETURN_IF_ERROR(take(got, asked.fetch_offset, outcome));
        }
      }
    }
  }
  return outcome;
}

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

int run(const Options& options, Result<Outcome> (*work)(const Options&, int)) {
  std::vector<Result<Outcome>> outcomes(static_cast<size_t>(options.connections), Outcome{});
  const auto began = SteadyClock::now();
  {
    std::vector<std::jthread> threads;
    for (int c = 0; c < options.connections; ++c) {
      threads.emplace_back([&, c] { outcomes[static_cast<size_t>(c)] = work(options, c); });
    }
  }
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - began).count();
  Outcome total;
  for (const auto& outcome : outcomes) {
    if (!outcome.ok()) {
      std::fprintf(stderr, "broker_load: %s\n", outcome.status().to_string().c_str());
      return 1;
    }
    total.records += outcome.value().records;
    total.bytes += outcome.value().bytes;
    const auto& latencies = outcome.value().latencies_ms;
    total.latencies_ms.insert(total.latencies_ms.end(), latencies.begin(), latencies.end());
  }
  std::sort(total.latencies_ms.begin(), total.latencies_ms.end());
  fmt::print(R"({{"records_per_s": {:.0f}, "mib_per_s": {:.1f}, "p50_ms": {:.2f}, "p99_ms": {:.2f}}})"
             "\n",
             static_cast<double>(total.records) / seconds, static_cast<double>(total.bytes) / seconds / (1 << 20),
             percentile(total.latencies_ms, 0.5), percentile(total.latencies_ms, 0.99));
  return 0;
}

}  // namespace
}  // namespace muir

int main(int argc, char** argv) {
  using namespace muir;
  Options options;
  std::string broker;
  CLI::App app("Loads a Kafka broker with prepared requests and says how fast it answers.");
  app.require_subcommand(1);
  app.add_option("--broker", broker, "HOST:PORT")->required();
  app.add_option("--topic", options.topic, "An existing topic")->required();
  app.add_option("--partitions", options.partitions, "Partitions of the topic to use")->capture_default_str();
  app.add_option("--connections", options.connections, "Connections, each with a share of the partitions")
      ->capture_default_str();
  app.add_option("--in-flight", options.in_flight, "Produce requests sent ahead of their answers")
      ->capture_default_str();
  app.add_option("--records", options.records, "Records in all")->capture_default_str();
  app.add_option("--batch-records", options.batch_records, "Records in a batch")->capture_default_str();
  app.add_option("--record-bytes", options.record_bytes, "Bytes of a record's value")->capture_default_str();
  app.add_option("--fetch-bytes", options.fetch_bytes, "Bytes asked of a partition at a time")->capture_default_str();
  app.fallthrough();
  auto* produce_command = app.add_subcommand("produce", "acks=all");
  app.add_subcommand("fetch", "From the start of the topic");
  CLI11_PARSE(app, argc, argv);
  const size_t colon = broker.rfind(':');
  options.host = broker.substr(0, colon);
  options.port = static_cast<uint16_t>(std::stoi(broker.substr(colon + 1)));
  return run(options, produce_command->parsed() ? produce : fetch);
}
