// What an application does when a topic refuses records that it writes, alike on Muir's broker and on Apache Kafka: the
// handler is asked for each, under both guarantees; all others arrive once and in order, and nothing loops.
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "client/kafka_client.h"
#include "interop/brokers.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace muir::streams {
namespace {

using client::TopicPartition;
constexpr int64_t kWaitMs = muir::testing::kPatienceMs;

enum class Answer : unsigned char { proceed, dead_letter, fail, retry };

// Records to a topic that does not take some of them.
struct RefusalCase {
  std::string name;
  Properties topic;         // of "out"
  Properties properties;    // of the application
  std::string error;        // Kafka's name, or what is common to two
  std::string bad_value{};  // sent in place of every seventeenth record's value
  bool bad_key = false;     // without key
  int64_t bad_time_ms = 0;  // later than the others
  std::string bad_topic{};  // where they go instead of "out"
  bool fatal = false;       // as to Kafka Streams: nobody is asked
};

std::string noise(size_t bytes) {
  std::mt19937_64 random(5);
  std::string out;
  while (out.size() < bytes) out.push_back(static_cast<char>(random()));
  return out;
}

std::vector<RefusalCase> refusal_cases() {
  return {
      {"too large", {{"max.message.bytes", "2000"}}, {}, "MESSAGE_TOO_LARGE", std::string(3000, 'x')},
      {"too large though compressed",
       {{"max.message.bytes", "2000"}},
       {{"producer.compression.type", "lz4"}},
       "MESSAGE_TOO_LARGE",
       noise(3000)},
      {"larger than a request",
       {},
       {{"producer.max.request.size", "5000"}},
       "MESSAGE_TOO_LARGE",
       std::string(9000, 'x')},
      {"without key for a compacted topic", {{"cleanup.policy", "compact"}}, {}, "INVALID_RECORD", {}, true},
      {"a time in the future",
       {{"message.timestamp.after.max.ms", "3600000"}},
       {},
       "INVALID_TIMESTAMP",
       {},
       false,
       36'000'000},
      {"a topic that cannot be", {}, {}, "INVALID_TOPIC_EXCEPTION", "bad", false, 0, "no topic", true},
  };
}

class StreamsRefusals : public interop::OnBothBrokers {
 protected:
  void SetUp() override {
    client_ = client::connect_kafka({{"bootstrap.servers", bootstrap()}}).value();
    admin_ = client_->admin({}).value();
  }
  void create(const std::string& topic, Properties configs = {}) {
    const Status created =
        admin_->create_topic({.name = topic, .partitions = 1, .replication_factor = 1, .configs = std::move(configs)});
    ASSERT_TRUE(created.ok()) << created.to_string();
  }
  struct Seen {
    std::string value;
    std::map<std::string, std::string> headers;
  };
  std::vector<Seen> read(const std::string& topic) {
    std::vector<Seen> out;
    const TopicPartition tp{topic, PartitionId(0)};
    const auto ends = admin_->list_offsets({tp}, client::OffsetSpec::latest(), client::IsolationLevel::read_committed);
    if (!ends.ok()) return out;
    auto consumer = client_->consumer({{"isolation.level", "read_committed"}}).value();
    const client::PartitionStart start{tp, Offset(0)};
    EXPECT_TRUE(consumer->assign({{start}}).ok());
    while (true) {
      if (const auto at = consumer->position(tp); at.ok() && *at >= ends->at(tp)) return out;
      const auto records = consumer->poll(100);
      EXPECT_TRUE(records.ok()) << records.status().to_string();
      if (!records.ok()) return out;
      for (const auto& part : (*records)->partitions()) {
        for (const auto& one : part.records) {
          Seen seen{.value = std::string(one.value.value_or("<null>"))};
          for (const auto& header : one.headers) seen.headers[std::string(header.name)] = header.value.value_or("");
          out.push_back(std::move(seen));
        }
      }
    }
  }
  std::vector<std::string> values(const std::string& topic) {
    std::vector<std::string> out;
    for (auto& seen : read(topic)) out.push_back(seen.value.substr(0, 8));
    return out;
  }

