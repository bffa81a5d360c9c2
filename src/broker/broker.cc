#include "broker/broker.h"

#include <sys/resource.h>

#include <filesystem>
#include <mutex>

#include "base/log.h"
#include "broker/internal/broker_core.h"
#include "broker/internal/session.h"
#include "net/frame_server.h"
#include "net/tls_config.h"

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
  return status_of(complaints.wrong);
}

// Kafka's way to say every address, which an unset variable says too.
void warn_of_open_listeners(const Properties& properties) {
  const auto given = properties.find("listeners");
  if (given == properties.end() || given->second.find("://:") == std::string::npos) return;
  log::warn("listeners={}: without a host the broker listens on every address of this machine, as Kafka's does",
            given->second);
}

class BrokerImpl final : public Broker {
 public:
  BrokerImpl() = default;
  ~BrokerImpl() override { (void)stop().ok(); }
  BrokerImpl(const BrokerImpl&) = delete;
  BrokerImpl& operator=(const BrokerImpl&) = delete;

  Status run(BrokerConfig config) {
    MUIR_RETURN_IF_ERROR(complain(config.properties));
    // Tools show the folder to people who stand elsewhere.
    config.data_dir = std::filesystem::absolute(config.data_dir).lexically_normal().string();
    listeners_ = MUIR_TRY(config.listeners());
    warn_of_open_listeners(config.properties);
    const auto tls = MUIR_TRY(make_tls(config.properties));
    raise_open_files_limit();
    core_ = MUIR_TRY(BrokerCore::open(std::move(config), system_env()));
    MUIR_RETURN_IF_ERROR(listen(tls));
    const BrokerConfig& in_use = core_->context().config;
    log::info("broker {} serves {}, data in {}; acks=all {}", in_use.node_id, described(), in_use.data_dir,
              core_->context().settings.flush_acks ? "waits for an fsync"
                                                   : "does not wait for an fsync (log.flush.acks=false)");
    return {};
  }

  uint16_t port() const override { return listeners_.front().port; }
  const std::vector<Listener>& listeners() const override { return listeners_; }
  const std::string& cluster_id() const override { return core_->context().logs->cluster_id(); }

  Status stop() override {
    const std::lock_guard guard(stop_mutex_);
    if (stopped_) return {};
    stopped_ = true;
    for (const auto& server : servers_) server->stop();
    return core_ ? core_->stop() : Status();
  }

 private:
  // What each listener needs for TLS, in their order; null for plaintext.
  using Contexts = std::vector<std::shared_ptr<const net::TlsContext>>;
  Result<Contexts> make_tls(const Properties& properties) const {
    Contexts out(listeners_.size());
    for (size_t i = 0; i < listeners_.size(); ++i) {
      if (listeners_[i].tls) out[i] = MUIR_TRY(net::tls_server(properties, {listener_prefix(listeners_[i]), ""}));
    }
    return out;
  }

  Status listen(const Contexts& tls) {
    BrokerContext& context = core_->context();
    // Clients are told the ports that were bound, so one that is quicker than this function waits for them.
    const std::lock_guard gate(gate_);
    for (size_t i = 0; i < listeners_.size(); ++i) {
      Listener& listener = listeners_[i];
      net::FrameServerOptions options;
      options.host = listener.host;
      options.port = listener.port;
      options.frame_bytes_max = static_cast<size_t>(context.settings.request_bytes_max);
      options.connections_max = static_cast<size_t>(context.settings.connections_max);
      options.idle_timeout_ms = context.settings.connections_idle_ms_max;
      options.frame_budget = context.request_budget;
      options.send_memory = context.answer_memory;
      options.tls = tls[i];
      options.metrics = context.config.metrics;
      options.metrics_name = "broker:" + listener.name;
      servers_.push_back(MUIR_TRY(net::FrameServer::start(
          *context.loop, options, [this, &listener](std::shared_ptr<net::FrameConnection> connection) {
            { const std::lock_guard wait(gate_); }
            return make_session(core_->context(), listener, std::move(connection));
          })));
      listener.port = servers_.back()->port();
      if (listener.advertised_port == 0) listener.advertised_port = listener.port;
      if (!listener.advertised_host.empty()) continue;
      const bool any = listener.host == "0.0.0.0" || listener.host == "::";
      listener.advertised_host = any ? "localhost" : listener.host;
    }
    show_what_is_in_use(context.config);
    return {};
  }

  // DescribeConfigs tells what came of the configuration, the options and the ports that were free.
  void show_what_is_in_use(BrokerConfig& config) const {
    config.properties["listeners"] = joined([](const Listener& l) { return address(l.name, l.host, l.port); });
    config.properties["advertised.listeners"] =
        joined([](const Listener& l) { return address(l.name, l.advertised_host, l.advertised_port); });
    config.properties["log.dirs"] = config.data_dir;
    config.properties["node.id"] = std::to_string(config.node_id);
    config.properties["num.network.threads"] = std::to_string(config.network_threads);
  }

  // "PLAINTEXT://[::1]:9092"
  [[nodiscard]] static std::string address(std::string_view name, std::string_view host, uint16_t port) {
    const bool v6 = host.find(':') != std::string_view::npos;
    return fmt::format("{}://{}{}{}:{}", name, v6 ? "[" : "", host, v6 ? "]" : "", port);
  }
  template <class Text>
  [[nodiscard]] std::string joined(Text text) const {
    std::string out;
    for (const Listener& listener : listeners_) out += (out.empty() ? "" : ",") + text(listener);
    return out;
  }

  // "PLAINTEXT://0.0.0.0:9092 as bus.example:9092, ..."
  [[nodiscard]] std::string described() const {
    std::string out;
    for (const Listener& listener : listeners_) {
      out += fmt::format("{}{}://{}:{} as {}:{}", out.empty() ? "" : ", ", listener.name, listener.host, listener.port,
                         listener.advertised_host, listener.advertised_port);
    }
    return out;
  }

  std::unique_ptr<BrokerCore> core_;
  std::mutex gate_;
  std::vector<Listener> listeners_;  // sessions hold references to them
  std::vector<std::unique_ptr<net::FrameServer>> servers_;
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
