#include "apps/vts/vts_metrics.h"

#include "apps/vts/records.h"
#include "apps/vts/rules.h"

namespace muir::vts {
namespace {

void collect_gateway(MetricSink& sink, const Gateway& gateway) {
  const GatewayCounters& counters = gateway.counters();
  const auto counter = [&sink](std::string_view name, std::string_view help, const Counter& value) {
    sink.counter(name, help, {}, static_cast<double>(value.value()));
  };
  counter("muir_vts_gateway_received_total", "Positions posted, and items that are none.", counters.received);
  counter("muir_vts_gateway_refused_total", "Of these, those that are no positions.", counters.refused);
  counter("muir_vts_gateway_acknowledged_total", "Positions that the cluster has for good.", counters.acknowledged);
  counter("muir_vts_gateway_unacknowledged_total", "Positions answered 503: too many wait, or the cluster is away.",
          counters.unacknowledged);
  sink.gauge("muir_vts_gateway_waiting", "Positions that wait to be acknowledged.", {},
             static_cast<double>(gateway.in_flight()));
}

// The topology's own totals, which are kept in a topic: they go on after a restart.
void collect_view(MetricSink& sink, const View& view) {
  const ViewTotals totals = view.totals();
  const auto counter = [&sink](std::string_view name, std::string_view help, int64_t value) {
    sink.counter(name, help, {}, static_cast<double>(value));
  };
  counter("muir_vts_positions_received_total", "Positions that the topology has taken.", totals.counts.received);
  counter("muir_vts_positions_accepted_total", "Of these, those that no rule rejects.", totals.counts.accepted);
  counter("muir_vts_positions_duplicate_total", "Of these, repeated ones.", totals.counts.duplicates);
  counter("muir_vts_positions_late_total", "Of these, older ones than the vehicle's newest.", totals.counts.late);
  counter("muir_vts_alerts_total", "Alerts.", totals.counts.alerts);
  sink.gauge("muir_vts_vehicles", "Vehicles shown.", {}, static_cast<double>(totals.vehicles));
  for (const auto& [record, count] : view.rejections()) {
    const auto& [topic, rule] = record;
    // What could not be processed is no position that a rule rejects: it is in none of the counts above.
    if (topic == kRawTopic && rule != kNotProcessed)
      sink.counter(
          "muir_vts_positions_rejected_total",
          "Positions in dead letters that this process has read, by rule; the newest from before its start count.",
          {{"rule", rule}}, static_cast<double>(count));
    else
      sink.counter(
          "muir_vts_records_rejected_total",
          "Other dead letters: rows of master data, and records that could not be processed, by topic and rule.",
          {{"topic", topic}, {"rule", rule}}, static_cast<double>(count));
  }
}

}  // namespace

std::unique_ptr<MetricsGroup> watch_vts(MetricsRegistry& registry, const VtsParts& parts) {
  auto out = std::make_unique<MetricsGroup>(&registry);
  out->collect([parts](MetricSink& sink) {
    collect_gateway(sink, parts.gateway);
    collect_view(sink, parts.view);
    sink.histogram("muir_vts_latency_seconds", "From a position's receipt over HTTP to the feed.", {},
                   parts.board.latencies());
    sink.gauge("muir_vts_page_connections", "Pages that follow the feed.", {},
               static_cast<double>(parts.feed.sockets()));
  });
  return out;
}

}  // namespace muir::vts
