// Where sinks send records: by a program's partitioner, by the key, by a windowed key's inner key.
#include <gtest/gtest.h>

#include "streams/dsl.h"
#include "streams/nodes/runner.h"
#include "wire/murmur2.h"

namespace muir::streams {
namespace {

using namespace std::chrono_literals;
using Text = std::string;

// Topics of `partitions`; keeps what is sent as "topic/partition" and, without a choice, "topic/-".
class ThreeTopics final : public internal::RecordSink {
 public:
  Status send(std::string_view topic, std::optional<PartitionId> partition, OptBytesView, OptBytesView, int64_t,
              std::span<const client::Header>) override {
    sent += fmt::format("{}/{} ", topic, partition ? std::to_string(partition->value()) : "-");
    return {};
  }
  Result<int32_t> partition_count(std::string_view) override { return partitions; }

  Result<int32_t> partitions = 3;
  std::string sent;
};

// One task of the first subtopology, and what its sink got.
struct Running {
  explicit Running(const StreamsBuilder& builder) : Running(*builder.build()->plan("app")) {}
  explicit Running(std::shared_ptr<const internal::TopologyPlan> plan) {
    internal::RunnerEnvironment environment{.application_id = "app", .sink = &sink, .clock = &clock};
    environment.on_failure = [this](const internal::FailedRecord& failed, internal::RecordSink&) {
      failures += failed.cause.message();
      return Status();
    };
    runner = *internal::make_runner(std::move(plan), 0, std::move(environment));
    EXPECT_TRUE(runner->open_stores().ok() && runner->init_processors().ok());
  }
  Status pipe(BytesView key, BytesView value) {
    return runner->process("in", PartitionId(0),
                           {.offset = Offset(offset++), .timestamp_ms = 7, .key = key, .value = value});
  }

