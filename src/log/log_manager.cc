#include "log/log_manager.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <charconv>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include "base/log.h"
#include "log/file_names.h"
#include "log/internal/checkpoint.h"
#include "log/kafka_error.h"
#include "log/topic_config_check.h"

namespace muir::storage {
namespace {

constexpr std::string_view kRegistry = "muir-topics";
constexpr std::string_view kMeta = "meta.properties";
constexpr std::string_view kCleanShutdown = ".kafka_cleanshutdown";
// The same once more: one damaged file must not take the topics away.
constexpr std::string_view kRegistryCopy = "muir-topics.copy";
constexpr std::string_view kRegistryRebuilt = "muir-topics.rebuilt";
constexpr size_t kCloseThreads = 8;
constexpr size_t kRecoveryThreadsMax = 64;
// A killed broker's lock is tried so often, with so much time between the tries: three seconds.
constexpr int kLockTries = 31;
constexpr int64_t kLockRetryMs = 100;

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

// Runs `work` for 0 up to `count`, on this and other threads, at most `threads` of them. Ends at the first failure, or
// does all and returns the first failure when `all`.
Status run_side_by_side(size_t count, size_t threads, bool all, const std::function<Status(size_t)>& work) {
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  Status first;
  const auto run_some = [&] {
    for (size_t i = next++; i < count; i = next++) {
      const Status status = work(i);
      if (status.ok()) continue;
      const std::lock_guard guard(mutex);
      if (first.ok()) first = status;
      if (!all) next = count;
    }
  };
  std::vector<std::thread> helpers;
  try {
    for (size_t i = 1; i < std::min(threads, count); ++i) helpers.emplace_back(run_some);
  } catch (const std::system_error& failure) {
    log::warn("{} of {} threads: {}", helpers.size() + 1, threads, failure.what());  // these do it all
  }
  run_some();
  for (auto& helper : helpers) helper.join();
  return first;
}

OffsetCheckpoint read_checkpoint(Env& env, const std::string& path) {
  const auto text = env.read_file(path);
  if (!text.ok()) return {};
  auto offsets = decode_offset_checkpoint(*text);
  if (!offsets.ok()) log::warn("{} is ignored: {}", path, offsets.status().message());
  return offsets.ok() ? *std::move(offsets) : OffsetCheckpoint();
}

// Folders of partitions that could not be made.
void remove_folders(Env& env, const std::string& folder, const std::string& topic, int32_t from, int32_t to) {
  for (int32_t i = from; i < to; ++i) {
    const std::string path = folder + "/" + partition_folder(topic, PartitionId(i));
    if (!env.exists(path)) continue;
    if (const Status status = env.remove_all(path); !status.ok()) log::warn("{}", status.message());
  }
}

}  // namespace

LogManager::LogManager(LogOptions options)
    : options_(std::move(options)),
      env_(options_.env != nullptr ? *options_.env : system_env()),
      clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
      reserve_(env_, path(kReserve)),
      metrics_(options_.metrics),
      flusher_(std::make_unique<Flusher>()) {
  partition_env_.env = &env_;
  partition_env_.clock = &clock_;
  partition_env_.sync_before_confirm = options_.sync_before_confirm;
  partition_env_.flush_seconds = &metrics_.flush_seconds();
  partition_env_.request_flush = [this](Partition& partition) { flusher_->request(partition.shared_from_this()); };
}

LogManager::~LogManager() { (void)close().ok(); }

// ---- opening

Result<std::unique_ptr<LogManager>> LogManager::open(LogOptions options) {
  std::unique_ptr<LogManager> out(new LogManager(std::move(options)));
  MUIR_RETURN_IF_ERROR(out->load());
  out->watched_ = watch_logs(*out);
  out->housekeeper_ = std::thread([manager = out.get()] { manager->housekeeping(); });
  if (out->options_.housekeeping.compacts)
    out->compactor_ = std::thread([manager = out.get()] { manager->compact_from_time_to_time(); });
  if (out->options_.housekeeping.verify_bytes_per_second > 0)
    out->verifier_ = std::thread([manager = out.get()] { manager->verify_once(); });
  return out;
}

Status LogManager::load() {
  closed_ = true;  // Until everything is read, closing must not write.
  MUIR_RETURN_IF_ERROR(env_.make_folders(options_.folder));
  MUIR_RETURN_IF_ERROR(lock_folder());
  MUIR_RETURN_IF_ERROR(load_meta());
  clean_start_ = env_.exists(path(kCleanShutdown));
  load_checkpoints();
  MUIR_RETURN_IF_ERROR(env_.remove(path(kCleanShutdown)));
  MUIR_RETURN_IF_ERROR(env_.sync_folder(options_.folder));
  MUIR_RETURN_IF_ERROR(load_topics());
  closed_ = false;
  fill_reserve();
  return {};
}

// Kafka's files have no checksums. What stands in ours is used in their place, if it can be read.
void LogManager::load_checkpoints() {
  recovery_points_ = read_checkpoint(env_, path(kRecoveryPoints));
  log_starts_ = read_checkpoint(env_, path(kLogStarts));
  cleaned_ = read_checkpoint(env_, path(kCleaned));
  const auto text = env_.read_file(path(kCheckpoints));
  if (!text.ok()) return;
  const auto own = decode_checkpoints(*text);
  if (!own.ok()) return log::warn("{} is ignored: {}", path(kCheckpoints), own.status().message());
  const auto take = [&](OffsetCheckpoint& offsets, const OffsetCheckpoint& right, std::string_view file) {
    for (const auto& [partition, offset] : offsets) {
      const auto it = right.find(partition);
      // A broker that was killed may have written only the first of them.
      if (!clean_start_ || (it != right.end() && it->second == offset)) continue;
      log::error("{}: {} is not the {} that was written for {}-{}, which {} still has and which is used", path(file),
                 offset, it == right.end() ? Offset() : it->second, partition.first, partition.second, kCheckpoints);
    }
    offsets = right;
  };
  take(recovery_points_, own->recovery_points, kRecoveryPoints);
  take(log_starts_, own->log_starts, kLogStarts);
  take(cleaned_, own->cleaned, kCleaned);
}

Status LogManager::lock_folder() {
  for (int tries = 1;; ++tries) {
    auto lock = env_.lock(path(".lock"));
    if (lock.ok()) {
      lock_ = *std::move(lock);
      return {};
    }
    if (lock.status().code() != Code::already_exists) return lock.status();
    if (tries == 1) {
      log::info("data folder {} is held by another process; waiting up to {} ms for it to end", options_.folder,
                (kLockTries - 1) * kLockRetryMs);
    }
    if (tries == kLockTries) break;
    if (options_.wait) {
      options_.wait(kLockRetryMs);
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(kLockRetryMs));
    }
  }
  return muir::error(Code::already_exists,
                     "data folder {} is in use by another broker; stop it or choose another folder", options_.folder);
}

