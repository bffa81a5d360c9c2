#include "broker/broker.h"

#include <sys/resource.h>

#include <mutex>

#include "base/log.h"
#include "broker/internal/broker_core.h"
#include "broker/internal/session.h"
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
  BrokerImpl() = default;
  ~BrokerImpl() override { (void)stop().ok(); }
  BrokerImpl(const BrokerImpl&) = delete;
  BrokerImpl& operator=(const BrokerImpl&) = delete;

  Status run(BrokerConfig config) {
    MUIR_RETURN_IF_ERROR(complain(config.properties));
    if (config.advertised_host.empty() && config.properties.contains("advertised.listeners")) {
      const BrokerConfig named = MUIR_TRY(BrokerConfig::from_properties(config.properties));
      config.advertised_host = named.advertised_host;
      config.advertised_port = named.advertised_port;
    }
    raise_open_files_limit();
    core_ = MUIR_TRY(BrokerCore::open(std::move(config), system_env()));
    MUIR_RETURN_IF_ERROR(listen());
    const BrokerConfig& in_use = core_->context().config;
    log::info("broker {} serves {}:{} as {}:{}, data in {}; acks=all {}", in_use.node_id, in_use.host, port_,
              in_use.advertised_host, in_use.advertised_port, in_use.data_dir,
              core_->context().flag("log.flush.acks") ? "waits for an fsync"
                                                      : "does not wait for an fsync (log.flush.acks=false)");
    return {};
  }

  uint16_t port() const override { return port_; }
  const std::string& cluster_id() const override { return core_->context().logs->cluster_id(); }

  Status stop() override {
    const std::lock_guard guard(stop_mutex_);
    if (stopped_) return {};
    stopped_ = true;
    if (server_) server_->stop();
    return core_ ? core_->stop() : Status();
  }

 private:
  Status listen() {
    BrokerContext& context = core_->context();
    net::FrameServerOptions options;
    options.host = context.config.host;
    options.port = context.config.port;
    options.frame_bytes_max = static_cast<size_t>(context.number("socket.request.max.bytes"));
    options.connections_max = static_cast<size_t>(context.number("max.connections"));
    // Clients are told the port that was bound, so one that is quicker than this function waits for it to be known.
    const std::lock_guard gate(gate_);
    server_ = MUIR_TRY(
        net::FrameServer::start(*context.loop, options, [this](std::shared_ptr<net::FrameConnection> connection) {
          { const std::lock_guard wait(gate_); }
          return make_session(core_->context(), std::move(connection));
        }));
    port_ = server_->port();
    if (context.config.advertised_port == 0) context.config.advertised_port = port_;
    if (context.config.advertised_host.empty()) {
      const bool any = context.config.host == "0.0.0.0" || context.config.host == "::";
      context.config.advertised_host = any ? "localhost" : context.config.host;
    }
    return {};
  }

  std::unique_ptr<BrokerCore> core_;
  std::mutex gate_;
  std::unique_ptr<net::FrameServer> server_;
  uint16_t port_ = 0;
  std::mutex stop_mutex_;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<Broker>> Broker::start(BrokerConfig config) {
  auto broker = std::make_unique<BrokerImpl>();
  MUIR_RETURN_IF_ERROR(broker->run(std::move(config)));
  return std::unique_ptr<Broker>(std::move(broker));
}

}  // namespace muir::broker
