#include "net/internal/turns.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace muir::net {
namespace {

// A loop thread of its own time. Each connection works off its requests, asking for the next turn after the last one.
class Thread {
 public:
  class Connection final : public Turns::Taker, public std::enable_shared_from_this<Connection> {
   public:
    Connection(Thread& thread, char name, int requests, int64_t us, int64_t interrupted_us = 0)
        : thread_(thread), name_(name), left_(requests), us_(us), interrupted_us_(interrupted_us) {}
    void ask() { thread_.turns.take(shared_from_this()); }
    void on_turn() override {
      thread_.cpu_us += us_;
      thread_.now_us += us_ + interrupted_us_;
      thread_.order += name_;
      // As the socket's own event would.
      if (--left_ > 0) thread_.later.emplace_back([self = shared_from_this()] { self->ask(); });
    }

   private:
    Thread& thread_;
    const char name_;
    int left_;
    const int64_t us_;
    const int64_t interrupted_us_;
  };

  void add(char name, int requests, int64_t us, int64_t interrupted_us = 0) {
    const auto connection = std::make_shared<Connection>(*this, name, requests, us, interrupted_us);
    later.emplace_back([connection] { connection->ask(); });
  }
  void run(size_t steps = 100'000) {
    for (; steps > 0 && !later.empty(); --steps) {
      const auto task = std::move(later.front());
      later.pop_front();
      task();
    }
  }

  int64_t now_us = 1'000'000;
  int64_t cpu_us = 0;
  std::string order;
  std::deque<std::function<void()>> later;
  Turns turns{TurnCost({.steady_us = [this] { return now_us; }, .cpu_us = [this] { return cpu_us; }}),
              [this](std::function<void()> task) { later.push_back(std::move(task)); }};
};

struct Row {
  char name;
  int requests;
  int64_t us;  // each
};

TEST(Turns, AreSharedOutByWhatTheyTake) {
  const struct {
    const char* what;
    std::vector<Row> connections;
    const char* order;
  } cases[] = {
      {"one alone", {{'a', 5, 1000}}, "aaaaa"},
      {"equals, one after the other", {{'a', 3, 1000}, {'b', 3, 1000}}, "ababab"},
      {"short ones as they come", {{'a', 3, 10}, {'b', 3, 10}}, "ababab"},
      {"a short one among long ones", {{'A', 3, 1000}, {'B', 3, 1000}, {'c', 4, 20}}, "ABcAcBcAcB"},
      {"who comes last, with little", {{'A', 2, 900}, {'B', 2, 900}, {'C', 2, 900}, {'d', 1, 20}}, "ABCdABC"},
      {"longer ones less often", {{'A', 3, 3000}, {'b', 6, 1000}, {'c', 6, 1000}}, "AbcbcAbcbcbcAbc"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Thread thread;
    for (const Row& row : c.connections) thread.add(row.name, row.requests, row.us);
    thread.run();
    EXPECT_EQ(thread.order, c.order);
    EXPECT_EQ(thread.turns.waiting(), 0U);
  }
}

// However many there are, and however much they have sent ahead.
TEST(Turns, AThousandWithLongRequestsLetAShortOneThrough) {
  Thread thread;
  for (int i = 0; i < 1000; ++i) thread.add('H', 100, 1000);
  thread.run(10'000);  // each has had one, and waits
  // A new one, whose requests come when the one before has been answered.
  const size_t before = thread.order.size();
  thread.add('c', 20, 50);
  while (std::count(thread.order.begin(), thread.order.end(), 'c') < 20) thread.run(1);
  EXPECT_LE(thread.order.size() - before, 20U * 3);
}

// Nor does it matter that the machine does something else in the middle of its turns.
TEST(Turns, WhoIsInterruptedDoesNotWaitForThat) {
  Thread thread;
  for (int i = 0; i < 1000; ++i) thread.add('H', 100, 1000);
  thread.run(10'000);
  const size_t before = thread.order.size();
  thread.add('c', 20, 50, 20'000);
  while (std::count(thread.order.begin(), thread.order.end(), 'c') < 20) thread.run(1);
  EXPECT_LE(thread.order.size() - before, 20U * 3);
}

// Nor do a thousand that have just come, for whoever was there before and has had a little more than his share.
TEST(Turns, AThousandNewOnesLetAKnownOneThrough) {
  Thread thread;
  thread.add('c', 1, 600);  // 0.6 ms count for 1.8
  thread.run();
  const auto known = std::make_shared<Thread::Connection>(thread, 'k', 3, 600);
  known->ask();
  thread.run(2);  // it has had one, and asks again
  for (int i = 0; i < 1000; ++i) thread.add('N', 1, 3000);
  thread.order.clear();
  while (std::count(thread.order.begin(), thread.order.end(), 'k') < 2) thread.run(1);
  EXPECT_LE(thread.order.size(), 30U) << "eight first turns tell what the others will be like";
}

// Time that a connection did not use is not saved up, and a long turn is forgiven.
TEST(Turns, WhoWasSilentHasNoMoreThanTheOthersAfterwards) {
  Thread thread;
  thread.add('a', 1, 50'000);
  thread.run();
  thread.add('b', 20, 1000);
  thread.run();
  thread.order.clear();
  thread.add('c', 3, 1000);
  thread.add('d', 3, 1000);
  thread.run();
  EXPECT_EQ(thread.order, "cdcdcd");
}

}  // namespace
}  // namespace muir::net