Status LogManager::load_meta() {
  if (env_.exists(path(kMeta))) {
    const Bytes text = MUIR_TRY(env_.read_file(path(kMeta)));
    auto meta = decode_meta_properties(text);
    if (!meta.ok()) {
      return muir::error(
          Code::data_loss,
          "{} is {}: it says which cluster and node the folder belongs to. No record is lost. Put a copy "
          "from a backup in its place; without one, move it out of the way: the folder gets a new "
          "cluster.id, which clients take for that of another cluster until they reconnect",
          path(kMeta), text.empty() ? "empty" : "damaged (" + meta.status().message() + ")");
    }
    meta_ = *std::move(meta);
    if (meta_.node_id == options_.node_id) return {};
    return muir::error(Code::invalid_argument,
                       "node.id={}: the data of this folder are those of node.id={} ({}); start with that id, or with "
                       "another folder",
                       options_.node_id, meta_.node_id, path(kMeta));
  }
  if (env_.exists(path(kRegistry)) || env_.exists(path(kRegistryCopy))) {
    log::error(
        "{} is missing, though there are topics: new ids are made. If anything relies on the cluster's id, stop the "
        "broker and put a copy from a backup in its place",
        path(kMeta));
  }
  meta_ = {random_id().to_string(), random_id().to_string(), options_.node_id};
  return env_.replace_file(path(kMeta), encode_meta_properties(meta_));
}

