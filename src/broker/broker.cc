#include "broker/broker.h"

#include <sys/resource.h>

#include <mutex>

#include "base/log.h"
#include "broker/internal/api_table.h"
#include "broker/internal/broker_context.h"
#include "broker/internal/broker_partition_log.h"
#include "broker/internal/group_coordinator.h"
#include "broker/internal/loop_scheduler.h"
#include "broker/internal/session.h"
#include "broker/internal/txn_coordinator.h"
#include "broker/internal/txn_producer_ids.h"
#include "log/log_manager.h"
#include "net/event_loop.h"
#include "net/frame_server.h"

namespace muir::broker {
namespace {

// Each partition keeps its segment files open.
void raise_open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

Status complain(const Properties& properties) {
  const ConfigComplaints complaints = check_properties(properties);
  for (const auto& unknown : complaints.unknown) log::warn("configuration: {}", unknown);
  if (complaints.wrong.empty()) return {};
  return error(Code::invalid_argument, "configuration: {}", complaints.wrong.front());
}

class BrokerImpl final : public Broker {
 public:
  explicit BrokerImpl(BrokerConfig config) {
    context_.config = std::move(config);
    context_.clock = context_.config.clock != nullptr ? context_.config.clock : &system_clock();
  }
  ~BrokerImpl() override { (void)stop().ok(); }
  BrokerImpl(const BrokerImpl&) = delete;
  BrokerImpl& operator=(const BrokerImpl&) = delete;

  Status run() {
    MUIR_RETURN_IF_ERROR(complain(context_.config.properties));
    raise_open_files_limit();
    log::LogOptions options;
    options.folder = context_.config.data_dir;
    options.broker = context_.config.properties;
    options.sync_before_visible = context_.flag("log.flush.acks");
    options.node_id = context_.config.node_id;
    options.clock = context_.config.clock;
    logs_ = MUIR_TRY(log::LogManager::open(std::move(options)));
    context_.logs = logs_.get();
    loop_ = std::make_unique<net::EventLoop>("muir-broker", context_.config.network_threads);
    admin_ = std::make_unique<net::EventLoop>("muir-admin", 1);
    context_.loop = loop_.get();
    context_.admin = admin_.get();
    MUIR_RETURN_IF_ERROR(start_coordinators());
    MUIR_RETURN_IF_ERROR(listen());
    log::info("broker {} serves {}:{} as {}:{}, data in {}; acks=all {}", context_.node_id(), context_.config.host, server_->port(),
              context_.config.advertised_host, context_.config.advertised_port, context_.config.data_dir,
              logs_->options().sync_before_visible ? "waits for an fsync" : "does not wait for an fsync (log.flush.acks=false)");
    return {};
  }

  uint16_t port() const override { return port_; }
  const std::string& cluster_id() const override { return logs_->cluster_id(); }

  Status stop() override {
    const std::lock_guard guard(stop_mutex_);
    if (stopped_) return {};
    stopped_ = true;
    if (server_) server_->stop();
    if (admin_) admin_->stop();
    if (loop_) loop_->stop();
    return logs_ ? logs_->close() : Status();
  }

 private:
  Status start_coordinators() {
    partition_log_ = std::make_unique<BrokerPartitionLog>(context_);
    scheduler_ = std::make_unique<LoopScheduler>(*loop_);
    constexpr int64_t kMinute = 60'000;
    GroupConfig groups;
    groups.session_timeout_ms_min = context_.number("group.min.session.timeout.ms");
    groups.session_timeout_ms_max = context_.number("group.max.session.timeout.ms");
    groups.initial_rebalance_delay_ms = context_.number("group.initial.rebalance.delay.ms");
    groups.members_max = static_cast<size_t>(context_.number("group.max.size"));
    groups.offset_metadata_bytes_max = static_cast<size_t>(context_.number("offset.metadata.max.bytes"));
    groups.offsets_retention_ms = context_.number("offsets.retention.minutes") * kMinute;
    groups.offsets_retention_check_ms = context_.number("offsets.retention.check.interval.ms");
    groups_ = std::make_unique<GroupCoordinator>(groups, *partition_log_, *scheduler_, *context_.clock);
    TxnConfig txns;
    txns.timeout_ms_max = context_.number("transaction.max.timeout.ms");
    txns.id_expiration_ms = context_.number("transactional.id.expiration.ms");
    txns.abort_check_ms = context_.number("transaction.abort.timed.out.transaction.cleanup.interval.ms");
    producer_ids_ = std::make_unique<ProducerIds>(system_env(), context_.config.data_dir + "/muir-producer-ids");
    txns_ = std::make_unique<TxnCoordinator>(txns, *partition_log_, *producer_ids_, *groups_, *scheduler_, *context_.clock);
    context_.partition_log = partition_log_.get();
    context_.groups = groups_.get();
    context_.txns = txns_.get();
    MUIR_RETURN_IF_ERROR(groups_->load());
    return txns_->load();
  }

  Status listen() {
    net::FrameServerOptions options;
    options.host = context_.config.host;
    options.port = context_.config.port;
    options.frame_bytes_max = static_cast<size_t>(context_.number("socket.request.max.bytes"));
    options.connections_max = static_cast<size_t>(context_.number("max.connections"));
    // The advertised address must be known before the first client asks for it, so the port is bound before it is
    // handed out: sessions of clients that are quicker see it under the gate.
    const std::lock_guard gate(gate_);
    server_ = MUIR_TRY(net::FrameServer::start(*loop_, options, [this](std::shared_ptr<net::FrameConnection> connection) {
      { const std::lock_guard wait(gate_); }
      return make_session(context_, std::move(connection));
    }));
    port_ = server_->port();
    if (context_.config.advertised_port == 0) context_.config.advertised_port = port_;
    if (context_.config.advertised_host.empty()) {
      const bool any = context_.config.host == "0.0.0.0" || context_.config.host == "::";
      context_.config.advertised_host = any ? "localhost" : context_.config.host;
    }
    return {};
  }

  BrokerContext context_;
  // Destroyed from the last to the first: the coordinators go after everything that calls back into them.
  std::unique_ptr<BrokerPartitionLog> partition_log_;
  std::unique_ptr<ProducerIds> producer_ids_;
  std::unique_ptr<GroupCoordinator> groups_;
  std::unique_ptr<TxnCoordinator> txns_;
  std::unique_ptr<log::LogManager> logs_;
  std::unique_ptr<LoopScheduler> scheduler_;
  std::unique_ptr<net::EventLoop> loop_;
  std::unique_ptr<net::EventLoop> admin_;
  std::mutex gate_;
  std::unique_ptr<net::FrameServer> server_;
  uint16_t port_ = 0;
  std::mutex stop_mutex_;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<Broker>> Broker::start(BrokerConfig config) {
  auto broker = std::make_unique<BrokerImpl>(std::move(config));
  MUIR_RETURN_IF_ERROR(broker->run());
  return std::unique_ptr<Broker>(std::move(broker));
}

}  // namespace muir::broker
