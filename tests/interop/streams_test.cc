// Kafka Streams for the JVM on our broker, and beside Muir Streams on the same topics.
#include <gtest/gtest.h>

#include "brokers.h"
#include "testing/temp_dir.h"
#include "word_count.h"

namespace muir::interop {
namespace {

using namespace std::chrono_literals;

class StreamsInterop : public OnBothBrokers {
 protected:
  void SetUp() override {
    auto client = connect(bootstrap());
    ASSERT_TRUE(client.ok()) << client.status().to_string();
    client_ = std::move(*client);
  }
  void create(const std::string& topic, int32_t partitions) {
    const Status made = create_topic(*client_, topic, partitions);
    ASSERT_TRUE(made.ok()) << made.to_string();
  }
  void create_outputs(const std::string& application) {
    create(application + "-out", 2);
    create(application + "-windowed", 2);
  }
  void send(const std::string& topic, const std::vector<Row>& lines) {
    const Status sent = write(*client_, topic, lines);
    ASSERT_TRUE(sent.ok()) << sent.to_string();
    expected_.add(lines);
  }
  Follower follow(const std::string& application) {
    auto follower = Follower::start(*client_, {application + "-out", application + "-windowed"});
    EXPECT_TRUE(follower.ok()) << follower.status().to_string();
    return std::move(*follower);
  }
  // All counts of everything sent so far, exactly once.
  void expect_exact(Follower& follower, const std::string& application) {
    for (const auto& [suffix, totals] : {std::pair{"-out", &expected_.words}, {"-windowed", &expected_.windowed}}) {
      const Status read = follower.read_until(application + suffix, expected_.updates, 90s);
      ASSERT_TRUE(read.ok()) << read.to_string();
      EXPECT_EQ(follower.rows(application + suffix).size(), expected_.updates);
      EXPECT_EQ(check_updates(follower.rows(application + suffix), *totals), "") << application << suffix;
    }
  }
  JvmWordCount jvm(const std::string& application, const std::string& input) {
    auto app = JvmWordCount::start(bootstrap(), application, input, folder_.str() + "/jvm");
    EXPECT_TRUE(app.ok()) << app.status().to_string();
    return std::move(*app);
  }
  Result<MuirWordCount> muir(const std::string& application, const std::string& input) {
    return MuirWordCount::start(bootstrap(), application, input, folder_.str() + "/muir");
  }
  std::vector<Row> rows_of(const std::string& topic) {
    auto rows = read_topic(*client_, topic);
    EXPECT_TRUE(rows.ok()) << rows.status().to_string();
    return rows.ok() ? std::move(*rows) : std::vector<Row>();
  }

