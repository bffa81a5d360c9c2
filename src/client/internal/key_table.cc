#include "client/internal/key_table.h"

#include <algorithm>

namespace muir::client::internal {
namespace {

constexpr int64_t kInt = INT32_MAX;
// Said where librdkafka's own default counts.
constexpr const char* kTheirs = "librdkafka's";

// What a table row says beside name and use.
struct Row {
  const char* fallback = "";
  const char* doc = "";
  std::string_view rdkafka = {};
  const char* shown = "";
};

ClientKey text(const char* name, unsigned use, const Row& row) {
  return {{.name = name, .fallback = row.fallback, .doc = row.doc, .shown_fallback = row.shown}, use, row.rdkafka};
}
ClientKey flag(const char* name, unsigned use, const Row& row) {
  ClientKey out = text(name, use, {"", row.doc, row.rdkafka, row.shown});
  out.config.type = ConfigType::boolean;
  out.config.fallback = row.fallback;
  return out;
}
ClientKey choice(const char* name, unsigned use, std::vector<std::string> allowed, const Row& row) {
  ClientKey out = text(name, use, row);
  out.config.allowed = std::move(allowed);
  return out;
}
ClientKey number(const char* name, unsigned use, int64_t min, int64_t max, const Row& row) {
  ClientKey out = text(name, use, row);
  out.config.type = max > kInt ? ConfigType::int64 : ConfigType::int32;
  out.config.min = min;
  out.config.max = max;
  return out;
}

// Ranges are the narrower ones of Java's and librdkafka's. Defaults are set; those that are only shown are where
// another place decides.
std::vector<ClientKey> make_keys() {
  return {
      text("bootstrap.servers", kAll, {"", "Brokers to begin with, host:port,...", "", "required"}),
      text("client.id", kAll, {"", "Name in the cluster's logs and metrics"}),
      text("client.rack", kConsumer, {"", "Consumers: where they are"}),
      text("security.protocol", kAll, {"", "PLAINTEXT, or SSL with the keys of TLS; SASL is refused", "", "PLAINTEXT"}),
      number("metadata.max.age.ms", kProducer | kConsumer, 1, 86400000,
             {"", "How old what is known of the cluster may be", "", "300000"}),
      number("connections.max.idle.ms", kProducer | kConsumer, -1, INT64_MAX,
             {"", "A connection that was silent for so long is closed", "", kTheirs}),
      number("reconnect.backoff.ms", kProducer | kConsumer, 0, 3600000,
             {"", "Wait before connecting again", "", kTheirs}),
      number("reconnect.backoff.max.ms", kProducer | kConsumer, 0, 3600000,
             {"", "Longest such wait, after many attempts", "", kTheirs}),
      number("socket.connection.setup.timeout.ms", kAll, 1000, 3600000,
             {"", "How long a connection may take", "", "10000"}),
      number("receive.buffer.bytes", kProducer | kConsumer, -1, 100000000,
             {"", "Socket buffer", "socket.receive.buffer.bytes", kTheirs}),
      number("send.buffer.bytes", kProducer | kConsumer, -1, 100000000,
             {"", "Socket buffer", "socket.send.buffer.bytes", kTheirs}),
      choice("acks", kProducer, {"all", "-1", "0", "1"}, {"all", "Producers: who must have a record"}),
      number("batch.size", kProducer, 0, kInt, {"", "Producers: size of a batch, in bytes", "", kTheirs}),
      choice("compression.type", kProducer, {"none", "gzip", "snappy", "lz4", "zstd"},
             {"none", "Producers: codec of batches"}),
      number("compression.level", kProducer, -1, 12, {"", "Producers: -1: the codec's own", "", "-1"}),
      number("delivery.timeout.ms", kProducer, 0, kInt,
             {"120000", "Producers: time for all attempts together; at least linger.ms + request.timeout.ms"}),
      flag("enable.idempotence", kProducer, {"true", "Producers: a repeated send is stored once"}),
      number("linger.ms", kProducer, 0, 900000, {"5", "Producers: wait for more records of a batch"}),
      number("max.in.flight.requests.per.connection", kProducer, 1, 1000000,
             {"", "Producers: requests that wait for an answer; at most 5 with enable.idempotence", "", kTheirs}),
      number("max.request.size", kProducer, 1000, 1000000000,
             {"", "Producers: largest request", "message.max.bytes", kTheirs}),
      number("request.timeout.ms", kAll, 1, 900000, {"", "How long an answer may take", "", "30000"}),
      number("retries", kProducer, 0, kInt, {"", "Producers: attempts within delivery.timeout.ms", "", kTheirs}),
      number("retry.backoff.ms", kAll, 1, 60000, {"", "Wait before an attempt is repeated", "", "100"}),
      number("transaction.timeout.ms", kProducer, 1000, kInt,
             {"", "Producers: after this the cluster aborts", "", "60000"}),
      text("transactional.id", kProducer, {"", "Producers: name of a transactional producer"}),
      number("batch.num.messages", kProducer, 1, 1000000, {"", "Producers: records of a batch", "", kTheirs}),
      flag("check.crcs", kConsumer, {"true", "Consumers: check each batch"}),
      number("fetch.buffer.memory", kConsumer, 1, INT64_MAX,
             {"67108864", "Consumers: memory for records that wait to be polled, of all partitions together",
              kNotRdkafkas}),
      number("fetch.max.bytes", kConsumer, 0, 2147483135, {"4194304", "Consumers: size of an answer"}),
      number("fetch.max.wait.ms", kConsumer, 0, 300000,
             {"20", "Consumers: wait of the broker for fetch.min.bytes", "fetch.wait.max.ms"}),
      number("fetch.min.bytes", kConsumer, 1, 100000000,
             {"1", "Consumers: least size of an answer before that wait is over"}),
      choice("isolation.level", kConsumer, {"read_uncommitted", "read_committed"},
             {"read_uncommitted", "Consumers: whether records of open and aborted transactions are seen"}),
      number("max.partition.fetch.bytes", kConsumer, 1, 1000000000,
             {"1048576", "Consumers: of one partition in an answer"}),
      number("queued.max.messages.kbytes", kConsumer, 1, 2097151,
             {"512", "Consumers: a partition of which as many KiB wait to be polled is not fetched"}),
      number("queued.min.messages", kConsumer, 1, 10000000,
             {"5000", "Consumers: a partition of which as many records wait to be polled is not fetched"}),
      number("buffer.memory", kProducer, 1, INT64_MAX,
             {"67108864", "Producers: bytes waiting; more are refused, not waited for", kNotRdkafkas}),
      number("queue.buffering.max.messages", kProducer, 1, 9000000,
             {"1000000", "Producers: records waiting; more are refused, not waited for", kNotRdkafkas}),
      number("max.block.ms", kProducer, 1, INT64_MAX,
             {"60000", "Producers: longest wait for what is not known of a topic", kNotRdkafkas}),
  };
}

// Keys of Java's clients (4.x) that have no effect here, by the clients that have them.
struct LaterKey {
  std::string_view name;
  unsigned use;
};
constexpr LaterKey kLater[] = {
    {"auto.commit.interval.ms", kConsumer},
    {"auto.include.jmx.reporter", kAll},
    {"bootstrap.controllers", kAdmin},
    {"client.dns.lookup", kAll},
    {"compression.gzip.level", kProducer},
    {"compression.lz4.level", kProducer},
    {"compression.zstd.level", kProducer},
    {"config.providers", kAll},
    {"connections.max.idle.ms", kAdmin},
    {"default.api.timeout.ms", kConsumer | kAdmin},
    {"enable.metrics.push", kAll},
    {"exclude.internal.topics", kConsumer},
    {"group.protocol", kConsumer},
    {"group.remote.assignor", kConsumer},
    {"interceptor.classes", kProducer | kConsumer},
    {"max.poll.records", kConsumer},
    {"metadata.max.age.ms", kAdmin},
    {"metadata.max.idle.ms", kProducer},
    {"metadata.recovery.rebootstrap.trigger.ms", kAll},
    {"metadata.recovery.strategy", kAll},
    {"metric.reporters", kAll},
    {"metrics.num.samples", kAll},
    {"metrics.recording.level", kAll},
    {"metrics.sample.window.ms", kAll},
    {"partitioner.adaptive.partitioning.enable", kProducer},
    {"partitioner.availability.timeout.ms", kProducer},
    {"partitioner.ignore.keys", kProducer},
    {"receive.buffer.bytes", kAdmin},
    {"reconnect.backoff.max.ms", kAdmin},
    {"reconnect.backoff.ms", kAdmin},
    {"retries", kAdmin},
    {"retry.backoff.max.ms", kAll},
    {"security.providers", kAll},
    {"send.buffer.bytes", kAdmin},
    {"socket.connection.setup.timeout.max.ms", kAll},
    {"transaction.two.phase.commit.enable", kProducer},
    // Of the group, of which a consumer here knows nothing.
    {"allow.auto.create.topics", kConsumer},
    {"auto.offset.reset", kConsumer},
    {"enable.auto.commit", kConsumer},
    {"group.id", kConsumer},
    {"group.instance.id", kConsumer},
    {"heartbeat.interval.ms", kConsumer},
    {"key.deserializer", kConsumer},
    {"key.serializer", kProducer},
    {"max.poll.interval.ms", kConsumer},
    {"partition.assignment.strategy", kConsumer},
    {"partitioner.class", kProducer},
    {"session.timeout.ms", kConsumer},
    {"value.deserializer", kConsumer},
    {"value.serializer", kProducer},
};

}  // namespace

const std::vector<ClientKey>& client_keys() {
  static const std::vector<ClientKey> keys = make_keys();
  return keys;
}

const ClientKey* find_client_key(std::string_view name) {
  const auto& keys = client_keys();
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const ClientKey& key) { return key.config.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

bool is_accepted_without_effect(std::string_view name, unsigned use) {
  return std::any_of(std::begin(kLater), std::end(kLater),
                     [&](const LaterKey& key) { return key.name == name && (key.use & use) != 0; });
}

std::string rdkafka_value(const ClientKey& key, const std::string& value) {
  // "-1", Java's word for the default or for never, is 0; a batch of no bytes is one of one record.
  if (key.config.min == -1 && value == "-1" && key.config.name != "compression.level") return "0";
  // Longer than librdkafka can count is never.
  if (key.config.name == "connections.max.idle.ms" && config_integer(value).value_or(0) > kInt) return "0";
  if (key.config.name == "batch.size" && value == "0") return "1";
  // Not less than one record of librdkafka's, whose least size is a thousand bytes.
  if (key.config.name == "fetch.max.bytes" && value.size() < 4) return "1000";
  return value;
}

}  // namespace muir::client::internal
