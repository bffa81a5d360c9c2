// Joins of tables by a foreign key: timelines on virtual time with what Kafka's own tests of them expect, and the bytes
// that both sides write to each other. topologies_test.cc runs more of them beside the JVM.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "streams/dsl.h"
#include "streams/nodes/foreign_key_wire.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using Text = std::string;

// "lhsValue1|rhs1" names rhs1; a value without a bar names nothing.
std::optional<Text> named(const Text& value) {
  const size_t bar = value.find('|');
  return bar == Text::npos ? std::nullopt : std::optional(value.substr(bar + 1));
}
Text joined(const Text& left, const Text& right) { return "(" + left + "," + right + ")"; }
Text joined_or_null(const Text& left, const Text* right) { return joined(left, right == nullptr ? "null" : *right); }

std::unique_ptr<TestDriver> driver_of(bool left, const char* store = "") {
  StreamsBuilder builder;
  const auto lefts = builder.table<Text, Text>("left");
  const auto rights = builder.table<Text, Text>("right");
  (left ? lefts.left_join(rights, named, joined_or_null, {.store = store})
        : lefts.join(rights, named, joined, {.store = store}))
      .to_stream()
      .to("out");
  const auto topology = builder.build();
  EXPECT_TRUE(topology.ok()) << topology.status().message();
  return *TestDriver::create(*topology);
}

std::string read_all(TestDriver& driver) {
  std::string out;
  while (const auto record = driver.read("out"))
    out += fmt::format("{}{}={}@{}", out.empty() ? "" : " ", *record->key, record->value.value_or("-"),
                       record->timestamp_ms);
  return out;
}

struct Step {
  const char* topic;
  const char* key;
  const char* value;  // null: a deletion
  const char* inner;
  const char* left;
};
// The record's time is its row.
constexpr Step kSteps[] = {
    {"right", "rhs1", "rhsValue1", "", ""},
    {"right", "rhs2", "rhsValue2", "", ""},
    {"left", "lhs1", "lhsValue1|rhs1", "lhs1=(lhsValue1|rhs1,rhsValue1)@2", "lhs1=(lhsValue1|rhs1,rhsValue1)@2"},
    {"left", "lhs2", "lhsValue2|rhs2", "lhs2=(lhsValue2|rhs2,rhsValue2)@3", "lhs2=(lhsValue2|rhs2,rhsValue2)@3"},
    {"left", "lhs3", "lhsValue3|rhs3", "", "lhs3=(lhsValue3|rhs3,null)@4"},
    // Another value, the same key.
    {"left", "lhs1", "lhsValue1b|rhs1", "lhs1=(lhsValue1b|rhs1,rhsValue1)@5", "lhs1=(lhsValue1b|rhs1,rhsValue1)@5"},
    // Another key, which is there, and one that is not.
    {"left", "lhs1", "lhsValue1|rhs2", "lhs1=(lhsValue1|rhs2,rhsValue2)@6", "lhs1=(lhsValue1|rhs2,rhsValue2)@6"},
    {"left", "lhs1", "lhsValue1|rhs4", "lhs1=-@7", "lhs1=(lhsValue1|rhs4,null)@7"},
    {"right", "rhs4", "rhsValue4", "lhs1=(lhsValue1|rhs4,rhsValue4)@8", "lhs1=(lhsValue1|rhs4,rhsValue4)@8"},
    // Whoever named it is told of every change.
    {"left", "lhs2", "lhsValue2|rhs4", "lhs2=(lhsValue2|rhs4,rhsValue4)@9", "lhs2=(lhsValue2|rhs4,rhsValue4)@9"},
    {"right", "rhs4", "rhsValue5", "lhs1=(lhsValue1|rhs4,rhsValue5)@10 lhs2=(lhsValue2|rhs4,rhsValue5)@10",
     "lhs1=(lhsValue1|rhs4,rhsValue5)@10 lhs2=(lhsValue2|rhs4,rhsValue5)@10"},
    {"right", "rhs4", nullptr, "lhs1=-@11 lhs2=-@11", "lhs1=(lhsValue1|rhs4,null)@11 lhs2=(lhsValue2|rhs4,null)@11"},
    // A key that names nothing.
    {"left", "lhs1", "lhsValue1", "lhs1=-@12", "lhs1=(lhsValue1,null)@12"},
    {"left", "lhs2", nullptr, "lhs2=-@13", "lhs2=-@13"},
    {"left", "lhs1", nullptr, "", "lhs1=-@14"},
    {"left", "lhs1", nullptr, "", ""},
    {"right", "rhs4", "rhsValue6", "", ""},
};

TEST(ForeignKeyJoin, TellsWhatKafkaStreamsTells) {
  for (const bool left : {false, true}) {
    const auto driver = driver_of(left);
    int64_t at = 0;
    for (const Step& step : kSteps) {
      SCOPED_TRACE(fmt::format("{} row {}: {} {}", left ? "left" : "inner", at, step.topic, step.key));
      ASSERT_TRUE(
          driver->pipe(step.topic, {step.key, step.value == nullptr ? OptBytes() : Bytes(step.value), at++}).ok());
      EXPECT_EQ(read_all(*driver), left ? step.left : step.inner);
    }
  }
}