  testing::TempDir folder_;
  std::unique_ptr<client::Client> client_;
  Expected expected_;
};

// On our broker only: whether the JVM is exact on Apache Kafka is not ours to test.
class JvmStreamsOnMuir : public StreamsInterop {};

TEST_P(JvmStreamsOnMuir, CountsExactlyThoughKilledMidway) {
  create("killed-lines", 3);
  create_outputs("killed");
  send("killed-lines", make_lines(6000, 1));
  auto follower = follow("killed");
  {
    auto first = jvm("killed", "killed-lines");
    const Status begun = follower.read_until("killed-out", 500, 90s);
    ASSERT_TRUE(begun.ok()) << begun.to_string();
    first.kill();
  }
  RecordProperty("updates_before_the_kill", static_cast<int>(follower.rows("killed-out").size()));
  send("killed-lines", make_lines(1000, 2));
  auto second = jvm("killed", "killed-lines");
  expect_exact(follower, "killed");
  const Status closed = second.close();
  EXPECT_TRUE(closed.ok()) << closed.to_string();
}

INSTANTIATE_TEST_SUITE_P(Of, JvmStreamsOnMuir, ::testing::Values(Vendor::muir), vendor_name);

// The bytes that one side leaves behind are what the other would have left.
TEST_P(StreamsInterop, InternalTopicsAreTheSameByteForByte) {
  create("bytes-lines", 1);
  send("bytes-lines", make_lines(400, 3));
  for (const std::string application : {"bytes-jvm", "bytes-muir"}) create_outputs(application);
  {
    auto app = jvm("bytes-jvm", "bytes-lines");
    auto follower = follow("bytes-jvm");
    expect_exact(follower, "bytes-jvm");
    const Status closed = app.close();
    EXPECT_TRUE(closed.ok()) << closed.to_string();
  }
  {
    auto app = muir("bytes-muir", "bytes-lines");
    ASSERT_TRUE(app.ok()) << app.status().to_string();
    auto follower = follow("bytes-muir");
    expect_exact(follower, "bytes-muir");
    const Status closed = app->close();
    EXPECT_TRUE(closed.ok()) << closed.to_string();
  }
  const auto admin = client_->admin();
  ASSERT_TRUE(admin.ok());
  for (const std::string topic : {"-by-word-repartition", "-counts-changelog", "-windowed-changelog", "-out", "-windowed"}) {
    const auto theirs = rows_of("bytes-jvm" + topic);
    const auto ours = rows_of("bytes-muir" + topic);
    ASSERT_EQ(theirs.size(), expected_.updates) << topic;
    ASSERT_EQ(ours.size(), expected_.updates) << topic;
    for (size_t i = 0; i < theirs.size(); ++i) ASSERT_EQ(theirs[i], ours[i]) << topic << " record " << i;
    const auto their_configs = (*admin)->topic_configs("bytes-jvm" + topic);
    const auto our_configs = (*admin)->topic_configs("bytes-muir" + topic);
    ASSERT_TRUE(their_configs.ok() && our_configs.ok());
    EXPECT_EQ(*their_configs, *our_configs) << topic;
  }
}

// One application, begun by the JVM, continued by Muir, taken back by the JVM with the state folder it had left.
TEST_P(StreamsInterop, ApplicationMovesFromTheJvmToMuirAndBack) {
  create("moved-lines", 2);
  create_outputs("moved");
  auto follower = follow("moved");
  send("moved-lines", make_lines(600, 4));
  {
    auto app = jvm("moved", "moved-lines");
    expect_exact(follower, "moved");
    const Status closed = app.close();
    ASSERT_TRUE(closed.ok()) << closed.to_string();
  }
  send("moved-lines", make_lines(600, 5));
  {
    auto app = muir("moved", "moved-lines");
    ASSERT_TRUE(app.ok()) << app.status().to_string();
    expect_exact(follower, "moved");
    const Status closed = app->close();
    ASSERT_TRUE(closed.ok()) << closed.to_string();
  }
  send("moved-lines", make_lines(600, 6));
  {
    auto app = jvm("moved", "moved-lines");
    expect_exact(follower, "moved");
    const Status closed = app.close();
    ASSERT_TRUE(closed.ok()) << closed.to_string();
  }
  const auto admin = client_->admin();
  ASSERT_TRUE(admin.ok());
  const auto topics = (*admin)->list_topics();
  ASSERT_TRUE(topics.ok());
  std::vector<std::string> names;
  for (const auto& topic : *topics) {
    if (topic.name.starts_with("moved-")) names.push_back(topic.name);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"moved-by-word-repartition", "moved-counts-changelog", "moved-lines", "moved-out",
                                             "moved-windowed", "moved-windowed-changelog"}));
}

// Both in one group at the same time; then the JVM dies and Muir has all of it.
TEST_P(StreamsInterop, JvmAndMuirShareAGroupAndOneTakesOver) {
  create("shared-lines", 4);
  create_outputs("shared");
  auto follower = follow("shared");
  send("shared-lines", make_lines(600, 7));
  auto theirs = jvm("shared", "shared-lines");
  expect_exact(follower, "shared");
  auto ours = muir("shared", "shared-lines");
  ASSERT_TRUE(ours.ok()) << ours.status().to_string();
  // Until Muir has work, too: it restored what the JVM had written, or processes what comes.
  for (uint32_t round = 0; round < 40 && ours->records_processed() == 0; ++round) {
    send("shared-lines", make_lines(50, 100 + round));
    expect_exact(follower, "shared");
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(ours->records_processed(), 0U);
  send("shared-lines", make_lines(2000, 8));
  theirs.kill();
  expect_exact(follower, "shared");
  const Status closed = ours->close();
  EXPECT_TRUE(closed.ok()) << closed.to_string();
}

INSTANTIATE_TEST_SUITE_P(Of, StreamsInterop, kBothVendors, vendor_name);

}  // namespace
}  // namespace muir::interop
