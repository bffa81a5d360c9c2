// Scenarios per API, over TCP, in the bytes of the protocol.
#include "broker/broker.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "broker/internal/broker_fixture.h"
#include "testing/eventually.h"
#include "wire/message_table.h"
#include "wire/messages/alter_configs.h"
#include "wire/messages/api_versions.h"
#include "wire/messages/create_partitions.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/delete_records.h"
#include "wire/messages/delete_topics.h"
#include "wire/messages/describe_cluster.h"
#include "wire/messages/describe_configs.h"
#include "wire/messages/describe_log_dirs.h"
#include "wire/messages/describe_topic_partitions.h"
#include "wire/messages/describe_transactions.h"
#include "wire/messages/fetch.h"
#include "wire/messages/incremental_alter_configs.h"
#include "wire/messages/init_producer_id.h"
#include "wire/messages/list_offsets.h"
#include "wire/messages/metadata.h"
#include "wire/messages/offset_for_leader_epoch.h"
#include "wire/messages/produce.h"

namespace muir::broker {
namespace {

using namespace wire;
using Clock = std::chrono::steady_clock;

Bytes batch_of(const std::vector<std::string>& values, BatchOptions options = {}, int64_t timestamp = 1000) {
  BatchBuilder builder(options);
  for (const auto& value : values) builder.add(timestamp++, std::nullopt, value);
  Bytes out;
  EXPECT_TRUE(builder.build(out).ok());
  return out;
}

class BrokerTest : public ::testing::Test {
 protected:
  ErrorCode create(const std::string& name, int32_t partitions = 1,
                   std::vector<CreateTopicsRequest::Config> configs = {}) {
    CreateTopicsRequest request;
    request.topics.push_back({name, partitions, 1, {}, std::move(configs), {}});
    return client_.call(request).topics.at(0).error_code;
  }

  static ProduceRequest produce_request(const std::string& topic, BytesView records, int16_t acks = -1,
                                        PartitionId partition = {}) {
    ProduceRequest request;
    request.acks = acks;
    request.timeout_ms = static_cast<int32_t>(testing::kPatienceMs);
    auto& to = request.topic_data.emplace_back();
    to.name = topic;
    to.partition_data.push_back({partition.value(), records, {}});
    return request;
  }
  ProduceResponse::Partition produce(const std::string& topic, const Bytes& records, int16_t acks = -1,
                                     PartitionId partition = {}) {
    return client_.call(produce_request(topic, records, acks, partition), 11).responses.at(0).partition_responses.at(0);
  }

  static FetchRequest fetch_request(const std::string& topic, Offset offset, int32_t max_wait_ms = 0,
                                    int32_t min_bytes = 1) {
    FetchRequest request;
    request.max_wait_ms = max_wait_ms;
    request.min_bytes = min_bytes;
    request.max_bytes = 1 << 20;
    auto& from = request.topics.emplace_back();
    from.topic = topic;
    FetchRequest::Partition partition;
    partition.fetch_offset = offset.value();
    partition.partition_max_bytes = 1 << 20;
    from.partitions.push_back(partition);
    return request;
  }
  std::vector<std::string> values_of(const FetchResponse& response) {
    std::vector<std::string> out;
    for (const auto& topic : response.responses) {
      for (const auto& partition : topic.partitions) {
        BatchReader batches(partition.records.value_or(BytesView()));
        RecordIterator records;
        Record record;
        while (const auto batch = batches.next().value()) {
          EXPECT_TRUE(records.reset(*batch).ok());
          while (records.next(record)) out.emplace_back(record.value.value_or("null"));
        }
      }
    }
    return out;
  }
  std::vector<std::string> fetch(const std::string& topic, Offset offset) {
    return values_of(client_.call(fetch_request(topic, offset), 12));
  }

  int64_t list_offset(const std::string& topic, int64_t timestamp) {
    ListOffsetsRequest request;
    request.replica_id = -1;
    auto& from = request.topics.emplace_back();
    from.name = topic;
    from.partitions.push_back({0, -1, timestamp, {}});
    return client_.call(request, 7).topics.at(0).partitions.at(0).offset;
  }

