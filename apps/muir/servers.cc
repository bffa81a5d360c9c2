#include "apps/muir/servers.h"

#include "apps/muir/instance_id.h"
#include "apps/muir/metrics_service.h"
#include "apps/muir/places.h"
#include "apps/muir/say.h"
#include "apps/muir/settings.h"
#include "apps/vts/records.h"
#include "apps/vts/vts.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/broker.h"
#include "client/kafka_client.h"
#include "net/tls_config.h"
#include "net/url.h"
#include "registry/http_registry_client.h"
#include "registry/registry.h"
#include "registry/registry_config.h"
#include "schema/json.h"

namespace muir::app {
namespace {

constexpr int64_t kRunningTimeoutMs = 120'000;
constexpr int64_t kStepMs = 100;

// What `muir` gives to a broker: the keys that it knows. Where log.dirs and node.id say nothing, the data lies in the
// folder of the options; the address is the options', unless listeners has one.
Result<broker::BrokerConfig> broker_config(const ServerOptions& options) {
  Properties known;
  for (const auto& [key, value] : options.properties) {
    if (broker::is_known_property(key)) known.insert_or_assign(key, value);
  }
  broker::BrokerConfig out = MUIR_TRY(broker::BrokerConfig::from_properties(known));
  out.host = options.host;
  out.port = static_cast<uint16_t>(options.broker_port);
  if (!known.contains("log.dirs") && !known.contains("log.dir")) out.data_dir = options.data_dir + "/broker";
  return out;
}

// As the options say, unless listeners has an address of http or https: the first one is the registry's.
Result<registry::RegistryOptions> registry_options(const ServerOptions& options) {
  registry::RegistryOptions out{.host = options.host, .port = static_cast<uint16_t>(options.registry_port)};
  MUIR_RETURN_IF_ERROR(registry::registry_config().read_into(out, options.properties));
  const auto found = options.properties.find("listeners");
  std::string_view rest = found == options.properties.end() ? std::string_view() : found->second;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string_view one = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    const bool secure = one.starts_with("https://");
    if (!secure && !one.starts_with("http://")) continue;
    const net::Url url = MUIR_TRY(net::parse_url(one, secure ? "https://" : "http://", out.port));
    out.host = url.host;
    out.port = url.port;
    if (secure) out.tls = MUIR_TRY(net::tls_server(options.properties, {"listener.name.https.", ""}));
    break;
  }
  return out;
}
// Everything that one process runs; ends in the reverse order of its start.
class Servers {
 public:
  Servers(const ServerOptions& options, const StartGuard& guard) : options_(options), guard_(guard) {}
  ~Servers() { stop(); }
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;

  // The first of all: the other parts are collected from their start on.
  Status start_metrics(const MetricsPlaces& places) {
    const auto http = MUIR_TRY(vts::vts_config().read(options_.properties));
    return metrics_.start(places, {.memory_bytes_max = http.http_memory_bytes_max,
                                   .allowed_hosts = http.http_allowed_hosts,
                                   .allowed_hosts_key = "http.allowed.hosts"});
  }

  Status start_broker(bool with_everything) {
    broker::BrokerConfig config = MUIR_TRY(broker_config(options_));
    config.metrics = &metrics_.registry();
    // Kafka waits three seconds for further members of a new group, and again for each that comes; the members here are
    // this process's threads, which join together.
    if (with_everything) config.properties.try_emplace("group.initial.rebalance.delay.ms", "100");
    auto started = broker::Broker::start(std::move(config));
    if (!started.ok()) return explain(started.status(), "broker", "--broker-port", options_.broker_port);
    broker_ = std::move(*started);
    own_listener_ = own_listener();
    bootstrap_ =
        fmt::format("{}:{}", own_listener_.tls ? own_listener_.advertised_host : local_host(own_listener_.host),
                    own_listener_.port);
    return {};
  }

  // `joins`: whether this process becomes a member of the application's group.
  Status connect(bool joins) {
    if (!options_.bootstrap_servers.empty()) {
      bootstrap_ = options_.bootstrap_servers;
      log::info("using the Kafka cluster at {}", bootstrap_);
    }
    const Properties properties = MUIR_TRY(with_bootstrap(joins));
    config_ = MUIR_TRY(vts::VtsConfig::parse(properties, options_.data_dir + "/streams"));
    client_ = MUIR_TRY(client::connect_kafka(config_.client, &metrics_.registry()));
    return {};
  }

