#include "client/topic_log.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <utility>

#include "base/log.h"

namespace muir::client {
namespace {

constexpr int64_t kStepMs = 500;

struct Waiting {
  TopicPartition partition;
  Offset offset;
  int64_t deadline_ms;  // steady
  std::function<void(const Status&)> done;
};

}  // namespace

struct TopicLog::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  bool stopping = false;
  bool caught_up = false;
  std::map<TopicPartition, Offset> positions;
  std::map<TopicPartition, uint64_t> began_anew;  // when, as the number of the reset
  uint64_t resets = 0;
  std::optional<TopicFailure> failure;
  std::vector<Waiting> waiting;
  int64_t remaining = 0;
  uint64_t failures = 0;
  Counter records;  // of the thread

  [[nodiscard]] bool rejected() const { return failure && failure->kind == TopicFailureKind::rejected; }
  [[nodiscard]] bool refused() const {
    if (!failure) return false;
    switch (failure->kind) {
      case TopicFailureKind::away:
      case TopicFailureKind::unknown_topic: return false;
      case TopicFailureKind::not_authorized:
      case TopicFailureKind::damaged:
      case TopicFailureKind::fatal:
      case TopicFailureKind::rejected: return true;
    }
    return true;
  }
};

// Of one write(); guarded by Shared::mutex.
struct TopicLog::Outcome {
  bool done = false;
  Status status;
  std::vector<Delivery> deliveries;
};

TopicLog::TopicLog(Client& client, TopicLogOptions options, TopicHandlers handlers)
    : client_(client),
      options_(std::move(options)),
      shared_(std::make_shared<Shared>()),
      reader_(client, options_.read,
              {.on_records =
                   [this, taken = std::move(handlers.on_records)](const PartitionRecords& part) {
                     shared_->records.add(part.records.size());
                     return taken(part);
                   },
               .on_reset =
                   [this, told = std::move(handlers.on_reset)](const PartitionReset& reset) {
                     begin_anew(reset);
                     return told ? told(reset) : Status();
                   },
               .on_caught_up = std::move(handlers.on_caught_up)}),
      metrics_(options_.metrics, {{"log", options_.name}}) {
  metrics_.collect([this](MetricSink& sink) { collect(sink); });
}

TopicLog::~TopicLog() { stop(); }

Status TopicLog::start() {
  admin_ = MUIR_TRY(client_.admin(options_.read.admin));
  if (options_.producer) producer_ = MUIR_TRY(client_.producer(*options_.producer));
  thread_ = std::thread([this] { run(); });
  return {};
}

void TopicLog::stop() {
  std::vector<Waiting> given_up;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
    shared_->changed.notify_all();
    given_up.swap(shared_->waiting);
  }
  reader_.wakeup();
  if (thread_.joinable()) thread_.join();
  for (const Waiting& one : given_up) one.done(stopped());
}

void TopicLog::run() {
  uint64_t failures = 0;
  while (true) {
    int64_t step_ms = kStepMs;
    {
      const std::lock_guard lock(shared_->mutex);
      if (shared_->stopping) return;
      const int64_t now_ms = system_clock().steady_ms();
      for (const Waiting& one : shared_->waiting) step_ms = std::clamp<int64_t>(one.deadline_ms - now_ms, 0, step_ms);
    }
    const std::optional<TopicFailure> failure = reader_.step(step_ms);
    // Each attempt once, not each look at an attempt.
    if (failure && reader_.failures() != failures) {
      if (failure->kind == TopicFailureKind::rejected) {
        log::error("log {}: {}; it is not read on", options_.name, failure->status.message());
      } else {
        log::warn("log {}: {}; trying again", options_.name, failure->status.message());
      }
    }
    failures = reader_.failures();
    tell(failure);
    if (failure && failure->kind == TopicFailureKind::rejected) return;
  }
}

void TopicLog::begin_anew(const PartitionReset& reset) {
  std::vector<Waiting> over;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->began_anew[reset.partition] = ++shared_->resets;
    // Kept, unless it is gone: who waits for the end asks for those of the partitions that are here.
    shared_->positions.erase(reset.partition);
    if (reset.reason != ResetReason::gone) shared_->positions[reset.partition] = reset.from;
    auto& waiting = shared_->waiting;
    const auto first = std::stable_partition(waiting.begin(), waiting.end(),
                                             [&](const Waiting& one) { return one.partition != reset.partition; });
    std::move(first, waiting.end(), std::back_inserter(over));
    waiting.erase(first, waiting.end());
    shared_->changed.notify_all();
  }
  for (const Waiting& one : over) {
    one.done(error(Code::aborted, "log {}: topic={} partition={}: {}", options_.name, reset.partition.topic,
                   reset.partition.partition, to_string(reset.reason)));
  }
}

