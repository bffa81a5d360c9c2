// Failures: where they are caught, what the handlers decide, what a dead letter holds.
#include "streams/error_handlers.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "streams/dsl.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using Numbers = TestRecord<std::string, int64_t>;

// "in" (text -> 8-byte numbers) fails to deserialise other sizes, to process 13, and to find a topic for 99.
Topology fragile() {
  StreamsBuilder builder;
  const auto in = builder.stream<std::string, int64_t>("in");
  in.map_values(
        [](int64_t v) {
          if (v == 13) throw std::runtime_error("thirteen");
          return v * 2;
        },
        {.name = "double"})
      .to([](int64_t v) { return std::string(v == 198 ? "" : "out"); }, {.name = "out"});
  in.to("beside");
  return *builder.build();
}

RawRecord raw(const std::string& key, int64_t value, int64_t timestamp_ms) {
  RawRecord record{.key = key, .value = Bytes(), .timestamp_ms = timestamp_ms};
  serde<int64_t>::encode(value, *record.value);
  return record;
}

struct FailureCase {
  std::string name;
  RawRecord record;
  std::string exception;
  std::string message;
  bool beside;  // whether the other child of the source still gets the record
};

std::vector<FailureCase> failure_cases() {
  return {
      {"deserialization",
       {.key = "k", .value = "short", .timestamp_ms = 5},
       "deserialization: invalid argument",
       "deserialize value",
       false},
      {"processing", raw("k", 13, 5), "processing: invalid argument", "thirteen", true},
      {"production", raw("k", 99, 5), "production: invalid argument", "send: the extractor gave no topic", true},
  };
}

std::map<std::string, std::string> header_map(const RawRecord& record) {
  std::map<std::string, std::string> out;
  for (const auto& header : record.headers) out[header.name] = header.value.value_or("-");
  return out;
}

TEST(ErrorHandlers, ContinueSkipsTheRestOfTheRecordOnly) {
  for (const auto& c : failure_cases()) {
    SCOPED_TRACE(c.name);
    TestDriverOptions options;
    options.errors = {OnFailure::proceed, OnFailure::proceed, OnFailure::proceed};
    auto driver = *TestDriver::create(fragile(), options);
    EXPECT_TRUE(driver->pipe("in", c.record).ok());
    EXPECT_EQ(driver->queue_size("out"), 0u);
    EXPECT_EQ(driver->queue_size("beside"), c.beside ? 1u : 0u);
    EXPECT_EQ(driver->dropped_records(), 1u);
    EXPECT_TRUE(driver->pipe("in", raw("k", 1, 6)).ok());
    EXPECT_EQ(driver->queue_size("out"), 1u);
  }
}

TEST(ErrorHandlers, FailEndsTheTaskAndSaysWhere) {
  for (const auto& c : failure_cases()) {
    SCOPED_TRACE(c.name);
    auto driver = *TestDriver::create(fragile());
    const Status status = driver->pipe("in", c.record);
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.message().find(c.message), std::string::npos) << status.message();
    EXPECT_NE(status.message().find("topic=in partition=0 offset=0"), std::string::npos) << status.message();
    EXPECT_EQ(driver->queue_size("beside"), 0u);
  }
}

TEST(ErrorHandlers, DeadLetterHasTheTimeOfItsRecordAndNotOfTheOneBefore) {
  for (const auto& c : failure_cases()) {
    SCOPED_TRACE(c.name);
    TestDriverOptions options;
    options.errors = {OnFailure::proceed, OnFailure::proceed, OnFailure::proceed, "dlq"};
    auto driver = *TestDriver::create(fragile(), options);
    for (const int64_t before : {2, 9}) {
      ASSERT_TRUE(driver->pipe("in", raw("k", 1, before)).ok());
      ASSERT_TRUE(driver->pipe("in", c.record).ok());
      EXPECT_EQ(driver->read("dlq")->timestamp_ms, c.record.timestamp_ms);
    }
  }
}

