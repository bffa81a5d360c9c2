// Joins of two streams in windows: timelines on virtual time, with Kafka Streams' semantics as the expectation.
#include <gtest/gtest.h>

#include "streams/dsl.h"
#include "streams/nodes/unmatched_records.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using namespace std::chrono_literals;
using Text = std::string;

Text plus(const Text& l, const Text& r) { return l + "+" + r; }
Text left_plus(const Text& l, const Text* r) { return l + "+" + (r == nullptr ? "-" : *r); }
Text outer_plus(const Text* l, const Text* r) { return (l == nullptr ? "-" : *l) + "+" + (r == nullptr ? "-" : *r); }

enum class Kind : unsigned char { inner, left, outer };

Topology joined(Kind kind, const JoinWindows& windows, const StreamJoined<Text, Text, Text>& options = {}) {
  StreamsBuilder builder;
  const auto left = builder.stream<Text, Text>("l");
  const auto right = builder.stream<Text, Text>("r");
  const auto out = kind == Kind::inner  ? left.join(right, plus, windows, options)
                   : kind == Kind::left ? left.left_join(right, left_plus, windows, options)
                                        : left.outer_join(right, outer_plus, windows, options);
  out.to("out");
  return *builder.build();
}

std::string read_all(TestDriver& driver) {
  std::string out;
  while (const auto record = driver.read("out")) {
    out += fmt::format("{}{}@{}", out.empty() ? "" : " ", record->value.value_or("-"), record->timestamp_ms);
  }
  return out;
}

// A record of a stream ("l" or "r") with key "k", and what each kind of join tells then.
struct Step {
  const char* topic;
  const char* value;
  int64_t timestamp_ms;
  const char* inner;
  const char* left;
  const char* outer;
};

void expect(const std::vector<Step>& steps, const JoinWindows& windows) {
  for (const StoreKind store : {StoreKind::in_memory, StoreKind::rocksdb}) {
    for (const Kind kind : {Kind::inner, Kind::left, Kind::outer}) {
      auto driver = *TestDriver::create(joined(kind, windows), {.stores = {.kind = store}});
      for (size_t i = 0; i < steps.size(); ++i) {
        const Step& step = steps[i];
        SCOPED_TRACE(fmt::format("kind {}, row {}: {} {}@{}", static_cast<int>(kind), i, step.topic, step.value,
                                 step.timestamp_ms));
        ASSERT_TRUE(driver->pipe(step.topic, {"k", Bytes(step.value), step.timestamp_ms}).ok());
        EXPECT_EQ(read_all(*driver), kind == Kind::inner ? step.inner : kind == Kind::left ? step.left : step.outer);
      }
    }
  }
}

TEST(StreamJoin, PairsRecordsThatAreNear) {
  expect({{"l", "A", 100, "", "", ""},
          {"r", "a", 110, "A+a@110", "A+a@110", "A+a@110"},  // both ends of the window are in it
          {"r", "b", 111, "", "", ""},
          {"r", "c", 90, "A+c@100", "A+c@100", "A+c@100"},  // late, and in the window
          {"r", "d", 89, "", "", "-+d@89"},                 // nobody can meet it any more: told at once
          {"l", "B", 115, "B+a@115 B+b@115", "B+a@115 B+b@115", "B+a@115 B+b@115"}},
         {.before = 10ms, .after = 10ms, .grace = 20ms});
}

TEST(StreamJoin, TellsWhatHadNoPartnerWhenNoneCanComeAnyMore) {
  expect({{"l", "A", 100, "", "", ""},
          {"l", "B", 105, "", "", ""},
          {"r", "a", 107, "B+a@107", "B+a@107", "B+a@107"},  // B has one; A is 7 before
          {"r", "x", 110, "B+x@110", "B+x@110", "B+x@110"},  // 100 + 5 + 5: one might still come for A
          {"l", "C", 117, "", "A+-@100", "A+-@100"},
          {"r", "b", 300, "", "C+-@117", "C+-@117"},
          {"l", "E", 400, "", "", "-+b@300"}},
         {.before = 5ms, .after = 5ms, .grace = 5ms});
}

TEST(StreamJoin, SeveralOfOneTimeAreToldInTheirOrder) {
  expect({{"l", "A", 10, "", "", ""},
          {"l", "B", 10, "", "", ""},
          {"r", "x", 20, "", "A+-@10 B+-@10", "A+-@10 B+-@10"},
          {"r", "y", 50, "", "", "-+x@20"}},
         {.before = 1ms, .after = 1ms, .grace = 0ms});
}

TEST(StreamJoin, WindowsMayLeaveOutWhatIsNear) {
  // What comes 10 to 20 ms later. A right one looks for what came before: if there is none, none will come.
  expect({{"l", "A", 100, "", "", ""},
          {"r", "a", 105, "", "", "-+a@105"},
          {"r", "b", 110, "A+b@110", "A+b@110", "A+b@110"},
          {"r", "c", 120, "A+c@120", "A+c@120", "A+c@120"},
          {"r", "d", 121, "", "", "-+d@121"}},
         {.before = -10ms, .after = 20ms, .grace = 0ms});
}

