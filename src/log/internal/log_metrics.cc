#include "log/internal/log_metrics.h"

#include "log/log_manager.h"

namespace muir::storage {
namespace {

double seconds(int64_t ms) { return static_cast<double>(ms) / 1000; }
double value(const std::atomic<uint64_t>& count) { return static_cast<double>(count.load(std::memory_order_relaxed)); }

// A topic's partitions added up: there may be very many of them.
void collect_topic(MetricSink& sink, const Topic& topic) {
  const Labels labels = {{"topic", topic.name}};
  PartitionSize size;
  double records_in = 0;
  double bytes_in = 0;
  double records_out = 0;
  double bytes_out = 0;
  for (const auto& partition : topic.partitions) {
    const PartitionSize one = partition->size();
    size.bytes += one.bytes;
    size.segments += one.segments;
    const PartitionTraffic& traffic = partition->traffic();
    records_in += value(traffic.records_in);
    bytes_in += value(traffic.bytes_in);
    records_out += value(traffic.records_out);
    bytes_out += value(traffic.bytes_out);
  }
  sink.gauge("muir_log_partitions", "Partitions.", labels, static_cast<double>(topic.partitions.size()));
  sink.gauge("muir_log_size_bytes", "Size of the segments.", labels, static_cast<double>(size.bytes));
  sink.gauge("muir_log_segments", "Segments.", labels, static_cast<double>(size.segments));
  sink.counter("muir_log_appended_records_total", "Records appended.", labels, records_in);
  sink.counter("muir_log_appended_bytes_total", "Bytes of record batches appended.", labels, bytes_in);
  sink.counter("muir_log_fetched_records_total", "Records sent to consumers.", labels, records_out);
  sink.counter("muir_log_fetched_bytes_total", "Bytes of record batches sent to consumers.", labels, bytes_out);
}

// Totals are always shown, so that an alert has something to look at; places only where something is wrong.
void collect_trouble(MetricSink& sink, const std::vector<TopicPtr>& topics) {
  Damage damage;
  uint64_t refused = 0;
  double left_whole = 0;
  double refusing = 0;
  double offline = 0;
  for (const TopicPtr& topic : topics) {
    for (const auto& partition : topic->partitions) {
      const PartitionWrites writes = partition->writes();
      refused += writes.refused;
      refusing += writes.refusing ? 1 : 0;
      offline += writes.offline ? 1 : 0;
      left_whole += static_cast<double>(partition->left_whole());
      const Damage one = partition->damage();
      damage.undecided += one.undecided;
      if (one.ranges == 0) continue;
      damage.ranges += one.ranges;
      damage.bytes += one.bytes;
      damage.offsets += one.offsets;
      sink.gauge("muir_log_partition_damaged_bytes",
                 "Bytes of damaged partitions that cannot be read, and are skipped.",
                 {{"topic", partition->topic()}, {"partition", std::to_string(partition->index().value())}},
                 static_cast<double>(one.bytes));
    }
  }
  sink.gauge("muir_log_damaged_places", "Places of segments that cannot be read, and are skipped.", {},
             static_cast<double>(damage.ranges));
  sink.gauge("muir_log_damaged_bytes", "Bytes of segments that cannot be read, and are skipped.", {},
             static_cast<double>(damage.bytes));
  sink.gauge("muir_log_damaged_offsets", "Offsets that cannot be read, and are skipped.", {},
             static_cast<double>(damage.offsets));
  sink.gauge("muir_log_undecided_transactions",
             "Transactions whose end may have been in such a place: read_committed does not show what came before it.",
             {}, static_cast<double>(damage.undecided));
  sink.gauge("muir_log_uncompacted_batches",
             "Batches that compaction leaves as they are, with the tombstones and markers behind them, because they "
             "cannot be read.",
             {}, left_whole);
  sink.counter("muir_log_refused_writes_total", "Appends that the disk did not take, as a rule because it is full.", {},
               static_cast<double>(refused));
  sink.gauge("muir_log_refusing_partitions", "Partitions whose last append the disk did not take.", {}, refusing);
  sink.gauge("muir_log_offline_partitions", "Partitions that take nothing until a restart, because a sync failed.", {},
             offline);
}

}  // namespace

LogMetrics::LogMetrics(MetricsRegistry* registry)
    : group_(registry),
      flush_seconds_(group_.histogram("muir_log_flush_duration_seconds", "Making a partition's appends durable.",
                                      kSecondsBuckets)),
      cleaner_seconds_(group_.histogram("muir_log_cleaner_run_duration_seconds",
                                        "A pass of compaction over all topics that may need it.", kSecondsBuckets)),
      cleaned_partitions_(group_.counter("muir_log_cleaner_partitions_total", "Partitions compacted.")),
      cleaner_failures_(group_.counter("muir_log_cleaner_failures_total", "Partitions whose compaction failed.")) {
  group_.gauge_of("muir_log_open_duration_seconds", "Opening and recovery of all partitions at the start.", {},
                  [this] { return seconds(open_ms_); });
}

void LogMetrics::cleaned(int64_t took_us, uint64_t partitions, uint64_t failures) {
  cleaner_seconds_.observe_us(took_us);
  cleaned_partitions_.add(partitions);
  cleaner_failures_.add(failures);
}

std::unique_ptr<MetricsGroup> watch_logs(const LogManager& logs) {
  auto out = std::make_unique<MetricsGroup>(logs.options().metrics);
  out->collect([&logs](MetricSink& sink) {
    const std::vector<TopicPtr> topics = logs.topics();
    sink.gauge("muir_log_topics", "Topics.", {}, static_cast<double>(topics.size()));
    for (const TopicPtr& topic : topics) collect_topic(sink, *topic);
    collect_trouble(sink, topics);
  });
  return out;
}

}  // namespace muir::storage
