// What clients get from compacted topics, in bytes: on our broker and on Apache Kafka 4.3.1.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/internal/broker_fixture.h"
#include "brokers.h"
#include "testing/child_process.h"
#include "testing/eventually.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/fetch.h"
#include "wire/messages/produce.h"
#include "wire/record_batch.h"

namespace muir::interop {
namespace {

using broker::TestClient;
using wire::Compression;
using wire::ErrorCode;

struct TestRecord {
  int64_t timestamp = 0;
  std::optional<std::string> key;
};

class CompactedTopics : public OnBothBrokers {
 protected:
  CompactedTopics() : client_(static_cast<uint16_t>(std::stoi(bootstrap().substr(bootstrap().rfind(':') + 1)))) {}

  void create(const std::string& topic, std::vector<wire::CreateTopicsRequest::Config> configs) {
    wire::CreateTopicsRequest request;
    request.timeout_ms = 20'000;
    request.topics.push_back({topic, 1, 1, {}, std::move(configs), {}});
    ASSERT_EQ(client_.call(request, 7).topics.at(0).error_code, ErrorCode::none);
  }
  // The answer's fields borrow from the client until its next one.
  wire::ProduceResponse::Partition produce(const std::string& topic, const std::vector<TestRecord>& records,
                                           wire::BatchOptions options = {}) {
    wire::BatchBuilder builder(options);
    for (const auto& record : records) builder.add(record.timestamp, to_view(record.key), "value");
    Bytes batch;
    EXPECT_TRUE(builder.build(batch).ok());
    wire::ProduceRequest request;
    request.acks = -1;
    request.timeout_ms = 5000;
    auto& to = request.topic_data.emplace_back();
    to.name = topic;
    to.partition_data.push_back({0, BytesView(batch), {}});
    wire::ProduceResponse::Partition out;
    // Apache Kafka needs some time for a new topic.
    EXPECT_TRUE(testing::eventually([&] {
      out = client_.call(request, 9).responses.at(0).partition_responses.at(0);
      return out.error_code != ErrorCode::unknown_topic_or_partition &&
             out.error_code != ErrorCode::not_leader_or_follower;
    }));
    return out;
  }
  std::vector<wire::BatchHeader> stored(const std::string& topic) {
    wire::FetchRequest request;
    request.max_bytes = 1 << 20;
    auto& from = request.topics.emplace_back();
    from.topic = topic;
    wire::FetchRequest::Partition partition;
    partition.partition_max_bytes = 1 << 20;
    from.partitions.push_back(partition);
    std::vector<wire::BatchHeader> out;
    const auto response = client_.call(request, 12);
    wire::BatchReader batches(response.responses.at(0).partitions.at(0).records.value_or(BytesView()));
    while (const auto batch = batches.next().value()) {
      EXPECT_TRUE(batch->check_crc().ok());
      out.push_back(batch->header());
    }
    return out;
  }
  std::string kcat(const std::string& topic) {
    auto process =
        testing::ChildProcess::start({.command = {"kcat", "-b", bootstrap(), "-C", "-q", "-e", "-t", topic, "-o",
                                                  "beginning", "-X", "check.crcs=true", "-f", "%o:%k "}});
    EXPECT_TRUE(process.ok());
    const auto output = process->read_all();
    EXPECT_TRUE(output.ok()) << output.status().to_string();
    return output.ok() ? *output : "";
  }

