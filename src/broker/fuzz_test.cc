// Mutations of requests, and of the records of the internal topics, whose bytes are Apache Kafka's.
#include <gtest/gtest.h>

#include "base/cursor.h"
#include "broker/broker.h"
#include "broker/broker_config.h"
#include "broker/groups/group_records.h"
#include "broker/txns/txn_state.h"
#include "testing/mutations.h"
#include "wire/batch_builder.h"
#include "wire/frame.h"
#include "wire/messages/api_versions.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/fetch.h"
#include "wire/messages/find_coordinator.h"
#include "wire/messages/init_producer_id.h"
#include "wire/messages/join_group.h"
#include "wire/messages/list_offsets.h"
#include "wire/messages/metadata.h"
#include "wire/messages/produce.h"

namespace muir::broker {
namespace {

// A record as the fuzz entries take it: one byte for the size of the key.
Bytes with_key(const Bytes& key, const Bytes& value) { return Bytes(1, static_cast<char>(key.size())) + key + value; }

void put_string(ByteWriter& writer, BytesView text) {
  writer.i16(static_cast<int16_t>(text.size()));
  writer.bytes(text);
}
void put_bytes(ByteWriter& writer, BytesView bytes) {
  writer.i32(static_cast<int32_t>(bytes.size()));
  writer.bytes(bytes);
}

TEST(FuzzGroupRecord, SurvivesMutations) {
  const Bytes offset_key("\0\x01\0\x01g\0\x01t\0\0\0\x03", 12);
  const Bytes offset_value("\0\x03\0\0\0\0\0\0\0\x05\0\0\0\x01\0\x01m\0\0\0\0\0\0\x01\0", 25);
  const Bytes group_key("\0\x02\0\x01g", 5);
  Bytes group_value;
  ByteWriter writer(group_value);
  writer.i16(3);
  put_string(writer, "consumer");
  writer.i32(4);
  put_string(writer, "range");
  put_string(writer, "member");
  writer.i64(1'700'000'000'000);
  writer.i32(1);
  for (const char* text : {"member", "instance", "client", "/127.0.0.1"}) put_string(writer, text);
  writer.i32(60'000);
  writer.i32(10'000);
  put_bytes(writer, "subscription");
  put_bytes(writer, "assignment");
  testing::survive_mutations(
      "broker_group_record", fuzz_group_record,
      {with_key(offset_key, offset_value), with_key(group_key, group_value), with_key(group_key, "")});
}

TEST(FuzzTxnRecord, SurvivesMutations) {
  const Bytes key("\0\0\0\x01x", 5);
  Bytes value;
  ByteWriter writer(value);
  writer.i16(0);
  writer.i64(7);
  writer.i16(3);
  writer.i32(60'000);
  writer.i8(1);
  writer.i32(1);
  put_string(writer, "topic");
  writer.i32(2);
  writer.i32(0);
  writer.i32(5);
  writer.i64(200);
  writer.i64(100);
  testing::survive_mutations("broker_txn_record", fuzz_txn_record, {with_key(key, value), with_key(key, "")});
}

TEST(FuzzBrokerConfig, SurvivesMutations) {
  testing::survive_mutations(
      "broker_config", fuzz_config,
      {"listeners=PLAINTEXT://0.0.0.0:9092,TLS://"
       "[::1]:9093\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,TLS:SSL\n"
       "advertised.listeners=PLAINTEXT://broker:19092,TLS://b:1\nlistener.name.tls.ssl.client.auth=required\n",
       "node.id=3\nbroker.id=3\nlog.dirs=/"
       "data\nlog.retention.hours=168\nlog.segment.bytes=1073741824\nnum.partitions=3\n",
       "# comment\nlog.cleanup.policy=compact,delete\nlog.cleaner.min.compaction.lag.ms=5\nmessage.max.bytes=1048588\n"
       "compression.type=zstd\nauto.create.topics.enable=true\nprocess.roles=broker,controller\n"},
      {.alphabet = "=:,.-/[]\n0123456789"});
}

template <class Request>
Bytes frame_of(const Request& request, int16_t version) {
  Bytes frame;
  wire::encode_request(request, version, 1, "fuzz", frame);
  return frame.substr(sizeof(int32_t));  // the size stays with the connection
}

TEST(FuzzBrokerRequest, SurvivesMutations) {
  wire::BatchBuilder builder;
  builder.add(1, "key", "value");
  Bytes batch;
  ASSERT_TRUE(builder.build(batch).ok());
  wire::ProduceRequest produce;
  produce.acks = -1;
  produce.topic_data.push_back({"t", {}, {{{}, batch, {}}}, {}});
  wire::CreateTopicsRequest create;
  create.topics.push_back({.name = "u", .num_partitions = 1, .replication_factor = 1});
  wire::InitProducerIdRequest init;
  init.transactional_id = "x";
  init.transaction_timeout_ms = 60'000;
  wire::JoinGroupRequest join;
  join.group_id = "g";
  join.protocol_type = "consumer";
  join.session_timeout_ms = 10'000;
  join.rebalance_timeout_ms = 10'000;
  join.protocols.push_back({.name = "range", .metadata = "m"});
  testing::survive_mutations("broker_request", fuzz_request,
                             {frame_of(produce, 9), frame_of(create, 5), frame_of(init, 3), frame_of(join, 5),
                              frame_of(wire::ApiVersionsRequest{}, 3), frame_of(wire::MetadataRequest{}, 9)},
                             {.rounds = 4'000});
}

}  // namespace
}  // namespace muir::broker
