// MetricsEndpoint: GET /metrics of HTTP servers.
//
//   endpoint->add_to(*server);   // before the server starts
//
// The text is made on a thread of its own, once for all who ask meanwhile: it reads every part of the program, and may
// be long.
#pragma once

#include <memory>

#include "base/metrics.h"
#include "net/event_loop.h"
#include "net/http_server.h"

namespace muir::net {

// Thread-safe. Outlives the servers that it was added to; stopped before their event loops are gone, which it answers
// on.
class MetricsEndpoint {
 public:
  // Of requests that wait for the text; more are answered 503.
  static constexpr size_t kWaitingMax = 64;

  // The registry outlives it.
  explicit MetricsEndpoint(const MetricsRegistry& registry) : registry_(registry) {}

  ~MetricsEndpoint() { stop(); }
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  void add_to(HttpServer& server);
  // Waits for the answer that is being made; from then on requests are answered 503. Idempotent.
  void stop();

 private:
  struct Waiting {
    std::string accept;
    std::shared_ptr<HttpResponder> responder;
  };
  void ask(Waiting waiting);
  void answer();

  const MetricsRegistry& registry_;
  std::mutex mutex_;
  std::vector<Waiting> waiting_;      // guarded by mutex_
  bool stopped_ = false;              // guarded by mutex_
  EventLoop thread_{"muir-metrics"};  // last: it ends first
};

}  // namespace muir::net