TEST(StreamJoin, RecordsWithoutKeyOrValue) {
  struct Case {
    Kind kind;
    const char* topic;
    bool key;
    bool value;
    const char* want;
    uint64_t dropped;
  };
  for (const Case& c : {Case{Kind::inner, "l", false, true, "", 1}, Case{Kind::inner, "l", true, false, "", 1},
                        Case{Kind::left, "l", false, true, "v+-@5", 0}, Case{Kind::left, "r", false, true, "", 1},
                        Case{Kind::left, "l", false, false, "", 1}, Case{Kind::outer, "l", false, true, "v+-@5", 0},
                        Case{Kind::outer, "r", false, true, "-+v@5", 0}, Case{Kind::outer, "r", true, false, "", 1}}) {
    SCOPED_TRACE(fmt::format("kind {} topic {} key {} value {}", static_cast<int>(c.kind), c.topic, c.key, c.value));
    auto driver = *TestDriver::create(joined(c.kind, {.before = 5ms, .after = 5ms, .grace = 0ms}));
    RawRecord record{.timestamp_ms = 5};
    if (c.key) record.key = "k";
    if (c.value) record.value = "v";
    ASSERT_TRUE(driver->pipe(c.topic, record).ok());
    EXPECT_EQ(read_all(*driver), c.want);
    EXPECT_EQ(driver->dropped_records(), c.dropped);
  }
}

// A function that takes the key by reference has no use for a record without one.
TEST(StreamJoin, AKeyTakenByReferenceIsThere) {
  StreamsBuilder builder;
  const JoinWindows windows{.before = 5ms, .after = 5ms, .grace = 0ms};
  const auto left = builder.stream<Text, Text>("l");
  const auto right = builder.stream<Text, Text>("r");
  left.left_join(
          right, [](const Text& k, const Text& l, const Text*) { return k + l; }, windows)
      .to("out");
  left.left_join(
          right, [](const Text* k, const Text& l, const Text*) { return (k ? *k : "?") + l; }, windows)
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  ASSERT_TRUE(driver->pipe("l", {std::nullopt, "v", 5}).ok());
  EXPECT_EQ(read_all(*driver), "?v@5");
  EXPECT_EQ(driver->dropped_records(), 1u);
}

TEST(StreamJoin, GoesOnFromItsChangelogs) {
  auto driver = *TestDriver::create(joined(Kind::outer, {.before = 5ms, .after = 5ms, .grace = 0ms}));
  const auto pipe = [&](const char* topic, const char* key, const char* value, int64_t at) {
    ASSERT_TRUE(driver->pipe(topic, {Bytes(key), Bytes(value), at}).ok());
  };
  pipe("l", "k", "A", 10);
  pipe("r", "m", "a", 11);
  pipe("l", "m", "B", 12);
  EXPECT_EQ(read_all(*driver), "B+a@12");
  ASSERT_TRUE(driver->restart().ok());
  pipe("r", "k", "c", 13);  // meets A, which is told no more
  pipe("r", "x", "d", 99);
  pipe("r", "x", "e", 199);
  EXPECT_EQ(read_all(*driver), "A+c@13 -+d@99");
}

TEST(StreamJoin, KeepsNothingThatIsOver) {
  auto driver = *TestDriver::create(joined(Kind::outer, {.before = 1s, .after = 1s, .grace = 0ms}, {.store = "kept"}));
  for (int64_t i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(driver->pipe(i % 2 == 0 ? "l" : "r", {fmt::format("k{}", i), "v", i * 1'000}).ok());
  }
  const auto unmatched = *driver->store<store::KeyValueStore>("kept-outer-shared-join-store");
  const auto rows = *unmatched->range(std::nullopt, std::nullopt);
  size_t left = 0;
  while (rows->next()) ++left;
  EXPECT_LE(left, 3u);
  const auto windows = *driver->store<store::WindowStore>("kept-outer-this-join-store");
  const auto all = *windows->all();
  size_t kept = 0;
  while (all->next()) ++kept;
  EXPECT_LE(kept, 3u);
}

TEST(StreamJoin, MistakesAreTold) {
  for (const auto& [windows, want] : std::vector<std::pair<JoinWindows, const char*>>{
           {{.before = 1ms, .after = 1ms}, "no grace is given"},
           {{.before = 5ms, .after = -6ms, .grace = 0ms}, "before 5 ms and after -6 ms leave no time between them"},
           {{.before = 1ms, .after = 1ms, .grace = -1ms}, "grace -1 ms is negative"}}) {
    StreamsBuilder builder;
    const auto left = builder.stream<Text, Text>("l");
    left.join(builder.stream<Text, Text>("r"), plus, windows).to("out");
    const auto topology = builder.build();
    ASSERT_FALSE(topology.ok());
    EXPECT_NE(topology.status().message().find(want), std::string::npos) << topology.status().message();
  }
}

// ---- the store of records without partner, by Kafka Streams' bytes
Bytes from_hex(std::string_view text) {
  Bytes out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

TEST(UnmatchedRecords, HaveKafkasBytes) {
  using namespace internal;
  Bytes key;
  append_unmatched_key({.timestamp_ms = 258, .left = true, .key = "k"}, key);
  EXPECT_EQ(key, from_hex("0000000000000102016b"));
  Bytes list;
  append_unmatched_value(true, "A", list);
  append_unmatched_value(true, "", list);
  EXPECT_EQ(list, from_hex("0100000002"  // a list of two elements, each with its size
                           "000000020141"
                           "0000000101"));
  EXPECT_EQ(*parse_unmatched_values(list), (std::vector<BytesView>{"A", ""}));
}

TEST(UnmatchedRecords, WhatIsNoneIsAnError) {
  using namespace internal;
  for (const char* wrong : {"", "00", "0000000000000001", "000000000000000102"}) {
    EXPECT_FALSE(parse_unmatched_key(from_hex(wrong)).ok()) << wrong;
  }
  for (const char* wrong : {"", "01", "0100000001", "0000000000", "01ffffffff", "010000000100000000",
                            "01000000010000000201", "01000000010000000102", "0100000001000000010100"}) {
    EXPECT_FALSE(parse_unmatched_values(from_hex(wrong)).ok()) << wrong;
  }
}

}  // namespace
}  // namespace muir::streams
