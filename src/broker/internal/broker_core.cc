#include "broker/internal/broker_core.h"

#include <algorithm>
#include <random>
#include <system_error>

#include "base/memory.h"
#include "broker/internal/internal_topics.h"
#include "broker/txns/lost_ends.h"

namespace muir::broker {

namespace {

// One file for each segment, two segments each on an average, and some left for connections.
int64_t partitions_for(int64_t open_files) {
  constexpr int64_t kMost = 100'000;
  constexpr int64_t kOtherFiles = 2000;
  return std::min(kMost, std::max(open_files / 4, (open_files - kOtherFiles) / 2));
}

}  // namespace

BrokerCore::BrokerCore(BrokerConfig config, Env& env) : env_(env) {
  context_.config = std::move(config);
  broker_config().fill(context_.config.properties, context_.settings);
  context_.clock = context_.config.clock != nullptr ? context_.config.clock : &system_clock();
  metrics_ = std::make_unique<BrokerMetrics>(context_.config.metrics);
  context_.metrics = metrics_.get();
}

BrokerCore::~BrokerCore() { (void)stop().ok(); }

Result<std::unique_ptr<BrokerCore>> BrokerCore::open(BrokerConfig config, Env& env) {
  std::unique_ptr<BrokerCore> out(new BrokerCore(std::move(config), env));
  MUIR_RETURN_IF_ERROR(out->open_logs());
  MUIR_RETURN_IF_ERROR(out->start_coordinators());
  return out;
}

Status BrokerCore::open_logs() {
  storage::LogOptions options;
  options.folder = context_.config.data_dir;
  options.broker = context_.config.properties;
  options.housekeeping = context_.settings.housekeeping;
  options.sync_before_confirm = context_.settings.flush_acks;
  options.node_id = context_.config.node_id;
  const int64_t partitions = context_.settings.partitions_max;
  options.partitions_max = partitions > 0 ? partitions : partitions_for(open_files_limit());
  options.reserve_bytes = size_t{4} << 20;
  MUIR_RETURN_IF_ERROR(check_internal_room(context_.settings, open_files_limit()));
  options.env = &env_;
  options.clock = context_.config.clock;
  options.metrics = context_.config.metrics;
  logs_ = MUIR_TRY(storage::LogManager::open(std::move(options)));
  context_.logs = logs_.get();
  try {
    loop_ = std::make_unique<net::EventLoop>("muir-broker", context_.config.network_threads);
    admin_ = std::make_unique<net::EventLoop>("muir-admin", 1);
    coordination_ = std::make_unique<net::EventLoop>("muir-coord", 1);
  } catch (const std::system_error& failure) {
    return error(Code::io_error,
                 "the system gives no {} threads ({}); lower num.network.threads, or raise the limit of processes "
                 "(ulimit -u) or of the container",
                 context_.config.network_threads + 2, failure.what());
  }
  context_.loop = loop_.get();
  context_.admin = admin_.get();
  context_.coordination = coordination_.get();
  long_requests_ = std::make_unique<LongRequests>();
  context_.long_requests = long_requests_.get();
  wide_requests_ = std::make_unique<WideRequests>();
  context_.wide_requests = wide_requests_.get();
  const int64_t request_bytes = context_.settings.queued_request_bytes_max;
  context_.request_budget =
      net::ByteBudget::make(request_bytes < 0 ? net::ByteBudget::kUnlimited : static_cast<size_t>(request_bytes));
  const int64_t answer_bytes = context_.settings.queued_response_bytes_max;
  context_.answer_memory = net::ConnectionMemory::make(answer_bytes < 0 ? SIZE_MAX : static_cast<size_t>(answer_bytes));
  watch_memory();
  fetch_sessions_ = std::make_unique<FetchSessions>(static_cast<size_t>(context_.settings.fetch_sessions_max),
                                                    *context_.clock, std::random_device{}());
  context_.fetch_sessions = fetch_sessions_.get();
  return {};
}

// What a burst of requests has left to the allocator goes back to the system once the burst is over.
void BrokerCore::watch_memory() {
  constexpr int64_t kEveryMs = 1000;
  constexpr int kReturns = 10;
  loop_->schedule(kEveryMs, [this] {
    // The connections of the burst end a little after it.
    const bool requests_over = context_.request_budget->peak_is_over();
    if (context_.answer_memory->peak_is_over() || requests_over) returns_left_ = kReturns;
    if (returns_left_ > 0) {
      --returns_left_;
      admin_->post(return_free_memory);
    }
    watch_memory();
  });
}

Status BrokerCore::start_coordinators() {
  constexpr int64_t kMinute = 60'000;
  GroupConfig groups;
  groups.session_timeout_ms_min = context_.settings.group_session_timeout_ms_min;
  groups.session_timeout_ms_max = context_.settings.group_session_timeout_ms_max;
  groups.initial_rebalance_delay_ms = context_.settings.group_initial_rebalance_delay_ms;
  groups.members_max = static_cast<size_t>(context_.settings.group_size_max);
  groups.members_bytes_max = static_cast<size_t>(context_.settings.group_members_bytes_max);
  groups.offset_metadata_bytes_max = static_cast<size_t>(context_.settings.offset_metadata_bytes_max);
  groups.offsets_retention_ms = context_.settings.offsets_retention_minutes * kMinute;
  groups.offsets_retention_check_ms = context_.settings.offsets_retention_check_interval_ms;
  TxnConfig txns;
  txns.timeout_ms_max = context_.settings.transaction_timeout_ms_max;
  txns.id_expiration_ms = context_.settings.transactional_id_expiration_ms;
  txns.abort_check_ms = context_.settings.transaction_abort_check_interval_ms;
  txns.expiration_check_ms = context_.settings.transaction_expiration_check_interval_ms;

  partition_log_ = std::make_unique<BrokerPartitionLog>(context_);
  scheduler_ = std::make_unique<LoopScheduler>(*loop_);
  producer_ids_ = std::make_unique<ProducerIds>(env_, context_.config.data_dir + "/muir-producer-ids");
  groups_ = std::make_unique<GroupCoordinator>(groups, *partition_log_, *scheduler_, *context_.clock);
  txns_ =
      std::make_unique<TxnCoordinator>(txns, *partition_log_, *producer_ids_, *groups_, *scheduler_, *context_.clock);
  context_.partition_log = partition_log_.get();
  context_.groups = groups_.get();
  context_.txns = txns_.get();
  MUIR_RETURN_IF_ERROR(decide_lost_ends(context_));
  MUIR_RETURN_IF_ERROR(groups_->load());
  MUIR_RETURN_IF_ERROR(txns_->load());
  groups_->forget_offsets_of_missing_topics();
  watched_ = watch_broker(context_);
  return {};
}

Status BrokerCore::stop() {
  if (admin_) admin_->stop();
  if (coordination_) coordination_->stop();
  if (loop_) loop_->stop();
  if (long_requests_) long_requests_->stop();
  if (wide_requests_) wide_requests_->stop();
  return logs_ ? logs_->close() : Status();
}

}  // namespace muir::broker
