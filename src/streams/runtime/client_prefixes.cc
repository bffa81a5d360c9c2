#include "streams/runtime/client_prefixes.h"

#include <algorithm>

#include "client/client_keys.h"
#include "streams/runtime/consumer_config.h"

namespace muir::streams::internal {
namespace {

using client::ClientKind;

// As in Kafka Streams nobody else's to choose.
const std::vector<std::string_view> kConsumerDecided = {
    "isolation.level",  "enable.auto.commit", "allow.auto.create.topics",     "group.id",
    "key.deserializer", "value.deserializer", "partition.assignment.strategy"};
const std::vector<std::string_view> kProducerDecided = {"enable.idempotence", "transactional.id", "key.serializer",
                                                        "value.serializer", "partitioner.class"};
const std::vector<std::string_view> kNothing;

struct Prefix {
  std::string_view text;
  ClientKind kind;
  const std::vector<std::string_view>* decided;
  bool thread;  // whether keys of the thread have an effect
};
const Prefix kPrefixes[] = {
    {"consumer.", ClientKind::consumer, &kConsumerDecided, true},
    {"main.consumer.", ClientKind::consumer, &kConsumerDecided, true},
    {"restore.consumer.", ClientKind::consumer, &kConsumerDecided, false},
    {"global.consumer.", ClientKind::consumer, &kConsumerDecided, false},
    {"producer.", ClientKind::producer, &kProducerDecided, false},
    {"admin.", ClientKind::admin, &kNothing, false},
};

Properties under(const Prefix& prefix, const std::map<std::string, std::string>& properties) {
  client::ClientGiven given;
  given.lay_over(properties, prefix.text);
  Properties out = std::move(given.values);
  if (!prefix.thread) return out;
  for (const ConfigKey& key : consumer_config().keys()) out.erase(key.name);
  return out;
}

}  // namespace

bool has_client_prefix(std::string_view key) {
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](const Prefix& prefix) { return key.starts_with(prefix.text); });
}

std::vector<std::string> prefixed_keys_without_effect(const std::map<std::string, std::string>& properties) {
  std::vector<std::string> out;
  for (const Prefix& prefix : kPrefixes) {
    for (auto& one :
         client::keys_without_effect(prefix.kind, under(prefix, properties), prefix.text, *prefix.decided)) {
      out.push_back(std::move(one));
    }
  }
  return out;
}

ConfigMistakes prefixed_mistakes(const std::map<std::string, std::string>& properties) {
  ConfigMistakes out;
  for (const Prefix& prefix : kPrefixes) {
    Properties given = under(prefix, properties);
    for (const std::string_view key : *prefix.decided) given.erase(std::string(key));
    add_mistakes(out, client::client_config(prefix.kind).mistakes(given, [&](const std::string& key) {
      return std::string(prefix.text) + key;
    }));
  }
  return out;
}

}  // namespace muir::streams::internal
