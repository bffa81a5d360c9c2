#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/memory.h"
#include "net/frame_client.h"
#include "net/frame_server.h"
#include "net/internal/blocking_socket.h"
#include "testing/eventually.h"

namespace muir::net {
namespace {

using testing::eventually;
constexpr int64_t kWaitMs = muir::testing::kPatienceMs;

// A session that does with each frame what the test says.
class ScriptedSession final : public FrameSession {
 public:
  using OnFrame = std::function<void(FrameConnection&, Bytes)>;
  ScriptedSession(std::shared_ptr<FrameConnection> connection, OnFrame on_frame, std::atomic<int>& closed)
      : connection_(std::move(connection)), on_frame_(std::move(on_frame)), closed_(closed) {}
  void on_frame(Bytes frame) override { on_frame_(*connection_, std::move(frame)); }
  void on_closed() override { ++closed_; }

 private:
  std::shared_ptr<FrameConnection> connection_;
  OnFrame on_frame_;
  std::atomic<int>& closed_;
};

struct Fixture {
  explicit Fixture(ScriptedSession::OnFrame on_frame, FrameServerOptions options = {}, int threads = 2,
                   const LoopClocks& clocks = {})
      : loop("frames", threads, clocks) {
    auto started = FrameServer::start(
        loop, options, [this, on_frame = std::move(on_frame)](std::shared_ptr<FrameConnection> connection) {
          {
            const std::lock_guard lock(mutex);
            connections.push_back(connection);
          }
          return std::make_unique<ScriptedSession>(std::move(connection), on_frame, closed);
        });
    EXPECT_TRUE(started.ok()) << started.status().to_string();
    server = std::move(*started);
  }
  std::unique_ptr<FrameClient> client() {
    auto connected = FrameClient::connect("127.0.0.1", server->port());
    EXPECT_TRUE(connected.ok()) << connected.status().to_string();
    return std::move(*connected);
  }
  std::shared_ptr<FrameConnection> connection() {
    const std::lock_guard lock(mutex);
    return connections.at(0);
  }
  std::unique_ptr<BlockingSocket> raw() {
    return std::move(*BlockingSocket::connect("127.0.0.1", server->port(), kWaitMs));
  }