  Status start_registry() {
    registry::RegistryOptions own = MUIR_TRY(registry_options(options_));
    own.allowed_hosts = config_.http_allowed_hosts;
    own.memory_bytes_max = config_.http_memory_bytes_max;
    own.metrics = &metrics_.registry();
    own.metrics_endpoint = metrics_.for_servers();
    auto started = registry::Registry::start(*client_, std::move(own));
    if (!started.ok()) return explain(started.status(), "schema registry", "--registry-port", options_.registry_port);
    registry_ = std::move(*started);
    registry_port_ = &registry_->port_for_serdes();
    return {};
  }

  Status use_registry(const std::string& url) {
    const auto tls = MUIR_TRY(net::tls_client(options_.properties, {"schema.registry."}));
    registry_client_ = MUIR_TRY(registry::HttpRegistryClient::create(url, {.tls = tls}));
    registry_port_ = registry_client_.get();
    // Topics would be made before the first schema is asked for; the cluster comes first, as without it there is
    // nothing.
    if (const auto cluster = MUIR_TRY(client_->admin())->describe_cluster(); !cluster.ok())
      return explain(cluster.status(), "vehicle tracking", "--http-port", config_.http_port);
    const auto answer = registry_port_->latest_schema(fmt::format("{}-value", vts::kRawTopic));
    if (answer.ok() || answer.status().code() == Code::not_found) return {};
    return error(answer.status().code(), "schema registry: {}; is the registry of --schema-registry-url {} running?",
                 answer.status().message(), url);
  }

  Status start_vts() {
    const std::string web = options_.web_dir.empty() ? find_folder("web/dist") : options_.web_dir;
    const std::string demo = find_folder("apps/vts/demo");
    if (web.empty())
      log::warn(
          "the page is not built: only the REST interface is served; build it with npm in web/, or name its folder "
          "with --web-dir");
    const uint16_t port = config_.http_port;
    const std::string cluster = broker_ ? "Muir broker, embedded" : bootstrap_;
    auto started = vts::Vts::start({.config = config_,
                                    .cluster_name = cluster,
                                    .web_dir = web,
                                    .demo_dir = demo,
                                    .given_up = [this] { return guard_.given_up(); },
                                    .metrics = &metrics_.registry(),
                                    .metrics_endpoint = metrics_.for_servers()},
                                   *client_, *registry_port_);
    if (!started.ok()) return explain(started.status(), "vehicle tracking", "--http-port", port);
    vts_ = std::move(*started);
    MUIR_RETURN_IF_ERROR(wait_until_running());
    if (!options_.demo) return {};
    return vts_->start_demo();
  }

  // In steps, so that a start may be given up meanwhile.
  Status wait_until_running() {
    const int64_t deadline = system_clock().steady_ms() + kRunningTimeoutMs;
    while (true) {
      const Status running = vts_->wait_until_running(kStepMs);
      const bool over = system_clock().steady_ms() >= deadline || guard_.given_up();
      if (running.code() != Code::timed_out || over) return running;
    }
  }

  void stop() {
    metrics_.stop();
    if (vts_) vts_->stop();
    vts_.reset();
    if (registry_) registry_->stop();
    registry_.reset();
    client_.reset();
    if (broker_) {
      if (const Status status = broker_->stop(); !status.ok())
        log::error("stopping the broker: {}", status.to_string());
    }
    broker_.reset();
  }

  // A program that asked for its line of JSON must get it; for people the log says as much.
  Status print_summary(int64_t took_ms) {
    if (options_.output == Output::json) return answer(as_json(took_ms));
    say("\nMuir {} is running ({} ms)\n", MUIR_VERSION, took_ms);
    if (vts_) say("  map and REST      {}\n", vts_->url());
    if (broker_) {
      say("  Kafka broker      {}\n", bootstrap_);
    } else {
      say("  Kafka cluster     {}\n", bootstrap_);
    }
    if (registry_) say("  schema registry   {}\n", registry_->url());
    if (const auto urls = metrics_urls(); !urls.empty()) say("  metrics           {}\n", urls.front());
    say("  data              {}\n", options_.data_dir);
    for (const char* key : {"log.dirs", "log.dir"}) {
      const auto folder = options_.properties.find(key);
      if (!broker_ || folder == options_.properties.end()) continue;
      say("  topics            {}\n", folder->second);
      break;
    }
    if (broker_) {
      const auto flushes = config_boolean(broker::broker_config().value(options_.properties, "log.flush.acks"));
      say("  acks=all is answered {} the records are on the disk (fsync)\n",
          flushes.value_or(true) ? "after" : "BEFORE");
    }
    if (vts_ && options_.demo) {
      say("  Demo: half an hour of recorded buses, replayed in a loop at its own pace.\n"
          "  Vehicle data: City of Warsaw (Miasto Sto\u0142eczne Warszawa), api.um.warszawa.pl, February 2024, "
          "processed.\n");
    }
    say("Ctrl-C ends it; a second one at once.\n");
    return {};
  }