  TestBroker broker_;
  TestClient client_{broker_->port()};
};

TEST_F(BrokerTest, ApiVersionsListsWhatIsServedAndAnswersUnknownVersionsInVersionZero) {
  const auto versions = client_.call(ApiVersionsRequest{"test", "1.0", {}}, 3);
  EXPECT_EQ(versions.error_code, ErrorCode::none);
  const auto range = [&](ApiKey key) {
    for (const auto& api : versions.api_keys) {
      if (api.api_key == static_cast<int16_t>(key)) return std::pair(api.min_version, api.max_version);
    }
    return std::pair<int16_t, int16_t>(-1, -1);
  };
  // librdkafka 2.0.2 turns features off unless exactly these versions are inside.
  EXPECT_EQ(range(ApiKey::produce).first, 0);
  EXPECT_EQ(range(ApiKey::produce).second, 11);
  EXPECT_LE(range(ApiKey::fetch).first, 4);
  EXPECT_EQ(range(ApiKey::metadata).first, 0);
  EXPECT_EQ(range(ApiKey::find_coordinator).first, 0);
  EXPECT_EQ(range(ApiKey::join_group).first, 0);

  Bytes frame;
  ByteWriter writer(frame);
  writer.i32(4 + 4 + 2);
  writer.i16(18);
  writer.i16(99);
  writer.i32(77);
  writer.i16(-1);
  client_.send_bytes(frame);
  const auto refused = client_.receive_response<ApiVersionsResponse>(0);
  EXPECT_EQ(client_.last_correlation_id(), 77);
  EXPECT_EQ(refused.error_code, ErrorCode::unsupported_version);
  EXPECT_FALSE(refused.api_keys.empty());
}

TEST_F(BrokerTest, RequestsThatAreNotServedCloseTheConnection) {
  for (const auto& [key, version] :
       std::vector<std::pair<int16_t, int16_t>>{{0, 2}, {0, 12}, {1, 99}, {4, 0}, {999, 0}, {-1, 0}}) {
    TestClient other(broker_->port());
    Bytes frame;
    ByteWriter writer(frame);
    writer.i32(4 + 4 + 2);
    writer.i16(key);
    writer.i16(version);
    writer.i32(1);
    writer.i16(-1);
    other.send_bytes(frame);
    EXPECT_EQ(other.receive(), std::nullopt) << key << " " << version;
  }
  EXPECT_EQ(client_.call(ApiVersionsRequest{"a", "1", {}}, 3).error_code, ErrorCode::none) << "others are served on";
}

TEST_F(BrokerTest, EveryProduceVersionAppendsAndEveryFetchVersionReturns) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  std::vector<std::string> expected;
  for (int16_t version = 3; version <= 11; ++version) {
    const Bytes batch = batch_of({"v" + std::to_string(version)});
    const auto answer = client_.call(produce_request("t", batch), version).responses.at(0).partition_responses.at(0);
    EXPECT_EQ(answer.error_code, ErrorCode::none) << version;
    EXPECT_EQ(answer.base_offset, version - 3) << version;
    expected.push_back("v" + std::to_string(version));
  }
  MetadataRequest metadata;
  const auto id = client_.call(metadata, 12).topics.at(0).topic_id;
  for (int16_t version = 4; version <= FetchRequest::kVersionMax; ++version) {
    auto request = fetch_request("t", Offset(0));
    request.topics[0].topic_id = id;
    const auto response = client_.call(request, version);
    EXPECT_EQ(values_of(response), expected) << version;
    EXPECT_EQ(response.session_id, 0);
  }
}

TEST_F(BrokerTest, ProduceRefusesWhatKafkaRefuses) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  ASSERT_EQ(create("compacted", 1, {{"cleanup.policy", "compact", {}}}), ErrorCode::none);
  ASSERT_EQ(create("small", 1, {{"max.message.bytes", "200", {}}}), ErrorCode::none);
  const Bytes good = batch_of({"x"});
  Bytes damaged = good;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  Bytes magic = good;
  magic[16] = 1;
  BatchOptions control;
  control.control = true;
  control.transactional = true;
  control.producer_id = ProducerId(1);
  control.producer_epoch = ProducerEpoch(0);
  control.base_sequence = 0;
  const int64_t now = system_clock().now_ms();
  const struct {
    const char* what;
    const char* topic;
    Bytes records;
    int16_t acks;
    ErrorCode expected;
  } cases[] = {
      {"good", "t", good, -1, ErrorCode::none},
      {"acks=1", "t", good, 1, ErrorCode::none},
      {"acks=2", "t", good, 2, ErrorCode::invalid_required_acks},
      {"no such topic", "none", good, -1, ErrorCode::unknown_topic_or_partition},
      {"checksum", "t", damaged, -1, ErrorCode::corrupt_message},
      {"old magic", "t", magic, -1, ErrorCode::invalid_record},
      {"two batches", "t", good + good, -1, ErrorCode::invalid_record},
      {"nothing", "t", "", -1, ErrorCode::invalid_record},
      {"control batch", "t", batch_of({"x"}, control), -1, ErrorCode::invalid_record},
      {"no key in a compacted topic", "compacted", good, -1, ErrorCode::invalid_record},
      {"too large", "small", batch_of({std::string(300, 'x')}), -1, ErrorCode::message_too_large},
      {"large but compressed", "small", batch_of({std::string(300, 'x')}, {.compression = Compression::lz4}), -1,
       ErrorCode::none},
      {"from the future", "t", batch_of({"x"}, {}, now + 7'200'000), -1, ErrorCode::invalid_timestamp},
      {"internal topic", "__consumer_offsets", good, -1, ErrorCode::unknown_topic_or_partition},
  };
  for (const auto& c : cases) EXPECT_EQ(produce(c.topic, c.records, c.acks).error_code, c.expected) << c.what;
}

