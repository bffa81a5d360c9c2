#include "streams/runtime/streams_metrics.h"

#include "base/log.h"
#include "streams/nodes/guarded.h"
#include "streams/runtime/instance.h"

namespace muir::streams::internal {
namespace {

void collect_counters(MetricSink& sink, const RuntimeCounters& counters) {
  const auto counter = [&sink](std::string_view name, std::string_view help, const std::atomic<uint64_t>& value) {
    sink.counter(name, help, {}, static_cast<double>(value.load(std::memory_order_relaxed)));
  };
  counter("muir_streams_processed_records_total", "Records processed (process-total).", counters.records_processed);
  counter("muir_streams_dropped_records_total",
          "Records that no result came of: without key, late, undecodable, passed over by a handler "
          "(dropped-records-total).",
          counters.records_dropped);
  counter("muir_streams_produced_records_total", "Records that brokers acknowledged.", counters.records_produced);
  counter("muir_streams_polled_records_total", "Records fetched (poll-records).", counters.records_polled);
  counter("muir_streams_restored_records_total", "Records read into stores and global tables (restore-total).",
          counters.records_restored);
  counter("muir_streams_rebalances_total", "Assignments taken.", counters.rebalances);
  counter("muir_streams_tasks_created_total", "Tasks opened (task-created-total).", counters.tasks_created);
  counter("muir_streams_tasks_closed_total", "Tasks closed (task-closed-total).", counters.tasks_closed);
  counter("muir_streams_tasks_revived_total", "Tasks begun anew after an aborted transaction or silent brokers.",
          counters.tasks_revived);
  sink.histogram("muir_streams_commit_duration_seconds", "Commits (commit-latency).", {},
                 counters.commit_seconds.counts());
  sink.histogram("muir_streams_poll_duration_seconds", "Waits for records (poll-latency).", {},
                 counters.poll_seconds.counts());
}

void collect_stores(MetricSink& sink, StoreRegistry& stores) {
  for (const std::string& name : stores.names()) {
    const auto leases = stores.lease(name);
    if (!leases.ok()) continue;  // none of it is open here now
    const Labels labels = {{"store", name}};
    for (const StoreRegistry::Lease& lease : *leases) {
      // A store of a program's own kind that cannot tell is left out of what the process shows.
      const Result<store::StoreUsage> told =
          guarded([&]() -> Result<store::StoreUsage> { return lease.store().usage(); });
      if (!told.ok()) {
        log::warn("store {}: its usage: {}", name, told.status().message());
        continue;
      }
      const store::StoreUsage& usage = *told;
      const auto gauge = [&](std::string_view metric, std::string_view help, uint64_t value) {
        sink.gauge(metric, help, labels, static_cast<double>(value));
      };
      gauge("muir_streams_store_entries", "Entries, as the store estimates them (estimate-num-keys).", usage.entries);
      gauge("muir_streams_store_file_bytes", "Size of the files (total-sst-files-size).", usage.file_bytes);
      gauge("muir_streams_store_memory_bytes", "Writes that are not in files yet (cur-size-all-mem-tables).",
            usage.memory_bytes);
    }
  }
}

}  // namespace

std::unique_ptr<MetricsGroup> watch_streams(MetricsRegistry* registry, const Instance& instance,
                                            const RuntimeCounters& counters, StoreRegistry& stores) {
  auto out = std::make_unique<MetricsGroup>(registry, Labels{{"application", instance.config().application_id}});
  out->collect([&](MetricSink& sink) {
    const StreamsMetrics now = instance.metrics();
    for (const auto state :
         {StreamsState::created, StreamsState::rebalancing, StreamsState::running, StreamsState::pending_shutdown,
          StreamsState::not_running, StreamsState::pending_error, StreamsState::error})
      sink.gauge("muir_streams_state", "1 for the state that the application is in.",
                 {{"state", std::string(to_string(state))}}, now.state == state ? 1 : 0);
    sink.gauge("muir_streams_alive_threads", "Stream threads (alive-stream-threads).", {}, now.threads_alive);
    sink.gauge("muir_streams_failing_threads", "Stream threads that were replaced and have not run for 10 s since.", {},
               now.threads_failing);
    sink.counter("muir_streams_failed_threads_total", "Stream threads that failed (failed-stream-threads).", {},
                 static_cast<double>(now.threads_failed));
    collect_counters(sink, counters);
    counters.parts.collect(sink);
    collect_stores(sink, stores);
  });
  return out;
}

}  // namespace muir::streams::internal