  // 80 records, every seventeenth of which "out" will not take. What is left is returned.
  std::vector<std::string> fill(const std::string& topic, const RefusalCase& c) {
    auto producer = client_->producer({}).value();
    std::vector<std::string> good;
    std::vector<std::string> all;
    std::vector<client::ProducedRecord> records;
    const int64_t now = system_clock().now_ms();
    for (int i = 0; i < 80; ++i) {
      const bool bad = i % 17 == 9;
      all.push_back(bad && !c.bad_value.empty() ? c.bad_value : fmt::format("value-{:02}{}", i, std::string(92, '.')));
      if (!bad) good.push_back(all.back().substr(0, 8));
    }
    for (size_t i = 0; i < all.size(); ++i) {
      const bool bad = i % 17 == 9;
      records.push_back({.topic = topic,
                         .partition = PartitionId(0),
                         .key = bad && c.bad_key ? client::ProducedRecord().key : OptBytesView("k"),
                         .value = all[i],
                         .timestamp_ms = bad ? now + c.bad_time_ms : now});
    }
    EXPECT_TRUE(producer->send(records).ok());
    const Status flushed = producer->flush(kWaitMs);
    EXPECT_TRUE(flushed.ok()) << flushed.to_string();
    return good;
  }

  std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::Admin> admin_;
};

// What only the cluster can know: the application ends with its words, whichever thread meets them, and does not try
// for ever.
TEST_P(StreamsRefusals, InternalTopicsThatTheClusterRefusesEndTheApplication) {
  struct Case {
    std::string name;
    Properties properties;
    std::string want;
  };
  for (const Case& c : {Case{"configuration", {{"topic.segment.bytes", "1"}}, "segment.bytes"},
                        Case{"unknown", {{"topic.no.such.key", "1"}}, "no.such.key"},
                        Case{"replicas", {{"replication.factor", "7"}}, "INVALID_REPLICATION_FACTOR"}}) {
    SCOPED_TRACE(c.name);
    const std::string id = "internal-" + c.name;
    create(id + "-in");
    StreamsBuilder builder;
    builder.stream<std::string, std::string>(id + "-in").group_by_key().count({.store = "counts"});
    muir::testing::TempDir folder;
    Properties properties{{"application.id", id},
                          {"bootstrap.servers", bootstrap()},
                          {"num.stream.threads", "2"},
                          {"state.dir", folder.str()}};
    properties.insert(c.properties.begin(), c.properties.end());
    auto app = KafkaStreams::create(*builder.build(), *StreamsConfig::parse(properties), *client_);
    ASSERT_TRUE(app.ok()) << app.status().to_string();
    ASSERT_TRUE((*app)->start().ok());
    const Status refused = (*app)->wait_until_running(kWaitMs);
    EXPECT_NE(refused.message().find(id + "-counts-changelog"), std::string::npos) << refused.message();
    EXPECT_NE(refused.message().find(c.want), std::string::npos) << refused.message();
    EXPECT_LE((*app)->metrics().rebalances, 4U);
  }
}

TEST_P(StreamsRefusals, TheHandlerDecidesForEveryRecordThatIsRefused) {
  int number = 0;
  for (const RefusalCase& c : refusal_cases()) {
    for (const bool exactly_once : {false, true}) {
      for (const Answer answer : {Answer::proceed, Answer::dead_letter, Answer::fail, Answer::retry}) {
        if (answer == Answer::retry && c.name != "too large") continue;
        // The dead letter would be as large.
        if (answer == Answer::dead_letter && c.name == "larger than a request") continue;
        if (answer == Answer::proceed && c.name != "larger than a request") continue;
        if (answer == Answer::fail && exactly_once && GetParam() == interop::Vendor::apache) continue;
        const std::string id = fmt::format("refusals-{}", number++);
        SCOPED_TRACE(fmt::format("{}, {}, answer {}: {}", c.name, exactly_once ? "exactly once" : "at least once",
                                 static_cast<int>(answer), id));
        create(id + "-in", {{"message.timestamp.after.max.ms", "360000000"}});
        create(id + "-out", c.topic);
        create(id + "-dlq", {{"message.timestamp.after.max.ms", "360000000"}});
        const std::vector<std::string> good = fill(id + "-in", c);
        StreamsBuilder builder;
        builder.stream<std::string, std::string>(id + "-in").to([&](const std::string& value) {
          return value == "bad" && !c.bad_topic.empty() ? c.bad_topic : id + "-out";
        });
        muir::testing::TempDir folder;
        Properties properties{{"application.id", id},
                              {"bootstrap.servers", bootstrap()},
                              {"processing.guarantee", exactly_once ? "exactly_once_v2" : "at_least_once"},
                              {"state.dir", folder.str()},
                              {"commit.interval.ms", "100"}};
        properties.insert(c.properties.begin(), c.properties.end());
        const bool continues = answer == Answer::proceed || answer == Answer::dead_letter;
        const bool goes_on = continues && !c.fatal;
        if (continues) properties["production.exception.handler"] = "log_and_continue";
        if (answer == Answer::dead_letter) properties["errors.dead.letter.queue.topic.name"] = id + "-dlq";
        StreamsEnvironment environment;
        if (answer == Answer::retry) {
          environment.on_failure = [](const FailedRecord& failed, RecordSink&) { return retry(failed); };
        }
        auto app = KafkaStreams::create(*builder.build(), *StreamsConfig::parse(properties), *client_, environment);
        ASSERT_TRUE(app.ok()) << app.status().to_string();
        ASSERT_TRUE((*app)->start().ok());
        if (!goes_on) {
          EXPECT_TRUE(muir::testing::eventually([&] { return (*app)->state() == StreamsState::error; }));
          const std::string message = (*app)->failure().message();
          EXPECT_NE(message.find(c.error), std::string::npos) << message;
          EXPECT_NE(message.find(c.bad_topic.empty() ? id + "-out" : c.bad_topic), std::string::npos) << message;
          if (answer == Answer::fail && !c.fatal) {
            EXPECT_NE(message.find("offset=9"), std::string::npos) << message;
          }
          if (exactly_once) {
            EXPECT_EQ(values(id + "-out"), std::vector<std::string>());
          }
          continue;
        }
        EXPECT_TRUE(muir::testing::eventually([&] {
          const auto at = admin_->committed_offsets(id, {{id + "-in", PartitionId(0)}}, true);
          return (*app)->state() == StreamsState::error ||
                 (at.ok() && !at->empty() && at->begin()->second.offset == Offset(80));
        }));
        EXPECT_TRUE((*app)->failure().ok()) << (*app)->failure().to_string();
        EXPECT_TRUE((*app)->close(kWaitMs).ok());
        EXPECT_EQ((*app)->metrics().records_dropped, 5u);
        std::vector<std::string> written = values(id + "-out");
        std::vector<Seen> letters = read(id + "-dlq");
        if (!exactly_once) {
          // Of a batch that a broker refuses, what is good is sent again, perhaps behind a batch that was under way.
          std::ranges::sort(written);
          std::ranges::sort(letters, {}, [](const Seen& seen) {
            const auto offset = seen.headers.find("__streams.errors.offset");
            return offset == seen.headers.end() ? -1 : std::stoi(offset->second);
          });
        }
        EXPECT_EQ(written, good);
        ASSERT_EQ(letters.size(), answer == Answer::dead_letter ? 5u : 0u);
        for (size_t i = 0; i < letters.size(); ++i) {
          EXPECT_EQ(letters[i].headers.at("__streams.errors.offset"), std::to_string(9 + 17 * i));
          EXPECT_EQ(letters[i].headers.at("__streams.errors.topic"), id + "-in");
          EXPECT_NE(letters[i].headers.at("__streams.errors.message").find(c.error), std::string::npos);
          if (!c.bad_value.empty()) {
            EXPECT_EQ(letters[i].value.size(), c.bad_value.size());
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Brokers, StreamsRefusals, interop::kBothVendors, interop::vendor_name);

}  // namespace
}  // namespace muir::streams
