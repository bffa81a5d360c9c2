#include "streams/nodes/runner.h"

#include <algorithm>

#include "base/log.h"

namespace muir::streams::internal {
namespace {

constexpr std::string_view kFormHeader = "v";

std::optional<uint8_t> form_of(const client::ConsumedRecord& record) {
  for (const auto& header : record.headers) {
    if (header.name == kFormHeader && header.value && header.value->size() == 1)
      return static_cast<uint8_t>(header.value->front());
  }
  return std::nullopt;
}

// A store's changelog topic, as the store sees it.
class SinkChangelog final : public store::ChangelogWriter {
 public:
  SinkChangelog(RecordSink& sink, Clock& clock, std::string topic, PartitionId partition)
      : sink_(sink), clock_(clock), topic_(std::move(topic)), partition_(partition) {}
  Status log(BytesView key, OptBytesView value, int64_t timestamp_ms) override {
    return sink_.send(topic_, partition_, key, value, timestamp_ms, {});
  }
  Status log_form(BytesView key, OptBytesView value, std::optional<uint8_t> form) override {
    const char byte = static_cast<char>(form.value_or(0));
    const client::Header header{.name = kFormHeader, .value = BytesView(&byte, 1)};
    return sink_.send(topic_, partition_, key, value, clock_.now_ms(), std::span(&header, form ? 1 : 0));
  }

