// What single threads and tasks count, under the names of Kafka Streams' stream-thread-metrics and stream-task-metrics.
#include "streams/runtime/streams_metrics.h"

namespace muir::streams::internal {
namespace {

void show(MetricSink& sink, const Labels& labels, const std::string& name, std::string_view kafka,
          const Worked& worked) {
  const auto counter = [&](const std::string& suffix, const std::string& help, double value) {
    sink.counter(name + suffix, help, labels, value);
  };
  counter("_total", fmt::format("{0}-total; its rate is {0}-rate.", kafka), static_cast<double>(worked.times.value()));
  counter("_seconds_total",
          fmt::format("Time spent; its rate is {0}-ratio, divided by {0}-total it is {0}-latency-avg.", kafka),
          static_cast<double>(worked.us.value()) * 1e-6);
}

void show(MetricSink& sink, const Labels& labels, const std::string& name, std::string_view help,
          const Counter& counter) {
  sink.counter(name, help, labels, static_cast<double>(counter.value()));
}

void show(MetricSink& sink, const Labels& labels, const std::string& name, std::string_view help, const Gauge& gauge) {
  sink.gauge(name, help, labels, static_cast<double>(gauge.value()));
}

}  // namespace

ThreadCounters& PartsCounters::thread(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<ThreadCounters>& one = threads_[name];
  if (!one) one = std::make_unique<ThreadCounters>(name);
  return *one;
}

std::shared_ptr<TaskCounters> PartsCounters::task(TaskId id, ThreadCounters& thread) {
  auto made = std::make_shared<TaskCounters>(thread);
  const std::lock_guard lock(mutex_);
  tasks_[id] = made;
  return made;
}

void PartsCounters::collect(MetricSink& sink) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, one] : threads_) {
    const Labels labels = {{"thread", name}};
    const std::string prefix = "muir_streams_thread_";
    show(sink, labels, prefix + "process", "process", one->process);
    show(sink, labels, prefix + "punctuate", "punctuate", one->punctuate);
    show(sink, labels, prefix + "poll", "poll", one->poll);
    show(sink, labels, prefix + "commit", "commit", one->commit);
    show(sink, labels, prefix + "poll_records_total", "Records fetched (poll-records).", one->polled);
    show(sink, labels, prefix + "task_created_total", "Tasks opened (task-created-total).", one->tasks_created);
    show(sink, labels, prefix + "task_closed_total", "Tasks closed (task-closed-total).", one->tasks_closed);
  }
  for (auto it = tasks_.begin(); it != tasks_.end();) {
    const std::shared_ptr<TaskCounters> one = it->second.lock();
    if (!one) {
      it = tasks_.erase(it);
      continue;
    }
    const Labels labels = {{"thread", one->thread.name}, {"task", to_string(it->first)}};
    const std::string prefix = "muir_streams_task_";
    show(sink, labels, prefix + "process", "process", one->process);
    show(sink, labels, prefix + "dropped_records_total",
         "Records that no result came of (dropped-records-total, once skipped-records-total).", one->dropped);
    show(sink, labels, prefix + "restore_total", "Records read into the task's stores (restore-total).", one->restored);
    show(sink, labels, prefix + "restore_remaining_records",
         "Changelog records to be read before it processes (restore-remaining-records-total).", one->restore_remaining);
    show(sink, labels, prefix + "active_buffer_records", "Records fetched and not processed (active-buffer-count).",
         one->buffered);
    ++it;
  }
}

}  // namespace muir::streams::internal
