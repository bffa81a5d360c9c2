#include "net/connection_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace muir::net {
namespace {

constexpr size_t kMib = 1024 * 1024;

// A connection whose peer does what a row of a table says.
class Peer final : public ConnectionMemory::Holder {
 public:
  Peer(const std::shared_ptr<ConnectionMemory>& memory, std::string name, std::string& shed)
      : name_(std::move(name)), shed_(shed), account(memory, *this) {}
  void shed() override { shed_ += name_; }
  [[nodiscard]] int64_t last_read_ms() const override { return moved_ms; }
  [[nodiscard]] int64_t last_sent_ms() const override { return moved_ms; }

 private:
  const std::string name_;
  std::string& shed_;

 public:
  int64_t moved_ms = 0;
  ConnectionMemory::Account account;
};

struct Row {
  const char* name;
  char does;  // 's': sends a request, 'r': has an answer to read, 'w': its request is worked on
  size_t bytes;
  int64_t since_ms;  // when it began
  int64_t moved_ms;  // when it last sent or read
};

// At 10,000 ms somebody begins to send who needs one of 16 MiB, all of which are taken.
TEST(ConnectionMemory, IsGivenUpByThoseWhoDoNothing) {
  const struct {
    const char* what;
    std::vector<Row> others;
    int64_t began_ms;  // of the one who asks, who sends all the time
    bool given;
    const char* shed;
  } cases[] = {
      {"the one that is silent for longer",
       {{"a", 's', 8 * kMib, 0, 9000}, {"b", 's', 8 * kMib, 0, 9500}},
       10'000,
       true,
       "a"},
      {"the larger of two", {{"a", 's', 6 * kMib, 0, 9000}, {"b", 's', 10 * kMib, 0, 9000}}, 10'000, true, "b"},
      {"who does not read", {{"a", 's', 8 * kMib, 9000, 9999}, {"b", 'r', 8 * kMib, 9000, 9100}}, 10'000, true, "b"},
      {"not who reads, slowly", {{"a", 's', 8 * kMib, 9000, 9100}, {"b", 'r', 8 * kMib, 0, 9999}}, 10'000, true, "a"},
      {"small ones that arrived just now, rather than a large one that goes on",
       {{"a", 's', 8 * kMib, 9900, 9910}, {"b", 's', 8 * kMib, 9900, 9950}},
       9000,
       true,
       "a"},
      {"who drips, rather than who comes",
       {{"a", 's', 8 * kMib, 0, 10'000}, {"b", 's', 8 * kMib, 9990, 10'000}},
       10'000,
       true,
       "a"},
      {"not what is worked on", {{"a", 'w', 8 * kMib, 0, 0}, {"b", 's', 8 * kMib, 9990, 9990}}, 10'000, true, "b"},
      {"nobody is left", {{"a", 'w', 8 * kMib, 0, 0}, {"b", 'w', 8 * kMib, 0, 0}}, 10'000, false, ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    ManualClock clock;
    const auto memory = ConnectionMemory::make(16 * kMib, clock);
    std::string shed;
    std::vector<std::unique_ptr<Peer>> peers;
    for (const Row& row : c.others) {
      clock.set_ms(row.since_ms);
      peers.push_back(std::make_unique<Peer>(memory, row.name, shed));
      Peer& peer = *peers.back();
      peer.moved_ms = row.moved_ms;
      if (row.does == 'r') {
        peer.account.add_unread(row.bytes);
      } else {
        ASSERT_TRUE(peer.account.hold(row.bytes));
      }
      if (row.does == 'w') peer.account.work();
    }
    Peer one(memory, "self", shed);
    clock.set_ms(c.began_ms);
    EXPECT_TRUE(one.account.hold(0));
    clock.set_ms(10'000);
    one.moved_ms = 10'000;
    EXPECT_EQ(one.account.hold(kMib), c.given);
    EXPECT_EQ(shed, c.shed);
    EXPECT_EQ(memory->is_being_freed(), c.given);
    for (const auto& peer : peers) peer->account.close();
    EXPECT_FALSE(memory->is_being_freed());
    one.account.close();
    EXPECT_EQ(memory->used(), 0U);
  }
}

// An answer exists already: when all others cost less, its own connection goes.
TEST(ConnectionMemory, AnAnswerThatHasNoRoomEndsWhoDoesNotReadAndTheFirstIsTaken) {
  ManualClock clock;
  const auto memory = ConnectionMemory::make(16 * kMib, clock);
  std::string shed;
  Peer one(memory, "one", shed);
  one.account.add_unread(20 * kMib);
  EXPECT_EQ(shed, "") << "nobody else has anything";
  clock.advance_ms(1000);
  Peer two(memory, "two", shed);
  two.account.add_unread(kMib);
  EXPECT_EQ(shed, "one");
  one.account.close();
  EXPECT_EQ(memory->used(), kMib);
  two.account.work();
  EXPECT_EQ(memory->used(), 0U);
}

}  // namespace
}  // namespace muir::net
