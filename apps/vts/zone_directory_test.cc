#include "apps/vts/zone_directory.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <random>

#include "serde/registry_port.h"

namespace muir::vts {
namespace {

// One zone's records of the two topics, by words: "m:a" is a row of zone.master whose zone has the name a, "m:bad" no
// row, "m:-" a deletion, "m:!" that the topic was made anew; "r:" the same of zone.rows.
class Directory {
 public:
  explicit Directory(size_t unread_bytes_max = ZoneDirectory::kUnreadBytesMax) : directory_(unread_bytes_max) {
    EXPECT_TRUE(serde_.configure({.registry = &registry_}, false).ok());
    EXPECT_TRUE(directory_.configure({.registry = &registry_}).ok());
  }

  void apply(std::string_view word) {
    const std::string_view topic = word.starts_with("m:") ? kZoneMasterTopic : kZoneRowsTopic;
    word.remove_prefix(2);
    if (word == "!") return directory_.forget({std::string(topic), PartitionId(0)});
    Bytes value = "no row";
    if (word != "bad") {
      const ZoneMaster zone{.zone_id = "z", .name = std::string(word), .polygons = {{{20, 52, 20.5, 52, 20.5, 53}}}};
      value.clear();
      EXPECT_TRUE(serde_.serialize(kZoneMasterTopic, zone, value).ok());
    }
    client::ConsumedRecord record{.offset = Offset(offset_++), .key = BytesView("z")};
    if (word != "-") record.value = value;
    directory_.apply({.partition = {std::string(topic), PartitionId(0)}, .records = std::span(&record, 1)});
  }
  void end() { directory_.end(); }
  void loaded() { directory_.loaded(); }
  [[nodiscard]] ZoneDirectory::Progress progress() const { return directory_.progress(); }

  // The name of the zone; "-": there is none.
  [[nodiscard]] std::string zone() const {
    const auto zones = directory_.zones();
    const ZoneMaster* zone = zones->zone("z");
    return zone == nullptr ? "-" : zone->name;
  }

 private:
  MemoryRegistry registry_;
  SerdeRef<ZoneMaster> serde_ = default_serde<ZoneMaster>();
  ZoneDirectory directory_;
  int64_t offset_ = 0;
};

TEST(ZoneDirectory, HasTheLastRowThatIsOneWhateverIsLeftOfTheMasterTopic) {
  struct Row {
    const char* what;
    std::vector<std::string> records;
    const char* zone;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"a row", {"m:a", "r:a"}, "a"},
           {"a row that the topology has not seen yet", {"m:a"}, "a"},
           {"a row and one that is none", {"m:a", "m:bad", "r:a"}, "a"},
           {"only one that is none", {"m:bad"}, "-"},
           {"only one that is none, after compaction", {"m:bad", "r:a"}, "a"},
           {"read the other way round", {"r:a", "m:bad"}, "a"},
           {"of several the last", {"r:a", "r:b", "m:bad", "m:bad"}, "b"},
           {"a row after it", {"m:bad", "m:b", "r:a", "r:b"}, "b"},
           {"a row after it, before the topology has seen it", {"r:a", "m:bad", "m:b"}, "b"},
           {"deleted", {"m:a", "m:-", "r:a", "r:-"}, "-"},
           {"deleted, and then one that is none", {"m:a", "m:-", "m:bad", "r:a", "r:-"}, "-"},
           {"deleted, before the topology has seen it", {"r:a", "m:-"}, "-"},
           {"deleted, of which no record is left, and then one that is none", {"m:bad", "r:-"}, "-"},
           {"a master topic that was made anew", {"r:a"}, "-"},
           {"a row that is none by now", {"m:bad", "r:bad"}, "-"},
           {"made anew meanwhile", {"m:a", "r:a", "m:!"}, "-"},
           {"made anew, with another row", {"m:a", "r:a", "m:!", "m:b"}, "b"},
           {"made anew before the topology had seen it", {"m:a", "m:bad", "m:!"}, "-"},
           {"made anew, and then one that is none", {"m:bad", "r:a", "m:!", "m:bad"}, "a"},
           {"made anew after one that is none", {"r:a", "m:bad", "m:!"}, "-"},
           {"made anew after a deletion", {"m:-", "m:!", "r:a", "m:bad"}, "a"},
           {"only the rows made anew", {"m:a", "r:a", "r:!"}, "a"},
           {"only the rows made anew, of which one was needed", {"m:bad", "r:a", "r:!"}, "-"},
           {"only the rows made anew, and written again", {"m:bad", "r:a", "r:!", "r:b"}, "b"},
           {"both made anew", {"m:a", "m:bad", "r:a", "m:!", "r:!", "m:bad"}, "-"},
       }) {
    for (size_t at_start = 0; at_start <= row.records.size(); ++at_start) {
      Directory directory;
      for (size_t i = 0; i < row.records.size(); ++i) {
        if (i == at_start) directory.loaded();
        directory.apply(row.records[i]);
      }
      if (at_start == row.records.size()) directory.loaded();
      EXPECT_EQ(directory.zone(), row.zone) << row.what << ", of which " << at_start << " were there at the start";
    }
  }
}

