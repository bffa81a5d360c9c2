#include "streams/runtime/record_collector.h"

#include <gtest/gtest.h>

#include "streams/error_handlers.h"

namespace muir::streams::internal {
namespace {

// What the collector asks of its producer, in order; answers can be set per call.
struct Script {
  std::vector<std::string> calls;
  std::map<std::string, std::vector<Status>> answers;  // taken from the front; OK when none is left
  Status lost;                                         // why the transaction has to be aborted
  Status next(const std::string& call) {
    calls.push_back(call);
    auto& left = answers[call.substr(0, call.find(' '))];
    if (left.empty()) return {};
    Status out = left.front();
    left.erase(left.begin());
    return out;
  }
};

class FakeProducer final : public client::Producer {
 public:
  explicit FakeProducer(Script& script) : script_(script) {}
  Status send(std::span<const client::ProducedRecord> records, client::DeliveryCallback on_done) override {
    std::string text = "send";
    for (const auto& r : records) text += fmt::format(" {}={}", r.topic, r.value.value_or("null"));
    const Status status = script_.next(text);
    if (!status.ok()) return status;
    std::vector<client::Delivery> deliveries;
    for (const auto& r : records) {
      deliveries.push_back({r.partition.value_or(PartitionId(0)), next_offset_});
      ++next_offset_;
    }
    const Status delivered = script_.next("delivery");
    if (!delivered.ok()) deliveries.assign(records.size(), {.code = delivered.code()});
    // A second failure is that of the last record, the first one that of all others.
    if (const Status last = delivered.ok() ? Status() : script_.next("last"); !last.ok())
      deliveries.back().code = last.code();
    if (on_done) on_done(delivered, deliveries);
    return {};
  }
  Status flush(int64_t) override { return script_.next("flush"); }
  Result<int32_t> partition_count(const std::string&) override { return 8; }
  Status init_transactions(int64_t) override { return script_.next("init"); }
  Status begin_transaction() override { return script_.next("begin"); }
  Status send_offsets_to_transaction(const client::Offsets&, const client::GroupMetadata& group, int64_t) override {
    return script_.next(fmt::format("offsets generation={}", group.generation_id));
  }
  Status transaction_failure() override { return script_.lost; }
  Status commit_transaction(int64_t) override { return script_.next("commit"); }
  Status abort_transaction(int64_t) override { return script_.next("abort"); }

 private:
  Script& script_;
  Offset next_offset_;
};

class FakeClient final : public client::Client {
 public:
  Result<std::unique_ptr<client::Producer>> producer(const Properties& overrides) override {
    script.calls.push_back("producer " +
                           (overrides.contains("transactional.id") ? overrides.at("transactional.id") : ""));
    return std::unique_ptr<client::Producer>(std::make_unique<FakeProducer>(script));
  }
  Result<std::unique_ptr<client::Consumer>> consumer(const Properties&) override { return nothing(); }
  Result<std::unique_ptr<client::Admin>> admin(const Properties&) override { return nothing(); }
  Result<std::unique_ptr<client::GroupMember>> group_member(const client::GroupMemberOptions&,
                                                            client::GroupProtocol&) override {
    return nothing();
  }
  Script script;

 private:
  static Status nothing() { return error(Code::unsupported, "only producers"); }
};

class RecordCollectorTest : public ::testing::Test {
 protected:
  RecordCollector& make(bool exactly_once, OnFailure policy = OnFailure::fail) {
    collector_ = std::make_unique<RecordCollector>(
        client_, CollectorOptions{.exactly_once = exactly_once,
                                  .transactional_id = "app-1",
                                  .on_failure = make_failure_handler({.production = policy}),
                                  .batch_records = 3,
                                  .batch_bytes = 64});
    CHECK(collector_->open().ok());
    client_.script.calls.clear();
    return *collector_;
  }
  Status send(const std::string& topic, const std::string& value) {
    return collector_->send(topic, PartitionId(2), BytesView("k"), BytesView(value), 5, {});
  }
  std::string calls() {
    std::string out;
    for (const auto& call : client_.script.calls) out += (out.empty() ? "" : ", ") + call;
    client_.script.calls.clear();
    return out;
  }
  void answer(const std::string& call, Code code) {
    client_.script.answers[call].push_back(error(code, "{} fails", call));
  }

