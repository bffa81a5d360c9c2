// What iterators see: the store as it was when they were made, in order, whatever is written meanwhile.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "store/key_value_store.h"
#include "store/window_store.h"
#include "testing/temp_dir.h"

namespace muir::store {
namespace {

const std::vector<StoreKind> kKinds{StoreKind::rocksdb, StoreKind::in_memory};
using Model = std::map<std::string, std::string>;

std::unique_ptr<KeyValueStore> open_store(const testing::TempDir& dir, StoreKind kind) {
  auto store = make_key_value_store({.name = "s", .kind = kind, .format = ValueFormat::plain});
  EXPECT_TRUE(store->open(dir.str() + "/s").ok());
  return store;
}

// An iterator under way and the rows that it still owes.
struct Reading {
  std::unique_ptr<KeyValueIterator> rows;
  std::vector<std::pair<std::string, std::string>> owed;  // the next one last

  // False at the end.
  bool step() {
    if (!rows->next()) {
      EXPECT_TRUE(rows->status().ok());
      EXPECT_TRUE(owed.empty()) << "missing: " << owed.back().first;
      return false;
    }
    if (owed.empty()) {
      ADD_FAILURE() << "not in the range: " << rows->key();
      return false;
    }
    EXPECT_EQ(rows->key(), owed.back().first);
    EXPECT_EQ(rows->value(), owed.back().second);
    owed.pop_back();
    return true;
  }
};

std::vector<std::pair<std::string, std::string>> expected(const Model& model, const std::optional<std::string>& from,
                                                          const std::optional<std::string>& to, Order order) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& row : model) {
    if ((!from || row.first >= *from) && (!to || row.first <= *to)) out.push_back(row);
  }
  if (order == Order::ascending) std::reverse(out.begin(), out.end());
  return out;
}

Reading begin_reading(KeyValueStore& store, const Model& model, std::mt19937_64& random) {
  const auto key = [&] { return std::optional(std::to_string(random() % 300)); };
  const Order order = random() % 2 == 0 ? Order::ascending : Order::descending;
  if (random() % 4 == 0) {
    const std::string prefix = std::to_string(random() % 30);
    return {*store.prefix_scan(prefix, order), expected(model, prefix, prefix + "\xff", order)};
  }
  const auto from = random() % 5 == 0 ? std::nullopt : key();
  const auto to = random() % 5 == 0 ? std::nullopt : key();
  return {*store.range(from, to, order), expected(model, from, to, order)};
}

// Writes, syncs and several iterators at once, in random order, against a map: in the layer above RocksDB, in its
// buffers and files, over rows that are replaced, erased and put again.
TEST(Iterators, SeeTheStoreAsItWasWhenTheyWereMade) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  for (const auto kind : kKinds) {
    std::mt19937_64 random(seed);
    const testing::TempDir dir;
    auto store = open_store(dir, kind);
    Model model;
    std::vector<Reading> readings;
    for (int i = 0; i < 20'000 && !::testing::Test::HasFailure(); ++i) {
      const std::string key = std::to_string(random() % 300);
      const auto dice = random() % 100;
      if (dice < 40) {
        // Some so large that the layer is written out every few hundred of them.
        const std::string value(dice == 0 ? 100'000 : random() % 40, static_cast<char>('a' + i % 26));
        ASSERT_TRUE(store->put(key, value, i).ok());
        model[key] = value;
      } else if (dice < 60) {
        ASSERT_TRUE(store->put(key, std::nullopt, i).ok());
        model.erase(key);
      } else if (dice < 70 && readings.size() < 4) {
        readings.push_back(begin_reading(*store, model, random));
      } else if (i % 1'000 == 999) {
        ASSERT_TRUE(store->sync().ok());
      } else if (!readings.empty()) {
        const size_t which = random() % readings.size();
        if (!readings[which].step() || random() % 50 == 0) readings.erase(readings.begin() + static_cast<long>(which));
      }
    }
    for (auto& reading : readings) {
      while (reading.step()) {
      }
    }
  }
}