  EventLoop loop;
  std::atomic<int> closed{0};
  std::mutex mutex;
  std::vector<std::shared_ptr<FrameConnection>> connections;
  std::unique_ptr<FrameServer> server;
};

void echo(FrameConnection& connection, Bytes frame) { connection.send(std::move(frame)); }

Bytes random_bytes(size_t size, std::mt19937& random) {
  Bytes out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

TEST(FrameServer, EchoesFramesOfEverySize) {
  Fixture fixture(echo);
  const auto client = fixture.client();
  std::mt19937 random(7);
  for (const size_t size : {0UL, 1UL, 4UL, 16'379UL, 16'380UL, 16'381UL, 65'532UL, 300'000UL, 5'000'000UL}) {
    const Bytes sent = random_bytes(size, random);
    ASSERT_TRUE(client->send(sent, kWaitMs).ok());
    const auto received = client->receive(kWaitMs);
    ASSERT_TRUE(received.ok()) << received.status().to_string();
    EXPECT_TRUE(*received == sent) << size;
  }
}

TEST(FrameServer, CutsFramesHoweverTheBytesArrive) {
  const unsigned seed = 20240219;
  std::mt19937 random(seed);
  SCOPED_TRACE(seed);
  Bytes stream;
  std::vector<Bytes> frames;
  for (int i = 0; i < 200; ++i) {
    frames.push_back(random_bytes(random() % (i % 20 == 0 ? 200'000 : 300), random));
    ByteWriter(stream).u32(static_cast<uint32_t>(frames.back().size()));
    stream += frames.back();
  }
  std::mutex mutex;
  std::vector<Bytes> received;
  Fixture fixture([&](FrameConnection&, Bytes frame) {
    const std::lock_guard lock(mutex);
    received.push_back(std::move(frame));
  });
  const auto socket = fixture.raw();
  for (BytesView rest = stream; !rest.empty();) {
    const BytesView part = rest.substr(0, 1 + random() % (random() % 3 == 0 ? 7 : 100'000));
    ASSERT_TRUE(socket->write_all(std::span(&part, 1), INT64_MAX).ok());
    rest.remove_prefix(part.size());
  }
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return received.size() == frames.size();
  }));
  EXPECT_TRUE(received == frames);
}

TEST(FrameServer, WritesPiecesAsOneFrame) {
  Fixture fixture([](FrameConnection& connection, Bytes) {
    std::vector<Bytes> pieces;
    for (int i = 0; i < 200; ++i) pieces.push_back(std::to_string(i) + ",");  // more than one iovec's worth
    connection.send(std::move(pieces));
  });
  const auto client = fixture.client();
  ASSERT_TRUE(client->send("go", kWaitMs).ok());
  const auto received = client->receive(kWaitMs);
  ASSERT_TRUE(received.ok());
  EXPECT_TRUE(received->starts_with("0,1,2,") && received->ends_with("198,199,")) << *received;
}

TEST(FrameServer, ClosesAConnectionThatAnnouncesTooMuch) {
  Fixture fixture(echo, {.frame_bytes_max = 1000});
  const auto client = fixture.client();
  ASSERT_TRUE(client->send(Bytes(1000, 'x'), kWaitMs).ok());
  EXPECT_TRUE(client->receive(kWaitMs).ok());
  ASSERT_TRUE(client->send(Bytes(1001, 'x'), kWaitMs).ok());
  EXPECT_EQ(client->receive(kWaitMs).status().code(), Code::unavailable);
  EXPECT_TRUE(eventually([&] { return fixture.closed == 1; }));
}

TEST(FrameServer, GivesNoFrameWhilePaused) {
  std::atomic<int> frames{0};
  Fixture fixture([&](FrameConnection& connection, Bytes) {
    ++frames;
    connection.pause_reading();
  });
  const auto client = fixture.client();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client->send("frame", kWaitMs).ok());
  for (int expected = 1; expected <= 3; ++expected) {
    ASSERT_TRUE(eventually([&] { return frames == expected; }));
    EXPECT_EQ(frames, expected);
    fixture.connection()->resume_reading();
  }
}

TEST(FrameServer, KeepsOrderTowardsASlowReader) {
  Fixture fixture([](FrameConnection& connection, Bytes) {
    for (int i = 0; i < 50; ++i) connection.send(Bytes(400'000, static_cast<char>('a' + i % 26)));
  });
  const auto client = fixture.client();
  ASSERT_TRUE(client->send("go", kWaitMs).ok());
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(fixture.mutex);
    return !fixture.connections.empty() && fixture.connections[0]->send_queue_bytes() > 1'000'000;
  }));
  for (int i = 0; i < 50; ++i) {
    const auto frame = client->receive(kWaitMs);
    ASSERT_TRUE(frame.ok()) << frame.status().to_string();
    ASSERT_EQ(frame->size(), 400'000U);
    EXPECT_EQ((*frame)[0], static_cast<char>('a' + i % 26));
  }
  EXPECT_TRUE(eventually([&] { return fixture.connection()->send_queue_bytes() == 0; }));
}

TEST(FrameServer, TakesFramesFromManyThreadsWhole) {
  Fixture fixture([](FrameConnection&, Bytes) {});
  const auto client = fixture.client();
  ASSERT_TRUE(client->send("hello", kWaitMs).ok());
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(fixture.mutex);
    return fixture.connections.size() == 1;
  }));
  std::vector<std::thread> senders;
  for (int t = 0; t < 4; ++t) {
    senders.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) fixture.connection()->send(Bytes(5000, static_cast<char>('a' + t)));
    });
  }
  for (int i = 0; i < 800; ++i) {
    const auto frame = client->receive(kWaitMs);
    ASSERT_TRUE(frame.ok());
    EXPECT_EQ(frame->find_first_not_of((*frame)[0]), Bytes::npos);
  }
  for (auto& sender : senders) sender.join();
}

