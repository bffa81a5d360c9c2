#include "client/internal/kafka_config.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/config_def.h"
#include "base/log.h"
#include "client/internal/client_rules.h"
#include "client/internal/key_table.h"
#include "net/tls_config.h"

namespace muir::client::internal {
namespace {

// librdkafka's.
constexpr int64_t kReconnectBackoffMs = 100;
constexpr int64_t kReconnectBackoffMaxMs = 10'000;

Status set(rd_kafka_conf_t* conf, std::string_view key, const std::string& value) {
  std::array<char, 512> reason{};
  const std::string name(key);
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size()) == RD_KAFKA_CONF_OK) return {};
  if (is_secret_name(key)) return error(Code::invalid_argument, "configuration key {}: its value was refused", key);
  return error(Code::invalid_argument, "configuration key {}: {}", key, reason.data());
}

void on_log(const rd_kafka_t* rk, int level, const char* facility, const char* text) {
  // syslog's levels: 3 error, 4 warning, 6 info, 7 debug. What librdkafka calls an error is a connection it will retry.
  if (level <= 4) {
    log::warn("{}: {}: {}", rd_kafka_name(rk), facility, text);
  } else {
    log::debug("{}: {}: {}", rd_kafka_name(rk), facility, text);
  }
}

// Nothing that the log does not say; "all brokers are down" also comes when the only one connected to so far went away.
void on_error(rd_kafka_t* rk, int err, const char* reason, void*) {
  log::debug("{}: {}: {}", rd_kafka_name(rk), rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(err)), reason);
}