Status LogManager::load_topics() {
  const TopicEntries stored = MUIR_TRY(load_registry());
  // A deletion may have been interrupted before its offsets left the checkpoints: a new topic starts without them.
  for (auto* offsets : {&recovery_points_, &log_starts_, &cleaned_}) {
    std::erase_if(*offsets, [&](const auto& entry) { return !stored.contains(entry.first.first); });
  }
  MUIR_RETURN_IF_ERROR(set_stray_folders_aside(stored));
  const int64_t started = clock_.steady_ms();
  size_t partitions = 0;
  std::vector<std::shared_ptr<Topic>> found;
  for (const auto& [name, entry] : stored) {
    found.push_back(MUIR_TRY(prepare_topic(name, entry)));
    warn_of_missing_folders(name, entry);
    partitions += found.back()->partitions.size();
  }
  MUIR_RETURN_IF_ERROR(open_missing(found));
  for (auto& topic : found) publish(std::move(topic));
  log::info("data folder {}: {} topics, {} partitions opened in {} ms{}", options_.folder, stored.size(), partitions,
            clock_.steady_ms() - started, clean_start_ || stored.empty() ? "" : " after an unclean shutdown");
  metrics_.opened(clock_.steady_ms() - started);
  if (const Damage lost = damage(); lost.ranges > 0) {
    log::error(
        "data folder {}: {} damaged places, {} offsets ({} bytes) cannot be read, {} transactions are undecided; the "
        "lines above name the files",
        options_.folder, lost.ranges, lost.offsets, lost.bytes, lost.undecided);
  }
  return {};
}

void LogManager::warn_of_missing_folders(const std::string& topic, const TopicEntry& entry) const {
  for (int32_t i = 0; i < entry.partitions; ++i) {
    const std::string name = path(partition_folder(topic, PartitionId(i)));
    if (env_.exists(name)) continue;
    const RecoveryHint hint = hint_for(topic, PartitionId(i));
    const Offset end = std::max(hint.recovery_point, hint.log_start_offset);
    log::error(
        "{} is missing, with all records of that partition; it is made anew and goes on at offset {}. Unless the "
        "broker ended while the topic was being made, stop it and put a copy of the folder in place",
        name, end);
  }
}

// Folders of partitions that no topic has: a topic whose deletion was interrupted, or files put there by hand.
Status LogManager::set_stray_folders_aside(const TopicEntries& stored) {
  for (const std::string& name : MUIR_TRY(env_.list(options_.folder))) {
    const auto partition = parse_partition_folder(name);
    if (!partition || !env_.exists(path(name) + "/partition.metadata")) continue;
    const auto topic = stored.find(partition->first);
    const bool wanted = topic != stored.end() && partition->second < PartitionId(topic->second.partitions);
    if (wanted && !belongs_to_another(name, topic->second.id)) continue;
    forget_checkpoints(*partition);
    if (wanted) {
      log::error(
          "folder {} has the topic id of another topic than {} ({}), which begins empty. If these are its records, "
          "stop "
          "the broker, put the folder that is set aside back in place of the new one, and put the id into its "
          "partition.metadata",
          path(name), topic->first, topic->second.id.to_string());
    }
    const Status status = set_stray_aside(name);
    // In the way of a topic it would be taken for that one's; anywhere else it may stay.
    if (wanted) MUIR_RETURN_IF_ERROR(status);
    if (!status.ok()) log::warn("folder {} belongs to no topic, and cannot be renamed: {}", name, status.message());
  }
  return {};
}

// Two ids are random, and differ in about 61 bits; one that was damaged on the disk differs from itself in few.
bool LogManager::is_damaged_id(const wire::Uuid& stored, const wire::Uuid& id) {
  constexpr int kBitsMax = 16;
  int bits = 0;
  for (size_t i = 0; i < id.bytes.size(); ++i) {
    bits += std::popcount(static_cast<unsigned>(stored.bytes[i] ^ id.bytes[i]));
  }
  return bits <= kBitsMax;
}

