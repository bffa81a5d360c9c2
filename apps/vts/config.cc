#include "apps/vts/config.h"

#include <algorithm>

#include "net/tls_config.h"

namespace muir::vts {
namespace {

// Keys that belong to the clients, not to Streams alone.
bool is_client_key(std::string_view key) {
  for (const std::string_view prefix :
       {"security.", "sasl.", "ssl.", "metadata.", "reconnect.", "socket.", "client."}) {
    if (key.starts_with(prefix)) return true;
  }
  return key == "bootstrap.servers" || key == "request.timeout.ms";
}

// An origin is scheme, host and port; with a path or a last slash it would never match.
Status check_origins(const std::vector<std::string>& origins) {
  for (const std::string& origin : origins) {
    const size_t scheme = origin.find("://");
    const bool whole = scheme != std::string::npos && scheme > 0 && scheme + 3 < origin.size() &&
                       origin.find_first_of("/ ", scheme + 3) == std::string::npos;
    if (origin != "*" && !whole)
      return error(Code::invalid_argument,
                   "vts.http.allowed.origins: '{}' is no origin; write scheme and host, as https://fleet.example.com",
                   origin);
  }
  return {};
}

constexpr int64_t kYearMs = 366LL * 24 * 3600 * 1000;

// A name as Host has it, without a port: with anything else it would never match.
Status check_hosts(const std::vector<std::string>& hosts) {
  for (const std::string& host : hosts) {
    const bool port = std::count(host.begin(), host.end(), ':') == 1;  // an IPv6 address has more
    if (host.empty() || port || host.find_first_of("/@[] ") != std::string::npos)
      return error(Code::invalid_argument,
                   "http.allowed.hosts: '{}' is no host name; write it without scheme and port, as fleet.example.com",
                   host);
  }
  return {};
}

// Before the keys of TLS that page and REST interface have for themselves.
constexpr std::string_view kTlsPrefix = "vts.http.";

std::vector<ConfigKey> with_tls_keys(std::vector<ConfigKey> keys) {
  for (ConfigKey key : net::tls_config_keys()) {
    key.name.insert(0, kTlsPrefix);
    key.doc = fmt::format("of page and REST interface; without it, {}", key.name.substr(kTlsPrefix.size()));
    key.fallback.clear();
    key.allowed.clear();  // net's own reader checks them
    keys.push_back(std::move(key));
  }
  return keys;
}

Status read_tls(const Properties& given, VtsConfig& out) {
  const net::TlsPrefixes prefixes = {std::string(kTlsPrefix), ""};
  out.http_tls_options = MUIR_TRY(net::tls_options(given, prefixes));
  out.http_tls = MUIR_TRY(net::tls_server(given, prefixes));
  return {};
}

}  // namespace

const ConfigDef& vts_config() {
  static const ConfigDef def(
      "vts",
      with_tls_keys({
          {.name = "bootstrap.servers", .fallback = "127.0.0.1:9092", .doc = "the Kafka cluster", .filled = true},
          {.name = "schema.registry.url",
           .fallback = "http://127.0.0.1:8081",
           .doc = "the schema registry",
           .filled = true},
          {.name = "vts.http.host",
           .fallback = "127.0.0.1",
           .doc = "address that page and REST interface listen on",
           .filled = true},
          {.name = "vts.http.port",
           .type = ConfigType::integer,
           .fallback = "8080",
           .doc = "port of page and REST interface",
           .min = 0,
           .max = 65535},
          {.name = "vts.http.protocol",
           .fallback = "http",
           .doc = "https: page and REST interface with TLS",
           .allowed = {"http", "https"}},
          {.name = "vts.http.allowed.origins",
           .type = ConfigType::list,
           .doc = "origins whose web pages may use the REST interface, as https://fleet.example.com; * allows all"},
          {.name = "http.allowed.hosts",
           .type = ConfigType::list,
           .doc = "further names that clients may call page, REST interface and registry by, as fleet.example.com; "
                  ".example.com: all below it; * allows all"},
          {.name = "http.memory.max.bytes",
           .type = ConfigType::integer,
           .fallback = "134217728",
           .doc = "bytes that all connections of page and REST interface may hold together, and again those of the "
                  "registry",
           .min = 33'554'432},
          {.name = "vts.partitions",
           .type = ConfigType::integer,
           .fallback = "4",
           .doc = "partitions of new topics",
           .min = 1,
           .max = 1000},
          {.name = "vts.retention.bytes",
           .type = ConfigType::integer,
           .fallback = "1073741824",
           .doc = "bytes kept per partition of the topics that grow; -1: all",
           .min = -1},
          {.name = "vts.future.limit.ms",
           .type = ConfigType::integer,
           .fallback = "60000",
           .doc = "how far ahead of the clock a fix may be",
           .min = 0,
           .max = kYearMs},
          {.name = "vts.implied.speed.limit.kmh",
           .type = ConfigType::number,
           .fallback = "250",
           .doc = "a fix is rejected when its vehicle must have been faster",
           .above = 0,
           .below = 1e6},
          {.name = "vts.speed.limit.kmh",
           .type = ConfigType::number,
           .fallback = "50",
           .doc = "speed limit of vehicles without one of their own",
           .above = 0,
           .below = 1000},
          {.name = "vts.duplicate.retention.ms",
           .type = ConfigType::integer,
           .fallback = "21600000",
           .doc = "how long a fix is remembered to know it again, in event time",
           .min = 60'000,
           .max = kYearMs},
          {.name = "vts.silent.retention.ms",
           .type = ConfigType::integer,
           .fallback = "2592000000",
           .doc = "how long the fixes of a vehicle that sends nothing are remembered; not less than "
                  "vts.duplicate.retention.ms",
           .min = 60'000,
           .max = 10 * kYearMs},
          {.name = "vts.in.flight.max",
           .type = ConfigType::integer,
           .fallback = "200000",
           .doc = "positions waiting for their acknowledgement before requests are answered 503",
           .min = 1,
           .max = 100'000'000},
          {.name = "vts.batch.max",
           .type = ConfigType::integer,
           .fallback = "10000",
           .doc = "positions in one request",
           .min = 1,
           .max = 1'000'000},
      }));
  return def;
}

Result<VtsConfig> VtsConfig::parse(const Properties& given, const std::string& state_dir) {
  const ConfigDef& def = vts_config();
  MUIR_RETURN_IF_ERROR(def.validate(given));
  VtsConfig out{.bootstrap_servers = def.string(given, "bootstrap.servers"),
                .http_host = def.string(given, "vts.http.host"),
                .http_port = static_cast<uint16_t>(def.integer(given, "vts.http.port")),
                .http_allowed_origins = def.list(given, "vts.http.allowed.origins"),
                .http_allowed_hosts = def.list(given, "http.allowed.hosts"),
                .http_memory_bytes_max = static_cast<size_t>(def.integer(given, "http.memory.max.bytes")),
                .partitions = static_cast<int32_t>(def.integer(given, "vts.partitions")),
                .retention_bytes = def.integer(given, "vts.retention.bytes")};
  MUIR_RETURN_IF_ERROR(check_origins(out.http_allowed_origins));
  MUIR_RETURN_IF_ERROR(check_hosts(out.http_allowed_hosts));
  if (def.string(given, "vts.http.protocol") == "https") MUIR_RETURN_IF_ERROR(read_tls(given, out));
  out.topology.limits = {.future_ms = def.integer(given, "vts.future.limit.ms"),
                         .implied_speed_kmh = def.number(given, "vts.implied.speed.limit.kmh"),
                         .default_speed_limit_kmh = def.number(given, "vts.speed.limit.kmh")};
  out.topology.duplicate_retention = std::chrono::milliseconds(def.integer(given, "vts.duplicate.retention.ms"));
  out.topology.silent_retention = std::chrono::milliseconds(def.integer(given, "vts.silent.retention.ms"));
  if (out.topology.silent_retention < out.topology.duplicate_retention) {
    return error(Code::invalid_argument, "vts.silent.retention.ms={} is less than vts.duplicate.retention.ms={}",
                 out.topology.silent_retention.count(), out.topology.duplicate_retention.count());
  }
  out.gateway.rules = out.topology.limits;
  out.gateway.in_flight_max = static_cast<size_t>(def.integer(given, "vts.in.flight.max"));
  out.gateway.positions.items_max = static_cast<size_t>(def.integer(given, "vts.batch.max"));

  Properties streams{{"application.id", "muir-vts"},
                     {"bootstrap.servers", out.bootstrap_servers},
                     {"processing.guarantee", "exactly_once_v2"},
                     {"commit.interval.ms", "100"},
                     {"num.stream.threads", "2"},
                     {"state.dir", state_dir},
                     {"auto.offset.reset", "earliest"},
                     {"consumer.session.timeout.ms", "6000"},
                     {"consumer.heartbeat.interval.ms", "1500"}};
  for (const auto& [key, value] : given) {
    // Keys of other parts, the broker's for one, are none of Streams' business.
    if (def.find(key) == nullptr && streams::unknown_keys({{key, value}}).empty()) streams.insert_or_assign(key, value);
    if (is_client_key(key)) out.client.insert_or_assign(key, value);
  }
  out.client["bootstrap.servers"] = out.bootstrap_servers;
  out.streams = MUIR_TRY(streams::StreamsConfig::parse(streams));
  return out;
}

}  // namespace muir::vts
