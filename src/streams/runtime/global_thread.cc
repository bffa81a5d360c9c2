#include "streams/runtime/global_thread.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "streams/nodes/runner.h"

namespace muir::streams::internal {
namespace {

constexpr int64_t kCheckpointEvery = 10'000;
constexpr PartitionId kGlobalPartition{0};  // under which global stores are listed for queries

// A global table only reads.
class NoSink final : public RecordSink {
 public:
  Status send(std::string_view topic, std::optional<PartitionId>, OptBytesView, OptBytesView, int64_t,
              std::span<const client::Header>) override {
    // A dead letter of a global table has no transaction to travel in; Kafka Streams sends none either.
    log::debug("global table: record for topic {} is not sent", topic);
    return {};
  }
};
NoSink& no_sink() {
  static NoSink sink;
  return sink;
}

}  // namespace

GlobalThread::GlobalThread(const RuntimeContext& context, client::Client& client, std::string client_id)
    : context_(context), client_(client), client_id_(std::move(client_id)) {}

GlobalThread::~GlobalThread() {
  const Status closed = close();
  if (!closed.ok()) log::warn("global tables: {}", closed.message());
}

bool GlobalThread::needless(const TopologyPlan& plan) {
  const auto& subs = plan.subtopologies();
  return std::none_of(subs.begin(), subs.end(), [](const SubtopologyPlan& sub) { return sub.is_global; });
}

Status GlobalThread::open() {
  MUIR_RETURN_IF_ERROR(open_runners());
  // A store in memory begins empty, whatever the checkpoint says; one checkpoint serves all, so one such store decides.
  const bool persistent =
      std::all_of(stores_.begin(), stores_.end(), [](const auto& e) { return e.second->persistent(); });
  Checkpoint known;
  if (persistent)
    known = context_.directory->read_checkpoint(context_.directory->global_folder()).value_or(Checkpoint());
  // Of an earlier topology.
  std::erase_if(known, [this](const auto& entry) { return !by_topic_.contains(entry.first.topic); });
  follow(known);
  return {};
}

Status GlobalThread::open_runners() {
  const std::string folder = context_.directory->global_folder();
  MUIR_RETURN_IF_ERROR(context_.directory->make_folder(folder));
  for (const auto& sub : context_.plan->subtopologies()) {
    if (!sub.is_global) continue;
    RunnerEnvironment environment;
    environment.application_id = context_.config->application_id;
    environment.task = {sub.id, kGlobalPartition};
    environment.state_dir = folder;
    environment.files = &context_.directory->files();
    environment.sink = &no_sink();
    environment.clock = context_.clock;
    environment.serdes = context_.serdes;
    environment.on_failure = context_.on_failure;
    auto runner = MUIR_TRY(make_runner(context_.plan, sub.id, std::move(environment)));
    MUIR_RETURN_IF_ERROR(runner->open_stores());
    MUIR_RETURN_IF_ERROR(runner->init_processors());
    for (const auto& topic : sub.source_topics) by_topic_[topic] = runner.get();
    for (const auto& store : sub.stores) {
      store::StateStore* opened = runner->store(store.name);
      if (opened == nullptr) continue;
      stores_[store.name] = opened;
    }
    runners_[sub.id] = std::move(runner);
  }
  return {};
}

void GlobalThread::follow(const Checkpoint& known) {
  const StreamsConfig& config = *context_.config;
  client::TopicReaderOptions options;
  for (const auto& [topic, runner] : by_topic_) options.topics.push_back({.name = topic});
  options.consumer = config.common;
  for (const auto& [key, value] : config.global_consumer) options.consumer[key] = value;
  options.isolation =
      config.exactly_once ? client::IsolationLevel::read_committed : client::IsolationLevel::read_uncommitted;
  options.consumer["client.id"] = client_id_ + "-global-consumer";
  options.admin = config.common;
  for (const auto& [key, value] : config.admin) options.admin[key] = value;
  options.admin["client.id"] = client_id_ + "-global-admin";
  options.resume = known;
  client::TopicHandlers handlers;
  handlers.on_records = [this](const client::PartitionRecords& part) { return apply(part); };
  handlers.on_reset = [this](const client::PartitionReset& reset) -> Status {
    stale_ = true;
    return error(Code::failed_precondition,
                 "global table topic={} partition={}: {}; its stores are rebuilt when the application starts again",
                 reset.partition.topic, reset.partition.partition, to_string(reset.reason));
  };
  auto reader =
      std::make_unique<client::TopicReader>(client_, std::move(options), std::move(handlers), *context_.clock);
  const std::lock_guard guard(wakeup_mutex_);
  reader_.swap(reader);
}

// Before anybody reads the stores.
Status GlobalThread::rebuild() {
  log::warn("global tables: their stores do not fit their topics and are read from the beginning");
  MUIR_RETURN_IF_ERROR(close_runners());
  MUIR_RETURN_IF_ERROR(context_.directory->wipe(context_.directory->global_folder()));
  stale_ = false;
  MUIR_RETURN_IF_ERROR(open_runners());
  follow({});
  return {};
}

Status GlobalThread::apply(const client::PartitionRecords& part) {
  SubtopologyRunner& runner = *by_topic_.at(part.partition.topic);
  for (const auto& record : part.records) {
    const Status done = runner.process(part.partition.topic, part.partition.partition, record);
    if (!done.ok()) return done.annotate(fmt::format("global table offset={}", record.offset));
  }
  applied_since_checkpoint_ += static_cast<int64_t>(part.records.size());
  context_.counters->records_restored += part.records.size();
  count_drops();
  return {};
}

void GlobalThread::count_drops() {
  uint64_t all = 0;
  for (const auto& [id, runner] : runners_) all += runner->dropped_records();
  context_.counters->records_dropped += all - std::exchange(drops_counted_, all);
}

Status GlobalThread::advance(int64_t timeout_ms) {
  const std::optional<client::TopicFailure> failure = reader_->step(timeout_ms);
  if (!failure) {
    failing_since_ms_ = -1;
    missing_ = false;
    return {};
  }
  const int64_t now = context_.clock->steady_ms();
  switch (failure->kind) {
    case client::TopicFailureKind::away:
      if (failing_since_ms_ < 0) failing_since_ms_ = now;
      if (now - failing_since_ms_ <= context_.config->task_timeout_ms) return {};
      return failure->status.annotate(
          fmt::format("global tables: nothing read for task.timeout.ms={}", context_.config->task_timeout_ms));
    // As in Kafka Streams: what was read stays, and when the topic is there again, another one, its stores are rebuilt.
    case client::TopicFailureKind::unknown_topic:
      if (!running_) break;
      if (!std::exchange(missing_, true))
        log::warn("global tables: {}; they stay as they are until it is there again", failure->status.message());
      return {};
    case client::TopicFailureKind::not_authorized:
    case client::TopicFailureKind::damaged:
    case client::TopicFailureKind::fatal:
    case client::TopicFailureKind::rejected: break;
  }
  return failure->kind == client::TopicFailureKind::unknown_topic
             ? failure->status.annotate("missing topic of a global table, create it before starting the application")
             : failure->status;
}

Result<bool> GlobalThread::bootstrap(int64_t timeout_ms) {
  if (const Status advanced = advance(timeout_ms); !advanced.ok()) {
    if (!stale_) return advanced;
    MUIR_RETURN_IF_ERROR(rebuild());
    return false;
  }
  if (const int64_t left = reader_->remaining(); left > 0 && !std::exchange(announced_, true))
    log::info("reading global tables: about {} records are left", left);
  if (!reader_->caught_up()) return false;
  MUIR_RETURN_IF_ERROR(checkpoint());
  for (const auto& [name, opened] : stores_) context_.stores->add(name, kGlobalPartition, opened);
  running_ = true;
  return true;
}

Status GlobalThread::run_once(int64_t timeout_ms) {
  MUIR_RETURN_IF_ERROR(advance(timeout_ms));
  return applied_since_checkpoint_ >= kCheckpointEvery ? checkpoint() : Status();
}

Status GlobalThread::checkpoint() {
  applied_since_checkpoint_ = 0;
  for (const auto& [id, runner] : runners_) MUIR_RETURN_IF_ERROR(runner->sync_stores());
  return context_.directory->write_checkpoint(context_.directory->global_folder(), reader_->positions());
}

Status GlobalThread::close_runners() {
  Status status;
  for (const auto& [id, runner] : runners_) {
    const Status closed = runner->close();
    if (status.ok()) status = closed;
  }
  stores_.clear();
  by_topic_.clear();
  runners_.clear();
  drops_counted_ = 0;
  return status;
}

Status GlobalThread::close() {
  if (runners_.empty()) return {};
  Status status = stale_ || !reader_ ? Status() : checkpoint();
  for (const auto& [name, opened] : stores_) context_.stores->remove(name, kGlobalPartition);
  const Status closed = close_runners();
  if (status.ok()) status = closed;
  if (stale_) {
    const Status wiped = context_.directory->wipe(context_.directory->global_folder());
    if (status.ok()) status = wiped;
  }
  std::unique_ptr<client::TopicReader> gone;
  const std::lock_guard guard(wakeup_mutex_);
  gone = std::move(reader_);
  return status;
}

store::StateStore* GlobalThread::store(const std::string& name) const {
  const auto found = stores_.find(name);
  return found == stores_.end() ? nullptr : found->second;
}

void GlobalThread::wakeup() {
  const std::lock_guard guard(wakeup_mutex_);
  if (reader_) reader_->wakeup();
}

}  // namespace muir::streams::internal
