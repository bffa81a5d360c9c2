// A kind of state store that is not in the library, as README.md's recipe adds it: RecentStore and RecentSupplier are
// all that it takes. What follows is what it gets for that: processors that use it, a changelog, restoring, queries.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

#include "base/cursor.h"
#include "client/cluster_memory.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"
#include "streams/plan/plan.h"
#include "streams/test_driver.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace muir::streams {
namespace {

using Text = std::string;

// The newest few values of each key. Changelog: a key's values, the oldest first, each with its length.
class RecentStore final : public store::StateStore {
 public:
  static constexpr store::StoreFacet kFacet{"recent"};

  RecentStore(std::string name, size_t keep) : name_(std::move(name)), keep_(keep) {}

  Status put(BytesView key, BytesView value, int64_t timestamp_ms) {
    Bytes row;
    {
      const std::lock_guard lock(mutex_);
      auto& values = values_[Bytes(key)];
      values.emplace_back(value);
      if (values.size() > keep_) values.pop_front();
      ByteWriter writer(row);
      for (const Bytes& each : values) {
        writer.i32(static_cast<int32_t>(each.size()));
        writer.bytes(each);
      }
    }
    return changelog_ != nullptr ? changelog_->log(key, row, timestamp_ms) : Status();
  }
  // Any thread.
  std::vector<Bytes> recent(BytesView key) const {
    const std::lock_guard lock(mutex_);
    const auto at = values_.find(key);
    return at == values_.end() ? std::vector<Bytes>() : std::vector<Bytes>(at->second.begin(), at->second.end());
  }

  const std::string& name() const override { return name_; }
  bool persistent() const override { return false; }
  Status open(const std::string&, Env&) override { return {}; }
  void set_changelog(store::ChangelogWriter* writer) override { changelog_ = writer; }
  store::StoreUsage usage() override {
    const std::lock_guard lock(mutex_);
    return {.entries = values_.size()};
  }
  Status restore(std::span<const store::ChangelogRecord> records) override {
    const std::lock_guard lock(mutex_);
    for (const auto& record : records) {
      auto& values = values_[Bytes(record.key)];
      values.clear();
      ByteReader reader(record.value.value_or(""));
      while (reader.ok() && !reader.rest().empty()) {
        const int32_t size = reader.i32();
        values.emplace_back(reader.bytes(static_cast<size_t>(std::max(size, 0))));
      }
      if (!reader.ok()) return error(Code::data_loss, "restore store {}: damaged row of {}", name_, record.key);
    }
    return {};
  }
  Status sync() override { return {}; }
  Status close() override { return {}; }

 private:
  void* facet(const store::StoreFacet& wanted) override { return &wanted == &kFacet ? this : nullptr; }

  const std::string name_;
  const size_t keep_;
  store::ChangelogWriter* changelog_ = nullptr;
  mutable std::mutex mutex_;
  std::map<Bytes, std::deque<Bytes>, std::less<>> values_;
};

class RecentSupplier final : public store::StoreSupplier {
 public:
  RecentSupplier(std::string name, size_t keep) : name_(std::move(name)), keep_(keep) {}
  const std::string& name() const override { return name_; }
  bool provides(const store::StoreFacet& facet) const override { return &facet == &RecentStore::kFacet; }
  Status check() const override {
    if (keep_ > 0) return {};
    return error(Code::invalid_argument, "recent store {}: it keeps no value", name_);
  }
  std::map<std::string, std::string> changelog_configs(const store::ChangelogSettings&) const override {
    return {{"max.compaction.lag.ms", "60000"}};
  }
  std::unique_ptr<store::StateStore> make() const override { return std::make_unique<RecentStore>(name_, keep_); }

 private:
  const std::string name_;
  const size_t keep_;
};

// ---- a topology that uses it

class Remember final : public FixedKeyProcessor<Text, Text, Text> {
 public:
  Status init(Context& context) override {
    store_ = MUIR_TRY(context.store<RecentStore>("recent"));
    return {};
  }
  Status process(const Record<Text, Text>& record) override {
    MUIR_RETURN_IF_ERROR(store_->put(*record.key, *record.value, record.timestamp_ms));
    Text all;
    for (const Bytes& value : store_->recent(*record.key)) all += (all.empty() ? "" : ",") + value;
    return context().forward(record.with_value(all));
  }