  TestClient client_;
};

TEST_P(CompactedTopics, RefusedRecordsAreNamedOneByOne) {
  create("refusals", {{"cleanup.policy", "compact", {}}, {"message.timestamp.after.max.ms", "1000", {}}});
  const int64_t now = system_clock().now_ms();
  const int64_t late = now + 3'600'000;
  const std::string keyless = "Compacted topic cannot accept message without key in topic partition refusals-0";
  const auto range = [&](int offset) {
    return fmt::format("Timestamp {} of message with offset {} is out of range. The timestamp should be within [", late,
                       offset);
  };
  const auto total = [&](int count, const std::vector<int>& shown) {
    std::string out = fmt::format(
        "One or more records have been rejected due to {} record errors in total, and only showing the first three "
        "errors at most: [",
        count);
    for (const int i : shown) {
      out += fmt::format("{}RecordError(batchIndex={}, message='{}')", i == shown.front() ? "" : ", ", i, keyless);
    }
    return out + "]";
  };
  const std::string timestamps = "One or more records have been rejected due to invalid timestamp";
  std::vector<TestRecord> one_of_ten(10, {now, "k"});
  one_of_ten[4].key.reset();
  using Named = std::vector<std::pair<int32_t, std::string>>;  // a message's beginning: its end has the broker's clock
  const struct {
    const char* name;
    std::vector<TestRecord> records;
    ErrorCode code;
    std::string message;
    Named named;
  } cases[] = {
      {"one of ten", one_of_ten, ErrorCode::invalid_record, total(1, {4}), {{4, keyless}}},
      {"four",
       std::vector<TestRecord>(4, {now, std::nullopt}),
       ErrorCode::invalid_record,
       total(4, {0, 1, 2}),
       {{0, keyless}, {1, keyless}, {2, keyless}, {3, keyless}}},
      {"too late", {{now, "a"}, {late, "b"}}, ErrorCode::invalid_timestamp, timestamps, {{1, range(1)}}},
      {"both",
       {{now, std::nullopt}, {late, "b"}},
       ErrorCode::invalid_timestamp,
       timestamps,
       {{0, keyless}, {1, range(1)}}},
      {"both in one", {{late, std::nullopt}}, ErrorCode::invalid_record, total(1, {0}), {{0, keyless}}},
      {"no timestamp", {{-1, "a"}}, ErrorCode::none, "", {}},
  };
  for (const auto codec : {Compression::none, Compression::gzip}) {
    for (const auto& c : cases) {
      SCOPED_TRACE(fmt::format("{} {}", c.name, wire::name_of(codec)));
      wire::BatchOptions options;
      options.compression = codec;
      const auto answer = produce("refusals", c.records, options);
      EXPECT_EQ(answer.error_code, c.code);
      EXPECT_EQ(answer.error_message.value_or(""), c.message);
      ASSERT_EQ(answer.record_errors.size(), c.named.size());
      for (size_t i = 0; i < c.named.size(); ++i) {
        EXPECT_EQ(answer.record_errors[i].batch_index, c.named[i].first);
        const std::string why(answer.record_errors[i].batch_index_error_message.value_or(""));
        EXPECT_TRUE(why.starts_with(c.named[i].second)) << why;
      }
    }
  }
}

// Of a batch whose keys are all superseded a header is left, which keeps its producer's sequence.
TEST_P(CompactedTopics, EmptiedBatchesOfEveryCodecAreReadOver) {
  constexpr Compression kCodecs[] = {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4,
                                     Compression::zstd};
  for (const std::string type : {"CreateTime", "LogAppendTime"}) {
    SCOPED_TRACE(type);
    const std::string topic = "emptied-" + type;
    // Every batch gets a segment of its own.
    create(topic, {{"cleanup.policy", "compact", {}},
                   {"segment.ms", "1", {}},
                   {"min.cleanable.dirty.ratio", "0.001", {}},
                   {"message.timestamp.type", type, {}}});
    const int64_t now = system_clock().now_ms();
    int64_t id = 900'000;
    for (const Compression codec : kCodecs) {
      wire::BatchOptions options;
      options.compression = codec;
      options.producer_id = ProducerId(++id);
      options.producer_epoch = ProducerEpoch(2);
      options.base_sequence = 0;
      ASSERT_EQ(produce(topic, {{now + 10, "a"}, {now + 30, "b"}, {now + 20, "a"}}, options).error_code,
                ErrorCode::none);
    }
    ASSERT_EQ(produce(topic, {{now + 100, "a"}, {now + 100, "b"}}).error_code, ErrorCode::none);
    std::vector<wire::BatchHeader> headers;
    // By the broker's time, batches of one millisecond share a segment: a later one ends it.
    ASSERT_TRUE(testing::eventually([&] {
      EXPECT_EQ(produce(topic, {{now + 200, "last"}}).error_code, ErrorCode::none);
      headers = stored(topic);
      size_t emptied = 0;
      for (const auto& header : headers) emptied += header.record_count == 0 ? 1 : 0;
      return emptied == std::size(kCodecs);
    }));
    for (size_t i = 0; i < std::size(kCodecs); ++i) {
      SCOPED_TRACE(wire::name_of(kCodecs[i]));
      const wire::BatchHeader& h = headers.at(i);
      EXPECT_EQ(h.size_bytes(), wire::kBatchHeaderBytes);
      EXPECT_EQ(h.attributes, type == "CreateTime" ? 0 : 8);
      EXPECT_EQ(h.base_offset, Offset(static_cast<int64_t>(3 * i)));
      EXPECT_EQ(h.last_offset_delta, 2);
      EXPECT_EQ(h.base_timestamp, -1);
      if (type == "CreateTime") {
        EXPECT_EQ(h.max_timestamp, now + 30);
      } else {
        EXPECT_GE(h.max_timestamp, now);
      }
      EXPECT_EQ(h.producer_id, ProducerId(900'001 + static_cast<int64_t>(i)));
      EXPECT_EQ(h.producer_epoch, ProducerEpoch(2));
      EXPECT_EQ(h.base_sequence, 0);
    }
    const std::string read = kcat(topic);
    EXPECT_TRUE(read.starts_with("15:a 16:b ") && read.ends_with(":last ")) << read;
  }
}

INSTANTIATE_TEST_SUITE_P(Brokers, CompactedTopics, kBothVendors, vendor_name);

}  // namespace
}  // namespace muir::interop
