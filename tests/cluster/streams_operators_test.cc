// Operators with state or topics of their own in running applications, on Muir's broker and on Apache Kafka: what they
// had told or held back is known again after a stop, also where the state folder is gone and the changelogs are all
// there is. What they compute is in src/streams, on virtual time, and in interop/topologies_test.cc, beside the JVM.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "client/kafka_client.h"
#include "interop/brokers.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace muir::streams {
namespace {

using namespace std::chrono_literals;
using muir::testing::eventually;
using Text = std::string;
constexpr int64_t kWaitMs = muir::testing::kPatienceMs;

struct Input {
  Text topic;
  Text key;
  std::optional<Text> value;
  int64_t timestamp_ms = system_clock().now_ms();
};

class OperatorsOnACluster : public interop::OnBothBrokers {
 protected:
  void SetUp() override {
    client_ = client::connect_kafka({{"bootstrap.servers", bootstrap()}}).value();
    admin_ = client_->admin().value();
    producer_ = client_->producer().value();
  }
  void create(const Text& topic, int partitions) {
    const Status created = admin_->create_topic({.name = topic, .partitions = partitions, .replication_factor = 1});
    ASSERT_TRUE(created.ok()) << created.to_string();
    partitions_[topic] = partitions;
  }
  void send(const std::vector<Input>& inputs) {
    for (const Input& input : inputs) {
      const client::ProducedRecord record{.topic = input.topic,
                                          .key = BytesView(input.key),
                                          .value = input.value ? OptBytesView(*input.value) : OptBytesView(),
                                          .timestamp_ms = input.timestamp_ms};
      ASSERT_TRUE(producer_->send(std::span(&record, 1)).ok());
    }
    ASSERT_TRUE(producer_->flush(kWaitMs).ok());
  }
  // Each key's committed values, in their order; "-" for a deletion.
  std::map<Text, std::vector<Text>> read(const Text& topic) {
    std::map<Text, std::vector<Text>> out;
    std::vector<client::PartitionStart> starts;
    std::vector<client::TopicPartition> all;
    for (int p = 0; p < partitions_.at(topic); ++p) {
      all.push_back({topic, PartitionId(p)});
      starts.push_back({all.back(), Offset(0)});
    }
    const auto ends = admin_->list_offsets(all, client::OffsetSpec::latest(), client::IsolationLevel::read_committed);
    if (!ends.ok()) return out;
    const auto consumer = client_->consumer({{"isolation.level", "read_committed"}}).value();
    EXPECT_TRUE(consumer->assign(starts).ok());
    const auto at_end = [&] {
      return std::all_of(all.begin(), all.end(), [&](const client::TopicPartition& partition) {
        const auto at = consumer->position(partition);
        return at.ok() && *at >= ends->at(partition);
      });
    };
    while (!at_end()) {
      const auto records = consumer->poll(100);
      EXPECT_TRUE(records.ok()) << records.status().to_string();
      if (!records.ok()) return out;
      for (const auto& part : (*records)->partitions()) {
        for (const auto& one : part.records) out[Text(one.key.value_or(""))].push_back(Text(one.value.value_or("-")));
      }
    }
    return out;
  }
  std::unique_ptr<KafkaStreams> run(const Text& id, const Topology& topology, const Text& folder) {
    const auto config = StreamsConfig::parse({{"application.id", id},
                                              {"bootstrap.servers", bootstrap()},
                                              {"processing.guarantee", "exactly_once_v2"},
                                              {"commit.interval.ms", "100"},
                                              {"auto.offset.reset", "earliest"},
                                              {"num.stream.threads", "2"},
                                              {"state.dir", folder}});
    EXPECT_TRUE(config.ok()) << config.status().message();
    auto app = KafkaStreams::create(topology, *config, *client_).value();
    EXPECT_TRUE(app->start().ok());
    return app;
  }
  // Two lives of the application, each with its input and what is to be read at its end.
  struct Life {
    std::vector<Input> inputs;
    std::map<Text, std::vector<Text>> wanted;
  };
  void live(const Text& id, const Topology& topology, const Text& out, const std::vector<Life>& lives,
            const std::function<std::vector<Text>(const std::vector<Text>&)>& what) {
    for (const bool keeps_folder : {true, false}) {
      muir::testing::TempDir folder;
      const Life& life = lives.at(keeps_folder ? 0 : 1);
      SCOPED_TRACE(keeps_folder ? "first life" : "second life, without its folder");
      send(life.inputs);
      const auto app = run(id, topology, folder.str());
      const auto found = [&] {
        auto all = read(out);
        for (auto& [key, values] : all) values = what(values);
        return all;
      };
      EXPECT_TRUE(eventually([&] { return found() == life.wanted; })) << ::testing::PrintToString(found());
      EXPECT_TRUE(app->close(kWaitMs).ok());
    }
  }

