#include "client/internal/client_rules.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <memory>

#include "client/internal/kafka_config.h"
#include "client/internal/key_table.h"

namespace muir::client::internal {
namespace {

constexpr int64_t kInFlightMax = 5;  // of an idempotent producer: the brokers remember so many batches
constexpr int64_t kRequestTimeoutMs = 30'000;
constexpr int64_t kLingerMs = 5;
constexpr int64_t kTransactionTimeoutMs = 60'000;
constexpr std::string_view kRdkafka = "rdkafka.";

// Reads values that have been found right.
class Values {
 public:
  explicit Values(const Properties& properties) : properties_(properties) {}
  [[nodiscard]] bool has(const std::string& key) const { return properties_.contains(key); }
  [[nodiscard]] std::string text(const std::string& key, const std::string& otherwise) const {
    const auto found = properties_.find(key);
    return found == properties_.end() ? otherwise : std::string(config_text(found->second));
  }
  [[nodiscard]] int64_t number(const std::string& key, int64_t otherwise) const {
    return config_integer(text(key, std::to_string(otherwise))).value_or(otherwise);
  }
  [[nodiscard]] bool weak_acks() const {
    const std::string acks = text("acks", "all");
    return acks != "all" && acks != "-1";
  }

 private:
  const Properties& properties_;
};

// As ProducerConfig of Kafka 4: retries and acks that are set switch idempotence off where nobody asked for it, and
// contradict it where somebody did; more requests in flight always contradict it.
void check_producer(const ClientGiven& given, ConfigMistakes& out) {
  const Values values(given.values);
  const auto wrong = [&](const std::string& key, std::string why) {
    const auto found = given.values.find(key);
    std::optional<std::string> value;
    if (found != given.values.end()) value = found->second;
    out.push_back({given.name_of(key), std::move(value), std::move(why)});
  };
  const bool idempotent = is_idempotent(given.values);
  if (idempotent && values.weak_acks()) wrong("acks", "expected all, which enable.idempotence=true needs");
  if (idempotent && values.number("retries", 1) == 0)
    wrong("retries", "expected at least 1, which enable.idempotence=true needs");
  if (idempotent && values.number("max.in.flight.requests.per.connection", 1) > kInFlightMax)
    wrong("max.in.flight.requests.per.connection",
          fmt::format("expected at most {}, which enable.idempotence=true needs", kInFlightMax));
  if (!idempotent && values.has("transactional.id"))
    wrong("transactional.id", "needs enable.idempotence=true, acks=all and retries");
  if (values.has("transactional.id") &&
      values.number("linger.ms", kLingerMs) >= values.number("transaction.timeout.ms", kTransactionTimeoutMs))
    wrong("linger.ms", "expected less than transaction.timeout.ms");
  const int64_t least = values.number("linger.ms", kLingerMs) + values.number("request.timeout.ms", kRequestTimeoutMs);
  if (values.has("delivery.timeout.ms") && values.number("delivery.timeout.ms", 0) < least)
    wrong("delivery.timeout.ms", fmt::format("expected at least linger.ms + request.timeout.ms, which are {}", least));
}

// Of every kind of client.
void check_connections(const ClientGiven& given, ConfigMistakes& out) {
  const Values values(given.values);
  const int64_t first = values.number("reconnect.backoff.ms", 0);
  const int64_t most = values.number("reconnect.backoff.max.ms", INT64_MAX);
  if (first > most)
    out.push_back({given.name_of("reconnect.backoff.max.ms"), std::to_string(most),
                   fmt::format("expected at least reconnect.backoff.ms, which is {}", first)});
}

// What this client decides itself, under librdkafka's names.
constexpr std::string_view kDecided[] = {"allow.auto.create.topics",
                                         "auto.commit.enable",
                                         "auto.commit.interval.ms",
                                         "auto.offset.reset",
                                         "delivery.report.only.error",
                                         "dr_cb",
                                         "dr_msg_cb",
                                         "enable.auto.commit",
                                         "enable.auto.offset.store",
                                         "enable.partition.eof",
                                         "enabled_events",
                                         "group.id",
                                         "group.instance.id",
                                         "group.protocol.type",
                                         "heartbeat.interval.ms",
                                         "max.poll.interval.ms",
                                         "partition.assignment.strategy",
                                         "partitioner",
                                         "partitioner_cb",
                                         "message.max.bytes",
                                         "queue.buffering.max.kbytes",
                                         "queuing.strategy",
                                         "session.timeout.ms"};
// Where librdkafka has another name for what Kafka has a key for.
constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"metadata.broker.list", "bootstrap.servers"},
    {"request.required.acks", "acks"},
    {"message.send.max.retries", "retries"},
    {"message.timeout.ms", "delivery.timeout.ms"},
    {"max.in.flight", "max.in.flight.requests.per.connection"},
    {"queue.buffering.max.ms", "linger.ms"},
    {"compression.codec", "compression.type"},
    {"fetch.message.max.bytes", "max.partition.fetch.bytes"},
};

std::string kafkas_name(std::string_view rdkafka) {
  for (const auto& [alias, name] : kAliases) {
    if (alias == rdkafka) return std::string(name);
  }
  for (const ClientKey& key : client_keys()) {
    if (key.rdkafka == kNotRdkafkas) continue;
    if (key.config.name == rdkafka || key.rdkafka == rdkafka) return key.config.name;
  }
  return {};
}

std::string why_not_rdkafkas(std::string_view name, const std::string& value, bool secret) {
  if (std::find(std::begin(kDecided), std::end(kDecided), name) != std::end(kDecided))
    return "is decided by the client";
  if (const std::string kafkas = kafkas_name(name); !kafkas.empty())
    return fmt::format("is Kafka's key {}: write it so", kafkas);
  if (name.starts_with("ssl.") || name.starts_with("sasl.") || name.starts_with("security."))
    return "is set by Kafka's keys of TLS (ssl.*, security.protocol)";
  Conf scratch(rd_kafka_conf_new());
  std::array<char, 512> reason{};
  const std::string key(name);
  if (rd_kafka_conf_set(scratch.get(), key.c_str(), value.c_str(), reason.data(), reason.size()) == RD_KAFKA_CONF_OK)
    return {};
  return secret ? "its value was refused" : std::string(reason.data());
}

}  // namespace

bool is_idempotent(const Properties& properties) {
  const Values values(properties);
  if (values.has("enable.idempotence")) return config_boolean(values.text("enable.idempotence", "")).value_or(false);
  return !values.weak_acks() && values.number("retries", 1) != 0;
}

void check_together(ClientKind kind, const ClientGiven& given, ConfigMistakes& out) {
  if (kind == ClientKind::producer) check_producer(given, out);
  if (kind != ClientKind::admin) check_connections(given, out);
}

void check_rdkafka_keys(ClientKind kind, const ClientGiven& given, ConfigMistakes& out) {
  if (kind == ClientKind::admin) return;  // has nothing of librdkafka's
  for (const auto& [name, value] : given.values) {
    if (!name.starts_with(kRdkafka)) continue;
    const bool secret = is_secret_name(name);
    const std::string why = why_not_rdkafkas(std::string_view(name).substr(kRdkafka.size()), value, secret);
    if (!why.empty()) out.push_back({given.name_of(name), secret ? std::string(kHiddenValue) : value, why});
  }
}

}  // namespace muir::client::internal