// As Java: a delivery timeout that nobody gave is not shorter than one attempt. librdkafka refuses a transactional
// producer whose delivery timeout outlasts its transactions, which the Java client takes.
Status bound_delivery_timeout(rd_kafka_conf_t* conf, const Properties& properties) {
  const int64_t linger_ms = MUIR_TRY(number_of(properties, "linger.ms", 5, 0, INT32_MAX));
  const int64_t request_ms = MUIR_TRY(number_of(properties, "request.timeout.ms", 30'000, 1, INT32_MAX));
  const int64_t otherwise = std::max<int64_t>(120'000, linger_ms + request_ms);
  const int64_t delivery_ms = MUIR_TRY(number_of(properties, "delivery.timeout.ms", otherwise, 0, INT32_MAX));
  const int64_t transaction_ms = MUIR_TRY(number_of(properties, "transaction.timeout.ms", 60'000, 1000, INT32_MAX));
  const bool outlasts = properties.contains("transactional.id") && (delivery_ms == 0 || delivery_ms > transaction_ms);
  return set(conf, "delivery.timeout.ms", std::to_string(outlasts ? transaction_ms : delivery_ms));
}

// Where only one of both waits is given, the other's default does not stand in its way.
Status bound_reconnect_backoff(rd_kafka_conf_t* conf, const Properties& properties) {
  const int64_t first = MUIR_TRY(number_of(properties, "reconnect.backoff.ms", kReconnectBackoffMs, 0, INT32_MAX));
  const int64_t most =
      MUIR_TRY(number_of(properties, "reconnect.backoff.max.ms", kReconnectBackoffMaxMs, 0, INT32_MAX));
  if (first <= most) return {};
  return properties.contains("reconnect.backoff.ms") ? set(conf, "reconnect.backoff.max.ms", std::to_string(first))
                                                     : set(conf, "reconnect.backoff.ms", std::to_string(most));
}

// librdkafka runs its own TLS: what it trusts and shows goes through the same reader as for our own connections, and
// reaches it as PEM. It sends the whole chain of a certificate only from a file.
Status set_tls(rd_kafka_conf_t* conf, const Properties& properties) {
  const auto protocol = properties.find("security.protocol");
  if (protocol == properties.end() || !MUIR_TRY(net::is_tls_protocol(protocol->second))) return {};
  const net::TlsOptions options = MUIR_TRY(net::tls_options(properties));
  const auto texts = net::tls_pem_texts(options);
  if (!texts.ok()) return texts.status().annotate("configuration keys ssl.*");
  const bool in_file = !options.certificate_chain.path.empty();
  const std::pair<std::string_view, std::string> values[] = {
      {"ssl.ca.pem", texts->trusted_certificates},
      {"ssl.certificate.location", in_file ? options.certificate_chain.path : std::string()},
      {"ssl.certificate.pem", in_file ? std::string() : texts->certificate_chain},
      {"ssl.key.pem", texts->private_key},
      {"ssl.cipher.suites", texts->cipher_list},
      {"ssl.endpoint.identification.algorithm", options.check_host ? "https" : "none"},
  };
  for (const auto& [key, value] : values) {
    if (!value.empty()) MUIR_RETURN_IF_ERROR(set(conf, key, value));
  }
  return {};
}

// What this client decides; defaults of keys are in key_table.cc.
constexpr std::pair<std::string_view, std::string_view> kProducerSettings[] = {
    // The Java client's partitions: murmur2 of the key; without a key, one partition at a time (sticky).
    {"partitioner", "murmur2_random"},
    {"sticky.partitioning.linger.ms", "10"},
    // The producer's own limits (buffer.memory) come first; librdkafka's must never be the ones that bite.
    {"queue.buffering.max.messages", "10000000"},
    {"queue.buffering.max.kbytes", "2147483647"},
    {"delivery.report.only.error", "false"},
    {"retry.backoff.ms", "100"},
    {"topic.metadata.refresh.fast.interval.ms", "100"},
};
// Defaults of a consumer's fetches (key_table.cc). While a fetch waits for data of some partitions, none is sent for
// another that has been assigned, or has room again: short waits, shorter than what is queued of a partition takes to
// be processed. A partition (fetch_queue.h) is fetched again below both queued.*, so what is queued is at most this and
// one fetch; a record of 100 bytes takes about 430 in librdkafka's queue. The memory of an answer lives as long as any
// of its records, which bounds fetch.max.bytes.
constexpr std::pair<std::string_view, std::string_view> kConsumerSettings[] = {
    // librdkafka wants a group for its coordinator state machine; nothing is ever joined or committed under it.
    {"group.id", "muir-manual-assignment"},
    {"auto.offset.reset", "error"},  // the owner decides
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},      // the offset of the end, when the last records are control or aborted ones
    {"max.poll.interval.ms", "86400000"},  // the group member's business
    {"fetch.error.backoff.ms", "50"},
    // Otherwise an answer could not be smaller than the largest message of a producer.
    {"message.max.bytes", "1000"},
    {"topic.metadata.refresh.fast.interval.ms", "100"},
};

// Names that librdkafka has no use for on the consumer.
bool is_producers(std::string_view name, Role role) {
  return role == Role::consumer && (name == "request.timeout.ms" || name == "retry.backoff.ms");
}

Status set_key(rd_kafka_conf_t* conf, Role role, const ClientKey& key, const std::string& value) {
  const unsigned use = role == Role::producer ? kProducer : kConsumer;
  if ((key.use & use) == 0 || key.rdkafka == kNotRdkafkas || is_producers(key.config.name, role)) return {};
  return set(conf, key.rdkafka.empty() ? std::string_view(key.config.name) : key.rdkafka, rdkafka_value(key, value));
}

Status set_defaults(rd_kafka_conf_t* conf, Role role) {
  const auto set_all = [conf](const auto& settings) -> Status {
    for (const auto& [key, value] : settings) MUIR_RETURN_IF_ERROR(set(conf, key, std::string(value)));
    return {};
  };
  MUIR_RETURN_IF_ERROR(role == Role::producer ? set_all(kProducerSettings) : set_all(kConsumerSettings));
  for (const ClientKey& key : client_keys()) {
    if (!key.config.fallback.empty()) MUIR_RETURN_IF_ERROR(set_key(conf, role, key, key.config.fallback));
  }
  return {};
}

}  // namespace

void ConfDeleter::operator()(rd_kafka_conf_s* conf) const { rd_kafka_conf_destroy(conf); }

Properties merged(const Properties& base, const Properties& overrides) {
  Properties all = base;
  for (const auto& [key, value] : overrides) all[key] = value;
  for (auto& [name, value] : all) {
    const ClientKey* key = find_client_key(name);
    const bool words = key != nullptr && (key->config.type != ConfigType::string || !key->config.allowed.empty());
    if (words) value = std::string(config_text(value));
  }
  return all;
}

Result<int64_t> number_of(const Properties& properties, std::string_view key, int64_t otherwise, int64_t min,
                          int64_t max) {
  const auto it = properties.find(std::string(key));
  if (it == properties.end()) return otherwise;
  const auto number = config_integer(it->second);
  if (!number || *number < min || *number > max) {
    return error(Code::invalid_argument, "configuration key {}: \"{}\" is not a number from {} to {}", key, it->second,
                 min, max);
  }
  return *number;
}

Result<Conf> make_conf(Role role, const Properties& properties) {
  Conf conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  MUIR_RETURN_IF_ERROR(set_defaults(conf.get(), role));
  if (role == Role::producer && !is_idempotent(properties))
    MUIR_RETURN_IF_ERROR(set(conf.get(), "enable.idempotence", "false"));
  // Newer than librdkafka 2.0: how soon it looks again at a partition whose queue was full. Older ones are woken.
  if (role == Role::consumer) (void)rd_kafka_conf_set(conf.get(), "fetch.queue.backoff.ms", "5", nullptr, 0);
  for (const auto& [name, value] : properties) {
    if (const ClientKey* key = find_client_key(name)) {
      MUIR_RETURN_IF_ERROR(set_key(conf.get(), role, *key, value));
    } else if (name.starts_with("rdkafka.")) {
      // A key of librdkafka's own, for tuning that Kafka has no name for.
      MUIR_RETURN_IF_ERROR(set(conf.get(), std::string_view(name).substr(8), value));
    }
  }
  MUIR_RETURN_IF_ERROR(bound_reconnect_backoff(conf.get(), properties));
  MUIR_RETURN_IF_ERROR(set_tls(conf.get(), properties));
  if (role == Role::producer) MUIR_RETURN_IF_ERROR(bound_delivery_timeout(conf.get(), properties));
  return conf;
}

void warn_about_unknown(const Properties& properties) {
  for (const auto& [name, value] : properties) {
    if (find_client_key(name) != nullptr || is_accepted_without_effect(name) || net::is_tls_key(name) ||
        name.starts_with("rdkafka.")) {
      continue;
    }
    std::vector<std::string> known;
    for (const ClientKey& key : client_keys()) known.push_back(key.config.name);
    for (const ConfigKey& key : net::tls_config().keys()) known.push_back(key.name);
    if (const std::string near = nearest(name, known); !near.empty()) {
      log::warn("configuration key {} is not known to the Kafka client; did you mean {}?", name, near);
    } else {
      log::warn("configuration key {} is not known to the Kafka client and has no effect", name);
    }
  }
}

Result<std::vector<Endpoint>> parse_endpoints(std::string_view bootstrap_servers) {
  std::vector<Endpoint> endpoints;
  while (!bootstrap_servers.empty()) {
    const size_t comma = bootstrap_servers.find(',');
    std::string_view one = bootstrap_servers.substr(0, comma);
    bootstrap_servers = comma == std::string_view::npos ? std::string_view() : bootstrap_servers.substr(comma + 1);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (one.empty()) continue;
    const size_t colon = one.rfind(':');
    uint16_t port = 0;
    bool good = colon != std::string_view::npos && colon > 0;
    if (good) {
      const std::string_view digits = one.substr(colon + 1);
      const auto [stop, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
      good = failure == std::errc() && stop == digits.data() + digits.size() && port != 0;
    }
    if (!good) return error(Code::invalid_argument, "bootstrap.servers: \"{}\" is not host:port", one);
    std::string_view host = one.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    endpoints.push_back({std::string(host), port});
  }
  if (endpoints.empty()) return error(Code::invalid_argument, "bootstrap.servers names no host:port");
  return endpoints;
}

std::string to_string(const Endpoint& endpoint) { return fmt::format("{}:{}", endpoint.host, endpoint.port); }

}  // namespace muir::client::internal
