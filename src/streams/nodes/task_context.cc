#include "streams/nodes/task_context.h"

#include "streams/nodes/cached_context.h"

namespace muir::streams::internal {
namespace {

// These speak of the machine, not of the record: to skip the record would lose it.
bool ends_task(Code code) {
  switch (code) {
    case Code::unavailable:
    case Code::timed_out:
    case Code::aborted:
    case Code::fenced:
    case Code::data_loss:
    case Code::io_error:
    case Code::resource_exhausted: return true;
    default: return false;
  }
}

}  // namespace

TaskContext::TaskContext(const Graph& built, RunnerEnvironment surroundings)
    : graph(built), environment(std::move(surroundings)) {}

Status TaskContext::fail(const std::string& node, FailureKind kind, const Status& cause) {
  failing = true;
  const Status described =
      cause.annotate(fmt::format("task {} node={} topic={} partition={} offset={}", to_string(environment.task), node,
                                 record_topic, record_partition, record != nullptr ? record->offset : kNoOffset));
  if (ends_task(cause.code()) || !environment.on_failure) return fatal(described);
  FailedRecord failed{.kind = kind,
                      .topic = std::string(record_topic),
                      .partition = record_partition,
                      .offset = record != nullptr ? record->offset : kNoOffset,
                      .timestamp_ms = record_time_ms,
                      .node = node,
                      .task = environment.task,
                      .cause = cause};
  if (record != nullptr) {
    failed.raw_key = record->key;
    failed.raw_value = record->value;
    failed.headers = record->headers;
  }
  bool threw = true;
  Status handled = guarded([&] {
    Status answer = environment.on_failure(failed, *environment.sink);
    threw = false;
    return answer;
  });
  // A handler that throws has decided nothing: it is FAIL, of which both causes are told.
  if (threw)
    handled = described.with_message(
        fmt::format("{}; the failure handler threw: {}", described.message(), handled.message()));
  if (!handled.ok()) return fatal(std::move(handled));
  failing = false;
  dropped_records.fetch_add(1, std::memory_order_relaxed);
  return {};
}

void TaskContext::save(Bytes& out) const { append_cached_context(*this, out); }

std::string TaskContext::topic_name(const std::string& topic, bool internal) const {
  return internal ? environment.application_id + "-" + topic : topic;
}

std::string TaskContext::store_topic(const std::string& name) const {
  return environment.application_id + "-" + name + "-changelog";
}

Result<store::StateStore*> TaskContext::state_store(const std::string& name) {
  if (const auto at = stores.find(name); at != stores.end()) return at->second.owned.get();
  if (environment.global_store) {
    if (auto* found = environment.global_store(name); found != nullptr) return found;
  }
  return error(Code::not_found, "task {}: no state store {}", to_string(environment.task), name);
}

}  // namespace muir::streams::internal
