// The lane of a topic against a broker that refuses whatever holds a bad record: which records fail, how many groups
// that takes, and that the order is kept. No time passes but what is told.
#include "client/internal/topic_lane.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "wire/error_code.h"

namespace muir::client::internal {
namespace {

HeldRecord record(size_t number, size_t bytes, bool keyed = true) {
  const std::string value = fmt::format("{:06}", number) + std::string(bytes, '.');
  return {{.topic = "t", .key = keyed ? OptBytesView("k") : OptBytesView(), .value = value}, nullptr};
}
size_t number_of(const HeldRecord& held) { return std::stoul(held.value->substr(0, 6)); }

// Runs groups until nothing is left; a group that holds one of `bad` is refused.
struct Outcome {
  std::vector<size_t> written;
  std::vector<size_t> refused;
  int groups = 0;
};
Outcome drain(TopicLane& lane, const std::set<size_t>& bad, bool too_large, int64_t now_us) {
  Outcome out;
  while (!lane.idle()) {
    TopicLane::Group group = lane.next(true, now_us);
    for (const auto& [held, error] : group.refused) out.refused.push_back(number_of(held));
    if (group.records.empty()) break;
    ++out.groups;
    const bool fails = std::any_of(group.records.begin(), group.records.end(),
                                   [&](const HeldRecord& held) { return bad.contains(number_of(held)); });
    const size_t size = group.records.size();
    for (HeldRecord& held : group.records) {
      if (!fails) {
        out.written.push_back(number_of(held));
        if (group.alone) lane.settled();
      } else if (group.alone && size == 1) {
        out.refused.push_back(number_of(held));
        lane.settled();
      } else if (group.alone) {
        if (too_large) lane.refused_as_too_large();
        lane.settled(std::move(held));
      } else {
        if (too_large) lane.refused_as_too_large();
        lane.take_back(std::move(held));
      }
    }
  }
  return out;
}

TEST(TopicLane, ARefusedBatchIsHalvedDownToTheRecordsAtFault) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    TopicLane lane(1'000'000, false);
    lane.asked(1);
    lane.answered({}, 2);
    const size_t count = 1 + random() % 300;
    std::set<size_t> bad;
    std::vector<size_t> good;
    for (size_t i = 0; i < count; ++i) {
      lane.hold(record(i, random() % 100));
      if (random() % 40 == 0) {
        bad.insert(i);
      } else {
        good.push_back(i);
      }
    }
    const bool too_large = random() % 2 == 0;
    const Outcome out = drain(lane, bad, too_large, 3);
    EXPECT_EQ(out.written, good);
    EXPECT_EQ(out.refused, std::vector<size_t>(bad.begin(), bad.end()));
    // A search by halves for each, and the way back up after it; sizes also teach a limit that stays.
    if (!too_large) {
      EXPECT_LE(out.groups, 2 + static_cast<int>(bad.size()) * 20);
    }
    EXPECT_TRUE(lane.idle());
  }
}

TEST(TopicLane, GroupsKeepToTheTopicsLimit) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    const auto limit = static_cast<int64_t>(200 + random() % 3000);
    TopicLane lane(1'000'000, false);
    lane.asked(1);
    lane.answered({.batch_bytes = limit}, 2);
    EXPECT_FALSE(lane.open());
    for (size_t i = 0; i < 100; ++i) lane.hold(record(i, random() % static_cast<uint64_t>(limit)));
    size_t seen = 0;
    while (!lane.idle()) {
      const TopicLane::Group group = lane.next(true, 3);
      int64_t bytes = kBatchOverhead;
      for (const auto& held : group.records) bytes += held.bytes;
      EXPECT_LE(bytes, limit);
      for (const auto& [held, error] : group.refused) EXPECT_GT(held.bytes + kBatchOverhead, limit);
      seen += group.records.size() + group.refused.size();
      for (size_t i = 0; i < group.records.size(); ++i) lane.settled();
    }
    EXPECT_EQ(seen, 100u);
  }
}

TEST(TopicLane, WhatIsKnownMustBeFreshForARecordToBeRefusedByIt) {
  constexpr int64_t kLater = 10'000'000;
  struct Case {
    std::string name;
    TopicLimits then;
    TopicLimits now;
    bool keyed;
    int refused;
  };
  const int too_large = static_cast<int>(wire::ErrorCode::message_too_large);
  const int invalid = static_cast<int>(wire::ErrorCode::invalid_record);
  for (const Case& c : {Case{"raised since", {.batch_bytes = 300}, {.batch_bytes = 3000}, true, 0},
                        Case{"as it was", {.batch_bytes = 300}, {.batch_bytes = 300}, true, too_large},
                        Case{"no longer compacted", {.needs_key = true}, {}, false, 0},
                        Case{"still compacted", {.needs_key = true}, {.needs_key = true}, false, invalid}}) {
    SCOPED_TRACE(c.name);
    TopicLane lane(1'000'000, false);
    lane.asked(1);
    lane.answered(c.then, 2);
    lane.hold(record(0, 1000, c.keyed));
    EXPECT_TRUE(lane.next(true, kLater).records.empty());
    ASSERT_TRUE(lane.wants_to_ask(kLater, INT64_MAX));
    lane.asked(kLater);
    lane.answered(c.now, kLater + 1);
    const TopicLane::Group group = lane.next(true, kLater + 2);
    EXPECT_EQ(group.records.size(), c.refused == 0 ? 1u : 0u);
    ASSERT_EQ(group.refused.size(), c.refused == 0 ? 0u : 1u);
    if (c.refused != 0) {
      EXPECT_EQ(group.refused.front().second, c.refused);
    }
  }
}

}  // namespace
}  // namespace muir::client::internal
