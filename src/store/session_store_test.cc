#include "store/session_store.h"

#include <gtest/gtest.h>

#include "store/internal/session_key.h"
#include "testing/mutations.h"
#include "testing/temp_dir.h"

namespace muir::store {
namespace {

const std::vector<StoreKind> kKinds{StoreKind::rocksdb, StoreKind::in_memory};

std::unique_ptr<SessionStore> open_store(const testing::TempDir& dir, StoreKind kind, int64_t retention_ms) {
  auto store =
      make_session_store({.name = "s", .kind = kind, .retention_ms = retention_ms, .segment_interval_ms = 100});
  const Status status = store->open(dir.str() + "/s");
  EXPECT_TRUE(status.ok()) << status.to_string();
  return store;
}

std::string rows(Result<std::unique_ptr<SessionIterator>> found) {
  std::string out;
  while ((*found)->next()) {
    out += fmt::format("{}{}[{},{}]={}", out.empty() ? "" : " ", (*found)->key(), (*found)->session().start_ms,
                       (*found)->session().end_ms, (*found)->value());
  }
  EXPECT_TRUE((*found)->status().ok()) << (*found)->status().message();
  return out;
}

class Changes final : public ChangelogWriter {
 public:
  Status log(BytesView key, OptBytesView value, int64_t timestamp_ms) override {
    all.push_back({Bytes(key), to_owned(value), timestamp_ms});
    return {};
  }
  struct Change {
    Bytes key;
    OptBytes value;
    int64_t timestamp_ms;
  };
  std::vector<Change> all;
};

TEST(SessionStore, FindsByKeyEndAndStartAcrossSegments) {
  for (const auto kind : kKinds) {
    const testing::TempDir dir;
    auto store = open_store(dir, kind, 10'000);
    for (const auto& [start, end] :
         std::vector<std::pair<int64_t, int64_t>>{{0, 5}, {10, 95}, {20, 95}, {90, 250}, {300, 300}}) {
      ASSERT_TRUE(store->put("a", {start, end}, fmt::format("{}", end), 1).ok());
    }
    // Keys that are prefixes of each other lie between one another's sessions.
    ASSERT_TRUE(store->put(BytesView("a\0", 2), {0, 95}, "zero", 1).ok());
    ASSERT_TRUE(store->put("aa", {0, 95}, "other", 1).ok());
    EXPECT_EQ(rows(store->find("a", 0, INT64_MAX)), "a[0,5]=5 a[10,95]=95 a[20,95]=95 a[90,250]=250 a[300,300]=300");
    EXPECT_EQ(rows(store->find("a", 95, 90)), "a[10,95]=95 a[20,95]=95 a[90,250]=250");
    EXPECT_EQ(rows(store->find("a", 96, 89)), "");
    EXPECT_EQ(rows(store->find("a", 95, 90, Order::descending)), "a[90,250]=250 a[20,95]=95 a[10,95]=95");
    EXPECT_EQ(rows(store->find_range("aa", "b", 0, INT64_MAX)), "aa[0,95]=other");
    EXPECT_EQ(rows(store->ended(96, 300)), "a[90,250]=250 a[300,300]=300");
    Bytes out;
    EXPECT_TRUE(*store->fetch("a", {90, 250}, out));
    EXPECT_EQ(out, "250");
    EXPECT_FALSE(*store->fetch("a", {90, 251}, out));
    ASSERT_TRUE(store->put("a", {90, 250}, std::nullopt, 1).ok());
    EXPECT_FALSE(*store->fetch("a", {90, 250}, out));
  }
}

TEST(SessionStore, ForgetsByTheEnds) {
  for (const auto kind : kKinds) {
    SCOPED_TRACE(kind == StoreKind::rocksdb ? "disk" : "memory");
    const testing::TempDir dir;
    auto store = open_store(dir, kind, 250);
    ASSERT_TRUE(store->put("k", {0, 751}, "long", 1).ok());
    ASSERT_TRUE(store->put("k", {700, 749}, "old", 1).ok());
    ASSERT_TRUE(store->put("k", {1000, 1000}, "new", 1).ok());
    EXPECT_EQ(rows(store->find("k", 0, INT64_MAX)), "k[0,751]=long k[1000,1000]=new")
        << "750 is the last forgotten end";
    Changes changes;
    store->set_changelog(&changes);
    ASSERT_TRUE(store->put("k", {10, 600}, "late", 7).ok());
    EXPECT_EQ(store->dropped(), 1u);
    EXPECT_EQ(changes.all.size(), 1u) << "the changelog has what the store drops";
  }
}

TEST(SessionStore, RestoresFromItsChangelog) {
  for (const auto kind : kKinds) {
    const testing::TempDir dir;
    const testing::TempDir other;
    Changes changes;
    auto store = open_store(dir, kind, 250);
    store->set_changelog(&changes);
    for (int64_t t = 0; t <= 1000; t += 50) ASSERT_TRUE(store->put("k", {t / 2, t}, std::to_string(t), t + 3).ok());
    ASSERT_TRUE(store->put("k", {450, 900}, std::nullopt, 9).ok());
    auto restored = open_store(other, kind, 250);
    std::vector<ChangelogRecord> records;
    for (const auto& one : changes.all) records.push_back({one.key, to_view(one.value), one.timestamp_ms});
    // What no store writes is no session: backward, and before the epoch.
    Bytes backward;
    internal::append_session_key({"k", {960, 950}}, backward);
    Bytes before;
    internal::append_session_key({"k", {-1, 950}}, before);
    records.push_back({backward, "x", 1});
    records.push_back({before, "x", 1});
    ASSERT_TRUE(restored->restore(records).ok());
    EXPECT_EQ(rows(restored->find("k", 0, INT64_MAX)), rows(store->find("k", 0, INT64_MAX)));
    EXPECT_EQ(rows(restored->find("k", 0, INT64_MAX)), "k[400,800]=800 k[425,850]=850 k[475,950]=950 k[500,1000]=1000");
  }
}

TEST(SessionStore, OnDiskOutlivesItsProcess) {
  const testing::TempDir dir;
  {
    auto store = open_store(dir, StoreKind::rocksdb, 250);
    for (int64_t t = 0; t <= 1000; t += 100) ASSERT_TRUE(store->put("k", {t, t}, "v", 1).ok());
    ASSERT_TRUE(store->sync().ok());
    ASSERT_TRUE(store->close().ok());
  }
  auto store = open_store(dir, StoreKind::rocksdb, 250);
  ASSERT_TRUE(store->put("k", {100, 100}, "late", 1).ok());
  EXPECT_EQ(store->dropped(), 1u);
  EXPECT_EQ(rows(store->find("k", 0, INT64_MAX)), "k[800,800]=v k[900,900]=v k[1000,1000]=v");
}

TEST(SessionStore, RefusesWhatIsNoSession) {
  const testing::TempDir dir;
  auto store = open_store(dir, StoreKind::in_memory, 250);
  EXPECT_EQ(store->put("k", {5, 4}, "v", 1).code(), Code::invalid_argument);
  EXPECT_EQ(store->put("k", {-1, 4}, "v", 1).code(), Code::invalid_argument);
  EXPECT_FALSE(session_supplier({.name = "s"})->check().ok());
}

TEST(SessionKey, HasKafkasBytes) {
  Bytes bytes;
  internal::append_session_key({"k", {1, 258}}, bytes);
  EXPECT_EQ(hex(bytes), "6b 00 00 00 00 00 00 01 02 00 00 00 00 00 00 00 01");
}

TEST(FuzzSessionKey, SurvivesMutations) {
  testing::survive_mutations("store_session_key", internal::fuzz_session_key,
                             {Bytes("k\0\0\0\0\0\0\x01\x02\0\0\0\0\0\0\0\x01", 17), Bytes(16, '\x7f')});
}

}  // namespace
}  // namespace muir::store
