#include "apps/muir/metrics_service.h"

#include <algorithm>

#include "base/log.h"
#include "base/process_metrics.h"
#include "net/tls_config.h"
#include "net/url.h"

namespace muir::app {
namespace {

constexpr const char* kListeners = "metrics.listeners";
constexpr std::string_view kTlsPrefix = "metrics.";
// Where Prometheus' own exporter of Java's brokers listens by custom.
constexpr uint16_t kPort = 9404;

Result<MetricsListener> read_listener(const std::string& text, const Properties& properties) {
  const bool secure = text.starts_with("https://");
  const auto url = net::parse_url(text, secure ? "https://" : "http://", kPort);
  if (!url.ok() || url->target != "/")
    return error(Code::invalid_argument,
                 "configuration {}: '{}' is no place for metrics; write servers (the HTTP servers of the process), "
                 "none, or addresses as http://127.0.0.1:{}",
                 kListeners, text, kPort);
  MetricsListener out{.host = url->host, .port = url->port};
  if (secure) out.tls = MUIR_TRY(net::tls_server(properties, {std::string(kTlsPrefix), ""}));
  return out;
}

}  // namespace

const ConfigDefOf<MetricsSettings>& metrics_config() {
  static const ConfigDefOf<MetricsSettings> def(
      "metrics", {{{.name = kListeners,
                    .type = ConfigType::list,
                    .fallback = "servers",
                    .doc = "where GET /metrics is answered: servers (each HTTP server of the process; a broker alone, "
                           "which has none, listens on http://127.0.0.1:9404), addresses as http://0.0.0.0:9404, none",
                    .filled = true},
                   &MetricsSettings::listeners}});
  return def;
}

bool is_metrics_tls_key(std::string_view key) {
  return key.starts_with(kTlsPrefix) && net::is_tls_key(key.substr(kTlsPrefix.size()));
}

Result<MetricsPlaces> metrics_places(const Properties& properties, bool has_servers) {
  MetricsPlaces out;
  const std::vector<std::string> said = MUIR_TRY(metrics_config().read(properties)).listeners;
  out.is_empty = said.empty();
  for (const std::string& one : said) {
    if (one == "none" && said.size() == 1) continue;
    if (one != "servers") {
      out.listeners.push_back(MUIR_TRY(read_listener(one, properties)));
    } else if (has_servers) {
      out.on_servers = true;
    } else {
      // Nobody asked for this port: a second broker on the machine starts without it.
      out.listeners.push_back({.host = "127.0.0.1", .port = kPort, .must = properties.contains(kListeners)});
    }
  }
  return out;
}

MetricsService::MetricsService(const std::string& version) : process_(process_metrics(registry_, version)) {}

Status MetricsService::start(const MetricsPlaces& places, const net::HttpServerOptions& limits) {
  on_servers_ = places.on_servers;
  if (places.is_empty) log::info("metrics are not shown: {} is empty (none says so without this line)", kListeners);
  for (const MetricsListener& listener : places.listeners) {
    const Status status = listen(listener, limits);
    if (status.ok()) continue;
    if (listener.must || status.code() != Code::already_exists) return status.annotate("metrics");
    log::warn("metrics are not shown: {}; another place is set by {}", status.message(), kListeners);
  }
  return {};
}

Status MetricsService::listen(const MetricsListener& listener, net::HttpServerOptions options) {
  if (!loop_) loop_ = std::make_unique<net::EventLoop>("muir-metrics");
  options.host = listener.host;
  options.port = listener.port;
  options.tls = listener.tls;
  options.metrics = &registry_;
  options.metrics_name = "metrics";
  auto server = net::HttpServer::create(*loop_, std::move(options));
  endpoint_.add_to(*server);
  MUIR_RETURN_IF_ERROR(server->start());
  const bool any = listener.host == "0.0.0.0" || listener.host == "::";
  const net::Url at{.host = any ? "127.0.0.1" : listener.host, .port = server->port()};
  urls_.push_back(fmt::format("{}://{}/metrics", listener.tls ? "https" : "http", net::authority_of(at)));
  servers_.push_back(std::move(server));
  return {};
}

void MetricsService::stop() {
  endpoint_.stop();
  for (const auto& server : servers_) server->stop();
  servers_.clear();
}

}  // namespace muir::app
