#include "broker/txns/txn_coordinator.h"

#include <gtest/gtest.h>

#include "broker/internal/partition_log_memory.h"
#include "broker/internal/scheduler_fake.h"
#include "testing/temp_dir.h"

namespace muir::broker {
namespace {

using wire::ErrorCode;

struct Producer {
  ProducerId id = kNoProducerId;
  ProducerEpoch epoch = kNoProducerEpoch;
  bool operator==(const Producer&) const = default;
};

ProducerId another(ProducerId id) { return ProducerId(id.value() + 50); }

class TxnCoordinatorTest : public ::testing::Test {
 protected:
  TxnCoordinatorTest() {
    log.create("t", 3);
    start();
  }
  void start() {
    producer_ids = std::make_unique<ProducerIds>(system_env(), folder.str() + "/producer-ids");
    groups = std::make_unique<GroupCoordinator>(GroupConfig{}, log, scheduler, clock);
    ASSERT_TRUE(groups->load().ok());
    txns = std::make_unique<TxnCoordinator>(config, log, *producer_ids, *groups, scheduler, clock);
    ASSERT_TRUE(txns->load().ok());
  }
  // What a crash leaves: the log as it is.
  void restart() {
    txns.reset();
    groups.reset();
    log.restart();
    start();
  }

  template <class Response>
  static std::pair<std::shared_ptr<std::optional<Response>>, std::function<void(Response)>> slot() {
    auto answer = std::make_shared<std::optional<Response>>();
    return {answer, [answer](Response response) {
              EXPECT_FALSE(answer->has_value()) << "answered twice";
              *answer = std::move(response);
            }};
  }
  wire::InitProducerIdResponse init(std::optional<std::string> id, Producer known = {}, int32_t timeout_ms = 60'000,
                                    int16_t version = 4) {
    auto [answer, reply] = slot<wire::InitProducerIdResponse>();
    txns->init_producer_id(version,
                           {.transactional_id = id,
                            .transaction_timeout_ms = timeout_ms,
                            .producer_id = known.id.value(),
                            .producer_epoch = known.epoch.value()},
                           reply);
    return **answer;
  }
  Producer producer(std::string id = "x", Producer known = {}) {
    const auto response = init(std::move(id), known);
    EXPECT_EQ(response.error_code, ErrorCode::none);
    return {ProducerId(response.producer_id), ProducerEpoch(response.producer_epoch)};
  }
  using Added = std::shared_ptr<std::optional<wire::AddPartitionsToTxnResponse>>;
  Added add_async(Producer p, PartitionId partition, std::string topic = "t", int16_t version = 3) {
    auto [answer, reply] = slot<wire::AddPartitionsToTxnResponse>();
    txns->add_partitions(version,
                         {.v3_and_below_transactional_id = "x",
                          .v3_and_below_producer_id = p.id.value(),
                          .v3_and_below_producer_epoch = p.epoch.value(),
                          .v3_and_below_topics = {{.name = std::move(topic), .partitions = {partition.value()}}}},
                         reply);
    return answer;
  }
  static ErrorCode error_of(const Added& answer) {
    return (*answer)->results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code;
  }
  ErrorCode add(Producer p, PartitionId partition = {}, std::string topic = "t", int16_t version = 3) {
    return error_of(add_async(p, partition, std::move(topic), version));
  }
  std::shared_ptr<std::optional<wire::EndTxnResponse>> end_async(Producer p, bool commit, int16_t version = 3) {
    auto [answer, reply] = slot<wire::EndTxnResponse>();
    txns->end_txn(
        version,
        {.transactional_id = "x", .producer_id = p.id.value(), .producer_epoch = p.epoch.value(), .committed = commit},
        reply);
    return answer;
  }
  ErrorCode end(Producer p, bool commit, int16_t version = 3) { return (*end_async(p, commit, version))->error_code; }
  wire::DescribeTransactionsResponse::TransactionState describe(const std::string& id = "x") {
    auto [answer, reply] = slot<wire::DescribeTransactionsResponse>();
    txns->describe_transactions({.transactional_ids = {id}}, reply);
    return (*answer)->transaction_states[0];
  }
  std::string state() { return describe().transaction_state; }

