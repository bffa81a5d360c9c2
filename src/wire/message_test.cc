#include <gtest/gtest.h>

#include <random>

#include "wire/frame.h"
#include "wire/message_table.h"
#include "wire/messages/api_versions.h"
#include "wire/messages/fetch.h"
#include "wire/messages/metadata.h"
#include "wire/messages/offset_fetch.h"
#include "wire/messages/produce.h"
#include "wire/random_messages.h"
#include "wire/records_apart.h"

namespace muir::wire {
namespace {

Bytes from_hex(std::string_view text) {
  Bytes out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    while (text[i] == ' ') ++i;
    out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

template <class M>
Bytes encoded(const M& message, int16_t version) {
  Bytes out;
  ByteWriter writer(out);
  encode(message, version, writer);
  return out;
}

Bytes random_bytes(const MessageFields& message, int16_t version, uint64_t seed) {
  Bytes bytes;
  RandomMessage(message, version, seed).append_to(bytes);
  return bytes;
}

TEST(MessageFields, DescribeEveryMessageInTheOrderOfTheTable) {
  ASSERT_EQ(message_fields().size(), message_table().size());
  for (size_t i = 0; i < message_fields().size(); ++i) {
    const MessageFields& fields = message_fields()[i];
    const MessageInfo& info = message_table()[i];
    EXPECT_EQ(fields.name, info.name);
    EXPECT_EQ(fields.version_min, info.version_min) << fields.name;
    EXPECT_EQ(fields.version_max, info.version_max) << fields.name;
    EXPECT_EQ(fields.flexible_since, info.flexible_since) << fields.name;
  }
}

// The bytes do not come from the codec: a field read into the place of another, or left out of both directions, shows.
TEST(Message, EveryMessageOfEveryVersionSurvivesARoundTripWithRandomContents) {
  constexpr uint64_t kSeed = 20261121;
  for (size_t i = 0; i < message_fields().size(); ++i) {
    const MessageFields& message = message_fields()[i];
    for (int16_t version = message.version_min; version <= message.version_max; ++version) {
      for (uint64_t seed = kSeed; seed < kSeed + 20; ++seed) {
        SCOPED_TRACE(fmt::format("{} v{} seed {}", message.name, version, seed));
        const Bytes bytes = random_bytes(message, version, seed);
        ByteReader reader(bytes);
        Bytes again;
        const Status status = message_table()[i].recode(reader, version, again);
        ASSERT_TRUE(status.ok()) << status.message();
        ASSERT_EQ(reader.remaining(), 0U);
        ASSERT_TRUE(again == bytes) << hex(again) << " was " << hex(bytes);
      }
    }
  }
}

TEST(Message, EveryTruncationOfAMessageIsAnErrorOrAShorterMessage) {
  for (size_t i = 0; i < message_fields().size(); ++i) {
    const MessageFields& message = message_fields()[i];
    const Bytes bytes = random_bytes(message, message.version_max, 7);
    for (size_t size = 0; size < bytes.size(); ++size) {
      ByteReader reader(BytesView(bytes).substr(0, size));
      Bytes out;
      EXPECT_FALSE(message_table()[i].recode(reader, message.version_max, out).ok())
          << message.name << " cut at " << size;
    }
  }
}

TEST(Message, MutatedBytesNeverBreakADecoder) {
  constexpr uint64_t kSeed = 1;
  std::mt19937_64 engine(kSeed);
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  for (size_t i = 0; i < message_fields().size(); ++i) {
    const MessageFields& message = message_fields()[i];
    for (int16_t version = message.version_min; version <= message.version_max; ++version) {
      Bytes input{static_cast<char>(i), static_cast<char>(version - message.version_min)};
      input += random_bytes(message, version, engine());
      for (int round = 0; round < 60; ++round) {
        Bytes mutated = input;
        for (uint64_t change = 0; change <= engine() % 4 && mutated.size() > 2; ++change) {
          const size_t at = 2 + engine() % (mutated.size() - 2);
          switch (engine() % 4) {
            case 0: mutated[at] = static_cast<char>(engine()); break;
            case 1: mutated[at] = static_cast<char>(0xff); break;
            case 2: mutated.resize(at); break;
            default: mutated.insert(at, 1, static_cast<char>(engine())); break;
          }
        }
        fuzz_message(mutated);
      }
    }
  }
}

TEST(Message, ApiVersionsRequestOfVersion3HasCompactStringsAndTags) {
  const ApiVersionsRequest request{.client_software_name = "librdkafka", .client_software_version = "2.0.2"};
  Bytes frame;
  encode_request(request, 3, 1, "rdkafka", frame);
  // Header 2 keeps the classic client id: 00 07 "rdkafka", then an empty tag buffer.
  EXPECT_EQ(hex(frame), hex(from_hex("00000024 0012 0003 00000001 0007 72646b61666b61 00"
                                     "0b 6c696272646b61666b61 06 322e302e32 00")));
}

TEST(Message, ApiVersionsResponsesAlwaysHaveTheOldestHeader) {
  ApiVersionsResponse response{.api_keys = {{.api_key = 18, .min_version = 0, .max_version = 4}}};
  Bytes frame;
  encode_response(response, 3, 9, frame);
  EXPECT_EQ(hex(frame), hex(from_hex("00000013 00000009 0000 02 0012 0000 0004 00 00000000 00")));
  ApiVersionsResponse read;
  const auto correlation = decode_response(BytesView(frame).substr(4), 3, read);
  ASSERT_TRUE(correlation.ok());
  EXPECT_EQ(*correlation, 9);
  EXPECT_EQ(read, response);
}

TEST(Message, MetadataRequestTellsAllTopicsFromNone) {
  const MetadataRequest all{};
  const MetadataRequest none{.topics = std::vector<MetadataRequest::Topic>{}};
  EXPECT_EQ(hex(encoded(all, 0)), "00 00 00 00") << "version 0 has no null: empty asks for all";
  EXPECT_EQ(hex(encoded(all, 1)), "ff ff ff ff");
  EXPECT_EQ(hex(encoded(none, 1)), "00 00 00 00");
  EXPECT_EQ(hex(encoded(all, 9)), "00 01 00 00 00");
}

TEST(Message, ProduceRequestBorrowsItsRecords) {
  const ProduceRequest request{
      .acks = -1,
      .timeout_ms = 1000,
      .topic_data = {{.name = "t", .partition_data = {{.index = 3, .records = BytesView("RECORDS")}}}}};
  for (const int16_t version : std::initializer_list<int16_t>{3, 7, 9, 12}) {
    const Bytes bytes = encoded(request, version);
    ByteReader reader(bytes);
    ProduceRequest read;
    ASSERT_TRUE(decode(reader, version, read).ok());
    ASSERT_EQ(read, request);
    const BytesView records = *read.topic_data[0].partition_data[0].records;
    EXPECT_TRUE(records.data() >= bytes.data() && records.data() < bytes.data() + bytes.size());
  }
}

TEST(Message, RecordsCanBeLeftOutAndPutInWhereTheyBelong) {
  FetchResponse response;
  for (const BytesView records : {"FIRST", "", "THE THIRD"}) {
    auto& topic = response.responses.emplace_back();
    topic.topic = "t";
    topic.partitions.emplace_back().records = records;
  }
  response.responses.emplace_back().partitions.emplace_back();  // null
  for (const int16_t version : std::initializer_list<int16_t>{4, 11, 12, 17}) {
    SCOPED_TRACE(version);
    const Bytes whole = encoded(response, version);
    Bytes out;
    {
      RecordsApart apart;
      const Bytes rest = encoded(response, version);
      ASSERT_EQ(apart.gaps().size(), 3U);
      size_t done = 0;
      for (size_t i = 0; i < 3; ++i) {
        const auto gap = apart.gaps()[i];
        const BytesView records = *response.responses[i].partitions[0].records;
        EXPECT_EQ(gap.bytes, records.size());
        out.append(rest, done, gap.position - done).append(records);
        done = gap.position;
      }
      out.append(rest, done);
    }
    EXPECT_EQ(hex(out), hex(whole));
    EXPECT_EQ(encoded(response, version), whole) << "and no longer";
  }
}

TEST(Message, KnownTagsAreWrittenOnlyWhenTheyDifferFromTheirDefault) {
  FetchResponse::Partition partition{};
  const FetchResponse plain{.responses = {{.topic = "t", .partitions = {partition}}}};
  partition.current_leader = {.leader_id = 2, .leader_epoch = 5};
  const FetchResponse leader{.responses = {{.topic = "t", .partitions = {partition}}}};
  EXPECT_EQ(encoded(leader, 12).size(), encoded(plain, 12).size() + 2 + 9);
  EXPECT_EQ(encoded(leader, 11), encoded(plain, 11)) << "version 11 has no tags";
}

TEST(Message, UnknownTagsSurviveARoundTripInOrder) {
  FetchRequest request{.cluster_id = "c"};
  request.replica_state = {.replica_id = 1, .replica_epoch = 2};
  request.unknown_tags = {{.tag = 7, .data = "seven"}, {.tag = 40, .data = {}}};
  const Bytes bytes = encoded(request, 15);
  ByteReader reader(bytes);
  FetchRequest read;
  ASSERT_TRUE(decode(reader, 15, read).ok());
  EXPECT_EQ(read, request);
  EXPECT_EQ(encoded(read, 15), bytes);
}

TEST(Message, RefusesTagsOutOfOrder) {
  Bytes bytes = encoded(OffsetFetchRequest{.groups = std::vector<OffsetFetchRequest::Group>{}}, 8);
  bytes.pop_back();
  bytes += from_hex("02 0500 0500");
  ByteReader reader(bytes);
  OffsetFetchRequest read;
  EXPECT_FALSE(decode(reader, 8, read).ok());
}

TEST(Message, RefusesAnArrayLongerThanTheInputCanHold) {
  Bytes bytes = from_hex("7fffffff 00");  // 2^31-1 topics in 5 bytes
  ByteReader reader(bytes);
  MetadataRequest read;
  EXPECT_FALSE(decode(reader, 1, read).ok());
}

TEST(Message, RefusesNullWhereTheVersionAllowsNone) {
  Bytes bytes = from_hex("ffffffff");
  ByteReader reader(bytes);
  MetadataRequest read;
  EXPECT_FALSE(decode(reader, 0, read).ok());
}

TEST(Message, RefusesVersionsOutsideTheTable) {
  ByteReader reader(BytesView{});
  ProduceRequest read;
  const Status status = decode(reader, 2, read);
  EXPECT_EQ(status.code(), Code::unsupported);
  EXPECT_EQ(error_code_of(status), ErrorCode::unsupported_version);
}

TEST(Frame, RequestHeaderIsReadBeforeItsBody) {
  Bytes frame;
  encode_request(MetadataRequest{}, 9, 77, std::nullopt, frame);
  ByteReader reader(BytesView(frame).substr(4));
  RequestHeader header;
  ASSERT_TRUE(decode_request_header(reader, header).ok());
  EXPECT_EQ(header.request_api_key, 3);
  EXPECT_EQ(header.request_api_version, 9);
  EXPECT_EQ(header.correlation_id, 77);
  EXPECT_FALSE(header.client_id.has_value());
  MetadataRequest body;
  EXPECT_TRUE(decode(reader, 9, body).ok());
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(Frame, AnUnknownApiKeepsItsCorrelationId) {
  Bytes bytes = from_hex("03e7 0000 0000002a ffff");
  ByteReader reader(bytes);
  RequestHeader header;
  EXPECT_EQ(decode_request_header(reader, header).code(), Code::unsupported);
  EXPECT_EQ(header.correlation_id, 42);
}

TEST(ApiTable, IsAscendingAndKnowsHeaderVersions) {
  int previous = -1;
  for (const ApiInfo& api : api_table()) {
    EXPECT_GT(static_cast<int>(api.key), previous);
    previous = static_cast<int>(api.key);
    EXPECT_EQ(find_api(static_cast<int16_t>(api.key)), &api);
  }
  EXPECT_EQ(api_info(ApiKey::produce).request_header_version(8), 1);
  EXPECT_EQ(api_info(ApiKey::produce).request_header_version(9), 2);
  EXPECT_EQ(api_info(ApiKey::produce).response_header_version(9), 1);
  EXPECT_EQ(api_info(ApiKey::api_versions).response_header_version(4), 0);
  EXPECT_EQ(find_api(4), nullptr);
}

TEST(ErrorCode, EveryCodeHasItsNameAndMapsThroughStatus) {
  EXPECT_EQ(name_of(ErrorCode::unknown_server_error), "UNKNOWN_SERVER_ERROR");
  EXPECT_EQ(name_of(ErrorCode::share_session_limit_reached), "SHARE_SESSION_LIMIT_REACHED");
  EXPECT_EQ(name_of(static_cast<ErrorCode>(999)), "UNKNOWN");
  for (int code = -1; code <= 133; ++code) {
    const auto e = static_cast<ErrorCode>(code);
    EXPECT_EQ(error_code_of(to_status(e, "produce topic=t")), e);
  }
  EXPECT_TRUE(is_retriable(ErrorCode::coordinator_load_in_progress));
  EXPECT_FALSE(is_retriable(ErrorCode::producer_fenced));
  EXPECT_EQ(error_code_of(error(Code::io_error, "disk")), ErrorCode::kafka_storage_error);
}

TEST(Uuid, TextIsKafkasBase64Url) {
  Uuid one{};
  one.bytes[15] = 1;
  EXPECT_EQ(one.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
  EXPECT_EQ(Uuid::parse("AAAAAAAAAAAAAAAAAAAAAQ"), one);
  EXPECT_EQ(Uuid::parse("too short"), std::nullopt);
  const Uuid random = Uuid::from_random(0x0123456789abcdef, 0xfedcba9876543210);
  EXPECT_EQ(Uuid::parse(random.to_string()), random);
}

}  // namespace
}  // namespace muir::wire
