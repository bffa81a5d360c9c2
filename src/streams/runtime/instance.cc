#include "streams/runtime/instance.h"

#include <algorithm>
#include <numeric>

#include "base/log.h"
#include "streams/nodes/guarded.h"
#include "streams/plan/plan.h"
#include "wire/murmur2.h"

namespace muir::streams::internal {
namespace {

constexpr int64_t kReopenAfterMs = 1'000;  // when brokers do not answer
constexpr int64_t kGlobalPollMs = 100;

bool terminal(StreamsState state) {
  return state == StreamsState::pending_shutdown || state == StreamsState::not_running ||
         state == StreamsState::pending_error || state == StreamsState::error;
}

}  // namespace

Instance::Instance(InstanceParts parts) : parts_(std::move(parts)) {
  context_.plan = parts_.plan;
  context_.config = &parts_.config;
  context_.stores = stores_.get();
  context_.counters = &counters_;
  context_.clock = parts_.clock;
  context_.serdes = &parts_.serdes;
  context_.on_failure = parts_.on_failure;
  context_.keep_sources = parts_.keep_sources;
  context_.global_store = [this](const std::string& name) { return global_ ? global_->store(name) : nullptr; };
  for (const auto& sub : parts_.plan->subtopologies()) {
    for (const auto& store : sub.stores) stores_->declare(store.name);
  }
  watched_ = watch_streams(parts_.metrics, *this, counters_, *stores_);
}

Instance::~Instance() {
  (void)close(INT64_MAX / 2);
  for (auto& worker : workers_) {
    if (worker.joinable()) worker.join();
  }
}

Status Instance::start() {
  {
    std::unique_lock lock(mutex_);
    if (state_ != StreamsState::created) {
      return error(Code::failed_precondition, "start: the application is {}", to_string(state_));
    }
    starting_ = true;
    change_state(lock, StreamsState::rebalancing);
  }
  const Status started = start_parts();
  std::unique_lock lock(mutex_);
  starting_ = false;
  changed_.notify_all();
  if (!started.ok() && !stop_) {
    failure_ = started;
    stop_ = true;
    change_state(lock, StreamsState::error);
  }
  return started;
}

Status Instance::start_parts() {
  auto directory = StateDirectory::open(*parts_.files, parts_.config.state_dir, parts_.config.application_id);
  if (!directory.ok()) return directory.status();
  directory_ = std::move(*directory);
  context_.directory = directory_.get();
  client_id_ = parts_.config.client_id.empty()
                   ? parts_.config.application_id + "-" + to_string(directory_->process_id())
                   : parts_.config.client_id;
  MUIR_RETURN_IF_ERROR(start_global());
  const std::lock_guard guard(mutex_);
  if (stop_) return error(Code::aborted, "start: the application was closed");
  for (int index = 1; index <= parts_.config.num_stream_threads; ++index) {
    thread_states_[index] = ThreadState::starting;
    ++workers_alive_;
    workers_.emplace_back([this, index] { run_worker(index); });
  }
  return {};
}

Status Instance::start_global() {
  if (GlobalThread::needless(*parts_.plan)) return {};
  auto global = std::make_unique<GlobalThread>(context_, *parts_.client, client_id_);
  MUIR_RETURN_IF_ERROR(global->open());
  while (!stopping()) {
    if (!MUIR_TRY(global->bootstrap(kGlobalPollMs))) continue;
    const std::lock_guard guard(mutex_);
    global_ = std::move(global);
    ++workers_alive_;
    workers_.emplace_back([this] { run_global(); });
    return {};
  }
  return error(Code::aborted, "start: the application was closed");
}

void Instance::run_global() {
  Status status;
  // It outlives the stream threads, whose joins read its stores.
  const auto needed = [this] {
    const std::lock_guard guard(mutex_);
    return !stop_ || workers_alive_ > 1;
  };
  while (status.ok() && needed()) {
    status = guarded([&] { return global_->run_once(kGlobalPollMs); });
  }
  std::unique_lock lock(mutex_);
  if (!status.ok() && !stop_) {
    log::error("{}: global tables: {}", parts_.config.application_id, status.message());
    failure_ = status;
    change_state(lock, StreamsState::pending_error);
    stop_all(lock);
    changed_.wait(lock, [this] { return workers_alive_ == 1; });
  }
  lock.unlock();
  const Status closed = guarded([&] { return global_->close(); });
  if (!closed.ok()) log::warn("{}: global tables: {}", parts_.config.application_id, closed.message());
  lock.lock();
  --workers_alive_;
  if (workers_alive_ == 0 && state_ == StreamsState::pending_error) change_state(lock, StreamsState::error);
  changed_.notify_all();
}

void Instance::run_worker(int index) {
  bool again = true;
  while (again && !stopping()) {
    StreamThread thread(context_, *parts_.client, index, client_id_, [this](const auto& hosts) {
      const std::lock_guard guard(mutex_);
      hosts_ = hosts;
      hosts_known_ = true;
    });
    {
      const std::lock_guard guard(mutex_);
      threads_[index] = &thread;
    }
    // What the program's functions throw is caught where they are called, with their names; this is for what is left.
    const Status ended = guarded([&] { return run_thread(thread); });
    int64_t wait_ms = 0;
    again = !ended.ok() && on_failure(thread, ended, wait_ms);
    {
      const std::lock_guard guard(mutex_);
      threads_.erase(index);
    }
    const Status closed = guarded([&] {
      thread.close(ended.ok());
      return Status();
    });
    if (!closed.ok()) log::error("{}-StreamThread-{}: close: {}", client_id_, index, closed.message());
    on_thread_state(index, ThreadState::dead);
    if (again && wait_ms > 0) rest(wait_ms);
  }
  std::unique_lock lock(mutex_);
  --workers_alive_;
  changed_.notify_all();
  if (workers_alive_ == 0 && state_ == StreamsState::pending_error) change_state(lock, StreamsState::error);
}

// OK when the application is being closed.
Status Instance::run_thread(StreamThread& thread) {
  while (!stopping()) {
    const Status opened = thread.open();
    if (opened.ok()) break;
    if (opened.code() != Code::unavailable && opened.code() != Code::timed_out) return opened;
    log::warn("{}-StreamThread-{}: {}; trying again", client_id_, thread.index(), opened.message());
    rest(kReopenAfterMs);
  }
  ThreadState reported = ThreadState::starting;
  bool retries = false;
  while (!stopping()) {
    const int64_t rest_ms = MUIR_TRY(thread.run_once());
    if (thread.state() != reported) on_thread_state(thread.index(), reported = thread.state());
    if (thread.retried().ok() == retries) {
      retries = !retries;
      const std::lock_guard guard(mutex_);
      replacements_.set_retried(thread.index(), thread.retried(), parts_.clock->steady_ms());
    }
    if (rest_ms > 0) rest(rest_ms);
  }
  return {};
}

// One that throws has decided nothing, so that nothing goes on.
UncaughtResponse Instance::ask_handler(const std::function<UncaughtResponse(const Status&)>& handler,
                                       const Status& failure) const {
  auto response = UncaughtResponse::shutdown_client;
  if (!handler) return response;
  const Status asked = guarded([&] {
    response = handler(failure);
    return Status();
  });
  if (!asked.ok()) {
    log::error("application {}: the uncaught exception handler threw, the client shuts down: {}",
               parts_.config.application_id, asked.message());
  }
  return response;
}

bool Instance::on_failure(StreamThread& thread, const Status& failure, int64_t& replace_after_ms) {
  std::function<UncaughtResponse(const Status&)> handler;
  {
    const std::lock_guard guard(mutex_);
    handler = handler_;
  }
  const UncaughtResponse response = ask_handler(handler, failure);
  if (response == UncaughtResponse::replace_thread) {
    int64_t wait_ms = 0;
    int in_a_row = 0;
    {
      const std::lock_guard guard(mutex_);
      wait_ms = replacements_.failed(thread.index(), failure, parts_.clock->steady_ms());
      in_a_row = replacements_.in_a_row(thread.index());
    }
    log::error("{}-StreamThread-{} ends, for the {}. time in a row, and is replaced after {} ms: {}", client_id_,
               thread.index(), in_a_row, wait_ms, failure.to_string());
    replace_after_ms = wait_ms;
    return true;
  }
  log::error("{}-StreamThread-{} ends: {}", client_id_, thread.index(), failure.to_string());
  if (response == UncaughtResponse::shutdown_application) thread.request_application_shutdown();
  std::unique_lock lock(mutex_);
  if (failure_.ok()) failure_ = failure;
  change_state(lock, StreamsState::pending_error);
  stop_all(lock);
  return false;
}

void Instance::on_thread_state(int index, ThreadState state) {
  std::unique_lock lock(mutex_);
  thread_states_[index] = state;
  replacements_.set_running(index, state == ThreadState::running, parts_.clock->steady_ms());
  if (terminal(state_) || state_ == StreamsState::created) return;
  const bool all = std::all_of(thread_states_.begin(), thread_states_.end(),
                               [](const auto& entry) { return entry.second == ThreadState::running; });
  change_state(lock, all ? StreamsState::running : StreamsState::rebalancing);
}

void Instance::change_state(std::unique_lock<std::mutex>& lock, StreamsState to) {
  const StreamsState from = state_;
  if (from == to) return;
  // What ends the application is not undone by a thread that was just about to report.
  if (terminal(from) && !(from == StreamsState::pending_shutdown && to == StreamsState::not_running) &&
      !(from == StreamsState::pending_error && to == StreamsState::error)) {
    return;
  }
  state_ = to;
  *visible_state_ = to;
  changed_.notify_all();
  const auto listener = listener_;
  log::info("application {} is {} (was {})", parts_.config.application_id, to_string(to), to_string(from));
  if (!listener) return;
  lock.unlock();
  const Status told = guarded([&] {
    listener(to, from);
    return Status();
  });
  if (!told.ok()) {
    log::error("application {}: the state listener threw, which changes nothing: {}", parts_.config.application_id,
               told.message());
  }
  lock.lock();
}

void Instance::stop_all(std::unique_lock<std::mutex>&) {
  stop_ = true;
  for (const auto& [index, thread] : threads_) thread->wakeup();
  if (global_) global_->wakeup();
  changed_.notify_all();
}

void Instance::rest(int64_t ms) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return stop_; });
}