TEST(FrameServer, CloseDeliversWhatIsQueuedFirst) {
  Fixture fixture([](FrameConnection& connection, Bytes) {
    connection.send(Bytes(3'000'000, 'x'));
    connection.close();
    connection.send("dropped");
  });
  const auto client = fixture.client();
  ASSERT_TRUE(client->send("go", kWaitMs).ok());
  const auto frame = client->receive(kWaitMs);
  ASSERT_TRUE(frame.ok()) << frame.status().to_string();
  EXPECT_EQ(frame->size(), 3'000'000U);
  EXPECT_EQ(client->receive(kWaitMs).status().code(), Code::unavailable);
}

TEST(FrameServer, RefusesConnectionsBeyondTheMaximum) {
  Fixture fixture(echo, {.connections_max = 1});
  const auto first = fixture.client();
  ASSERT_TRUE(first->send("a", kWaitMs).ok());
  ASSERT_TRUE(first->receive(kWaitMs).ok());
  const auto second = fixture.client();
  EXPECT_EQ(second->receive(kWaitMs).status().code(), Code::unavailable);
}

TEST(FrameServer, ClosesConnectionsOnWhichNothingMoves) {
  Fixture fixture(echo, {.idle_timeout_ms = 1000});
  const auto silent = fixture.client();
  ASSERT_TRUE(silent->send("before", kWaitMs).ok());
  EXPECT_EQ(silent->receive(kWaitMs).value(), "before");
  EXPECT_EQ(silent->receive(kWaitMs).status().code(), Code::unavailable);
  EXPECT_TRUE(eventually([&] { return fixture.closed == 1; }));
}

TEST(FrameServer, KeepsConnectionsThatMoveAndWithoutALimitAll) {
  Fixture without(echo);
  const auto silent = without.client();
  Fixture fixture(echo, {.idle_timeout_ms = 1000});
  const auto busy = fixture.client();
  const auto idle = fixture.client();
  while (fixture.closed == 0) {  // until the idle one has been ended
    ASSERT_TRUE(busy->send("x", kWaitMs).ok());
    ASSERT_TRUE(busy->receive(kWaitMs).ok());
  }
  ASSERT_TRUE(busy->send("still here", kWaitMs).ok());
  EXPECT_EQ(busy->receive(kWaitMs).value(), "still here");
  ASSERT_TRUE(silent->send("here too", kWaitMs).ok());
  EXPECT_EQ(silent->receive(kWaitMs).value(), "here too");
}

TEST(FrameServer, StopEndsEverySessionBeforeItReturns) {
  Fixture fixture(echo);
  std::vector<std::unique_ptr<FrameClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(fixture.client());
    ASSERT_TRUE(clients.back()->send("a", kWaitMs).ok());
    ASSERT_TRUE(clients.back()->receive(kWaitMs).ok());
  }
  fixture.server->stop();
  EXPECT_EQ(fixture.closed, 10);
  fixture.server->stop();
  EXPECT_FALSE(FrameClient::connect("127.0.0.1", fixture.server->port()).ok());
  fixture.connection()->send("into the void");
}

TEST(FrameServer, SaysThatAPortIsInUse) {
  Fixture fixture(echo);
  const auto second = FrameServer::start(fixture.loop, {.port = fixture.server->port()}, nullptr);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), Code::already_exists);
  EXPECT_NE(second.status().message().find("in use"), std::string::npos);
}

TEST(FrameClient, ATimeoutLeavesTheConnectionUsable) {
  std::atomic<FrameConnection*> connection{nullptr};
  Fixture fixture([&](FrameConnection& c, Bytes) { connection = &c; });
  const auto client = fixture.client();
  ASSERT_TRUE(client->send("a", kWaitMs).ok());
  EXPECT_EQ(client->receive(5).status().code(), Code::timed_out);
  ASSERT_TRUE(eventually([&] { return connection != nullptr; }));
  connection.load()->send("late");
  const auto frame = client->receive(kWaitMs);
  ASSERT_TRUE(frame.ok());
  EXPECT_EQ(*frame, "late");
}

