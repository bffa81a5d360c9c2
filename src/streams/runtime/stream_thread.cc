#include "streams/runtime/stream_thread.h"

#include <algorithm>

#include "base/log.h"

namespace muir::streams::internal {
namespace {

constexpr size_t kRoundRecords = 256;  // of one task before the next has its turn
constexpr int64_t kTurnUs = 50'000;    // of processing before the group and the brokers are looked after
constexpr int64_t kLagGapUs = 10'000;  // between two questions for the lag of partitions that hold a task back
constexpr int64_t kRebalancePollMs = 10;
constexpr int64_t kRestorePollMs = 10;
constexpr int64_t kBeginWaitMs = 20;
constexpr int64_t kUnknownTopicMs = 5'000;  // between two rebalances for topics that polls do not find
constexpr int64_t kSourcesLookMs = 1'000;   // between two looks of a group's leader at the source topics
constexpr int64_t kSourcesAnswerMs = 500;   // of the cluster, when it is asked for them
constexpr int64_t kCalmMs = 5'000;          // after so long without a failure what was tried again is over

}  // namespace

// Passes the assignment on to the tasks, and where everything is to the queries.
class StreamThread::HostListener final : public AssignmentListener {
 public:
  HostListener(TaskManager& tasks, const OnHosts& on_hosts) : tasks_(tasks), on_hosts_(on_hosts) {}
  [[nodiscard]] std::map<TaskId, std::vector<client::TopicPartition>> owned_tasks() const override {
    return tasks_.owned_tasks();
  }
  [[nodiscard]] std::vector<TaskOffsetSum> offset_sums() const override { return tasks_.offset_sums(); }
  void on_rebalance() override { tasks_.on_rebalance(); }
  Result<bool> on_tasks_assigned(const TasksAssigned& assigned) override {
    if (on_hosts_) on_hosts_(assigned.info.partitions_by_host);
    return tasks_.on_tasks_assigned(assigned);
  }
  void on_tasks_lost() override { tasks_.on_tasks_lost(); }

