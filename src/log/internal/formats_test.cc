// The small files of the log: bytes as Apache Kafka 4.x writes them, round trips, damage.
#include <gtest/gtest.h>

#include "base/cursor.h"
#include "log/file_names.h"
#include "log/internal/checkpoint.h"
#include "log/internal/offset_index.h"
#include "log/internal/segment_seal.h"
#include "log/internal/topic_registry.h"
#include "log/internal/txn_index.h"
#include "log/producer_state.h"
#include "wire/crc32c.h"

namespace muir::storage {
namespace {

TEST(FileNames, SegmentsHaveTwentyDigits) {
  EXPECT_EQ(segment_file(Offset(42), kLogSuffix), "00000000000000000042.log");
  EXPECT_EQ(parse_segment_file("00000000000000000042.log", kLogSuffix), Offset(42));
  EXPECT_EQ(parse_segment_file("42.log", kLogSuffix), std::nullopt);
  EXPECT_EQ(parse_segment_file("00000000000000000042.log.swap", kLogSuffix), std::nullopt);
  EXPECT_EQ(parse_segment_file("0000000000000000004x.log", kLogSuffix), std::nullopt);
}

TEST(FileNames, PartitionFoldersEndInTheIndex) {
  EXPECT_EQ(partition_folder("my-topic", PartitionId(3)), "my-topic-3");
  EXPECT_EQ(parse_partition_folder("my-topic-3"), (std::pair<std::string, PartitionId>("my-topic", 3)));
  for (const char* wrong :
       {"topic", "topic-", "-3", "topic-x", "topic-03", "topic-3.abc-delete", "topic-3-stray", "a/b-1"}) {
    EXPECT_EQ(parse_partition_folder(wrong), std::nullopt) << wrong;
  }
}

TEST(FileNames, FoldersPutAsideFitTheFileSystem) {
  const std::string id = "4L6g3nShT-eMCtK--X86sw";
  const std::string longest(249, 'q');
  const struct {
    std::string folder;
    std::string id;
    std::string_view suffix;
    std::string expected;
  } cases[] = {
      {"t-0", id, kDeleteSuffix, "t-0." + id + "-delete"},
      {"t-0", "", kStraySuffix, "t-0-stray"},
      {"t-0", "2", kStraySuffix, "t-0.2-stray"},
      {longest + "-0", id, kDeleteSuffix, std::string(223, 'q') + "-0." + id + "-delete"},
      {longest + "-99999", id, kDeleteSuffix, std::string(219, 'q') + "-99999." + id + "-delete"},
      {longest + "-0", "", kStraySuffix, std::string(247, 'q') + "-0-stray"},
  };
  for (const auto& c : cases) {
    const std::string name = folder_name_aside(c.folder, c.id, c.suffix);
    EXPECT_EQ(name, c.expected);
    EXPECT_LE(name.size(), kFileNameBytesMax);
    EXPECT_EQ(is_deleted_folder(name), c.suffix == kDeleteSuffix) << name;
    EXPECT_EQ(parse_partition_folder(name), std::nullopt) << "is no partition's";
  }
  for (const char* other : {"my-delete", "x.y-delete", "t-0.2-delete", "-delete"})
    EXPECT_FALSE(is_deleted_folder(other)) << other;
}

TEST(FileNames, TopicNamesAreKafkas) {
  EXPECT_TRUE(valid_topic_name("vehicle.location_raw-1"));
  EXPECT_TRUE(valid_topic_name(std::string(249, 'a')));
  for (const std::string& wrong : {std::string(), std::string("."), std::string(".."), std::string(250, 'a'),
                                   std::string("a b"), std::string("a/b"), std::string("ü")}) {
    EXPECT_FALSE(valid_topic_name(wrong)) << wrong;
  }
}

TEST(OffsetIndex, HasKafkasBytesAndFindsTheEntryBefore) {
  OffsetIndex index(Offset(100));
  index.append(Offset(105), 4096);
  index.append(Offset(120), 8300);
  EXPECT_EQ(hex(index.encode()), "00 00 00 05 00 00 10 00 00 00 00 14 00 00 20 6c");
  const std::pair<int64_t, uint32_t> cases[] = {{100, 0},    {104, 0},    {105, 4096},
                                                {119, 4096}, {120, 8300}, {9999, 8300}};
  for (const auto& [offset, position] : cases) EXPECT_EQ(index.floor_position(Offset(offset)), position) << offset;
  EXPECT_EQ(OffsetIndex::decode(Offset(100), index.encode(), 9000)->entries(), index.entries());
}

TEST(OffsetIndex, RefusesWhatDoesNotFitTheLog) {
  OffsetIndex index(Offset(0));
  index.append(Offset(5), 4096);
  index.append(Offset(9), 8192);
  const Bytes bytes = index.encode();
  EXPECT_FALSE(OffsetIndex::decode(Offset(0), bytes, 8192).ok());
  EXPECT_FALSE(OffsetIndex::decode(Offset(0), bytes.substr(1), 100'000).ok());
  EXPECT_FALSE(OffsetIndex::decode(Offset(0), bytes + bytes, 100'000).ok());
}

TEST(TimeIndex, HasKafkasBytesAndOnlyGrows) {
  TimeIndex index(Offset(100));
  index.append(1'700'000'000'000, Offset(105));
  index.append(1'699'999'999'999, Offset(110));
  index.append(1'700'000'000'500, Offset(120));
  EXPECT_EQ(hex(index.encode()), "00 00 01 8b cf e5 68 00 00 00 00 05 00 00 01 8b cf e5 69 f4 00 00 00 14");
  EXPECT_EQ(index.floor_offset(1'600'000'000'000), Offset(100));
  EXPECT_EQ(index.floor_offset(1'700'000'000'000), Offset(100));
  EXPECT_EQ(index.floor_offset(1'700'000'000'001), Offset(105));
  EXPECT_EQ(index.floor_offset(1'800'000'000'000), Offset(120));
  EXPECT_EQ(TimeIndex::decode(Offset(100), index.encode())->entries(), index.entries());
}

TEST(TxnIndex, EntriesHave34Bytes) {
  const std::vector<AbortedTxn> aborted = {{ProducerId(7), Offset(10), Offset(20), Offset(21)},
                                           {ProducerId(8), Offset(15), Offset(30), Offset(31)}};
  const Bytes bytes = encode_txn_index(aborted);
  EXPECT_EQ(hex(bytes.substr(0, 34)),
            "00 00 00 00 00 00 00 00 00 07 00 00 00 00 00 00 00 0a 00 00 00 00 00 00 00 14 00 00 00 00 00 00 00 15");
  EXPECT_EQ(*decode_txn_index(bytes), aborted);
  EXPECT_FALSE(decode_txn_index(bytes.substr(1)).ok());
}

TEST(Checkpoints, AreTextAsKafkaWritesIt) {
  const OffsetCheckpoint offsets = {{{"a-b", PartitionId(0)}, Offset(10)}, {{"c", PartitionId(12)}, Offset(0)}};
  EXPECT_EQ(encode_offset_checkpoint(offsets), "0\n2\na-b 0 10\nc 12 0\n");
  EXPECT_EQ(*decode_offset_checkpoint(encode_offset_checkpoint(offsets)), offsets);
  const EpochEntries epochs = {{LeaderEpoch(0), Offset(0)}, {LeaderEpoch(3), Offset(17)}};
  EXPECT_EQ(encode_leader_epochs(epochs), "0\n2\n0 0\n3 17\n");
  EXPECT_EQ(*decode_leader_epochs(encode_leader_epochs(epochs)), epochs);
  const auto id = *wire::Uuid::parse("4L6g3nShT-eMCtK--X86sw");
  EXPECT_EQ(encode_partition_metadata(id), "version: 0\ntopic_id: 4L6g3nShT-eMCtK--X86sw\n");
  EXPECT_EQ(*decode_partition_metadata(encode_partition_metadata(id)), id);
  const MetaProperties meta{"MkU3OEVBNTcwNTJENDM2Qg", "AAAAAAAAAAAAAAAAAAAAAQ", 7};
  EXPECT_EQ(*decode_meta_properties(encode_meta_properties(meta)), meta);
}

TEST(Checkpoints, DamageIsAnError) {
  for (const char* wrong : {"", "1\n0\n", "0\n2\na 0 1\n", "0\n1\na 0\n", "0\n1\na x 1\n", "0\n1\na 0 1x\n"}) {
    EXPECT_EQ(decode_offset_checkpoint(wrong).status().code(), Code::data_loss) << wrong;
  }
  EXPECT_FALSE(decode_leader_epochs("0\n2\n3 0\n1 5\n").ok());
  EXPECT_FALSE(decode_partition_metadata("version: 0\n").ok());
  EXPECT_FALSE(decode_meta_properties("version=1\n").ok());
}

TEST(ProducerSnapshot, HasKafkasBytes) {
  ProducerState state;
  state.append({.producer_id = ProducerId(1000),
                .epoch = ProducerEpoch(2),
                .first_sequence = 0,
                .last_sequence = 4,
                .first_offset = Offset(10),
                .last_offset = Offset(14),
                .timestamp = 99,
                .transactional = true});
  const Bytes bytes = state.encode_snapshot();
  ASSERT_EQ(bytes.size(), 2u + 4 + 4 + 46);
  EXPECT_EQ(hex(bytes.substr(0, 2)), "00 01");
  EXPECT_EQ(hex(bytes.substr(6)),
            "00 00 00 01 00 00 00 00 00 00 03 e8 00 02 00 00 00 04 00 00 00 00 00 00 00 0e 00 00 00 04 "
            "00 00 00 00 00 00 00 63 ff ff ff ff 00 00 00 00 00 00 00 0a");
  const auto read = ProducerState::decode_snapshot(bytes);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->first_unstable_offset(), Offset(10));
  EXPECT_EQ(read->producers().at(ProducerId(1000)).last_sequence(), 4);
}

TEST(ProducerSnapshot, TheLastOfSeveralEntriesSaysWhetherATransactionIsOpen) {
  constexpr size_t kEntries = 10;
  const auto entry = [](bool transactional) {
    ProducerState state;
    state.append({.producer_id = ProducerId(1),
                  .epoch = ProducerEpoch(0),
                  .first_sequence = 0,
                  .last_sequence = 0,
                  .first_offset = Offset(7),
                  .last_offset = Offset(7),
                  .timestamp = 0,
                  .transactional = transactional});
    return state.encode_snapshot().substr(kEntries);
  };
  Bytes body;
  ByteWriter writer(body);
  writer.i32(2);
  writer.bytes(entry(true));
  writer.bytes(entry(false));
  Bytes bytes;
  ByteWriter whole(bytes);
  whole.i16(1);
  whole.u32(wire::crc32c(body));
  whole.bytes(body);
  const auto read = ProducerState::decode_snapshot(bytes);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->first_open_offset(), std::nullopt);
}

TEST(ProducerSnapshot, DamageIsAnError) {
  ProducerState state;
  state.append({.producer_id = ProducerId(1),
                .epoch = ProducerEpoch(0),
                .first_sequence = 0,
                .last_sequence = 0,
                .first_offset = Offset(0),
                .last_offset = Offset(0),
                .timestamp = 0});
  const Bytes bytes = state.encode_snapshot();
  for (size_t i = 0; i < bytes.size(); ++i) {
    Bytes damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    EXPECT_FALSE(ProducerState::decode_snapshot(damaged).ok()) << "byte " << i;
  }
}

TEST(TopicRegistry, RoundTripsAnySetting) {
  TopicEntries topics;
  topics["plain"] = {*wire::Uuid::parse("4L6g3nShT-eMCtK--X86sw"), 3, {}};
  topics["with.settings"] = {*wire::Uuid::parse("AAAAAAAAAAAAAAAAAAAAAQ"),
                             1,
                             {{"cleanup.policy", "compact,delete"}, {"odd", " a\\b\nc "}, {"empty", ""}}};
  const Bytes text = encode_topic_registry(topics);
  EXPECT_TRUE(text.starts_with("muir-topics 1\ntopic plain 4L6g3nShT-eMCtK--X86sw 3\n")) << text;
  EXPECT_EQ(*decode_topic_registry(text), topics);
  EXPECT_EQ(*decode_topic_registry(encode_topic_registry({})), TopicEntries{});
}

TEST(TopicRegistry, IsWrittenAsItsPageShows) {
  const TopicEntries topics = {
      {"vehicle.state", {*wire::Uuid::parse("4L6g3nShT-eMCtK--X86sw"), 6, {{"cleanup.policy", "compact"}}}}};
  EXPECT_EQ(
      encode_topic_registry(topics),
      "muir-topics 1\ntopic vehicle.state 4L6g3nShT-eMCtK--X86sw 6\nconfig cleanup.policy compact\nend aca19b31\n");
}

TEST(Seal, IsWrittenAsItsPageShowsAndAnyOtherByteIsAnError) {
  const SegmentSeal seal{1048311, Offset(8641), {2032, 4083920113}, {3060, 911827465}, {}};
  const Bytes text = encode_seal(seal);
  EXPECT_EQ(text,
            "muir-segment 1\nlog 1048311 8641\nindex 2032 4083920113\ntimeindex 3060 911827465\ntxnindex 0 0\n"
            "end f9a809c2\n");
  EXPECT_EQ(decode_seal(text).value(), seal);
  const Bytes checkpoints = encode_checkpoints({{{{"t", PartitionId(0)}, Offset(9)}}, {}, {}});
  for (size_t i = 0; i < text.size(); ++i) {
    Bytes damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(decode_seal(damaged).ok()) << "byte " << i;
    EXPECT_FALSE(decode_seal(text.substr(0, i)).ok()) << "cut at " << i;
  }
  for (size_t i = 0; i < checkpoints.size(); ++i) {
    Bytes damaged = checkpoints;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(decode_checkpoints(damaged).ok()) << "byte " << i;
  }
}

TEST(TopicRegistry, AnyChangedOrMissingByteIsAnError) {
  const Bytes text =
      encode_topic_registry({{"t", {*wire::Uuid::parse("4L6g3nShT-eMCtK--X86sw"), 3, {{"retention.ms", "5"}}}}});
  for (size_t i = 0; i < text.size(); ++i) {
    Bytes damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(decode_topic_registry(damaged).ok()) << "byte " << i;
    EXPECT_FALSE(decode_topic_registry(text.substr(0, i)).ok()) << "cut at " << i;
  }
}

}  // namespace
}  // namespace muir::storage