  TxnConfig config;
  testing::TempDir folder;
  ManualClock clock{1'700'000'000'000};
  ManualScheduler scheduler{clock};
  MemoryPartitionLog log;
  std::unique_ptr<ProducerIds> producer_ids;
  std::unique_ptr<GroupCoordinator> groups;
  std::unique_ptr<TxnCoordinator> txns;
};

TEST_F(TxnCoordinatorTest, IdempotentProducersGetIdsThatAreNeverGivenOutAgain) {
  const int64_t first = init(std::nullopt).producer_id;
  EXPECT_EQ(init(std::nullopt).producer_id, first + 1);
  restart();
  EXPECT_GT(init(std::nullopt).producer_id, first + 1);
  EXPECT_EQ(init(std::nullopt).producer_epoch, 0);
}

TEST_F(TxnCoordinatorTest, ADamagedFileOfIdsIsAnErrorNotAFreshStart) {
  ASSERT_TRUE(system_env().write_file(folder.str() + "/producer-ids", "12x\n").ok());
  restart();
  EXPECT_EQ(init(std::nullopt).error_code, ErrorCode::coordinator_load_in_progress);
}

TEST_F(TxnCoordinatorTest, RefusesInitThatCannotBe) {
  EXPECT_EQ(init("").error_code, ErrorCode::invalid_request);
  EXPECT_EQ(init("x", {}, 900'001).error_code, ErrorCode::invalid_transaction_timeout);
  EXPECT_EQ(init("x", {}, 0).error_code, ErrorCode::invalid_transaction_timeout);
  EXPECT_EQ(init("x", {.id = ProducerId(5)}).error_code, ErrorCode::invalid_request);
}

TEST_F(TxnCoordinatorTest, ACommitWritesMarkersToEveryPartition) {
  const Producer p = producer();
  EXPECT_EQ(p.epoch, ProducerEpoch(0));
  EXPECT_EQ(add(p, PartitionId(0)), ErrorCode::none);
  EXPECT_EQ(add(p, PartitionId(2)), ErrorCode::none);
  EXPECT_EQ(add(p, PartitionId(2)), ErrorCode::none) << "a second time changes nothing";
  EXPECT_EQ(state(), "Ongoing");
  EXPECT_EQ(describe().topics[0].partitions, (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(end(p, true), ErrorCode::none);
  EXPECT_EQ(state(), "CompleteCommit");
  const std::string marker = fmt::format("commit {}/0", p.id);
  EXPECT_EQ(log.markers("t", PartitionId(0)), std::vector{marker});
  EXPECT_EQ(log.markers("t", PartitionId(1)), std::vector<std::string>{});
  EXPECT_EQ(log.markers("t", PartitionId(2)), std::vector{marker});
}

TEST_F(TxnCoordinatorTest, TheClientIsAnsweredBeforeTheMarkersAreWritten) {
  const Producer p = producer();
  EXPECT_EQ(add(p), ErrorCode::none);
  log.hold();
  const auto answer = end_async(p, false);
  EXPECT_FALSE(answer->has_value()) << "the decision must be durable";
  EXPECT_EQ(add(p), ErrorCode::concurrent_transactions);
  log.release();
  EXPECT_EQ((*answer)->error_code, ErrorCode::none);
  EXPECT_EQ(log.markers("t", PartitionId(0)), std::vector{fmt::format("abort {}/0", p.id)});
}

TEST_F(TxnCoordinatorTest, TheNextTransactionWaitsForTheMarkersOfTheLast) {
  const Producer p = producer();
  EXPECT_EQ(add(p), ErrorCode::none);
  log.hold();
  const auto ended = end_async(p, true);
  log.release_one();  // the decision
  ASSERT_TRUE(ended->has_value());
  const auto added = add_async(p, PartitionId(1));
  EXPECT_FALSE(added->has_value());
  log.release();
  EXPECT_EQ(error_of(added), ErrorCode::none);
  EXPECT_EQ(describe().topics[0].partitions, std::vector<int32_t>{1});
}

TEST_F(TxnCoordinatorTest, TheNextTransactionIsToldWhenMarkersAreHeldUp) {
  const Producer p = producer();
  EXPECT_EQ(add(p), ErrorCode::none);
  log.hold();
  (void)end_async(p, true);
  log.fail_next(1);
  log.release_one();
  EXPECT_EQ(state(), "PrepareCommit");
  const auto added = add_async(p, PartitionId(1));
  log.fail_next(1);
  scheduler.advance(1000);
  EXPECT_EQ(error_of(added), ErrorCode::concurrent_transactions);
  log.release();
  scheduler.advance(1000);
  EXPECT_EQ(state(), "CompleteCommit");
}

TEST_F(TxnCoordinatorTest, ALostCompletionIsMadeUpForAtStart) {
  const Producer p = producer();
  EXPECT_EQ(add(p), ErrorCode::none);
  log.stop_after(2);  // the decision and the marker
  EXPECT_EQ(end(p, true), ErrorCode::none);
  EXPECT_EQ(state(), "CompleteCommit");
  restart();
  EXPECT_EQ(state(), "CompleteCommit");
  EXPECT_EQ(end(p, true), ErrorCode::none);
}

TEST_F(TxnCoordinatorTest, OnlyPartitionsOfTheOpenTransactionMayBeWritten) {
  const Producer p = producer();
  const auto check = [&](Producer who, PartitionId partition) {
    return txns->check_write(who.id, who.epoch, "t", partition);
  };
  EXPECT_EQ(check(p, PartitionId(0)), ErrorCode::invalid_txn_state) << "nothing was begun";
  EXPECT_EQ(add(p, PartitionId(0)), ErrorCode::none);
  EXPECT_EQ(check(p, PartitionId(0)), ErrorCode::none);
  EXPECT_EQ(check(p, PartitionId(1)), ErrorCode::invalid_txn_state);
  EXPECT_EQ(check({another(p.id), ProducerEpoch(0)}, PartitionId(0)), ErrorCode::invalid_txn_state);
  restart();
  EXPECT_EQ(check(p, PartitionId(0)), ErrorCode::none) << "the transaction is still open";
  EXPECT_EQ(end(p, true), ErrorCode::none);
  EXPECT_EQ(check(p, PartitionId(0)), ErrorCode::invalid_txn_state)
      << "a batch that comes late would open what nobody ends";
  const Producer next = producer();
  EXPECT_EQ(check(p, PartitionId(0)), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(check(next, PartitionId(0)), ErrorCode::invalid_txn_state);
}

TEST_F(TxnCoordinatorTest, EndTxnMayBeRepeatedButNotReversed) {
  const Producer p = producer();
  EXPECT_EQ(end(p, true), ErrorCode::invalid_txn_state) << "nothing was begun";
  EXPECT_EQ(add(p), ErrorCode::none);
  EXPECT_EQ(end(p, true), ErrorCode::none);
  EXPECT_EQ(end(p, true), ErrorCode::none);
  EXPECT_EQ(end(p, false), ErrorCode::invalid_txn_state);
  EXPECT_EQ(add(p), ErrorCode::none) << "the next transaction";
}

TEST_F(TxnCoordinatorTest, StrangersAreRefused) {
  const Producer p = producer();
  const ProducerEpoch older(static_cast<int16_t>(p.epoch.value() - 1));
  const struct {
    const char* name;
    Producer who;
    int16_t version;
    ErrorCode want;
  } cases[] = {
      {"another id", {another(p.id), p.epoch}, 3, ErrorCode::invalid_producer_id_mapping},
      {"an older epoch", {p.id, older}, 3, ErrorCode::producer_fenced},
      {"an older epoch, old client", {p.id, older}, 1, ErrorCode::invalid_producer_epoch},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(add(c.who, PartitionId(0), "t", c.version), c.want) << c.name;
    EXPECT_EQ(end(c.who, true, c.version), c.want) << c.name;
  }
  EXPECT_EQ(add(p, PartitionId(9)), ErrorCode::unknown_topic_or_partition);
}

TEST_F(TxnCoordinatorTest, ANewProducerFencesTheOldOneAndAbortsItsTransaction) {
  const Producer old = producer();
  EXPECT_EQ(add(old), ErrorCode::none);
  EXPECT_EQ(init("x").error_code, ErrorCode::concurrent_transactions) << "while the abort goes on";
  EXPECT_EQ(log.markers("t", PartitionId(0)), std::vector{fmt::format("abort {}/1", old.id)})
      << "with the epoch that fences";
  const Producer next = producer();
  EXPECT_EQ(next, (Producer{old.id, ProducerEpoch(2)}));
  EXPECT_EQ(add(old), ErrorCode::producer_fenced);
  EXPECT_EQ(end(old, true), ErrorCode::producer_fenced);
  EXPECT_EQ(add(next), ErrorCode::none);
}

TEST_F(TxnCoordinatorTest, AProducerBumpsItsEpochAfterAnError) {
  const Producer p = producer();
  const Producer bumped = producer("x", p);
  EXPECT_EQ(bumped, (Producer{p.id, ProducerEpoch(1)}));
  EXPECT_EQ(producer("x", p), bumped) << "its answer was lost, so it asks again";
  EXPECT_EQ(producer("x", bumped), (Producer{p.id, ProducerEpoch(2)}));
  EXPECT_EQ(init("x", p).error_code, ErrorCode::producer_fenced);
  EXPECT_EQ(init("x", p, 60'000, 3).error_code, ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(init("x", {another(p.id), ProducerEpoch(0)}).error_code, ErrorCode::producer_fenced);
}

TEST_F(TxnCoordinatorTest, AnExhaustedEpochBringsANewProducerId) {
  Producer p = producer();
  for (int epoch = 1; epoch < INT16_MAX; ++epoch) {
    const auto response = init("x");
    ASSERT_EQ(response.error_code, ErrorCode::none);
    if (ProducerId(response.producer_id) != p.id) {
      EXPECT_EQ(response.producer_epoch, 0);
      return;
    }
    p.epoch = ProducerEpoch(response.producer_epoch);
  }
  EXPECT_EQ(p.epoch, ProducerEpoch(INT16_MAX - 1));
  const Producer rotated = producer("x", p);
  EXPECT_NE(rotated.id, p.id);
  EXPECT_EQ(rotated.epoch, ProducerEpoch(0));
  EXPECT_EQ(producer("x", p), rotated) << "its answer was lost, so it asks again";
}

TEST_F(TxnCoordinatorTest, ATransactionThatIsOpenForTooLongIsAborted) {
  const Producer p = producer();
  EXPECT_EQ(add(p), ErrorCode::none);
  scheduler.advance(59'000);
  EXPECT_EQ(state(), "Ongoing");
  scheduler.advance(11'000);
  EXPECT_EQ(state(), "CompleteAbort");
  EXPECT_EQ(end(p, true), ErrorCode::producer_fenced);
  EXPECT_EQ(producer().epoch, ProducerEpoch(2));
}

TEST_F(TxnCoordinatorTest, ACrashBetweenDecisionAndMarkersIsCompletedAtStart) {
  const Producer p = producer();
  EXPECT_EQ(add(p, PartitionId(0)), ErrorCode::none);
  EXPECT_EQ(add(p, PartitionId(1)), ErrorCode::none);
  log.stop_after(2);  // the decision and one marker of two
  EXPECT_EQ(end(p, true), ErrorCode::none);
  restart();
  EXPECT_EQ(state(), "CompleteCommit");
  const std::string marker = fmt::format("commit {}/0", p.id);
  EXPECT_EQ(log.markers("t", PartitionId(0)), (std::vector{marker, marker}))
      << "a marker without a transaction changes nothing";
  EXPECT_EQ(log.markers("t", PartitionId(1)), std::vector{marker});
  EXPECT_EQ(add(p), ErrorCode::none) << "the producer goes on";
}

TEST_F(TxnCoordinatorTest, ACrashBeforeTheDecisionLeavesTheTransactionOpen) {
  const Producer p = producer();
  EXPECT_EQ(add(p), ErrorCode::none);
  log.stop_after(0);
  EXPECT_FALSE(end_async(p, true)->has_value());
  restart();
  EXPECT_EQ(state(), "Ongoing");
  EXPECT_EQ(end(p, false), ErrorCode::none);
  EXPECT_EQ(log.markers("t", PartitionId(0)), std::vector{fmt::format("abort {}/0", p.id)});
}

TEST_F(TxnCoordinatorTest, AMarkerThatFailsIsWrittenAgain) {
  const Producer p = producer();
  EXPECT_EQ(add(p), ErrorCode::none);
  log.hold();
  (void)end_async(p, true);
  log.fail_next(1);
  log.release();
  EXPECT_EQ(state(), "PrepareCommit");
  scheduler.advance(1000);
  EXPECT_EQ(state(), "CompleteCommit");
  EXPECT_EQ(log.markers("t", PartitionId(0)).size(), 1u);
}

TEST_F(TxnCoordinatorTest, ADeletedTopicNeedsNoMarker) {
  const Producer p = producer();
  EXPECT_EQ(add(p), ErrorCode::none);
  log.remove("t");
  EXPECT_EQ(end(p, true), ErrorCode::none);
  EXPECT_EQ(state(), "CompleteCommit");
}

TEST_F(TxnCoordinatorTest, OffsetsBecomeTheGroupsWithTheCommit) {
  const Producer p = producer();
  {
    auto [answer, reply] = slot<wire::AddOffsetsToTxnResponse>();
    txns->add_offsets(
        3, {.transactional_id = "x", .producer_id = p.id.value(), .producer_epoch = p.epoch.value(), .group_id = "g"},
        reply);
    EXPECT_EQ((*answer)->error_code, ErrorCode::none);
  }
  {
    auto [answer, reply] = slot<wire::TxnOffsetCommitResponse>();
    groups->txn_offset_commit(
        {.transactional_id = "x",
         .group_id = "g",
         .producer_id = p.id.value(),
         .producer_epoch = p.epoch.value(),
         .topics = {{.name = "t", .partitions = {{.partition_index = 0, .committed_offset = 9}}}}},
        reply);
    EXPECT_EQ((*answer)->topics[0].partitions[0].error_code, ErrorCode::none);
  }
  const auto fetch = [&] {
    auto [answer, reply] = slot<wire::OffsetFetchResponse>();
    groups->offset_fetch(
        7,
        {.group_id = "g",
         .topics = std::vector<wire::OffsetFetchRequest::Topic>{{.name = "t", .partition_indexes = {0}}},
         .require_stable = true},
        reply);
    return (*answer)->topics[0].partitions[0];
  };
  EXPECT_EQ(fetch().error_code, ErrorCode::unstable_offset_commit);
  EXPECT_EQ(end(p, true), ErrorCode::none);
  EXPECT_EQ(state(), "CompleteCommit");
  EXPECT_EQ(fetch().committed_offset, 9);
  restart();
  EXPECT_EQ(fetch().committed_offset, 9);
}

TEST_F(TxnCoordinatorTest, TransactionsAreListedAndDescribed) {
  const Producer p = producer();
  EXPECT_EQ(add(p), ErrorCode::none);
  (void)producer("idle");
  const auto list = [&](wire::ListTransactionsRequest request) {
    auto [answer, reply] = slot<wire::ListTransactionsResponse>();
    txns->list_transactions(std::move(request), reply);
    return **answer;
  };
  EXPECT_EQ(list({}).transaction_states.size(), 2u);
  EXPECT_EQ(list({.state_filters = {"Ongoing"}}).transaction_states.size(), 1u);
  EXPECT_EQ(list({.producer_id_filters = {p.id.value()}}).transaction_states[0].transactional_id, "x");
  EXPECT_EQ(list({.state_filters = {"Nonsense"}}).unknown_state_filters, std::vector<std::string>{"Nonsense"});
  EXPECT_EQ(describe().transaction_timeout_ms, 60'000);
  EXPECT_EQ(describe().transaction_start_time_ms, clock.now_ms());
  EXPECT_EQ(describe("unknown").error_code, ErrorCode::transactional_id_not_found);
}

TEST_F(TxnCoordinatorTest, UnusedIdsExpire) {
  (void)producer();
  clock.advance_ms(config.id_expiration_ms - 1);
  txns->expire_ids();
  EXPECT_EQ(state(), "Empty");
  clock.advance_ms(1);
  txns->expire_ids();
  EXPECT_EQ(describe().error_code, ErrorCode::transactional_id_not_found);
  restart();
  EXPECT_EQ(describe().error_code, ErrorCode::transactional_id_not_found);
}

TEST_F(TxnCoordinatorTest, ARecordThatCannotBeReadDoesNotHideTheOthers) {
  const Producer p = producer();
  EXPECT_EQ(add(p), ErrorCode::none);
  wire::BatchBuilder builder;
  builder.add(0, txn_key("newer"), "\x7f\x7f a value of a version to come");
  log.append(kTransactionState, *txns->partition_for("x"), builder.build(), [](const Status&, Offset) {});
  restart();
  EXPECT_EQ(state(), "Ongoing");
  EXPECT_EQ(end(p, true), ErrorCode::none);
}

TEST(TxnRecords, SurviveARoundTrip) {
  const TxnFields fields{.state = TxnState::prepare_commit,
                         .producer_id = ProducerId(5),
                         .previous_producer_id = ProducerId(4),
                         .epoch = ProducerEpoch(3),
                         .timeout_ms = 60'000,
                         .partitions = {{"a", PartitionId(0)}, {"a", PartitionId(2)}, {"b", PartitionId(1)}},
                         .start_ms = 100,
                         .updated_ms = 200};
  const Bytes key = txn_key("x");
  const Bytes value = txn_value(fields);
  EXPECT_EQ(hex(key), "00 00 00 01 78");
  wire::Record record;
  record.key = key;
  record.value = value;
  const auto parsed = parse_txn_record(record);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ((*parsed)->id, "x");
  EXPECT_EQ((*parsed)->fields, fields);
}

}  // namespace
}  // namespace muir::broker
