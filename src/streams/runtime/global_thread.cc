#include "streams/runtime/global_thread.h"

#include <algorithm>

#include "base/log.h"

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

GlobalThread::GlobalThread(const RuntimeContext& context, client::Client& client, RunnerFactory factory,
                           std::string client_id)
    : context_(context), client_(client), factory_(std::move(factory)), client_id_(std::move(client_id)) {}

GlobalThread::~GlobalThread() {
  const Status closed = close();
  if (!closed.ok()) log::warn("global tables: {}", closed.message());
}

bool GlobalThread::needless(const TopologyPlan& plan) {
  const auto& subs = plan.subtopologies();
  return std::none_of(subs.begin(), subs.end(), [](const SubtopologyPlan& sub) { return sub.is_global; });
}

Status GlobalThread::open() {
  Properties consumer = context_.config->common;
  for (const auto& [key, value] : context_.config->global_consumer) consumer[key] = value;
  consumer["client.id"] = client_id_ + "-global-consumer";
  Properties admin = context_.config->common;
  for (const auto& [key, value] : context_.config->admin) admin[key] = value;
  admin["client.id"] = client_id_ + "-global-admin";
  admin_ = MUIR_TRY(client_.admin(admin));
  {
    auto made = MUIR_TRY(client_.consumer(consumer));
    const std::lock_guard guard(wakeup_mutex_);
    consumer_ = std::move(made);
  }
  MUIR_RETURN_IF_ERROR(open_runners());
  return assign();
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
    environment.sink = &no_sink();
    environment.clock = context_.clock;
    environment.serdes = context_.serdes;
    environment.on_failure = context_.on_failure;
    auto runner = MUIR_TRY(factory_(sub.id, std::move(environment)));
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

Status GlobalThread::assign() {
  const Checkpoint known =
      context_.directory->read_checkpoint(context_.directory->global_folder()).value_or(Checkpoint());
  // A store in memory begins empty, whatever the checkpoint says; one checkpoint serves all, so one such store decides.
  const bool persistent =
      std::all_of(stores_.begin(), stores_.end(), [](const auto& e) { return e.second->persistent(); });
  std::vector<client::TopicPartition> partitions;
  for (const auto& [topic, runner] : by_topic_) {
    const Result<client::TopicDescription> described = admin_->describe_topic(topic);
    if (!described.ok()) return described.status().annotate("global table of topic " + topic);
    for (int32_t partition = 0; partition < described->partitions; ++partition)
      partitions.push_back({topic, PartitionId(partition)});
  }
  const auto isolation =
      context_.config->exactly_once ? client::IsolationLevel::read_committed : client::IsolationLevel::read_uncommitted;
  const auto begins = MUIR_TRY(admin_->list_offsets(partitions, client::OffsetSpec::earliest(), isolation));
  const auto ends = MUIR_TRY(admin_->list_offsets(partitions, client::OffsetSpec::latest(), isolation));
  std::vector<client::PartitionStart> starts;
  for (const auto& tp : partitions) {
    const Offset begin = begins.contains(tp) ? begins.at(tp) : Offset();
    const Offset end = ends.contains(tp) ? ends.at(tp) : Offset();
    Offset start = begin;
    const auto found = known.find(tp);
    if (persistent && found != known.end() && found->second >= begin && found->second <= end) start = found->second;
    positions_[tp] = start;
    if (start < end) ends_[tp] = end;
    starts.push_back({tp, start});
  }
  if (!ends_.empty()) log::info("reading global tables: {} partitions, about {} records", ends_.size(), remaining());
  return consumer_->assign(starts);
}

Status GlobalThread::apply(client::Records& records) {
  for (const auto& part : records.partitions()) {
    const auto runner = by_topic_.find(part.partition.topic);
    if (runner == by_topic_.end()) continue;
    for (const auto& record : part.records) {
      const Status done = runner->second->process(part.partition.topic, part.partition.partition, record);
      if (!done.ok()) {
        return done.annotate(fmt::format("global table topic={} partition={} offset={}", part.partition.topic,
                                         part.partition.partition, record.offset));
      }
      positions_[part.partition] = record.offset + 1;
    }
    applied_since_checkpoint_ += static_cast<int64_t>(part.records.size());
    context_.counters->records_restored += part.records.size();
  }
  count_drops();
  return {};
}

void GlobalThread::count_drops() {
  uint64_t all = 0;
  for (const auto& [id, runner] : runners_) all += runner->dropped_records();
  context_.counters->records_dropped += all - std::exchange(drops_counted_, all);
}

Result<bool> GlobalThread::bootstrap(int64_t timeout_ms) {
  if (!ends_.empty()) {
    const auto records = MUIR_TRY(consumer_->poll(timeout_ms));
    MUIR_RETURN_IF_ERROR(apply(*records));
    for (auto it = ends_.begin(); it != ends_.end();) {
      const Result<Offset> position = consumer_->position(it->first);
      it = position.ok() && *position >= it->second ? ends_.erase(it) : std::next(it);
    }
  }
  if (!ends_.empty()) return false;
  MUIR_RETURN_IF_ERROR(checkpoint());
  for (const auto& [name, opened] : stores_) context_.stores->add(name, kGlobalPartition, opened);
  return true;
}

Status GlobalThread::run_once(int64_t timeout_ms) {
  const auto records = MUIR_TRY(consumer_->poll(timeout_ms));
  MUIR_RETURN_IF_ERROR(apply(*records));
  return applied_since_checkpoint_ >= kCheckpointEvery ? checkpoint() : Status();
}

Status GlobalThread::checkpoint() {
  applied_since_checkpoint_ = 0;
  for (const auto& [id, runner] : runners_) MUIR_RETURN_IF_ERROR(runner->sync_stores());
  return context_.directory->write_checkpoint(context_.directory->global_folder(), positions_);
}

Status GlobalThread::close() {
  if (runners_.empty()) return {};
  Status status = checkpoint();
  for (const auto& [name, opened] : stores_) context_.stores->remove(name, kGlobalPartition);
  for (const auto& [id, runner] : runners_) {
    const Status closed = runner->close();
    if (status.ok()) status = closed;
  }
  stores_.clear();
  by_topic_.clear();
  runners_.clear();
  const std::lock_guard guard(wakeup_mutex_);
  consumer_.reset();
  return status;
}

store::StateStore* GlobalThread::store(const std::string& name) const {
  const auto found = stores_.find(name);
  return found == stores_.end() ? nullptr : found->second;
}

void GlobalThread::wakeup() {
  const std::lock_guard guard(wakeup_mutex_);
  if (consumer_) consumer_->wakeup();
}

int64_t GlobalThread::remaining() const {
  int64_t out = 0;
  for (const auto& [tp, end] : ends_) out += std::max<int64_t>(0, end - positions_.at(tp));
  return out;
}

}  // namespace muir::streams::internal