 private:
  TaskManager& tasks_;
  const OnHosts& on_hosts_;
};

StreamThread::StreamThread(const RuntimeContext& context, client::Client& client, int index, std::string client_id,
                           OnHosts on_hosts)
    : context_(context),
      client_(client),
      index_(index),
      client_id_(std::move(client_id)),
      on_hosts_(std::move(on_hosts)),
      name_(fmt::format("{}-StreamThread-{}", client_id_, index_)),
      counters_(context.counters->parts.thread(name_)) {}

StreamThread::~StreamThread() {
  if (state_ != ThreadState::dead) close(false);
}

Status StreamThread::open() {
  const StreamsConfig& config = *context_.config;
  const auto with_id = [&](const Properties& base, const Properties& own, const char* suffix) {
    Properties out = config.common;
    for (const auto* map : {&base, &own}) {
      for (const auto& [key, value] : *map) out[key] = value;
    }
    out["client.id"] = name_ + suffix;
    return out;
  };
  admin_ = MUIR_TRY(client_.admin(with_id({}, config.admin, "-admin")));
  {
    auto consumer = MUIR_TRY(client_.consumer(with_id({}, config.main_consumer, "-consumer")));
    const std::lock_guard guard(wakeup_mutex_);
    consumer_ = std::move(consumer);
  }
  restorer_ = std::make_unique<StateRestorer>(client_, with_id({}, config.restore_consumer, "-restore-consumer"),
                                              *admin_, *context_.clock);
  CollectorOptions options;
  options.producer = with_id({}, config.producer, "-producer");
  options.exactly_once = config.exactly_once;
  options.transactional_id =
      fmt::format("{}-{}-{}", config.application_id, to_string(context_.directory->process_id()), index_);
  options.on_failure = context_.on_failure;
  options.keep_sources = context_.keep_sources;
  collector_ = std::make_unique<RecordCollector>(client_, std::move(options));
  tasks_ = std::make_unique<TaskManager>(context_, index_,
                                         TaskClients{.consumer = consumer_.get(),
                                                     .admin = admin_.get(),
                                                     .restorer = restorer_.get(),
                                                     .collector = collector_.get(),
                                                     .counters = &counters_});
  listener_ = std::make_unique<HostListener>(*tasks_, on_hosts_);
  protocol_ = std::make_unique<StreamsGroupProtocol>(context_.plan, config, context_.directory->process_id(), *admin_,
                                                     *listener_, *context_.leader_failure);
  client::GroupMemberOptions member;
  member.group_id = config.application_id;
  if (!config.group_instance_id.empty())
    member.group_instance_id = fmt::format("{}-{}", config.group_instance_id, index_);
  member.session_timeout_ms = config.session_timeout_ms;
  member.rebalance_timeout_ms = config.max_poll_interval_ms;
  member.heartbeat_interval_ms = config.heartbeat_interval_ms;
  member.properties = with_id({}, config.main_consumer, "-consumer");
  look_at_sources_ms_ = context_.clock->steady_ms() + kSourcesLookMs;
  member_ = MUIR_TRY(client_.group_member(member, *protocol_));
  tasks_->set_member(member_.get());
  state_ = ThreadState::rebalancing;
  return {};
}

Result<int64_t> StreamThread::run_once() {
  Result<int64_t> done = turn();
  if (done.ok()) {
    // Tasks that begin anew seem to go on, up to where they failed.
    if (!retried_.ok() && context_.clock->steady_ms() - retried_at_ms_ >= kCalmMs) retried_ = {};
    return done;
  }
  const Status handled = tasks_->handle(done.status());
  if (!handled.ok()) return handled;
  set_retried(done.status());
  if (tasks_->take_rejoin()) member_->request_rejoin();
  buffered_ = false;
  return tasks_->take_rest_ms();
}

void StreamThread::set_retried(const Status& failure) {
  retried_ = failure;
  retried_at_ms_ = context_.clock->steady_ms();
}

Result<int64_t> StreamThread::turn() {
  MUIR_RETURN_IF_ERROR(join(tasks_->empty()));
  if (tasks_->restoring()) {
    MUIR_RETURN_IF_ERROR(tasks_->begin_tasks(tasks_->has_running() ? 0 : kRestorePollMs));
  }
  MUIR_RETURN_IF_ERROR(poll());
  const size_t processed = MUIR_TRY(process());
  state_ = member_->stable() && !tasks_->restoring() ? ThreadState::running : ThreadState::rebalancing;
  if (processed > 0 || tasks_->has_running()) return 0;  // poll() has waited
  return state_ == ThreadState::running ? context_.config->poll_ms : kRebalancePollMs / 2;
}

Status StreamThread::join(bool idle) {
  if (context_.clock->steady_ms() < join_not_before_ms_) return {};
  const Status polled = member_->poll(idle && !member_->stable() ? kRebalancePollMs : 0);
  MUIR_RETURN_IF_ERROR(tasks_->take_failure());
  if (polled.code() == Code::unavailable || polled.code() == Code::timed_out) {
    // The group's coordinator is moving or away. The member keeps trying; what runs here goes on as long as it may.
    log::debug("{}: {}", client_id_, polled.message());
    set_retried(polled);
    join_not_before_ms_ = context_.clock->steady_ms() + join_backoff_.next_ms();
  } else if (!polled.ok()) {
    return polled.with(polled.code() == Code::fenced ? Code::failed_precondition : polled.code())
        .annotate("group membership");
  }
  if (polled.ok() && member_->stable()) join_backoff_.reset();
  look_for_source_changes();
  if (protocol_->take_rejoin_request() || tasks_->take_rejoin()) member_->request_rejoin();
  if (protocol_->next_rebalance_ms() <= context_.clock->now_ms()) {
    protocol_->forget_next_rebalance();
    member_->request_rejoin();
  }
  return {};
}

int64_t StreamThread::poll_timeout_ms() const {
  if (buffered_) return 0;
  if (tasks_->restoring()) return 0;
  int64_t timeout = context_.config->poll_ms;
  if (!member_->stable()) timeout = std::min(timeout, kRebalancePollMs);
  if (tasks_->commit_needed()) {
    const int64_t since = (context_.clock->steady_us() - last_commit_us_) / 1000;
    timeout = std::min(timeout, std::max<int64_t>(0, context_.config->commit_interval_ms - since));
  }
  return timeout;
}

Status StreamThread::poll() {
  last_poll_us_ = context_.clock->steady_us();
  if (!tasks_->has_running()) return {};
  client::Polled records = consumer_->poll(poll_timeout_ms(), static_cast<size_t>(context_.config->max_poll_records));
  const int64_t waited_us = context_.clock->steady_us() - last_poll_us_;
  context_.counters->poll_seconds.observe_us(waited_us);
  counters_.poll.add(1, waited_us);
  if (!records.ok()) return take(records.failure());
  context_.counters->records_polled += (*records)->count();
  counters_.polled.add((*records)->count());
  return tasks_->add_records(std::move(*records));
}

// What a failed poll means for the tasks.
Status StreamThread::take(const client::PollFailure& failure) {
  switch (failure.kind) {
    case client::PollFailureKind::offset_out_of_range: return tasks_->seek_after_loss(failure.status);
    // The consumer goes on trying, with all that it has fetched. Tasks that need the cluster for more than records fail
    // in their commits, which task.timeout.ms is for.
    case client::PollFailureKind::away: set_retried(failure.status); return {};
    // The leader of the group tells everybody when it is not there, and makes those anew that are the application's
    // own.
    case client::PollFailureKind::unknown_topic: rejoin_for_sources(failure.status); return {};
    case client::PollFailureKind::not_authorized:
    case client::PollFailureKind::damaged:
    case client::PollFailureKind::fatal: break;
  }
  return failure.status.annotate("poll");
}

// Brokers that are just starting may know a topic later than others: not at every poll.
void StreamThread::rejoin_for_sources(const Status& unknown) {
  set_retried(unknown);
  const int64_t now = context_.clock->steady_ms();
  if (now < rejoin_not_before_ms_) return;
  rejoin_not_before_ms_ = now + kUnknownTopicMs;
  log::warn("{}: {}; joins the group again", name_, unknown.message());
  member_->request_rejoin();
}

// What polls do not tell: partitions that were added, topics of which this thread has no partition, and those that were
// deleted, of which librdkafka says nothing. Kafka's consumer learns of these from the answers to its fetches, at once.
void StreamThread::look_for_source_changes() {
  const int64_t now = context_.clock->steady_ms();
  if (now < look_at_sources_ms_) return;
  look_at_sources_ms_ = now + kSourcesLookMs;
  if (member_->stable() && protocol_->sources_changed(kSourcesAnswerMs)) member_->request_rejoin();
}

// Rounds over the tasks until nothing is left, a commit is due, or the group wants attention.
Result<size_t> StreamThread::process() {
  size_t total = 0;
  buffered_ = false;
  while (true) {
    if (const int64_t now = context_.clock->steady_us(); now - last_lag_us_ >= kLagGapUs) {
      last_lag_us_ = now;
      tasks_->refresh_lags();
    }
    size_t count = 0;
    const int64_t began_us = context_.clock->steady_us();
    if (!transaction_must_end()) count = MUIR_TRY(tasks_->process_round(kRoundRecords));
    total += count;
    const int64_t processed_us = context_.clock->steady_us();
    if (count > 0) counters_.process.add(count, processed_us - began_us);
    if (const size_t timers = MUIR_TRY(tasks_->punctuate()); timers > 0)
      counters_.punctuate.add(timers, context_.clock->steady_us() - processed_us);
    const bool requested = tasks_->commit_requested() || collector_->careful();
    MUIR_RETURN_IF_ERROR(maybe_commit(requested));
    if (count == 0) break;
    if (context_.clock->steady_us() - last_poll_us_ >= kTurnUs) {
      buffered_ = true;
      break;
    }
  }
  // Nothing is held back for the sake of a full batch: what was produced is on its way before the next wait.
  if (collector_->is_open()) {
    MUIR_RETURN_IF_ERROR(collector_->push());
    count_production();
  }
  return total;
}

void StreamThread::count_production() {
  const uint64_t produced = collector_->records_acknowledged();
  context_.counters->records_produced += produced - std::exchange(produced_reported_, produced);
  const uint64_t failed = collector_->records_failed();
  context_.counters->records_dropped += failed - std::exchange(failed_reported_, failed);
}

// While the group rebalances nothing can be committed; a transaction must not grow until the coordinator ends it.
bool StreamThread::transaction_must_end() const {
  if (!context_.config->exactly_once || !tasks_->rebalancing() || !collector_->in_transaction()) return false;
  const int64_t open_ms = (context_.clock->steady_us() - last_commit_us_) / 1000;
  return open_ms > std::max(context_.config->commit_interval_ms, context_.config->transaction_timeout_ms / 4);
}

Status StreamThread::maybe_commit(bool requested) {
  const int64_t now = context_.clock->steady_us();
  if (tasks_->rebalancing()) return {};
  // Counted from the last commit, not in fixed steps: the first record after a pause is committed at once.
  if (requested || now - last_commit_us_ >= context_.config->commit_interval_ms * 1000) {
    tasks_->look_past_the_last();
    if (tasks_->commit_needed()) {
      last_commit_us_ = now;
      MUIR_RETURN_IF_ERROR(tasks_->commit());
    }
  }
  if (now - last_purge_us_ >= context_.config->repartition_purge_interval_ms * 1000) {
    last_purge_us_ = now;
    MUIR_RETURN_IF_ERROR(tasks_->purge_repartition_topics());
  }
  return {};
}

void StreamThread::request_application_shutdown() {
  if (!protocol_ || !member_) return;
  protocol_->request_shutdown();
  member_->request_rejoin();
  // The request travels with the join; the leader's answer stops this instance like all others.
  const int64_t until = context_.clock->steady_ms() + 10'000;
  while (context_.clock->steady_ms() < until) {
    if (!member_->poll(kBeginWaitMs).ok()) return;
  }
}

void StreamThread::close(bool clean) {
  if (state_ == ThreadState::dead) return;
  state_ = ThreadState::stopping;
  if (tasks_) {
    if (clean) {
      const Status closed = tasks_->close_all_clean();
      if (!closed.ok()) log::warn("{}: close: {}", name_, closed.message());
    } else {
      if (collector_) {
        const Status aborted = collector_->abort();
        if (!aborted.ok()) log::debug("{}: {}", name_, aborted.message());
      }
      tasks_->close_all_dirty();
    }
  }
  if (collector_) count_production();
  if (member_) {
    const Status left = member_->leave();
    if (!left.ok()) log::debug("{}: leave: {}", name_, left.message());
  }
  member_.reset();
  protocol_.reset();
  listener_.reset();
  tasks_.reset();
  collector_.reset();
  restorer_.reset();
  {
    const std::lock_guard guard(wakeup_mutex_);
    consumer_.reset();
  }
  admin_.reset();
  state_ = ThreadState::dead;
}

void StreamThread::wakeup() {
  const std::lock_guard guard(wakeup_mutex_);
  if (consumer_) consumer_->wakeup();
}

}  // namespace muir::streams::internal
