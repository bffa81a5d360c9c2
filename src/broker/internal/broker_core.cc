#include "broker/internal/broker_core.h"

#include <sys/resource.h>

#include <algorithm>
#include <random>

#include "base/memory.h"
#include "broker/internal/lost_ends.h"

namespace muir::broker {

namespace {

int64_t open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT32_MAX) return INT32_MAX;
  return static_cast<int64_t>(limit.rlim_cur);
}

// One file for each segment, two segments each on an average, and some left for connections.
int64_t partitions_for(int64_t open_files) {
  constexpr int64_t kMost = 100'000;
  constexpr int64_t kOtherFiles = 2000;
  return std::min(kMost, std::max(open_files / 4, (open_files - kOtherFiles) / 2));
}

}  // namespace

BrokerCore::BrokerCore(BrokerConfig config, Env& env) : env_(env) {
  context_.config = std::move(config);
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
  log::LogOptions options;
  options.folder = context_.config.data_dir;
  options.broker = context_.config.properties;
  options.sync_before_confirm = context_.flag("log.flush.acks");
  options.node_id = context_.config.node_id;
  const int64_t partitions = context_.number("max.partitions");
  options.partitions_max = partitions > 0 ? partitions : partitions_for(open_files_limit());
  options.env = &env_;
  options.clock = context_.config.clock;
  options.metrics = context_.config.metrics;
  logs_ = MUIR_TRY(log::LogManager::open(std::move(options)));
  context_.logs = logs_.get();
  loop_ = std::make_unique<net::EventLoop>("muir-broker", context_.config.network_threads);
  admin_ = std::make_unique<net::EventLoop>("muir-admin", 1);
  context_.loop = loop_.get();
  context_.admin = admin_.get();
  long_requests_ = std::make_unique<LongRequests>();
  context_.long_requests = long_requests_.get();
  const int64_t request_bytes = context_.number("queued.max.request.bytes");
  context_.request_budget =
      net::ByteBudget::make(request_bytes < 0 ? net::ByteBudget::kUnlimited : static_cast<size_t>(request_bytes));
  const int64_t answer_bytes = context_.number("queued.max.response.bytes");
  context_.answer_memory = net::ConnectionMemory::make(answer_bytes < 0 ? SIZE_MAX : static_cast<size_t>(answer_bytes));
  watch_memory();
  fetch_sessions_ =
      std::make_unique<FetchSessions>(static_cast<size_t>(context_.number("max.incremental.fetch.session.cache.slots")),
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
  groups.session_timeout_ms_min = context_.number("group.min.session.timeout.ms");
  groups.session_timeout_ms_max = context_.number("group.max.session.timeout.ms");
  groups.initial_rebalance_delay_ms = context_.number("group.initial.rebalance.delay.ms");
  groups.members_max = static_cast<size_t>(context_.number("group.max.size"));
  groups.offset_metadata_bytes_max = static_cast<size_t>(context_.number("offset.metadata.max.bytes"));
  groups.offsets_retention_ms = context_.number("offsets.retention.minutes") * kMinute;
  groups.offsets_retention_check_ms = context_.number("offsets.retention.check.interval.ms");
  TxnConfig txns;
  txns.timeout_ms_max = context_.number("transaction.max.timeout.ms");
  txns.id_expiration_ms = context_.number("transactional.id.expiration.ms");
  txns.abort_check_ms = context_.number("transaction.abort.timed.out.transaction.cleanup.interval.ms");
  txns.expiration_check_ms = context_.number("transaction.remove.expired.transaction.cleanup.interval.ms");

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
  if (loop_) loop_->stop();
  if (long_requests_) long_requests_->stop();
  return logs_ ? logs_->close() : Status();
}

}  // namespace muir::broker
