// Iterators that are still held when their store closes, or is gone: they end, and say why.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "store/key_value_store.h"
#include "store/record_cache.h"
#include "store/session_store.h"
#include "store/window_store.h"
#include "testing/temp_dir.h"

namespace muir::store {
namespace {

struct Kind {
  std::string name;
  StoreKind kind;
  bool cached;
};
const std::vector<Kind> kKinds{{"rocksdb", StoreKind::rocksdb, false},
                               {"rocksdb below a cache", StoreKind::rocksdb, true},
                               {"in memory", StoreKind::in_memory, false},
                               {"in memory below a cache", StoreKind::in_memory, true}};

// A store and what reads it, without what tells key-value stores from window stores.
struct Rows {
  std::unique_ptr<StateStore> store;
  std::function<Status(const std::string& key)> put;
  using Next = std::function<bool()>;
  struct Iterator {
    Next next;
    std::function<Status()> status;
  };
  std::function<Result<Iterator>(Order)> read;
};

template <class I>
Result<Rows::Iterator> erased(Result<std::unique_ptr<I>> made) {
  std::shared_ptr<I> rows = MUIR_TRY(std::move(made));
  return Rows::Iterator{[rows] { return rows->next(); }, [rows] { return rows->status(); }};
}

Rows key_values(const Kind& kind, const RecordCache& cache) {
  auto store = make_key_value_store({.name = "s", .kind = kind.kind});
  if (kind.cached) store = with_cache(std::move(store), ValueFormat::timestamped, cache);
  KeyValueStore* at = store.get();
  return {std::move(store), [at](const std::string& key) { return at->put(key, "value of " + key, 1); },
          [at](Order order) { return erased(at->range("a", "z", order)); }};
}

Rows windows(const Kind& kind, const RecordCache& cache) {
  auto store = make_window_store(
      {.name = "s", .kind = kind.kind, .window_size_ms = 10, .retention_ms = 1'000, .segment_interval_ms = 100});
  if (kind.cached) store = with_cache(std::move(store), cache);
  WindowStore* at = store.get();
  return {std::move(store),
          [at](const std::string& key) { return at->put(key, "value of " + key, key.front() % 2 * 200, 1); },
          [at](Order order) { return erased(at->fetch_range("a", "z", 0, 1'000, order)); }};
}

Rows sessions(const Kind& kind, const RecordCache&) {
  auto store = make_session_store({.name = "s", .kind = kind.kind, .retention_ms = 1'000, .segment_interval_ms = 100});
  SessionStore* at = store.get();
  return {std::move(store),
          [at](const std::string& key) {
            const int64_t start_ms = key.front() % 2 * 200;
            return at->put(key, {start_ms, start_ms + 5}, "value of " + key, 1);
          },
          [at](Order order) { return erased(at->find_range("a", "z", 0, 1'000, order)); }};
}

class LeftoverIterators : public ::testing::Test {
 protected:
  // Rows in files, in the layer above them, and, where there is one, in the cache; those of each between the others'.
  static void fill(Rows& rows) {
    for (const char* key : {"a", "d", "g"}) ASSERT_TRUE(rows.put(key).ok());
    ASSERT_TRUE(rows.store->flush().ok());
    ASSERT_TRUE(rows.store->sync().ok());
    for (const char* key : {"b", "e", "h"}) ASSERT_TRUE(rows.put(key).ok());
    ASSERT_TRUE(rows.store->flush().ok());
    for (const char* key : {"c", "f", "i"}) ASSERT_TRUE(rows.put(key).ok());
  }
  // Calls use(rows, fresh store's folder) for each kind of store.
  template <class F>
  void for_each_kind(F use) {
    for (const auto& make : {key_values, windows, sessions}) {
      for (const Kind& kind : kKinds) {
        SCOPED_TRACE(kind.name + (make == windows ? ", windows" : make == sessions ? ", sessions" : ", key-value"));
        const testing::TempDir dir;
        CacheBudget budget(1u << 20);
        Rows rows = make(kind, {.budget = &budget});
        ASSERT_TRUE(rows.store->open(dir.str() + "/s").ok());
        fill(rows);
        use(rows, dir.str() + "/s");
      }
    }
  }
};

constexpr int kRows = 9;

TEST_F(LeftoverIterators, EndWhenTheirStoreClosesWhereverTheyStand) {
  for_each_kind([](Rows& rows, const std::string& folder) {
    struct Held {
      Rows::Iterator it;
      int read;
    };
    std::vector<Held> held;
    for (const Order order : {Order::ascending, Order::descending}) {
      for (int read = 0; read <= kRows + 1; ++read) {
        held.push_back({*rows.read(order), 0});
        for (; held.back().read < read; ++held.back().read)
          ASSERT_EQ(held.back().it.next(), held.back().read < kRows) << read;
      }
    }
    ASSERT_TRUE(rows.store->close().ok());
    for (const Held& one : held) {
      SCOPED_TRACE(fmt::format("after {} rows", one.read));
      EXPECT_FALSE(one.it.next());
      EXPECT_FALSE(one.it.next());
      const Status status = one.it.status();
      if (one.read > kRows) {  // it had said that there are no more
        EXPECT_TRUE(status.ok()) << status.message();
      } else {
        EXPECT_EQ(status.code(), Code::failed_precondition);
        EXPECT_NE(status.message().find("the store was closed"), std::string::npos) << status.message();
      }
    }
    // The folder is free at once, and the old iterators do not come to life again.
    ASSERT_TRUE(rows.store->open(folder).ok());
    ASSERT_TRUE(rows.put("j").ok());
    for (const Held& one : held) EXPECT_FALSE(one.it.next());
    auto anew = *rows.read(Order::ascending);
    EXPECT_TRUE(anew.next());
    held.clear();
    EXPECT_TRUE(anew.status().ok());
    ASSERT_TRUE(rows.store->close().ok());
  });
}

TEST_F(LeftoverIterators, MayOutliveTheStoreThatNobodyClosed) {
  for_each_kind([](Rows& rows, const std::string&) {
    auto begun = *rows.read(Order::ascending);
    ASSERT_TRUE(begun.next());
    const auto fresh = *rows.read(Order::descending);
    rows.store.reset();
    EXPECT_FALSE(begun.next());
    EXPECT_FALSE(fresh.next());
    EXPECT_EQ(begun.status().code(), Code::failed_precondition);
  });
}

TEST_F(LeftoverIterators, AClosedStoreOnDiskIsNotOpenedByReadingIt) {
  const testing::TempDir dir;
  for (const auto& make : {key_values, windows, sessions}) {
    CacheBudget budget(1u << 20);
    Rows rows = make(kKinds[0], {.budget = &budget});
    ASSERT_TRUE(rows.store->open(dir.str() + "/s").ok());
    ASSERT_TRUE(rows.put("a").ok());
    ASSERT_TRUE(rows.store->sync().ok());
    ASSERT_TRUE(rows.store->close().ok());
    const auto read = rows.read(Order::ascending);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.status().message(), "store s is closed");
    std::filesystem::remove_all(dir.str() + "/s");
  }
}

}  // namespace
}  // namespace muir::store