void TopicLog::tell(const std::optional<TopicFailure>& failure) {
  std::vector<std::pair<Waiting, Status>> over;
  {
    const std::lock_guard lock(shared_->mutex);
    const bool moved = shared_->positions != reader_.positions();
    if (moved) shared_->positions = reader_.positions();
    const bool news = moved || shared_->caught_up != reader_.caught_up() || failure.has_value();
    shared_->caught_up = reader_.caught_up();
    shared_->failure = failure;
    shared_->remaining = reader_.remaining();
    shared_->failures = reader_.failures();
    if (!shared_->waiting.empty()) {
      const int64_t now_ms = system_clock().steady_ms();
      std::erase_if(shared_->waiting, [&](Waiting& one) {
        const auto at = shared_->positions.find(one.partition);
        const bool read = at != shared_->positions.end() && at->second > one.offset;
        if (!read && !shared_->rejected() && one.deadline_ms > now_ms) return false;
        Status status;
        if (!read) {
          status = shared_->rejected() ? failure->status
                                       : error(Code::timed_out, "log {}: topic={} partition={}: offset {} was not read",
                                               options_.name, one.partition.topic, one.partition.partition, one.offset);
        }
        over.emplace_back(std::move(one), std::move(status));
        return true;
      });
    }
    if (news) shared_->changed.notify_all();
  }
  for (const auto& [one, status] : over) one.done(status);
}

Status TopicLog::late(std::string_view what, int64_t timeout_ms) const {
  const std::string why = shared_->failure ? fmt::format(": {}", shared_->failure->status.message()) : std::string();
  return error(Code::timed_out, "log {}: {} within {} ms{}", options_.name, what, timeout_ms, why);
}

Status TopicLog::wait_caught_up(int64_t timeout_ms) {
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                            [&] { return shared_->caught_up || shared_->stopping || shared_->refused(); });
  if (shared_->caught_up && !shared_->rejected()) return {};
  if (shared_->refused()) return shared_->failure->status;
  if (shared_->stopping) return stopped();
  return late("not at the end that it had at the start", timeout_ms);
}

bool TopicLog::caught_up() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->caught_up;
}

std::optional<TopicFailure> TopicLog::failure() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->failure;
}

Status TopicLog::read_to_end(int64_t timeout_ms) {
  const int64_t deadline_ms = system_clock().steady_ms() + timeout_ms;
  while (true) {
    uint64_t resets = 0;
    std::vector<TopicPartition> partitions;
    {
      const std::lock_guard lock(shared_->mutex);
      resets = shared_->resets;
      for (const auto& [partition, position] : shared_->positions) partitions.push_back(partition);
    }
    const int64_t left_ms = deadline_ms - system_clock().steady_ms();
    if (partitions.empty()) {  // not opened yet; then what is there is what it begins with
      MUIR_RETURN_IF_ERROR(wait_caught_up(left_ms));
      const std::lock_guard lock(shared_->mutex);
      if (shared_->positions.empty()) return {};
      continue;
    }
    const auto ends =
        admin_->list_offsets(partitions, OffsetSpec::latest(), options_.read.isolation, std::max<int64_t>(left_ms, 1));
    if (!ends.ok()) return ends.status().annotate("log " + options_.name);
    Status status = wait_read(*ends, deadline_ms, resets);
    // A topic that begins anew has another end.
    if (status.code() != Code::aborted) return status;
    const std::lock_guard lock(shared_->mutex);
    if (shared_->stopping || system_clock().steady_ms() >= deadline_ms) return status;
  }
}

Status TopicLog::wait_read(const std::map<TopicPartition, Offset>& ends, int64_t deadline_ms, uint64_t resets) {
  const auto read = [&] {
    return std::all_of(ends.begin(), ends.end(), [&](const auto& end) {
      const auto at = shared_->positions.find(end.first);
      return at != shared_->positions.end() && at->second >= end.second;
    });
  };
  const auto anew = [&] {
    return std::any_of(ends.begin(), ends.end(), [&](const auto& end) {
      const auto at = shared_->began_anew.find(end.first);
      return at != shared_->began_anew.end() && at->second > resets;
    });
  };
  const int64_t left_ms = std::max<int64_t>(0, deadline_ms - system_clock().steady_ms());
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait_for(lock, std::chrono::milliseconds(left_ms),
                            [&] { return anew() || read() || shared_->stopping || shared_->rejected(); });
  if (anew()) return error(Code::aborted, "log {}: a partition began anew meanwhile", options_.name);
  if (read()) return {};
  if (shared_->rejected()) return shared_->failure->status;
  if (shared_->stopping) return stopped();
  return late("not everything was read", left_ms);
}