// KIP-467: a producer fails the records that are named and sends the others again.
TEST_F(BrokerTest, ProduceNamesTheRecordsToBlame) {
  ASSERT_EQ(create("compacted", 1, {{"cleanup.policy", "compact", {}}}), ErrorCode::none);
  wire::BatchBuilder builder;
  const int64_t now = system_clock().now_ms();
  for (int i = 0; i < 10; ++i) builder.add(now, i == 4 ? OptBytesView() : OptBytesView("k"), "v");
  const auto refused = produce("compacted", builder.build());
  EXPECT_EQ(refused.error_code, ErrorCode::invalid_record);
  ASSERT_EQ(refused.record_errors.size(), 1u);
  EXPECT_EQ(refused.record_errors[0].batch_index, 4);
  EXPECT_EQ(refused.record_errors[0].batch_index_error_message,
            "Compacted topic cannot accept message without key in topic partition compacted-0");
}

// KIP-110.
TEST_F(BrokerTest, ZstdNeedsProduceVersion7) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  const Bytes records = batch_of({std::string(100, 'x')}, {.compression = Compression::zstd});
  for (const int16_t version : std::initializer_list<int16_t>{3, 6, 7, 11}) {
    const auto response = client_.call(produce_request("t", records), version);
    EXPECT_EQ(response.responses.at(0).partition_responses.at(0).error_code,
              version < 7 ? ErrorCode::unsupported_compression_type : ErrorCode::none)
        << version;
  }
}

TEST_F(BrokerTest, AcksZeroHasNoAnswerAndClosesTheConnectionOnFailure) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  client_.send(produce_request("t", batch_of({"a"}), 0), 11);
  EXPECT_EQ(produce("t", batch_of({"b"})).base_offset, 1);
  TestClient other(broker_->port());
  other.send(produce_request("none", batch_of({"a"}), 0), 11);
  EXPECT_EQ(other.receive(), std::nullopt);
}

TEST_F(BrokerTest, AnswersKeepTheOrderOfPipelinedRequests) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  client_.send(fetch_request("t", Offset(0), 300, 1'000'000), 12);
  const int32_t first = client_.correlation_id();
  client_.send(ApiVersionsRequest{"a", "1", {}}, 3);
  client_.send(produce_request("t", batch_of({"a"})), 11);
  client_.receive_response<FetchResponse>(12);
  EXPECT_EQ(client_.last_correlation_id(), first);
  client_.receive_response<ApiVersionsResponse>(3);
  EXPECT_EQ(client_.last_correlation_id(), first + 1);
  client_.receive_response<ProduceResponse>(11);
  EXPECT_EQ(client_.last_correlation_id(), first + 2);
}

// As on an Apache Kafka of one node, where the high watermark is the end of the log.
TEST_F(BrokerTest, OwnWritesAreSeenAsSoonAsTheyAreAnswered) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  std::vector<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    const auto written = produce("t", batch_of({std::to_string(i)}), 1);
    ASSERT_EQ(written.error_code, ErrorCode::none);
    expected.push_back(std::to_string(i));
    EXPECT_EQ(list_offset("t", -1), written.base_offset + 1);
    EXPECT_EQ(list_offset("t", 1000), 0);
    EXPECT_EQ(fetch("t", Offset(written.base_offset)), std::vector<std::string>{std::to_string(i)});
  }
  EXPECT_EQ(fetch("t", Offset(0)), expected);
}

