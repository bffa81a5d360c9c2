// A thousand clients that mean no good, and one beside them that does: the broker's memory is bounded by what it is
// configured to take, the one is served, and what was taken is given back.
#include <gtest/gtest.h>
#include <snappy.h>

#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "base/memory.h"
#include "broker/internal/well_behaved_fixture.h"
#include "testing/eventually.h"
#include "testing/raw_socket.h"
#include "wire/block_writer.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/describe_configs.h"
#include "wire/messages/fetch.h"
#include "wire/messages/list_offsets.h"
#include "wire/messages/produce.h"

namespace muir::broker {
namespace {

using namespace wire;
using testing::eventually;
constexpr size_t kMib = 1024 * 1024;

class HostileClient {
 public:
  explicit HostileClient(uint16_t port) : socket_(port) {}

  void send_bytes(BytesView bytes) { (void)socket_.send_some(bytes); }
  // The length of a frame, and in further calls more and more of it. False when no more fits for now.
  bool send_some(size_t announced, size_t to_send) {
    static const Bytes filler(64 * 1024, 'x');
    if (sent_ == 0) {
      Bytes length;
      ByteWriter(length).u32(static_cast<uint32_t>(announced));
      if (socket_.send_some(length) != 4) return false;
      sent_ = 4;
    }
    if (sent_ >= to_send) return false;
    const ssize_t n = socket_.send_some(BytesView(filler).substr(0, to_send - sent_));
    if (n > 0) sent_ += static_cast<size_t>(n);
    return n > 0;
  }