// What is not read would be waited for in vain.
Status TopicLog::check_read(const ProducedRecord& record) const {
  const bool read = std::any_of(options_.read.topics.begin(), options_.read.topics.end(), [&](const ReadTopic& topic) {
    return topic.name == record.topic &&
           (!topic.partition || !record.partition || *topic.partition == *record.partition);
  });
  if (read) return {};
  return error(Code::invalid_argument, "log {}: write topic={}: the log does not read it", options_.name, record.topic);
}

Status TopicLog::stopped() const { return error(Code::aborted, "log {}: it is stopping", options_.name); }

Result<std::vector<Delivery>> TopicLog::write(std::span<const ProducedRecord> records, int64_t timeout_ms) {
  if (!producer_) return error(Code::failed_precondition, "log {}: it was made without a producer", options_.name);
  if (records.empty()) return std::vector<Delivery>();
  for (const ProducedRecord& record : records) MUIR_RETURN_IF_ERROR(check_read(record));
  const int64_t deadline_ms = system_clock().steady_ms() + timeout_ms;
  const auto outcome = std::make_shared<Outcome>();
  uint64_t resets = 0;
  {
    const std::lock_guard lock(shared_->mutex);
    // Nothing is written whose reading cannot be waited for.
    if (shared_->rejected()) return shared_->failure->status;
    if (shared_->stopping) return stopped();
    resets = shared_->resets;
  }
  MUIR_RETURN_IF_ERROR(
      producer_->send(records, [outcome, shared = shared_](const Status& status, std::span<const Delivery> deliveries) {
        const std::lock_guard lock(shared->mutex);
        outcome->done = true;
        outcome->status = status;
        outcome->deliveries.assign(deliveries.begin(), deliveries.end());
        shared->changed.notify_all();
      }));
  std::map<TopicPartition, Offset> ends;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                              [&] { return outcome->done || shared_->stopping; });
    if (!outcome->done) {
      return shared_->stopping ? stopped() : late("not acknowledged", timeout_ms);
    }
    MUIR_RETURN_IF_ERROR(outcome->status);
    for (size_t i = 0; i < records.size(); ++i) {
      const Delivery& delivery = outcome->deliveries.at(i);
      Offset& end = ends[{std::string(records[i].topic), delivery.partition}];
      end = std::max(end, delivery.offset + 1);
    }
  }
  MUIR_RETURN_IF_ERROR(wait_read(ends, deadline_ms, resets));
  return outcome->deliveries;
}

void TopicLog::call_when_read(const TopicPartition& partition, Offset offset, int64_t timeout_ms,
                              std::function<void(const Status&)> done) {
  Status status;
  {
    const std::lock_guard lock(shared_->mutex);
    const auto at = shared_->positions.find(partition);
    const bool read = at != shared_->positions.end() && at->second > offset;
    if (!read && !shared_->stopping && !shared_->rejected()) {
      shared_->waiting.push_back({partition, offset, system_clock().steady_ms() + timeout_ms, std::move(done)});
      return;
    }
    if (!read) status = shared_->rejected() ? shared_->failure->status : stopped();
  }
  done(status);
}

void TopicLog::collect(MetricSink& sink) const {
  sink.counter("muir_topic_log_records_total", "Records read from its topics.", {},
               static_cast<double>(shared_->records.value()));
  const std::lock_guard lock(shared_->mutex);
  sink.gauge("muir_topic_log_remaining_records", "Of those that were there at the start, not read yet, about.", {},
             static_cast<double>(shared_->remaining));
  sink.gauge("muir_topic_log_failing", "1 while nothing can be read, else 0.", {}, shared_->failure ? 1 : 0);
  sink.counter("muir_topic_log_failures_total", "Attempts to read that failed.", {},
               static_cast<double>(shared_->failures));
  sink.counter("muir_topic_log_resets_total", "Partitions that began anew: topics made again or cut.", {},
               static_cast<double>(shared_->resets));
}

}  // namespace muir::client
