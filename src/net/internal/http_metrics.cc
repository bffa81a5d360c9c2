#include "net/internal/http_metrics.h"

namespace muir::net {

HttpMetrics::HttpMetrics(MetricsRegistry* registry, const std::string& server)
    : group_(registry, {{"server", server}}),
      shed_(group_.counter("muir_http_connections_shed_total",
                           "Connections and requests given up because others needed their memory.")),
      websockets_(group_.gauge("muir_http_websockets", "Open WebSockets.")),
      unrouted_(add_route("any", "none")),
      files_(add_route("GET", "files")) {
  group_.collect([this](MetricSink& sink) { collect(sink); });
}

HttpMetrics::Route& HttpMetrics::add_route(const std::string& method, const std::string& pattern) {
  Histogram& seconds =
      group_.histogram("muir_http_request_duration_seconds", "From a whole request to its answer, by route.",
                       kSecondsBuckets, {{"method", method}, {"route", pattern}});
  return routes_.emplace_back(method, pattern, seconds);
}

void HttpMetrics::collect(MetricSink& sink) const {
  for (const Route& route : routes_) {
    for (int status = Route::kFirst; status <= Route::kLast; ++status) {
      const uint32_t n = route.by_status_[Route::place_of(status)].load(std::memory_order_relaxed);
      if (n == 0) continue;
      sink.counter("muir_http_requests_total", "Requests answered, by route and status.",
                   {{"method", route.method_}, {"route", route.pattern_}, {"code", std::to_string(status)}}, n);
    }
  }
}

}  // namespace muir::net
