// For tests of clients that mean no good: one beside them that does, and is served.
#pragma once

#include "base/memory.h"
#include "broker/internal/broker_fixture.h"
#include "testing/eventually.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/list_offsets.h"
#include "wire/messages/metadata.h"
#include "wire/messages/produce.h"

namespace muir::broker {

// Sanitizers take memory of their own: with them nothing is measured, and only what is answered counts.
inline size_t resident() {
#ifdef MUIR_SANITIZED
  return 0;
#else
  return resident_bytes();
#endif
}

// Blocking. Owned by one thread.
class WellBehaved {
 public:
  explicit WellBehaved(uint16_t port) : client_(port) {
    wire::CreateTopicsRequest request;
    request.topics.push_back({"t", 1, 1, {}, {}, {}});
    EXPECT_EQ(client_.call(request).topics.at(0).error_code, wire::ErrorCode::none);
  }
  // Asks for metadata, produces a record of so many bytes, and asks where it ended.
  void is_served(size_t bytes) {
    wire::MetadataRequest metadata;
    metadata.topics.emplace().emplace_back().name = "t";
    EXPECT_EQ(client_.call(metadata, 12).topics.at(0).error_code, wire::ErrorCode::none);
    wire::BatchBuilder builder;
    builder.add(1000, std::nullopt, Bytes(bytes, 'v'));
    Bytes batch;
    ASSERT_TRUE(builder.build(batch).ok());
    wire::ProduceRequest produce;
    produce.acks = -1;
    produce.timeout_ms = static_cast<int32_t>(testing::kPatienceMs);
    produce.topic_data.push_back({"t", {}, {{0, batch, {}}}, {}});
    const auto written = client_.call(produce, 11).responses.at(0).partition_responses.at(0);
    EXPECT_EQ(written.error_code, wire::ErrorCode::none);
    EXPECT_GT(log_end(), written.base_offset);
    end_ = written.base_offset + 1;
  }
  int64_t log_end() {
    wire::ListOffsetsRequest latest;
    latest.topics.push_back({"t", {{0, -1, -1, {}}}, {}});
    return client_.call(latest, 7).topics.at(0).partitions.at(0).offset;
  }
  // Behind its last record.
  [[nodiscard]] int64_t end() const { return end_; }

 private:
  TestClient client_;
  int64_t end_ = 0;
};

}  // namespace muir::broker
