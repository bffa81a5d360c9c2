#include "streams/runtime/partition_queue.h"

#include <gtest/gtest.h>

namespace muir::streams::internal {
namespace {

class FakeRecords final : public client::Records {
 public:
  [[nodiscard]] std::span<const client::PartitionRecords> partitions() const override { return {}; }
  [[nodiscard]] size_t count() const override { return records.size(); }
  std::vector<client::ConsumedRecord> records;
};

// One line per event: "add a 5 7" gives partition a records of these times, "next" expects the record on its right.
class Timeline {
 public:
  explicit Timeline(const std::vector<std::string>& names)
      : group_(partitions(names),
               [](const std::string&, const client::ConsumedRecord& record, int64_t) -> Result<int64_t> {
                 return record.timestamp_ms;
               }) {}
  void add(const std::string& name, std::vector<int64_t> times) {
    auto records = std::make_shared<FakeRecords>();
    for (const int64_t time : times) {
      Offset& next = next_offset_[name];
      records->records.push_back({.offset = next, .timestamp_ms = time});
      ++next;
    }
    group_.add(*group_.find({name, PartitionId(0)}), records, records->records);
  }
  std::string next() {
    PartitionQueue* queue = group_.next();
    if (queue == nullptr) return "none";
    const std::string out = fmt::format("{}@{}", queue->partition().topic, queue->head_timestamp());
    group_.pop();
    return out;
  }
  PartitionGroup& group() { return group_; }

 private:
  static std::vector<client::TopicPartition> partitions(const std::vector<std::string>& names) {
    std::vector<client::TopicPartition> out;
    for (const auto& name : names) out.push_back({name, PartitionId(0)});
    return out;
  }
  std::map<std::string, Offset> next_offset_;
  PartitionGroup group_;
};

TEST(PartitionGroup, TheLowestHeadComesFirst) {
  Timeline line({"a", "b", "c"});
  line.add("a", {1, 5, 3});
  line.add("b", {2, 4});
  line.add("c", {6});
  for (const char* expected : {"a@1", "b@2", "b@4", "a@5", "a@3", "c@6", "none"}) EXPECT_EQ(line.next(), expected);
  EXPECT_EQ(line.group().stream_time(), 6);
}

TEST(PartitionGroup, EqualTimesFollowTheHeapOfJavasPriorityQueue) {
  // The order that java.util.PriorityQueue (OpenJDK 17) gives three queues of two equal records each.
  Timeline line({"a", "b", "c"});
  line.add("a", {1, 1});
  line.add("b", {1, 1});
  line.add("c", {1, 1});
  for (const char* expected : {"a@1", "c@1", "a@1", "c@1", "b@1", "b@1", "none"}) EXPECT_EQ(line.next(), expected);
}

TEST(PartitionGroup, RecordsWithoutAValidTimeAreSteppedOver) {
  Timeline line({"a"});
  line.add("a", {-1, 4, -1, -1, 2, -1});
  EXPECT_EQ(line.next(), "a@4");
  EXPECT_EQ(line.next(), "a@2");
  EXPECT_EQ(line.next(), "none");
  const auto& queue = *line.group().queues().front();
  EXPECT_EQ(queue.dropped(), 4U);
  EXPECT_EQ(queue.next_offset(), Offset(6));  // the dropped ones count as done
  EXPECT_EQ(queue.partition_time(), 4);
}

TEST(PartitionGroup, TimeNeverGoesBack) {
  Timeline line({"a", "b"});
  line.group().set_partition_time(*line.group().find({"a", PartitionId(0)}), 50);
  line.add("a", {10});
  EXPECT_EQ(line.next(), "a@10");
  EXPECT_EQ(line.group().find({"a", PartitionId(0)})->partition_time(), 50);
  EXPECT_EQ(line.group().stream_time(), 50);
}

TEST(PartitionGroup, KnowsWhetherEveryPartitionHasRecords) {
  Timeline line({"a", "b"});
  line.add("a", {1});
  EXPECT_FALSE(line.group().all_buffered());
  line.add("b", {1});
  EXPECT_TRUE(line.group().all_buffered());
  EXPECT_EQ(line.group().buffered(), 2U);
}

}  // namespace
}  // namespace muir::streams::internal