// A topic that was deleted and made again: when the machine stopped before the renaming of the old one's folder was
// durable, its records stand under the new one's name. A file without a readable id says nothing.
bool LogManager::belongs_to_another(const std::string& name, const wire::Uuid& id) const {
  const auto text = env_.read_file(path(name) + "/partition.metadata");
  if (!text.ok()) return false;
  const auto stored = decode_partition_metadata(*text);
  if (!stored.ok() || *stored == id) return false;
  if (!is_damaged_id(*stored, id)) return true;
  log::error(
      "{}/partition.metadata is damaged: its topic id {} is {} but for a few bits. The list of topics is right; the "
      "file is written anew",
      path(name), stored->to_string(), id.to_string());
  return false;
}

void LogManager::forget_checkpoints(const TopicPartition& partition) {
  for (auto* offsets : {&recovery_points_, &log_starts_, &cleaned_}) offsets->erase(partition);
}

Status LogManager::set_stray_aside(const std::string& name) {
  std::string aside = folder_name_aside(name, "", kStraySuffix);
  for (int i = 2; env_.exists(path(aside)); ++i) aside = folder_name_aside(name, std::to_string(i), kStraySuffix);
  log::warn("folder {} belongs to no topic; renamed to {}", name, aside);
  return env_.rename(path(name), path(aside));
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

Result<std::shared_ptr<Topic>> LogManager::prepare_topic(const std::string& name, const TopicEntry& entry) const {
  auto topic = std::make_shared<Topic>();
  topic->name = name;
  topic->id = entry.id;
  topic->overrides = entry.overrides;
  topic->config = std::make_shared<const TopicConfig>(TopicConfig::from(entry.overrides, options_.broker));
  if (const TopicPtr known = find_topic(name)) topic->partitions = known->partitions;
  topic->partitions.resize(static_cast<size_t>(entry.partitions));
  return topic;
}

// Several at a time: after an unclean shutdown each reads its last segment from end to end.
Status LogManager::open_missing(const std::vector<std::shared_ptr<Topic>>& topics) {
  struct Place {
    Topic* topic;
    size_t at;
  };
  std::vector<Place> missing;
  for (const auto& topic : topics) {
    for (size_t i = 0; i < topic->partitions.size(); ++i) {
      if (topic->partitions[i] == nullptr) missing.push_back({topic.get(), i});
    }
  }
  const int64_t threads = std::max<int64_t>(options_.housekeeping.recovery_threads, 1);
  return run_side_by_side(
      missing.size(), std::min(static_cast<size_t>(threads), kRecoveryThreadsMax), false, [&](size_t i) -> Status {
        Topic& topic = *missing[i].topic;
        const PartitionId index(static_cast<int32_t>(missing[i].at));
        topic.partitions[missing[i].at] =
            MUIR_TRY(Partition::open(partition_env_, path(partition_folder(topic.name, index)), topic.name, index,
                                     topic.id, topic.config, hint_for(topic.name, index)));
        return {};
      });
}

Result<TopicPtr> LogManager::open_topic(const std::string& name, const TopicEntry& entry) {
  auto topic = MUIR_TRY(prepare_topic(name, entry));
  MUIR_RETURN_IF_ERROR(open_missing({topic}));
  for (const auto& partition : topic->partitions) partition->set_config(topic->config);
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

Damage LogManager::damage() const {
  Damage out;
  for (const TopicPtr& topic : topics()) {
    for (const auto& partition : topic->partitions) {
      const Damage one = partition->damage();
      out.ranges += one.ranges;
      out.bytes += one.bytes;
      out.offsets += one.offsets;
      out.undecided += one.undecided;
    }
  }
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
  const Bytes text = encode_topic_registry(entries_to_save);
  MUIR_RETURN_IF_ERROR(env_.replace_file(path(kRegistry), text));
  // The first one counts: without space for the second, the topic is there all the same.
  const Status copied = env_.replace_file(path(kRegistryCopy), text);
  if (!copied.ok()) log::warn("{} is not up to date: {}", path(kRegistryCopy), copied.message());
  return {};
}

Result<TopicEntries> LogManager::load_registry() {
  Status first;
  for (const auto name : {kRegistry, kRegistryCopy}) {
    if (!env_.exists(path(name))) continue;
    const Bytes text = MUIR_TRY(env_.read_file(path(name)));
    auto stored = decode_topic_registry(text);
    if (stored.ok()) {
      if (name == kRegistry) return stored;
      log::error("the list of topics {} is {}; its copy {} is used and put in its place", path(kRegistry),
                 first.ok() ? "missing" : "damaged", name);
      if (!first.ok()) MUIR_RETURN_IF_ERROR(env_.rename(path(kRegistry), path(kRegistry) + ".damaged"));
      MUIR_RETURN_IF_ERROR(env_.replace_file(path(kRegistry), text));
      return stored;
    }
    if (first.ok()) first = stored.status();
  }
  const TopicEntries found = MUIR_TRY(topics_of_folders());
  if (first.ok() && found.empty()) return found;  // a new folder
  MUIR_RETURN_IF_ERROR(env_.replace_file(path(kRegistryRebuilt), encode_topic_registry(found)));
  return muir::error(
      Code::data_loss,
      "the list of topics {} and its copy {} are {}. No record is lost: the partitions' folders have not been touched. "
      "Put a copy of the list from a backup in its place. Without one, rename {} to {}: it has been made from the "
      "folders "
      "and names {} topics, without their settings; each gets retention.ms=-1, so that nothing is removed before you "
      "have set cleanup.policy and retention again",
      path(kRegistry), kRegistryCopy, first.ok() ? "missing" : "damaged (" + first.message() + ")",
      path(kRegistryRebuilt), kRegistry, found.size());
}

// What the folders say of their topics.
Result<TopicEntries> LogManager::topics_of_folders() {
  TopicEntries out;
  for (const std::string& name : MUIR_TRY(env_.list(options_.folder))) {
    const auto partition = parse_partition_folder(name);
    if (!partition) continue;
    const auto text = env_.read_file(path(name) + "/partition.metadata");
    if (!text.ok()) continue;
    const auto id = decode_partition_metadata(*text);
    TopicEntry& entry = out[partition->first];
    if (id.ok()) entry.id = *id;
    entry.partitions = std::max(entry.partitions, partition->second.value() + 1);
    entry.overrides = {{"retention.ms", "-1"}};
  }
  return out;
}

Result<TopicPtr> LogManager::create_topic(const std::string& name, int32_t partitions, const Properties& overrides,
                                          bool validate_only, bool always) {
  using wire::ErrorCode;
  if (!valid_topic_name(name)) {
    return kafka_error(ErrorCode::invalid_topic_exception,
                       "Topic name '{}' is illegal: 1 to 249 characters of [a-zA-Z0-9._-], not \".\" or \"..\"", name);
  }
  if (partitions < 1)
    return kafka_error(ErrorCode::invalid_partitions, "Number of partitions was set to {}: it must be at least 1",
                       partitions);
  const std::lock_guard guard(change_mutex_);
  if (find_topic(name) != nullptr)
    return kafka_error(ErrorCode::topic_already_exists, "Topic '{}' already exists.", name);
  for (const TopicPtr& other : topics()) {
    if (metric_name(other->name) != metric_name(name)) continue;
    return kafka_error(ErrorCode::invalid_topic_exception, "Topic '{}' collides with existing topic: {}", name,
                       other->name);
  }
  MUIR_RETURN_IF_ERROR(check_topic_config(overrides, options_.broker));
  TopicEntries all = entries();
  if (!always) MUIR_RETURN_IF_ERROR(check_room(all, partitions));
  if (validate_only) return TopicPtr();
  const TopicEntry entry{random_id(), partitions, overrides};
  all[name] = entry;
  MUIR_RETURN_IF_ERROR(clear_the_way(name, 0, partitions));
  MUIR_RETURN_IF_ERROR(save_registry(all));
  auto topic = open_topic(name, entry);
  if (!topic.ok()) {
    // As if it had not been asked for: a full disk, or too many open files, must not leave a topic that cannot be used.
    (void)save_registry(entries()).ok();
    remove_folders(env_, options_.folder, name, 0, partitions);
    return topic.status();
  }
  publish(*topic);
  return topic;
}

Status LogManager::check_room(const TopicEntries& there, int64_t more) const {
  int64_t total = 0;
  for (const auto& [name, entry] : there) total += entry.partitions;
  if (total + more <= options_.partitions_max) return {};
  return kafka_error(
      wire::ErrorCode::policy_violation,
      "{} more partitions are too many: there are {}, and at most {} are allowed. Each holds files open: "
      "delete topics, or raise the limit of open files (ulimit -n) or max.partitions and restart.",
      more, total, options_.partitions_max);
}

// A new partition begins empty: a folder that has its name already is not its own.
Status LogManager::clear_the_way(const std::string& topic, int32_t from, int32_t to) {
  for (int32_t i = from; i < to; ++i) {
    const std::string name = partition_folder(topic, PartitionId(i));
    forget_checkpoints({topic, PartitionId(i)});
    if (env_.exists(path(name))) MUIR_RETURN_IF_ERROR(set_stray_aside(name));
  }
  return {};
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
  MUIR_RETURN_IF_ERROR(check_room(all, int64_t{count} - it->second.partitions));
  if (validate_only) return {};
  MUIR_RETURN_IF_ERROR(clear_the_way(name, it->second.partitions, count));
  const int32_t before = std::exchange(it->second.partitions, count);
  MUIR_RETURN_IF_ERROR(save_registry(all));
  auto topic = open_topic(name, it->second);
  if (!topic.ok()) {
    (void)save_registry(entries()).ok();
    remove_folders(env_, options_.folder, name, before, count);
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
  MUIR_RETURN_IF_ERROR(check_topic_config(overrides, options_.broker));
  it->second.overrides = overrides;
  MUIR_RETURN_IF_ERROR(write_on_full_disk([&] { return save_registry(all); }));
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
  MUIR_RETURN_IF_ERROR(write_on_full_disk([&] { return save_registry(all); }));
  {
    const std::unique_lock lock(topics_mutex_);
    topics_.erase(name);
    topics_by_id_.erase(topic->id);
  }
  for (const auto& partition : topic->partitions) {
    partition->mark_deleted();
    forget_checkpoints({name, partition->index()});
    // The id keeps the name unique when the topic is made and deleted again.
    const std::string folder = partition_folder(name, partition->index());
    const std::string target = folder_name_aside(folder, topic->id.to_string(), kDeleteSuffix);
    const Status status = env_.rename(path(folder), path(target));
    // The topic is gone all the same, and its other folders go on: what stays is a stray, which nobody takes over.
    if (!status.ok()) log::warn("folder {} of a deleted topic stays: {}", folder, status.message());
  }
  // Neither takes the deletion back: a start finds the list of topics first.
  for (const Status& status :
       {env_.sync_folder(options_.folder), write_on_full_disk([this] { return save_checkpoints(); })}) {
    if (!status.ok()) log::warn("deletion of topic {}: {}", name, status.message());
  }
  const std::lock_guard housekeeping_guard(housekeeping_mutex_);
  housekeeping_wake_.notify_all();
  return {};
}

// ---- closing

// Several at a time: each waits for the disk, which serves many syncs at once as fast as one.
Status LogManager::close_partitions() {
  std::vector<std::shared_ptr<Partition>> partitions;
  for (const TopicPtr& topic : topics()) {
    partitions.insert(partitions.end(), topic->partitions.begin(), topic->partitions.end());
  }
  return run_side_by_side(partitions.size(), kCloseThreads, true, [&](size_t i) { return partitions[i]->close(); });
}

Status LogManager::close() {
  {
    const std::lock_guard guard(housekeeping_mutex_);
    if (closed_) return {};
    closed_ = true;
    stopping_ = true;
    housekeeping_wake_.notify_all();
  }
  if (housekeeper_.joinable()) housekeeper_.join();
  if (compactor_.joinable()) compactor_.join();
  if (verifier_.joinable()) verifier_.join();
  flusher_->stop();
  const Status first = close_partitions();
  MUIR_RETURN_IF_ERROR(save_checkpoints());
  MUIR_RETURN_IF_ERROR(first);
  // The marker says that no segment needs to be scanned; it is the last thing that becomes durable.
  return env_.replace_file(path(kCleanShutdown), "{\"version\":0,\"brokerEpoch\":\"-1\"}");
}

}  // namespace muir::storage
