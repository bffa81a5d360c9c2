#include "store/window_store.h"

#include <gtest/gtest.h>

#include "store/internal/window_key.h"
#include "testing/temp_dir.h"

namespace muir::store {
namespace {

class Changes final : public ChangelogWriter {
 public:
  Status log(BytesView key, OptBytesView value, int64_t timestamp_ms) override {
    all.push_back(fmt::format("{} = {} @{}", hex(key), value.value_or("-"), timestamp_ms));
    kept.push_back({Bytes(key), to_owned(value), timestamp_ms});
    return {};
  }
  struct Kept {
    Bytes key;
    OptBytes value;
    int64_t timestamp_ms;
  };
  std::vector<std::string> all;
  std::vector<Kept> kept;
};

std::unique_ptr<WindowStore> open_store(const testing::TempDir& dir, StoreKind kind, int64_t retention_ms,
                                        bool duplicates = false) {
  auto store = make_window_store({.name = "w",
                                  .kind = kind,
                                  .window_size_ms = 10,
                                  .retention_ms = retention_ms,
                                  .segment_interval_ms = 100,
                                  .retain_duplicates = duplicates});
  const Status status = store->open(dir.str() + "/w");
  EXPECT_TRUE(status.ok()) << status.to_string();
  return store;
}

std::string rows(Result<std::unique_ptr<WindowIterator>> iterator) {
  std::string out;
  while ((*iterator)->next()) {
    out += fmt::format("{}{}/{}={}", out.empty() ? "" : " ", (*iterator)->key(), (*iterator)->window_start_ms(),
                       (*iterator)->value());
  }
  EXPECT_TRUE((*iterator)->status().ok());
  return out;
}

const std::vector<StoreKind> kKinds{StoreKind::rocksdb, StoreKind::in_memory};

TEST(WindowStore, FetchesByKeyAndTimeAcrossSegments) {
  for (const auto kind : kKinds) {
    const testing::TempDir dir;
    auto store = open_store(dir, kind, 1000);
    for (const int64_t t : {5, 95, 100, 250, 330}) ASSERT_TRUE(store->put("a", std::to_string(t), t, t + 1).ok());
    // Keys that are prefixes of each other lie between one another's windows.
    ASSERT_TRUE(store->put(BytesView("a\0", 2), "zero", 95, 1).ok());
    ASSERT_TRUE(store->put("aa", "other", 95, 1).ok());
    ASSERT_TRUE(store->put("", "empty", 96, 1).ok());
    EXPECT_EQ(rows(store->fetch("a", 0, 1000)), "a/5=5 a/95=95 a/100=100 a/250=250 a/330=330");
    EXPECT_EQ(rows(store->fetch("a", 95, 250)), "a/95=95 a/100=100 a/250=250");
    EXPECT_EQ(rows(store->fetch("a", 96, 99)), "");
    EXPECT_EQ(rows(store->fetch("aa", 0, 1000)), "aa/95=other");
    EXPECT_EQ(rows(store->fetch_range("aa", "b", 0, 1000)), "aa/95=other");
    EXPECT_EQ(rows(store->fetch_range(std::nullopt, "aa", 95, 99)).find("aa/95=other") != std::string::npos, true);
    ValueAndTimestamp out;
    EXPECT_TRUE(*store->fetch("a", 100, out));
    EXPECT_EQ(out, (ValueAndTimestamp{"100", 101}));
    EXPECT_FALSE(*store->fetch("a", 101, out));
    ASSERT_TRUE(store->put("a", std::nullopt, 100, 5).ok());
    EXPECT_FALSE(*store->fetch("a", 100, out));
  }
}

struct ExpiryCase {
  std::string name;
  StoreKind kind;
  int64_t late_ms;  // put when time is 1000 and the retention 250
  bool stored;      // whether the put is kept
};

TEST(WindowStore, DropsPutsThatAreTooOldBySegmentOnDiskAndExactlyInMemory) {
  for (const auto& c : std::vector<ExpiryCase>{
           {"disk: segment of 750 is live from 700", StoreKind::rocksdb, 700, true},
           {"disk: segment before", StoreKind::rocksdb, 699, false},
           {"memory: one after the limit", StoreKind::in_memory, 751, true},
           {"memory: at the limit", StoreKind::in_memory, 750, false},
       }) {
    SCOPED_TRACE(c.name);
    const testing::TempDir dir;
    auto store = open_store(dir, c.kind, 250);
    Changes changes;
    ASSERT_TRUE(store->put("k", "new", 1000, 1000).ok());
    store->set_changelog(&changes);
    ASSERT_TRUE(store->put("k", "late", c.late_ms, 1).ok());
    EXPECT_EQ(store->dropped(), c.stored ? 0u : 1u);
    EXPECT_EQ(changes.all.size(), 1u) << "the changelog has what the store drops, as Kafka Streams' has";
  }
}

TEST(WindowStore, ReadsAreExactAndWholeSegmentsDisappear) {
  for (const auto kind : kKinds) {
    const testing::TempDir dir;
    auto store = open_store(dir, kind, 250);
    for (int64_t t = 0; t <= 1000; t += 50) ASSERT_TRUE(store->put("k", "v", t, t).ok());
    // The first readable window starts at 1000 - 250 + 1.
    EXPECT_EQ(rows(store->all()), "k/800=v k/850=v k/900=v k/950=v k/1000=v");
    ValueAndTimestamp out;
    EXPECT_FALSE(*store->fetch("k", 750, out));
    ASSERT_TRUE(store->put("k", "v", 100000, 1).ok());
    EXPECT_EQ(rows(store->all()), "k/100000=v");
  }
}

TEST(WindowStore, KeyIsKafkas) {
  const testing::TempDir dir;
  auto store = open_store(dir, StoreKind::rocksdb, 1000);
  Changes changes;
  store->set_changelog(&changes);
  ASSERT_TRUE(store->put("k", "v", 5, 7).ok());
  EXPECT_EQ(changes.all, (std::vector<std::string>{"6b 00 00 00 00 00 00 00 05 00 00 00 00 = v @7"}));
  EXPECT_FALSE(store->put("k", "v", -1, 7).ok());
}

TEST(WindowStore, RetainsDuplicatesUnderSequenceNumbers) {
  for (const auto kind : kKinds) {
    const testing::TempDir dir;
    auto store = open_store(dir, kind, 1000, true);
    Changes changes;
    store->set_changelog(&changes);
    ASSERT_TRUE(store->put("k", "a", 5, 7).ok());
    ASSERT_TRUE(store->put("k", "b", 5, 7).ok());
    ASSERT_TRUE(store->put("k", std::nullopt, 5, 7).ok());
    EXPECT_EQ(rows(store->fetch("k", 0, 10)), "k/5=a k/5=b");
    EXPECT_EQ(changes.all[1], "6b 00 00 00 00 00 00 00 05 00 00 00 02 = b @7");
    EXPECT_EQ(changes.all[2], "6b 00 00 00 00 00 00 00 05 00 00 00 03 = - @7")
        << "what adds nothing is in the changelog";
  }
}

TEST(WindowStore, RestoresFromItsChangelogWithoutTheExpired) {
  for (const auto kind : kKinds) {
    const testing::TempDir dir;
    const testing::TempDir other;
    Changes changes;
    {
      auto store = open_store(dir, kind, 250);
      store->set_changelog(&changes);
      for (int64_t t = 0; t <= 1000; t += 100) ASSERT_TRUE(store->put("k", std::to_string(t), t, t + 3).ok());
    }
    auto restored = open_store(other, kind, 250);
    Changes none;
    restored->set_changelog(&none);
    std::vector<ChangelogRecord> records;
    for (const auto& kept : changes.kept) records.push_back({kept.key, to_view(kept.value), kept.timestamp_ms});
    ASSERT_TRUE(restored->restore(records).ok());
    EXPECT_TRUE(none.all.empty());
    EXPECT_EQ(rows(restored->all()), "k/800=800 k/900=900 k/1000=1000");
    ValueAndTimestamp out;
    ASSERT_TRUE(*restored->fetch("k", 900, out));
    EXPECT_EQ(out.timestamp_ms, 903);
    EXPECT_FALSE(restored->restore({{{"short", "v", 1}}}).ok());
    Bytes before_time;  // written by another program: as put() takes none, there is none
    internal::append_window_key({.key = "k", .window_start_ms = -70'000, .sequence = 0}, before_time);
    ASSERT_TRUE(restored->restore({{{before_time, "v", 1}}}).ok());
    EXPECT_EQ(rows(restored->all()), "k/800=800 k/900=900 k/1000=1000");
    ASSERT_TRUE(restored->put("k", "v", 900'000, 1).ok());
    EXPECT_EQ(rows(restored->all()), "k/900000=v");
  }
}

TEST(WindowStore, FindsItsSegmentsAgainAfterReopening) {
  const testing::TempDir dir;
  {
    auto store = open_store(dir, StoreKind::rocksdb, 1000);
    for (const int64_t t : {5, 250, 430}) ASSERT_TRUE(store->put("k", "v", t, t).ok());
    ASSERT_TRUE(store->sync().ok());
    ASSERT_TRUE(store->close().ok());
  }
  auto store = open_store(dir, StoreKind::rocksdb, 1000);
  EXPECT_EQ(rows(store->all()), "k/5=v k/250=v k/430=v");
  ASSERT_TRUE(store->put("k", "v", 2000, 1).ok());
  EXPECT_EQ(rows(store->all()), "k/2000=v");
}

TEST(RocksWindowStore, KnowsAfterReopeningThatTimeHasPassed) {
  const testing::TempDir dir;
  {
    auto store = open_store(dir, StoreKind::rocksdb, 300);
    for (const int64_t t : {150, 420, 510}) ASSERT_TRUE(store->put("a", "x", t, t).ok());
    ASSERT_TRUE(store->sync().ok());
    ASSERT_TRUE(store->close().ok());
  }
  // The newest segment begins at 500: what begins at 200 or before is past the retention, and its segment gone.
  auto store = open_store(dir, StoreKind::rocksdb, 300);
  EXPECT_EQ(rows(store->all()), "a/420=x a/510=x");
  ASSERT_TRUE(store->put("a", "late", 150, 150).ok());
  EXPECT_EQ(store->dropped(), 1U);
}

TEST(RocksWindowStore, AnIteratorOutlivesWritesAndTheEndOfItsSegment) {
  const testing::TempDir dir;
  auto store = open_store(dir, StoreKind::rocksdb, 300);
  for (const int64_t t : {10, 20, 30}) ASSERT_TRUE(store->put("a", "old", t, t).ok());
  ASSERT_TRUE(store->sync().ok());
  auto iterator = store->fetch("a", 0, 1000);
  ASSERT_TRUE(iterator.ok() && (*iterator)->next());
  ASSERT_TRUE(store->put("a", "new", 20, 20).ok());
  ASSERT_TRUE(store->put("a", "far", 5000, 5000).ok());  // drops the segment, file and all
  EXPECT_EQ(rows(store->all()), "a/5000=far");
  EXPECT_EQ(rows(std::move(iterator)), "a/20=old a/30=old");
}

}  // namespace
}  // namespace muir::store
