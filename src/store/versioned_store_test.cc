#include "store/versioned_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "store/internal/version_row.h"
#include "testing/mutations.h"
#include "testing/temp_dir.h"

namespace muir::store {
namespace {

std::unique_ptr<VersionedStore> open_store(const testing::TempDir& dir, int64_t retention_ms, int64_t interval_ms) {
  auto store =
      make_versioned_store({.name = "s", .history_retention_ms = retention_ms, .segment_interval_ms = interval_ms});
  const Status status = store->open(dir.str() + "/s");
  EXPECT_TRUE(status.ok()) << status.to_string();
  return store;
}

// "value@from-to", the end left out for the latest one.
std::string shown(const VersionedRecord& record) {
  return fmt::format("{}@{}{}", record.value, record.timestamp_ms,
                     record.valid_to_ms ? fmt::format("-{}", *record.valid_to_ms) : "");
}
std::string at(VersionedStore& store, BytesView key, int64_t as_of_ms) {
  VersionedRecord found;
  const auto has = store.get(key, as_of_ms, found);
  EXPECT_TRUE(has.ok()) << has.status().to_string();
  return has.ok() && *has ? shown(found) : "-";
}
std::string latest(VersionedStore& store, BytesView key) {
  VersionedRecord found;
  return *store.get(key, found) ? shown(found) : "-";
}
std::string all(VersionedStore& store, BytesView key, int64_t from_ms, int64_t to_ms, Order order = Order::ascending) {
  const auto found = store.get(key, from_ms, to_ms, order);
  EXPECT_TRUE(found.ok()) << found.status().to_string();
  std::string out;
  for (const auto& record : *found) out += (out.empty() ? "" : " ") + shown(record);
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

TEST(VersionedStore, TellsWhenAVersionEndsAndWhatWasValid) {
  struct Put {
    const char* value;  // "" deletes
    int64_t timestamp_ms;
    int64_t valid_to_ms;
    const char* history;
  };
  // In segments of 10 ms.
  const std::vector<Put> puts{
      {"a", 20, kStillValid, "a@20"},
      {"b", 30, kStillValid, "a@20-30 b@30"},
      {"c", 25, 30, "a@20-25 c@25-30 b@30"},
      {"d", 5, 20, "d@5-20 a@20-25 c@25-30 b@30"},
      {"", 12, 20, "d@5-12 a@20-25 c@25-30 b@30"},
      {"e", 15, 20, "d@5-12 e@15-20 a@20-25 c@25-30 b@30"},
      {"C", 25, 30, "d@5-12 e@15-20 a@20-25 C@25-30 b@30"},
      {"", 40, kStillValid, "d@5-12 e@15-20 a@20-25 C@25-30 b@30-40"},
      {"", 55, kStillValid, "d@5-12 e@15-20 a@20-25 C@25-30 b@30-40"},
      {"f", 45, 55, "d@5-12 e@15-20 a@20-25 C@25-30 b@30-40 f@45-55"},
      {"g", 60, kStillValid, "d@5-12 e@15-20 a@20-25 C@25-30 b@30-40 f@45-55 g@60"},
      {"", 60, kStillValid, "d@5-12 e@15-20 a@20-25 C@25-30 b@30-40 f@45-55"},
  };
  const testing::TempDir dir;
  const auto store = open_store(dir, 1000, 10);
  for (const Put& put : puts) {
    SCOPED_TRACE(fmt::format("'{}' at {}", put.value, put.timestamp_ms));
    const BytesView value = put.value;
    EXPECT_EQ(*store->put("k", value.empty() ? OptBytesView() : value, put.timestamp_ms), put.valid_to_ms);
    EXPECT_EQ(all(*store, "k", 0, INT64_MAX), put.history);
  }
  EXPECT_EQ(all(*store, "k", 24, 44), "a@20-25 C@25-30 b@30-40");
  EXPECT_EQ(all(*store, "k", 25, 30, Order::descending), "b@30-40 C@25-30");
  EXPECT_EQ(all(*store, "k", 40, 44), "");
  EXPECT_EQ(all(*store, "k", 50, 40), "");
  EXPECT_EQ(at(*store, "k", 24), "a@20-25");
  EXPECT_EQ(at(*store, "k", 14), "-");
  EXPECT_EQ(at(*store, "k", 4), "-");
  EXPECT_EQ(latest(*store, "k"), "-");
  VersionedRecord deleted;
  EXPECT_TRUE(*store->erase("k", 27, deleted));
  EXPECT_EQ(shown(deleted), "C@25-30");
  EXPECT_EQ(all(*store, "k", 25, 30), "C@25-27 b@30-40");
  EXPECT_FALSE(*store->erase("other", 27, deleted));
}

TEST(VersionedStore, DropsWhatIsOlderThanItsHistory) {
  const testing::TempDir dir;
  const auto store = open_store(dir, 100, 30);
  Changes changes;
  store->set_changelog(&changes);
  EXPECT_EQ(*store->put("k", "a", 10), kStillValid);
  EXPECT_EQ(*store->put("other", "a", 10), kStillValid);
  EXPECT_EQ(*store->put("k", "b", 200), kStillValid);
  EXPECT_EQ(*store->put("k", "late", 99), kNotPut);
  EXPECT_EQ(*store->put("k", "in time", 100), 200);
  VersionedRecord deleted;
  EXPECT_FALSE(*store->erase("k", 99, deleted));
  EXPECT_EQ(store->dropped(), 2u);
  EXPECT_EQ(changes.all.size(), 6u) << "the changelog has what the store drops";
  EXPECT_EQ(at(*store, "k", 100), "in time@100-200");
  EXPECT_EQ(at(*store, "k", 99), "-") << "it is part of no history any more";
  EXPECT_EQ(at(*store, "other", 50), "a@10") << "the latest version stays";
  EXPECT_EQ(all(*store, "other", 0, 20), "a@10");
  EXPECT_EQ(all(*store, "k", 0, 99), "");
  EXPECT_EQ(*store->put("k", "c", 1000), kStillValid);
  EXPECT_EQ(all(*store, "k", 0, INT64_MAX), "b@200-1000 c@1000") << "older segments are gone";
  EXPECT_EQ(store->put("k", "before", -1).status().code(), Code::invalid_argument);
}

// Against a list of all that was put, with the exception that a deletion at the very time of the latest version leaves
// nothing to be remembered, as in Kafka Streams; it is not made here.
TEST(VersionedStore, AnswersAsAListOfAllVersionsDoes) {
  constexpr int64_t kRetention = 60;
  for (const int64_t interval : {1, 7, 20, 1000}) {
    const auto seed = static_cast<uint32_t>(20261128 + interval);
    SCOPED_TRACE(fmt::format("seed {} interval {}", seed, interval));
    std::mt19937 random(seed);
    const testing::TempDir dir;
    const auto store = open_store(dir, kRetention, interval);
    std::map<std::string, std::map<int64_t, std::optional<std::string>>> model;
    int64_t now = 0;
    int64_t observed = -1;
    for (int i = 0; i < 3000; ++i) {
      now += random() % 4;
      const std::string key(1, static_cast<char>('a' + random() % 3));
      auto& versions = model[key];
      const int64_t time = std::max<int64_t>(0, now - static_cast<int64_t>(random() % 2 == 0 ? 0 : random() % 75));
      std::optional<std::string> value;
      const bool is_latest = !versions.empty() && versions.rbegin()->first == time;
      if (random() % 4 != 0 || is_latest) value = std::to_string(i);
      int64_t expected = kNotPut;
      if (time >= observed - kRetention) {
        observed = std::max(observed, time);
        versions[time] = value;
        const auto next = versions.upper_bound(time);
        expected = next == versions.end() ? kStillValid : next->first;
      }
      ASSERT_EQ(*store->put(key, value, time), expected) << "put " << i << " of " << key << " at " << time;
      const int64_t asked = std::max<int64_t>(0, observed - static_cast<int64_t>(random() % kRetention));
      std::string wanted = "-";
      const auto next = versions.upper_bound(asked);
      if (next != versions.begin() && std::prev(next)->second) {
        wanted = fmt::format("{}@{}", *std::prev(next)->second, std::prev(next)->first);
        if (next != versions.end()) wanted += fmt::format("-{}", next->first);
      }
      ASSERT_EQ(at(*store, key, asked), wanted) << "after put " << i << " of " << key << " as of " << asked;
      ASSERT_EQ(all(*store, key, asked, asked), wanted == "-" ? "" : wanted) << "after put " << i;
    }
  }
}

TEST(VersionedStore, IsRestoredFromItsChangelog) {
  const testing::TempDir dir;
  const testing::TempDir other;
  Changes changes;
  const auto store = open_store(dir, 50, 10);
  store->set_changelog(&changes);
  std::mt19937 random(20261128);
  for (int64_t t = 0; t < 500; t += 3) {
    const int64_t time = std::max<int64_t>(0, t - static_cast<int64_t>(random() % 70));
    const OptBytes value = random() % 4 == 0 ? OptBytes() : std::to_string(t);
    ASSERT_TRUE(store->put("k", to_view(value), time).ok());
  }
  const auto restored = open_store(other, 50, 10);
  std::vector<ChangelogRecord> records;
  for (const auto& one : changes.all) records.push_back({one.key, to_view(one.value), one.timestamp_ms});
  records.push_back({"k", "before the epoch", -1});
  ASSERT_TRUE(restored->restore(records).ok());
  EXPECT_GT(store->dropped(), 0u);
  EXPECT_EQ(restored->dropped(), 0u);
  EXPECT_EQ(all(*restored, "k", 0, INT64_MAX), all(*store, "k", 0, INT64_MAX));
}

TEST(VersionedStore, OutlivesItsProcess) {
  const testing::TempDir dir;
  {
    const auto store = open_store(dir, 100, 10);
    for (int64_t t = 0; t <= 300; t += 50) ASSERT_TRUE(store->put("k", std::to_string(t), t).ok());
    ASSERT_TRUE(store->sync().ok());
    ASSERT_TRUE(store->close().ok());
  }
  const auto store = open_store(dir, 100, 10);
  EXPECT_EQ(all(*store, "k", 200, INT64_MAX), "200@200-250 250@250-300 300@300");
  EXPECT_EQ(*store->put("k", "late", 199), kNotPut);
}

TEST(VersionedStore, RefusesSettingsThatAreNone) {
  EXPECT_TRUE(versioned_supplier({.name = "s"})->check().ok()) << "without history there are latest versions";
  EXPECT_FALSE(versioned_supplier({.name = "s", .history_retention_ms = -1})->check().ok());
  EXPECT_FALSE(versioned_supplier({.name = "s", .segment_interval_ms = -1})->check().ok());
  const int64_t year_ms = int64_t{365} * 24 * 3600 * 1000;
  EXPECT_TRUE(versioned_supplier({.name = "s", .history_retention_ms = year_ms})->check().ok());
  EXPECT_FALSE(
      versioned_supplier({.name = "s", .history_retention_ms = year_ms, .segment_interval_ms = 10})->check().ok());
}

TEST(VersionedStore, ItsChangelogKeepsTheHistory) {
  struct Case {
    int64_t retention_ms;
    const char* lag_ms;
  };
  for (const Case& c :
       std::vector<Case>{{0, "86400000"}, {3'600'000, "90000000"}, {INT64_MAX - 1, "9223372036854775807"}}) {
    const auto configs = versioned_supplier({.name = "s", .history_retention_ms = c.retention_ms})
                             ->changelog_configs({.additional_retention_ms = 1});
    EXPECT_EQ(configs, (std::map<std::string, std::string>{{"min.compaction.lag.ms", c.lag_ms}}));
  }
}

TEST(VersionRow, HasKafkasBytes) {
  internal::VersionRow row({20, "bb"}, 30);
  row.add_oldest({10, std::nullopt});
  row.add_oldest({5, "a"});
  Bytes bytes;
  row.append_to(bytes);
  EXPECT_EQ(hex(bytes),
            "00 00 00 00 00 00 00 1e 00 00 00 00 00 00 00 05 "
            "00 00 00 00 00 00 00 14 00 00 00 02 00 00 00 00 00 00 00 0a ff ff ff ff "
            "00 00 00 00 00 00 00 05 00 00 00 01 61 62 62");
}

// A write may end between its two rows: the older one then has what the newer one has, too.
TEST(VersionRow, IsCutToWhatItsNewestVersionLeaves) {
  internal::VersionRow row({20, "b"}, 30);
  row.add_oldest({10, "a"});
  row.add_newest({20, "c"}, 25);
  EXPECT_EQ(row.versions().size(), 2u);
  EXPECT_EQ(row.to_ms(), 25);
  EXPECT_EQ(*row.versions().front().value, "c");
  row.add_newest({3, "d"}, 4);
  EXPECT_EQ(row.versions().size(), 1u);
  EXPECT_EQ(row.from_ms(), 3);
}

TEST(FuzzVersionRow, SurvivesMutations) {
  internal::VersionRow row({20, "bb"}, 30);
  row.add_oldest({10, std::nullopt});
  Bytes bytes;
  row.append_to(bytes);
  Bytes deletion;
  internal::VersionRow({7, std::nullopt}, 7).append_to(deletion);
  testing::survive_mutations("store_version_row", internal::fuzz_version_row, {bytes, deletion});
}

}  // namespace
}  // namespace muir::store
