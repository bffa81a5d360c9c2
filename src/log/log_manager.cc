#include "log/log_manager.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <random>
#include <thread>

#include "base/log.h"
#include "log/cleaner.h"
#include "log/file_names.h"
#include "log/kafka_error.h"

namespace muir::log {
namespace {

constexpr std::string_view kRegistry = "muir-topics";
constexpr std::string_view kMeta = "meta.properties";
constexpr std::string_view kRecoveryPoints = "recovery-point-offset-checkpoint";
constexpr std::string_view kLogStarts = "log-start-offset-checkpoint";
constexpr std::string_view kCleaned = "cleaner-offset-checkpoint";
constexpr std::string_view kCleanShutdown = ".kafka_cleanshutdown";
constexpr std::string_view kStraySuffix = "-stray";
constexpr int32_t kPartitionsMax = 100'000;
constexpr size_t kCloseThreads = 8;

wire::Uuid random_id() {
  std::random_device device;
  const auto word = [&] { return (uint64_t{device()} << 32) | device(); };
  wire::Uuid id;
  do {
    id = wire::Uuid::from_random(word(), word());
  } while (id.to_string().front() == '-');  // a leading dash reads as an option in a shell
  return id;
}

// Kafka's metric names turn '.' into '_', so two topics that differ only there are one.
std::string metric_name(std::string_view topic) {
  std::string out(topic);
  std::replace(out.begin(), out.end(), '.', '_');
  return out;
}

OffsetCheckpoint read_checkpoint(Env& env, const std::string& path) {
  const auto text = env.read_file(path);
  if (!text.ok()) return {};
  auto offsets = decode_offset_checkpoint(*text);
  if (!offsets.ok()) warn("{} is ignored: {}", path, offsets.status().message());
  return offsets.ok() ? *std::move(offsets) : OffsetCheckpoint();
}

}  // namespace

LogManager::LogManager(LogOptions options)
    : options_(std::move(options)),
      env_(options_.env != nullptr ? *options_.env : system_env()),
      clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
      flusher_(std::make_unique<Flusher>()) {
  partition_env_.env = &env_;
  partition_env_.clock = &clock_;
  partition_env_.sync_before_visible = options_.sync_before_visible;
  partition_env_.request_flush = [this](Partition& partition) { flusher_->request(partition.shared_from_this()); };
}

LogManager::~LogManager() { (void)close().ok(); }

int64_t LogManager::property(const std::string& key, int64_t otherwise) const {
  const auto it = options_.broker.find(key);
  if (it == options_.broker.end()) return otherwise;
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(it->second.data(), it->second.data() + it->second.size(), value);
  return failure == std::errc() ? value : otherwise;
}

// ---- opening

Result<std::unique_ptr<LogManager>> LogManager::open(LogOptions options) {
  std::unique_ptr<LogManager> out(new LogManager(std::move(options)));
  MUIR_RETURN_IF_ERROR(out->load());
  out->housekeeper_ = std::thread([manager = out.get()] { manager->housekeeping(); });
  return out;
}

Status LogManager::load() {
  MUIR_RETURN_IF_ERROR(env_.make_folders(options_.folder));
  auto lock = env_.lock(path(".lock"));
  if (!lock.ok() && lock.status().code() == Code::already_exists) {
    closed_ = true;
    return muir::error(Code::already_exists,
                       "data folder {} is in use by another broker; stop it or choose another folder", options_.folder);
  }
  MUIR_RETURN_IF_ERROR(lock);
  lock_ = *std::move(lock);
  closed_ = true;  // Until everything is read, closing must not write.
  MUIR_RETURN_IF_ERROR(load_meta());
  clean_start_ = env_.exists(path(kCleanShutdown));
  recovery_points_ = read_checkpoint(env_, path(kRecoveryPoints));
  log_starts_ = read_checkpoint(env_, path(kLogStarts));
  cleaned_ = read_checkpoint(env_, path(kCleaned));
  MUIR_RETURN_IF_ERROR(env_.remove(path(kCleanShutdown)));
  MUIR_RETURN_IF_ERROR(env_.sync_folder(options_.folder));
  MUIR_RETURN_IF_ERROR(load_topics());
  closed_ = false;
  return {};
}

Status LogManager::load_meta() {
  if (env_.exists(path(kMeta))) {
    const Bytes text = MUIR_TRY(env_.read_file(path(kMeta)));
    meta_ = MUIR_TRY(decode_meta_properties(text));
    return {};
  }
  meta_ = {random_id().to_string(), random_id().to_string(), options_.node_id};
  return env_.replace_file(path(kMeta), encode_meta_properties(meta_));
}

Status LogManager::load_topics() {
  TopicEntries stored;
  if (env_.exists(path(kRegistry))) {
    const Bytes text = MUIR_TRY(env_.read_file(path(kRegistry)));
    stored = MUIR_TRY(decode_topic_registry(text));
  }
  MUIR_RETURN_IF_ERROR(set_stray_folders_aside(stored));
  const int64_t started = clock_.steady_ms();
  size_t partitions = 0;
  for (const auto& [name, entry] : stored) {
    auto topic = MUIR_TRY(open_topic(name, entry));
    partitions += topic->partitions.size();
    publish(std::move(topic));
  }
  info("data folder {}: {} topics, {} partitions opened in {} ms{}", options_.folder, stored.size(), partitions,
       clock_.steady_ms() - started, clean_start_ || stored.empty() ? "" : " after an unclean shutdown");
  return {};
}

// Folders of partitions that no topic has: a topic whose deletion was interrupted, or files put there by hand.
Status LogManager::set_stray_folders_aside(const TopicEntries& stored) {
  for (const std::string& name : MUIR_TRY(env_.list(options_.folder))) {
    const auto partition = parse_partition_folder(name);
    if (!partition || !env_.exists(path(name) + "/partition.metadata")) continue;
    const auto topic = stored.find(partition->first);
    if (topic != stored.end() && partition->second < PartitionId(topic->second.partitions)) continue;
    warn("folder {} belongs to no topic; renamed to {}{}", name, name, kStraySuffix);
    MUIR_RETURN_IF_ERROR(env_.rename(path(name), path(name) + std::string(kStraySuffix)));
  }
  remove_deleted_folders();
  return {};
}

RecoveryHint LogManager::hint_for(const std::string& topic, PartitionId index) const {
  RecoveryHint hint;
  hint.clean_shutdown = clean_start_;
  if (const auto it = recovery_points_.find({topic, index}); it != recovery_points_.end())
    hint.recovery_point = it->second;
  if (const auto it = log_starts_.find({topic, index}); it != log_starts_.end()) hint.log_start_offset = it->second;
  if (const auto it = cleaned_.find({topic, index}); it != cleaned_.end()) hint.cleaned_to = it->second;
  return hint;
}

Result<TopicPtr> LogManager::open_topic(const std::string& name, const TopicEntry& entry) {
  auto topic = std::make_shared<Topic>();
  topic->name = name;
  topic->id = entry.id;
  topic->overrides = entry.overrides;
  topic->config = std::make_shared<const TopicConfig>(MUIR_TRY(TopicConfig::from(entry.overrides, options_.broker)));
  const TopicPtr known = find_topic(name);
  for (int32_t i = 0; i < entry.partitions; ++i) {
    const PartitionId index(i);
    if (known != nullptr && static_cast<size_t>(i) < known->partitions.size()) {
      topic->partitions.push_back(known->partitions[static_cast<size_t>(i)]);
      topic->partitions.back()->set_config(topic->config);
      continue;
    }
    topic->partitions.push_back(MUIR_TRY(Partition::open(partition_env_, path(partition_folder(name, index)), name,
                                                         index, entry.id, topic->config, hint_for(name, index))));
  }
  return TopicPtr(std::move(topic));
}

// ---- topics

void LogManager::publish(TopicPtr topic) {
  const std::unique_lock lock(topics_mutex_);
  topics_by_id_[topic->id] = topic;
  const std::string name = topic->name;
  topics_[name] = std::move(topic);
}

TopicPtr LogManager::find_topic(std::string_view name) const {
  const std::shared_lock lock(topics_mutex_);
  const auto it = topics_.find(name);
  return it == topics_.end() ? nullptr : it->second;
}

TopicPtr LogManager::find_topic(const wire::Uuid& id) const {
  const std::shared_lock lock(topics_mutex_);
  const auto it = topics_by_id_.find(id);
  return it == topics_by_id_.end() ? nullptr : it->second;
}

std::shared_ptr<Partition> LogManager::find_partition(std::string_view topic, PartitionId index) const {
  const std::shared_lock lock(topics_mutex_);
  const auto it = topics_.find(topic);
  if (it == topics_.end() || index < PartitionId(0)) return nullptr;
  const auto at = static_cast<size_t>(index.value());
  return at < it->second->partitions.size() ? it->second->partitions[at] : nullptr;
}

std::vector<TopicPtr> LogManager::topics() const {
  const std::shared_lock lock(topics_mutex_);
  std::vector<TopicPtr> out;
  for (const auto& [name, topic] : topics_) out.push_back(topic);
  return out;
}

TopicEntries LogManager::entries() const {
  TopicEntries out;
  for (const TopicPtr& topic : topics()) {
    out[topic->name] = {topic->id, static_cast<int32_t>(topic->partitions.size()), topic->overrides};
  }
  return out;
}

Status LogManager::save_registry(const TopicEntries& entries_to_save) {
  return env_.replace_file(path(kRegistry), encode_topic_registry(entries_to_save));
}

Result<TopicPtr> LogManager::create_topic(const std::string& name, int32_t partitions, const Properties& overrides,
                                          bool validate_only) {
  using wire::ErrorCode;
  if (!valid_topic_name(name)) {
    return kafka_error(ErrorCode::invalid_topic_exception,
                       "Topic name '{}' is illegal: 1 to 249 characters of [a-zA-Z0-9._-], not \".\" or \"..\"", name);
  }
  if (partitions < 1)
    return kafka_error(ErrorCode::invalid_partitions, "Number of partitions was set to {}: it must be at least 1",
                       partitions);
  if (partitions > kPartitionsMax)
    return kafka_error(ErrorCode::invalid_partitions, "{} partitions are more than the limit of {}", partitions,
                       kPartitionsMax);
  const std::lock_guard guard(change_mutex_);
  if (find_topic(name) != nullptr)
    return kafka_error(ErrorCode::topic_already_exists, "Topic '{}' already exists.", name);
  for (const TopicPtr& other : topics()) {
    if (metric_name(other->name) != metric_name(name)) continue;
    return kafka_error(ErrorCode::invalid_topic_exception, "Topic '{}' collides with existing topic: {}", name,
                       other->name);
  }
  MUIR_RETURN_IF_ERROR(TopicConfig::from(overrides, options_.broker));
  if (validate_only) return TopicPtr();
  TopicEntries all = entries();
  const TopicEntry entry{random_id(), partitions, overrides};
  all[name] = entry;
  MUIR_RETURN_IF_ERROR(save_registry(all));
  auto topic = open_topic(name, entry);
  if (!topic.ok()) {
    // As if it had not been asked for: a full disk, or too many open files, must not leave a topic that cannot be used.
    (void)save_registry(entries()).ok();
    return topic.status();
  }
  publish(*topic);
  return topic;
}

Status LogManager::add_partitions(const std::string& name, int32_t count, bool validate_only) {
  using wire::ErrorCode;
  const std::lock_guard guard(change_mutex_);
  TopicEntries all = entries();
  const auto it = all.find(name);
  if (it == all.end())
    return kafka_error(ErrorCode::unknown_topic_or_partition, "The topic '{}' does not exist.", name);
  if (count <= it->second.partitions) {
    return kafka_error(ErrorCode::invalid_partitions,
                       "The topic {} currently has {} partition(s); {} would not be an increase.", name,
                       it->second.partitions, count);
  }
  if (count > kPartitionsMax)
    return kafka_error(ErrorCode::invalid_partitions, "{} partitions are more than the limit of {}", count,
                       kPartitionsMax);
  if (validate_only) return {};
  it->second.partitions = count;
  MUIR_RETURN_IF_ERROR(save_registry(all));
  auto topic = open_topic(name, it->second);
  if (!topic.ok()) {
    (void)save_registry(entries()).ok();
    return topic.status();
  }
  publish(*std::move(topic));
  return {};
}

Status LogManager::set_topic_config(const std::string& name, const Properties& overrides) {
  const std::lock_guard guard(change_mutex_);
  TopicEntries all = entries();
  const auto it = all.find(name);
  if (it == all.end())
    return kafka_error(wire::ErrorCode::unknown_topic_or_partition, "The topic '{}' does not exist.", name);
  MUIR_RETURN_IF_ERROR(TopicConfig::from(overrides, options_.broker));
  it->second.overrides = overrides;
  MUIR_RETURN_IF_ERROR(save_registry(all));
  publish(MUIR_TRY(open_topic(name, it->second)));
  return {};
}

Status LogManager::delete_topic(const std::string& name) {
  const std::lock_guard guard(change_mutex_);
  const TopicPtr topic = find_topic(name);
  if (topic == nullptr)
    return kafka_error(wire::ErrorCode::unknown_topic_or_partition, "The topic '{}' does not exist.", name);
  TopicEntries all = entries();
  all.erase(name);
  // From here on the topic is gone: folders that a crash leaves behind are strays.
  MUIR_RETURN_IF_ERROR(save_registry(all));
  {
    const std::unique_lock lock(topics_mutex_);
    topics_.erase(name);
    topics_by_id_.erase(topic->id);
  }
  for (const auto& partition : topic->partitions) {
    partition->mark_deleted();
    // The id keeps the name unique when the topic is made and deleted again.
    const std::string target = fmt::format("{}.{}{}", partition->folder(), topic->id.to_string(), kDeleteSuffix);
    MUIR_RETURN_IF_ERROR(env_.rename(partition->folder(), target));
    recovery_points_.erase({name, partition->index()});
    log_starts_.erase({name, partition->index()});
    cleaned_.erase({name, partition->index()});
  }
  MUIR_RETURN_IF_ERROR(save_checkpoints());
  const std::lock_guard housekeeping_guard(housekeeping_mutex_);
  housekeeping_wake_.notify_one();
  return {};
}

Result<Offset> LogManager::delete_records_before(Partition& partition, Offset offset) {
  const Offset start = MUIR_TRY(partition.delete_records_before(offset));
  MUIR_RETURN_IF_ERROR(save_checkpoints());
  return start;
}

// ---- housekeeping

Status LogManager::save_checkpoints() {
  const std::lock_guard guard(checkpoint_mutex_);
  OffsetCheckpoint recovery;
  OffsetCheckpoint starts;
  OffsetCheckpoint cleaned;
  for (const TopicPtr& topic : topics()) {
    for (const auto& partition : topic->partitions) {
      recovery[{topic->name, partition->index()}] = partition->recovery_point();
      const Offset start = partition->offsets().log_start;
      if (start > Offset(0)) starts[{topic->name, partition->index()}] = start;
      if (topic->config->compact) cleaned[{topic->name, partition->index()}] = partition->cleaned_to();
    }
  }
  MUIR_RETURN_IF_ERROR(env_.replace_file(path(kRecoveryPoints), encode_offset_checkpoint(recovery)));
  MUIR_RETURN_IF_ERROR(env_.replace_file(path(kCleaned), encode_offset_checkpoint(cleaned)));
  return env_.replace_file(path(kLogStarts), encode_offset_checkpoint(starts));
}

Status LogManager::apply_retention() {
  constexpr int64_t kDay = 86'400'000;
  const int64_t producer_expiration_ms = property("producer.id.expiration.ms", kDay);
  Status first;
  for (const TopicPtr& topic : topics()) {
    for (const auto& partition : topic->partitions) {
      partition->expire_producers(producer_expiration_ms);
      const Status status = partition->apply_retention();
      if (first.ok()) first = status;
    }
  }
  return first;
}

Result<int> LogManager::compact() {
  int count = 0;
  Status first;
  for (const TopicPtr& topic : topics()) {
    if (!topic->config->compact) continue;
    for (const auto& partition : topic->partitions) {
      const auto cleaned = Cleaner(env_, clock_).clean(*partition);
      if (cleaned.ok() && *cleaned) ++count;
      if (first.ok()) first = cleaned.status();
    }
  }
  if (!first.ok()) return first;
  return count;
}

void LogManager::remove_deleted_folders() {
  const auto names = env_.list(options_.folder);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    if (!name.ends_with(kDeleteSuffix)) continue;
    if (const Status status = env_.remove_all(path(name)); !status.ok()) warn("{}", status.message());
  }
}