  FakeClient client_;
  std::unique_ptr<RecordCollector> collector_;
};

const client::Offsets kOffsets = {{{"in", PartitionId(0)}, {.offset = Offset(7)}}};
const client::GroupMetadata kGroup{.group_id = "app", .generation_id = GenerationId(4)};

TEST_F(RecordCollectorTest, GathersRecordsIntoBatches) {
  auto& collector = make(false);
  for (const char* value : {"1", "2", "3", "4"}) ASSERT_TRUE(send("out", value).ok());
  EXPECT_EQ(calls(), "send out=1 out=2 out=3, delivery");
  ASSERT_TRUE(collector.flush().ok());
  EXPECT_EQ(calls(), "send out=4, delivery, flush");
  ASSERT_TRUE(send("out", std::string(1'000, 'x')).ok());  // larger than a batch: goes alone
  ASSERT_TRUE(send("log", "5").ok());
  EXPECT_EQ(calls(), "send out=" + std::string(1'000, 'x') + ", delivery");
  EXPECT_EQ(collector.acknowledged_offset("out", PartitionId(2)), Offset(4));
  EXPECT_EQ(collector.acknowledged_offset("out", PartitionId(0)), kNoOffset);
  EXPECT_EQ(collector.partition_count("out").value(), 8);
}

TEST_F(RecordCollectorTest, ATransactionBeginsWithTheFirstRecordAndHoldsTheOffsets) {
  auto& collector = make(true);
  EXPECT_FALSE(collector.in_transaction());
  ASSERT_TRUE(send("out", "1").ok());
  ASSERT_TRUE(collector.push().ok());
  EXPECT_TRUE(collector.in_transaction());
  ASSERT_TRUE(send("out", "2").ok());
  ASSERT_TRUE(collector.commit(kOffsets, kGroup).ok());
  EXPECT_EQ(calls(), "begin, send out=1, delivery, send out=2, delivery, offsets generation=4, flush, commit");
  EXPECT_FALSE(collector.in_transaction());
  ASSERT_TRUE(collector.commit(kOffsets, kGroup).ok());  // offsets moved, nothing was written
  EXPECT_EQ(calls(), "begin, offsets generation=4, flush, commit");
}

TEST_F(RecordCollectorTest, AnUnansweredCommitIsAskedForAgain) {
  auto& collector = make(true);
  answer("commit", Code::timed_out);
  EXPECT_TRUE(collector.commit(kOffsets, kGroup).ok());
  EXPECT_EQ(calls(), "begin, offsets generation=4, flush, commit, commit");
}

TEST_F(RecordCollectorTest, AnAbortForgetsWhatWasGatheredAndWhatFailed) {
  auto& collector = make(true);
  answer("commit", Code::aborted);
  EXPECT_EQ(collector.commit(kOffsets, kGroup).code(), Code::aborted);
  EXPECT_EQ(collector.producer_failure().code(), Code::aborted);
  ASSERT_TRUE(send("out", "lost").ok());
  ASSERT_TRUE(collector.abort().ok());
  EXPECT_EQ(calls(), "begin, offsets generation=4, flush, commit, abort");
  EXPECT_TRUE(collector.producer_failure().ok());
  ASSERT_TRUE(send("out", "new").ok());
  ASSERT_TRUE(collector.commit(kOffsets, kGroup).ok());
  EXPECT_EQ(calls(), "begin, send out=new, delivery, offsets generation=4, flush, commit");
}

TEST_F(RecordCollectorTest, AFailedDeliveryFailsEveryCallUntilAnAbort) {
  auto& collector = make(true);
  answer("delivery", Code::timed_out);
  ASSERT_TRUE(send("out", "1").ok());
  ASSERT_TRUE(collector.push().ok());
  EXPECT_EQ(collector.push().code(), Code::timed_out);
  EXPECT_EQ(collector.commit(kOffsets, kGroup).code(), Code::timed_out);
  EXPECT_NE(collector.producer_failure().message().find("topic out"), std::string::npos);
  ASSERT_TRUE(collector.abort().ok());
  EXPECT_TRUE(collector.push().ok());
  EXPECT_EQ(collector.acknowledged_offset("out", PartitionId(2)), kNoOffset);
}

TEST_F(RecordCollectorTest, AFencedProducerIsReplaced) {
  auto& collector = make(true);
  answer("begin", Code::fenced);
  ASSERT_TRUE(send("out", "1").ok());
  EXPECT_EQ(collector.push().code(), Code::fenced);
  collector.close();
  EXPECT_FALSE(collector.is_open());
  ASSERT_TRUE(collector.open().ok());
  EXPECT_EQ(calls(), "begin, producer app-1, init");
  EXPECT_TRUE(collector.producer_failure().ok());
}

TEST_F(RecordCollectorTest, ARefusedRecordIsSkippedWhenThePolicySaysSo) {
  for (const auto policy : {OnFailure::fail, OnFailure::proceed}) {
    auto& collector = make(false, policy);
    answer("delivery", Code::invalid_argument);
    ASSERT_TRUE(send("out", "1").ok());
    ASSERT_TRUE(collector.push().ok());
    EXPECT_EQ(collector.flush().ok(), policy == OnFailure::proceed);
    EXPECT_EQ(collector.records_failed(), policy == OnFailure::proceed ? 1U : 0U);
    EXPECT_EQ(collector.records_acknowledged(), 0U);
  }
}

TEST_F(RecordCollectorTest, ARefusedRecordDoesNotHideThatAnotherOneWasLost) {
  auto& collector = make(false, OnFailure::proceed);
  answer("delivery", Code::invalid_argument);  // the first of the two is too large
  answer("last", Code::timed_out);             // the brokers never had the second
  ASSERT_TRUE(send("out", "1").ok());
  ASSERT_TRUE(send("out", "2").ok());
  ASSERT_TRUE(collector.push().ok());
  EXPECT_FALSE(collector.flush().ok());
  EXPECT_EQ(collector.records_failed(), 1U);
}

TEST_F(RecordCollectorTest, AFullProducerIsWaitedFor) {
  auto& collector = make(false);
  answer("send", Code::resource_exhausted);
  ASSERT_TRUE(send("out", "1").ok());
  EXPECT_TRUE(collector.push().ok());
  EXPECT_EQ(calls(), "send out=1, flush, send out=1, delivery");
  EXPECT_EQ(collector.records_acknowledged(), 1U);
}

}  // namespace
}  // namespace muir::streams::internal
