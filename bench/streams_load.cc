// The side of Muir in bench/streams_vs_jvm.py, and what prepares its topics. StreamsLoad.java is the same applications
// for the JVM.
//
//   streams_load BROKER fill RECORDS RECORD_BYTES [PARTITIONS]
//     creates and fills "in", and "table" with a row for each key
//   streams_load BROKER create TOPIC [PARTITIONS]
//   streams_load BROKER drop PREFIX
//     deletes the topics whose names begin so
//   streams_load BROKER run TOPOLOGY GUARANTEE APPLICATION_ID STATE_DIR
//     until a line on standard input; prints when it began and reached each state, in ms since 1970
#include <fmt/core.h>

#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "client/kafka_client.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"

namespace muir {

// Sum and count of a window, 16 bytes.
struct Average {
  int64_t sum = 0;
  int64_t count = 0;
};
template <>
struct serde<Average> {
  static void encode(const Average& value, Bytes& out) {
    serde<int64_t>::encode(value.sum, out);
    serde<int64_t>::encode(value.count, out);
  }
  static Status decode(BytesView bytes, Average& out) {
    if (bytes.size() != 16) return error(Code::data_loss, "an average has 16 bytes, not {}", bytes.size());
    MUIR_RETURN_IF_ERROR(serde<int64_t>::decode(bytes.substr(0, 8), out.sum));
    return serde<int64_t>::decode(bytes.substr(8), out.count);
  }
};

namespace {

using Text = std::string;
constexpr const char* kPartitions = "4";
constexpr int kKeys = 10'000;

Text key_of(int64_t record) { return fmt::format("vehicle-{:05}", record * 7919 % kKeys); }

Status send_all(client::Producer& producer, int64_t records,
                const std::function<client::ProducedRecord(int64_t)>& record) {
  std::vector<client::ProducedRecord> batch;
  std::vector<Text> keys;
  keys.reserve(1'000);
  for (int64_t i = 0; i < records; ++i) {
    batch.push_back(record(i));
    batch.back().key = keys.emplace_back(key_of(i));
    if (batch.size() < 1'000 && i + 1 < records) continue;
    Status sent = producer.send(batch);
    if (sent.code() == Code::resource_exhausted) {
      MUIR_RETURN_IF_ERROR(producer.flush(60'000));
      sent = producer.send(batch);
    }
    MUIR_RETURN_IF_ERROR(sent);
    batch.clear();
    keys.clear();
  }
  return producer.flush(60'000);
}

void print_step(std::string_view step) {
  fmt::print("{} {}\n", system_clock().now_ms(), step);
  std::fflush(stdout);
}

Status create(client::Client& client, const Text& topic, const Text& partitions = kPartitions) {
  const auto admin = MUIR_TRY(client.admin());
  return admin->create_topic({.name = topic, .partitions = std::stoi(partitions), .replication_factor = 1});
}

Status fill(client::Client& client, int64_t records, size_t record_bytes, const Text& partitions) {
  for (const char* topic : {"in", "table"}) MUIR_RETURN_IF_ERROR(create(client, topic, partitions));
  const auto producer = MUIR_TRY(client.producer());
  const Text row(20, 'r');
  const int64_t begin = system_clock().now_ms() - records - 60'000;  // the last record is of a minute ago
  MUIR_RETURN_IF_ERROR(send_all(*producer, kKeys, [&](int64_t) {
    return client::ProducedRecord{.topic = "table", .value = row, .timestamp_ms = begin};
  }));
  const Text value(record_bytes, 'v');
  return send_all(*producer, records, [&](int64_t i) {
    return client::ProducedRecord{.topic = "in", .value = value, .timestamp_ms = begin + 1 + i};
  });
}

Status drop(client::Client& client, const Text& prefix) {
  const auto admin = MUIR_TRY(client.admin());
  for (const auto& topic : MUIR_TRY(admin->list_topics())) {
    if (topic.name.starts_with(prefix)) MUIR_RETURN_IF_ERROR(admin->delete_topic(topic.name));
  }
  return {};
}

Result<streams::Topology> topology_of(const Text& name, const Text& out) {
  streams::StreamsBuilder builder;
  const auto in = builder.stream<Text, Text>("in");
  if (name == "slow") {  // what its buffers hold is all there is to see of it
    in.for_each([](const Text&) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
  } else if (name == "pass-through") {
    in.to(out);
  } else if (name == "count") {
    in.group_by_key().count({.store = "counts"}).to_stream().to(out);
  } else if (name == "window") {
    in.group_by_key()
        .windowed_by({.size = std::chrono::seconds(60), .grace = std::chrono::seconds(0)})
        .aggregate(Average{},
                   [](const Text& value, Average& all) {
                     all.sum += static_cast<int64_t>(value.size());
                     ++all.count;
                   },
                   {.store = "averages"})
        .to_stream()
        .map([](const streams::Windowed<Text>& key, const Average& all) {
          return std::pair(key.key, static_cast<double>(all.sum) / static_cast<double>(all.count));
        })
        .to(out);
  } else if (name == "join") {
    const auto table = builder.table<Text, Text>("table", {}, {.store = "rows"});
    in.join(table, [](const Text& value, const Text& row) { return value + row; }).to(out);
  } else {
    return error(Code::invalid_argument, "no topology {}", name);
  }
  return builder.build();
}

Status run(client::Client& client, const Text& bootstrap, const std::vector<Text>& arguments) {
  const auto topology = MUIR_TRY(topology_of(arguments[0], arguments[2] + "-out"));
  const auto config = MUIR_TRY(streams::StreamsConfig::parse({{"application.id", arguments[2]},
                                                              {"bootstrap.servers", bootstrap},
                                                              {"state.dir", arguments[3]},
                                                              {"processing.guarantee", arguments[1]},
                                                              {"auto.offset.reset", "earliest"}}));
  const auto app = MUIR_TRY(streams::KafkaStreams::create(topology, config, client));
  app->set_state_listener([](streams::StreamsState to, streams::StreamsState) { print_step(to_string(to)); });
  MUIR_RETURN_IF_ERROR(app->start());
  Text line;
  std::getline(std::cin, line);
  return app->close(30'000);
}

Status main_of(const std::vector<Text>& arguments) {
  if (arguments.size() > 1 && arguments[1] == "run") print_step("BEGUN");
  log::set_level(log::Level::warn);
  if (arguments.size() < 3) return error(Code::invalid_argument, "arguments: see the head of bench/streams_load.cc");
  const auto client = MUIR_TRY(client::connect_kafka({{"bootstrap.servers", arguments[0]}}));
  const Text& what = arguments[1];
  if (what == "fill" && (arguments.size() == 4 || arguments.size() == 5)) {
    return fill(*client, std::stoll(arguments[2]), std::stoul(arguments[3]),
                arguments.size() == 5 ? arguments[4] : Text(kPartitions));
  }
  if (what == "create") return create(*client, arguments[2], arguments.size() == 4 ? arguments[3] : Text(kPartitions));
  if (what == "drop") return drop(*client, arguments[2]);
  if (what == "run" && arguments.size() == 6)
    return run(*client, arguments[0], {arguments.begin() + 2, arguments.end()});
  return error(Code::invalid_argument, "no command {} with {} arguments", what, arguments.size() - 2);
}

}  // namespace
}  // namespace muir

int main(int argc, char** argv) {
  const muir::Status status = muir::main_of({argv + 1, argv + argc});
  if (!status.ok()) fmt::print(stderr, "streams_load: {}\n", status.to_string());
  return status.ok() ? 0 : 1;
}