// A loop that erases what it reads, or puts rows before and behind itself, ends.
TEST(Iterators, ALoopMayWriteTheStoreItReads) {
  for (const auto kind : kKinds) {
    const testing::TempDir dir;
    auto store = open_store(dir, kind);
    for (const char* key : {"b", "d", "f"}) ASSERT_TRUE(store->put(key, "old", 1).ok());
    std::string seen;
    for (const auto rows = *store->all(); rows->next();) {
      const Bytes key(rows->key());
      ASSERT_TRUE(store->put(key, std::nullopt, 2).ok());
      ASSERT_TRUE(store->put(key + "x", "new", 2).ok());
      ASSERT_TRUE(store->put("a", "new", 2).ok());
      seen += fmt::format("{}={} ", rows->key(), rows->value());
    }
    EXPECT_EQ(seen, "b=old d=old f=old ");
    seen.clear();
    for (const auto rows = *store->all(Order::descending); rows->next();) seen += fmt::format("{} ", rows->key());
    EXPECT_EQ(seen, "fx dx bx a ");
    if (kind == StoreKind::in_memory) {
      EXPECT_EQ(*store->approximate_entries(), 4U);
    }
  }
}

TEST(Iterators, OutliveTheLayerThatTheyBeganOn) {
  const testing::TempDir dir;
  auto store = open_store(dir, StoreKind::rocksdb);
  ASSERT_TRUE(store->put("a", "1", 1).ok());
  ASSERT_TRUE(store->sync().ok());
  ASSERT_TRUE(store->put("b", "2", 1).ok());
  const auto rows = *store->all();
  ASSERT_TRUE(store->put("a", "3", 1).ok());
  ASSERT_TRUE(store->sync().ok());
  ASSERT_TRUE(store->put("b", std::nullopt, 1).ok());
  ASSERT_TRUE(store->put("c", "4", 1).ok());
  ASSERT_TRUE(rows->next());
  EXPECT_EQ(rows->value(), "1");
  ASSERT_TRUE(rows->next());
  EXPECT_EQ(rows->value(), "2");
  EXPECT_FALSE(rows->next());
  EXPECT_FALSE(rows->next());
}

TEST(Iterators, WindowsAreReadInBothDirectionsAcrossSegments) {
  for (const auto kind : kKinds) {
    const testing::TempDir dir;
    auto store = make_window_store(
        {.name = "w", .kind = kind, .window_size_ms = 10, .retention_ms = 1'000, .segment_interval_ms = 100});
    ASSERT_TRUE(store->open(dir.str() + "/w").ok());
    for (const int64_t start : {90, 100, 210, 330}) {
      for (const char* key : {"a", "b"}) ASSERT_TRUE(store->put(key, "v", start, start).ok());
      if (start == 100) {
        ASSERT_TRUE(store->sync().ok());
      }
    }
    const auto starts = [](std::unique_ptr<WindowIterator> rows) {
      std::string out;
      while (rows->next()) out += fmt::format("{}{} ", rows->key(), rows->window_start_ms());
      EXPECT_TRUE(rows->status().ok());
      return out;
    };
    EXPECT_EQ(starts(*store->fetch("a", 95, 330)), "a100 a210 a330 ");
    EXPECT_EQ(starts(*store->fetch("a", 95, 329, Order::descending)), "a210 a100 ");
    EXPECT_EQ(starts(*store->fetch_range("a", "b", 0, 215, Order::descending)), "b210 a210 b100 a100 b90 a90 ");
    EXPECT_EQ(starts(*store->fetch("c", 0, 1'000, Order::descending)), "");
    EXPECT_EQ(starts(*store->fetch("a", 400, 1'000)), "");
    // Rows put while it reads are not among those it gives.
    auto rows = *store->fetch("a", 0, 1'000);
    ASSERT_TRUE(rows->next());
    ASSERT_TRUE(store->put("a", "v", 250, 1).ok());
    EXPECT_EQ(starts(std::move(rows)), "a100 a210 a330 ");
  }
}

}  // namespace
}  // namespace muir::store