TEST(ErrorHandlers, DeadLetterHoldsTheSourceRecordAndKafkasHeaders) {
  for (const auto on_failure : {OnFailure::proceed, OnFailure::fail}) {
    for (auto c : failure_cases()) {
      SCOPED_TRACE(c.name);
      c.record.headers = {{"trace", "7"}};
      TestDriverOptions options;
      options.errors = {on_failure, on_failure, on_failure, "dlq"};
      auto driver = *TestDriver::create(fragile(), options);
      EXPECT_EQ(driver->pipe("in", c.record).ok(), on_failure == OnFailure::proceed);
      const auto letter = driver->read("dlq");
      ASSERT_TRUE(letter.has_value());
      EXPECT_EQ(letter->key, c.record.key);
      EXPECT_EQ(letter->value, c.record.value);
      const auto headers = header_map(*letter);
      EXPECT_EQ(headers.size(), 7u);
      EXPECT_EQ(headers.at("trace"), "7");
      EXPECT_EQ(headers.at("__streams.errors.exception"), c.exception);
      EXPECT_EQ(headers.at("__streams.errors.message").substr(0, c.message.size()), c.message);
      EXPECT_NE(headers.at("__streams.errors.stacktrace").find("at task 0_0 node="), std::string::npos);
      EXPECT_EQ(headers.at("__streams.errors.topic"), "in");
      EXPECT_EQ(headers.at("__streams.errors.partition"), "0");
      EXPECT_EQ(headers.at("__streams.errors.offset"), "0");
    }
  }
}

class Swallows : public Processor<std::string, int64_t, std::string, int64_t> {
 public:
  Status process(const Record<std::string, int64_t>& record) override {
    (void)context().forward(record);
    return {};
  }
};

TEST(ErrorHandlers, ProcessorCannotSwallowAFailureThatEndsTheTask) {
  StreamsBuilder builder;
  builder.stream<std::string, int64_t>("in").process([] { return std::make_unique<Swallows>(); }).for_each([](int64_t) {
    throw std::runtime_error("below");
  });
  auto driver = *TestDriver::create(*builder.build());
  EXPECT_FALSE(driver->pipe("in", raw("k", 1, 1)).ok());
}

class ReturnsError : public Processor<std::string, int64_t, std::string, int64_t> {
 public:
  explicit ReturnsError(Code code) : code_(code) {}
  Status process(const Record<std::string, int64_t>&) override { return error(code_, "no"); }

 private:
  Code code_;
};

TEST(ErrorHandlers, FailuresOfTheMachineAreNeverSkipped) {
  const std::vector<std::pair<Code, bool>> cases{{Code::invalid_argument, true}, {Code::not_found, true},
                                                 {Code::io_error, false},        {Code::data_loss, false},
                                                 {Code::unavailable, false},     {Code::fenced, false}};
  for (const auto& [code, skipped] : cases) {
    SCOPED_TRACE(std::string(to_string(code)));
    StreamsBuilder builder;
    builder.stream<std::string, int64_t>("in").process([c = code] { return std::make_unique<ReturnsError>(c); });
    TestDriverOptions options;
    options.errors.processing = OnFailure::proceed;
    auto driver = *TestDriver::create(*builder.build(), options);
    EXPECT_EQ(driver->pipe("in", raw("k", 1, 1)).ok(), skipped);
  }
}

struct TimestampCase {
  std::string name;
  InvalidTimestamp policy;
  std::vector<int64_t> timestamps;
  std::string want;  // timestamps out, or "error"
};

TEST(Source, NegativeTimestampsByPolicy) {
  const std::vector<TimestampCase> cases{
      {"fail", InvalidTimestamp::fail, {5, -1}, "error"},
      {"skip", InvalidTimestamp::skip, {5, -1, 6}, "5 6"},
      {"partition time", InvalidTimestamp::use_partition_time, {5, -1, 3, -1}, "5 5 3 5"},
      {"partition time unknown", InvalidTimestamp::use_partition_time, {-1}, "error"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    StreamsBuilder builder;
    builder.stream<std::string, int64_t>("in", {.invalid_timestamp = c.policy}).to("out");
    auto driver = *TestDriver::create(*builder.build());
    std::string got;
    for (const int64_t t : c.timestamps) {
      if (!driver->pipe("in", raw("k", 1, t)).ok()) got = "error";
    }
    if (got.empty()) {
      while (const auto record = driver->read("out"))
        got += (got.empty() ? "" : " ") + std::to_string(record->timestamp_ms);
    }
    EXPECT_EQ(got, c.want);
  }
}

TEST(Source, TimestampFromTheValue) {
  StreamsBuilder builder;
  builder
      .stream<std::string, int64_t>("in", {.timestamp =
                                               [](const Record<std::string, int64_t>& r, int64_t partition_time_ms) {
                                                 return r.value != nullptr ? *r.value : partition_time_ms;
                                               }})
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  ASSERT_TRUE(driver->pipe("in", raw("k", 1000, 5)).ok());
  ASSERT_TRUE(driver->pipe("in", {.key = "k", .timestamp_ms = 6}).ok());
  EXPECT_EQ(driver->read("out")->timestamp_ms, 1000);
  EXPECT_EQ(driver->read("out")->timestamp_ms, 1000);
}

}  // namespace
}  // namespace muir::streams
