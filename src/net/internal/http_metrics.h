// HttpMetrics: what one HTTP server has answered, by route and status.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <string>

#include "base/metrics.h"

namespace muir::net {

// Routes are added before the server starts; then thread-safe. Shared by the server and requests that are in work,
// which may outlive it.
class HttpMetrics {
 public:
  // What one route has answered. Paths from outside are no labels: what meets no route is counted together.
  class Route {
   public:
    Route(std::string method, std::string pattern, Histogram& seconds)
        : method_(std::move(method)), pattern_(std::move(pattern)), seconds_(seconds) {}
    void answered(int status, int64_t took_us) {
      count(status);
      seconds_.observe_us(took_us);
    }
    // Without a request that could have taken time.
    void count(int status) { by_status_[place_of(status)].fetch_add(1, std::memory_order_relaxed); }

   private:
    friend class HttpMetrics;
    static constexpr int kFirst = 100;
    static constexpr int kLast = 599;
    static size_t place_of(int status) {
      return static_cast<size_t>(status < kFirst || status > kLast ? 500 : status) - kFirst;
    }
    const std::string method_;
    const std::string pattern_;
    Histogram& seconds_;
    std::array<std::atomic<uint32_t>, kLast - kFirst + 1> by_status_{};
  };

  HttpMetrics(MetricsRegistry* registry, const std::string& server);

  Route& add_route(const std::string& method, const std::string& pattern);
  [[nodiscard]] Route& unrouted() { return unrouted_; }
  [[nodiscard]] Route& files() { return files_; }

  // For what the server itself knows.
  [[nodiscard]] MetricsGroup& group() { return group_; }
  // Connections that lost their memory to others.
  [[nodiscard]] Counter& shed() { return shed_; }
  [[nodiscard]] Gauge& websockets() { return websockets_; }

 private:
  void collect(MetricSink& sink) const;

  std::deque<Route> routes_;
  MetricsGroup group_;  // its callback reads the routes
  Counter& shed_;
  Gauge& websockets_;
  Route& unrouted_;
  Route& files_;
};

}  // namespace muir::net