 private:
  // Of the same metrics all.
  [[nodiscard]] std::vector<std::string> metrics_urls() {
    std::vector<std::string> out = metrics_.urls();
    if (metrics_.for_servers() == nullptr) return out;
    if (vts_) out.push_back(vts_->url() + "/metrics");
    if (registry_) out.push_back(registry_->url() + "/metrics");
    return out;
  }
  // The one that this process's own clients use: plaintext where there is one.
  [[nodiscard]] broker::Listener own_listener() const {
    const auto& all = broker_->listeners();
    const auto plain = std::find_if(all.begin(), all.end(), [](const auto& listener) { return !listener.tls; });
    return plain == all.end() ? all.front() : *plain;
  }
  // Where clients of this process connect to a server that may listen on every address.
  [[nodiscard]] static std::string local_host(const std::string& host) {
    return host == "0.0.0.0" ? "127.0.0.1" : host;
  }
  [[nodiscard]] Result<Properties> with_bootstrap(bool joins) const {
    Properties out = options_.properties;
    out["bootstrap.servers"] = bootstrap_;
    if (broker_) out["security.protocol"] = own_listener_.tls ? "SSL" : "PLAINTEXT";
    if (!joins || out.contains("group.instance.id")) return out;
    // KIP-345: an instance comes back as the same member, and after a crash need not wait for its former self to time
    // out. On a broker of its own this process is the only instance there can be.
    out["group.instance.id"] = broker_ ? "muir" : MUIR_TRY(instance_id(options_.data_dir, system_env()));
    return out;
  }

  [[nodiscard]] std::string as_json(int64_t took_ms) {
    std::string out = fmt::format("{{\"version\":\"{}\",\"startMs\":{}", MUIR_VERSION, took_ms);
    const auto text = [&out](std::string_view name, const std::string& value) {
      fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
      schema::append_json_string(out, value);
    };
    if (vts_) text("url", vts_->url());
    text("bootstrapServers", bootstrap_);
    if (registry_) text("schemaRegistryUrl", registry_->url());
    text("data", options_.data_dir);
    if (const auto metrics = metrics_urls(); !metrics.empty()) text("metricsUrl", metrics.front());
    return fmt::format("{},\"demo\":{}}}\n", out, vts_ && options_.demo);
  }

  // Says what to do about a port that is in use, or a cluster that is not there.
  [[nodiscard]] Status explain(const Status& status, std::string_view what, std::string_view option, int port) const {
    const Status named = status.annotate(what);
    if (status.number(Domain::system) == EADDRINUSE)
      return error(status.code(), "{}; stop that program, or choose another port with {} (it was {})", named.message(),
                   option, port);
    const bool unreachable = status.code() == Code::unavailable || status.code() == Code::timed_out;
    if (!broker_ && !bootstrap_.empty() && unreachable && status.number(Domain::system) != 0)
      return error(status.code(),
                   "{}; is the Kafka cluster of --bootstrap-servers {} running, and reachable from here?",
                   named.message(), bootstrap_);
    return named;
  }

