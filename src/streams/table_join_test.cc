// Joins of two tables by their keys: timelines with Kafka Streams' semantics as the expectation. Both sides of each
// rule are there: what is told for a change of the left table, and for one of the right.
#include <gtest/gtest.h>

#include "streams/dsl.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using namespace std::chrono_literals;
using Text = std::string;
using TextTable = KTable<Text, Text>;

// A change of one table ("l" or "r"; "-" deletes), and what each kind of join tells of it; "" nothing.
struct Change {
  const char* topic;
  const char* value;
  int64_t timestamp_ms;
  const char* inner;
  const char* left;
  const char* outer;
};
const std::vector<Change>& changes() {
  // Times go back and forth: a result has the later one of its two rows.
  static const std::vector<Change> all = {
      {"l", "-", 1, "", "", ""},                    // a deletion of what never was
      {"r", "-", 2, "", "", ""},                    //
      {"l", "A", 3, "", "A+-@3", "A+-@3"},          // one side alone
      {"r", "a", 4, "A+a@4", "A+a@4", "A+a@4"},     // both
      {"l", "B", 5, "B+a@5", "B+a@5", "B+a@5"},     //
      {"r", "b", 6, "B+b@6", "B+b@6", "B+b@6"},     //
      {"l", "-", 7, "-@7", "-@7", "-+b@7"},         // the left one goes: an outer join goes on
      {"l", "C", 8, "C+b@8", "C+b@8", "C+b@8"},     //
      {"r", "-", 9, "-@9", "C+-@9", "C+-@9"},       // the right one goes
      {"l", "-", 10, "", "-@10", "-@10"},           // the last one goes
      {"l", "-", 11, "", "", ""},                   // and again
      {"r", "c", 12, "", "", "-+c@12"},             // a right one alone
      {"r", "-", 13, "", "", "-@13"},               //
      {"r", "d", 14, "", "", "-+d@14"},             //
      {"l", "D", 2, "D+d@14", "D+d@14", "D+d@14"},  // late: the time of the other one stands
      {"r", "e", 1, "D+e@2", "D+e@2", "D+e@2"},     // later by offset, not by time
  };
  return all;
}

Text plus(const Text& l, const Text& r) { return l + "+" + r; }
Text left_plus(const Text& l, const Text* r) { return l + "+" + (r == nullptr ? "-" : *r); }
Text outer_plus(const Text* l, const Text* r) { return (l == nullptr ? "-" : *l) + "+" + (r == nullptr ? "-" : *r); }

enum class Kind : unsigned char { inner, left, outer };
using Prepare = std::function<TextTable(const TextTable&)>;

TextTable joined(Kind kind, const TextTable& left, const TextTable& right, Materialized<Text, Text> options = {}) {
  switch (kind) {
    case Kind::inner: return left.join(right, plus, options);
    case Kind::left: return left.left_join(right, left_plus, options);
    case Kind::outer: break;
  }
  return left.outer_join(right, outer_plus, options);
}

std::string read_all(TestDriver& driver) {
  std::string out;
  while (const auto record = driver.read("out")) {
    out += fmt::format("{}{}@{}", out.empty() ? "" : " ", record->value.value_or("-"), record->timestamp_ms);
  }
  return out;
}

Status pipe(TestDriver& driver, const std::string& topic, const std::string& value, int64_t timestamp_ms) {
  return driver.pipe(topic, {"k", value == "-" ? OptBytes() : OptBytes(value), timestamp_ms});
}

struct Shaped {
  const char* name;
  Prepare left;
  Prepare right;
  Materialized<Text, Text> options;
};

// However the tables are made and whether the result is kept: the same changes are told.
TEST(TableJoin, TellsTheSameWhereverTheRowsAre) {
  const Prepare itself = [](const TextTable& t) { return t; };
  const Prepare mapped = [](const TextTable& t) { return t.map_values([](const Text& v) { return v; }); };
  const Prepare through = [](const TextTable& t) { return t.to_stream().to_table(); };
  for (const Shaped& shape :
       std::vector<Shaped>{{"tables", itself, itself, {}},
                           {"with a store", itself, itself, {.store = "joined"}},
                           {"mapped left", mapped, itself, {}},
                           {"mapped right", itself, mapped, {.store = "joined"}},
                           {"of streams", through, through, {}},
                           {"in memory", itself, mapped, {.store = "m", .kind = StoreKind::in_memory}}}) {
    for (const Kind kind : {Kind::inner, Kind::left, Kind::outer}) {
      StreamsBuilder builder;
      const TextTable left = shape.left(builder.table<Text, Text>("l"));
      const TextTable right = shape.right(builder.table<Text, Text>("r"));
      joined(kind, left, right, shape.options).to_stream().to("out");
      const auto topology = builder.build();
      ASSERT_TRUE(topology.ok()) << shape.name << ": " << topology.status().message();
      auto driver = *TestDriver::create(*topology);
      for (size_t i = 0; i < changes().size(); ++i) {
        const Change& change = changes()[i];
        SCOPED_TRACE(fmt::format("{}, kind {}, row {}: {} {}", shape.name, static_cast<int>(kind), i, change.topic,
                                 change.value));
        ASSERT_TRUE(pipe(*driver, change.topic, change.value, change.timestamp_ms).ok());
        EXPECT_EQ(read_all(*driver), kind == Kind::inner  ? change.inner
                                     : kind == Kind::left ? change.left
                                                          : change.outer);
      }
    }
  }
}