 private:
  RecordSink& sink_;
  Clock& clock_;
  const std::string topic_;
  const PartitionId partition_;
};

}  // namespace

SubtopologyRunner::SubtopologyRunner(std::shared_ptr<const TopologyPlan> plan, std::shared_ptr<const Graph> graph,
                                     size_t subtopology, RunnerEnvironment environment)
    : plan_(std::move(plan)),
      graph_(std::move(graph)),
      subtopology_(subtopology),
      task_(*graph_, std::move(environment)) {
  instantiate();
}
SubtopologyRunner::~SubtopologyRunner() { (void)close(); }

Status SubtopologyRunner::open_stores() {
  for (const StorePlan& store : plan_->subtopologies()[subtopology_].stores) {
    const Status opened = guarded([&] { return open_store(store); });
    if (!opened.ok()) {
      return opened.annotate(fmt::format("begin task {} store={}", to_string(task_.environment.task), store.name));
    }
  }
  for (const NodeId id : plan_->nodes(subtopology_)) {
    for (const auto& name : graph_->at(id).stores) {
      store::StateStore* opened = store(name);
      if (opened == nullptr || std::find(flush_order_.begin(), flush_order_.end(), opened) != flush_order_.end())
        continue;
      flush_order_.push_back(opened);
    }
  }
  return {};
}

Status SubtopologyRunner::restore_store(const std::string& name, std::span<const client::ConsumedRecord> records) {
  const auto at = task_.stores.find(name);
  if (at == task_.stores.end()) return error(Code::not_found, "restore: no state store {}", name);
  std::vector<store::ChangelogRecord> changes;
  changes.reserve(records.size());
  for (const auto& record : records) {
    if (record.key) changes.push_back({*record.key, record.value, record.timestamp_ms, form_of(record)});
  }
  return guarded([&] { return at->second.owned->restore(changes); }).annotate("restore store " + name);
}

Status SubtopologyRunner::init_processors() {
  for (const auto& node : nodes_) {
    ++initialised_;
    const Status begun = guarded([&] { return node->init(); });
    if (!begun.ok()) {
      return begun.annotate(fmt::format("begin task {} node={}", to_string(task_.environment.task), node->spec().name));
    }
  }
  return {};
}

Status SubtopologyRunner::process(std::string_view topic, PartitionId partition, const client::ConsumedRecord& record) {
  SourceNode* source = MUIR_TRY(source_of(topic));
  task_.failing = false;
  task_.record = &record;
  task_.record_topic = topic;
  task_.record_partition = partition;
  const RecordOrigin origin{task_.environment.task, topic, partition, &record};
  task_.environment.sink->set_origin(&origin);
  Status status = source->read(topic, partition, record);
  task_.environment.sink->set_origin(nullptr);
  clear_record();
  return task_.failing && status.ok() ? task_.failure : status;
}

Result<int64_t> SubtopologyRunner::extract_timestamp(std::string_view topic, const client::ConsumedRecord& record,
                                                     int64_t partition_time_ms) {
  return MUIR_TRY(source_of(topic))->extract_timestamp(topic, record, partition_time_ms);
}

Result<bool> SubtopologyRunner::punctuate_stream_time(int64_t stream_time_ms) {
  if (stream_time_ms < 0) return false;
  task_.stream_time_ms = std::max(task_.stream_time_ms, stream_time_ms);
  return punctuate(stream_time_ms, false);
}
Result<bool> SubtopologyRunner::punctuate_wall_clock(int64_t now_ms) { return punctuate(now_ms, true); }

// What a cache hands on may go into the cache of a store further down, or, by a processor's doing, further up: again,
// until nothing is held back.
Status SubtopologyRunner::flush() {
  for (bool again = true; again;) {
    again = false;
    for (store::StateStore* store : flush_order_) {
      if (!store->holds_back()) continue;
      again = true;
      MUIR_RETURN_IF_ERROR(flush(*store));
    }
  }
  return {};
}
Status SubtopologyRunner::sync_stores() {
  for (auto& [name, store] : task_.stores)
    MUIR_RETURN_IF_ERROR(guarded([&] { return store.owned->sync(); }).annotate("sync store " + name));
  return {};
}

Status SubtopologyRunner::close() {
  if (closed_) return {};
  closed_ = true;
  for (size_t i = 0; i < initialised_; ++i) {
    const Status status = guarded([&] {
      nodes_[i]->close();
      return Status();
    });
    if (!status.ok()) log::warn("close {}: {}", nodes_[i]->spec().name, status.message());
  }
  Status first;
  for (auto& [name, store] : task_.stores) {
    Status status = guarded([&] { return store.owned->close(); }).annotate("close store " + name);
    if (first.ok()) first = std::move(status);
  }
  return first;
}

store::StateStore* SubtopologyRunner::store(const std::string& name) {
  const auto at = task_.stores.find(name);
  return at == task_.stores.end() ? nullptr : at->second.owned.get();
}

std::map<std::string, int64_t> SubtopologyRunner::metadata() const {
  std::map<std::string, int64_t> out;
  for (const auto& node : nodes_) node->save(out);
  return out;
}
void SubtopologyRunner::restore_metadata(const std::map<std::string, int64_t>& metadata) {
  for (const auto& node : nodes_) node->load(metadata);
}
uint64_t SubtopologyRunner::dropped_records() const {
  uint64_t dropped = task_.dropped_records;
  for (const auto& [name, store] : task_.stores) dropped += store.owned->dropped();
  return dropped;
}

void SubtopologyRunner::instantiate() {
  const Graph& graph = *graph_;
  for (const NodeId id : plan_->nodes(subtopology_)) {
    nodes_.push_back(graph.at(id).make());
    task_.nodes[id] = nodes_.back().get();
  }
  for (const NodeId id : plan_->nodes(subtopology_)) {
    const GraphNode& spec = graph.at(id);
    std::vector<Node*> children;
    for (const NodeId child : spec.children) children.push_back(task_.nodes.at(child));
    task_.nodes.at(id)->connect(task_, spec, std::move(children));
    if (!spec.source) continue;
    for (const auto& topic : spec.source->topics) {
      sources_.emplace(task_.topic_name(topic, spec.source->internal_topic),
                       static_cast<SourceNode*>(task_.nodes.at(id)));
    }
  }
}

Status SubtopologyRunner::open_store(const StorePlan& planned) {
  const StoreSpec& spec = graph_->stores().at(planned.name);
  TaskStore store{.spec = &spec, .topic = task_.store_topic(planned.name)};
  const store::StoreSupplier& supplier = plan_->supplier(planned.name);
  const bool cached = spec.caching && task_.environment.cache != nullptr && task_.environment.cache->enabled();
  store.owned = cached ? supplier.make_cached({task_.environment.cache, &task_}) : supplier.make();
  if (!store.owned) return error(Code::invalid_argument, "its supplier made no store");
  MUIR_RETURN_IF_ERROR(
      store.owned->open(task_.environment.state_dir + "/rocksdb/" + planned.name, *task_.environment.files));
  if (!planned.changelog_topic.empty() && !planned.source_topic_is_changelog) {
    store.changelog = std::make_unique<SinkChangelog>(*task_.environment.sink, *task_.environment.clock,
                                                      planned.changelog_topic, task_.environment.task.partition);
    store.owned->set_changelog(store.changelog.get());
  }
  task_.stores.emplace(planned.name, std::move(store));
  return {};
}

Result<SourceNode*> SubtopologyRunner::source_of(std::string_view topic) {
  const auto at = sources_.find(topic);
  if (at == sources_.end()) return error(Code::not_found, "process: topic {} is no source of this task", topic);
  return at->second;
}

Status SubtopologyRunner::flush(store::StateStore& store) {
  task_.failing = false;
  clear_record();
  const Status flushed = guarded([&] { return store.flush(); });
  return task_.failing ? task_.failure : flushed;
}

Result<bool> SubtopologyRunner::punctuate(int64_t now_ms, bool wall_clock) {
  std::vector<size_t> due;
  for (size_t i = 0; i < task_.punctuations.size(); ++i) {
    const Punctuation& at = task_.punctuations[i];
    if (at.wall_clock == wall_clock && !*at.cancelled && at.next_ms <= now_ms) due.push_back(i);
  }
  std::stable_sort(due.begin(), due.end(),
                   [&](size_t a, size_t b) { return task_.punctuations[a].next_ms < task_.punctuations[b].next_ms; });
  for (const size_t i : due) {
    {
      Punctuation& at = task_.punctuations[i];
      if (*at.cancelled) continue;
      at.next_ms += at.interval_ms;
      if (at.next_ms <= now_ms) at.next_ms += (now_ms - at.next_ms) / at.interval_ms * at.interval_ms + at.interval_ms;
    }
    MUIR_RETURN_IF_ERROR(run_punctuation(i, now_ms));
  }
  std::erase_if(task_.punctuations, [](const Punctuation& at) { return *at.cancelled; });
  return !due.empty();
}

Status SubtopologyRunner::run_punctuation(size_t index, int64_t now_ms) {
  task_.failing = false;
  task_.record_time_ms = now_ms;
  // A copy: the function may schedule others, which moves the list.
  const auto run = task_.punctuations[index].run;
  Node* node = task_.punctuations[index].node;
  const Status status = guarded([&] { return run(now_ms); });
  if (task_.failing) return task_.failure;
  return status.ok() ? status : task_.fail(node->spec().name, FailureKind::processing, status);
}

void SubtopologyRunner::clear_record() {
  task_.record = nullptr;
  task_.record_topic = {};
  task_.record_partition = kNoPartition;
}

Result<std::unique_ptr<SubtopologyRunner>> make_runner(std::shared_ptr<const TopologyPlan> plan, int32_t subtopology,
                                                       RunnerEnvironment environment) {
  MUIR_CHECK(plan != nullptr, "a runner needs a plan");
  if (subtopology < 0 || static_cast<size_t>(subtopology) >= plan->subtopologies().size()) {
    return error(Code::out_of_range, "make runner: there is no subtopology {}", subtopology);
  }
  MUIR_CHECK(environment.sink != nullptr && environment.clock != nullptr, "a runner needs a sink and a clock");
  const SerdeContext none;
  const SerdeContext& serdes = environment.serdes != nullptr ? *environment.serdes : none;
  auto graph = MUIR_TRY(plan->bind(serdes));
  return std::make_unique<SubtopologyRunner>(std::move(plan), std::move(graph), static_cast<size_t>(subtopology),
                                             std::move(environment));
}

}  // namespace muir::streams::internal
