// What a producer does with records that a topic does not take, alike on Muir's broker and on Apache Kafka: batches are
// split until only the records at fault fail, and all others arrive once and in order.
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "client/kafka_client.h"
#include "cluster/topic_settings.h"
#include "interop/brokers.h"
#include "testing/eventually.h"
#include "wire/error_code.h"

namespace muir::client {
namespace {

constexpr int64_t kWaitMs = muir::testing::kPatienceMs;
constexpr int64_t kTime = 1'700'000'000'000;  // of every record, plus the length of its value
const Header kHeader{"h", "1"};
constexpr int kMessageTooLarge = 10;
constexpr int kInvalidRecord = 87;

class ProducerRefusals : public interop::OnBothBrokers {
 protected:
  void SetUp() override {
    client_ = connect_kafka({{"bootstrap.servers", bootstrap()}, {"client.id", "refusals"}}).value();
    admin_ = client_->admin({}).value();
  }
  void create(const std::string& topic, std::map<std::string, std::string> configs, int32_t partitions = 1) {
    configs.emplace("retention.ms", "-1");  // the records' time is long past
    const Status created = admin_->create_topic(
        {.name = topic, .partitions = partitions, .replication_factor = 1, .configs = std::move(configs)});
    ASSERT_TRUE(created.ok()) << created.to_string();
  }
  // Values of a partition as committed readers see them.
  std::vector<std::string> read(const std::string& topic, int32_t partition = 0) {
    const TopicPartition tp{topic, PartitionId(partition)};
    auto ends = admin_->list_offsets({tp}, OffsetSpec::latest(), IsolationLevel::read_committed);
    EXPECT_TRUE(ends.ok()) << ends.status().to_string();
    auto consumer = client_->consumer({{"isolation.level", "read_committed"}}).value();
    const PartitionStart start{tp, Offset(0)};
    EXPECT_TRUE(consumer->assign({{start}}).ok());
    std::vector<std::string> values;
    for (int i = 0; i < 600; ++i) {
      auto records = consumer->poll(100);
      EXPECT_TRUE(records.ok()) << records.status().to_string();
      if (!records.ok()) break;
      for (const auto& part : (*records)->partitions()) {
        for (const auto& one : part.records) {
          values.emplace_back(one.value.value_or("<null>"));
          EXPECT_EQ(one.timestamp_ms, kTime + static_cast<int64_t>(one.value->size()));
          EXPECT_EQ(one.key, OptBytesView("k"));
          EXPECT_EQ(one.headers.size(), 1u);
        }
      }
      if (const auto at = consumer->position(tp); at.ok() && *at >= ends->at(tp)) return values;
    }
    ADD_FAILURE() << "topic " << topic << " was not read to its end";
    return values;
  }

