// The feed against sockets that read as the test says.
#include "apps/vts/feed.h"

#include <set>

#include "apps/vts/view_fixture.h"
#include "schema/json.h"

namespace muir::vts {
namespace {

// A peer that has read `read` of what was sent.
class Peer final : public net::WebSocket {
 public:
  void send_text(std::shared_ptr<const std::string> text) override {
    EXPECT_FALSE(aborted);
    queued += text->size();
    held.push_back(text);
    texts.push_back(std::move(text));
  }
  [[nodiscard]] size_t send_queue_bytes() const override { return queued; }
  void close() override {}
  void abort() override { aborted = true; }
  [[nodiscard]] const std::string& peer() const override { return name_; }

  void read() {
    queued = 0;
    held.clear();
    last_read.assign(texts.begin(), texts.end());
    texts.clear();
  }
  // "snapshot", "update"... of what was read last.
  std::vector<std::string> kinds() {
    std::vector<std::string> out;
    for (const auto& text : last_read) out.push_back(*schema::Json::parse(*text)->find("type")->as_string());
    return out;
  }

  size_t queued = 0;
  bool aborted = false;
  std::vector<std::shared_ptr<const std::string>> held;  // what a real socket keeps until it is written
  std::vector<std::shared_ptr<const std::string>> texts;
  std::vector<std::shared_ptr<const std::string>> last_read;

 private:
  const std::string name_ = "peer";
};

class Fed {
 public:
  explicit Fed(FeedOptions options = {}) : feed(fleet.view(), board, options) {}
  std::shared_ptr<Peer> open() {
    auto peer = std::make_shared<Peer>();
    feed.handler().on_open(peer, {});
    return peer;
  }
  void close(const std::shared_ptr<Peer>& peer) { feed.handler().on_close(peer); }
  void tick(int64_t after_ms = 50) { feed.tick(now_ += after_ms); }

  ShownFleet fleet;
  StatsBoard board{system_clock(), "test"};
  Feed feed;

