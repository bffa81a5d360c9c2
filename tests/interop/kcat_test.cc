// kcat 1.7.1, that is librdkafka as its author's own tool uses it.
#include <algorithm>

#include <gtest/gtest.h>

#include "brokers.h"
#include "testing/child_process.h"
#include "topic_records.h"

namespace muir::interop {
namespace {

class Kcat : public OnBothBrokers {
 protected:
  // Everything that kcat wrote to standard output; a failure of kcat fails the test.
  std::string kcat(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"kcat", "-b", bootstrap(), "-X", "topic.metadata.refresh.interval.ms=1000"});
    auto process = testing::ChildProcess::start({.command = arguments});
    EXPECT_TRUE(process.ok());
    if (!input.empty()) {
      EXPECT_TRUE(process->write_line(input).ok());
    }
    process->close_stdin();
    const auto output = process->read_all();
    EXPECT_TRUE(output.ok()) << output.status().to_string();
    const auto code = process->wait();
    EXPECT_TRUE(code.ok() && *code == 0) << "kcat " << arguments.back() << " ended with " << (code.ok() ? *code : -1);
    return output.ok() ? *output : "";
  }
  void create(const std::string& topic, int32_t partitions) {
    const auto client = connect(bootstrap());
    ASSERT_TRUE(client.ok());
    const Status made = create_topic(**client, topic, partitions);
    ASSERT_TRUE(made.ok()) << made.to_string();
  }
  std::string consume(const std::string& topic, const std::string& format, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"-C", "-q", "-e", "-t", topic, "-X", "check.crcs=true", "-f", format});
    return kcat(more);
  }
};

TEST_P(Kcat, EveryCodecComesBackAsItWasSent) {
  create("kcat-codecs", 1);
  std::string all;
  for (const std::string codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    std::string lines;
    for (int i = 0; i < 300; ++i) {
      lines += fmt::format("{}{:04}:the same words again and again, value {}", codec, i, i) + (i == 299 ? "" : "\n");
    }
    kcat({"-P", "-t", "kcat-codecs", "-K:", "-z", codec}, lines);
    all += lines + "\n";
  }
  EXPECT_EQ(consume("kcat-codecs", "%k:%s\n"), all);
}

TEST_P(Kcat, KeysHeadersAndNullValues) {
  create("kcat-nulls", 1);
  kcat({"-P", "-t", "kcat-nulls", "-K:", "-Z", "-H", "source=buoy 7", "-H", "empty="}, "a:1\nb:\n:3");
  EXPECT_EQ(consume("kcat-nulls", "%o %K|%k %S|%s %h\n"),
            "0 1|a 1|1 source=buoy 7,empty=\n"
            "1 1|b -1| source=buoy 7,empty=\n"
            "2 -1| 1|3 source=buoy 7,empty=\n");
}

TEST_P(Kcat, MetadataNamesBrokersTopicsAndPartitions) {
  create("kcat-metadata", 3);
  const std::string json = kcat({"-L", "-J", "-t", "kcat-metadata"});
  EXPECT_NE(
      json.find(
          R"("topic":"kcat-metadata","partitions":[{"partition":0,"leader":1,"replicas":[{"id":1}],"isrs":[{"id":1}]})"),
      std::string::npos)
      << json;
  EXPECT_NE(json.find(R"({"partition":2,)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("brokers":[{"id":1,"name":")" + bootstrap()), std::string::npos) << json;
  EXPECT_NE(kcat({"-L"}).find("topic \"kcat-metadata\" with 3 partitions:"), std::string::npos);
}

TEST_P(Kcat, GroupsShareAndResume) {
  create("kcat-group", 2);
  kcat({"-P", "-t", "kcat-group", "-K:"}, "a:1\nb:2\nc:3\nd:4");
  const std::vector<std::string> read = {
      "-G", "kcat-readers", "-q",        "-e", "-X", "auto.offset.reset=earliest", "-X", "session.timeout.ms=6000",
      "-f", "%k",           "kcat-group"};
  std::string keys = kcat(read);
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(keys, "abcd");
  kcat({"-P", "-t", "kcat-group", "-K:"}, "e:5");
  EXPECT_EQ(kcat(read), "e");
}

TEST_P(Kcat, OffsetsAndRangesByTimestamp) {
  create("kcat-times", 1);
  const auto client = connect(bootstrap());
  ASSERT_TRUE(client.ok());
  std::vector<Row> rows;
  for (int i = 0; i < 50; ++i) rows.push_back({PartitionId(0), 1'000'000 + 1000 * i, "k", std::to_string(i), {}});
  ASSERT_TRUE(write(**client, "kcat-times", rows).ok());
  EXPECT_EQ(kcat({"-Q", "-t", "kcat-times:0:1009500"}), "kcat-times [0] offset 10\n");
  EXPECT_EQ(kcat({"-Q", "-t", "kcat-times:0:-1"}), "kcat-times [0] offset 50\n");
  EXPECT_EQ(kcat({"-Q", "-t", "kcat-times:0:-2"}), "kcat-times [0] offset 0\n");
  EXPECT_EQ(consume("kcat-times", "%s@%T ", {"-o", "s@1045000", "-o", "e@1048000"}),
            "45@1045000 46@1046000 47@1047000 ");
  EXPECT_EQ(consume("kcat-times", "%s ", {"-o", "-3"}), "47 48 49 ");
}

TEST_P(Kcat, TransactionsAreAllOrNothing) {
  create("kcat-tx", 1);
  kcat({"-P", "-t", "kcat-tx", "-X", "transactional.id=kcat-transaction"}, "one\ntwo");
  EXPECT_EQ(consume("kcat-tx", "%s ", {"-X", "isolation.level=read_committed"}), "one two ");
}

INSTANTIATE_TEST_SUITE_P(Of, Kcat, kBothVendors, vendor_name);

}  // namespace
}  // namespace muir::interop
