// Stores with a record cache above them: what their changelog and listener hear of, when, and what reads see meanwhile.
#include "store/record_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "store/key_value_store.h"
#include "store/window_store.h"
#include "testing/temp_dir.h"

namespace muir::store {
namespace {

// Writes what it is told by the changelog (log) and the store (flush) into one list.
class Heard final : public ChangelogWriter, public CacheListener, public CacheContext {
 public:
  Status log(BytesView key, OptBytesView value, int64_t timestamp_ms) override {
    all += fmt::format("log {}={}@{} ", key.substr(0, 1), value.value_or("-"), timestamp_ms);
    return {};
  }
  Status flushed(const CachedChange& change) override {
    if (refuse) return error(Code::unavailable, "not now");
    all += fmt::format("tell {}={}<-{}@{} {} ", change.key, change.now.value_or("-"), change.before.value_or("-"),
                       change.timestamp_ms, change.context);
    return {};
  }
  void save(Bytes& out) const override { out += written_by; }

  std::string take() { return std::exchange(all, {}); }
  std::string all;
  std::string written_by = "r1";
  bool refuse = false;
};

struct Cached {
  explicit Cached(StoreKind kind = StoreKind::in_memory, size_t bytes_max = 1 << 20, bool tells_old = true)
      : budget(bytes_max) {
    made = key_value_supplier({.name = "s", .kind = kind})->make_cached({&budget, &heard});
    EXPECT_TRUE(made->open(dir.str() + "/s").ok());
    made->set_changelog(&heard);
    made->as<CachedStore>()->set_listener(&heard, tells_old);
    store = made->as<KeyValueStore>();
  }
  std::string rows(Order order = Order::ascending) const {
    std::string out;
    for (const auto it = *store->all(order); it->next();) out += fmt::format("{}={} ", it->key(), it->value());
    return out;
  }
  testing::TempDir dir;
  CacheBudget budget;
  Heard heard;
  std::unique_ptr<StateStore> made;
  KeyValueStore* store = nullptr;
};

TEST(RecordCache, TellsEachKeyOnceInTheOrderOfItsLastWrite) {
  Cached c;
  ASSERT_TRUE(c.store->put("a", "1", 1).ok());
  ASSERT_TRUE(c.store->put("b", "2", 2).ok());
  c.heard.written_by = "r2";
  ASSERT_TRUE(c.store->put("a", "3", 3).ok());
  EXPECT_EQ(c.heard.take(), "");
  EXPECT_TRUE(c.made->holds_back());
  EXPECT_EQ(*c.store->get("a"), (ValueAndTimestamp{"3", 3}));
  ASSERT_TRUE(c.made->flush().ok());
  EXPECT_EQ(c.heard.take(), "log b=2@2 tell b=2<--@2 r1 log a=3@3 tell a=3<--@3 r2 ");
  EXPECT_FALSE(c.made->holds_back());
  EXPECT_EQ(c.budget.used(), 0U);
  ASSERT_TRUE(c.store->put("a", "4", 4).ok());
  ASSERT_TRUE(c.made->flush().ok());
  EXPECT_EQ(c.heard.take(), "log a=4@4 tell a=4<-3@4 r2 ");
  EXPECT_EQ(*c.store->get("a"), (ValueAndTimestamp{"4", 4}));
}

TEST(RecordCache, DeletionsAreToldOfKeysThatSomebodyHasHeardOf) {
  for (const bool tells_old : {true, false}) {
    Cached c(StoreKind::in_memory, 1 << 20, tells_old);
    ASSERT_TRUE(c.store->put("a", "1", 1).ok());
    ASSERT_TRUE(c.store->put("a", std::nullopt, 2).ok());
    EXPECT_FALSE(c.store->get("a")->has_value());
    ASSERT_TRUE(c.made->flush().ok());
    EXPECT_EQ(c.heard.take(), "");
    ASSERT_TRUE(c.store->put("a", "1", 3).ok());
    ASSERT_TRUE(c.made->flush().ok());
    c.heard.take();
    ASSERT_TRUE(c.store->put("a", std::nullopt, 4).ok());
    EXPECT_FALSE(c.store->get("a")->has_value());
    ASSERT_TRUE(c.made->flush().ok());
    EXPECT_EQ(c.heard.take(), tells_old ? "log a=-@4 tell a=-<-1@4 r1 " : "log a=-@4 tell a=-<--@4 r1 ");
  }
}

TEST(RecordCache, IsFlushedWhenItsThreadsMemoryIsUsedUp) {
  Cached c(StoreKind::in_memory, 2'000);
  int writes = 0;
  while (c.heard.all.empty()) ASSERT_TRUE(c.store->put(std::to_string(writes++), Bytes(100, 'v'), 1).ok());
  EXPECT_GT(writes, 4);
  EXPECT_LT(writes, 20);
  EXPECT_FALSE(c.made->holds_back());
  // Another store of the thread that has used it up is not this one's affair, but each write then passes through.
  c.heard.take();
  c.budget.take(5'000);
  ASSERT_TRUE(c.store->put("a", "1", 1).ok());
  EXPECT_EQ(c.heard.take(), "log a=1@1 tell a=1<--@1 r1 ");
  c.budget.give_back(5'000);
}

TEST(RecordCache, WhatCannotBeHandedOnIsStillHeld) {
  Cached c;
  ASSERT_TRUE(c.store->put("a", "1", 1).ok());
  c.heard.refuse = true;
  EXPECT_EQ(c.made->flush().code(), Code::unavailable);
  EXPECT_TRUE(c.made->holds_back());
  c.heard.refuse = false;
  c.heard.take();
  ASSERT_TRUE(c.made->flush().ok());
  EXPECT_FALSE(c.made->holds_back());
}

TEST(RecordCache, RangesMergeWhatIsHeldWithWhatIsStored) {
  for (const auto kind : {StoreKind::rocksdb, StoreKind::in_memory}) {
    Cached c(kind);
    for (const char* key : {"a", "c", "e", "g"}) ASSERT_TRUE(c.store->put(key, "old", 1).ok());
    ASSERT_TRUE(c.made->flush().ok());
    ASSERT_TRUE(c.store->put("b", "new", 2).ok());
    ASSERT_TRUE(c.store->put("c", "new", 2).ok());
    ASSERT_TRUE(c.store->put("g", std::nullopt, 2).ok());
    ASSERT_TRUE(c.store->put("h", std::nullopt, 2).ok());
    EXPECT_EQ(c.rows(), "a=old b=new c=new e=old ");
    EXPECT_EQ(c.rows(Order::descending), "e=old c=new b=new a=old ");
    const auto rows = *c.store->range("b", "e");
    ASSERT_TRUE(rows->next());
    EXPECT_EQ(rows->key(), "b");
    ASSERT_TRUE(c.made->flush().ok());  // moves what is still to be read from the cache to the store
    ASSERT_TRUE(rows->next());
    EXPECT_EQ(rows->value(), "new");
    ASSERT_TRUE(rows->next());
    EXPECT_EQ(rows->key(), "e");
    EXPECT_FALSE(rows->next());
    EXPECT_EQ(c.rows(), "a=old b=new c=new e=old ");
  }
}

// Random writes, flushes and reads of windows, with and without a cache above the store.
TEST(RecordCache, AWindowStoreReadsTheSameWithAndWithoutIt) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  const testing::TempDir dir;
  CacheBudget budget(20'000);
  const auto supplier = window_supplier({.name = "w",
                                         .kind = StoreKind::in_memory,
                                         .window_size_ms = 10,
                                         .retention_ms = 1'000,
                                         .segment_interval_ms = 100});
  const auto plain_store = supplier->make();
  const auto cached_store = supplier->make_cached({&budget, nullptr});
  ASSERT_TRUE(plain_store->open(dir.str()).ok() && cached_store->open(dir.str()).ok());
  auto& plain = *plain_store->as<WindowStore>();
  auto& cached = *cached_store->as<WindowStore>();
  const auto rows = [](std::unique_ptr<WindowIterator> it) {
    std::string out;
    while (it->next()) out += fmt::format("{}@{}={} ", it->key(), it->window_start_ms(), it->value());
    EXPECT_TRUE(it->status().ok());
    return out;
  };
  const std::vector<std::string> keys{"", "a", "aa", "b", std::string("a\0", 2)};
  for (int64_t i = 0; i < 5'000; ++i) {
    const std::string& key = keys[random() % keys.size()];
    const int64_t start = i + static_cast<int64_t>(random() % 100);
    const auto value = random() % 5 == 0 ? OptBytes() : OptBytes(std::to_string(i));
    ASSERT_TRUE(plain.put(key, to_view(value), start, start).ok());
    ASSERT_TRUE(cached.put(key, to_view(value), start, start).ok());
    if (random() % 100 == 0) {
      ASSERT_TRUE(cached_store->flush().ok());
    }
    if (random() % 10 != 0) continue;
    const int64_t from = i - static_cast<int64_t>(random() % 500);
    const int64_t to = from + static_cast<int64_t>(random() % 700);
    const Order order = random() % 2 == 0 ? Order::ascending : Order::descending;
    ASSERT_EQ(rows(*cached.fetch(key, from, to, order)), rows(*plain.fetch(key, from, to, order)));
    ASSERT_EQ(rows(*cached.fetch_range("a", std::nullopt, from, to, order)),
              rows(*plain.fetch_range("a", std::nullopt, from, to, order)));
    ValueAndTimestamp one;
    ValueAndTimestamp other;
    ASSERT_EQ(*cached.fetch(key, start, one), *plain.fetch(key, start, other));
    ASSERT_EQ(one, other);
  }
}

TEST(RecordCache, StoresOfDuplicatesHaveNone) {
  CacheBudget budget(1'000);
  const auto store = window_supplier({.name = "w", .window_size_ms = 1, .retention_ms = 1, .retain_duplicates = true})
                         ->make_cached({&budget, nullptr});
  EXPECT_EQ(store->as<CachedStore>(), nullptr);
  EXPECT_NE(store->as<WindowStore>(), nullptr);
}

}  // namespace
}  // namespace muir::store
