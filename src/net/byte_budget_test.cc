#include "net/byte_budget.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>
#include <vector>

namespace muir::net {
namespace {

constexpr size_t kKib = 1024;
constexpr size_t kMib = 1024 * 1024;

struct RoomCase {
  const char* name;
  std::vector<size_t> held;
  size_t wanted;
  bool room;
};

// A budget of 16 MiB: 4 for small shares, 4 for middle ones, 8 for large ones.
TEST(ByteBudget, EachSizeHasItsPart) {
  const std::vector<RoomCase> cases = {
      {"an empty budget", {}, 1, true},
      {"small beside small", {64 * kKib}, 64 * kKib, true},
      {"large within its half", {4 * kMib}, 4 * kMib, true},
      {"large beyond its half", {4 * kMib}, 4 * kMib + 1, false},
      {"large ones leave room to middle ones", {4 * kMib, 4 * kMib}, 2 * kMib, true},
      {"large and middle ones leave room to small ones", {8 * kMib, 2 * kMib, 2 * kMib}, 64 * kKib, true},
      {"a middle one too many", {2 * kMib, 2 * kMib}, 64 * kKib + 1, false},
      {"larger than the budget, alone", {}, 100 * kMib, true},
      {"larger than the budget, beside small and middle ones", {1, 2 * kMib}, 100 * kMib, true},
      {"larger than the budget, beside a large one", {3 * kMib}, 100 * kMib, false},
      {"beside one that is larger than the budget", {100 * kMib}, 3 * kMib, false},
      {"nothing", {}, 0, true},
  };
  for (const RoomCase& c : cases) {
    SCOPED_TRACE(c.name);
    const auto budget = ByteBudget::make(16 * kMib);
    std::vector<ByteBudget::Share> shares;
    for (const size_t bytes : c.held) {
      auto share = budget->try_take(bytes);
      ASSERT_TRUE(share.has_value());
      shares.push_back(*std::move(share));
    }
    EXPECT_EQ(budget->try_take(c.wanted).has_value(), c.room);
    shares.clear();
    EXPECT_EQ(budget->used(), 0U);
  }
}

TEST(ByteBudget, TheSmallestOfThoseWhoWaitIsFirst) {
  const auto budget = ByteBudget::make(16 * kMib);
  std::vector<std::pair<std::string, ByteBudget::Share>> granted;
  const auto take = [&](const std::string& name, size_t bytes) {
    return budget->take(bytes,
                        [&granted, name](ByteBudget::Share share) { granted.emplace_back(name, std::move(share)); });
  };
  EXPECT_EQ(take("holds everything", 8 * kMib), 0U);
  EXPECT_NE(take("seven", 7 * kMib), 0U);
  EXPECT_NE(take("three", 3 * kMib), 0U);
  const auto gone = take("four, and leaves", 4 * kMib);
  EXPECT_NE(take("five", 5 * kMib), 0U);
  EXPECT_EQ(budget->waiting(), 4U);
  EXPECT_TRUE(granted[0].second.wanted_by_others());
  EXPECT_TRUE(budget->cancel(gone));
  EXPECT_FALSE(budget->cancel(gone));

  std::vector<std::string> order;
  while (!granted.empty()) {
    order.push_back(granted.front().first);
    auto first = std::move(granted.front());
    granted.erase(granted.begin());
    first.second.reset();
  }
  EXPECT_EQ(order, (std::vector<std::string>{"holds everything", "three", "five", "seven"}));
  EXPECT_EQ(budget->used(), 0U);
  EXPECT_EQ(budget->take_peak(), 8 * kMib);
  EXPECT_EQ(budget->take_peak(), 0U);
}

TEST(ByteBudget, SaysOnceThatAPeakIsOver) {
  const auto budget = ByteBudget::make(64 * kMib);
  EXPECT_FALSE(budget->peak_is_over()) << "nothing was used";
  { const auto little = budget->try_take(kMib); }
  EXPECT_FALSE(budget->peak_is_over()) << "little was used";
  auto much = budget->try_take(20 * kMib);
  EXPECT_FALSE(budget->peak_is_over()) << "much is in use";
  much.reset();
  EXPECT_TRUE(budget->peak_is_over());
  EXPECT_FALSE(budget->peak_is_over()) << "said already";
}

// Whatever is taken and given back in whatever order: the parts hold, nobody is forgotten, nothing is left over.
TEST(ByteBudget, RandomHoldersStayWithinTheirParts) {
  const unsigned seed = 20240311;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto budget = ByteBudget::make(16 * kMib);
  std::deque<ByteBudget::Share> held;
  size_t asked = 0;
  size_t got = 0;
  size_t cancelled = 0;
  std::vector<ByteBudget::Ticket> tickets;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 2 == 0) {
      const size_t sizes[] = {kKib, 64 * kKib, kMib, 2 * kMib, 3 * kMib, 7 * kMib};
      ++asked;
      const auto ticket = budget->take(sizes[random() % 6] - random() % 100, [&](ByteBudget::Share share) {
        ++got;
        held.push_back(std::move(share));
      });
      if (ticket != 0) tickets.push_back(ticket);
    } else if (random() % 8 == 0 && !tickets.empty()) {
      cancelled += budget->cancel(tickets[random() % tickets.size()]) ? 1 : 0;
    } else if (!held.empty()) {
      auto one = std::move(held.front());
      held.pop_front();
      one.reset();
    }
    ASSERT_LE(budget->used(), 16 * kMib);
    ASSERT_EQ(asked, got + cancelled + budget->waiting());
  }
  while (!held.empty()) {
    auto one = std::move(held.front());
    held.pop_front();
    one.reset();
  }
  EXPECT_EQ(budget->used(), 0U);
  EXPECT_EQ(budget->waiting(), 0U);
}

struct Arrival {
  int64_t at_ms;
  size_t arrived;
  bool stalled;
};

TEST(ArrivalWatch, WantsSomeBytesInEveryWindow) {
  const struct {
    const char* name;
    std::vector<Arrival> timeline;
  } cases[] = {
      {"nothing comes", {{0, 0, false}, {1999, 0, false}, {2000, 0, true}}},
      {"a byte now and then", {{1000, 1, false}, {1900, 2, false}, {2000, 3, true}}},
      {"enough in each window", {{2000, 64 * kKib, false}, {3999, 64 * kKib, false}, {4000, 128 * kKib, false}}},
      {"a good start that ends", {{2000, 3 * kMib, false}, {3900, 3 * kMib, false}, {4000, 3 * kMib + 1, true}}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    ArrivalWatch watch;
    watch.begin(0);
    for (const Arrival& row : c.timeline) EXPECT_EQ(watch.stalled(row.at_ms, row.arrived), row.stalled) << row.at_ms;
  }
}

}  // namespace
}  // namespace muir::net
