#include "broker/internal/broker_metrics.h"

#include "broker/api/api_table.h"
#include "broker/api/fetch_sessions.h"
#include "broker/groups/group_coordinator.h"
#include "broker/internal/broker_context.h"
#include "wire/api_key.h"

namespace muir::broker {

BrokerMetrics::BrokerMetrics(MetricsRegistry* registry)
    : group_(registry),
      received_bytes_(group_.counter("muir_broker_received_bytes_total", "Bytes of requests.")),
      sent_bytes_(group_.counter("muir_broker_sent_bytes_total", "Bytes of answers.")),
      refused_requests_(group_.counter("muir_broker_refused_requests_total",
                                       "Connections closed because a request on them could not be understood.")) {
  for (const ApiHandler& handler : api_handlers()) {
    const Labels labels = {{"api", std::string(wire::name_of(handler.key))}};
    const auto key = static_cast<size_t>(handler.key);
    if (apis_.size() <= key) apis_.resize(key + 1);
    apis_[key] = std::make_unique<Api>(
        group_.counter("muir_broker_requests_total", "Requests received.", labels),
        group_.histogram("muir_broker_request_duration_seconds",
                         "From a whole request to its answer. Fetch and JoinGroup wait as their clients ask them to.",
                         kSecondsBuckets, labels));
  }
  group_.collect([this](MetricSink& sink) { collect(sink); });
}

void BrokerMetrics::collect(MetricSink& sink) const {
  for (size_t key = 0; key < apis_.size(); ++key) {
    if (!apis_[key]) continue;
    for (size_t i = 0; i < Api::kCodes; ++i) {
      const uint32_t n = apis_[key]->errors_[i].load(std::memory_order_relaxed);
      if (n == 0) continue;
      const auto code = static_cast<wire::ErrorCode>(static_cast<int16_t>(i) - 1);
      sink.counter("muir_broker_request_errors_total", "Errors told in answers, by Kafka's name.",
                   {{"api", std::string(wire::name_of(static_cast<wire::ApiKey>(key)))},
                    {"error", std::string(wire::name_of(code))}},
                   n);
    }
  }
}

std::unique_ptr<MetricsGroup> watch_broker(const BrokerContext& context) {
  auto out = std::make_unique<MetricsGroup>(context.config.metrics);
  out->collect([&context](MetricSink& sink) {
    sink.gauge("muir_broker_info", "Always 1; its labels say which broker this is.",
               {{"cluster_id", context.logs->cluster_id()}, {"node_id", std::to_string(context.node_id())}}, 1);
    for (const auto state : {GroupState::empty, GroupState::preparing_rebalance, GroupState::completing_rebalance,
                             GroupState::stable, GroupState::dead})
      sink.gauge("muir_broker_groups", "Consumer groups, by state.", {{"state", std::string(to_string(state))}},
                 static_cast<double>(context.groups->group_counts().in(state)));
    sink.gauge(
        "muir_broker_group_members_bytes",
        "Subscriptions, assignments and names of the members of all groups (group.members.max.bytes is the most).", {},
        static_cast<double>(context.groups->members_bytes()));
    sink.gauge("muir_broker_fetch_sessions", "Fetch sessions (KIP-227).", {},
               static_cast<double>(context.fetch_sessions->size()));
    const net::ByteBudget& budget = *context.request_budget;
    sink.gauge("muir_broker_request_budget_used_bytes", "Taken by large requests that are being received.", {},
               static_cast<double>(budget.used()));
    if (budget.bytes_max() != net::ByteBudget::kUnlimited)
      sink.gauge("muir_broker_request_budget_max_bytes", "Most that they may take (queued.max.request.bytes).", {},
                 static_cast<double>(budget.bytes_max()));
    sink.gauge("muir_broker_request_budget_waiting", "Connections that are not read from until there is room.", {},
               static_cast<double>(budget.waiting()));
    sink.counter("muir_broker_request_budget_waits_total", "How often a connection had to wait for room.", {},
                 static_cast<double>(budget.waits()));
    sink.gauge("muir_broker_unread_answers_bytes",
               "Answers that clients have not read (queued.max.response.bytes is the most).", {},
               static_cast<double>(context.answer_memory->used()));
  });
  return out;
}

}  // namespace muir::broker