  const ServerOptions& options_;
  const StartGuard& guard_;
  MetricsService metrics_{MUIR_VERSION};
  std::string bootstrap_;
  vts::VtsConfig config_;
  broker::Listener own_listener_;  // of broker_
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<registry::HttpRegistryClient> registry_client_;
  RegistryPort* registry_port_ = nullptr;
  std::unique_ptr<vts::Vts> vts_;
};

// The configuration as it is before ports are bound: what is wrong in it ends the program before anything is written.
Properties with_options(const ServerOptions& options) {
  Properties out = options.properties;
  if (!options.bootstrap_servers.empty()) out["bootstrap.servers"] = options.bootstrap_servers;
  return out;
}

// What one command starts.
struct Parts {
  bool broker = false;
  bool registry = false;
  bool vts = false;
};

Result<Places> places_of(const ServerOptions& options, const Parts& parts) {
  Places out;
  if (parts.vts) {
    const vts::VtsConfig config = MUIR_TRY(vts::VtsConfig::parse(with_options(options), options.data_dir + "/streams"));
    out.servers.push_back({"vehicle tracking", "--http-port", config.http_host, config.http_port});
    out.web_dir = options.web_dir;
    out.demo = options.demo;
    out.demo_dir = find_folder("apps/vts/demo");
    out.writable_dirs = {options.data_dir, config.streams.state_dir};
  }
  if (parts.broker) {
    const broker::BrokerConfig config = MUIR_TRY(broker_config(options));
    for (const broker::Listener& listener : MUIR_TRY(config.listeners())) {
      out.servers.push_back({"broker", "--broker-port", listener.host, listener.port});
      if (listener.tls)  // before anything is written
        (void)MUIR_TRY(net::tls_server(config.properties, {broker::listener_prefix(listener), ""}));
    }
    out.writable_dirs.push_back(config.data_dir);
  }
  if (parts.registry) {
    const registry::RegistryOptions registry = MUIR_TRY(registry_options(options));
    out.servers.push_back({"schema registry", "--registry-port", registry.host, registry.port});
  }
  for (const MetricsListener& metrics :
       MUIR_TRY(metrics_places(options.properties, parts.vts || parts.registry)).listeners) {
    if (metrics.must) out.servers.push_back({"metrics", "metrics.listeners", metrics.host, metrics.port});
  }
  return out;
}

template <class Start>
Status run(const ServerOptions& options, const Parts& parts, const StopSignal& stop, StartGuard& guard, Start start) {
  const int64_t began = system_clock().steady_ms();
  MUIR_RETURN_IF_ERROR(check_configuration(with_options(options), parts.broker && parts.vts));
  Places places = MUIR_TRY(places_of(options, parts));
  places.given_up = [&guard] { return guard.given_up(); };
  const Status fit = check_places(places);
  if (!fit.ok() && guard.given_up()) return {};
  MUIR_RETURN_IF_ERROR(fit);
  Servers servers(options, guard);
  MUIR_RETURN_IF_ERROR(
      servers.start_metrics(MUIR_TRY(metrics_places(options.properties, parts.vts || parts.registry))));
  const Status started = start(servers);
  if (!guard.started()) {
    servers.stop();
    return {};
  }
  MUIR_RETURN_IF_ERROR(started);
  if (const Status told = servers.print_summary(system_clock().steady_ms() - began); !told.ok()) {
    servers.stop();
    return told;
  }
  stop.wait();
  const bool talks = options.output == Output::table;
  if (talks) say("\nstopping...\n");
  servers.stop();
  if (talks) say("stopped\n");
  return {};
}

}  // namespace

Status check_addresses(const Properties& properties) {
  ServerOptions options;
  options.properties = properties;
  const Parts all{.broker = !properties.contains("bootstrap.servers"), .registry = true, .vts = true};
  return check_hosts(MUIR_TRY(places_of(options, all)).servers);
}

Status run_up(const ServerOptions& options, const StopSignal& stop, StartGuard& guard) {
  const Parts parts{.broker = options.bootstrap_servers.empty(), .registry = options.registry_url.empty(), .vts = true};
  return run(options, parts, stop, guard, [&options](Servers& servers) -> Status {
    if (options.bootstrap_servers.empty()) MUIR_RETURN_IF_ERROR(servers.start_broker(true));
    MUIR_RETURN_IF_ERROR(servers.connect(true));
    MUIR_RETURN_IF_ERROR(options.registry_url.empty() ? servers.start_registry()
                                                      : servers.use_registry(options.registry_url));
    return servers.start_vts();
  });
}

Status run_broker(const ServerOptions& options, const StopSignal& stop, StartGuard& guard) {
  return run(options, {.broker = true}, stop, guard, [](Servers& servers) { return servers.start_broker(false); });
}

Status run_registry(const ServerOptions& options, const StopSignal& stop, StartGuard& guard) {
  return run(options, {.registry = true}, stop, guard, [](Servers& servers) -> Status {
    MUIR_RETURN_IF_ERROR(servers.connect(false));
    return servers.start_registry();
  });
}

Status run_vts(const ServerOptions& options, const StopSignal& stop, StartGuard& guard) {
  return run(options, {.vts = true}, stop, guard, [&options](Servers& servers) -> Status {
    MUIR_RETURN_IF_ERROR(servers.connect(true));
    MUIR_RETURN_IF_ERROR(servers.use_registry(options.registry_url));
    return servers.start_vts();
  });
}

}  // namespace muir::app
