#include "broker/api/fetch_sessions.h"

#include <gtest/gtest.h>

namespace muir::broker {
namespace {

using wire::ErrorCode;
using wire::FetchRequest;
using wire::FetchResponse;

constexpr int16_t kByName = 12;
constexpr int16_t kById = 13;

// A fetch of partitions of topic "t".
FetchRequest request(int32_t session_id, int32_t epoch, std::vector<int32_t> partitions,
                     std::vector<int32_t> forgotten = {}) {
  FetchRequest out;
  out.session_id = session_id;
  out.session_epoch = epoch;
  if (!partitions.empty()) out.topics.emplace_back().topic = "t";
  for (const int32_t partition : partitions) out.topics[0].partitions.push_back({.partition = partition});
  if (!forgotten.empty()) out.forgotten_topics_data.push_back({.topic = "t", .partitions = std::move(forgotten)});
  return out;
}

struct Found {
  int64_t high_watermark = 0;
  BytesView records = {};
  ErrorCode error = ErrorCode::none;
  int64_t log_start = 0;
};

class FetchSessionsTest : public ::testing::Test {
 protected:
  // Answers a fetch with the same for each partition, unless told otherwise.
  FetchSessions::Answer answer(const FetchSessions::Fetch& fetch, std::map<int32_t, Found> found = {}) {
    std::vector<FetchResponse::Partition> partitions;
    for (const FetchedPartition& asked : fetch.partitions) {
      const Found& with = found[asked.wanted.partition];
      partitions.push_back({.partition_index = asked.wanted.partition,
                            .error_code = with.error,
                            .high_watermark = with.high_watermark,
                            .log_start_offset = with.log_start,
                            .records = with.records});
    }
    return sessions.finish(fetch, partitions);
  }
  // A session with these partitions.
  int32_t open(std::vector<int32_t> partitions) {
    return answer(sessions.begin(request(0, 0, std::move(partitions)), kByName)).session_id;
  }
  static std::vector<int32_t> order(const FetchSessions::Fetch& fetch) {
    std::vector<int32_t> out;
    for (const FetchedPartition& asked : fetch.partitions) out.push_back(asked.wanted.partition);
    return out;
  }
  // The partitions that the consumer is told of, in order.
  std::vector<int32_t> told(const FetchSessions::Fetch& fetch, std::map<int32_t, Found> found = {}) {
    const auto with = answer(fetch, std::move(found));
    EXPECT_EQ(with.error, ErrorCode::none);
    std::vector<int32_t> out;
    for (size_t i = 0; i < with.told.size(); ++i) {
      if (with.told[i]) out.push_back(fetch.partitions[i].wanted.partition);
    }
    return out;
  }
  using Partitions = std::vector<int32_t>;