TEST_F(BrokerTest, AFetchWaitsForDataUntilItsLimit) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  TestClient consumer(broker_->port());
  const auto started = Clock::now();
  EXPECT_TRUE(values_of(consumer.call(fetch_request("t", Offset(0), 200), 12)).empty());
  EXPECT_GE(Clock::now() - started, std::chrono::milliseconds(190));

  constexpr int32_t kForever = INT32_MAX;  // longer than the client waits: only data ends it
  consumer.send(fetch_request("t", Offset(0), kForever), 12);
  EXPECT_EQ(produce("t", batch_of({"a"})).error_code, ErrorCode::none);
  EXPECT_EQ(values_of(consumer.receive_response<FetchResponse>(12)), std::vector<std::string>{"a"});

  consumer.send(fetch_request("t", Offset(0), kForever, 150), 12);
  EXPECT_EQ(produce("t", batch_of({"b"})).error_code, ErrorCode::none);
  EXPECT_EQ(produce("t", batch_of({"c"})).error_code, ErrorCode::none);
  EXPECT_EQ(values_of(consumer.receive_response<FetchResponse>(12)), (std::vector<std::string>{"a", "b", "c"}))
      << "min_bytes";
}

TEST_F(BrokerTest, AFetchEndsAtOnceOnAnError) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  const auto error_of = [&](FetchRequest request) {
    return client_.call(request, 12).responses.at(0).partitions.at(0).error_code;
  };
  EXPECT_EQ(error_of(fetch_request("none", Offset(0), 20'000)), ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(error_of(fetch_request("t", Offset(5), 20'000)), ErrorCode::offset_out_of_range);
  auto epoch = fetch_request("t", Offset(0), 20'000);
  epoch.topics[0].partitions[0].current_leader_epoch = 3;
  EXPECT_EQ(error_of(epoch), ErrorCode::unknown_leader_epoch);
  auto session = fetch_request("t", Offset(0));
  session.session_id = 12345;
  session.session_epoch = 1;
  EXPECT_EQ(client_.call(session, 12).error_code, ErrorCode::fetch_session_id_not_found);
}

TEST_F(BrokerTest, ASessionTellsOnlyWhatIsNew) {
  ASSERT_EQ(create("t", 3), ErrorCode::none);
  ASSERT_EQ(produce("t", batch_of({"a"}), -1, PartitionId(1)).error_code, ErrorCode::none);
  FetchRequest request = fetch_request("t", Offset(0));
  request.session_epoch = 0;
  for (const int32_t index : {1, 2}) {
    request.topics[0].partitions.push_back(request.topics[0].partitions[0]);
    request.topics[0].partitions.back().partition = index;
  }
  const auto full = client_.call(request, 12);
  EXPECT_EQ(values_of(full), std::vector<std::string>{"a"});
  EXPECT_EQ(full.responses.at(0).partitions.size(), 3u) << "at first, all";
  ASSERT_NE(full.session_id, 0);

  FetchRequest next = fetch_request("t", Offset(1));
  next.session_id = full.session_id;
  next.session_epoch = 1;
  next.topics[0].partitions[0].partition = 1;
  EXPECT_TRUE(client_.call(next, 12).responses.empty()) << "nothing has come";
  ASSERT_EQ(produce("t", batch_of({"b"}), -1, PartitionId(2)).error_code, ErrorCode::none);
  next.session_epoch = 2;
  next.topics.clear();
  const auto news = client_.call(next, 12);
  EXPECT_EQ(news.session_id, full.session_id);
  ASSERT_EQ(news.responses.size(), 1u);
  ASSERT_EQ(news.responses[0].partitions.size(), 1u);
  EXPECT_EQ(news.responses[0].partitions[0].partition_index, 2);
  EXPECT_EQ(values_of(news), std::vector<std::string>{"b"});

  EXPECT_EQ(client_.call(next, 12).error_code, ErrorCode::invalid_fetch_session_epoch) << "a request that came twice";
  next.session_epoch = -1;  // the consumer closes
  const auto closed = client_.call(next, 12);
  EXPECT_EQ(closed.error_code, ErrorCode::none);
  EXPECT_EQ(closed.session_id, 0);
  next.session_epoch = 3;
  EXPECT_EQ(client_.call(next, 12).error_code, ErrorCode::fetch_session_id_not_found);
}

