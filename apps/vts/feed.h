// Feed: the WebSocket of the live map. A snapshot first, then what has changed, many times a second.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "apps/vts/stats.h"
#include "apps/vts/view.h"
#include "net/event_loop.h"
#include "net/http_server.h"

namespace muir::vts {

struct FeedOptions {
  int64_t tick_ms = 50;
  int64_t stats_ms = 1000;
  // A socket with more unread bytes gets no updates, and a fresh snapshot once it has read everything.
  size_t queue_bytes_max = 1024 * 1024;
  size_t snapshot_alerts = 100;
};

// Thread-safe.
class Feed {
 public:
  // View and board outlive the feed; the loop runs its timer.
  Feed(net::EventLoop& loop, View& view, StatsBoard& board, FeedOptions options);
  ~Feed();  // stops
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // For HttpServer::websocket(); the server is stopped before the feed ends.
  net::WebSocketHandler handler();
  void start();
  void stop();
  [[nodiscard]] size_t sockets() const;

 private:
  struct Client {
    bool waits_for_snapshot = false;
  };
  // Outlives the feed in a timer that fires while it ends.
  struct Timer {
    std::mutex mutex;
    bool stopped = false;
    net::EventLoop::TimerId id = 0;
  };

  void schedule(const std::shared_ptr<Timer>& timer);
  void tick();
  [[nodiscard]] std::shared_ptr<const std::string> snapshot();
  void open(const std::shared_ptr<net::WebSocket>& socket);
  void hear(std::string_view text);

  net::EventLoop& loop_;
  View& view_;
  StatsBoard& board_;
  const FeedOptions options_;
  const std::shared_ptr<Timer> timer_ = std::make_shared<Timer>();
  int64_t next_stats_ms_ = 0;  // of the timer

  mutable std::mutex mutex_;
  std::map<std::shared_ptr<net::WebSocket>, Client> clients_;
};

}  // namespace muir::vts