  ManualClock clock;
  FetchSessions sessions{3, clock, 7};
};

TEST_F(FetchSessionsTest, TheEpochSaysWhatARequestWants) {
  const int32_t known = open({0, 1});
  ASSERT_GT(known, 0);
  const struct {
    const char* name;
    int32_t id;
    int32_t epoch;
    int16_t version;
    ErrorCode error;
    FetchSessions::Fetch::Kind kind;
  } cases[] = {
      {"no session wanted", 0, -1, kByName, ErrorCode::none, FetchSessions::Fetch::Kind::sessionless},
      {"a session wanted", 0, 0, kByName, ErrorCode::none, FetchSessions::Fetch::Kind::full},
      {"no such session", known + 1, 1, kByName, ErrorCode::fetch_session_id_not_found, {}},
      {"a session nobody has", 0, 1, kByName, ErrorCode::fetch_session_id_not_found, {}},
      {"an epoch too late", known, 2, kByName, ErrorCode::invalid_fetch_session_epoch, {}},
      {"topics by id where they were named", known, 1, kById, ErrorCode::fetch_session_topic_id_error, {}},
      {"the next epoch", known, 1, kByName, ErrorCode::none, FetchSessions::Fetch::Kind::incremental},
      {"that epoch again", known, 1, kByName, ErrorCode::invalid_fetch_session_epoch, {}},
      {"the one after it", known, 2, kByName, ErrorCode::none, FetchSessions::Fetch::Kind::incremental},
      {"the end of it", known, -1, kByName, ErrorCode::none, FetchSessions::Fetch::Kind::sessionless},
      {"after its end", known, 3, kByName, ErrorCode::fetch_session_id_not_found, {}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto fetch = sessions.begin(request(c.id, c.epoch, {0}), c.version);
    EXPECT_EQ(fetch.error, c.error);
    if (c.error == ErrorCode::none) {
      EXPECT_EQ(fetch.kind, c.kind);
    }
  }
}

TEST_F(FetchSessionsTest, AFullFetchIsToldEverythingAndAnIncrementalOneWhatIsNew) {
  const auto full = sessions.begin(request(0, 0, {0, 1, 2}), kByName);
  EXPECT_EQ(told(full, {{1, {.high_watermark = 5}}}), (Partitions{0, 1, 2}));
  const auto again = sessions.begin(request(0, 0, {0, 1, 2}), kByName);
  const int32_t id = answer(again, {{1, {.high_watermark = 5}}}).session_id;
  const struct {
    const char* name;
    std::map<int32_t, Found> found;
    Partitions expected;
  } steps[] = {
      {"nothing has changed", {{1, {.high_watermark = 5}}}, {}},
      {"records", {{0, {.records = "r"}}, {1, {.high_watermark = 5}}}, {0}},
      {"a high watermark", {{1, {.high_watermark = 6}}}, {1}},
      {"a log start", {{1, {.high_watermark = 6}}, {2, {.log_start = 2}}}, {2}},
      {"an error", {{1, {.error = ErrorCode::unknown_topic_id}}, {2, {.log_start = 2}}}, {1}},
      {"the same error", {{1, {.error = ErrorCode::unknown_topic_id}}, {2, {.log_start = 2}}}, {1}},
      {"no error any more", {{1, {.high_watermark = 6}}, {2, {.log_start = 2}}}, {1}},
      {"all of it known", {{1, {.high_watermark = 6}}, {2, {.log_start = 2}}}, {}},
  };
  int32_t epoch = 0;
  for (const auto& step : steps) {
    EXPECT_EQ(told(sessions.begin(request(id, ++epoch, {}), kByName), step.found), step.expected) << step.name;
  }
}

TEST_F(FetchSessionsTest, PartitionsAreAddedChangedAndForgotten) {
  const int32_t id = open({0, 1});
  EXPECT_EQ(order(sessions.begin(request(id, 1, {2}), kByName)), (Partitions{0, 1, 2}));
  EXPECT_EQ(order(sessions.begin(request(id, 2, {}, {1, 7}), kByName)), (Partitions{0, 2}));
  FetchRequest moved = request(id, 3, {2});
  moved.topics[0].partitions[0].fetch_offset = 99;
  const auto fetch = sessions.begin(moved, kByName);
  EXPECT_EQ(order(fetch), (Partitions{0, 2}));
  EXPECT_EQ(fetch.partitions[1].wanted.fetch_offset, 99);
  EXPECT_EQ(sessions.begin(request(id, 4, {}), kByName).partitions[1].wanted.fetch_offset, 99) << "it is remembered";
  const auto empty = sessions.begin(request(id, 5, {}, {0, 2}), kByName);
  EXPECT_EQ(empty.kind, FetchSessions::Fetch::Kind::sessionless) << "a session of nothing ends";
  EXPECT_EQ(sessions.size(), 0u);
}

TEST_F(FetchSessionsTest, WhoReturnedRecordsWaitsForTheOthers) {
  const int32_t id = open({0, 1, 2});
  const auto fetch = sessions.begin(request(id, 1, {}), kByName);
  EXPECT_EQ(told(fetch, {{0, {.records = "r"}}, {1, {.records = "r"}}}), (Partitions{0, 1}));
  EXPECT_EQ(order(sessions.begin(request(id, 2, {}), kByName)), (Partitions{2, 0, 1}));
}

TEST_F(FetchSessionsTest, AnAnswerThatComesLateDoesNotMoveTheSession) {
  const int32_t id = open({0});
  const auto first = sessions.begin(request(id, 1, {}), kByName);
  const auto second = sessions.begin(request(id, 2, {}), kByName);
  EXPECT_EQ(answer(first).error, ErrorCode::invalid_fetch_session_epoch);
  EXPECT_EQ(answer(second).error, ErrorCode::none);
  const auto third = sessions.begin(request(id, 3, {}), kByName);
  (void)sessions.begin(request(id, -1, {}), kByName);
  EXPECT_EQ(answer(third).error, ErrorCode::fetch_session_id_not_found);
}

TEST_F(FetchSessionsTest, ASessionGivesWayOnceItIsIdleOrHasHadItsTime) {
  const int32_t small = open({0});
  const int32_t large = open({0, 1});
  const int32_t idle = open({0, 1, 2});
  EXPECT_EQ(open({0, 1, 2, 3}), 0) << "all are young: no session, and the consumer does without";
  clock.advance_ms(FetchSessions::kEvictionMs);
  EXPECT_EQ(sessions.begin(request(small, 1, {}), kByName).error, ErrorCode::none);
  EXPECT_EQ(sessions.begin(request(large, 1, {}), kByName).error, ErrorCode::none);
  clock.advance_ms(1);
  EXPECT_NE(open({0}), 0) << "in the place of the idle one, however large it is";
  EXPECT_EQ(sessions.begin(request(idle, 1, {}), kByName).error, ErrorCode::fetch_session_id_not_found);
  const int32_t next = open({0, 1});
  EXPECT_NE(next, 0) << "in the place of the smallest that has had its time";
  EXPECT_EQ(sessions.begin(request(small, 2, {}), kByName).error, ErrorCode::fetch_session_id_not_found);
  EXPECT_EQ(open({0}), 0) << "the one left that has had its time is larger";
  EXPECT_EQ(sessions.begin(request(large, 2, {}), kByName).error, ErrorCode::none);
}

TEST_F(FetchSessionsTest, EpochsGoFromTheLargestToOne) {
  const int32_t id = open({0});
  EXPECT_EQ(sessions.begin(request(id, 1, {}), kByName).epoch, 2);
  EXPECT_EQ(FetchSessions::epoch_after(INT32_MAX), 1);
  EXPECT_EQ(FetchSessions::epoch_after(41), 42);
}

}  // namespace
}  // namespace muir::broker