TEST(TableJoin, IsATableAgain) {
  // (l join r) is looked up by a stream, filtered, grouped, and joined with a third table, with and without a store.
  for (const char* store : {"", "joined"}) {
    StreamsBuilder builder;
    const auto left = builder.table<Text, Text>("l");
    const auto right = builder.table<Text, Text>("r");
    const auto both = left.outer_join(right, outer_plus, {.store = store});
    const auto third = builder.table<Text, Text>("t");
    builder.stream<Text, Text>("s").left_join(both, left_plus).to("out");
    both.join(third, plus).to_stream().to("out");
    auto driver = *TestDriver::create(*builder.build());
    ASSERT_TRUE(pipe(*driver, "s", "1", 1).ok());
    ASSERT_TRUE(pipe(*driver, "l", "A", 2).ok());
    ASSERT_TRUE(pipe(*driver, "s", "2", 3).ok());
    ASSERT_TRUE(pipe(*driver, "t", "x", 4).ok());
    ASSERT_TRUE(pipe(*driver, "r", "a", 5).ok());
    ASSERT_TRUE(pipe(*driver, "s", "3", 6).ok());
    EXPECT_EQ(read_all(*driver), "1+-@1 2+A+-@3 A+-+x@4 A+a+x@5 3+A+a@6") << store;
  }
}

TEST(TableJoin, OfATableWithItself) {
  StreamsBuilder builder;
  const auto table = builder.table<Text, Text>("l");
  table.join(table.map_values([](const Text& v) { return "<" + v + ">"; }), plus).to_stream().to("out");
  auto driver = *TestDriver::create(*builder.build());
  ASSERT_TRUE(pipe(*driver, "l", "A", 1).ok());
  EXPECT_EQ(read_all(*driver), "A+<A>@1 A+<A>@1");
  ASSERT_TRUE(pipe(*driver, "l", "-", 2).ok());
  EXPECT_EQ(read_all(*driver), "");
}

TEST(TableJoin, ByKeyAndWindow) {
  StreamsBuilder builder;
  constexpr TimeWindows kTen{.size = 10ms, .grace = 5ms};
  const auto counts = [&](const char* topic) {
    return builder.stream<Text, Text>(topic).group_by_key().windowed_by(kTen).count();
  };
  counts("l")
      .outer_join(counts("r"),
                  [](const Windowed<Text>& key, const int64_t* l, const int64_t* r) {
                    return fmt::format("{}:{}/{}", key.window.start_ms, l ? *l : 0, r ? *r : 0);
                  })
      .to_stream()
      .select_key([](const Windowed<Text>& key, const Text&) { return key.key; })
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  for (const auto& [topic, at] : std::vector<std::pair<Text, int64_t>>{{"l", 1}, {"r", 2}, {"l", 3}, {"r", 12}}) {
    ASSERT_TRUE(pipe(*driver, topic, "x", at).ok());
  }
  EXPECT_EQ(read_all(*driver), "0:1/0@1 0:1/1@2 0:2/1@3 10:0/1@12");
}

TEST(StreamTableJoin, ByKeyAndWindow) {
  StreamsBuilder builder;
  const auto counts = builder.stream<Text, Text>("l").group_by_key().windowed_by({.size = 10ms, .grace = 5ms}).count();
  counts.to_stream()
      .left_join(counts, [](int64_t told, const int64_t* now) { return fmt::format("{}/{}", told, now ? *now : 0); })
      .select_key([](const Windowed<Text>& key, const Text&) { return key.key; })
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  for (const int64_t at : {1, 2, 11}) ASSERT_TRUE(pipe(*driver, "l", "x", at).ok());
  EXPECT_EQ(read_all(*driver), "1/1@1 2/2@2 1/1@11");
}

TEST(TableJoin, GroupsTakeOutWhatWasJoinedBefore) {
  StreamsBuilder builder;
  const auto joined = builder.table<Text, Text>("l").join(builder.table<Text, Text>("r"), plus);
  joined.group_by([](const Text& v) { return std::pair(Text("all"), v); })
      .aggregate(
          Text(), [](const Text& v, Text& all) { all += "(" + v; }, [](const Text& v, Text& all) { all += ")" + v; })
      .to_stream()
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  for (const auto& [topic, value] :
       std::vector<std::pair<Text, Text>>{{"l", "A"}, {"r", "a"}, {"r", "b"}, {"l", "-"}}) {
    ASSERT_TRUE(pipe(*driver, topic, value, 1).ok());
  }
  EXPECT_EQ(read_all(*driver), "(A+a@1 (A+a)A+a(A+b@1 (A+a)A+a(A+b)A+b@1");
}

TEST(TableJoin, HasKafkasNames) {
  StreamsBuilder builder;
  const auto left = builder.table<Text, Text>("l");
  const auto right = builder.table<Text, Text>("r");
  EXPECT_EQ(left.join(right, plus).name(), "KTABLE-MERGE-0000000006");
  EXPECT_EQ(left.left_join(right, left_plus, {.name = "named"}).name(), "named");
  EXPECT_EQ(right.outer_join(left, outer_plus).name(), "KTABLE-MERGE-0000000012");
  const std::string description = builder.build()->describe();
  for (const char* name :
       {"KTABLE-JOINTHIS-0000000007", "KTABLE-JOINOTHER-0000000008", "named-join-this", "named-join-other"}) {
    EXPECT_NE(description.find(name), std::string::npos) << description;
  }
}

TEST(TableJoin, RowsWithoutKeyAreDroppedByTheTables) {
  StreamsBuilder builder;
  builder.table<Text, Text>("l").outer_join(builder.table<Text, Text>("r"), outer_plus).to_stream().to("out");
  auto driver = *TestDriver::create(*builder.build());
  ASSERT_TRUE(driver->pipe("l", {std::nullopt, "x", 1}).ok());
  EXPECT_EQ(read_all(*driver), "");
  EXPECT_EQ(driver->dropped_records(), 1u);
}

}  // namespace
}  // namespace muir::streams