TEST(ZoneDirectory, LooksAtTheNewestVersionsOnly) {
  struct Row {
    const char* what;
    std::vector<std::string> last;
    size_t unread_bytes_max;
    uint64_t checked_max;
    const char* zone;
  };
  constexpr size_t kMany = ZoneDirectory::kUnreadBytesMax;
  for (const Row& row : std::initializer_list<Row>{
           {"of a thousand the last", {"m:b"}, kMany, 1, "b"},
           {"and no copy of zone.rows", {"m:b", "r:a", "r:b"}, kMany, 1, "b"},
           {"none that were deleted", {"m:-"}, kMany, 0, "-"},
           {"those before one that is none until one is", {"m:b", "m:bad", "m:bad"}, kMany, 3, "b"},
           {"one now and then, when they take too much", {"m:b"}, 10'000, 30, "b"},
       }) {
    Directory directory(row.unread_bytes_max);
    for (int i = 0; i < 1000; ++i) directory.apply("m:a");
    for (const std::string& record : row.last) directory.apply(record);
    EXPECT_EQ(directory.zone(), "-") << row.what << ": before the end is reached";
    directory.loaded();
    EXPECT_EQ(directory.zone(), row.zone) << row.what;
    EXPECT_LE(directory.progress().checked, row.checked_max) << row.what;
    EXPECT_EQ(directory.progress().records, 1000 + row.last.size()) << row.what;
  }
}

TEST(ZoneDirectory, LooksAtNothingMoreAtItsEnd) {
  Directory directory;
  directory.apply("m:a");
  directory.end();
  directory.loaded();
  EXPECT_EQ(directory.progress().checked, 0U);
}

// Whatever was written, however far either topic has been compacted, and in whatever order the two are read.
TEST(ZoneDirectory, IsTheSameAtEveryStart) {
  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> master;
    std::vector<std::string> rows;
    std::string zone = "-";
    for (size_t i = 1 + random() % 6; i > 0; --i) {
      const std::string word = std::vector<std::string>{"a", "b", "-", "bad", "bad"}[random() % 5];
      master.push_back("m:" + word);
      if (word == "bad") continue;
      rows.push_back("r:" + word);
      zone = word;
    }
    const auto compact = [&random](std::vector<std::string>& records) {  // of a beginning the last record is left
      if (records.empty()) return;
      records.erase(records.begin(), records.begin() + static_cast<ptrdiff_t>(random() % records.size()));
      if (records.front().ends_with("-") && random() % 2 == 0) records.erase(records.begin());  // or not even that
    };
    compact(master);
    compact(rows);
    SCOPED_TRACE(fmt::format("seed {}, round {}: {} {}", seed, round, fmt::join(master, " "), fmt::join(rows, " ")));
    Directory directory(random() % 2 == 0 ? ZoneDirectory::kUnreadBytesMax : 50);
    const size_t at_start = random() % (master.size() + rows.size() + 1);
    for (size_t m = 0, r = 0; m < master.size() || r < rows.size();) {
      if (m + r == at_start) directory.loaded();
      const bool of_master = r == rows.size() || (m < master.size() && random() % 2 == 0);
      directory.apply(of_master ? master[m++] : rows[r++]);
    }
    if (at_start == master.size() + rows.size()) directory.loaded();
    ASSERT_EQ(directory.zone(), zone);
  }
}

}  // namespace
}  // namespace muir::vts