  std::unique_ptr<Client> client_;
  std::unique_ptr<Admin> admin_;
};

// The first letters number the value; the rest is noise, which no codec makes smaller.
std::string noise(std::mt19937_64& random, size_t number, size_t bytes) {
  std::string out = fmt::format("{:06}", number);
  while (out.size() < bytes) out.push_back(static_cast<char>(random()));
  return out;
}

// What tells values apart: bytes of noise in a message of a failed test help nobody.
std::vector<std::string> numbers(const std::vector<std::string>& values) {
  std::vector<std::string> out;
  for (const auto& value : values) out.push_back(fmt::format("{}+{}", value.substr(0, 6), value.size() - 6));
  return out;
}

using Sent = std::vector<std::pair<std::string, Delivery>>;

// Sends `values` in batches of random length and notes what became of each, in order.
Sent send_all(Producer& producer, const std::string& topic, const std::vector<std::string>& values,
              std::mt19937_64& random) {
  Sent sent(values.size());
  std::mutex mutex;
  for (size_t first = 0; first < values.size();) {
    const size_t count = std::min<size_t>(1 + random() % 60, values.size() - first);
    std::vector<ProducedRecord> records;
    for (size_t i = first; i < first + count; ++i) {
      records.push_back({.topic = topic,
                         .partition = PartitionId(0),
                         .key = "k",
                         .value = values[i],
                         .timestamp_ms = kTime + static_cast<int64_t>(values[i].size()),
                         .headers = {&kHeader, 1}});
      sent[i].first = values[i];
    }
    const Status queued = producer.send(records, [&sent, &mutex, first](const Status&, std::span<const Delivery> d) {
      const std::lock_guard lock(mutex);
      for (size_t i = 0; i < d.size(); ++i) sent[first + i].second = d[i];
    });
    EXPECT_TRUE(queued.ok()) << queued.to_string();
    first += count;
    if (random() % 4 == 0) (void)producer.flush(kWaitMs);
  }
  (void)producer.flush(kWaitMs);
  return sent;
}

struct SplitCase {
  std::string name;
  Properties producer;
};

TEST_P(ProducerRefusals, RandomSizesArriveOnceAndInOrderButThoseThatNoBatchCouldHold) {
  const std::vector<SplitCase> cases{{"plain", {}},
                                     {"lz4", {{"compression.type", "lz4"}}},
                                     {"zstd and a linger", {{"compression.type", "zstd"}, {"linger.ms", "50"}}},
                                     {"small batches", {{"batch.size", "3000"}}}};
  uint64_t seed = 20261128;
  for (const SplitCase& c : cases) {
    SCOPED_TRACE(fmt::format("{}, seed {}", c.name, ++seed));
    std::mt19937_64 random(seed);
    const int64_t limit = 500 + static_cast<int64_t>(random() % 4000);
    const std::string topic = fmt::format("sizes-{}", seed);
    create(topic, {{"max.message.bytes", std::to_string(limit)}});
    std::vector<std::string> values;
    for (size_t i = 0; i < 400; ++i) {
      const bool large = random() % 50 == 0;
      values.push_back(noise(random, i, 6 + random() % static_cast<uint64_t>(large ? 2 * limit : limit / 4)));
    }
    auto producer = client_->producer(c.producer).value();
    const Sent sent = send_all(*producer, topic, values, random);
    std::vector<std::string> expected;
    for (const auto& [value, delivery] : sent) {
      // A record of an uncompressed batch of its own: the batch's 61 bytes, 3 of the record's own, key, header and
      // lengths.
      const auto bytes = static_cast<int64_t>(value.size()) + 61 + 16;
      if (delivery.code == Code::ok) {
        expected.push_back(value);
        EXPECT_LE(static_cast<int64_t>(value.size()) + 61, limit);
      } else {
        EXPECT_EQ(delivery.error, kMessageTooLarge) << to_string(delivery.code);
        EXPECT_GT(bytes, limit);
      }
    }
    EXPECT_LT(expected.size(), values.size());
    EXPECT_EQ(numbers(read(topic)), numbers(expected));
  }
}

// The largest record that a topic takes is taken: 61 bytes of the batch, then the record with key, header and lengths.
TEST_P(ProducerRefusals, TheLimitIsMetToTheByte) {
  create("exact", {{"max.message.bytes", "1000"}});
  std::mt19937_64 random(3);
  std::vector<std::string> values;
  for (size_t bytes = 920; bytes < 940; ++bytes) values.push_back(noise(random, bytes, bytes));
  auto producer = client_->producer({}).value();
  for (const auto& [value, delivery] : send_all(*producer, "exact", values, random)) {
    EXPECT_EQ(delivery.code == Code::ok, value.size() <= 925) << value.size();
  }
  EXPECT_EQ(read("exact").size(), 6u);
}

// Every transaction that a refused record has ended is begun again without the records known to be at fault.
TEST_P(ProducerRefusals, TransactionsFindTheRecordsAtFaultAndCommitTheOthers) {
  struct Case {
    std::string name;
    std::string codec;
    int transactions_max;  // one, where sizes are told beforehand
  };
  for (const Case& c : {Case{"plain", "none", 1}, Case{"lz4", "lz4", 20}}) {
    SCOPED_TRACE(c.name);
    std::mt19937_64 random(7);
    const std::string topic = "transactions-" + c.name;
    create(topic, {{"max.message.bytes", "2000"}});
    std::vector<std::string> values;
    for (size_t i = 0; i < 120; ++i) values.push_back(noise(random, i, i % 50 == 20 ? 2500 : 100));
    auto producer = client_->producer({{"transactional.id", topic}, {"compression.type", c.codec}}).value();
    ASSERT_TRUE(producer->init_transactions(kWaitMs).ok());
    std::vector<std::string> left = values;
    int transactions = 0;
    size_t refused = 0;
    for (bool done = false; !done && transactions < 20;) {
      ++transactions;
      ASSERT_TRUE(producer->begin_transaction().ok());
      const Sent sent = send_all(*producer, topic, left, random);
      bool harmed = false;
      std::vector<std::string> again;
      for (const auto& [value, delivery] : sent) {
        const bool at_fault = delivery.code != Code::ok && delivery.code != Code::aborted;
        harmed = harmed || (delivery.code != Code::ok && !delivery.never_sent);
        if (at_fault) {
          EXPECT_EQ(delivery.error, kMessageTooLarge) << to_string(delivery.code);
          EXPECT_EQ(value.size(), 2500u);
          ++refused;
        } else {
          again.push_back(value);
        }
      }
      left = again;
      const Status ended = harmed ? producer->abort_transaction(kWaitMs) : producer->commit_transaction(kWaitMs);
      ASSERT_TRUE(ended.ok()) << ended.to_string();
      done = !harmed;
    }
    EXPECT_LE(transactions, c.transactions_max);
    EXPECT_EQ(refused, 2u);
    EXPECT_EQ(left.size(), 118u);
    EXPECT_EQ(numbers(read(topic)), numbers(left));
  }
}

TEST_P(ProducerRefusals, ALimitThatIsLoweredWhileTheProducerWorksIsLearned) {
  for (const bool transactional : {false, true}) {
    SCOPED_TRACE(transactional ? "transactional" : "idempotent");
    std::mt19937_64 random(11);
    const std::string topic = fmt::format("lowered-{}", transactional);
    create(topic, {});
    auto producer = client_->producer(transactional ? Properties{{"transactional.id", topic}} : Properties{}).value();
    if (transactional) {
      ASSERT_TRUE(producer->init_transactions(kWaitMs).ok());
    }
    std::vector<std::string> values;
    for (size_t i = 0; i < 40; ++i) values.push_back(noise(random, i, 100));
    std::vector<std::string> written;
    const auto round = [&] {
      for (int attempt = 0; attempt < 3; ++attempt) {
        if (transactional) {
          ASSERT_TRUE(producer->begin_transaction().ok());
        }
        bool all = true;
        for (const auto& [value, delivery] : send_all(*producer, topic, values, random)) {
          all = all && delivery.code == Code::ok;
          if (!transactional) {
            EXPECT_EQ(to_string(delivery.code), "ok") << delivery.error;
          }
        }
        if (transactional) {
          ASSERT_TRUE((all ? producer->commit_transaction(kWaitMs) : producer->abort_transaction(kWaitMs)).ok());
        }
        if (all) break;
        ASSERT_TRUE(transactional);  // only a transaction has to be begun again
      }
      written.insert(written.end(), values.begin(), values.end());
    };
    round();
    ASSERT_TRUE(testing::set_topic_config(bootstrap(), topic, "max.message.bytes", "1500").ok());
    round();
    round();
    // Outside of a transaction, batches that were under way when the limit fell may overtake the first that is split:
    // all of that round's records are there once, in an order of their own. Before and after it order is kept.
    std::vector<std::string> found = numbers(read(topic));
    ASSERT_EQ(found.size(), written.size());
    if (!transactional) std::sort(found.begin() + 40, found.begin() + 80);
    EXPECT_EQ(found, numbers(written));
    ASSERT_TRUE(testing::set_topic_config(bootstrap(), topic, "max.message.bytes", "100000").ok());
    // What is known of a topic is believed for a moment.
    const std::vector<std::string> large{noise(random, 0, 50'000)};
    EXPECT_TRUE(testing::eventually([&] {
      if (transactional && !producer->begin_transaction().ok()) return false;
      const bool taken = send_all(*producer, topic, large, random).front().second.code == Code::ok;
      return (!transactional || producer->commit_transaction(kWaitMs).ok()) && taken;
    }));
    written.push_back(large.front());
    found = numbers(read(topic));
    ASSERT_EQ(found.size(), written.size());
    if (!transactional) std::sort(found.begin() + 40, found.begin() + 80);
    EXPECT_EQ(found, numbers(written));
  }
}

TEST_P(ProducerRefusals, OneInvalidRecordDoesNotTakeItsBatchAlong) {
  create("keyed", {{"cleanup.policy", "compact"}});
  auto producer = client_->producer({}).value();
  std::vector<ProducedRecord> records;
  std::vector<std::string> values;
  for (int i = 0; i < 100; ++i) values.push_back(std::to_string(i));
  for (int i = 0; i < 100; ++i) {
    records.push_back({.topic = "keyed",
                       .partition = PartitionId(0),
                       .key = i % 33 == 5 ? OptBytesView() : OptBytesView("k"),
                       .value = values[static_cast<size_t>(i)],
                       .timestamp_ms = kTime + static_cast<int64_t>(values[static_cast<size_t>(i)].size()),
                       .headers = {&kHeader, 1}});
  }
  std::vector<Delivery> deliveries;
  ASSERT_TRUE(
      producer
          ->send(records, [&](const Status&, std::span<const Delivery> d) { deliveries.assign(d.begin(), d.end()); })
          .ok());
  ASSERT_TRUE(producer->flush(kWaitMs).ok());
  std::vector<std::string> expected;
  ASSERT_EQ(deliveries.size(), 100u);
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(deliveries[i].error, i % 33 == 5 ? kInvalidRecord : 0) << i;
    if (i % 33 != 5) expected.push_back(values[i]);
  }
  EXPECT_EQ(read("keyed"), expected);
}

INSTANTIATE_TEST_SUITE_P(Brokers, ProducerRefusals, interop::kBothVendors, interop::vendor_name);

}  // namespace
}  // namespace muir::client