bool Instance::stopping() const {
  const std::lock_guard guard(mutex_);
  return stop_;
}

Status Instance::close(int64_t timeout_ms) {
  std::unique_lock lock(mutex_);
  change_state(lock, StreamsState::pending_shutdown);
  stop_all(lock);
  const auto ended = [this] { return workers_alive_ == 0 && !starting_; };
  if (timeout_ms >= INT64_MAX / 2) {
    changed_.wait(lock, ended);
  } else if (!changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), ended)) {
    return error(Code::timed_out, "close: {} threads of application {} have not ended within {} ms", workers_alive_,
                 parts_.config.application_id, timeout_ms);
  }
  change_state(lock, StreamsState::not_running);
  auto workers = std::move(workers_);
  workers_.clear();
  lock.unlock();
  for (auto& worker : workers) worker.join();
  lock.lock();
  directory_.reset();  // frees the folder for the next instance
  return {};
}

StreamsState Instance::state() const { return *visible_state_; }

Status Instance::wait_until_running(int64_t timeout_ms) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                    [this] { return state_ == StreamsState::running || terminal(state_); });
  if (state_ == StreamsState::running) return {};
  if (!failure_.ok()) return failure_;
  return error(terminal(state_) ? Code::aborted : Code::timed_out, "application {} is {}, not running",
               parts_.config.application_id, to_string(state_));
}

