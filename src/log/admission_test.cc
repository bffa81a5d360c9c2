// What is refused of a producer's batch, and how it is said. Codes and messages are Apache Kafka 4.3.1's.
#include "log/admission.h"

#include <gtest/gtest.h>

#include "log/internal/partition_fixture.h"
#include "log/kafka_error.h"

namespace muir::log {
namespace {

using wire::ErrorCode;
constexpr int64_t kNow = 1'000'000;

TEST(Admission, RecordsToBlameAreNamedOneByOne) {
  const std::string keyless = "Compacted topic cannot accept message without key in topic partition t-0";
  const auto range = [](int64_t timestamp, int offset) {
    return fmt::format(
        "Timestamp {} of message with offset {} is out of range. The timestamp should be within [{}, {}]", timestamp,
        offset, kNow - 500, kNow + 100);
  };
  using Refused = std::vector<std::pair<int32_t, std::string>>;
  const struct {
    const char* name;
    bool compact;
    std::vector<TestRecord> records;
    ErrorCode code;
    Refused refused;
  } cases[] = {
      {"all good", true, {{kNow, "a", "1"}, {kNow, "b", "2"}}, ErrorCode::none, {}},
      {"keys do not matter here", false, {{kNow, std::nullopt, "1"}}, ErrorCode::none, {}},
      {"one of three without a key",
       true,
       {{kNow, "a", "1"}, {kNow, std::nullopt, "2"}, {kNow, "c", "3"}},
       ErrorCode::invalid_record,
       {{1, keyless}}},
      {"all without a key",
       true,
       {{kNow, std::nullopt, "1"}, {kNow, std::nullopt, "2"}},
       ErrorCode::invalid_record,
       {{0, keyless}, {1, keyless}}},
      {"too late",
       false,
       {{kNow, "a", "1"}, {kNow + 101, "b", "2"}},
       ErrorCode::invalid_timestamp,
       {{1, range(kNow + 101, 1)}}},
      {"too early",
       false,
       {{kNow - 501, "a", "1"}, {kNow, "b", "2"}},
       ErrorCode::invalid_timestamp,
       {{0, range(kNow - 501, 0)}}},
      {"at the limits", false, {{kNow - 500, "a", "1"}, {kNow + 100, "b", "2"}}, ErrorCode::none, {}},
      {"no timestamp", false, {{-1, "a", "1"}}, ErrorCode::none, {}},
      {"a key and a timestamp",
       true,
       {{kNow, std::nullopt, "1"}, {kNow + 101, "b", "2"}},
       ErrorCode::invalid_timestamp,
       {{0, keyless}, {1, range(kNow + 101, 1)}}},
  };
  for (const auto& c : cases) {
    TopicConfig config;
    config.compact = c.compact;
    config.timestamp_after_ms_max = 100;
    config.timestamp_before_ms_max = 500;
    wire::RecordIterator scratch;
    AdmissionNotes notes{"t", PartitionId(0), {}};
    const Bytes batch = test_batch(c.records);
    const auto admitted = admit(batch, config, kNow, scratch, notes);
    EXPECT_EQ(kafka_code(admitted.status()), c.code) << c.name;
    Refused refused;
    for (const auto& record : notes.refused) refused.emplace_back(record.index, record.why);
    EXPECT_EQ(refused, c.refused) << c.name;
  }
}

TEST(Admission, TheMessageShowsTheFirstThree) {
  TopicConfig config;
  config.compact = true;
  wire::RecordIterator scratch;
  AdmissionNotes notes{"t", PartitionId(7), {}};
  const Bytes batch = test_batch(std::vector<TestRecord>(5, {kNow, std::nullopt, "x"}));
  const std::string why = "Compacted topic cannot accept message without key in topic partition t-7";
  const auto one = [&](int i) { return fmt::format("RecordError(batchIndex={}, message='{}')", i, why); };
  EXPECT_EQ(admit(batch, config, kNow, scratch, notes).status().message(),
            fmt::format("One or more records have been rejected due to 5 record errors in total, and only showing the "
                        "first three errors at most: [{}, {}, {}]",
                        one(0), one(1), one(2)));
}

// A few kB that would be 128 MB are refused, and cost neither the memory nor, afterwards, any.
TEST(Admission, ABatchThatHoldsFarMoreThanItsBytesIsRefused) {
  const Bytes large(size_t{128} << 20, 'x');
  for (const auto codec : {wire::Compression::gzip, wire::Compression::lz4, wire::Compression::zstd}) {
    wire::BatchOptions options;
    options.compression = codec;
    const Bytes bomb = test_batch({{kNow, "k", large}}, options);
    ASSERT_LT(bomb.size(), size_t{1} << 20);
    wire::RecordIterator scratch;
    AdmissionNotes notes{"t", PartitionId(0), {}};
    const auto admitted = admit(bomb, TopicConfig(), kNow, scratch, notes);
    EXPECT_EQ(kafka_code(admitted.status()), ErrorCode::invalid_record) << wire::name_of(codec);
    EXPECT_NE(admitted.status().message().find("more than"), std::string::npos) << admitted.status().message();
    // It still serves.
    const Bytes good = test_batch({{kNow, "k", "v"}}, options);
    EXPECT_TRUE(admit(good, TopicConfig(), kNow, scratch, notes).ok());
  }
}

}  // namespace
}  // namespace muir::log