TEST_F(BrokerTest, ADeletedTopicWakesItsConsumers) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  TestClient consumer(broker_->port());
  consumer.send(fetch_request("t", Offset(0), 20'000), 12);
  DeleteTopicsRequest request;
  request.topics.push_back({"t", {}, {}});
  request.topics.push_back({"none", {}, {}});
  const auto deleted = client_.call(request);
  EXPECT_EQ(deleted.responses.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(deleted.responses.at(1).error_code, ErrorCode::unknown_topic_or_partition);
  const auto response = consumer.receive_response<FetchResponse>(12);
  EXPECT_EQ(response.responses.at(0).partitions.at(0).error_code, ErrorCode::unknown_topic_or_partition);
}

TEST_F(BrokerTest, MetadataMakesMissingTopicsOnlyWhenAsked) {
  MetadataRequest request;
  request.topics.emplace();
  request.topics->push_back({{}, "made", {}});
  request.allow_auto_topic_creation = false;
  EXPECT_EQ(client_.call(request, 9).topics.at(0).error_code, ErrorCode::unknown_topic_or_partition);
  request.allow_auto_topic_creation = true;
  const auto made = client_.call(request, 9);
  EXPECT_EQ(made.topics.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(made.topics.at(0).partitions.size(), 1u);
  EXPECT_EQ(made.brokers.at(0).port, broker_->port());
  EXPECT_EQ(made.controller_id, made.brokers.at(0).node_id);
  request.topics->at(0).name = "not a name";
  EXPECT_EQ(client_.call(request, 9).topics.at(0).error_code, ErrorCode::invalid_topic_exception);
  request.topics->clear();
  EXPECT_EQ(client_.call(request, 9).topics.size(), 0u) << "empty: none";
  EXPECT_EQ(client_.call(request, 0).topics.size(), 1u) << "empty in version 0: all";
  request.topics.reset();
  EXPECT_EQ(client_.call(request, 9).topics.size(), 1u) << "null: all";
}

TEST_F(BrokerTest, ListOffsetsFindsEndsAndTimes) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  EXPECT_EQ(list_offset("t", -1), 0);
  ASSERT_EQ(produce("t", batch_of({"a", "b", "c"}, {}, 1000)).error_code, ErrorCode::none);
  ASSERT_EQ(produce("t", batch_of({"d"}, {.compression = Compression::zstd}, 5000)).error_code, ErrorCode::none);
  for (const auto& [timestamp, expected] :
       std::vector<std::pair<int64_t, int64_t>>{{-1, 4}, {-2, 0}, {-3, 3}, {0, 0}, {1001, 1}, {1003, 3}, {5001, -1}}) {
    EXPECT_EQ(list_offset("t", timestamp), expected) << timestamp;
  }
}

TEST_F(BrokerTest, DeleteRecordsMovesTheStart) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  for (int i = 0; i < 4; ++i) ASSERT_EQ(produce("t", batch_of({std::to_string(i)})).error_code, ErrorCode::none);
  DeleteRecordsRequest request;
  request.topics.push_back({"t", {{0, 2, {}}}, {}});
  EXPECT_EQ(client_.call(request).topics.at(0).partitions.at(0).low_watermark, 2);
  EXPECT_EQ(list_offset("t", -2), 2);
  EXPECT_EQ(fetch("t", Offset(2)), (std::vector<std::string>{"2", "3"}));
}

TEST_F(BrokerTest, CreateTopicsAnswersEveryTopicOfAMixedRequest) {
  ASSERT_EQ(create("there"), ErrorCode::none);
  CreateTopicsRequest request;
  request.topics.push_back({"good", 3, -1, {}, {{"retention.ms", "7", {}}}, {}});
  request.topics.push_back({"there", 1, 1, {}, {}, {}});
  request.topics.push_back({"bad name", 1, 1, {}, {}, {}});
  request.topics.push_back({"replicated", 1, 3, {}, {}, {}});
  request.topics.push_back({"empty", 0, 1, {}, {}, {}});
  request.topics.push_back({"odd", 1, 1, {}, {{"no.such.key", "1", {}}}, {}});
  request.topics.push_back({"twice", 1, 1, {}, {}, {}});
  request.topics.push_back({"twice", 1, 1, {}, {}, {}});
  request.topics.push_back({"assigned", -1, -1, {{0, {1}, {}}, {1, {1}, {}}}, {}, {}});
  const ErrorCode expected[] = {ErrorCode::none,
                                ErrorCode::topic_already_exists,
                                ErrorCode::invalid_topic_exception,
                                ErrorCode::invalid_replication_factor,
                                ErrorCode::invalid_partitions,
                                ErrorCode::invalid_config,
                                ErrorCode::invalid_request,
                                ErrorCode::none};
  request.validate_only = true;
  for (const bool validate_only : {true, false}) {
    request.validate_only = validate_only;
    const auto response = client_.call(request);
    ASSERT_EQ(response.topics.size(), std::size(expected));
    for (size_t i = 0; i < std::size(expected); ++i)
      EXPECT_EQ(response.topics[i].error_code, expected[i]) << response.topics[i].name;
    EXPECT_EQ(response.topics[0].num_partitions, 3);
    EXPECT_GT(response.topics[0].configs->size(), 30u);
  }
  MetadataRequest metadata;
  EXPECT_EQ(client_.call(metadata, 9).topics.size(), 3u);
}

TEST_F(BrokerTest, PartitionsCanBeAdded) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  CreatePartitionsRequest request;
  request.topics.push_back({"t", 5, std::nullopt, {}});
  request.topics.push_back({"none", 5, std::nullopt, {}});
  const auto response = client_.call(request);
  EXPECT_EQ(response.results.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(response.results.at(1).error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(client_.call(request).results.at(0).error_code, ErrorCode::invalid_partitions);
  EXPECT_EQ(produce("t", batch_of({"a"}), -1, PartitionId(4)).error_code, ErrorCode::none);
}

// Kafka 4.3.1's limit of one request; for CreateTopics with its code and the beginning of its message.
TEST_F(BrokerTest, ARequestMakesAtMostTenThousandPartitions) {
  const struct {
    const char* name;
    std::vector<int32_t> partitions;
  } cases[] = {
      {"one topic", {10'001}},
      {"the largest number", {INT32_MAX}},
      {"several topics", {6000, 4001}},
      {"numbers that overflow", {INT32_MAX, INT32_MAX, INT32_MAX}},
      {"beside one that is wrong by itself", {10'001, 0}},
  };
  for (const bool validate_only : {true, false}) {
    for (const auto& c : cases) {
      SCOPED_TRACE(c.name);
      CreateTopicsRequest request;
      request.validate_only = validate_only;
      for (const int32_t partitions : c.partitions)
        request.topics.push_back({"t" + std::to_string(request.topics.size()), partitions, 1, {}, {}, {}});
      const auto response = client_.call(request);
      ASSERT_EQ(response.topics.size(), c.partitions.size());
      for (const auto& topic : response.topics) {
        EXPECT_EQ(topic.error_code, ErrorCode::policy_violation);
        EXPECT_TRUE(topic.error_message->starts_with("Excessively large number of partitions per request"));
      }
    }
  }
  ASSERT_EQ(create("there"), ErrorCode::none);
  for (const int32_t count : {10'002, INT32_MAX}) {
    CreatePartitionsRequest request;
    request.topics.push_back({"there", count, std::nullopt, {}});
    const auto refused = client_.call(request).results.at(0);
    EXPECT_EQ(refused.error_code, ErrorCode::policy_violation);
    EXPECT_TRUE(refused.error_message->starts_with("Unable to perform excessively large batch operation"));
  }
  MetadataRequest metadata;
  metadata.allow_auto_topic_creation = true;
  metadata.topics.emplace();
  for (int i = 0; i <= 10'000; ++i) metadata.topics->emplace_back().name = "asked-for-" + std::to_string(i);
  for (const auto& topic : client_.call(metadata, 9).topics)
    ASSERT_EQ(topic.error_code, ErrorCode::unknown_topic_or_partition);
  metadata.topics.reset();
  EXPECT_EQ(client_.call(metadata, 9).topics.size(), 1U);
}

TEST(BrokerStart, PartitionsOfAllTopicsHaveALimitThatInternalOnesPass) {
  TestBroker broker(Properties{
      {"max.partitions", "5"}, {"offsets.topic.num.partitions", "3"}, {"transaction.state.log.num.partitions", "2"}});
  TestClient client(broker->port());
  const auto create = [&](const std::string& name, int32_t partitions) {
    CreateTopicsRequest request;
    request.topics.push_back({name, partitions, 1, {}, {}, {}});
    return client.call(request).topics.at(0);
  };
  EXPECT_EQ(create("three", 3).error_code, ErrorCode::none);
  const auto refused = create("four", 4);
  EXPECT_EQ(refused.error_code, ErrorCode::policy_violation);
  EXPECT_EQ(refused.error_message,
            "4 more partitions are too many: there are 3, and at most 5 are allowed. Each holds files open: delete "
            "topics, or raise the limit of open files (ulimit -n) or max.partitions and restart.");
  CreatePartitionsRequest grow;
  grow.topics.push_back({"three", 6, std::nullopt, {}});
  EXPECT_EQ(client.call(grow).results.at(0).error_code, ErrorCode::policy_violation);
  grow.topics.at(0).count = 5;
  EXPECT_EQ(client.call(grow).results.at(0).error_code, ErrorCode::none);
  InitProducerIdRequest init;
  init.transactional_id = "makes __transaction_state";
  init.transaction_timeout_ms = 1000;
  EXPECT_EQ(client.call(init, 4).error_code, ErrorCode::none);
  DeleteTopicsRequest drop;
  drop.topics.push_back({"three", {}, {}});
  EXPECT_EQ(client.call(drop).responses.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(create("four", 4).error_code, ErrorCode::policy_violation) << "the two of the internal one count";
}

TEST_F(BrokerTest, SettingsAreDescribedWithTheirSourceAndChanged) {
  ASSERT_EQ(create("t", 1, {{"retention.ms", "7", {}}}), ErrorCode::none);
  const auto describe = [&](const std::string& key) {
    DescribeConfigsRequest request;
    request.include_synonyms = true;
    request.resources.push_back({2, "t", std::vector<std::string>{key}, {}});
    return client_.call(request).results.at(0).configs.at(0);
  };
  EXPECT_EQ(describe("retention.ms").value, "7");
  EXPECT_EQ(describe("retention.ms").config_source, 1);
  EXPECT_EQ(describe("segment.bytes").value, "1073741824");
  EXPECT_EQ(describe("segment.bytes").config_source, 5);

  const auto change = [&](const std::string& key, int8_t operation, std::optional<std::string> value) {
    IncrementalAlterConfigsRequest request;
    request.resources.push_back({2, "t", {{key, operation, std::move(value), {}}}, {}});
    return client_.call(request).responses.at(0).error_code;
  };
  EXPECT_EQ(change("segment.bytes", 0, "5000"), ErrorCode::none);
  EXPECT_EQ(describe("segment.bytes").value, "5000");
  EXPECT_EQ(change("retention.ms", 1, std::nullopt), ErrorCode::none);
  EXPECT_EQ(describe("retention.ms").value, "-1") << "the broker's";
  EXPECT_EQ(change("cleanup.policy", 2, "compact"), ErrorCode::none);
  EXPECT_EQ(describe("cleanup.policy").value, "delete,compact");
  EXPECT_EQ(change("cleanup.policy", 3, "delete"), ErrorCode::none);
  EXPECT_EQ(describe("cleanup.policy").value, "compact");
  EXPECT_EQ(change("segment.bytes", 2, "1"), ErrorCode::invalid_config);
  EXPECT_EQ(change("segment.bytes", 0, "many"), ErrorCode::invalid_config);
  EXPECT_EQ(change("no.such.key", 0, "1"), ErrorCode::invalid_config);

  AlterConfigsRequest all;
  all.resources.push_back({2, "t", {{"max.message.bytes", "999", {}}}, {}});
  EXPECT_EQ(client_.call(all).responses.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(describe("max.message.bytes").value, "999");
  EXPECT_EQ(describe("segment.bytes").config_source, 5) << "AlterConfigs replaces all";

  DescribeConfigsRequest broker;
  broker.resources.push_back({4, "1", std::nullopt, {}});
  EXPECT_GT(client_.call(broker).results.at(0).configs.size(), 40u);
}

TEST_F(BrokerTest, ToolsSeeTheClusterAndItsFolders) {
  ASSERT_EQ(create("t", 3), ErrorCode::none);
  const auto cluster = client_.call(DescribeClusterRequest{});
  EXPECT_EQ(cluster.cluster_id, broker_->cluster_id());
  EXPECT_EQ(cluster.brokers.at(0).port, broker_->port());
  const auto dirs = client_.call(DescribeLogDirsRequest{});
  EXPECT_EQ(dirs.results.at(0).log_dir, broker_.folder());
  EXPECT_EQ(dirs.results.at(0).topics.at(0).partitions.size(), 3u);
  DescribeTopicPartitionsRequest partial;
  partial.response_partition_limit = 2;
  const auto page = client_.call(partial);
  EXPECT_EQ(page.topics.at(0).partitions.size(), 2u);
  ASSERT_TRUE(page.next_cursor.has_value());
  partial.cursor =
      DescribeTopicPartitionsRequest::Cursor{page.next_cursor->topic_name, page.next_cursor->partition_index, {}};
  EXPECT_EQ(client_.call(partial).topics.at(0).partitions.at(0).partition_index, 2);
  OffsetForLeaderEpochRequest epoch;
  epoch.topics.push_back({"t", {{0, -1, 0, {}}}, {}});
  EXPECT_EQ(client_.call(epoch).topics.at(0).partitions.at(0).end_offset, 0);
}

TEST_F(BrokerTest, RecordsTopicsAndIdsSurviveARestart) {
  ASSERT_EQ(create("t"), ErrorCode::none);
  const int64_t first = client_.call(InitProducerIdRequest{}).producer_id;
  BatchOptions options{.producer_id = ProducerId(first), .producer_epoch = ProducerEpoch(0), .base_sequence = 0};
  ASSERT_EQ(produce("t", batch_of({"a", "b"}, options)).error_code, ErrorCode::none);
  const std::string cluster = broker_->cluster_id();
  broker_.restart();
  EXPECT_EQ(broker_->cluster_id(), cluster);
  TestClient client(broker_->port());
  EXPECT_EQ(values_of(client.call(fetch_request("t", Offset(0)), 12)), (std::vector<std::string>{"a", "b"}));
  EXPECT_GT(client.call(InitProducerIdRequest{}).producer_id, first);
  const Bytes again = batch_of({"a", "b"}, options);
  const auto repeated = client.call(produce_request("t", again), 11).responses.at(0).partition_responses.at(0);
  EXPECT_EQ(repeated.error_code, ErrorCode::none);
  EXPECT_EQ(repeated.base_offset, 0) << "known as a repetition";
}

TEST(BrokerStart, WithoutFlushAcksRecordsAreConfirmedAndShownAtOnce) {
  TestBroker broker(Properties{{"log.flush.acks", "false"}});
  TestClient client(broker->port());
  CreateTopicsRequest create;
  create.topics.push_back({"t", 1, 1, {}, {}, {}});
  client.call(create);
  const Bytes batch = batch_of({"a"});
  ProduceRequest produce;
  produce.acks = -1;
  produce.topic_data.push_back({"t", {}, {{0, batch, {}}}, {}});
  EXPECT_EQ(client.call(produce, 11).responses.at(0).partition_responses.at(0).error_code, ErrorCode::none);
  ListOffsetsRequest latest;
  latest.topics.push_back({"t", {{0, -1, -1, {}}}, {}});
  EXPECT_EQ(client.call(latest, 7).topics.at(0).partitions.at(0).offset, 1);
}

TEST(BrokerStart, IdleTransactionalIdsAreForgottenAsOftenAsTheSettingsSay) {
  TestBroker broker(
      {{"transactional.id.expiration.ms", "1"}, {"transaction.remove.expired.transaction.cleanup.interval.ms", "10"}});
  TestClient client(broker->port());
  InitProducerIdRequest init;
  init.transactional_id = "idle";
  init.transaction_timeout_ms = 1000;
  ASSERT_TRUE(testing::eventually([&] { return client.call(init, 4).error_code == ErrorCode::none; }));
  DescribeTransactionsRequest describe;
  describe.transactional_ids = {"idle"};
  EXPECT_TRUE(testing::eventually([&] {
    return client.call(describe).transaction_states.at(0).error_code == ErrorCode::transactional_id_not_found;
  }));
}

// Random messages of every API in every version, and then with bytes changed.
TEST(BrokerFuzz, HostileRequestsNeitherCrashNorHang) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 3000; ++round) {
    Bytes frame;
    ByteWriter writer(frame);
    const auto apis = api_table();
    const auto& api = apis[random() % apis.size()];
    const auto version = static_cast<int16_t>(
        api.version_min +
        static_cast<int16_t>(random() % static_cast<uint64_t>(api.version_max - api.version_min + 1)));
    writer.i16(static_cast<int16_t>(api.key));
    writer.i16(version);
    writer.i32(round);
    writer.i16(-1);
    if (api.request_header_version(version) == 2) writer.u8(0);
    for (uint64_t left = random() % 60; left > 0; --left)
      writer.u8(random() % 3 == 0 ? static_cast<uint8_t>(random()) : static_cast<uint8_t>(random() % 4));
    fuzz_request(frame);
  }
  for (int round = 0; round < 1000; ++round) {
    Bytes frame;
    ProduceRequest request;
    request.acks = -1;
    const Bytes batch = batch_of({"a", "b"}, {.compression = static_cast<Compression>(random() % 5)});
    request.topic_data.push_back({"t", {}, {{0, batch, {}}}, {}});
    encode_request(request, 9, round, "fuzz", frame);
    frame.erase(0, 4);
    for (uint64_t changes = 1 + random() % 4; changes > 0; --changes)
      frame[random() % frame.size()] = static_cast<char>(random());
    fuzz_request(frame);
  }
}

}  // namespace
}  // namespace muir::broker