void Instance::set_state_listener(std::function<void(StreamsState, StreamsState)> listener) {
  const std::lock_guard guard(mutex_);
  listener_ = std::move(listener);
}

void Instance::set_uncaught_handler(std::function<UncaughtResponse(const Status&)> handler) {
  const std::lock_guard guard(mutex_);
  handler_ = std::move(handler);
}

Status Instance::failure() const {
  const std::lock_guard guard(mutex_);
  return failure_;
}

Status Instance::failing() const {
  const std::lock_guard guard(mutex_);
  return failure_.ok() ? replacements_.failure(parts_.clock->steady_ms()) : failure_;
}

StreamsMetrics Instance::metrics() const {
  StreamsMetrics out;
  out.records_processed = counters_.records_processed;
  out.records_dropped = counters_.records_dropped;
  out.records_produced = counters_.records_produced;
  out.records_restored = counters_.records_restored;
  const HistogramCounts commits = counters_.commit_seconds.counts();
  out.commits = std::accumulate(commits.buckets.begin(), commits.buckets.end(), uint64_t{0});
  out.rebalances = counters_.rebalances;
  out.tasks_revived = counters_.tasks_revived;
  if (out.commits > 0) out.commit_ms_avg = commits.sum * 1000.0 / static_cast<double>(out.commits);
  out.commit_ms_max = static_cast<double>(counters_.commit_us_max) / 1000.0;
  const std::lock_guard guard(mutex_);
  out.state = state_;
  out.threads_alive = static_cast<int>(threads_.size());
  out.threads_failed = replacements_.total();
  out.threads_failing = replacements_.failing(parts_.clock->steady_ms());
  return out;
}