 private:
  RecentStore* store_ = nullptr;
};

Result<Topology> remembering(std::shared_ptr<const store::StoreSupplier> supplier) {
  StreamsBuilder builder;
  builder.add_state_store(StoreBuilder{.supplier = std::move(supplier)});
  builder.stream<Text, Text>("in")
      .process_values([] { return std::make_unique<Remember>(); }, {.stores = {"recent"}})
      .to("out");
  return builder.build();
}

TEST(StoreKinds, OneOfAProgramsOwnIsUsedLoggedRestoredAndQueried) {
  auto driver = *TestDriver::create(*remembering(std::make_shared<RecentSupplier>("recent", 2)));
  auto in = *driver->input<Text, Text>("in");
  auto out = *driver->output<Text, Text>("out");
  for (const char* value : {"a", "b", "c"}) ASSERT_TRUE(in.pipe("k", value, 5).ok());
  EXPECT_EQ(out.read_to_map()->at("k"), "b,c");

  std::optional<RawRecord> logged;
  while (auto record = driver->read("test-recent-changelog")) logged = record;
  ASSERT_TRUE(logged);
  EXPECT_EQ(logged->key, "k");
  EXPECT_EQ(logged->value, Bytes("\0\0\0\1b\0\0\0\1c", 10));
  EXPECT_EQ(logged->timestamp_ms, 5);

  ASSERT_TRUE(driver->restart().ok());
  EXPECT_EQ((*driver->store<RecentStore>("recent"))->recent("k"), (std::vector<Bytes>{"b", "c"}));
  EXPECT_FALSE(driver->store<store::KeyValueStore>("recent").ok());
}

TEST(StoreKinds, TheirChangelogsAndMistakesAreTheirOwn) {
  const auto plan = *remembering(std::make_shared<RecentSupplier>("recent", 2))->plan("app");
  ASSERT_EQ(plan->internal_topics().size(), 1U);
  EXPECT_EQ(plan->internal_topics()[0].name, "app-recent-changelog");
  EXPECT_EQ(plan->internal_topics()[0].configs,
            (std::map<std::string, std::string>{{"cleanup.policy", "compact"},
                                                {"max.compaction.lag.ms", "60000"},
                                                {"message.timestamp.type", "CreateTime"}}));
  EXPECT_EQ(remembering(std::make_shared<RecentSupplier>("recent", 0)).status().message(),
            "topology: recent store recent: it keeps no value");
  EXPECT_EQ(remembering(nullptr).status().message(), "topology: a state store has no supplier");

  StreamsBuilder builder;
  builder.stream<Text, Text>("in").group_by_key().count({.supplier = std::make_shared<RecentSupplier>("recent", 2)});
  EXPECT_EQ(builder.build().status().message(), "topology: store recent: its supplier makes no key-value store");
}

TEST(StoreKinds, ARunningApplicationAnswersQueriesOfThem) {
  client::MemoryCluster cluster(system_clock(), {.blocking = true});
  const auto client = cluster.client();
  ASSERT_TRUE((*client->admin())->create_topic({.name = "in", .partitions = 2, .replication_factor = 1}).ok());
  ASSERT_TRUE((*client->admin())->create_topic({.name = "out", .partitions = 2, .replication_factor = 1}).ok());
  const testing::TempDir folder;
  const auto config = *StreamsConfig::parse({{"application.id", "app"},
                                             {"bootstrap.servers", "memory:1"},
                                             {"state.dir", folder.str()},
                                             {"poll.ms", "10"},
                                             {"commit.interval.ms", "20"}});
  const auto app = *KafkaStreams::create(*remembering(std::make_shared<RecentSupplier>("recent", 2)), config, *client);
  ASSERT_TRUE(app->start().ok());
  const auto producer = *client->producer();
  for (const char* key : {"a", "b", "c", "d"}) {
    const client::ProducedRecord record{.topic = "in", .key = key, .value = "v", .timestamp_ms = 1};
    ASSERT_TRUE(producer->send(std::span(&record, 1)).ok());
  }
  EXPECT_TRUE(testing::eventually([&] {
    size_t known = 0;
    const Status asked = app->visit_store<RecentStore>("recent", [&](RecentStore& part) {
      for (const char* key : {"a", "b", "c", "d"}) known += part.recent(key).size();
      return true;
    });
    return asked.ok() && known == 4;
  }));
  EXPECT_EQ(app->visit_store<store::WindowStore>("recent", [](store::WindowStore&) { return true; }).code(),
            Code::invalid_argument);
  ASSERT_TRUE(app->close(muir::testing::kPatienceMs).ok());
}

// ---- the library's kinds, chosen by the application

TEST(StoreKinds, WhatTheProgramLeavesOpenIsTheConfigurations) {
  StreamsBuilder builder;
  auto groups = builder.stream<Text, Text>("in").group_by_key();
  groups.count({.store = "open"});
  groups.windowed_by({.size = std::chrono::milliseconds(10), .grace = std::chrono::milliseconds(0)})
      .count({.store = "windows"});
  groups.count({.store = "given", .kind = StoreKind::rocksdb});
  for (const auto kind : {StoreKind::rocksdb, StoreKind::in_memory}) {
    auto driver = *TestDriver::create(*builder.build(), {.stores = {.kind = kind}});
    EXPECT_EQ(driver->state_store("open")->persistent(), kind == StoreKind::rocksdb);
    EXPECT_EQ(driver->state_store("windows")->persistent(), kind == StoreKind::rocksdb);
    EXPECT_TRUE(driver->state_store("given")->persistent());
  }
  struct Case {
    std::string key;
    std::string value;
    std::optional<StoreKind> want;
  };
  for (const auto& c : std::vector<Case>{
           {"default.dsl.store", "rocksDB", StoreKind::rocksdb},
           {"default.dsl.store", "in_memory", StoreKind::in_memory},
           {"default.dsl.store", "memory", std::nullopt},
           {"dsl.store.suppliers.class", "RocksDBDslStoreSuppliers", StoreKind::rocksdb},
           {"dsl.store.suppliers.class",
            "org.apache.kafka.streams.state.BuiltInDslStoreSuppliers$InMemoryDslStoreSuppliers", StoreKind::in_memory},
           {"dsl.store.suppliers.class", "com.example.Own", std::nullopt}}) {
    SCOPED_TRACE(c.key + "=" + c.value);
    const auto config = StreamsConfig::parse({{"application.id", "app"}, {c.key, c.value}});
    ASSERT_EQ(config.ok(), c.want.has_value()) << config.status().message();
    if (c.want) {
      EXPECT_EQ(config->stores.kind, *c.want);
    }
  }
}

}  // namespace
}  // namespace muir::streams
