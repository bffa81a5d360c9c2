// The broker as librdkafka and kcat see it: produce, consume, groups, idempotence, transactions.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <fstream>
#include <map>
#include <set>

#include "base/file.h"
#include "broker/internal/broker_fixture.h"
#include "log/file_names.h"
#include "testing/child_process.h"
#include "testing/eventually.h"
#include "wire/messages/fetch.h"

namespace muir::broker {
namespace {

using Strings = std::map<std::string, std::string>;

struct KafkaDeleter {
  void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
using Handle = std::unique_ptr<rd_kafka_t, KafkaDeleter>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, KafkaDeleter>;
using Message = std::unique_ptr<rd_kafka_message_t, KafkaDeleter>;

struct Deliveries {
  int ok = 0;
  int failed = 0;
};

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto* deliveries = static_cast<Deliveries*>(opaque);
  ++(message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? deliveries->ok : deliveries->failed);
}

Handle make(rd_kafka_type_t type, const TestBroker& broker, Strings settings, Deliveries* deliveries = nullptr) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char problem[256];
  settings["bootstrap.servers"] = broker.address();
  for (const auto& [key, value] : settings) {
    EXPECT_EQ(rd_kafka_conf_set(conf, key.c_str(), value.c_str(), problem, sizeof(problem)), RD_KAFKA_CONF_OK)
        << problem;
  }
  if (deliveries != nullptr) {
    rd_kafka_conf_set_opaque(conf, deliveries);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  }
  Handle handle(rd_kafka_new(type, conf, problem, sizeof(problem)));
  EXPECT_NE(handle, nullptr) << problem;
  if (type == RD_KAFKA_CONSUMER) rd_kafka_poll_set_consumer(handle.get());
  return handle;
}

void produce(rd_kafka_t* producer, const std::string& topic, const std::string& key, const std::string& value) {
  for (;;) {
    const auto error =
        rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_KEY(key.data(), key.size()),
                          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      ASSERT_EQ(error, RD_KAFKA_RESP_ERR_NO_ERROR) << rd_kafka_err2str(error);
      return;
    }
    rd_kafka_poll(producer, 100);
  }
}

void expect_ok(rd_kafka_error_t* failure, const char* what) {
  EXPECT_EQ(failure, nullptr) << what << ": " << (failure != nullptr ? rd_kafka_error_string(failure) : "");
  if (failure != nullptr) rd_kafka_error_destroy(failure);
}