Result<StoreReader> Instance::reader(const std::string& store) const {
  for (const auto& sub : parts_.plan->subtopologies()) {
    for (const auto& planned : sub.stores) {
      if (planned.name != store) continue;
      const std::string topic = planned.changelog_topic.empty()
                                    ? parts_.config.application_id + "-" + store + "-changelog"
                                    : planned.changelog_topic;
      return StoreReader(stores_, store, topic, [state = visible_state_, store]() -> Status {
        const StreamsState now = *state;
        if (now == StreamsState::running) return {};
        return error(Code::unavailable, "query store {}: the application is {}; ask again", store, to_string(now));
      });
    }
  }
  return error(Code::not_found, "query store {}: the topology has no such store", store);
}

// As many as the largest source topic of the store's subtopology: that is how its tasks are numbered.
Result<int32_t> Instance::partitions_of(const SubtopologyPlan& plan) const {
  const std::lock_guard guard(metadata_mutex_);
  int32_t count = 0;
  if (!admin_) admin_ = MUIR_TRY(parts_.client->admin(parts_.config.common));
  for (const auto& topic : plan.source_topics) {
    if (!partition_counts_.contains(topic))
      partition_counts_[topic] = MUIR_TRY(admin_->describe_topic(topic)).partitions;
    count = std::max(count, partition_counts_[topic]);
  }
  return count;
}

Result<KeyMetadata> Instance::metadata_for_key(const std::string& store, BytesView key) const {
  for (const auto& sub : parts_.plan->subtopologies()) {
    const bool here = std::any_of(sub.stores.begin(), sub.stores.end(), [&](const auto& s) { return s.name == store; });
    if (!here) continue;
    KeyMetadata out;
    if (sub.is_global) {
      out.partition = PartitionId(0);
      out.local = stores_->lease(store, out.partition).ok();
      return out;
    }
    std::map<HostInfo, std::vector<client::TopicPartition>> hosts;
    {
      const std::lock_guard guard(mutex_);
      if (!hosts_known_)
        return error(Code::unavailable, "metadata of store {}: nothing is assigned yet; ask again", store);
      hosts = hosts_;
    }
    const int32_t count = MUIR_TRY(partitions_of(sub));
    if (count <= 0)
      return error(Code::unavailable, "metadata of store {}: its source topics have no partitions", store);
    out.partition = wire::partition_for_key(key, count);
    out.local = stores_->lease(store, out.partition).ok();
    for (const auto& [host, partitions] : hosts) {
      for (const auto& tp : partitions) {
        const auto& sources = sub.source_topics;
        if (tp.partition != out.partition || std::find(sources.begin(), sources.end(), tp.topic) == sources.end())
          continue;
        out.host = host.host;
        out.port = host.port;
      }
    }
    return out;
  }
  return error(Code::not_found, "metadata of store {}: the topology has no such store", store);
}

}  // namespace muir::streams::internal