 private:
  int64_t now_ = 1'000'000;
};

using Kinds = std::vector<std::string>;

TEST(Feed, SharesOneSnapshotAmongAllPagesOfAVersion) {
  Fed fed;
  for (int i = 0; i < 10'000; ++i) fed.fleet.show(fmt::format("V{}", i));
  std::vector<std::shared_ptr<Peer>> peers;
  for (int i = 0; i < 200; ++i) peers.push_back(fed.open());
  for (const auto& peer : peers) EXPECT_TRUE(peer->texts.empty()) << "nothing is made where sockets open";
  fed.tick();
  const auto& text = peers.front()->texts.front();
  for (const auto& peer : peers) {
    ASSERT_EQ(peer->texts.size(), 1U);
    EXPECT_EQ(peer->texts.front().get(), text.get()) << "one text for all";
  }
  EXPECT_EQ(fed.feed.snapshots(), 1);
  EXPECT_EQ(schema::Json::parse(*text)->find("vehicles")->as_array()->size(), 10'000U);

  const auto later = fed.open();
  fed.tick();
  EXPECT_EQ(fed.feed.snapshots(), 1) << "nothing has changed";
  fed.fleet.show("V5", 2000);
  const auto last = fed.open();
  fed.tick();
  EXPECT_EQ(fed.feed.snapshots(), 2) << "a page sees what the REST interface shows when it opens";
  EXPECT_NE(last->texts.front().get(), text.get());
  EXPECT_EQ(fed.feed.sockets(), 202U);
}

TEST(Feed, SaysWhatHasGone) {
  Fed fed;
  fed.fleet.zones({"east", "west"});
  fed.fleet.show("V1");
  fed.fleet.show("V2");
  fed.fleet.show("V3");
  const auto peer = fed.open();
  fed.tick();
  peer->read();
  fed.fleet.remove("V1");
  fed.fleet.remove("V2");
  fed.fleet.show("V2", 5000);  // again
  fed.fleet.remove("V9");      // never seen
  fed.fleet.zones({"west"});
  fed.tick();
  peer->read();
  ASSERT_EQ(peer->last_read.size(), 1U);
  const auto update = *schema::Json::parse(*peer->last_read.front());
  EXPECT_EQ(update.find("removedVehicles")->to_string(), R"(["V1","V2"])");
  EXPECT_EQ(update.find("zonesChanged")->to_string(), "true");
  ASSERT_EQ(update.find("vehicles")->as_array()->size(), 1U);
  EXPECT_EQ(*(*update.find("vehicles")->as_array())[0].find("vehicleId")->as_string(), "V2");
  fed.fleet.show("V3", 6000);
  fed.tick();
  peer->read();
  const auto next = *schema::Json::parse(*peer->last_read.front());
  EXPECT_EQ(next.find("removedVehicles"), nullptr);
  EXPECT_EQ(next.find("zonesChanged"), nullptr);
}

TEST(Feed, ASlowReaderGetsWhatItMissedInOrder) {
  Fed fed({.queue_bytes_max = 10, .kept_bytes_max = 1 << 20});
  const auto peer = fed.open();
  fed.tick();
  for (int i = 0; i < 3; ++i) {
    fed.fleet.show("V1", 1000 + i);
    fed.tick();
  }
  EXPECT_EQ(peer->texts.size(), 1U) << "it has not read its snapshot";
  std::vector<int64_t> times;
  Kinds kinds;
  for (int i = 0; i < 4; ++i) {  // one at a time: each is more than it may leave unread
    peer->read();
    for (const std::string& kind : peer->kinds()) kinds.push_back(kind);
    for (const auto& text : peer->last_read) {
      const auto message = *schema::Json::parse(*text);
      for (const auto& vehicle : *message.find("vehicles")->as_array())
        times.push_back(*vehicle.find("timestamp")->as_int64());
    }
    fed.tick();
  }
  EXPECT_EQ(kinds, (Kinds{"snapshot", "update", "update", "update"}));
  EXPECT_EQ(times, (std::vector<int64_t>{1000, 1001, 1002}));
}

TEST(Feed, WhoMissedTooMuchGetsAFreshSnapshot) {
  Fed fed({.queue_bytes_max = 10, .kept_bytes_max = 500});
  const auto peer = fed.open();
  fed.tick();
  for (int i = 0; i < 10; ++i) {
    fed.fleet.show("V1", 1000 + i);
    fed.tick();
  }
  peer->read();
  fed.tick();
  peer->read();
  EXPECT_EQ(peer->kinds(), Kinds{"snapshot"});
  EXPECT_NE(peer->last_read.front()->find("\"timestamp\":1009"), std::string::npos);
}

TEST(Feed, CutsOffWhoDoesNotReadItsSnapshot) {
  Fed fed({.queue_bytes_max = 10, .snapshot_timeout_ms = 60'000});
  const auto silent = fed.open();
  const auto reader = fed.open();
  fed.tick();
  reader->read();
  fed.tick(59'000);
  EXPECT_FALSE(silent->aborted);
  fed.tick(2000);
  EXPECT_TRUE(silent->aborted);
  EXPECT_FALSE(reader->aborted);
}

TEST(Feed, HowManySnapshotsAreHeldDoesNotDependOnHowManyDoNotRead) {
  for (const size_t kept : {size_t{1} << 20, size_t{1}}) {  // updates that those who share a snapshot need, or not
    Fed fed({.queue_bytes_max = 10, .kept_bytes_max = kept, .snapshots_shared_from = 2, .snapshots_max = 5});
    std::vector<std::shared_ptr<Peer>> peers;
    for (int i = 0; i < 300; ++i) {
      fed.fleet.show("V1", 1000 + i);
      peers.push_back(fed.open());
      fed.tick();
    }
    std::set<const std::string*> held;
    for (const auto& peer : peers) {
      if (!peer->held.empty()) held.insert(peer->held.front().get());
    }
    EXPECT_LE(held.size(), 5U);
    EXPECT_GE(held.size(), 2U);
    // Who waits is served when somebody has read.
    for (const auto& peer : peers) peer->read();
    fed.tick();
    for (const auto& peer : peers) peer->read();
    fed.tick();
    for (const auto& peer : peers) EXPECT_FALSE(peer->aborted);
    const auto last = fed.open();
    fed.tick();
    EXPECT_EQ(last->texts.size(), 1U);
  }
}

TEST(Feed, ForgetsSocketsThatClose) {
  Fed fed;
  const auto peer = fed.open();
  const auto brief = fed.open();
  fed.close(brief);
  fed.tick();
  EXPECT_EQ(fed.feed.sockets(), 1U);
  EXPECT_TRUE(brief->texts.empty());
  fed.close(peer);
  fed.tick();
  EXPECT_EQ(fed.feed.sockets(), 0U);
  EXPECT_EQ(peer.use_count(), 1) << "held by nobody but the test";
}

}  // namespace
}  // namespace muir::vts