void subscribe(rd_kafka_t* consumer, const std::string& topic) {
  PartitionList topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  ASSERT_EQ(rd_kafka_subscribe(consumer, topics.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
}

// Polls until `count` records have come, as long as there is patience.
std::vector<std::string> consume(rd_kafka_t* consumer, size_t count) {
  std::vector<std::string> out;
  const auto deadline = std::chrono::steady_clock::now() + testing::kPatience;
  while (out.size() < count && std::chrono::steady_clock::now() < deadline) {
    Message message(rd_kafka_consumer_poll(consumer, 100));
    if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    out.emplace_back(static_cast<const char*>(message->payload), message->len);
  }
  return out;
}

const Strings kFromStart = {
    {"auto.offset.reset", "earliest"}, {"enable.auto.commit", "false"}, {"session.timeout.ms", "6000"}};

Strings with(Strings base, const Strings& more) {
  base.insert(more.begin(), more.end());
  return base;
}

TEST(RdKafka, EveryRecordArrivesOnceInOrderPerKeyWithEveryCodec) {
  TestBroker broker(Properties{{"num.partitions", "3"}});
  for (const std::string codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    SCOPED_TRACE(codec);
    constexpr int kCount = 5000;
    const std::string topic = "t-" + codec;
    Deliveries deliveries;
    {
      const Handle producer =
          make(RD_KAFKA_PRODUCER, broker,
               {{"compression.codec", codec}, {"linger.ms", "5"}, {"enable.idempotence", "true"}}, &deliveries);
      for (int i = 0; i < kCount; ++i) produce(producer.get(), topic, "key" + std::to_string(i % 7), std::to_string(i));
      ASSERT_EQ(rd_kafka_flush(producer.get(), 20'000), RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    EXPECT_EQ(deliveries.ok, kCount);
    EXPECT_EQ(deliveries.failed, 0);
    const Handle consumer =
        make(RD_KAFKA_CONSUMER, broker, with(kFromStart, {{"group.id", "g-" + codec}, {"check.crcs", "true"}}));
    subscribe(consumer.get(), topic);
    const auto values = consume(consumer.get(), kCount);
    ASSERT_EQ(values.size(), static_cast<size_t>(kCount));
    std::map<int, int> last_of_key;
    for (const auto& value : values) {
      const int number = std::stoi(value);
      const auto [it, first] = last_of_key.try_emplace(number % 7, number);
      if (!first) {
        EXPECT_EQ(number, it->second + 7);
        it->second = number;
      }
    }
    rd_kafka_consumer_close(consumer.get());
  }
}

TEST(RdKafka, AGroupSharesPartitionsAndGoesOnWhereItCommitted) {
  TestBroker broker(Properties{{"num.partitions", "4"}});
  {
    const Handle producer = make(RD_KAFKA_PRODUCER, broker, {});
    for (int i = 0; i < 200; ++i) produce(producer.get(), "t", std::to_string(i), "first " + std::to_string(i));
    ASSERT_EQ(rd_kafka_flush(producer.get(), 20'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  const auto settings = with(kFromStart, {{"group.id", "g"}});
  const Handle one = make(RD_KAFKA_CONSUMER, broker, settings);
  const Handle two = make(RD_KAFKA_CONSUMER, broker, settings);
  subscribe(one.get(), "t");
  subscribe(two.get(), "t");
  const auto partitions_of = [](rd_kafka_t* consumer) {
    rd_kafka_topic_partition_list_t* raw = nullptr;
    rd_kafka_assignment(consumer, &raw);
    const PartitionList list(raw);
    return list == nullptr ? 0 : list->cnt;
  };
  std::set<std::string> seen;
  const auto take = [&](rd_kafka_t* consumer) {
    Message message(rd_kafka_consumer_poll(consumer, 20));
    if (message != nullptr && message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
      seen.insert(std::string(static_cast<const char*>(message->payload), message->len));
  };
  EXPECT_TRUE(testing::eventually([&] {
    take(one.get());
    take(two.get());
    return seen.size() == 200 && partitions_of(one.get()) == 2 && partitions_of(two.get()) == 2;
  }));
  for (rd_kafka_t* consumer : {one.get(), two.get()}) {
    EXPECT_EQ(rd_kafka_commit(consumer, nullptr, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_consumer_close(consumer);
  }
  broker.restart();
  {
    const Handle producer = make(RD_KAFKA_PRODUCER, broker, {});
    produce(producer.get(), "t", "k", "second");
    ASSERT_EQ(rd_kafka_flush(producer.get(), 20'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  const Handle three = make(RD_KAFKA_CONSUMER, broker, settings);
  subscribe(three.get(), "t");
  EXPECT_EQ(consume(three.get(), 1), std::vector<std::string>{"second"});
  rd_kafka_consumer_close(three.get());
}

TEST(RdKafka, TransactionsAreSeenWholeOrNotAtAll) {
  TestBroker broker;
  const Handle producer = make(RD_KAFKA_PRODUCER, broker, {{"transactional.id", "tx"}});
  expect_ok(rd_kafka_init_transactions(producer.get(), 20'000), "init");
  for (const bool commit : {true, false, true}) {
    expect_ok(rd_kafka_begin_transaction(producer.get()), "begin");
    for (int i = 0; i < 10; ++i) produce(producer.get(), "t", "k", (commit ? "kept " : "dropped ") + std::to_string(i));
    if (commit) {
      expect_ok(rd_kafka_commit_transaction(producer.get(), 20'000), "commit");
    } else {
      // What is aborted must have been written, or nothing would be tested.
      ASSERT_EQ(rd_kafka_flush(producer.get(), 20'000), RD_KAFKA_RESP_ERR_NO_ERROR);
      expect_ok(rd_kafka_abort_transaction(producer.get(), 20'000), "abort");
    }
  }
  const Handle committed =
      make(RD_KAFKA_CONSUMER, broker, with(kFromStart, {{"group.id", "c"}, {"isolation.level", "read_committed"}}));
  subscribe(committed.get(), "t");
  const auto kept = consume(committed.get(), 20);
  EXPECT_EQ(kept.size(), 20u);
  for (const auto& value : kept) EXPECT_TRUE(value.starts_with("kept")) << value;
  const Handle all =
      make(RD_KAFKA_CONSUMER, broker, with(kFromStart, {{"group.id", "u"}, {"isolation.level", "read_uncommitted"}}));
  subscribe(all.get(), "t");
  EXPECT_EQ(consume(all.get(), 30).size(), 30u);
}

// What the marker of the first transaction that was aborted in t-0 has become, on the disk of a broker that is down.
struct LostMarker {
  const char* name;
  size_t from;  // bytes of the marker whose bits are turned
  size_t count;
  bool known;  // a clean end has left notes of how transactions ended
};

void lose_first_abort(const std::string& folder, const LostMarker& how) {
  Env& env = system_env();
  const std::string log = folder + "/t-0/" + storage::segment_file(Offset(0), storage::kLogSuffix);
  const Bytes bytes = env.read_file(log).value();
  wire::BatchReader batches(bytes);
  size_t at = 0;
  for (bool found = false; !found;) {
    const auto batch = batches.next().value();
    ASSERT_TRUE(batch.has_value()) << "no marker";
    wire::RecordIterator records;
    wire::Record record;
    ASSERT_TRUE(records.reset(*batch).ok() && records.next(record));
    found = batch->header().control() && wire::parse_control_record(record)->type == wire::ControlType::abort;
    if (!found) at += batch->bytes().size();
  }
  const auto file = env.open(log, OpenMode::read_write).value();
  Bytes lost = bytes.substr(at + how.from, how.count);
  for (char& byte : lost) byte = static_cast<char>(~byte);
  ASSERT_TRUE(file->write_at(at + how.from, lost).ok());
  if (how.known) return;
  ASSERT_TRUE(env.remove(folder + "/.kafka_cleanshutdown").ok());
  const auto names = env.list(folder + "/t-0").value();
  for (const std::string& name : names) {
    for (const auto suffix : {storage::kSealSuffix, storage::kTxnIndexSuffix, storage::kSnapshotSuffix}) {
      ASSERT_TRUE(!name.ends_with(suffix) || env.remove(folder + "/t-0/" + name).ok());
    }
  }
}

Offset end_of(BytesView records) {
  Offset out;
  wire::BatchReader batches(records);
  while (const auto batch = batches.next().value()) out = batch->header().next_offset();
  return out;
}

TEST(RdKafka, WhatFollowsATransactionWhoseMarkerIsDamagedIsSeen) {
  constexpr LostMarker kCases[] = {{"its type is another one", 69, 1, true},
                                   {"all of it, and it is known how the transaction ended", 0, 78, true},
                                   {"all of it, and nothing is known", 0, 78, false}};
  for (const LostMarker& lost : kCases) {
    SCOPED_TRACE(lost.name);
    TestBroker broker;
    {
      const Handle producer = make(RD_KAFKA_PRODUCER, broker, {{"transactional.id", "tx"}});
      expect_ok(rd_kafka_init_transactions(producer.get(), 20'000), "init");
      for (const std::string value : {"committed 1", "aborted", "committed 2", "committed 3"}) {
        expect_ok(rd_kafka_begin_transaction(producer.get()), "begin");
        produce(producer.get(), "t", "k", value);
        ASSERT_EQ(rd_kafka_flush(producer.get(), 20'000), RD_KAFKA_RESP_ERR_NO_ERROR);
        expect_ok(value == "aborted" ? rd_kafka_abort_transaction(producer.get(), 20'000)
                                     : rd_kafka_commit_transaction(producer.get(), 20'000),
                  "end");
      }
    }
    broker.restart([&] { lose_first_abort(broker.folder(), lost); });
    // As librdkafka forgets the list of aborted transactions with each answer, the first one ends before the damage,
    // and does not wait for more bytes to come before it.
    TestClient client(broker->port());
    wire::FetchRequest request;
    request.max_wait_ms = 60'000;
    request.min_bytes = 400;  // there are so many, but not before the damage
    request.max_bytes = 1 << 20;
    request.isolation_level = 1;
    request.topics.push_back({"t", {}, {{}}, {}});
    request.topics[0].partitions[0].partition_max_bytes = 1 << 20;
    const auto response = client.call(request, 12);
    const wire::FetchResponse::Partition& first = response.responses.at(0).partitions.at(0);
    EXPECT_EQ(first.aborted_transactions.value().size(), 1u);
    EXPECT_EQ(end_of(first.records.value()), Offset(3));
    const Handle consumer =
        make(RD_KAFKA_CONSUMER, broker, with(kFromStart, {{"group.id", "g"}, {"isolation.level", "read_committed"}}));
    subscribe(consumer.get(), "t");
    EXPECT_EQ(consume(consumer.get(), 3), (std::vector<std::string>{"committed 1", "committed 2", "committed 3"}));
    rd_kafka_consumer_close(consumer.get());
  }
}

TEST(RdKafka, OffsetsCommittedInATransactionMoveTheGroup) {
  TestBroker broker;
  {
    const Handle plain = make(RD_KAFKA_PRODUCER, broker, {});
    for (int i = 0; i < 10; ++i) produce(plain.get(), "in", "k", std::to_string(i));
    ASSERT_EQ(rd_kafka_flush(plain.get(), 20'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  const auto settings = with(kFromStart, {{"group.id", "g"}});
  const Handle producer = make(RD_KAFKA_PRODUCER, broker, {{"transactional.id", "copy"}});
  expect_ok(rd_kafka_init_transactions(producer.get(), 20'000), "init");
  const auto transact = [&](rd_kafka_t* consumer, int64_t offset, bool commit) {
    expect_ok(rd_kafka_begin_transaction(producer.get()), "begin");
    produce(producer.get(), "out", "k", "up to " + std::to_string(offset));
    PartitionList offsets(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(offsets.get(), "in", 0)->offset = offset;
    rd_kafka_consumer_group_metadata_t* group = rd_kafka_consumer_group_metadata(consumer);
    expect_ok(rd_kafka_send_offsets_to_transaction(producer.get(), offsets.get(), group, 20'000), "offsets");
    rd_kafka_consumer_group_metadata_destroy(group);
    expect_ok(commit ? rd_kafka_commit_transaction(producer.get(), 20'000)
                     : rd_kafka_abort_transaction(producer.get(), 20'000),
              "end");
  };
  {
    const Handle consumer = make(RD_KAFKA_CONSUMER, broker, settings);
    subscribe(consumer.get(), "in");
    EXPECT_EQ(consume(consumer.get(), 10).size(), 10u);
    transact(consumer.get(), 4, true);
    transact(consumer.get(), 9, false);
    rd_kafka_consumer_close(consumer.get());
  }
  const Handle next = make(RD_KAFKA_CONSUMER, broker, settings);
  subscribe(next.get(), "in");
  EXPECT_EQ(consume(next.get(), 6).front(), "4") << "the aborted transaction's offset does not count";
  rd_kafka_consumer_close(next.get());
}

TEST(RdKafka, ANewProducerOfATransactionalIdFencesTheOldOne) {
  TestBroker broker;
  const Handle old_one = make(RD_KAFKA_PRODUCER, broker, {{"transactional.id", "tx"}});
  expect_ok(rd_kafka_init_transactions(old_one.get(), 20'000), "init");
  expect_ok(rd_kafka_begin_transaction(old_one.get()), "begin");
  produce(old_one.get(), "t", "k", "lost");
  ASSERT_EQ(rd_kafka_flush(old_one.get(), 20'000), RD_KAFKA_RESP_ERR_NO_ERROR);

  const Handle new_one = make(RD_KAFKA_PRODUCER, broker, {{"transactional.id", "tx"}});
  expect_ok(rd_kafka_init_transactions(new_one.get(), 20'000), "init of the second");
  expect_ok(rd_kafka_begin_transaction(new_one.get()), "begin of the second");
  produce(new_one.get(), "t", "k", "kept");
  expect_ok(rd_kafka_commit_transaction(new_one.get(), 20'000), "commit of the second");

  rd_kafka_error_t* failure = rd_kafka_commit_transaction(old_one.get(), 20'000);
  ASSERT_NE(failure, nullptr);
  EXPECT_TRUE(rd_kafka_error_is_fatal(failure)) << rd_kafka_error_string(failure);
  rd_kafka_error_destroy(failure);
  const Handle consumer = make(RD_KAFKA_CONSUMER, broker, with(kFromStart, {{"group.id", "g"}}));
  subscribe(consumer.get(), "t");
  EXPECT_EQ(consume(consumer.get(), 1), std::vector<std::string>{"kept"});
}

TEST(Kcat, ProducesConsumesListsAndQueries) {
  TestBroker broker(Properties{{"num.partitions", "2"}});
  testing::TempDir folder;
  const std::string input = folder.str() + "/in.txt";
  {
    std::ofstream file(input);
    for (int i = 0; i < 100; ++i) file << "k" << i % 5 << ":value " << i << "\n";
  }
  const auto kcat = [&](std::vector<std::string> arguments) {
    std::vector<std::string> command = {"kcat", "-b", broker.address()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const auto output = testing::run({.command = command});
    EXPECT_TRUE(output.ok()) << output.status().to_string();
    return output.ok() ? *output : std::string();
  };
  kcat({"-P", "-t", "t", "-K:", "-z", "zstd", "-l", input});
  const std::string consumed = kcat({"-C", "-t", "t", "-e", "-q"});
  EXPECT_EQ(std::count(consumed.begin(), consumed.end(), '\n'), 100);
  EXPECT_NE(kcat({"-L"}).find("topic \"t\" with 2 partitions"), std::string::npos);
  EXPECT_NE(kcat({"-Q", "-t", "t:0:-2"}).find("t [0] offset 0"), std::string::npos);
}

}  // namespace
}  // namespace muir::broker
