#include "streams/processor.h"

#include <algorithm>
#include <stdexcept>

#include "streams/nodes/task_context.h"

namespace muir::streams {

const std::string& ProcessingContext::application_id() const { return node_.task().environment.application_id; }
TaskId ProcessingContext::task_id() const { return node_.task().environment.task; }

std::optional<RecordMetadata> ProcessingContext::record_metadata() const {
  const internal::TaskContext& task = node_.task();
  if (task.record == nullptr) return std::nullopt;
  return RecordMetadata{task.record_topic, task.record_partition, task.record->offset};
}

int64_t ProcessingContext::current_stream_time_ms() const { return node_.task().stream_time_ms; }
int64_t ProcessingContext::current_system_time_ms() const { return node_.task().environment.clock->now_ms(); }

Cancellable ProcessingContext::schedule(std::chrono::milliseconds interval, PunctuationType type,
                                        std::function<Status(int64_t)> punctuate) {
  if (interval.count() < 1) {
    throw std::invalid_argument(fmt::format("schedule in {}: the interval is {} ms; it must be at least 1 ms",
                                            node_.spec().name, interval.count()));
  }
  if (!punctuate) throw std::invalid_argument(fmt::format("schedule in {}: there is no function", node_.spec().name));
  const bool wall_clock = type == PunctuationType::wall_clock_time;
  auto cancelled = std::make_shared<bool>(false);
  node_.task().punctuations.push_back({.node = &node_,
                                       .wall_clock = wall_clock,
                                       .next_ms = wall_clock ? current_system_time_ms() + interval.count() : 0,
                                       .interval_ms = interval.count(),
                                       .run = std::move(punctuate),
                                       .cancelled = cancelled});
  return Cancellable(std::move(cancelled));
}

void ProcessingContext::commit() {
  if (node_.task().environment.request_commit) node_.task().environment.request_commit();
}

void ProcessingContext::drop_record() { node_.drop(); }

Status ProcessingContext::forward_row(const Row& row) {
  if (row.timestamp_ms < 0) {
    return error(Code::invalid_argument, "forward from {}: timestamp {} is negative", node_.spec().name,
                 row.timestamp_ms);
  }
  return node_.forward(row);
}

Status ProcessingContext::forward_row(const Row& row, const std::string& child) {
  const auto children = node_.children();
  for (size_t i = 0; i < children.size(); ++i) {
    if (children[i]->spec().name == child) return node_.forward_to(i, row);
  }
  return error(Code::not_found, "forward from {}: no child is named {}", node_.spec().name, child);
}

Result<ProcessingContext::StoreAccess> ProcessingContext::find_store(const std::string& name, const ObjectType* key,
                                                                     const ObjectType* value) {
  internal::TaskContext& task = node_.task();
  const auto& connected = node_.spec().stores;
  const auto spec = task.graph.stores().find(name);
  const bool global = spec != task.graph.stores().end() && !spec->second.source_topic.empty();
  if (spec == task.graph.stores().end() ||
      (!global && std::find(connected.begin(), connected.end(), name) == connected.end())) {
    return error(Code::not_found, "processor {}: state store {} is not among those it was added with",
                 node_.spec().name, name);
  }
  const internal::TypedPair& types = spec->second.types;
  if (types.key.type != key || types.value.type != value) {
    return error(Code::invalid_argument, "processor {}: state store {} was declared with other types",
                 node_.spec().name, name);
  }
  return StoreAccess{.found = MUIR_TRY(task.state_store(name)),
                     .key = types.key.serde,
                     .value = types.value.serde,
                     .topic = task.store_topic(name),
                     .record_time_ms = &task.record_time_ms};
}

}  // namespace muir::streams
