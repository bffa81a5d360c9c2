#include "apps/vts/config.h"

#include <algorithm>

#include "net/tls_config.h"
#include "net/url.h"

namespace muir::vts {
namespace {

// Keys that belong to the clients, not to Streams alone.
bool is_client_key(std::string_view key) {
  for (const std::string_view prefix :
       {"security.", "sasl.", "ssl.", "metadata.", "reconnect.", "socket.", "client.", "rdkafka."}) {
    if (key.starts_with(prefix)) return true;
  }
  return key == "bootstrap.servers" || key == "request.timeout.ms";
}

// An origin is scheme, host and port; with a path or a last slash it would never match.
std::string no_origin(std::string_view list) {
  for (const std::string_view origin : config_items(list)) {
    const size_t scheme = origin.find("://");
    const bool whole = scheme != std::string_view::npos && scheme > 0 && scheme + 3 < origin.size() &&
                       origin.find_first_of("/ ", scheme + 3) == std::string_view::npos;
    if (origin.empty() || origin == "*" || whole) continue;
    return fmt::format("'{}' is no origin; write scheme and host, as https://fleet.example.com", origin);
  }
  return {};
}

// A name as Host has it, without a port: with anything else it would never match.
std::string no_host(std::string_view list) {
  for (const std::string_view host : config_items(list)) {
    const bool port = std::count(host.begin(), host.end(), ':') == 1;  // an IPv6 address has more
    if (!port && host.find_first_of("/@[] ") == std::string_view::npos) continue;
    return fmt::format("'{}' is no host name; write it without scheme and port, as fleet.example.com", host);
  }
  return {};
}

std::string no_url(std::string_view list) {
  for (const std::string_view url : config_items(list)) {
    const bool secure = url.starts_with("https://");
    const auto parsed = secure ? net::parse_url(url, "https://", 443) : net::parse_url(url, "http://", 80);
    if (!parsed.ok()) return parsed.status().message();
  }
  return {};
}

constexpr int64_t kYearMs = 366LL * 24 * 3600 * 1000;

void check_retention(const VtsConfig& config, ConfigMistakes& out) {
  const auto silent = config.topology.silent_retention.count();
  const auto duplicate = config.topology.duplicate_retention.count();
  if (silent < duplicate)
    out.push_back({"vts.silent.retention.ms", std::to_string(silent),
                   fmt::format("is less than vts.duplicate.retention.ms={}", duplicate)});
}

// Before the keys of TLS that page and REST interface have for themselves.
constexpr std::string_view kTlsPrefix = "vts.http.";

std::vector<ConfigField<VtsConfig>> with_tls_keys(std::vector<ConfigField<VtsConfig>> fields) {
  for (ConfigKey key : net::tls_config().keys()) {
    key.name.insert(0, kTlsPrefix);
    key.doc = fmt::format("of page and REST interface; without it, {}", key.name.substr(kTlsPrefix.size()));
    key.fallback.clear();
    key.allowed.clear();  // net's own reader checks them
    fields.emplace_back(std::move(key));
  }
  return fields;
}

Status read_tls(const Properties& given, VtsConfig& out) {
  const net::TlsPrefixes prefixes = {std::string(kTlsPrefix), ""};
  out.http_tls_options = MUIR_TRY(net::tls_options(given, prefixes));
  out.http_tls = MUIR_TRY(net::tls_server(given, prefixes));
  return {};
}

}  // namespace

const ConfigDefOf<VtsConfig>& vts_config() {
  static const ConfigDefOf<VtsConfig> def(
      "vts",
      with_tls_keys(
          {{{.name = "bootstrap.servers",
             .fallback = "127.0.0.1:9092",
             .doc = "the Kafka cluster; muir up sets its own broker unless one is given",
             .filled = true},
            &VtsConfig::bootstrap_servers},
           {{.name = "schema.registry.url",
             .fallback = "http://127.0.0.1:8081",
             .doc = "the schema registry; muir up sets its own unless one is given",
             .filled = true,
             .check = no_url}},
           {{.name = "vts.http.host",
             .fallback = "127.0.0.1",
             .doc = "address that page and REST interface listen on; --host wins",
             .filled = true},
            &VtsConfig::http_host},
           {{.name = "vts.http.port",
             .type = ConfigType::int64,
             .fallback = "8080",
             .doc = "port of page and REST interface; --http-port wins",
             .min = 0,
             .max = 65535},
            &VtsConfig::http_port},
           {{.name = "vts.http.protocol",
             .fallback = "http",
             .doc = "https: page, REST interface and WebSockets with TLS",
             .allowed = {"http", "https"}},
            &VtsConfig::http_protocol},
           {{.name = "vts.http.allowed.origins",
             .type = ConfigType::list,
             .doc = "origins whose web pages may use the REST interface and the feed, as https://fleet.example.com; * "
                    "allows all",
             .check = no_origin},
            &VtsConfig::http_allowed_origins},
           {{.name = "http.allowed.hosts",
             .type = ConfigType::list,
             .doc = "further names that clients may call page, REST interface and registry by, as fleet.example.com; "
                    ".example.com: all below it; * allows all",
             .check = no_host},
            &VtsConfig::http_allowed_hosts},
           {{.name = "http.memory.max.bytes",
             .type = ConfigType::int64,
             .fallback = "134217728",
             .doc = "bytes that all connections of page and REST interface may hold together, and again those of the "
                    "registry",
             .min = 33'554'432},
            &VtsConfig::http_memory_bytes_max},
           {{.name = "vts.partitions",
             .type = ConfigType::int64,
             .fallback = "4",
             .doc = "partitions of new topics",
             .min = 1,
             .max = 1000},
            &VtsConfig::partitions},
           {{.name = "vts.retention.bytes",
             .type = ConfigType::int64,
             .fallback = "1073741824",
             .doc = "bytes kept per partition of the topics that grow; -1: all; takes effect when a topic is made",
             .min = -1},
            &VtsConfig::retention_bytes},
           {{.name = "vts.future.limit.ms",
             .type = ConfigType::int64,
             .fallback = "60000",
             .doc = "how far ahead of its time of receipt a fix may be",
             .min = 0,
             .max = kYearMs},
            within(&VtsConfig::topology, &TopologyOptions::limits, &Limits::future_ms)},
           {{.name = "vts.implied.speed.limit.kmh",
             .type = ConfigType::float64,
             .fallback = "250",
             .doc = "a fix is rejected when its vehicle must have been faster",
             .above = 0,
             .below = 1e6},
            within(&VtsConfig::topology, &TopologyOptions::limits, &Limits::implied_speed_kmh)},
           {{.name = "vts.speed.limit.kmh",
             .type = ConfigType::float64,
             .fallback = "50",
             .doc = "speed limit of vehicles without one of their own",
             .above = 0,
             .below = 1000},
            within(&VtsConfig::topology, &TopologyOptions::limits, &Limits::default_speed_limit_kmh)},
           {{.name = "vts.duplicate.retention.ms",
             .type = ConfigType::int64,
             .fallback = "21600000",
             .doc = "how long a fix is remembered, to know it again: of the vehicle's own time, and at least as long "
                    "after its receipt",
             .min = 60'000,
             .max = kYearMs},
            within(&VtsConfig::topology, &TopologyOptions::duplicate_retention)},
           {{.name = "vts.silent.retention.ms",
             .type = ConfigType::int64,
             .fallback = "2592000000",
             .doc = "how long after its receipt a fix is remembered at most, also of a vehicle that sends nothing "
                    "more; not less than vts.duplicate.retention.ms",
             .min = 60'000,
             .max = 10 * kYearMs},
            within(&VtsConfig::topology, &TopologyOptions::silent_retention)},
           {{.name = "vts.in.flight.max",
             .type = ConfigType::int64,
             .fallback = "200000",
             .doc = "positions waiting for their acknowledgement before requests are answered 503",
             .min = 1,
             .max = 100'000'000},
            within(&VtsConfig::gateway, &GatewayOptions::in_flight_max)},
           {{.name = "vts.batch.max",
             .type = ConfigType::int64,
             .fallback = "10000",
             .doc = "positions in one request; more are answered 413",
             .min = 1,
             .max = 1'000'000},
            within(&VtsConfig::gateway, &GatewayOptions::positions, &PositionLimits::items_max)}}),
      {check_retention});
  return def;
}

namespace {

// What Streams is given: our choices, and over them what concerns it.
Properties streams_properties(const Properties& given, const std::string& bootstrap, const std::string& state_dir) {
  Properties out{
      {"application.id", "muir-vts"},   {"bootstrap.servers", bootstrap}, {"processing.guarantee", "exactly_once_v2"},
      {"commit.interval.ms", "100"},    {"num.stream.threads", "2"},      {"state.dir", state_dir},
      {"auto.offset.reset", "earliest"}};
  for (const auto& [key, value] : given) {
    // Keys of other parts, the broker's for one, are none of Streams' business.
    if (vts_config().find(key) == nullptr && streams::unknown_keys({{key, value}}).empty())
      out.insert_or_assign(key, value);
  }
  return out;
}

struct Read {
  VtsConfig config{};
  ConfigMistakes mistakes{};
};

Read read(const Properties& given, const std::string& state_dir) {
  Read out;
  const auto& def = vts_config();
  out.mistakes = def.mistakes(given);
  const bool good = out.mistakes.empty();
  if (good) def.fill(given, out.config);
  VtsConfig& config = out.config;
  if (good && config.http_protocol == "https") add_failure(out.mistakes, read_tls(given, config));
  config.gateway.rules = config.topology.limits;
  const std::string bootstrap = def.value(given, "bootstrap.servers");
  const Properties streams = streams_properties(given, bootstrap, state_dir);
  add_mistakes(out.mistakes, streams::StreamsConfig::mistakes(streams));
  for (const auto& [key, value] : given) {
    if (is_client_key(key)) config.client.insert_or_assign(key, value);
  }
  config.client["bootstrap.servers"] = bootstrap;
  if (out.mistakes.empty()) {
    auto parsed = streams::StreamsConfig::parse(streams);
    add_failure(out.mistakes, parsed.status());
    if (parsed.ok()) config.streams = std::move(*parsed);
  }
  return out;
}

}  // namespace

Result<VtsConfig> VtsConfig::parse(const Properties& given, const std::string& state_dir) {
  Read out = read(given, state_dir);
  MUIR_RETURN_IF_ERROR(status_of(out.mistakes));
  return std::move(out.config);
}

ConfigMistakes VtsConfig::mistakes(const Properties& given) { return read(given, "unused").mistakes; }

}  // namespace muir::vts