  ThreeTopics sink;
  ManualClock clock;
  std::string failures;
  int64_t offset = 0;
  std::unique_ptr<internal::SubtopologyRunner> runner;
};

// Every task has a partitioner and a timestamp extractor of its own: threads do not share what these remember.
TEST(Partitioner, WhatItRemembersIsItsTasks) {
  StreamsBuilder builder;
  const auto timed = [at = int64_t{0}](const Record<Text, Text>&, int64_t) mutable { return ++at; };
  builder.stream<Text, Text>("in", {.timestamp = timed})
      .to("out", {.partitioner = [next = 0](const Text&, const Record<Text, Text>& record, int32_t) mutable {
            EXPECT_EQ(record.timestamp_ms, next + 1);
            return next++;
          }});
  const auto plan = *builder.build()->plan("app");
  Running one(plan);
  Running another(plan);
  for (Running* running : {&one, &another, &one, &another}) ASSERT_TRUE(running->pipe("k", "v").ok());
  EXPECT_EQ(one.sink.sent, "out/0 out/1 ");
  EXPECT_EQ(another.sink.sent, "out/0 out/1 ");
}

// By the value's number; nothing for what is none.
std::optional<int32_t> by_number(const std::string&, const Record<Text, Text>& record, int32_t) {
  if (record.value == nullptr || record.value->empty()) return std::nullopt;
  return std::atoi(record.value->c_str());
}

TEST(Partitioner, ChoosesForSinksAndRepartitions) {
  struct Case {
    std::string name;
    std::string value;
    std::string sent;
    std::string failure{};
  };
  for (const auto& c : std::vector<Case>{
           {"the first", "0", "out/0 app-r-repartition/0 "},
           {"the last", "2", "out/2 app-r-repartition/2 "},
           {"no choice: the key's", "", "out/- app-r-repartition/- "},
           {"one too many", "3", "", "send topic=out: the partitioner chose partition 3 of 3"},
           {"negative", "-1", "", "send topic=out: the partitioner chose partition -1 of 3"},
       }) {
    SCOPED_TRACE(c.name);
    StreamsBuilder builder;
    const auto in = builder.stream<Text, Text>("in");
    in.to("out", {.partitioner = by_number});
    in.repartition({.name = "r", .partitioner = by_number});
    Running running(builder);
    ASSERT_TRUE(running.pipe("k", c.value).ok());
    EXPECT_EQ(running.sink.sent, c.sent);
    EXPECT_EQ(running.failures.substr(0, c.failure.size()), c.failure);
    EXPECT_EQ(running.failures.empty(), c.failure.empty());
  }
}

TEST(Partitioner, SeesTopicKeyAndNumberOfPartitions) {
  std::string seen;
  StreamsBuilder builder;
  builder.stream<Text, Text>("in").to(
      [](const Text& value) { return "to-" + value; },
      {.partitioner = [&](const Text& topic, const Record<Text, Text>& record, int32_t partitions) {
        seen += fmt::format("{} {}={}@{} of {}", topic, *record.key, *record.value, record.timestamp_ms, partitions);
        return 1;
      }});
  Running running(builder);
  ASSERT_TRUE(running.pipe("k", "v").ok());
  EXPECT_EQ(seen, "to-v k=v@7 of 3");
  EXPECT_EQ(running.sink.sent, "to-v/1 ");
}

void windows_to(StreamsBuilder& builder) {
  builder.stream<Text, Text>("in")
      .group_by_key()
      .windowed_by({.size = 5ms, .grace = 0ms})
      .count({.kind = StoreKind::in_memory, .logging = false})
      .to_stream()
      .to("out");
}

void sessions_to(StreamsBuilder& builder) {
  builder.stream<Text, Text>("in")
      .group_by_key()
      .windowed_by(SessionWindows{.gap = 5ms, .grace = 0ms})
      .count({.kind = StoreKind::in_memory, .logging = false})
      .to_stream()
      .to("out");
}

TEST(Partitioner, WaitsForTheNumberOfPartitionsWhereItDecides) {
  struct Case {
    const char* name;
    void (*build)(StreamsBuilder&);
    Status why;
    Code ends;  // the task, which begins anew if it may pass; the record is neither sent elsewhere nor dropped
    const char* sent;
  };
  const auto chosen = [](StreamsBuilder& builder) {
    builder.stream<Text, Text>("in").to("out", {.partitioner = by_number});
  };
  const auto by_key = [](StreamsBuilder& builder) { builder.stream<Text, Text>("in").to("out"); };
  const Status not_now = error(Code::unavailable, "no leader");
  const Status never = error(Code::permission_denied, "TOPIC_AUTHORIZATION_FAILED");
  for (const Case& one : {Case{"a partitioner", chosen, not_now, Code::unavailable, ""},
                          Case{"a windowed key", windows_to, not_now, Code::unavailable, ""},
                          Case{"a session's key", sessions_to, not_now, Code::unavailable, ""},
                          Case{"the producer decides", by_key, not_now, Code::ok, "out/- "},
                          Case{"a partitioner, never", chosen, never, Code::permission_denied, ""},
                          Case{"a windowed key, never", windows_to, never, Code::permission_denied, ""},
                          Case{"a session's key, never", sessions_to, never, Code::permission_denied, ""}}) {
    SCOPED_TRACE(one.name);
    StreamsBuilder builder;
    one.build(builder);
    Running running(builder);
    running.sink.partitions = one.why;
    const Status piped = running.pipe("k", "1");
    EXPECT_EQ(piped.code(), one.ends);
    if (!piped.ok()) {
      EXPECT_EQ(piped.message().substr(0, piped.message().rfind('-')), "task 0_0 node=KSTREAM-SINK") << piped.message();
      EXPECT_NE(piped.message().find(one.why.message()), std::string::npos) << piped.message();
    }
    EXPECT_EQ(running.sink.sent, one.sent);
    EXPECT_EQ(running.failures, "");
  }
}

TEST(Partitioner, WindowsGoWhereTheirKeyGoesUnlessToldOtherwise) {
  const auto changes = [](StreamsBuilder& builder) {
    return builder.stream<Text, Text>("in")
        .group_by_key()
        .windowed_by({.size = 5ms, .grace = 0ms})
        .count({.kind = StoreKind::in_memory, .logging = false})
        .to_stream();
  };
  for (const Text key : {"a", "b", "vehicle-7"}) {
    StreamsBuilder builder;
    const auto counts = changes(builder);
    counts.to("out");
    builder.stream<Text, Text>("in")
        .group_by_key()
        .windowed_by(SessionWindows{.gap = 5ms, .grace = 0ms})
        .count({.kind = StoreKind::in_memory, .logging = false})
        .to_stream()
        .to("sessions");
    counts.to("other", {.partitioner = [](const Text&, const Record<Windowed<Text>, int64_t>&, int32_t) { return 2; }});
    Running running(builder);
    ASSERT_TRUE(running.pipe(key, "x").ok());
    EXPECT_EQ(running.sink.sent, fmt::format("out/{0} other/2 sessions/{0} ", wire::partition_for_key(key, 3).value()));
  }
}

}  // namespace
}  // namespace muir::streams
