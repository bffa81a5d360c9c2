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
    return budget->take(bytes, ByteBudget::Peer::unknown,
                        [&granted, name](ByteBudget::Share share) { granted.emplace_back(name, std::move(share)); });
  };
  EXPECT_EQ(take("holds everything", 8 * kMib), 0U);
  EXPECT_NE(take("seven", 7 * kMib), 0U);
  EXPECT_NE(take("three", 3 * kMib), 0U);
  const auto gone = take("four, and leaves", 4 * kMib);
  EXPECT_NE(take("five", 5 * kMib), 0U);
  EXPECT_EQ(budget->waiting(), 4U);
  EXPECT_TRUE(granted[0].second.patience_ms(2000).has_value());
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

struct Asked {
  const char* name;
  size_t bytes;
  ByteBudget::Peer peer;
  size_t delivered_before;  // by somebody else, who waited for nothing
};

TEST(ByteBudget, WhoWaitsComesInTheOrderOfWhatIsKnownOfThemAndOfTheirSize) {
  using Peer = ByteBudget::Peer;
  const struct {
    const char* what;
    std::vector<Asked> asked;
    const char* order;
  } cases[] = {
      {"in the order of their coming",
       {{"a", kMib, Peer::unknown, 0}, {"b", kMib, Peer::unknown, 0}, {"c", kMib, Peer::unknown, 0}},
       "abc"},
      {"who has delivered before is first",
       {{"u", kMib, Peer::unknown, 0}, {"d", kMib, Peer::delivered, 0}, {"m", 2 * kMib, Peer::delivered_much, 0}},
       "mdu"},
      {"of four, one goes to the unknown",
       {{"u", kMib, Peer::unknown, 0},
        {"v", kMib, Peer::unknown, 0},
        {"a", kMib, Peer::delivered, 0},
        {"b", kMib, Peer::delivered, 0},
        {"c", kMib, Peer::delivered, 0},
        {"d", kMib, Peer::delivered, 0}},
       "abcudv"},
      {"a large one is not passed for ever",
       {{"L", 2 * kMib, Peer::delivered, 0}, {"a", kMib, Peer::delivered, 0}, {"b", kMib, Peer::delivered, 2 * kMib}},
       "aLb"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto budget = ByteBudget::make(8 * kMib);  // 2 MiB for these
    std::string order;
    std::deque<ByteBudget::Share> held;
    held.push_back(budget->try_take(2 * kMib).value());
    for (const Asked& one : c.asked) {
      for (size_t done = 0; done < one.delivered_before; done += held.front().bytes()) held.front().delivered();
      EXPECT_NE(budget->take(one.bytes, one.peer,
                             [&order, &held, name = one.name](ByteBudget::Share share) {
                               order += name;
                               held.push_back(std::move(share));
                             }),
                0U);
    }
    while (!held.empty()) {
      auto first = std::move(held.front());
      held.pop_front();
      first.reset();
    }
    EXPECT_EQ(order, c.order);
  }
}

TEST(ByteBudget, PatienceWithAHolderEndsTheSoonerTheMoreWait) {
  const struct {
    size_t holders;
    size_t waiters;
    std::optional<int64_t> patience_ms;
  } cases[] = {
      {1, 0, std::nullopt}, {1, 1, 2000}, {3, 1, 2000}, {1, 4, 500}, {3, 12, 500}, {3, 1000, 100}, {1, 1000, 100},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(fmt::format("{} hold, {} wait", c.holders, c.waiters));
    const auto budget = ByteBudget::make(16 * kMib);
    std::vector<ByteBudget::Share> held;
    for (size_t i = 0; i < c.holders; ++i)
      held.push_back(budget->try_take(c.holders == 1 ? 8 * kMib : 2 * kMib + 1).value());
    int begun = 0;
    const auto listening = budget->when_waited_for([&begun] { ++begun; });
    for (size_t i = 0; i < c.waiters; ++i) (void)budget->take(6 * kMib, ByteBudget::Peer::unknown, [](auto) {});
    EXPECT_EQ(held[0].patience_ms(2000), c.patience_ms);
    EXPECT_EQ(begun, static_cast<int>(c.waiters));
    held.clear();
    EXPECT_EQ(budget->used(), 0U);
  }
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
      const ByteBudget::Peer peers[] = {ByteBudget::Peer::delivered_much, ByteBudget::Peer::delivered,
                                        ByteBudget::Peer::unknown};
      ++asked;
      const auto ticket =
          budget->take(sizes[random() % 6] - random() % 100, peers[random() % 3], [&](ByteBudget::Share share) {
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
  int64_t last_ms;  // when the last of them came
  bool stalled;
};

TEST(ArrivalWatch, WantsSomeBytesInEveryWindowAndNoLongSilence) {
  const struct {
    const char* name;
    int64_t patience_ms;
    std::vector<Arrival> timeline;
  } cases[] = {
      {"nothing comes", 2000, {{0, 0, 0, false}, {1999, 0, 0, false}, {2000, 0, 0, true}}},
      {"a byte now and then", 2000, {{1000, 1, 900, false}, {1900, 2, 1800, false}, {2000, 3, 1950, true}}},
      {"enough in each window",
       2000,
       {{2000, 64 * kKib, 1990, false}, {3999, 64 * kKib, 2100, false}, {4000, 128 * kKib, 3995, false}}},
      {"a good start that ends", 2000, {{2000, 3 * kMib, 500, false}, {2499, 3 * kMib, 500, false}}},
      {"and ends for too long", 2000, {{2499, 3 * kMib, 500, false}, {4500, 3 * kMib, 500, true}}},
      {"little patience", 100, {{99, 0, 0, false}, {100, 3 * kKib, 95, true}}},
      {"little patience, enough",
       100,
       {{100, 4 * kKib, 95, false}, {150, 4 * kKib, 95, false}, {200, 4 * kKib, 95, true}}},
      {"long before anybody waited", 100, {{60'000, 900 * kKib, 20, true}}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    ArrivalWatch watch;
    watch.begin(0);
    for (const Arrival& row : c.timeline)
      EXPECT_EQ(watch.stalled(row.at_ms, c.patience_ms, row.arrived, row.last_ms), row.stalled) << row.at_ms;
  }
}

}  // namespace
}  // namespace muir::net