 private:
  testing::RawSocket socket_;
  size_t sent_ = 0;
};

TEST(HostileClients, AThousandUnfinishedRequestsTakeNoMoreThanTheBudget) {
  const struct {
    const char* name;
    size_t announced;
    size_t sent;
  } cases[] = {
      {"3.9 MB of 4 MB", 4'000'000, 3'900'000},    {"the beginning of 100 MB", 100'000'000, 1'000'000},
      {"1 MB but for a byte", 1'000'000, 999'999}, {"60 kB but for a byte", 60'000, 59'999},
      {"15 kB but for a byte", 15'000, 14'999},    {"the length and a byte", 100, 5},
  };
  constexpr size_t kBudget = 64 * kMib;
  constexpr size_t kHeld = 8 * kMib;  // of what else connections hold
  TestBroker broker(
      {{"queued.max.request.bytes", std::to_string(kBudget)}, {"queued.max.response.bytes", std::to_string(kHeld)}});
  WellBehaved client(broker->port());
  client.is_served(900'000);
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    return_free_memory();
    const size_t before = resident();
    {
      std::vector<std::unique_ptr<HostileClient>> hostile;
      for (int i = 0; i < 1000; ++i) hostile.push_back(std::make_unique<HostileClient>(broker->port()));
      size_t most = 0;
      for (bool more = true; more;) {
        more = false;
        for (const auto& one : hostile) more = one->send_some(c.announced, c.sent) || more;
        most = std::max(most, resident());
      }
      client.is_served(100);
      client.is_served(900'000);
      most = std::max(most, resident());
      // Beside what is counted: the connections themselves, and what the test holds.
      EXPECT_LT(most, before + kBudget + kHeld + 1000 * 5 * 1024 + 16 * kMib);
    }
    EXPECT_TRUE(eventually([&] { return resident() < before + 24 * kMib; }))
        << resident() << " after, " << before << " before";
    client.is_served(900'000);
  }
}

FetchRequest fetch_of(Offset offset, int32_t bytes_max, int32_t min_bytes, int32_t max_wait_ms) {
  FetchRequest request;
  request.max_wait_ms = max_wait_ms;
  request.min_bytes = min_bytes;
  request.max_bytes = bytes_max;
  auto& topic = request.topics.emplace_back();
  topic.topic = "t";
  FetchRequest::Partition partition;
  partition.fetch_offset = offset.value();
  partition.partition_max_bytes = bytes_max;
  topic.partitions.push_back(partition);
  return request;
}

TEST(HostileClients, AnswersThatAreNotReadTakeNoMemory) {
  TestBroker broker;
  WellBehaved client(broker->port());
  for (int i = 0; i < 64; ++i) client.is_served(900'000);
  return_free_memory();
  const size_t before = resident();
  std::vector<std::unique_ptr<TestClient>> hostile;
  for (int i = 0; i < 40; ++i) {
    hostile.push_back(std::make_unique<TestClient>(broker->port()));
    hostile.back()->send(fetch_of(Offset(0), 55'000'000, 1, 1000), 12);
    hostile.back()->send(fetch_of(Offset(0), 55'000'000, 1, 1000), 12);
  }
  client.is_served(100);
  EXPECT_LT(resident(), before + 24 * kMib);
  // Each gets what it asked for when it reads.
  const auto answer = hostile.back()->receive_response<FetchResponse>(12);
  const auto& found = answer.responses.at(0).partitions.at(0);
  EXPECT_GT(found.records->size(), 54'000'000U);
  BatchReader batches(*found.records);
  while (const auto batch = batches.next().value()) ASSERT_TRUE(batch->check_crc().ok());
  EXPECT_TRUE(batches.rest().empty());
}

TEST(HostileClients, FetchesThatWaitHoldNoRecords) {
  TestBroker broker;
  WellBehaved client(broker->port());
  for (int i = 0; i < 10; ++i) client.is_served(900'000);
  return_free_memory();
  const size_t before = resident();
  std::vector<std::unique_ptr<TestClient>> hostile;
  for (int i = 0; i < 500; ++i) {
    hostile.push_back(std::make_unique<TestClient>(broker->port()));
    hostile.back()->send(fetch_of(Offset(0), 50'000'000, 2'000'000'000, 600'000), 12);
  }
  for (int i = 0; i < 5; ++i) client.is_served(900'000);  // wakes them all
  EXPECT_LT(resident(), before + 32 * kMib);
}

// Long answers by the thousand that nobody reads: of each connection one is made, they stay within their memory, and
// who asks beside them is served.
TEST(HostileClients, LongAnswersThatAreNotReadStayWithinTheirMemory) {
  constexpr size_t kMemory = 16 * kMib;
  constexpr int kConnections = 200;
  TestBroker broker({{"queued.max.response.bytes", std::to_string(kMemory)}});
  WellBehaved client(broker->port());
  CreateTopicsRequest create;
  DescribeConfigsRequest much;
  much.include_synonyms = much.include_documentation = true;
  for (int i = 0; i < 30; ++i) {
    create.topics.push_back({"described-" + std::to_string(i), 1, 1, {}, {}, {}});
    much.resources.push_back({2, create.topics.back().name, std::nullopt, {}});
  }
  for (const auto& made : TestClient(broker->port()).call(create).topics) ASSERT_EQ(made.error_code, ErrorCode::none);
  Bytes one;
  encode_request(much, 4, 1, "hostile", one);
  Bytes many;
  for (int i = 0; i < 300; ++i) many += one;
  return_free_memory();
  const size_t before = resident();
  std::vector<std::unique_ptr<HostileClient>> hostile;
  for (int i = 0; i < kConnections; ++i) {
    hostile.push_back(std::make_unique<HostileClient>(broker->port()));
    hostile.back()->send_bytes(many);
  }
  size_t most = 0;
  std::vector<int64_t> took_ms;
  for (int i = 0; i < 50; ++i) {
    const int64_t begin = system_clock().steady_us();
    client.is_served(100);
    took_ms.push_back((system_clock().steady_us() - begin) / 1000);
    most = std::max(most, resident());
  }
  std::sort(took_ms.begin(), took_ms.end());
  fmt::print("at most {} MiB more than before; three requests took {} ms in the middle, {} at most\n",
             (most - before) / kMib, took_ms[took_ms.size() / 2], took_ms.back());
  EXPECT_LT(most, before + kMemory + kConnections * 20 * 1024 + 16 * kMib);
}

// It is slowed down to what it reads, and gets every answer.
TEST(HostileClients, WhoAsksForMuchAndReadsItIsNotCutOff) {
  TestBroker broker;
  WellBehaved client(broker->port());
  for (int i = 0; i < 4; ++i) client.is_served(900'000);
  constexpr int kFetches = 1000;
  TestClient eager(broker->port());
  const size_t before = resident();
  for (int i = 0; i < kFetches; ++i) eager.send(fetch_of(Offset(i % 4), 900'000, 1, 0), 12);
  size_t most = 0;
  for (int i = 0; i < kFetches; ++i) {
    const auto answer = eager.receive_response<FetchResponse>(12);
    ASSERT_EQ(answer.responses.size(), 1U);
    EXPECT_GT(answer.responses.at(0).partitions.at(0).records->size(), 900'000U);
    most = std::max(most, resident());
  }
  client.is_served(100);
  EXPECT_LT(most, before + 32 * kMib);
}

// A record of a gigabyte, in some ten kB.
Bytes bomb() {
  constexpr size_t kZeros = 1024 * kMib;
  BatchBuilder builder;
  builder.add(2000, "k", "v");
  Bytes batch = builder.build().substr(0, kBatchHeaderBytes);
  Bytes body;
  ByteWriter writer(body);
  writer.i8(0);      // attributes
  writer.varint(0);  // timestamp
  writer.varint(0);  // offset
  writer.varint(1);
  writer.bytes("k");
  writer.varint(static_cast<int32_t>(kZeros));
  Bytes start;
  ByteWriter(start).varint(static_cast<int32_t>(body.size() + kZeros + 1));
  const auto block = *BlockWriter::make(Compression::zstd);
  EXPECT_TRUE(block->write(start + body, batch).ok());
  const Bytes piece(kMib, '\0');
  for (size_t i = 0; i < kZeros; i += piece.size()) EXPECT_TRUE(block->write(piece, batch).ok());
  EXPECT_TRUE(block->write(BytesView("\0", 1), batch).ok() && block->finish(batch).ok());  // no headers
  finish_payload(batch, Compression::zstd);
  return batch;
}

// A raw block of snappy that must be decompressed as a whole.
Bytes large_block() {
  BatchBuilder builder;
  builder.add(1000, "k", Bytes(9 * kMib, 'v'));
  const Bytes plain = builder.build();
  Bytes block;
  snappy::Compress(plain.data() + kBatchHeaderBytes, plain.size() - kBatchHeaderBytes, &block);
  Bytes batch = plain.substr(0, kBatchHeaderBytes) + block;
  finish_payload(batch, Compression::snappy);
  return batch;
}

ProduceRequest produce_of(BytesView batch) {
  ProduceRequest request;
  request.acks = 1;
  request.timeout_ms = static_cast<int32_t>(testing::kPatienceMs);
  request.topic_data.push_back({"t", {}, {{0, batch, {}}}, {}});
  return request;
}

TEST(HostileClients, BatchesThatHoldGigabytesAreTakenAndKeepNobodyWaiting) {
  constexpr int kBombs = 6;
  TestBroker broker;
  WellBehaved client(broker->port());
  const Bytes gigabyte = bomb();
  const Bytes block = large_block();
  BatchBuilder builder;
  builder.add(1000, "k", "v");
  const Bytes small = builder.build();
  return_free_memory();
  const size_t before = resident();
  std::vector<std::unique_ptr<TestClient>> hostile;
  const auto sends = [&](BytesView batch) {
    hostile.push_back(std::make_unique<TestClient>(broker->port()));
    hostile.back()->send(produce_of(batch), 11);
    hostile.back()->send(produce_of(small), 11);  // in its turn, not before
  };
  for (int i = 0; i < kBombs; ++i) sends(gigabyte);
  TestClient(broker->port()).send(produce_of(gigabyte), 11);  // and leaves
  sends(block);
  sends(block);
  client.is_served(1000);
  EXPECT_LT(client.end(), 1 + kBombs) << "it was served after the gigabytes, not meanwhile";
  size_t most = 0;
  for (int i = 0; i < 10; ++i) {
    client.is_served(1000);
    most = std::max(most, resident());
  }
  for (const auto& one : hostile) {
    const auto first = one->receive_response<ProduceResponse>(11).responses.at(0).partition_responses.at(0);
    const auto second = one->receive_response<ProduceResponse>(11).responses.at(0).partition_responses.at(0);
    EXPECT_EQ(first.error_code, ErrorCode::none) << first.error_message.value_or("");
    EXPECT_EQ(second.error_code, ErrorCode::none);
    EXPECT_LT(first.base_offset, second.base_offset);
    most = std::max(most, resident());
  }
  // Nor does looking for one of them.
  ListOffsetsRequest by_time;
  by_time.topics.push_back({"t", {{0, -1, 1500, {}}}, {}});
  const auto found = hostile.front()->call(by_time, 7).topics.at(0).partitions.at(0);
  EXPECT_EQ(found.error_code, ErrorCode::none);
  EXPECT_EQ(found.timestamp, 2000);
  EXPECT_LT(resident(), before + 48 * kMib);
  EXPECT_LT(most, before + 48 * kMib);
}

// It is not told whether, so it does not ask: what has arrived counts, as with Apache Kafka.
TEST(HostileClients, WhatIsSentWithoutAskingForAnAnswerIsAppendedAlthoughTheSenderHangsUp) {
  TestBroker broker;
  WellBehaved client(broker->port());
  const Bytes gigabyte = bomb();
  BatchBuilder builder;
  builder.add(1000, "k", "v");
  const Bytes small = builder.build();
  int64_t expected = 0;
  for (const int behind : {0, 3}) {
    TestClient sender(broker->port());
    for (int i = 0; i <= behind; ++i) {
      ProduceRequest request = produce_of(i == 0 ? gigabyte : small);
      request.acks = 0;
      sender.send(request, 11);
    }
    expected += 1 + behind;
  }
  EXPECT_TRUE(eventually([&] { return client.log_end() == expected; })) << client.log_end();
}

}  // namespace
}  // namespace muir::broker