  std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::Admin> admin_;
  std::unique_ptr<client::Producer> producer_;
  std::map<Text, int> partitions_;
};

// The tables have different numbers of partitions: a join by foreign key needs no co-partitioning.
TEST_P(OperatorsOnACluster, ForeignKeyJoinsFollowBothTables) {
  create("fk-orders", 3);
  create("fk-customers", 2);
  create("fk-out", 1);
  StreamsBuilder builder;
  const auto orders = builder.table<Text, Text>("fk-orders");
  const auto customers = builder.table<Text, Text>("fk-customers");
  orders
      .join(
          customers, [](const Text& order) { return std::optional(order); },
          [](const Text& order, const Text& name) { return order + ":" + name; })
      .to_stream()
      .to("fk-out");
  std::vector<Input> first{{"fk-customers", "c1", "Ann"}, {"fk-customers", "c2", "Bob"}};
  std::map<Text, std::vector<Text>> wanted;
  for (int i = 0; i < 20; ++i) {
    const Text order = fmt::format("o{}", i);
    first.push_back({"fk-orders", order, i % 2 == 0 ? "c1" : "c2"});
    wanted[order] = {i % 2 == 0 ? "c1:Ann" : "c2:Bob"};
  }
  std::map<Text, std::vector<Text>> later = wanted;
  for (int i = 0; i < 20; i += 2) later[fmt::format("o{}", i)] = {"c1:Eve"};
  later["o1"] = {"c1:Eve"};
  later["o3"] = {"-"};
  live("fk-app", *builder.build(), "fk-out",
       {{first, wanted},
        {{{"fk-customers", "c1", "Eve"}, {"fk-orders", "o1", "c1"}, {"fk-orders", "o3", std::nullopt}}, later}},
       [](const std::vector<Text>& values) { return std::vector<Text>{values.back()}; });
}

// A window's count is told once, when it is closed, whatever happened between.
TEST_P(OperatorsOnACluster, WhatIsHeldBackIsToldOnceAlsoAfterARestart) {
  create("held-in", 1);
  create("held-out", 1);
  // Not so long ago that retention would take it.
  const int64_t base_ms = (system_clock().now_ms() / 10'000 - 360) * 10'000;
  StreamsBuilder builder;
  builder.stream<Text, Text>("held-in")
      .group_by_key()
      .windowed_by({.size = 10s, .grace = 0s})
      .count()
      .suppress(Suppressed::until_window_closes())
      .to_stream()
      .map([base_ms](const Windowed<Text>* key, const int64_t* count) {
        return std::pair(fmt::format("{}@{}", key->key, key->window.start_ms - base_ms), fmt::format("{}", *count));
      })
      .to("held-out");
  const auto at = [&](const Text& key, int64_t ms) { return Input{"held-in", key, "v", base_ms + ms}; };
  live("held-app", *builder.build(), "held-out",
       {{{at("a", 1'000), at("b", 2'000), at("a", 3'000), at("a", 12'000), at("b", 13'000)},
         {{"a@0", {"2"}}, {"b@0", {"1"}}}},
        {{at("b", 14'000), at("a", 31'000)}, {{"a@0", {"2"}}, {"b@0", {"1"}}, {"a@10000", {"1"}}, {"b@10000", {"2"}}}}},
       [](const std::vector<Text>& values) { return values; });
}

// A trade waits for the prices of its time. What it waits in, and what the prices were, is there without the folder,
// too.
TEST_P(OperatorsOnACluster, VersionedTablesAndWhatWaitsForThemAreRestored) {
  create("vt-prices", 2);
  create("vt-trades", 2);
  create("vt-out", 1);
  const int64_t base_ms = system_clock().now_ms() - 3'600'000;
  StreamsBuilder builder;
  const auto prices = builder.table<Text, Text>(
      "vt-prices", {}, {.supplier = Stores::persistent_versioned_key_value_store("vt-history", 10min)});
  prices.to_stream().to("vt-out");
  const auto trades = builder.stream<Text, Text>("vt-trades");
  const auto named = [](const char* name) {
    return [name](const Text* key, const Text*) { return fmt::format("{}-{}", name, *key); };
  };
  trades.select_key(named("seen")).to("vt-out");
  trades.join(prices, [](const Text& trade, const Text& price) { return trade + "/" + price; }, {.grace = 10s})
      .select_key(named("joined"))
      .to("vt-out");
  const auto price = [&](const Text& value, int64_t ms) { return Input{"vt-prices", "a", value, base_ms + ms}; };
  const auto trade = [&](const Text& value, int64_t ms) { return Input{"vt-trades", "a", value, base_ms + ms}; };
  const std::vector<Text> all_prices{"1", "2", "3"};
  live("vt-app", *builder.build(), "vt-out",
       {{{price("1", 1'000), price("2", 3'000), price("3", 1'500), trade("x", 2'000)},
         {{"a", all_prices}, {"seen-a", {"x"}}}},
        {{trade("y", 20'000)}, {{"a", all_prices}, {"seen-a", {"x", "y"}}, {"joined-a", {"x/3"}}}}},
       [](const std::vector<Text>& values) { return values; });
}

INSTANTIATE_TEST_SUITE_P(Brokers, OperatorsOnACluster, interop::kBothVendors, interop::vendor_name);

}  // namespace
}  // namespace muir::streams