TEST(ForeignKeyJoin, GoesOnWhereItWasAfterARestart) {
  for (const bool left : {false, true}) {
    const auto driver = driver_of(left, "kept");
    int64_t at = 0;
    for (const Step& step : kSteps) {
      SCOPED_TRACE(fmt::format("{} row {}: {} {}", left ? "left" : "inner", at, step.topic, step.key));
      ASSERT_TRUE(driver->restart().ok());
      ASSERT_TRUE(
          driver->pipe(step.topic, {step.key, step.value == nullptr ? OptBytes() : Bytes(step.value), at++}).ok());
      EXPECT_EQ(read_all(*driver), left ? step.left : step.inner);
    }
  }
}

// Whatever happens in whatever order, in the end there is what both tables say.
TEST(ForeignKeyJoin, ComesToWhatBothTablesSay) {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    for (const bool left : {false, true}) {
      SCOPED_TRACE(fmt::format("seed {} {}", seed, left ? "left" : "inner"));
      std::mt19937 random(seed);
      const auto driver = driver_of(left, "kept");
      std::map<Text, Text> lefts;
      std::map<Text, Text> rights;
      for (int64_t i = 0; i < 120; ++i) {
        const bool is_left = random() % 2 == 0;
        const Text key = fmt::format("k{}", random() % 4);
        OptBytes value;
        if (random() % 4 != 0) value = is_left ? fmt::format("v{}|k{}", i, random() % 4) : fmt::format("w{}", i);
        if (is_left && random() % 6 == 0) value = "names nothing";
        ASSERT_TRUE(driver->pipe(is_left ? "left" : "right", {key, value, i}).ok());
        auto& rows = is_left ? lefts : rights;
        rows.erase(key);
        if (value) rows[key] = *value;
      }
      std::map<Text, Text> want;
      for (const auto& [key, value] : lefts) {
        const auto right = rights.find(named(value).value_or(""));
        if (right != rights.end()) want[key] = joined(value, right->second);
        if (right == rights.end() && left) want[key] = joined(value, "null");
      }
      std::map<Text, Text> found;
      const auto kept = driver->key_value_store<Text, Text>("kept");
      ASSERT_TRUE(kept.ok());
      ASSERT_TRUE(kept->for_each([&](const Text& key, const Text& value) { found[key] = value; }).ok());
      EXPECT_EQ(found, want);
    }
  }
}

TEST(ForeignKeyJoin, MistakesAreToldByBuild) {
  struct NoSerde {
    int n = 0;
  };
  StreamsBuilder builder;
  const auto lefts = builder.table<Text, Text>("left");
  const auto rights = builder.table<Text, Text>("right");
  const auto odd = lefts.join(rights, named, [](const Text&, const Text&) { return NoSerde{}; });
  EXPECT_TRUE(builder.build().ok()) << builder.build().status().message();  // nothing looks it up
  odd.join(lefts, [](const NoSerde&, const Text&) { return 1; });
  EXPECT_NE(builder.build().status().message().find("no serde for the values of KTABLE-FK-JOIN-OUTPUT-"),
            std::string::npos)
      << builder.build().status().message();
}

namespace wire = internal;

std::string plain_hex(BytesView bytes) {
  std::string out = hex(bytes);
  std::erase(out, ' ');
  return out;
}

// Kafka's own vectors, which are for the seed 123.
TEST(Murmur3, IsKafkasOf128Bits) {
  struct Case {
    const char* text;
    int64_t first;
    int64_t second;
  };
  for (const Case& c :
       {Case{"21", 5857341059704281894, -5288187638297930763}, Case{"foobar", -351361463397418609, 8959716011862540668},
        Case{"abc", 1489494923063836066, -5440978547625122829},
        Case{"a-little-bit-long-string", 8836256500583638442, -198172363548498523}}) {
    SCOPED_TRACE(c.text);
    const wire::Hash128 hash = wire::murmur3_128(c.text, 123);
    EXPECT_EQ(static_cast<int64_t>(hash[0]), c.first);
    EXPECT_EQ(static_cast<int64_t>(hash[1]), c.second);
  }
}

TEST(ForeignKeyWire, HasKafkasBytes) {
  const wire::Hash128 hash{1, 2};
  Bytes bytes;
  wire::append_subscription({wire::Instruction::answer, hash, "k", 3}, bytes);
  EXPECT_EQ(plain_hex(bytes),
            "010200000000000000010000000000000002"
            "6b"
            "00000003");
  bytes.clear();
  wire::append_subscription({wire::Instruction::unsubscribe_and_answer, std::nullopt, "k", 3}, bytes);
  EXPECT_EQ(plain_hex(bytes), "81016b00000003");
  bytes.clear();
  wire::append_answer({hash, "v"}, bytes);
  EXPECT_EQ(plain_hex(bytes), "000000000000000001000000000000000276");
  bytes.clear();
  wire::append_answer({}, bytes);
  EXPECT_EQ(plain_hex(bytes), "80");
  bytes.clear();
  wire::append_combined_prefix("fk", bytes);
  EXPECT_EQ(plain_hex(bytes), "00000002666b");
  EXPECT_EQ(*wire::primary_key_of(bytes + "pk"), "pk");
  // Of Kafka Streams before 3.3.
  const auto old = wire::parse_subscription(Bytes("\x80\x03k", 3));
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(old->primary_key, "k");
  EXPECT_FALSE(old->partition.has_value());
  for (const Bytes& damaged : {Bytes(), Bytes("\x02\x02", 2), Bytes("\x81\x04k\0\0\0\0", 7), Bytes("\x01\x02\0\0", 4)})
    EXPECT_FALSE(wire::parse_subscription(damaged).ok()) << hex(damaged);
  EXPECT_FALSE(wire::parse_answer(Bytes("\x01", 1)).ok());
}

}  // namespace
}  // namespace muir::streams
