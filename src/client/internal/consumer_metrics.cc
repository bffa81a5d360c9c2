#include "client/internal/consumer_metrics.h"

#include <utility>

namespace muir::client::internal {

ConsumerMetrics::ConsumerMetrics(MetricsRegistry* registry, const std::string& client_id, size_t waiting_max_bytes)
    : waiting_max_bytes_(waiting_max_bytes), group_(registry, Labels{{"client", client_id}}) {
  group_.collect([this](MetricSink& sink) { collect(sink); });
}

void ConsumerMetrics::lags(std::map<std::string, int64_t> by_topic) {
  const std::lock_guard lock(mutex_);
  lags_ = std::move(by_topic);
}

void ConsumerMetrics::collect(MetricSink& sink) {
  sink.counter("muir_client_consumed_records_total", "Records polled (records-consumed-total).", {},
               static_cast<double>(records_.value()));
  sink.counter("muir_client_consumed_bytes_total", "Their keys and values (bytes-consumed-total).", {},
               static_cast<double>(bytes_.value()));
  sink.gauge("muir_client_assigned_partitions", "Partitions that are read (assigned-partitions).", {},
             static_cast<double>(partitions_.value()));
  sink.gauge("muir_client_fetched_waiting_records", "Records fetched and not polled.", {},
             static_cast<double>(waiting_records_.value()));
  sink.gauge("muir_client_fetched_waiting_bytes", "Memory that they take, about.", {},
             static_cast<double>(waiting_bytes_.value()));
  sink.gauge("muir_client_fetched_waiting_max_bytes", "Most that they may take (fetch.buffer.memory).", {},
             static_cast<double>(waiting_max_bytes_));
  const std::lock_guard lock(mutex_);
  for (const auto& [topic, lag] : lags_)
    sink.gauge("muir_client_lag_records", "Records of the topic that are not polled yet (records-lag).",
               {{"topic", topic}}, static_cast<double>(lag));
}

}  // namespace muir::client::internal
