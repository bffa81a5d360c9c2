#include "client/internal/kafka_config.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/config.h"
#include "base/log.h"
#include "client/internal/key_table.h"
#include "net/tls_config.h"

namespace muir::client::internal {
namespace {

bool is_secret(std::string_view key) {
  for (const std::string_view part : {"password", "secret", "jaas", "key.pem", "token"}) {
    if (key.find(part) != std::string_view::npos) return true;
  }
  return false;
}

Status set(rd_kafka_conf_t* conf, std::string_view key, const std::string& value) {
  std::array<char, 512> reason{};
  const std::string name(key);
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size()) == RD_KAFKA_CONF_OK) return {};
  if (is_secret(key)) return error(Code::invalid_argument, "configuration key {}: its value was refused", key);
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

// librdkafka refuses a transactional producer whose delivery timeout outlasts its transactions, which the Java client
// takes.
Status bound_delivery_timeout(rd_kafka_conf_t* conf, const Properties& properties) {
  if (!properties.contains("transactional.id")) return {};
  const int64_t transaction_ms = MUIR_TRY(number_of(properties, "transaction.timeout.ms", 60'000, 1000, INT32_MAX));
  const int64_t delivery_ms = MUIR_TRY(number_of(properties, "delivery.timeout.ms", 120'000, 0, INT32_MAX));
  if (delivery_ms != 0 && delivery_ms <= transaction_ms) return {};
  return set(conf, "delivery.timeout.ms", std::to_string(transaction_ms));
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

// Defaults where this client differs from librdkafka.
constexpr std::pair<std::string_view, std::string_view> kProducerDefaults[] = {
    {"acks", "all"},
    {"enable.idempotence", "true"},
    {"linger.ms", "5"},
    {"delivery.timeout.ms", "120000"},
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
constexpr std::pair<std::string_view, std::string_view> kConsumerDefaults[] = {
    // librdkafka wants a group for its coordinator state machine; nothing is ever joined or committed under it.
    {"group.id", "muir-manual-assignment"},
    {"auto.offset.reset", "error"},  // the owner decides
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},  // the offset of the end, when the last records are control or aborted ones
    {"isolation.level", "read_uncommitted"},
    {"max.poll.interval.ms", "86400000"},  // the group member's business
    {"check.crcs", "true"},
    // While a fetch waits for data of some partitions, none is sent for another that has been assigned, or has room
    // again: short waits, shorter than what is queued of a partition takes to be processed.
    {"fetch.wait.max.ms", "20"},
    {"fetch.error.backoff.ms", "50"},
    // Per partition (fetch_queue.h): it is fetched again below both, so what is queued is at most this and one fetch. A
    // record of 100 bytes takes about 430 in librdkafka's queue.
    {"queued.min.messages", "5000"},
    {"queued.max.messages.kbytes", "512"},
    {"max.partition.fetch.bytes", "1048576"},
    // The memory of an answer lives as long as any of its records.
    {"fetch.max.bytes", "4194304"},
    // Otherwise an answer could not be smaller than the largest message of a producer.
    {"message.max.bytes", "1000"},
    {"topic.metadata.refresh.fast.interval.ms", "100"},
};

}  // namespace

void ConfDeleter::operator()(rd_kafka_conf_s* conf) const { rd_kafka_conf_destroy(conf); }

Properties merged(const Properties& base, const Properties& overrides) {
  Properties all = base;
  for (const auto& [key, value] : overrides) all[key] = value;
  return all;
}

Result<int64_t> number_of(const Properties& properties, std::string_view key, int64_t otherwise, int64_t min,
                          int64_t max) {
  const auto it = properties.find(std::string(key));
  if (it == properties.end()) return otherwise;
  int64_t number = 0;
  const char* end = it->second.data() + it->second.size();
  const auto [stop, failure] = std::from_chars(it->second.data(), end, number);
  if (failure != std::errc() || stop != end || number < min || number > max) {
    return error(Code::invalid_argument, "configuration key {}: \"{}\" is not a number from {} to {}", key, it->second,
                 min, max);
  }
  return number;
}

Result<Conf> make_conf(Role role, const Properties& properties) {
  Conf conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  if (role == Role::producer) {
    for (const auto& [key, value] : kProducerDefaults) MUIR_RETURN_IF_ERROR(set(conf.get(), key, std::string(value)));
    const auto acks = properties.find("acks");
    const bool weak = acks != properties.end() && acks->second != "all" && acks->second != "-1";
    if (weak && !properties.contains("enable.idempotence"))
      MUIR_RETURN_IF_ERROR(set(conf.get(), "enable.idempotence", "false"));
  } else {
    for (const auto& [key, value] : kConsumerDefaults) MUIR_RETURN_IF_ERROR(set(conf.get(), key, std::string(value)));
    // Newer than librdkafka 2.0: how soon it looks again at a partition whose queue was full. Older ones are woken.
    (void)rd_kafka_conf_set(conf.get(), "fetch.queue.backoff.ms", "5", nullptr, 0);
  }
  const unsigned use = role == Role::producer ? kProducer : kConsumer;
  for (const auto& [name, value] : properties) {
    const ClientKey* key = find_client_key(name);
    if (key != nullptr && (key->use & use) != 0 && key->rdkafka != kNotRdkafkas) {
      if (name == "request.timeout.ms" && role == Role::consumer) continue;  // a producer's to librdkafka
      if (name == "retry.backoff.ms" && role == Role::consumer) continue;
      MUIR_RETURN_IF_ERROR(
          set(conf.get(), key->rdkafka.empty() ? key->name : key->rdkafka, rdkafka_value(*key, value)));
    } else if (key == nullptr && name.starts_with("rdkafka.")) {
      // A key of librdkafka's own, for tuning that Kafka has no name for.
      MUIR_RETURN_IF_ERROR(set(conf.get(), std::string_view(name).substr(8), value));
    }
  }
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
    for (const ClientKey& key : client_keys()) known.emplace_back(key.name);
    for (const ConfigKey& key : net::tls_config_keys()) known.push_back(key.name);
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
