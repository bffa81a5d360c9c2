#include "store/key_value_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

#include "base/cursor.h"
#include "store/internal/window_key.h"
#include "store/window_store.h"
#include "testing/mutations.h"
#include "testing/temp_dir.h"

namespace muir::store {
namespace {

std::vector<StoreKind> both_kinds() { return {StoreKind::rocksdb, StoreKind::in_memory}; }
std::string to_string(StoreKind kind) { return kind == StoreKind::rocksdb ? "rocksdb" : "in memory"; }

// Writes what it is told into a list.
class Changes final : public ChangelogWriter {
 public:
  Status log(BytesView key, OptBytesView value, int64_t timestamp_ms) override {
    all.push_back(fmt::format("{}={}@{}", key, value.value_or("-"), timestamp_ms));
    return {};
  }
  std::vector<std::string> all;
};

std::unique_ptr<KeyValueStore> open_store(const testing::TempDir& dir, StoreKind kind,
                                          ValueFormat format = ValueFormat::timestamped) {
  auto store = make_key_value_store({.name = "s", .kind = kind, .format = format});
  const Status status = store->open(dir.str() + "/s");
  EXPECT_TRUE(status.ok()) << status.to_string();
  return store;
}

std::string rows(Result<std::unique_ptr<KeyValueIterator>> iterator) {
  std::string out;
  while ((*iterator)->next()) {
    out += fmt::format("{}{}={}@{}", out.empty() ? "" : " ", (*iterator)->key(), (*iterator)->value(),
                       (*iterator)->timestamp_ms());
  }
  EXPECT_TRUE((*iterator)->status().ok());
  return out;
}

TEST(KeyValueStore, PutGetDelete) {
  for (const auto kind : both_kinds()) {
    SCOPED_TRACE(to_string(kind));
    const testing::TempDir dir;
    auto store = open_store(dir, kind);
    EXPECT_FALSE(store->get("a")->has_value());
    ASSERT_TRUE(store->put("a", "1", 10).ok());
    EXPECT_EQ(*store->get("a"), (ValueAndTimestamp{"1", 10}));
    ASSERT_TRUE(store->put("a", "", 11).ok());
    EXPECT_EQ(*store->get("a"), (ValueAndTimestamp{"", 11}));
    ASSERT_TRUE(store->put("a", std::nullopt, 12).ok());
    EXPECT_FALSE(store->get("a")->has_value());
    ASSERT_TRUE(store->put("", "empty key", 13).ok());
    EXPECT_EQ(store->get("")->value().value, "empty key");
    ASSERT_TRUE(store->close().ok());
  }
}

TEST(KeyValueStore, PlainFormatHasNoTimestamp) {
  for (const auto kind : both_kinds()) {
    const testing::TempDir dir;
    auto store = open_store(dir, kind, ValueFormat::plain);
    ASSERT_TRUE(store->put("a", "1", 10).ok());
    EXPECT_EQ(*store->get("a"), (ValueAndTimestamp{"1", -1}));
  }
}

TEST(KeyValueStore, WalksInOrderOfBytes) {
  for (const auto kind : both_kinds()) {
    SCOPED_TRACE(to_string(kind));
    const testing::TempDir dir;
    auto store = open_store(dir, kind);
    for (const char* key : {"b", "a", "bb", "c", "\xff", "ba"}) ASSERT_TRUE(store->put(key, key, 1).ok());
    ASSERT_TRUE(store->put("c", std::nullopt, 2).ok());
    EXPECT_EQ(rows(store->all()), "a=a@1 b=b@1 ba=ba@1 bb=bb@1 \xff=\xff@1");
    EXPECT_EQ(rows(store->all(Order::descending)), "\xff=\xff@1 bb=bb@1 ba=ba@1 b=b@1 a=a@1");
    EXPECT_EQ(rows(store->range("b", "bb")), "b=b@1 ba=ba@1 bb=bb@1");
    EXPECT_EQ(rows(store->range("b", "ba", Order::descending)), "ba=ba@1 b=b@1");
    EXPECT_EQ(rows(store->range(std::nullopt, "a")), "a=a@1");
    EXPECT_EQ(rows(store->range("bz", std::nullopt)), "\xff=\xff@1");
    EXPECT_EQ(rows(store->prefix_scan("b")), "b=b@1 ba=ba@1 bb=bb@1");
    EXPECT_EQ(rows(store->prefix_scan("\xff")), "\xff=\xff@1");
    EXPECT_EQ(rows(store->range("x", "y")), "");
  }
}

TEST(KeyValueStore, ChangelogSeesWritesAndNotRestores) {
  for (const auto kind : both_kinds()) {
    const testing::TempDir dir;
    auto store = open_store(dir, kind);
    Changes changes;
    store->set_changelog(&changes);
    const std::vector<ChangelogRecord> records{{"a", "1", 5}, {"b", "2", 6}, {"a", std::nullopt, 7}};
    ASSERT_TRUE(store->restore(records).ok());
    EXPECT_EQ(rows(store->all()), "b=2@6");
    ASSERT_TRUE(store->put("c", "3", 8).ok());
    ASSERT_TRUE(store->put("b", std::nullopt, 9).ok());
    EXPECT_EQ(changes.all, (std::vector<std::string>{"c=3@8", "b=-@9"}));
  }
}

TEST(RocksKeyValueStore, KeepsWhatWasSyncedAcrossReopening) {
  const testing::TempDir dir;
  {
    auto store = open_store(dir, StoreKind::rocksdb);
    ASSERT_TRUE(store->put("synced", "1", 1).ok());
    ASSERT_TRUE(store->sync().ok());
    ASSERT_TRUE(store->put("lost", "2", 2).ok());
    ASSERT_TRUE(store->close().ok());
  }
  auto store = open_store(dir, StoreKind::rocksdb);
  EXPECT_TRUE(store->get("synced")->has_value());
  EXPECT_FALSE(store->get("lost")->has_value());
}

// A database takes several syncs to be made: an application with a thousand stores begins before there is one.
TEST(RocksKeyValueStore, HasNoFilesBeforeThereIsSomethingToWriteToThem) {
  const testing::TempDir dir;
  const auto files = [&] { return !std::filesystem::is_empty(dir.str() + "/s"); };
  {
    auto store = open_store(dir, StoreKind::rocksdb);
    EXPECT_FALSE(store->get("a")->has_value());
    EXPECT_EQ(*store->approximate_entries(), 0U);
    ASSERT_TRUE(store->sync().ok());
    ASSERT_TRUE(store->put("a", "1", 1).ok());
    EXPECT_EQ(store->get("a")->value().value, "1");
    EXPECT_EQ(store->usage().entries, 1U);
    EXPECT_FALSE(files());
    EXPECT_EQ(rows(store->all()), "a=1@1");  // a walk is over the files, too
    EXPECT_TRUE(files());
    ASSERT_TRUE(store->close().ok());
  }
  std::filesystem::remove_all(dir.str() + "/s");
  auto store = open_store(dir, StoreKind::rocksdb);
  ASSERT_TRUE(store->put("b", "2", 2).ok());
  ASSERT_TRUE(store->sync().ok());
  EXPECT_TRUE(files());
  ASSERT_TRUE(store->close().ok());
  EXPECT_TRUE(open_store(dir, StoreKind::rocksdb)->get("b")->has_value());
}

// 1,000 stores that each hold what is worth a write hold together what fits into memory.
TEST(RocksKeyValueStore, PendingWritesOfAllStoresTogetherAreBounded) {
  const testing::TempDir dir;
  const Bytes value(10'000, 'v');
  std::vector<std::unique_ptr<KeyValueStore>> stores;
  uint64_t pending = 0;
  for (int i = 0; i < 40; ++i) {  // 40 times 3 MB are more than 64 MiB, and none is full
    stores.push_back(make_key_value_store({.name = "s"}));
    ASSERT_TRUE(stores.back()->open(fmt::format("{}/{}", dir.str(), i)).ok());
    for (int row = 0; row < 300; ++row) ASSERT_TRUE(stores.back()->put(fmt::format("{}", row), value, 1).ok());
  }
  for (int i = 0; i < 40; ++i) pending += std::filesystem::exists(fmt::format("{}/{}/CURRENT", dir.str(), i)) ? 0 : 3;
  EXPECT_LE(pending, 70U) << "MB in stores without files";
  EXPECT_GE(pending, 50U) << "MB in stores without files: as much as may be";
  for (const auto& store : stores) EXPECT_TRUE(store->get("299")->has_value());
}

TEST(RocksKeyValueStore, FolderThatCannotBeOpenedIsAnError) {
  auto store = make_key_value_store({.name = "s"});
  EXPECT_FALSE(store->open("/proc/none/s").ok());
}

// Random writes against a std::map; overlay, batches and files must look like one table.
TEST(KeyValueStore, AgreesWithAMap) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  for (const auto kind : both_kinds()) {
    std::mt19937_64 random(seed);
    const testing::TempDir dir;
    auto store = open_store(dir, kind);
    std::map<std::string, std::string> model;
    for (int i = 0; i < 20000; ++i) {
      const std::string key = std::to_string(random() % 500);
      switch (random() % 8) {
        case 0:
          ASSERT_TRUE(store->put(key, std::nullopt, i).ok());
          model.erase(key);
          break;
        case 1: EXPECT_EQ(store->get(key)->has_value(), model.contains(key)); break;
        default: {
          const std::string value(random() % 2000, static_cast<char>('a' + i % 26));
          ASSERT_TRUE(store->put(key, value, i).ok());
          model[key] = value;
        }
      }
      if (i % 7000 == 0) {
        ASSERT_TRUE(store->sync().ok());
      }
    }
    auto iterator = *store->all();
    for (const auto& [key, value] : model) {
      ASSERT_TRUE(iterator->next());
      EXPECT_EQ(iterator->key(), key);
      EXPECT_EQ(iterator->value(), value);
      EXPECT_EQ((*store->get(key))->value, value);
    }
    EXPECT_FALSE(iterator->next());
  }
}

TEST(KeyValueStore, IsReadByOthersWhileItsOwnerWrites) {
  for (const auto kind : both_kinds()) {
    SCOPED_TRACE(to_string(kind));
    const testing::TempDir dir;
    auto store = open_store(dir, kind);
    std::atomic<bool> done = false;
    std::atomic<int> bad = 0;
    std::thread reader([&] {
      ValueAndTimestamp row;
      while (!done) {
        const auto found = store->get("k", row);
        // Every value is its own timestamp in text: a torn read shows.
        if (!found.ok() || (*found && row.value != std::to_string(row.timestamp_ms))) ++bad;
        auto iterator = store->range("k", "k");
        if (iterator.ok() && (*iterator)->next() && (*iterator)->value() != std::to_string((*iterator)->timestamp_ms()))
          ++bad;
      }
    });
    for (int i = 0; i < 20000; ++i) ASSERT_TRUE(store->put("k", std::to_string(i), i).ok());
    done = true;
    reader.join();
    EXPECT_EQ(bad, 0);
  }
}

TEST(FuzzWindowKey, SurvivesMutations) {
  Bytes with_key;
  internal::append_window_key({.key = "vehicle", .window_start_ms = 1'700'000'000'000, .sequence = 3}, with_key);
  testing::survive_mutations("store_window_key", internal::fuzz_window_key, {with_key, Bytes(12, '\0')});
}

TEST(FuzzChangelog, SurvivesMutations) {
  Bytes changelog;
  ByteWriter writer(changelog);
  for (const int64_t start_ms : {int64_t{0}, int64_t{120'000}, int64_t{-70'000}, int64_t{300'000}}) {
    Bytes key;
    internal::append_window_key({.key = "vehicle", .window_start_ms = start_ms, .sequence = 0}, key);
    writer.u8(static_cast<uint8_t>(key.size()));
    writer.u8(start_ms == 120'000 ? 255 : 5);
    writer.i64(start_ms);
    writer.bytes(key);
    if (start_ms != 120'000) writer.bytes("value");
  }
  testing::survive_mutations("store_changelog", fuzz_changelog, {changelog, Bytes("\1\0\0\0\0\0\0\0\0\0k", 11)});
}

}  // namespace
}  // namespace muir::store