TEST(FrameClient, AbortEndsABlockedReceive) {
  Fixture fixture([](FrameConnection&, Bytes) {});
  const auto client = fixture.client();
  std::thread other([&] { client->abort(); });
  EXPECT_EQ(client->receive(kWaitMs).status().code(), Code::aborted);
  other.join();
  EXPECT_EQ(client->receive(kWaitMs).status().code(), Code::aborted);
}

TEST(FrameClient, SaysWhoRefusedTheConnection) {
  const auto client = FrameClient::connect("127.0.0.1", 1);
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.status().code(), Code::unavailable);
  EXPECT_NE(client.status().message().find("127.0.0.1:1"), std::string::npos);
}

Bytes announced(size_t size, size_t sent) {
  Bytes out;
  ByteWriter(out).u32(static_cast<uint32_t>(size));
  out.append(sent, 'x');
  return out;
}

// Senders that stop in the middle of a large frame hold what the budget gives them and no more; whoever is beside them
// is served; and once others wait, those that have stopped are closed.
TEST(FrameServer, UnfinishedFramesStayWithinTheBudgetAndGiveWay) {
  constexpr size_t kMib = 1024 * 1024;
  const auto budget = ByteBudget::make(16 * kMib);
  FrameServerOptions options;
  options.frame_budget = budget;
  options.slow_sender_ms = 50;
  Fixture fixture(echo, options);
  std::vector<std::unique_ptr<BlockingSocket>> hostile;
  for (int i = 0; i < 40; ++i) {
    hostile.push_back(fixture.raw());
    const Bytes part = announced(3 * kMib, 40'000);
    const BytesView bytes(part);
    ASSERT_TRUE(hostile.back()->write_all(std::span(&bytes, 1), INT64_MAX).ok());
  }
  ASSERT_TRUE(eventually([&] { return budget->waiting() > 0; }));
  const auto client = fixture.client();
  for (const size_t size : {size_t{100}, size_t{50'000}, kMib}) {
    ASSERT_TRUE(client->send(Bytes(size, 'a'), kWaitMs).ok());
    EXPECT_TRUE(client->receive(kWaitMs).ok()) << size;
  }
  EXPECT_LE(budget->take_peak(), 16 * kMib);
  // Of the size of those that have stopped, and behind them.
  ASSERT_TRUE(client->send(Bytes(3 * kMib, 'a'), kWaitMs).ok());
  EXPECT_TRUE(client->receive(kWaitMs).ok());
  EXPECT_LE(budget->take_peak(), 16 * kMib);
  EXPECT_TRUE(eventually([&] { return fixture.closed >= 1; }));
  hostile.clear();
  EXPECT_TRUE(eventually([&] { return budget->used() == 0 && budget->waiting() == 0; }));
}

// A client that has delivered before does not wait until hundreds of stalled ones that came before it are given up.
TEST(FrameServer, WhoHasDeliveredIsNextAmongHundredsThatStall) {
  constexpr size_t kMib = 1024 * 1024;
  FrameServerOptions options;
  options.frame_budget = ByteBudget::make(16 * kMib);  // two of 3 MiB at a time
  std::atomic<int> closed_before{-1};
  std::unique_ptr<Fixture> fixture;
  fixture = std::make_unique<Fixture>(
      [&](FrameConnection& connection, const Bytes& frame) {
        if (frame.size() > kMib) closed_before = fixture->closed.load();
        connection.send("got it");
      },
      options);
  const auto client = fixture->client();
  ASSERT_TRUE(client->send("small", kWaitMs).ok());
  ASSERT_TRUE(client->receive(kWaitMs).ok());
  std::vector<std::unique_ptr<BlockingSocket>> hostile;
  const Bytes part = announced(3 * kMib, 40'000);
  const BytesView bytes(part);
  for (int i = 0; i < 300; ++i) {
    hostile.push_back(fixture->raw());
    ASSERT_TRUE(hostile.back()->write_all(std::span(&bytes, 1), INT64_MAX).ok());
  }
  ASSERT_TRUE(eventually([&] { return options.frame_budget->waiting() > 100; }));
  const int closed = fixture->closed;
  ASSERT_TRUE(client->send(Bytes(3 * kMib, 'a'), kWaitMs).ok());
  ASSERT_TRUE(client->receive(kWaitMs).ok());
  fmt::print("{} stalled ones were given up before it\n", closed_before - closed);
  EXPECT_LE(closed_before - closed, 40);
  hostile.clear();
  EXPECT_TRUE(eventually([&] { return options.frame_budget->used() == 0; }));
}

TEST(FrameServer, AnnouncedFramesThatNeverComeAreNotBelieved) {
  const auto budget = ByteBudget::make(256 * 1024 * 1024);
  FrameServerOptions options;
  options.frame_budget = budget;
  Fixture fixture(echo, options);
  const size_t before = resident_bytes();
  std::vector<std::unique_ptr<BlockingSocket>> hostile;
  for (int i = 0; i < 100; ++i) {
    hostile.push_back(fixture.raw());
    const Bytes part = announced(100 * 1024 * 1024, 100);
    const BytesView bytes(part);
    ASSERT_TRUE(hostile.back()->write_all(std::span(&bytes, 1), INT64_MAX).ok());
  }
  ASSERT_TRUE(eventually([&] { return budget->waiting() >= 98; }));
  const auto client = fixture.client();
  ASSERT_TRUE(client->send(Bytes(1'000'000, 'a'), kWaitMs).ok());
  EXPECT_TRUE(client->receive(kWaitMs).ok());
  EXPECT_LT(resident_bytes(), before + 16 * 1024 * 1024);
}

// Lets a loop thread go on from one request to the next as the test says.
class Steps {
 public:
  // On the loop thread: waits until it is let through.
  void pass() {
    std::unique_lock lock(mutex_);
    held_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return let_through_ || open_; });
    held_ = let_through_ = false;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  // When the next one has come, lets it through; false when end() comes first, or neither.
  bool step() {
    std::unique_lock lock(mutex_);
    const bool come = changed_.wait_for(lock, std::chrono::milliseconds(kWaitMs),
                                        [this] { return ended_ || (held_ && !let_through_); });
    EXPECT_TRUE(come) << "the thread has nothing to do";
    if (!come || std::exchange(ended_, false)) return false;
    let_through_ = true;
    changed_.notify_all();
    return true;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  bool let_through_ = false;
  bool ended_ = false;
  bool open_ = false;
};

// Requests that keep a loop thread busy, sent ahead by the hundred on each of many connections: whoever comes beside
// them waits for a few, not for those that came before it.
TEST(FrameServer, AClientBesideFloodsWaitsForFewOfTheirRequests) {
  constexpr size_t kHostile = 50;
  constexpr int kAhead = 400;
  std::atomic<int64_t> now_us{0};
  std::set<FrameConnection*> seen;  // hostile ones that have had a turn; the loop thread's
  std::atomic<size_t> known{0};
  Steps steps;
  const auto on_frame = [&](FrameConnection& connection, const Bytes& frame) {
    const bool hostile = frame.size() == 1;
    if (hostile) {
      seen.insert(&connection);
      known = seen.size();
      steps.pass();
    }
    now_us += hostile ? 1000 : 20;
    connection.send("answer");
    if (!hostile) steps.end();
  };
  const auto clock = [&] { return now_us.load(); };
  Fixture fixture(on_frame, {}, 1, {.steady_us = clock, .cpu_us = clock});
  const struct Opened {
    Steps& steps;
    ~Opened() { steps.open(); }  // before the server waits for its thread
  } opened{steps};
  Bytes flood;
  for (int i = 0; i < kAhead; ++i) flood.append("\0\0\0\1x", 5);
  const BytesView bytes(flood);
  std::vector<std::unique_ptr<BlockingSocket>> hostile;
  for (size_t i = 0; i < kHostile; ++i) {
    hostile.push_back(fixture.raw());
    ASSERT_TRUE(hostile.back()->write_all(std::span(&bytes, 1), INT64_MAX).ok());
  }
  while (known < kHostile) ASSERT_TRUE(steps.step());
  const auto client = fixture.client();
  std::vector<int> waited_for;
  for (int i = 0; i < 31; ++i) {
    ASSERT_TRUE(client->send("honest", kWaitMs).ok());
    waited_for.push_back(0);
    while (steps.step()) ++waited_for.back();
    ASSERT_TRUE(client->receive(kWaitMs).ok());
  }
  std::sort(waited_for.begin(), waited_for.end());
  fmt::print("requests of others before one's own: {} in the middle, {} at most\n", waited_for[15], waited_for[30]);
  EXPECT_LE(waited_for[15], 6);
}

// Answers that nobody reads are held up to the budget; then those who have not read for the longest time are closed,
// and whoever reads is not.
TEST(FrameServer, UnreadAnswersOfAllConnectionsStayWithinTheirMemory) {
  constexpr size_t kMib = 1024 * 1024;
  constexpr size_t kAnswer = 8 * kMib;  // more than sockets take
  FrameServerOptions options;
  options.send_memory = ConnectionMemory::make(64 * kMib);
  const Bytes answer_bytes(kAnswer, 'a');
  Fixture fixture([&](FrameConnection& connection, const Bytes&) { connection.send(Bytes(answer_bytes)); }, options);
  const auto reader = fixture.client();
  std::vector<std::unique_ptr<FrameClient>> hostile;
  for (int i = 0; i < 40; ++i) {
    hostile.push_back(fixture.client());
    ASSERT_TRUE(hostile.back()->send("give", kWaitMs).ok());
    if (i % 4 != 0) continue;
    ASSERT_TRUE(reader->send("give", kWaitMs).ok());
    const auto answer = reader->receive(kWaitMs);
    ASSERT_TRUE(answer.ok()) << answer.status().to_string();
    EXPECT_EQ(answer->size(), kAnswer);
  }
  EXPECT_TRUE(eventually([&] { return fixture.closed >= 40 - 8; }));
  EXPECT_LE(options.send_memory->used(), 64 * kMib);
  EXPECT_LE(options.send_memory->peak(), 64 * kMib + 8 * kAnswer) << "what is being given up counts until it is gone";
  hostile.clear();
  EXPECT_TRUE(eventually([&] { return options.send_memory->used() == 0; }));
}

// A client that does not wait for answers, and reads as fast as it can, is slowed down and not cut off; what waits for
// it is bounded by the session, which hears when it has been read.
TEST(FrameServer, ASessionHearsWhenASlowPeerHasRead) {
  std::atomic<int> answered{0};
  std::atomic<int> drained{0};
  const auto options = FrameServerOptions{};
  class Session final : public FrameSession {
   public:
    Session(std::shared_ptr<FrameConnection> connection, std::atomic<int>& answered, std::atomic<int>& drained)
        : connection_(std::move(connection)), answered_(answered), drained_(drained) {}
    void on_frame(Bytes frame) override {
      ++answered_;
      connection_->send(std::move(frame));
      if (connection_->send_queue_bytes() > 0 && connection_->call_when_drained()) connection_->pause_reading();
    }
    void on_drained() override {
      ++drained_;
      connection_->resume_reading();
    }
    void on_closed() override {}

   private:
    std::shared_ptr<FrameConnection> connection_;
    std::atomic<int>& answered_;
    std::atomic<int>& drained_;
  };
  EventLoop loop("frames", 2);
  const auto server = FrameServer::start(loop, options, [&](std::shared_ptr<FrameConnection> connection) {
                        return std::make_unique<Session>(std::move(connection), answered, drained);
                      }).value();
  const auto client = FrameClient::connect("127.0.0.1", server->port()).value();
  std::thread sender([&] {
    for (int i = 0; i < 64; ++i) ASSERT_TRUE(client->send(Bytes(4'000'000, static_cast<char>(i)), kWaitMs).ok());
  });
  ASSERT_TRUE(eventually([&] { return answered > 0; }));
  for (int i = 0; i < 64; ++i) {
    const auto frame = client->receive(kWaitMs);
    ASSERT_TRUE(frame.ok()) << frame.status().to_string();
    EXPECT_EQ(frame->front(), static_cast<char>(i));
  }
  sender.join();
  EXPECT_GT(drained, 0);
}

}  // namespace
}  // namespace muir::net
