// Feed: the WebSocket of the live map. A snapshot first, then what has changed, many times a second.
//
// All of it is made on a thread of the feed: event loops only carry bytes. A snapshot is made once per version of the
// view and shared by all who need one then; updates are shared by all, and kept for a while for those who read slowly.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "apps/vts/stats.h"
#include "apps/vts/view.h"
#include "net/http_server.h"

namespace muir::vts {

struct FeedOptions {
  int64_t tick_ms = 50;
  int64_t stats_ms = 1000;
  // A socket with more unread bytes gets no further ones before it has read some.
  size_t queue_bytes_max = 1024 * 1024;
  // Updates that are kept for such sockets; one that needs older ones gets a fresh snapshot instead.
  size_t kept_bytes_max = 4 * 1024 * 1024;
  size_t snapshot_alerts = 100;
  // Snapshots that are being read. From the first number on, who comes gets the newest of them and the updates since;
  // from the second on, the first one waits until one has been read.
  size_t snapshots_shared_from = 4;
  size_t snapshots_max = 16;
  // A socket that has not read its snapshot by then is cut off.
  int64_t snapshot_timeout_ms = 60'000;
};

// Thread-safe.
class Feed {
 public:
  // View and board outlive the feed.
  Feed(View& view, StatsBoard& board, FeedOptions options);
  ~Feed();  // stops
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // For HttpServer::websocket(); the server is stopped before the feed ends.
  net::WebSocketHandler handler();
  void start();
  void stop();
  // What start() has done every tick_ms, with a time of a steady clock; for tests that do not start it.
  void tick(int64_t now);
  [[nodiscard]] size_t sockets() const { return sockets_; }
  // How many were ever made.
  [[nodiscard]] int64_t snapshots() const { return made_; }

 private:
  using Text = std::shared_ptr<const std::string>;  // one text goes to many sockets
  struct Client {
    bool needs_snapshot = true;
    uint64_t next = 0;              // of the updates, once it has a snapshot
    int64_t snapshot_until_ms = 0;  // to have read it; 0: it has
  };
  using Clients = std::map<std::shared_ptr<net::WebSocket>, Client>;  // a socket lives as long as any user of it

  // All on the feed's thread.
  void run();
  void take_sockets();
  void keep(Text update);
  void pump(net::WebSocket& socket, Client& client, int64_t now);
  // The one for a client that comes now; null: it has to wait. `next`: the first update that it lacks.
  Text snapshot(int64_t now, uint64_t& next);

  void hear(std::string_view text);
  [[nodiscard]] uint64_t end() const { return first_kept_ + kept_.size(); }

  View& view_;
  StatsBoard& board_;
  const FeedOptions options_;
  std::thread thread_;

  // What event loops say: short moments, whatever the thread does.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::vector<std::shared_ptr<net::WebSocket>> came_;
  std::vector<std::shared_ptr<net::WebSocket>> gone_;
  std::atomic<size_t> sockets_{0};
  std::atomic<int64_t> made_{0};

  // Of the thread.
  int64_t next_stats_ms_ = 0;
  Clients clients_;
  std::deque<Text> kept_;  // updates, of numbers from first_kept_ on
  uint64_t first_kept_ = 0;
  size_t kept_bytes_ = 0;
  std::vector<std::weak_ptr<const std::string>> being_read_;  // snapshots, oldest first
  std::weak_ptr<const std::string> newest_;
  uint64_t newest_version_ = 0;
  uint64_t newest_next_ = 0;
  int64_t newest_made_ms_ = 0;
};

}  // namespace muir::vts
