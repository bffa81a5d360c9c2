// Aggregation by sessions: timelines on virtual time, with Kafka Streams' semantics as the expectation.
#include <gtest/gtest.h>

#include "streams/dsl.h"
#include "streams/test_driver.h"
#include "testing/mutations.h"

namespace muir::streams {
namespace {

using namespace std::chrono_literals;
using Text = std::string;

// What a table of sessions tells: "[start,end]=value", "-" for a deletion.
template <class V>
void told(const KTable<Windowed<Text>, V>& table) {
  table.to_stream()
      .map([](const Windowed<Text>* key, const V* value) {
        return std::pair(key->key, fmt::format("[{},{}]={}", key->window.start_ms, key->window.end_ms,
                                               value == nullptr ? "-" : fmt::format("{}", *value)));
      })
      .to("out");
}

std::string read_all(TestDriver& driver) {
  std::string out;
  while (const auto record = driver.read("out")) {
    out += fmt::format("{}{}@{}", out.empty() ? "" : " ", record->value.value_or("-"), record->timestamp_ms);
  }
  return out;
}

struct Step {
  int64_t timestamp_ms;
  const char* want;
};

void expect(const std::function<void(StreamsBuilder&)>& build, const std::vector<Step>& steps, uint64_t dropped) {
  for (const StoreKind kind : {StoreKind::in_memory, StoreKind::rocksdb}) {
    StreamsBuilder builder;
    build(builder);
    const auto topology = builder.build();
    ASSERT_TRUE(topology.ok()) << topology.status().message();
    auto driver = *TestDriver::create(*topology, {.stores = {.kind = kind}});
    for (size_t i = 0; i < steps.size(); ++i) {
      SCOPED_TRACE(fmt::format("row {}: @{}", i, steps[i].timestamp_ms));
      ASSERT_TRUE(driver->pipe("in", {"k", Bytes(1, static_cast<char>('a' + i)), steps[i].timestamp_ms}).ok());
      EXPECT_EQ(read_all(*driver), steps[i].want);
    }
    EXPECT_EQ(driver->dropped_records(), dropped);
  }
}

auto grouped(StreamsBuilder& builder) { return builder.stream<Text, Text>("in").group_by_key(); }
Text plus(const Text& all, const Text& more) { return all + more; }

TEST(Sessions, GrowAndMergeAndAreTakenBack) {
  expect([](auto& b) { told(grouped(b).windowed_by({.gap = 10ms, .grace = 50ms}).count()); },
         {{100, "[100,100]=1@100"},
          {110, "[100,100]=-@100 [100,110]=2@110"},                  // the gap is part of it
          {121, "[121,121]=1@121"},                                  // one more is not
          {115, "[100,110]=-@110 [121,121]=-@121 [100,121]=4@121"},  // between two: they are one
          {95, "[100,121]=-@121 [95,121]=5@121"},                    // before it
          {100, "[95,121]=-@121 [95,121]=6@121"},                    // within it
          {200, "[200,200]=1@200"},
          {139, ""},  // 139 + 10 + 50 is over
          {141, "[141,141]=1@141"}},
         1);
}

TEST(Sessions, ReduceMergesInTheOrderOfTheSessions) {
  expect([](auto& b) { told(grouped(b).windowed_by({.gap = 5ms, .grace = 100ms}).reduce(plus)); },
         {{10, "[10,10]=a@10"}, {20, "[20,20]=b@20"}, {15, "[10,10]=-@10 [20,20]=-@20 [10,20]=abc@20"}}, 0);
}

TEST(Sessions, AggregatesHaveAFunctionThatMerges) {
  expect(
      [](auto& b) {
        told(grouped(b)
                 .windowed_by({.gap = 5ms, .grace = 100ms})
                 .aggregate(
                     Text("<"), [](const Text& v, const Text& all) { return all + v; },
                     [](const Text& k, const Text& one, const Text& other) { return one + k + other; }));
      },
      {{10, "[10,10]=<a@10"}, {20, "[20,20]=<b@20"}, {15, "[10,10]=-@10 [20,20]=-@20 [10,20]=<k<ak<bc@20"}}, 0);
}

// A second record at the very time of the first is in its session: nothing is taken back.
TEST(Sessions, OfOneMoment) {
  expect([](auto& b) { told(grouped(b).windowed_by({.gap = 5ms, .grace = 0ms}).count()); },
         {{10, "[10,10]=1@10"}, {10, "[10,10]=2@10"}}, 0);
}

TEST(Sessions, AreToldOnceWhenTheyClose) {
  expect(
      [](auto& b) {
        told(grouped(b).windowed_by({.gap = 10ms, .grace = 5ms, .emit = EmitStrategy::on_window_close}).count());
      },
      {{100, ""},
       {105, ""},
       {120, ""},  // 105 + 10 + 5: still open
       {121, "[100,105]=2@105"},
       {100'000, "[120,121]=2@121"},  // however far time jumps
       {200'000, "[100000,100000]=1@100000"}},
      0);
}

TEST(Sessions, CloseOnceAlsoBehindARestart) {
  StreamsBuilder builder;
  told(grouped(builder).windowed_by({.gap = 10ms, .grace = 0ms, .emit = EmitStrategy::on_window_close}).count());
  auto driver = *TestDriver::create(*builder.build());
  const auto pipe = [&](int64_t at) { ASSERT_TRUE(driver->pipe("in", {"k", "v", at}).ok()); };
  pipe(100);
  pipe(200);
  EXPECT_EQ(read_all(*driver), "[100,100]=1@100");
  ASSERT_TRUE(driver->restart().ok());
  pipe(205);
  pipe(300);
  EXPECT_EQ(read_all(*driver), "[200,205]=2@205");
}

TEST(Sessions, KeysAreApartAndNullsAreDropped) {
  StreamsBuilder builder;
  told(grouped(builder).windowed_by({.gap = 10ms, .grace = 0ms}).reduce(plus));
  auto driver = *TestDriver::create(*builder.build());
  ASSERT_TRUE(driver->pipe("in", {"a", "1", 10}).ok());
  ASSERT_TRUE(driver->pipe("in", {Bytes("a\0", 2), "2", 12}).ok());
  ASSERT_TRUE(driver->pipe("in", {std::nullopt, "3", 12}).ok());
  ASSERT_TRUE(driver->pipe("in", {"a", std::nullopt, 12}).ok());
  ASSERT_TRUE(driver->pipe("in", {"a", "4", 13}).ok());
  EXPECT_EQ(read_all(*driver), "[10,10]=1@10 [12,12]=2@12 [10,10]=-@10 [10,13]=14@13");
  EXPECT_EQ(driver->dropped_records(), 2u);
}

TEST(Sessions, MistakesAreTold) {
  for (const auto& [sessions, want] :
       std::vector<std::pair<SessionWindows, const char*>>{{{.gap = 0ms, .grace = 0ms}, "gap 0 ms must be positive"},
                                                           {{.gap = 1ms}, "no grace is given"},
                                                           {{.gap = 1ms, .grace = -1ms}, "grace -1 ms is negative"}}) {
    StreamsBuilder builder;
    told(grouped(builder).windowed_by(sessions).count());
    const auto topology = builder.build();
    ASSERT_FALSE(topology.ok());
    EXPECT_NE(topology.status().message().find(want), std::string::npos) << topology.status().message();
  }
  StreamsBuilder builder;
  told(grouped(builder).windowed_by({.gap = 10s, .grace = 1s}).count({.retention = 10s}));
  EXPECT_NE(builder.build().status().message().find("retention 10000 ms below gap and grace, 11000 ms"),
            std::string::npos);
}

TEST(SessionKeys, AreWrittenAsKafkas) {
  Bytes bytes;
  ASSERT_TRUE(session_windowed_serde<Text>().serialize("t", {"k", {1, 258}}, bytes).ok());
  EXPECT_EQ(hex(bytes), "6b 00 00 00 00 00 00 01 02 00 00 00 00 00 00 00 01");
}

TEST(FuzzSessionWindowedKey, SurvivesMutations) {
  testing::survive_mutations("streams_session_windowed_key", internal::fuzz_session_windowed_key,
                             {Bytes("k\0\0\0\0\0\0\x01\x02\0\0\0\0\0\0\0\x01", 17), Bytes(16, '\x7f')});
}

}  // namespace
}  // namespace muir::streams