void LogManager::housekeeping() {
  pthread_setname_np(pthread_self(), "muir-logs");
  const int64_t retention_ms = property("log.retention.check.interval.ms", 300'000);
  const int64_t checkpoint_ms = property("log.flush.offset.checkpoint.interval.ms", 60'000);
  const int64_t compaction_ms = property("log.cleaner.backoff.ms", 15'000);
  const auto complain = [](std::string_view what, const Status& status) {
    if (!status.ok()) warn("{}: {}", what, status.message());
  };
  int64_t next_retention = clock_.steady_ms() + std::min<int64_t>(retention_ms, 30'000);
  int64_t next_checkpoint = clock_.steady_ms() + checkpoint_ms;
  int64_t next_compaction = clock_.steady_ms() + compaction_ms;
  for (;;) {
    {
      std::unique_lock lock(housekeeping_mutex_);
      const int64_t next = std::min({next_retention, next_checkpoint, next_compaction});
      const int64_t wait_ms = std::clamp<int64_t>(next - clock_.steady_ms(), 1, 60'000);
      if (!stopping_) housekeeping_wake_.wait_for(lock, std::chrono::milliseconds(wait_ms));
      if (stopping_) return;
    }
    remove_deleted_folders();
    const int64_t now = clock_.steady_ms();
    if (now >= next_retention) {
      complain("retention", apply_retention());
      next_retention = now + retention_ms;
    }
    if (now >= next_compaction) {
      complain("compaction", compact().status());
      next_compaction = now + compaction_ms;
    }
    if (now >= next_checkpoint) {
      complain("checkpoints", save_checkpoints());
      next_checkpoint = now + checkpoint_ms;
    }
  }
}

// Several at a time: each waits for the disk, which serves many syncs at once as fast as one.
Status LogManager::close_partitions() {
  std::vector<std::shared_ptr<Partition>> partitions;
  for (const TopicPtr& topic : topics()) {
    partitions.insert(partitions.end(), topic->partitions.begin(), topic->partitions.end());
  }
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  Status first;
  const auto close_some = [&] {
    for (size_t i = next++; i < partitions.size(); i = next++) {
      const Status status = partitions[i]->close();
      const std::lock_guard guard(mutex);
      if (first.ok()) first = status;
    }
  };
  std::vector<std::thread> helpers;
  const size_t count = std::min(kCloseThreads, partitions.size());
  for (size_t i = 1; i < count; ++i) helpers.emplace_back(close_some);
  close_some();
  for (auto& helper : helpers) helper.join();
  return first;
}

Status LogManager::close() {
  {
    const std::lock_guard guard(housekeeping_mutex_);
    if (closed_) return {};
    closed_ = true;
    stopping_ = true;
    housekeeping_wake_.notify_one();
  }
  if (housekeeper_.joinable()) housekeeper_.join();
  flusher_->stop();
  const Status first = close_partitions();
  MUIR_RETURN_IF_ERROR(save_checkpoints());
  MUIR_RETURN_IF_ERROR(first);
  // The marker says that no segment needs to be scanned; it is the last thing that becomes durable.
  return env_.replace_file(path(kCleanShutdown), "{\"version\":0,\"brokerEpoch\":\"-1\"}");
}

}  // namespace muir::log
